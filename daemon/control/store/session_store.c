/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/session_store.h"

#include "daemon/base/log.h"
#include "daemon/control/store/account_store.h"
#include "daemon/control/store/block_store.h"
#include "daemon/control/store/database.h"
#include "daemon/control/store/state_mark.h"
#include "lib/base/vector.h"
#include "lib/policy/element.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 1

struct session_store {
	struct database *store;
	/* While opening. */
	struct session_table *table;
	struct lists *lists;
	struct blocks *blocks;
	struct account_rows accounts;
	uint64_t now_ms, last_id;
	uint64_t *over; /* ids of sessions whose lease was over */
	size_t nover, over_room;
	const char *state_dir;
	bool made;      /* the database was not there */
	uint64_t nread; /* sessions, those included that were over */
	char loss[STATE_MARK_TEXT_SIZE];
	/* The thread's, once it runs. */
	struct state_mark mark;
};

struct change {
	struct database_job job; /* first */
	session_store_done *done;
	void *context;
	uint64_t id; /* of a session */
	char list[POLICY_NAME_SIZE];
	struct session_store_entry *entries;
	size_t n;
	size_t len; /* of the session's bytes */
	uint8_t bytes[];
};

static int migrate(struct database *store, struct sqlite3 *db, void *context)
{
	struct session_store *sessions = context;
	int found, status = database_version(store, db, &found);

	state_mark_reset(&sessions->mark);
	if (status < 0 || found == SCHEMA_VERSION)
		return status;
	if (found > SCHEMA_VERSION) {
		log_error("state.db is of a later version of Postern (%d)", found);
		return -EPROTONOSUPPORT;
	}
	sessions->made = true;
	return database_execute(db,
		"BEGIN IMMEDIATE;"
		"CREATE TABLE session(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
		"CREATE TABLE last_id(id INTEGER NOT NULL);"
		"INSERT INTO last_id VALUES (0);"
		"CREATE TABLE entry(list TEXT NOT NULL, elem BLOB NOT NULL, end_ms INTEGER NOT "
		"NULL, PRIMARY KEY(list, elem)) WITHOUT ROWID;"
		"PRAGMA user_version=1;"
		"COMMIT");
}

static int note_over(struct session_store *store, uint64_t id)
{
	uint64_t *over = vector_grow(store->over, store->nover, &store->over_room, sizeof(*over));
	if (!over)
		return -ENOMEM;
	store->over = over;
	store->over[store->nover++] = id;
	return 0;
}

static int load_sessions(struct session_store *store, struct sqlite3 *db)
{
	struct session_storage *storage = malloc(session_storage_size());
	sqlite3_stmt *rows = database_statement(store->store, "SELECT id, bytes FROM session");
	unsigned bad = 0;
	int status = 0, code = SQLITE_DONE;

	if (!storage || !rows) {
		free(storage);
		return storage ? database_error(db) : -ENOMEM;
	}
	while (status == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct session session;
		size_t len = (size_t)sqlite3_column_bytes(rows, 1);
		const uint8_t *bytes = sqlite3_column_blob(rows, 1);
		if (!bytes || session_decode(bytes, len, &session, storage) != len ||
			session.id != (uint64_t)sqlite3_column_int64(rows, 0)) {
			bad++;
			continue;
		}
		store->nread++;
		if (session.id > store->last_id)
			store->last_id = session.id;
		if (session.lease_end_ms && session.lease_end_ms <= store->now_ms)
			status = note_over(store, session.id);
		else
			status = session_table_put(store->table, &session);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = database_error(db);
	sqlite3_reset(rows);
	free(storage);
	if (bad)
		log_error("state.db: %u sessions could not be read and are lost", bad);
	return status;
}

static int load_lists(struct session_store *store, struct sqlite3 *db)
{
	sqlite3_stmt *rows =
		database_statement(store->store, "SELECT list, elem, end_ms FROM entry");
	unsigned bad = 0;
	int status = 0, code = SQLITE_DONE;

	if (!rows)
		return database_error(db);
	while (status == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *list = (const char *)sqlite3_column_text(rows, 0);
		uint64_t end_ms = (uint64_t)sqlite3_column_int64(rows, 2);
		struct policy_elem elem;
		if (!list || !element_decode(sqlite3_column_blob(rows, 1),
				     sqlite3_column_bytes(rows, 1), &elem)) {
			bad++;
			continue;
		}
		if (end_ms == 0 || end_ms > store->now_ms)
			status = lists_add(store->lists, list, &elem, end_ms);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = database_error(db);
	sqlite3_reset(rows);
	if (bad)
		log_error("state.db: %u list entries could not be read and are lost", bad);
	return status;
}

static int delete_over(struct session_store *store, struct sqlite3 *db)
{
	sqlite3_stmt *session =
		database_statement(store->store, "DELETE FROM session WHERE id = ?");
	sqlite3_stmt *entry = database_statement(
		store->store, "DELETE FROM entry WHERE end_ms != 0 AND end_ms <= ?");

	if (!session || !entry)
		return database_error(db);
	int status = database_execute(db, "BEGIN IMMEDIATE");
	for (size_t i = 0; status == 0 && i < store->nover; i++) {
		sqlite3_bind_int64(session, 1, (sqlite3_int64)store->over[i]);
		status = database_step(session);
	}
	sqlite3_bind_int64(entry, 1, (sqlite3_int64)store->now_ms);
	if (status == 0)
		status = database_step(entry);
	if (status == 0)
		status = state_mark_count(&store->mark, store->store, db);
	if (status == 0)
		status = database_execute(db, "COMMIT");
	if (status == 0) {
		state_mark_write(&store->mark);
		return 0;
	}
	database_execute(db, "ROLLBACK");
	return status;
}

static int load(struct database *handle, struct sqlite3 *db, void *context)
{
	struct session_store *store = context;

	store->store = handle; /* database_open() has not returned yet */
	sqlite3_stmt *last = database_statement(handle, "SELECT id FROM last_id");
	if (!last)
		return database_error(db);
	if (sqlite3_step(last) == SQLITE_ROW &&
		(uint64_t)sqlite3_column_int64(last, 0) > store->last_id)
		store->last_id = (uint64_t)sqlite3_column_int64(last, 0);
	sqlite3_reset(last);
	store->nover = store->nread = 0;
	int status = load_sessions(store, db);
	if (status == 0)
		status = load_lists(store, db);
	if (status == 0)
		status = block_store_load(handle, db, store->blocks, store->now_ms);
	if (status == 0) {
		account_rows_fini(&store->accounts); /* a database before was corrupt */
		status = account_store_load(handle, db, &store->accounts);
	}
	if (status == 0)
		state_mark_compare(&store->mark, handle, store->state_dir, store->made,
			store->nread, store->loss);
	/* A disk that takes no changes is no reason not to start. */
	if (status == 0 && delete_over(store, db) < 0)
		log_warning("state.db: sessions, list elements and blocks that have ended could "
			    "not be removed");
	return status;
}

static int before_commit(struct database *handle, struct sqlite3 *db, void *context)
{
	struct session_store *store = context;

	return state_mark_count(&store->mark, handle, db);
}

static void committed(void *context)
{
	struct session_store *store = context;

	state_mark_write(&store->mark);
}

const char *session_store_loss(const struct session_store *store)
{
	return store->loss;
}

int session_store_trouble(const struct session_store *store)
{
	return database_trouble(store->store);
}

int session_store_open(struct loop *loop, const char *state_dir, struct session_table *table,
	struct lists *lists, struct blocks *blocks, uint64_t now_ms, uint64_t *last_id,
	struct session_store **out)
{
	struct session_store *store = calloc(1, sizeof(*store));
	char path[4096];

	if (!store)
		return -ENOMEM;
	store->table = table;
	store->lists = lists;
	store->blocks = blocks;
	store->now_ms = now_ms;
	store->state_dir = state_dir;
	const struct database_options options = {.migrate = migrate,
		.load = load,
		.before_commit = before_commit,
		.committed = committed,
		.context = store,
		.survives_power_cut = true};
	snprintf(path, sizeof(path), "%s/state.db", state_dir);
	int status = database_open(loop, path, &options, &store->store);
	free(store->over);
	store->over = NULL;
	if (status < 0) {
		account_rows_fini(&store->accounts);
		free(store);
		return status;
	}
	*last_id = store->last_id;
	*out = store;
	return 0;
}

bool session_store_settle(struct session_store *store)
{
	return database_settle(store->store);
}

void session_store_close(struct session_store *store)
{
	if (!store)
		return;
	database_close(store->store);
	account_rows_fini(&store->accounts);
	account_rows_fini(&store->accounts);
	free(store);
}

static void on_done(struct database_job *job, int status)
{
	struct change *change = (struct change *)job;

	if (change->done)
		change->done(change->context, status);
	free(change->entries);
	free(change);
}

static struct change *new_change(
	int (*run)(struct database *store, struct sqlite3 *db, struct database_job *job),
	session_store_done *done, void *context, size_t bytes)
{
	struct change *change = calloc(1, sizeof(*change) + bytes);

	if (!change)
		return NULL;
	change->job = (struct database_job){.run = run, .done = on_done, .write = true};
	change->done = done;
	change->context = context;
	return change;
}

static int run_put(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct change *change = (const struct change *)job;
	sqlite3_stmt *put = database_statement(store, "INSERT INTO session VALUES (?1, ?2) "
						      "ON CONFLICT(id) DO UPDATE SET bytes = ?2");
	sqlite3_stmt *last = database_statement(store, "UPDATE last_id SET id = ?1 WHERE id < ?1");

	if (!put || !last)
		return database_error(db);
	sqlite3_bind_int64(put, 1, (sqlite3_int64)change->id);
	sqlite3_bind_blob(put, 2, change->bytes, (int)change->len, SQLITE_STATIC);
	sqlite3_bind_int64(last, 1, (sqlite3_int64)change->id);
	int status = database_step(put);
	return status < 0 ? status : database_step(last);
}

int session_store_put(struct session_store *store, const struct session *session,
	session_store_done *done, void *context)
{
	uint8_t bytes[SESSION_ENCODED_MAX];
	size_t len = session_encode(session, bytes, sizeof(bytes));

	if (len == 0)
		return -EINVAL;
	struct change *change = new_change(run_put, done, context, len);
	if (!change)
		return -ENOMEM;
	memcpy(change->bytes, bytes, len);
	change->len = len;
	change->id = session->id;
	return database_submit(store->store, &change->job);
}

static int run_del(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	sqlite3_stmt *del = database_statement(store, "DELETE FROM session WHERE id = ?");

	if (!del)
		return database_error(db);
	sqlite3_bind_int64(del, 1, (sqlite3_int64)((const struct change *)job)->id);
	return database_step(del);
}

int session_store_del(
	struct session_store *store, uint64_t id, session_store_done *done, void *context)
{
	struct change *change = new_change(run_del, done, context, 0);

	if (!change)
		return -ENOMEM;
	change->id = id;
	return database_submit(store->store, &change->job);
}

static int add_entries(struct database *store, struct sqlite3 *db, const struct change *change)
{
	sqlite3_stmt *add =
		database_statement(store, "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)");
	int status = 0;

	if (!add)
		return database_error(db);
	sqlite3_bind_text(add, 1, change->list, -1, SQLITE_STATIC);
	for (size_t i = 0; status == 0 && i < change->n; i++) {
		uint8_t elem[ELEMENT_BYTES_MAX];
		int len = element_encode(&change->entries[i].elem, elem);
		sqlite3_bind_blob(add, 2, elem, len, SQLITE_STATIC);
		sqlite3_bind_int64(add, 3, (sqlite3_int64)change->entries[i].end_ms);
		status = database_step(add);
	}
	sqlite3_clear_bindings(add);
	return status;
}

static int run_list_add(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	return add_entries(store, db, (const struct change *)job);
}

static int run_list_remove(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct change *change = (const struct change *)job;
	sqlite3_stmt *del =
		database_statement(store, "DELETE FROM entry WHERE list = ? AND elem = ?");
	uint8_t elem[ELEMENT_BYTES_MAX];

	if (!del)
		return database_error(db);
	int len = element_encode(&change->entries[0].elem, elem);
	sqlite3_bind_text(del, 1, change->list, -1, SQLITE_STATIC);
	sqlite3_bind_blob(del, 2, elem, len, SQLITE_STATIC);
	int status = database_step(del);
	sqlite3_clear_bindings(del);
	return status;
}

static int run_list_set(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct change *change = (const struct change *)job;
	sqlite3_stmt *clear = database_statement(store, "DELETE FROM entry WHERE list = ?");

	if (!clear)
		return database_error(db);
	sqlite3_bind_text(clear, 1, change->list, -1, SQLITE_STATIC);
	int status = database_step(clear);
	return status < 0 ? status : add_entries(store, db, change);
}

/* With the texts that they borrow, in one piece. */
static struct session_store_entry *copy_entries(const struct session_store_entry *entries, size_t n)
{
	size_t bytes = n * sizeof(*entries);

	for (size_t i = 0; i < n; i++)
		bytes += element_text_len(&entries[i].elem);
	struct session_store_entry *copy = malloc(bytes);
	if (!copy)
		return NULL;
	memcpy(copy, entries, n * sizeof(*entries));
	char *text = (char *)(copy + n);
	for (size_t i = 0; i < n; i++) {
		size_t len = element_text_len(&copy[i].elem);
		if (!len)
			continue;
		copy[i].elem.text = memcpy(text, copy[i].elem.text, len);
		text += len;
	}
	return copy;
}

static int submit_list(struct session_store *store, const char *list,
	int (*run)(struct database *store, struct sqlite3 *db, struct database_job *job),
	const struct session_store_entry *entries, size_t n, session_store_done *done,
	void *context)
{
	struct change *change = new_change(run, done, context, 0);

	if (!change)
		return -ENOMEM;
	if (n) {
		change->entries = copy_entries(entries, n);
		if (!change->entries) {
			free(change);
			return -ENOMEM;
		}
	}
	change->n = n;
	snprintf(change->list, sizeof(change->list), "%s", list);
	return database_submit(store->store, &change->job);
}

int session_store_list_add(struct session_store *store, const char *list,
	const struct policy_elem *elem, uint64_t end_ms, session_store_done *done, void *context)
{
	const struct session_store_entry entry = {*elem, end_ms};

	return submit_list(store, list, run_list_add, &entry, 1, done, context);
}

int session_store_list_remove(struct session_store *store, const char *list,
	const struct policy_elem *elem, session_store_done *done, void *context)
{
	const struct session_store_entry entry = {*elem, 0};

	return submit_list(store, list, run_list_remove, &entry, 1, done, context);
}

int session_store_list_set(struct session_store *store, const char *list,
	const struct session_store_entry *entries, size_t n, session_store_done *done,
	void *context)
{
	return submit_list(store, list, run_list_set, entries, n, done, context);
}

int session_store_block_put(struct session_store *store, const struct block *block,
	session_store_done *done, void *context)
{
	return block_store_put(store->store, block, done, context);
}

int session_store_block_del(struct session_store *store, const struct block *subject,
	session_store_done *done, void *context)
{
	return block_store_del(store->store, subject, done, context);
}

struct account_rows *session_store_account_rows(struct session_store *store)
{
	return &store->accounts;
}

int session_store_account_put(struct session_store *store, const struct radius_entry *entry,
	session_store_done *done, void *context)
{
	return account_store_put(store->store, entry, done, context);
}

int session_store_account_del(struct session_store *store, const struct radius_key *key,
	session_store_done *done, void *context)
{
	return account_store_del(store->store, key, done, context);
}

int session_store_account_secret(struct session_store *store,
	const uint8_t secret[static SIPHASH_SECRET_SIZE], session_store_done *done, void *context)
{
	return account_store_secret(store->store, secret, done, context);
}
