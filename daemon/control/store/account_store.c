/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/account_store.h"

#include "daemon/base/log.h"
#include "daemon/control/store/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The secret of the hashes stands where no key is. */
#define SECRET_KEY ""

struct change {
	struct database_job job; /* first */
	session_store_done *done;
	void *context;
	uint8_t key[sizeof(struct radius_key)];
	size_t key_len, len;
	uint8_t bytes[RADIUS_ENTRY_BYTES];
};

/* The table is made with the first row, so that a full disk is no reason not to start. */
static bool has_table(struct database *store)
{
	sqlite3_stmt *ask = database_statement(
		store, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'account'");
	bool has = ask && sqlite3_step(ask) == SQLITE_ROW;

	if (ask)
		sqlite3_reset(ask);
	return has;
}

static int make_table(struct sqlite3 *db)
{
	return database_execute(db, "CREATE TABLE IF NOT EXISTS account(key BLOB PRIMARY KEY, "
				    "bytes BLOB NOT NULL) WITHOUT ROWID");
}

static struct radius_entry *add(struct account_rows *rows)
{
	if (rows->n == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 256;
		struct radius_entry *v = realloc(rows->v, room * sizeof(*v));
		if (!v)
			return NULL;
		rows->v = v;
		rows->room = room;
	}
	return &rows->v[rows->n];
}

static int take_row(struct account_rows *rows, sqlite3_stmt *row, unsigned *bad)
{
	const uint8_t *bytes = sqlite3_column_blob(row, 1);
	size_t len = (size_t)sqlite3_column_bytes(row, 1);

	if (sqlite3_column_bytes(row, 0) == 0 && len == sizeof(rows->secret)) {
		memcpy(rows->secret, bytes, len);
		rows->has_secret = true;
		return 0;
	}
	struct radius_entry *entry = add(rows);
	if (!entry)
		return -ENOMEM;
	if (bytes && radius_entry_decode(bytes, len, entry))
		rows->n++;
	else
		++*bad;
	return 0;
}

int account_store_load(struct database *store, struct sqlite3 *db, struct account_rows *rows)
{
	unsigned bad = 0;
	int status = 0, code = SQLITE_DONE;

	if (!has_table(store))
		return 0;
	sqlite3_stmt *all = database_statement(store, "SELECT key, bytes FROM account");
	if (!all)
		return database_error(db);
	while (status == 0 && (code = sqlite3_step(all)) == SQLITE_ROW)
		status = take_row(rows, all, &bad);
	if (status == 0 && code != SQLITE_DONE)
		status = database_error(db);
	sqlite3_reset(all);
	if (bad)
		log_error("state.db: what was known of %u sessions by accounting could not be read",
			bad);
	return status;
}

void account_rows_fini(struct account_rows *rows)
{
	free(rows->v);
	*rows = (struct account_rows){0};
}

static int run_put(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct change *change = (const struct change *)job;
	int status = make_table(db);

	if (status < 0)
		return status;
	sqlite3_stmt *put =
		database_statement(store, "INSERT OR REPLACE INTO account VALUES (?, ?)");
	if (!put)
		return database_error(db);
	sqlite3_bind_blob(put, 1, change->key_len ? (const void *)change->key : SECRET_KEY,
		(int)change->key_len, SQLITE_STATIC);
	sqlite3_bind_blob(put, 2, change->bytes, (int)change->len, SQLITE_STATIC);
	status = database_step(put);
	sqlite3_clear_bindings(put);
	return status;
}

static int run_del(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct change *change = (const struct change *)job;
	int status = make_table(db);

	if (status < 0)
		return status;
	sqlite3_stmt *del = database_statement(store, "DELETE FROM account WHERE key = ?");
	if (!del)
		return database_error(db);
	sqlite3_bind_blob(del, 1, change->key, (int)change->key_len, SQLITE_STATIC);
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

static struct change *new_change(
	int (*run)(struct database *store, struct sqlite3 *db, struct database_job *job),
	session_store_done *done, void *context)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->job = (struct database_job){.run = run, .done = on_done, .write = true};
	change->done = done;
	change->context = context;
	return change;
}

static void set_key(struct change *change, const struct radius_key *key)
{
	for (unsigned i = 0; i < sizeof(change->key); i++)
		change->key[i] = (uint8_t)(key->v[i / 8] >> 8 * (i % 8));
	change->key_len = sizeof(change->key);
}

int account_store_put(struct database *store, const struct radius_entry *entry,
	session_store_done *done, void *context)
{
	struct change *change = new_change(run_put, done, context);

	if (!change)
		return -ENOMEM;
	set_key(change, &entry->key);
	radius_entry_encode(entry, change->bytes);
	change->len = sizeof(change->bytes);
	return database_submit(store, &change->job);
}

int account_store_del(struct database *store, const struct radius_key *key,
	session_store_done *done, void *context)
{
	struct change *change = new_change(run_del, done, context);

	if (!change)
		return -ENOMEM;
	set_key(change, key);
	return database_submit(store, &change->job);
}

int account_store_secret(struct database *store, const uint8_t secret[static SIPHASH_SECRET_SIZE],
	session_store_done *done, void *context)
{
	struct change *change = new_change(run_put, done, context);

	if (!change)
		return -ENOMEM;
	memcpy(change->bytes, secret, SIPHASH_SECRET_SIZE);
	change->len = SIPHASH_SECRET_SIZE;
	return database_submit(store, &change->job);
}
