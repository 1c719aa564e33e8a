#include "daemon/control/audit/messages.h"

#include "daemon/control/audit/loss.h"
#include "daemon/control/audit/message_rows.h"
#include "daemon/control/audit/message_text.h"
#include "daemon/control/store.h"
#include "daemon/log.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES    (32u << 20) /* of records on their way to the disk */
#define LINGER_MS      300
#define MINUTE_MS      60000
#define PRUNE_AGAIN_MS 50
#define SEGMENT_OF     8          /* of the size that there may be */
#define SEGMENT_LEAST  (1u << 20) /* bytes of records */
#define SPAN_OF        32         /* of the time that is kept: what goes later than it should */
#define VACUUM_OF      4          /* of the file that may be empty, for what comes */

struct messages {
	struct loop_timer timer; /* first; once a minute, sooner when there is more to remove */
	struct loop *loop;
	struct store *store;
	struct audit_config config;
	uint64_t *counters;
	struct message_rows rows; /* the thread's */

	struct loss loss;
	uint64_t refused_minute;
	unsigned refused; /* in that minute */

	bool patient;
	bool pruning;
};

/* One record on its way to the disk. */
struct writing {
	struct store_job job; /* first */
	struct messages *messages;
	uint64_t segment_bytes;
	size_t len;
	uint8_t bytes[];
};

static int migrate(struct store *store, struct sqlite3 *db, void *context)
{
	return message_rows_migrate(store, db, context);
}

static int run_write(struct store *store, struct sqlite3 *db, struct store_job *job)
{
	const struct writing *writing = (const struct writing *)job;

	return message_rows_insert(store, db, &writing->messages->rows, writing->bytes,
		writing->len, writing->segment_bytes);
}

static void on_written(struct store_job *job, int status)
{
	struct writing *writing = (struct writing *)job;

	if (status < 0)
		loss_lost(&writing->messages->loss, loop_now_ms(writing->messages->loop), status);
	else
		loss_written(&writing->messages->loss);
	free(writing);
}

static uint64_t segment_bytes(const struct messages *messages)
{
	uint64_t bytes = messages->config.size_bytes / SEGMENT_OF;

	return bytes && bytes < SEGMENT_LEAST ? SEGMENT_LEAST : bytes;
}

/* 0 or -errno. */
static int submit(struct messages *messages, const uint8_t *bytes, size_t len)
{
	struct writing *writing = malloc(sizeof(*writing) + len);

	if (!writing)
		return -ENOMEM;
	writing->job = (struct store_job){.run = run_write,
		.done = on_written,
		.write = true,
		.bytes = sizeof(*writing) + len};
	writing->messages = messages;
	writing->segment_bytes = segment_bytes(messages);
	writing->len = len;
	memcpy(writing->bytes, bytes, len);
	int status = store_submit(messages->store, &writing->job);
	if (status == -ENOBUFS && messages->patient) {
		store_settle(messages->store);
		status = store_submit(messages->store, &writing->job);
	}
	if (status < 0)
		free(writing);
	return status;
}

static void keep(struct messages *messages, const struct message_record *record,
	const uint8_t *bytes, size_t len)
{
	message_text_log(record);
	int status = submit(messages, bytes, len);
	if (status < 0)
		loss_lost(&messages->loss, loop_now_ms(messages->loop), status);
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
		loss_lost(&messages->loss, loop_now_ms(messages->loop), -ENOMEM);
	free(bytes);
}

/* A stranger's, of which nothing came. */
static bool is_idle_talk(const struct message_record *record)
{
	if (record->user.at || record->ending >= MESSAGE_ENDINGS)
		return false;
	enum message_outcome outcome = message_outcome_of((enum message_ending)record->ending);
	return outcome == MESSAGE_REFUSED || outcome == MESSAGE_ABORTED;
}

static bool is_within_minute(struct messages *messages)
{
	uint64_t minute = loop_now_ms(messages->loop) / MINUTE_MS + 1;

	if (messages->refused_minute != minute) {
		messages->refused_minute = minute;
		messages->refused = 0;
	}
	return messages->refused++ < MESSAGES_REFUSED_PER_MINUTE;
}

void messages_record(struct messages *messages, const struct message_record *record,
	const uint8_t *bytes, size_t len)
{
	if (record->unrecorded)
		return;
	if (is_idle_talk(record) && !is_within_minute(messages))
		messages->counters[COUNTER_AUDIT_SKIPPED]++;
	else if (messages->config.names_none)
		keep_stripped(messages, record, len);
	else
		keep(messages, record, bytes, len);
}

/* One step of removing what is too old or too much. */
struct pruning {
	struct store_job job; /* first */
	struct messages *messages;
	uint64_t oldest_ms;  /* what ended before goes; 0: none by age */
	uint64_t close_ms;   /* an open segment that began before is closed; 0: none */
	uint64_t size_bytes; /* 0: any */
	uint64_t used_bytes;
	uint64_t removed;
	bool more;
};

/* The pages of the file, and those of them that hold nothing. */
static int look_at_pages(struct store *store, struct sqlite3 *db, int64_t v[static 3])
{
	static const char *const sql[] = {
		"PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count"};

	for (int i = 0; i < 3; i++) {
		sqlite3_stmt *statement = store_statement(store, sql[i]);
		if (!statement || sqlite3_step(statement) != SQLITE_ROW)
			return store_error(db);
		v[i] = sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return 0;
}

/* What was dropped leaves room for what comes; more than that goes back to the file system. */
static int vacuum(struct sqlite3 *db, const int64_t pages[static 3], bool *more)
{
	*more = pages[2] > pages[1] / VACUUM_OF;
	return *more ? store_execute(db, "PRAGMA incremental_vacuum(2000)") : 0;
}

static int run_prune(struct store *store, struct sqlite3 *db, struct store_job *job)
{
	struct pruning *pruning = (struct pruning *)job;
	struct message_rows *rows = &pruning->messages->rows;
	int64_t pages[3] = {0};
	bool vacuumed = false;
	int status = look_at_pages(store, db, pages);

	pruning->removed = 0;
	pruning->used_bytes = (uint64_t)((pages[1] - pages[2]) * pages[0]);
	bool too_big = pruning->size_bytes && pruning->used_bytes > pruning->size_bytes;
	if (status == 0 && pruning->close_ms)
		status = message_rows_close(store, db, rows, pruning->close_ms);
	if (status == 0 && (pruning->oldest_ms || too_big))
		status = message_rows_drop(
			store, db, too_big ? UINT64_MAX : pruning->oldest_ms, &pruning->removed);
	if (status == 0 && !pruning->removed)
		status = vacuum(db, pages, &vacuumed);
	pruning->more = pruning->removed || vacuumed;
	return status;
}

static void set_timer(struct messages *messages, uint64_t in_ms)
{
	loop_timer_set(messages->loop, &messages->timer, loop_now_ms(messages->loop) + in_ms);
}

static void on_pruned(struct store_job *job, int status)
{
	struct pruning *pruning = (struct pruning *)job;
	struct messages *messages = pruning->messages;

	messages->pruning = false;
	if (status == 0)
		messages->counters[COUNTER_AUDIT_EXPIRED] += pruning->removed;
	if (status == 0 && messages->config.used_bytes)
		*messages->config.used_bytes = pruning->used_bytes;
	if (!messages->patient)
		set_timer(messages, status == 0 && pruning->more ? PRUNE_AGAIN_MS : MINUTE_MS);
	free(pruning);
}

static void prune(struct messages *messages)
{
	struct pruning *pruning = messages->pruning ? NULL : calloc(1, sizeof(*pruning));
	const struct audit_config *config = &messages->config;
	uint64_t now_ms = config->believed_ms ? config->believed_ms(config->context)
					      : loop_wall_ms(messages->loop);
	uint64_t keep_ms = config->keep_s * 1000ull;

	if (!pruning)
		return;
	pruning->job = (struct store_job){.run = run_prune, .done = on_pruned, .write = true};
	pruning->messages = messages;
	pruning->size_bytes = audit_share_bytes(config);
	if (keep_ms && now_ms > keep_ms) {
		pruning->oldest_ms = now_ms - keep_ms;
		pruning->close_ms = now_ms - keep_ms / SPAN_OF;
	}
	messages->pruning = true;
	store_submit(messages->store, &pruning->job);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct messages *messages = (struct messages *)timer; /* its first member */

	(void)now_ms;
	if (!messages->config.keep_s && !messages->config.size_bytes)
		set_timer(messages, MINUTE_MS);
	else
		prune(messages);
}

/* A question under way. */
struct query {
	struct store_job job; /* first */
	struct message_filter filter;
	audit_row *row;
	audit_done *done;
	void *context;
	struct audit_result result;
};

static int run_query(struct store *store, struct sqlite3 *db, struct store_job *job)
{
	struct query *query = (struct query *)job;

	audit_result_fini(&query->result); /* of a first try */
	return message_query_run(store, db, &query->filter, &query->result);
}

static void on_found(struct store_job *job, int status)
{
	struct query *query = (struct query *)job;

	for (size_t i = 0; status == 0 && i < query->result.n; i++)
		query->row(query->context, query->result.v[i].json, query->result.v[i].key);
	query->done(query->context, status, query->result.more);
	audit_result_fini(&query->result);
	free(query);
}

bool messages_query(struct messages *messages, const struct message_filter *filter, audit_row *row,
	audit_done *done, void *context)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return false;
	query->job = (struct store_job){.run = run_query, .done = on_found};
	query->filter = *filter;
	query->row = row;
	query->done = done;
	query->context = context;
	store_submit(messages->store, &query->job);
	return true;
}

int messages_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct messages **out)
{
	struct messages *messages = calloc(1, sizeof(*messages));
	const struct store_options options = {.migrate = migrate,
		.context = messages ? &messages->rows : NULL,
		.queue_bytes = QUEUE_BYTES,
		.linger_ms = LINGER_MS,
		.optional = true};
	char path[4096];

	if (!messages)
		return -ENOMEM;
	messages->loop = loop;
	messages->config = *config;
	messages->counters = counters;
	messages->loss = (struct loss){.what = "records of messages", .counters = counters};
	messages->timer.on_time = on_time;
	snprintf(path, sizeof(path), "%s/messages.db", state_dir);
	int status = store_open(loop, path, &options, &messages->store);
	if (status < 0) {
		free(messages);
		return status;
	}
	set_timer(messages, MINUTE_MS);
	*out = messages;
	return 0;
}

void messages_be_patient(struct messages *messages)
{
	messages->patient = true;
	loop_timer_clear(messages->loop, &messages->timer);
}

bool messages_settle(struct messages *messages)
{
	return store_settle(messages->store);
}

void messages_close(struct messages *messages)
{
	if (!messages)
		return;
	messages_be_patient(messages);
	store_close(messages->store);
	free(messages);
}

void messages_configure(struct messages *messages, const struct audit_config *config)
{
	messages->config = *config;
	if (!messages->pruning)
		set_timer(messages, 0);
}

int messages_trouble(const struct messages *messages)
{
	return store_trouble(messages->store);
}
