/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/block_store.h"

#include "daemon/base/log.h"
#include "daemon/control/store/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change {
	struct database_job job; /* first */
	block_store_done *done;
	void *context;
	struct block block;
};

static const char *who_of(const struct block *block, char text[static PREFIX_TEXT_SIZE])
{
	switch ((enum block_kind)block->kind) {
	case BLOCK_USER:
		break;
	case BLOCK_MAC:
		return mac_format(&block->mac, text);
	case BLOCK_ADDRESS:
		return prefix_format(&block->prefix, text);
	}
	return block->user;
}

static bool copy(char *to, size_t room, const unsigned char *from)
{
	return from && (size_t)snprintf(to, room, "%s", (const char *)from) < room;
}
#define COPY(to, from) copy(to, sizeof(to), from)

static bool read_who(struct block *block, const char *kind, const unsigned char *who)
{
	const char *text = (const char *)who;

	if (!kind || !text)
		return false;
	for (block->kind = 0; strcmp(kind, block_kind_names[block->kind]) != 0;)
		if (++block->kind == BLOCK_KINDS)
			return false;
	switch ((enum block_kind)block->kind) {
	case BLOCK_USER:
		return *text && COPY(block->user, who);
	case BLOCK_MAC:
		return mac_parse(text, strlen(text), &block->mac) == 0;
	case BLOCK_ADDRESS:
		return prefix_parse(text, strlen(text), &block->prefix) == 0;
	}
	return false;
}

static bool read_row(sqlite3_stmt *row, struct block *block)
{
	memset(block, 0, sizeof(*block));
	block->code = (uint16_t)sqlite3_column_int(row, 3);
	block->uid = (uint32_t)sqlite3_column_int64(row, 4);
	block->flow = (uint64_t)sqlite3_column_int64(row, 7);
	block->since_ms = (uint64_t)sqlite3_column_int64(row, 8);
	block->until_ms = (uint64_t)sqlite3_column_int64(row, 9);
	return read_who(block, (const char *)sqlite3_column_text(row, 0),
		       sqlite3_column_text(row, 1)) &&
	       COPY(block->zone, sqlite3_column_text(row, 2)) &&
	       COPY(block->text, sqlite3_column_text(row, 5)) &&
	       COPY(block->limit, sqlite3_column_text(row, 6)) &&
	       (block->code == 421 || block->code == 554);
}

/* The table is made with the first block, so that a full disk is no reason not to start. */
static bool has_table(struct database *store)
{
	sqlite3_stmt *ask = database_statement(
		store, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'block'");
	bool has = ask && sqlite3_step(ask) == SQLITE_ROW;

	if (ask)
		sqlite3_reset(ask);
	return has;
}

static int make_table(struct sqlite3 *db)
{
	return database_execute(db,
		"CREATE TABLE IF NOT EXISTS block(kind TEXT NOT NULL, who TEXT NOT NULL, zone TEXT "
		"NOT NULL, code INTEGER NOT NULL, uid INTEGER NOT NULL, text TEXT NOT NULL, "
		"by_limit TEXT NOT NULL, flow INTEGER NOT NULL, since_ms INTEGER NOT NULL, "
		"until_ms INTEGER NOT NULL, PRIMARY KEY(kind, who, zone)) WITHOUT ROWID");
}

int block_store_load(
	struct database *store, struct sqlite3 *db, struct blocks *blocks, uint64_t now_ms)
{
	unsigned bad = 0;
	int status = 0, code = SQLITE_DONE;

	if (!has_table(store))
		return 0;
	sqlite3_stmt *rows = database_statement(store,
		"SELECT kind, who, zone, code, uid, text, by_limit, flow, since_ms, until_ms "
		"FROM block ORDER BY since_ms");
	if (!rows)
		return database_error(db);
	while (status == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct block block;
		if (!read_row(rows, &block))
			bad++;
		else if (!block.until_ms || block.until_ms > now_ms)
			status = blocks_put(blocks, &block);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = database_error(db);
	sqlite3_reset(rows);
	if (bad)
		log_error("state.db: %u blocks could not be read and are lost", bad);
	return status == -ENOSPC ? 0 : status;
}

static int bind_subject(sqlite3_stmt *statement, const struct block *block)
{
	char text[PREFIX_TEXT_SIZE];
	const char *kind = block_kind_names[block->kind];

	sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, who_of(block, text), -1, SQLITE_TRANSIENT);
	return sqlite3_bind_text(statement, 3, block->zone, -1, SQLITE_STATIC);
}

static int run_put(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct block *block = &((const struct change *)job)->block;
	int status = make_table(db);

	if (status < 0)
		return status;
	sqlite3_stmt *put = database_statement(
		store, "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (!put)
		return database_error(db);
	bind_subject(put, block);
	sqlite3_bind_int(put, 4, block->code);
	sqlite3_bind_int64(put, 5, block->uid);
	sqlite3_bind_text(put, 6, block->text, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 7, block->limit, -1, SQLITE_STATIC);
	sqlite3_bind_int64(put, 8, (sqlite3_int64)block->flow);
	sqlite3_bind_int64(put, 9, (sqlite3_int64)block->since_ms);
	sqlite3_bind_int64(put, 10, (sqlite3_int64)block->until_ms);
	status = database_step(put);
	sqlite3_clear_bindings(put);
	return status;
}

static int run_del(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct block *block = &((const struct change *)job)->block;
	int status = make_table(db);

	if (status < 0)
		return status;
	sqlite3_stmt *del = database_statement(
		store, "DELETE FROM block WHERE kind = ? AND who = ? AND zone = ?");
	if (!del)
		return database_error(db);
	bind_subject(del, block);
	status = database_step(del);
	sqlite3_clear_bindings(del);
	return status;
}

static void on_done(struct database_job *job, int status)
{
	struct change *change = (struct change *)job;

	if (change->done)
		change->done(change->context, status);
	free(change);
}

static int submit(struct database *store,
	int (*run)(struct database *store, struct sqlite3 *db, struct database_job *job),
	const struct block *block, block_store_done *done, void *context)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return -ENOMEM;
	change->job = (struct database_job){.run = run, .done = on_done, .write = true};
	change->done = done;
	change->context = context;
	change->block = *block;
	return database_submit(store, &change->job);
}

int block_store_put(
	struct database *store, const struct block *block, block_store_done *done, void *context)
{
	return submit(store, run_put, block, done, context);
}

int block_store_del(
	struct database *store, const struct block *subject, block_store_done *done, void *context)
{
	return submit(store, run_del, subject, done, context);
}
