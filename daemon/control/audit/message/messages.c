/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/message/messages.h"

#include "daemon/base/log.h"
#include "daemon/control/audit/archive.h"
#include "daemon/control/audit/message/message_rows.h"
#include "daemon/control/audit/message/message_text.h"
#include "daemon/control/audit/thin.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES   (32u << 20) /* of records on their way to the disk */
#define SEGMENT_OF    8           /* of the size that there may be */
#define SEGMENT_LEAST (1u << 20)  /* bytes of records */
#define SPAN_OF       32          /* of the time that is kept: what goes later than it should */
#define VACUUM_OF     4           /* of the file that may be empty, for what comes */

/* Of one user's that come to nothing. */
#define IDLE_AT_ONCE 1000
#define IDLE_EACH_MS 1000
#define SAID_EACH_MS 60000

struct messages {
	struct archive archive; /* first */
	struct thin *thin;
	uint64_t said_ms;         /* that a user's are thinned; 0: never */
	struct message_rows rows; /* the thread's */
};

/* One record on its way to the disk. */
struct writing {
	struct archive_writing writing; /* first */
	uint64_t segment_bytes;
	size_t len;
	uint8_t bytes[];
};

static struct message_rows *rows_of(void *archive)
{
	return &((struct messages *)archive)->rows;
}

static int migrate(struct database *store, struct sqlite3 *db, void *owner)
{
	return message_rows_migrate(store, db, rows_of(owner));
}

static int run_write(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct writing *writing = (const struct writing *)job;

	return message_rows_insert(store, db, rows_of(writing->writing.archive), writing->bytes,
		writing->len, writing->segment_bytes);
}

static uint64_t segment_bytes(const struct messages *messages)
{
	uint64_t bytes = messages->archive.config.size_bytes / SEGMENT_OF;

	return bytes && bytes < SEGMENT_LEAST ? SEGMENT_LEAST : bytes;
}

static void keep(struct messages *messages, const struct message_record *record,
	const uint8_t *bytes, size_t len)
{
	struct writing *writing = calloc(1, sizeof(*writing) + len);

	message_text_log(record);
	if (!writing) {
		archive_lost(&messages->archive, -ENOMEM);
		return;
	}
	writing->writing.job.run = run_write;
	writing->segment_bytes = segment_bytes(messages);
	writing->len = len;
	memcpy(writing->bytes, bytes, len);
	archive_write(&messages->archive, &writing->writing, sizeof(*writing) + len);
}

static void keep_stripped(
	struct messages *messages, const struct message_record *record, size_t len)
{
	size_t room = len + MESSAGE_RECORD_SPARE;
	uint8_t *bytes = malloc(room);
	struct message_record stripped;
	size_t n = bytes ? message_record_strip(record, bytes, room) : 0;

	if (n && message_record_decode(bytes, n, &stripped) == 0)
		keep(messages, &stripped, bytes, n);
	else
		archive_lost(&messages->archive, -ENOMEM);
	free(bytes);
}

/* Nothing came of it. */
static bool is_idle_talk(const struct message_record *record)
{
	if (record->ending >= MESSAGE_ENDINGS)
		return false;
	enum message_outcome outcome = message_outcome_of((enum message_ending)record->ending);
	return outcome == MESSAGE_REFUSED || outcome == MESSAGE_ABORTED;
}

static void put_word(char *room, size_t size, const struct message_text *text)
{
	if (text->at)
		memcpy(room, text->at, text->len < size ? text->len : size);
}

/* Of a user so many that nobody else's are pushed out by them: a transaction is given up as fast as
 * it is begun. Strangers are one. */
static bool is_kept(struct messages *messages, const struct message_record *record)
{
	struct {
		char user[POLICY_USER_SIZE], zone[POLICY_NAME_SIZE], listener[POLICY_NAME_SIZE];
		char zero;
	} who = {0};
	uint64_t left_out;

	if (!record->user.at)
		return archive_is_within_minute(&messages->archive, MESSAGES_REFUSED_PER_MINUTE);
	put_word(who.user, sizeof(who.user), &record->user);
	put_word(who.zone, sizeof(who.zone), &record->zone);
	put_word(who.listener, sizeof(who.listener), &record->listener);
	uint64_t now_ms = loop_now_ms(messages->archive.loop);
	bool kept = thin_keeps(
		messages->thin, thin_key((unsigned char *)&who, sizeof(who)), now_ms, &left_out);
	if (!kept && (!messages->said_ms || now_ms >= messages->said_ms + SAID_EACH_MS)) {
		messages->said_ms = now_ms;
		log_warning("audit: a user has so many messages refused or given up that not all "
			    "are recorded: posternctl message show");
	}
	return kept;
}

void messages_record(struct messages *messages, const struct message_record *record,
	const uint8_t *bytes, size_t len)
{
	if (record->unrecorded)
		return;
	if (is_idle_talk(record) && !is_kept(messages, record))
		messages->archive.counters[COUNTER_AUDIT_SKIPPED]++;
	else if (messages->archive.config.names_none)
		keep_stripped(messages, record, len);
	else
		keep(messages, record, bytes, len);
}

/* The pages of the file, and those of them that hold nothing. */
static int look_at_pages(struct database *store, struct sqlite3 *db, int64_t v[static 3])
{
	static const char *const sql[] = {
		"PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count"};

	for (int i = 0; i < 3; i++) {
		sqlite3_stmt *statement = database_statement(store, sql[i]);
		if (!statement || sqlite3_step(statement) != SQLITE_ROW)
			return database_error(db);
		v[i] = sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return 0;
}

/* What was dropped leaves room for what comes; more than that goes back to the file system. */
static int vacuum(struct sqlite3 *db, const int64_t pages[static 3], bool *more)
{
	*more = pages[2] > pages[1] / VACUUM_OF;
	return *more ? database_execute(db, "PRAGMA incremental_vacuum(2000)") : 0;
}

static int remove_step(struct database *store, struct sqlite3 *db, struct archive_step *step)
{
	uint64_t oldest_ms = step->oldest_ms;
	int64_t pages[3] = {0};
	bool vacuumed = false;
	int status = look_at_pages(store, db, pages);

	step->used_bytes = (uint64_t)((pages[1] - pages[2]) * pages[0]);
	bool too_big = step->size_bytes && step->used_bytes > step->size_bytes;
	if (status == 0 && oldest_ms) /* an open segment that began before is closed */
		status = message_rows_close(store, db, rows_of(step->archive),
			oldest_ms + step->keep_ms - step->keep_ms / SPAN_OF);
	if (status == 0 && (oldest_ms || too_big))
		status = message_rows_drop(
			store, db, too_big ? UINT64_MAX : oldest_ms, &step->removed);
	if (status == 0 && !step->removed)
		status = vacuum(db, pages, &vacuumed);
	step->more = step->removed || vacuumed;
	return status;
}

/* A question under way. */
struct query {
	struct archive_question question; /* first */
	struct message_filter filter;
};

static int run_query(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	struct query *query = (struct query *)job;
	struct audit_result *result = &query->question.result;

	audit_result_fini(result); /* of a first try */
	return message_query_run(store, db, &query->filter, result);
}

bool messages_query(struct messages *messages, const struct message_filter *filter, audit_row *row,
	audit_done *done, void *context)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return false;
	query->question.job.run = run_query;
	query->filter = *filter;
	archive_ask(&messages->archive, &query->question, row, done, context);
	return true;
}

int messages_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct messages **out)
{
	static const struct archive_kind kind = {.file = "messages.db",
		.what = "records of messages",
		.queue_bytes = QUEUE_BYTES,
		.migrate = migrate,
		.remove = remove_step};
	struct messages *messages = calloc(1, sizeof(*messages));

	if (!messages)
		return -ENOMEM;
	messages->thin = thin_new(IDLE_AT_ONCE, IDLE_EACH_MS);
	int status = messages->thin ? archive_open(&messages->archive, &kind, loop, state_dir,
					      config, counters)
				    : -ENOMEM;
	if (status < 0) {
		thin_free(messages->thin);
		free(messages);
		return status;
	}
	*out = messages;
	return 0;
}

void messages_be_patient(struct messages *messages)
{
	archive_be_patient(&messages->archive);
}

bool messages_settle(struct messages *messages)
{
	return database_settle(messages->archive.store);
}

void messages_close(struct messages *messages)
{
	if (!messages)
		return;
	archive_close(&messages->archive);
	thin_free(messages->thin);
	free(messages);
}

void messages_configure(struct messages *messages, const struct audit_config *config)
{
	archive_configure(&messages->archive, config);
}

int messages_trouble(const struct messages *messages)
{
	return database_trouble(messages->archive.store);
}
