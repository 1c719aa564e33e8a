/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/message/message_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_VERSION 1

#define OPEN_TABLES                                                                   \
	"CREATE TABLE message(key INTEGER PRIMARY KEY, end_ms INTEGER, record BLOB);" \
	"CREATE TABLE word(hash INTEGER, key INTEGER, PRIMARY KEY(hash, key)) WITHOUT ROWID"

/* Of the closed ones. */
#define SEGMENTS                                                                                \
	"CREATE TABLE segment(number INTEGER PRIMARY KEY, first_key INTEGER, last_key INTEGER," \
	"first_ms INTEGER, last_ms INTEGER, nrows INTEGER)"

/* FNV-1a of 64 bits: the words are checked again in the record. */
static uint64_t hash_byte(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * 0x100000001b3u;
}

static uint64_t hash_begin(enum message_word word)
{
	return hash_byte(0xcbf29ce484222325u, (unsigned char)word);
}

int64_t message_word_hash(enum message_word word, const char *text, size_t len)
{
	bool folds = word == MESSAGE_WORD_SENDER || word == MESSAGE_WORD_RECIPIENT;
	uint64_t hash = hash_begin(word);

	for (size_t i = 0; i < len; i++) {
		bool capital = folds && text[i] >= 'A' && text[i] <= 'Z';
		hash = hash_byte(hash, (unsigned char)(capital ? text[i] + 'a' - 'A' : text[i]));
	}
	return (int64_t)hash;
}

int64_t message_word_flow(uint64_t flow)
{
	uint64_t hash = hash_begin(MESSAGE_WORD_FLOW);

	for (unsigned i = 0; i < 8; i++)
		hash = hash_byte(hash, (unsigned char)(flow >> 8 * i));
	return (int64_t)hash;
}

bool message_word_ending(unsigned ending, int64_t *hash)
{
	const char *name = message_ending_name(ending);

	if (ending == MESSAGE_DELIVERED || ending >= MESSAGE_ENDINGS)
		return false;
	*hash = message_word_hash(MESSAGE_WORD_ENDING, name, strlen(name));
	return true;
}

/* What was counted may be undone with its transaction. */
static void on_rollback(void *context)
{
	((struct message_rows *)context)->known = false;
}

int message_rows_migrate(struct database *store, struct sqlite3 *db, struct message_rows *rows)
{
	int found, status = database_version(store, db, &found);

	rows->known = false;
	sqlite3_rollback_hook(db, on_rollback, rows);
	if (status == 0)
		status = database_execute(db, "PRAGMA cache_size=-8192");
	if (status < 0 || found == SCHEMA_VERSION)
		return status;
	if (found > SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	status = database_execute(db, "BEGIN IMMEDIATE");
	if (status == 0)
		status = database_execute(
			db, OPEN_TABLES ";" SEGMENTS "; PRAGMA user_version=1; COMMIT");
	return status;
}

static int read_numbers(struct sqlite3 *db, sqlite3_stmt *row, int64_t *v, int n)
{
	if (!row)
		return database_error(db);
	int code = sqlite3_step(row);
	for (int i = 0; i < n; i++)
		v[i] = code == SQLITE_ROW ? sqlite3_column_int64(row, i) : 0;
	int status = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : database_error(db);
	sqlite3_reset(row);
	return status;
}

/* What the open segment holds, as it is in the database. */
static int look(struct database *store, struct sqlite3 *db, struct message_rows *rows)
{
	int64_t open[3], closed, words;
	int status = read_numbers(db,
		database_statement(
			store, "SELECT count(*), max(key), total(length(record)) FROM message"),
		open, 3);

	if (status >= 0)
		status = read_numbers(db,
			database_statement(store, "SELECT max(last_key) FROM segment"), &closed, 1);
	if (status >= 0)
		status = read_numbers(
			db, database_statement(store, "SELECT count(*) FROM word"), &words, 1);
	if (status < 0)
		return status;
	*rows = (struct message_rows){.known = true,
		.next_key = (open[1] > closed ? open[1] : closed) + 1,
		.nrows = (uint32_t)open[0],
		.nwords = (uint32_t)words,
		.nbytes = (uint64_t)open[2]};
	return 0;
}

static int close_segment(struct database *store, struct sqlite3 *db, struct message_rows *rows)
{
	int64_t number;
	char sql[512];
	int status = read_numbers(
		db, database_statement(store, "SELECT max(number) FROM segment"), &number, 1);

	if (status < 0)
		return status;
	number++;
	snprintf(sql, sizeof(sql),
		"INSERT INTO segment SELECT %" PRId64 ", min(key), max(key), min(end_ms), "
		"max(end_ms), count(*) FROM message;"
		"ALTER TABLE message RENAME TO message_%" PRId64 ";"
		"ALTER TABLE word RENAME TO word_%" PRId64 ";" OPEN_TABLES,
		number, number, number);
	rows->nrows = rows->nwords = 0;
	rows->nbytes = 0;
	return database_execute(db, sql);
}

static int insert_word(
	struct database *store, struct sqlite3 *db, struct message_rows *rows, int64_t hash)
{
	/* one that is there already: two recipients may be the same but for case */
	sqlite3_stmt *row =
		database_statement(store, "INSERT OR IGNORE INTO word(hash, key) VALUES (?, ?)");

	if (!row)
		return database_error(db);
	sqlite3_bind_int64(row, 1, hash);
	sqlite3_bind_int64(row, 2, rows->next_key);
	rows->nwords++;
	return database_step(row);
}

static int insert_text(struct database *store, struct sqlite3 *db, struct message_rows *rows,
	enum message_word word, const struct message_text *text)
{
	if (!text->at || (!text->len && word != MESSAGE_WORD_SENDER))
		return 0;
	return insert_word(store, db, rows, message_word_hash(word, text->at, text->len));
}

static int insert_words(struct database *store, struct sqlite3 *db, struct message_rows *rows,
	const struct message_record *record)
{
	struct message_recipient recipient;
	size_t at = 0;
	int64_t ending;
	int status = insert_word(store, db, rows, message_word_flow(record->flow));

	if (status == 0)
		status = insert_text(store, db, rows, MESSAGE_WORD_USER, &record->user);
	if (status == 0)
		status = insert_text(store, db, rows, MESSAGE_WORD_SENDER, &record->sender);
	if (status == 0)
		status = insert_text(store, db, rows, MESSAGE_WORD_QUEUE_ID, &record->queue_id);
	if (status == 0)
		status = insert_text(store, db, rows, MESSAGE_WORD_MESSAGE_ID, &record->message_id);
	if (status == 0 && message_word_ending(record->ending, &ending))
		status = insert_word(store, db, rows, ending);
	while (status == 0 && message_recipient_next(record, &at, &recipient))
		status = insert_text(store, db, rows, MESSAGE_WORD_RECIPIENT, &recipient.address);
	return status;
}

static bool is_large(const struct message_rows *rows, uint64_t segment_bytes)
{
	return rows->nrows >= MESSAGE_SEGMENT_ROWS || rows->nwords >= MESSAGE_SEGMENT_WORDS ||
	       (segment_bytes && rows->nbytes >= segment_bytes);
}

int message_rows_insert(struct database *store, struct sqlite3 *db, struct message_rows *rows,
	const uint8_t *bytes, size_t len, uint64_t segment_bytes)
{
	struct message_record record;
	int status = message_record_decode(bytes, len, &record);

	if (status == 0 && !rows->known)
		status = look(store, db, rows);
	if (status == 0 && is_large(rows, segment_bytes))
		status = close_segment(store, db, rows);
	if (status < 0)
		return status;
	sqlite3_stmt *row = database_statement(
		store, "INSERT INTO message(key, end_ms, record) VALUES (?, ?, ?)");
	if (!row)
		return database_error(db);
	sqlite3_bind_int64(row, 1, rows->next_key);
	sqlite3_bind_int64(row, 2, (sqlite3_int64)(record.end_ms & INT64_MAX));
	sqlite3_bind_blob(row, 3, bytes, (int)len, SQLITE_STATIC);
	status = database_step(row);
	if (status == 0)
		status = insert_words(store, db, rows, &record);
	rows->next_key++;
	rows->nrows++;
	rows->nbytes += len;
	return status;
}

int message_rows_close(
	struct database *store, struct sqlite3 *db, struct message_rows *rows, uint64_t before_ms)
{
	int64_t oldest[2];
	int status = read_numbers(db,
		database_statement(store, "SELECT end_ms, key FROM message ORDER BY key LIMIT 1"),
		oldest, 2);

	if (status <= 0 || (uint64_t)oldest[0] >= before_ms)
		return status < 0 ? status : 0;
	return close_segment(store, db, rows);
}

int message_rows_drop(
	struct database *store, struct sqlite3 *db, uint64_t before_ms, uint64_t *removed)
{
	int64_t oldest[3];
	char sql[256];
	int status = read_numbers(db,
		database_statement(store,
			"SELECT number, last_ms, nrows FROM segment ORDER BY number LIMIT 1"),
		oldest, 3);

	*removed = 0;
	if (status <= 0 || (uint64_t)oldest[1] >= before_ms)
		return status < 0 ? status : 0;
	snprintf(sql, sizeof(sql),
		"DROP TABLE message_%" PRId64 "; DROP TABLE word_%" PRId64
		"; DELETE FROM segment WHERE number = %" PRId64,
		oldest[0], oldest[0], oldest[0]);
	status = database_execute(db, sql);
	if (status == 0)
		*removed = (uint64_t)oldest[2];
	return status;
}
