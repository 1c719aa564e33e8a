#include "daemon/control/audit.h"

#include "daemon/control/audit/loss.h"
#include "daemon/control/audit_query.h"
#include "daemon/control/audit_row.h"
#include "daemon/control/audit_text.h"
#include "daemon/log.h"
#include "daemon/control/store.h"
#include "daemon/control/thin.h"
#include "lib/flowid.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES    (16u << 20) /* of records on their way to the disk */
#define LINGER_MS      300
#define MINUTE_MS      60000
#define PRUNE_ROWS     1000 /* removed at a time */
#define PRUNE_AGAIN_MS 50

struct audit {
	struct loop_timer timer; /* first; once a minute, sooner when there is more to remove */
	struct loop *loop;
	struct store *store;
	struct audit_config config;
	uint64_t *counters;
	uint32_t number; /* makes keys of one millisecond unique */

	struct loss loss;
	uint64_t refused_minute;
	unsigned refused; /* in that minute */
	struct thin *thin;

	bool patient; /* records are not lost to a slow disk */
	bool pruning;
	struct query *queries;
	uint64_t last_query;
};

static int migrate(struct store *store, struct sqlite3 *db, void *context)
{
	(void)context;
	int status = store_execute(db, "PRAGMA cache_size=-2048");
	return status < 0 ? status : audit_row_migrate(store, db);
}

static const char *endpoint_or_null(
	const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE])
{
	return endpoint->addr.family == ADDR_NONE ? NULL : endpoint_format(endpoint, text);
}

/* One record on its way to the disk. */
struct writing {
	struct store_job job; /* first */
	struct audit *audit;
	uint64_t key;
	uint32_t len;
	uint8_t record[]; /* packed */
};

/* The clock may have stood where it stands now before: then the next number is tried. */
static int run_write(struct store *store, struct sqlite3 *db, struct store_job *job)
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

static void on_written(struct store_job *job, int status)
{
	struct writing *writing = (struct writing *)job;

	if (status < 0)
		loss_lost(&writing->audit->loss, loop_now_ms(writing->audit->loop), status);
	else
		loss_written(&writing->audit->loss);
	free(writing);
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

static int submit(struct audit *audit, const struct ipc_flow *record)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX];
	size_t len = ipc_flow_encode(record, bytes);
	struct writing *writing = malloc(sizeof(*writing) + len);

	if (!writing)
		return -ENOMEM;
	writing->job = (struct store_job){.run = run_write,
		.done = on_written,
		.write = true,
		.bytes = sizeof(*writing) + len};
	writing->audit = audit;
	writing->key = audit_row_key(record->end_ms, audit->number++);
	writing->len = (uint32_t)len;
	memcpy(writing->record, bytes, len);
	int status = store_submit(audit->store, &writing->job);
	if (status == -ENOBUFS && audit->patient) {
		store_settle(audit->store);
		status = store_submit(audit->store, &writing->job);
	}
	if (status < 0)
		free(writing);
	return status;
}

static void keep(struct audit *audit, const struct ipc_flow *record)
{
	struct ipc_flow stripped;

	if (audit->config.names_none) {
		stripped = *record;
		audit_row_strip(&stripped);
		record = &stripped;
	}
	log_record(record);
	int status = submit(audit, record);
	if (status < 0)
		loss_lost(&audit->loss, loop_now_ms(audit->loop), status);
}

static bool is_within_minute(struct audit *audit)
{
	uint64_t minute = loop_now_ms(audit->loop) / MINUTE_MS + 1;

	if (audit->refused_minute != minute) {
		audit->refused_minute = minute;
		audit->refused = 0;
	}
	return audit->refused++ < AUDIT_REFUSED_PER_MINUTE;
}

/* The record says how many like it there are not. */
static void keep_thinned(struct audit *audit, const struct ipc_flow *record)
{
	struct ipc_flow told = *record;
	uint64_t left_out;

	if (!thin_keeps(audit->thin, record, loop_now_ms(audit->loop), &left_out) ||
		!is_within_minute(audit)) {
		audit->counters[COUNTER_AUDIT_SKIPPED]++;
		return;
	}
	if (left_out && !*told.detail)
		snprintf(told.detail, sizeof(told.detail),
			"%llu more like this one were not recorded", (unsigned long long)left_out);
	keep(audit, &told);
}

void audit_record(struct audit *audit, const struct ipc_flow *record)
{
	if (!record->audit)
		return;
	if (thin_concerns(record))
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
		audit->counters[COUNTER_AUDIT_SKIPPED]++;
}

/* One step of removing what is too old or too much. */
struct pruning {
	struct store_job job; /* first */
	struct audit *audit;
	uint64_t oldest_key; /* older ones go; 0: none by age */
	uint64_t size_bytes; /* 0: any */
	uint64_t used_bytes;
	uint64_t removed;
	bool more;
};

uint64_t audit_share_bytes(const struct audit_config *config)
{
	uint64_t half = config->size_bytes / 2;
	uint64_t beside = config->beside_bytes ? *config->beside_bytes : 0;

	return config->size_bytes - (beside < half ? beside : half);
}

static int64_t pragma(struct sqlite3 *db, struct store *store, const char *sql)
{
	sqlite3_stmt *statement = store_statement(store, sql);
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
		return store_error(db);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)before);
	sqlite3_bind_int64(statement, 2, PRUNE_ROWS);
	int status = store_step(statement);
	if (status == 0)
		*removed = (uint64_t)sqlite3_changes(db);
	return status;
}

static int remove_oldest(
	struct store *store, struct sqlite3 *db, uint64_t before, uint64_t *removed)
{
	return remove_rows(db,
		store_statement(store,
			"DELETE FROM record WHERE key IN "
			"(SELECT key FROM record WHERE key < ?1 ORDER BY key LIMIT ?2)"),
		before, removed);
}

/* What clients did that were not logged in: of all there is, it is missed least. */
static int remove_strangers(struct store *store, struct sqlite3 *db, uint64_t *removed)
{
	return remove_rows(db,
		store_statement(store, "DELETE FROM record WHERE key IN "
				       "(SELECT key FROM record WHERE " AUDIT_ROW_STRANGER
				       " AND key < ?1 ORDER BY key LIMIT ?2)"),
		AUDIT_KEY_MAX, removed);
}

static int run_prune(struct store *store, struct sqlite3 *db, struct store_job *job)
{
	struct pruning *pruning = (struct pruning *)job;
	int status = 0;

	pruning->removed = 0;
	if (pruning->oldest_key)
		status = remove_oldest(store, db, pruning->oldest_key, &pruning->removed);
	int64_t page_bytes = pragma(db, store, "PRAGMA page_size");
	int64_t used =
		pragma(db, store, "PRAGMA page_count") - pragma(db, store, "PRAGMA freelist_count");
	pruning->used_bytes = page_bytes > 0 ? (uint64_t)(used * page_bytes) : 0;
	bool too_big = pruning->size_bytes && pruning->used_bytes > pruning->size_bytes;
	if (status == 0 && pruning->removed == 0 && too_big)
		status = remove_strangers(store, db, &pruning->removed);
	if (status == 0 && pruning->removed == 0 && too_big)
		status = remove_oldest(store, db, AUDIT_KEY_MAX, &pruning->removed);
	if (status == 0 && pragma(db, store, "PRAGMA freelist_count") > 0)
		status = store_execute(db, "PRAGMA incremental_vacuum(2000)");
	pruning->more = pruning->removed == PRUNE_ROWS || (pruning->removed > 0 && too_big) ||
			pragma(db, store, "PRAGMA freelist_count") > 0;
	return status;
}

static void set_timer(struct audit *audit, uint64_t in_ms)
{
	loop_timer_set(audit->loop, &audit->timer, loop_now_ms(audit->loop) + in_ms);
}

static void on_pruned(struct store_job *job, int status)
{
	struct pruning *pruning = (struct pruning *)job;
	struct audit *audit = pruning->audit;

	audit->pruning = false;
	if (status == 0)
		audit->counters[COUNTER_AUDIT_EXPIRED] += pruning->removed;
	if (status == 0 && audit->config.used_bytes)
		*audit->config.used_bytes = pruning->used_bytes;
	if (!audit->patient)
		set_timer(audit, status == 0 && pruning->more ? PRUNE_AGAIN_MS : MINUTE_MS);
	free(pruning);
}

static void prune(struct audit *audit)
{
	struct pruning *pruning = audit->pruning ? NULL : calloc(1, sizeof(*pruning));
	const struct audit_config *config = &audit->config;
	uint64_t now_ms = config->believed_ms ? config->believed_ms(config->context)
					      : loop_wall_ms(audit->loop);
	uint64_t keep_ms = config->keep_s * 1000ull;

	if (!pruning)
		return;
	pruning->job = (struct store_job){.run = run_prune, .done = on_pruned, .write = true};
	pruning->audit = audit;
	pruning->size_bytes = audit_share_bytes(config);
	if (keep_ms && now_ms > keep_ms)
		pruning->oldest_key = audit_row_key(now_ms - keep_ms, 0);
	audit->pruning = true;
	store_submit(audit->store, &pruning->job);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct audit *audit = (struct audit *)timer; /* its first member */

	(void)now_ms;
	if (!audit->config.keep_s && !audit->config.size_bytes)
		set_timer(audit, MINUTE_MS);
	else
		prune(audit);
}

/* A question under way. */
struct query {
	struct store_job job; /* first */
	struct query *next;
	struct audit *audit;
	uint64_t id;
	struct audit_filter filter;
	audit_row *row;
	audit_done *done; /* NULL: cancelled */
	void *context;
	struct audit_result result;
};

static int run_query(struct store *store, struct sqlite3 *db, struct store_job *job)
{
	struct query *query = (struct query *)job;

	audit_result_fini(&query->result); /* of a first try */
	return audit_query_run(store, db, &query->filter, &query->result);
}

static void on_found(struct store_job *job, int status)
{
	struct query *query = (struct query *)job, **at = &query->audit->queries;

	/* the reader of a row may cancel, so done is looked at each time */
	for (size_t i = 0; status == 0 && query->done && i < query->result.n; i++)
		query->row(query->context, query->result.v[i].json, query->result.v[i].key);
	if (query->done)
		query->done(query->context, status, query->result.more);
	while (*at != query)
		at = &(*at)->next;
	*at = query->next;
	audit_result_fini(&query->result);
	free(query);
}

uint64_t audit_query(struct audit *audit, const struct audit_filter *filter, audit_row *row,
	audit_done *done, void *context)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return 0;
	query->job = (struct store_job){.run = run_query, .done = on_found};
	query->audit = audit;
	query->id = ++audit->last_query;
	query->filter = *filter;
	query->row = row;
	query->done = done;
	query->context = context;
	query->next = audit->queries;
	audit->queries = query;
	store_submit(audit->store, &query->job);
	return query->id;
}

void audit_cancel(struct audit *audit, uint64_t id)
{
	for (struct query *query = audit->queries; query; query = query->next)
		if (query->id == id)
			query->done = NULL;
}

int audit_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct audit **out)
{
	const struct store_options options = {.migrate = migrate,
		.queue_bytes = QUEUE_BYTES,
		.linger_ms = LINGER_MS,
		.optional = true};
	struct audit *audit = calloc(1, sizeof(*audit));
	char path[4096];

	if (!audit)
		return -ENOMEM;
	audit->loop = loop;
	audit->config = *config;
	audit->counters = counters;
	audit->loss = (struct loss){.what = "records", .counters = counters};
	audit->timer.on_time = on_time;
	snprintf(path, sizeof(path), "%s/audit.db", state_dir);
	audit->thin = thin_new();
	int status = audit->thin ? store_open(loop, path, &options, &audit->store) : -ENOMEM;
	if (status < 0) {
		thin_free(audit->thin);
		free(audit);
		return status;
	}
	set_timer(audit, MINUTE_MS);
	*out = audit;
	return 0;
}

void audit_be_patient(struct audit *audit)
{
	audit->patient = true;
	loop_timer_clear(audit->loop, &audit->timer);
}

bool audit_settle(struct audit *audit)
{
	return store_settle(audit->store);
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	audit_be_patient(audit);
	store_close(audit->store);
	thin_free(audit->thin);
	free(audit);
}

void audit_configure(struct audit *audit, const struct audit_config *config)
{
	audit->config = *config;
	if (!audit->pruning)
		set_timer(audit, 0);
}

int audit_trouble(const struct audit *audit)
{
	return store_trouble(audit->store);
}
