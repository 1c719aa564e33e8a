/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what messages look like in messages.db: segments, each a table of records and an index of
 * words over them.
 *
 * A row that comes in goes to the open segment (tables `message` and `word`). When that is large
 * enough, or old, it is closed: its tables get its number. So an index is never larger than a
 * cache, however many messages there are, and what is too old goes by the table. The key of a row
 * is a number that only grows, whatever the clock does: newest first is by keys. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_ROWS_H
#define POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_ROWS_H

#include "daemon/control/store/database.h"
#include "lib/record/message_record.h"

/* A segment is closed before it has more: measured, see test/bench/messages-million. */
#define MESSAGE_SEGMENT_ROWS  20000
#define MESSAGE_SEGMENT_WORDS 150000

/* What a message is found by: its word's hash stands in the index, with its key. */
enum message_word {
	MESSAGE_WORD_FLOW,
	MESSAGE_WORD_USER,
	MESSAGE_WORD_SENDER,
	MESSAGE_WORD_RECIPIENT,
	MESSAGE_WORD_QUEUE_ID,
	MESSAGE_WORD_MESSAGE_ID,
	MESSAGE_WORD_ENDING, /* of those that the server did not take: of the others there are many
			      */
};
#define MESSAGE_WORDS 7
/* Addresses are the same whatever their case. Stands on the disk: it is never changed. */
int64_t message_word_hash(enum message_word word, const char *text, size_t len);
int64_t message_word_flow(uint64_t flow);
/* false: messages that end so have no such word. */
bool message_word_ending(unsigned ending, int64_t *hash);

/* The thread's: what the open segment holds. Zeroed is its beginning. */
struct message_rows {
	bool known;
	int64_t next_key;
	uint32_t nrows, nwords;
	uint64_t nbytes;
};

/* Makes the tables. 0 or -errno. rows lives as long as the database. */
int message_rows_migrate(struct database *store, struct sqlite3 *db, struct message_rows *rows);
/* One more row. segment_bytes: a segment is closed when it is so large, too. 0 or -errno. */
int message_rows_insert(struct database *store, struct sqlite3 *db, struct message_rows *rows,
	const uint8_t *bytes, size_t len, uint64_t segment_bytes);
/* Closes the open segment if it has rows, and the oldest ended before that. 0 or -errno. */
int message_rows_close(
	struct database *store, struct sqlite3 *db, struct message_rows *rows, uint64_t before_ms);
/* Drops the oldest closed segment if all in it ended before that. *removed: its rows. 0 or -errno.
 */
int message_rows_drop(
	struct database *store, struct sqlite3 *db, uint64_t before_ms, uint64_t *removed);

#endif
