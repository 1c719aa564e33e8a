/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/query.h"

#include "daemon/base/log.h"
#include "daemon/control/audit/archive.h"
#include "daemon/control/audit/row.h"
#include "daemon/control/audit/text.h"
#include "daemon/control/audit/thin.h"
#include "lib/record/flowid.h"
#include "lib/smtp/smtp.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES (16u << 20) /* of records on their way to the disk */
#define PRUNE_ROWS  1000        /* removed at a time */

/* Of one stranger, kind of ending and rule. */
#define STRANGER_AT_ONCE 30
#define STRANGER_EACH_MS 10000
/* Of one client that is logged in, that brought no mail. */
#define IDLE_AT_ONCE 1000
#define IDLE_EACH_MS 1000
#define LEAST_BYTES  64 /* with fewer no mail goes by, in TLS or not */
/* The same where whole packets are counted, of 52 bytes or 72 without text, and a message takes a
 * dozen. */
#define LEAST_KERNEL_BYTES 512

struct audit {
	struct archive archive; /* first */
	uint32_t number;        /* makes keys of one millisecond unique */
	struct thin *thin;      /* strangers' */
	struct thin *idle;
};

static int migrate(struct database *store, struct sqlite3 *db, void *owner)
{
	(void)owner;
	int status = database_execute(db, "PRAGMA cache_size=-2048");
	return status < 0 ? status : audit_row_migrate(store, db);
}

static const char *endpoint_or_null(
	const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE])
{
	return endpoint->addr.family == ADDR_NONE ? NULL : endpoint_format(endpoint, text);
}

/* One record on its way to the disk. */
struct writing {
	struct archive_writing writing; /* first */
	uint64_t key;
	uint32_t len;
	uint8_t record[]; /* packed */
};

/* The clock may have stood where it stands now before: then the next number is tried. */
static int run_write(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct writing *writing = (const struct writing *)job;
	struct ipc_flow record;
	int status = -EEXIST;

	if (ipc_flow_decode(writing->record, writing->len, &record) < 0)
		return -EBADMSG;
	for (unsigned i = 0; status == -EEXIST && i < 16; i++)
		status = audit_row_insert(store, db, &record, writing->key + i * 7919);
	return status;
}

static void log_record(const struct ipc_flow *record)
{
	char line[AUDIT_LINE_SIZE], id[FLOWID_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	char client[ENDPOINT_TEXT_SIZE], original[ENDPOINT_TEXT_SIZE], host[ENDPOINT_TEXT_SIZE];

	if (!log_wants(POLICY_LOG_INFO))
		return;
	log_event(POLICY_LOG_INFO, LOG_ID_FLOW,
		LOG_FIELDS({LOG_FIELD_FLOW, record->id ? flowid_format(record->id, id) : NULL},
			{LOG_FIELD_ENDING, ending_name(record->ending)},
			{LOG_FIELD_VERDICT, audit_text_verdict(record)},
			{LOG_FIELD_REASON, audit_text_reason(record)},
			{LOG_FIELD_USER, record->user}, {LOG_FIELD_ZONE, record->zone},
			{LOG_FIELD_CLIENT, endpoint_or_null(&record->client, client)},
			{LOG_FIELD_MAC,
				mac_is_set(&record->mac) ? mac_format(&record->mac, mac) : NULL},
			{LOG_FIELD_INTERFACE, record->ifname},
			{LOG_FIELD_ORIGINAL, endpoint_or_null(&record->original, original)},
			{LOG_FIELD_RULE, record->rule}, {LOG_FIELD_SERVER, record->server},
			{LOG_FIELD_HOST, endpoint_or_null(&record->host, host)},
			{LOG_FIELD_DETAIL, record->detail}),
		"%s", audit_text_line(record, line));
}

static void write_record(struct audit *audit, const struct ipc_flow *record)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX];
	size_t len = ipc_flow_encode(record, bytes);
	struct writing *writing = calloc(1, sizeof(*writing) + len);

	if (!writing) {
		archive_lost(&audit->archive, -ENOMEM);
		return;
	}
	writing->writing.job.run = run_write;
	writing->key = audit_row_key(record->end_ms, audit->number++);
	writing->len = (uint32_t)len;
	memcpy(writing->record, bytes, len);
	archive_write(&audit->archive, &writing->writing, sizeof(*writing) + len);
}

static void keep(struct audit *audit, const struct ipc_flow *record)
{
	struct ipc_flow stripped;

	if (audit->archive.config.names_none) {
		stripped = *record;
		audit_row_strip(&stripped);
		record = &stripped;
	}
	log_record(record);
	write_record(audit, record);
}

static bool is_within_minute(struct audit *audit)
{
	return archive_is_within_minute(&audit->archive, AUDIT_REFUSED_PER_MINUTE);
}

/* Surely no mail went by it. What its messages met that is read, they have records of their own. */
static bool is_idle(const struct ipc_flow *record)
{
	if (record->messages > 0)
		return false;
	if (record->reason == DECIDE_NEEDS_ENVELOPE)
		return true;
	if (record->path == POLICY_PATH_KERNEL)
		return record->from_client_bytes < LEAST_KERNEL_BYTES;
	if (record->seen & (SMTP_SEEN_STARTTLS | SMTP_SEEN_TLS | SMTP_SEEN_DATA))
		return false;
	return record->seen & (SMTP_SEEN_HELO | SMTP_SEEN_EHLO) ||
	       record->from_client_bytes < LEAST_BYTES;
}

/* Behind what the record says already. */
static void note_left_out(char *detail, size_t size, unsigned long long left_out)
{
	size_t len = strlen(detail);

	if (left_out)
		snprintf(detail + len, size - len, "%s%llu more like this one were not recorded",
			len ? "; " : "", left_out);
}

/* The record says how many like it there are not. */
static void keep_thinned(struct audit *audit, const struct ipc_flow *record)
{
	bool strangers = thin_concerns(record);
	struct thin *thin = strangers ? audit->thin : audit->idle;
	struct ipc_flow told = *record;
	uint64_t left_out;

	if (!thin_keeps(
		    thin, thin_key_of_flow(record), loop_now_ms(audit->archive.loop), &left_out) ||
		(strangers && !is_within_minute(audit))) {
		audit->archive.counters[COUNTER_AUDIT_SKIPPED]++;
		return;
	}
	note_left_out(told.detail, sizeof(told.detail), left_out);
	keep(audit, &told);
}

void audit_record(struct audit *audit, const struct ipc_flow *record)
{
	if (!record->audit)
		return;
	if (thin_concerns(record) || is_idle(record))
		keep_thinned(audit, record);
	else
		keep(audit, record);
}

void audit_refused(struct audit *audit, const struct ipc_flow *record)
{
	if (!record->audit)
		return;
	if (thin_concerns(record))
		keep_thinned(audit, record);
	else if (is_within_minute(audit))
		keep(audit, record);
	else
		audit->archive.counters[COUNTER_AUDIT_SKIPPED]++;
}

/* ---- logins ---- */

struct login_writing {
	struct archive_writing writing; /* first */
	uint64_t key;
	struct login_record login;
};

static int run_write_login(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	const struct login_writing *writing = (const struct login_writing *)job;
	int status = -EEXIST;

	for (unsigned i = 0; status == -EEXIST && i < 16; i++)
		status = login_row_insert(store, db, &writing->login, writing->key + i * 7919);
	return status;
}

static bool keeps_login(
	struct audit *audit, const struct login_record *login, unsigned long long *left_out)
{
	const uint64_t now_ms = loop_now_ms(audit->archive.loop);
	uint64_t alike = 0, all;

	if (login->ending == LOGIN_ENDING_WRONG &&
		!thin_keeps(audit->thin, login_row_key_of_client(login), now_ms, &alike))
		return false;
	if (!thin_keeps(audit->idle, login_row_key_of_zone(login), now_ms, &all))
		return false;
	*left_out = alike + all;
	return true;
}

void audit_login(struct audit *audit, const struct login_record *login)
{
	unsigned long long left_out;

	if (!keeps_login(audit, login, &left_out)) {
		audit->archive.counters[COUNTER_AUDIT_SKIPPED]++;
		return;
	}
	struct login_writing *writing = calloc(1, sizeof(*writing));
	if (!writing) {
		archive_lost(&audit->archive, -ENOMEM);
		return;
	}
	writing->writing.job.run = run_write_login;
	writing->key = audit_row_key(login->at_ms, audit->number++);
	writing->login = *login;
	if (audit->archive.config.names_none)
		login_row_strip(&writing->login);
	note_left_out(writing->login.detail, sizeof(writing->login.detail), left_out);
	archive_write(&audit->archive, &writing->writing, sizeof(*writing));
}

static int64_t pragma(struct sqlite3 *db, struct database *store, const char *sql)
{
	sqlite3_stmt *statement = database_statement(store, sql);
	int64_t value = -1;

	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	(void)db;
	return value;
}

static int remove_rows(
	struct sqlite3 *db, sqlite3_stmt *statement, uint64_t before, uint64_t *removed)
{
	if (!statement)
		return database_error(db);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)before);
	sqlite3_bind_int64(statement, 2, PRUNE_ROWS);
	int status = database_step(statement);
	if (status == 0)
		*removed = (uint64_t)sqlite3_changes(db);
	return status;
}

static int remove_oldest(
	struct database *store, struct sqlite3 *db, uint64_t before, uint64_t *removed)
{
	return remove_rows(db,
		database_statement(store,
			"DELETE FROM record WHERE key IN "
			"(SELECT key FROM record WHERE key < ?1 ORDER BY key LIMIT ?2)"),
		before, removed);
}

/* What clients did that were not logged in: of all there is, it is missed least. */
static int remove_strangers(struct database *store, struct sqlite3 *db, uint64_t *removed)
{
	return remove_rows(db,
		database_statement(store, "DELETE FROM record WHERE key IN "
					  "(SELECT key FROM record WHERE " AUDIT_ROW_STRANGER
					  " AND key < ?1 ORDER BY key LIMIT ?2)"),
		AUDIT_KEY_MAX, removed);
}

static int remove_step(struct database *store, struct sqlite3 *db, struct archive_step *step)
{
	int status = 0;

	if (step->oldest_ms)
		status =
			remove_oldest(store, db, audit_row_key(step->oldest_ms, 0), &step->removed);
	int64_t page_bytes = pragma(db, store, "PRAGMA page_size");
	int64_t used =
		pragma(db, store, "PRAGMA page_count") - pragma(db, store, "PRAGMA freelist_count");
	step->used_bytes = page_bytes > 0 ? (uint64_t)(used * page_bytes) : 0;
	bool too_big = step->size_bytes && step->used_bytes > step->size_bytes;
	if (status == 0 && step->removed == 0 && too_big)
		status = remove_strangers(store, db, &step->removed);
	if (status == 0 && step->removed == 0 && too_big)
		status = remove_oldest(store, db, AUDIT_KEY_MAX, &step->removed);
	if (status == 0 && pragma(db, store, "PRAGMA freelist_count") > 0)
		status = database_execute(db, "PRAGMA incremental_vacuum(2000)");
	step->more = step->removed == PRUNE_ROWS || (step->removed > 0 && too_big) ||
		     pragma(db, store, "PRAGMA freelist_count") > 0;
	return status;
}

/* A question under way. */
struct query {
	struct archive_question question; /* first */
	struct audit_filter filter;
};

static int run_query(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	struct query *query = (struct query *)job;
	struct audit_result *result = &query->question.result;

	audit_result_fini(result); /* of a first try */
	return audit_query_run(store, db, &query->filter, result);
}

uint64_t audit_query(struct audit *audit, const struct audit_filter *filter, audit_row *row,
	audit_done *done, void *context)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return 0;
	query->question.job.run = run_query;
	query->filter = *filter;
	return archive_ask(&audit->archive, &query->question, row, done, context);
}

void audit_cancel(struct audit *audit, uint64_t id)
{
	archive_cancel(&audit->archive, id);
}

int audit_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct audit **out)
{
	static const struct archive_kind kind = {.file = "audit.db",
		.what = "records",
		.queue_bytes = QUEUE_BYTES,
		.migrate = migrate,
		.remove = remove_step};
	struct audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return -ENOMEM;
	audit->thin = thin_new(STRANGER_AT_ONCE, STRANGER_EACH_MS);
	audit->idle = thin_new(IDLE_AT_ONCE, IDLE_EACH_MS);
	int status = audit->thin && audit->idle ? archive_open(&audit->archive, &kind, loop,
							  state_dir, config, counters)
						: -ENOMEM;
	if (status < 0) {
		thin_free(audit->thin);
		thin_free(audit->idle);
		free(audit);
		return status;
	}
	*out = audit;
	return 0;
}

void audit_be_patient(struct audit *audit)
{
	archive_be_patient(&audit->archive);
}

bool audit_settle(struct audit *audit)
{
	return database_settle(audit->archive.store);
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	archive_close(&audit->archive);
	thin_free(audit->thin);
	thin_free(audit->idle);
	free(audit);
}

void audit_configure(struct audit *audit, const struct audit_config *config)
{
	archive_configure(&audit->archive, config);
}

int audit_trouble(const struct audit *audit)
{
	return database_trouble(audit->archive.store);
}
