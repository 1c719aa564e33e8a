/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/message/messages.h"
#include "daemon/base/log.h"
#include "daemon/control/audit/message/message_rows.h"
#include "daemon/control/audit/message/message_text.h"
#include "test/lib/control_answer.h"
#include "test/lib/control_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW       1780308000000u
#define BYTES_MAX 8192

struct stage {
	struct loop *loop;
	struct messages *messages;
	struct audit_config config;
	uint64_t counters[COUNTERS];
	uint64_t used_bytes, now_ms;
	char folder[FOLDER_SIZE], path[96];
	struct answer answer; /* to the last query */
};

static uint64_t now_of(void *context)
{
	return ((struct stage *)context)->now_ms;
}

static void open_messages(struct stage *stage)
{
	assert_int_equal(messages_open(stage->loop, stage->folder, &stage->config, stage->counters,
				 &stage->messages),
		0);
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->loop = stage->answer.loop = loop_new();
	stage->now_ms = NOW;
	stage->config = (struct audit_config){
		.believed_ms = now_of, .context = stage, .used_bytes = &stage->used_bytes};
	assert_int_equal(folder_make(stage->folder), 0);
	snprintf(stage->path, sizeof(stage->path), "%s/messages.db", stage->folder);
	open_messages(stage);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	messages_close(stage->messages);
	loop_free(stage->loop);
	json_decref(stage->answer.rows);
	assert_int_equal(folder_remove(stage->folder), 0);
	free(stage);
	return 0;
}

/* ---- records ---- */

static struct message_text text(const char *words)
{
	return (struct message_text){words, strlen(words)};
}

static struct message_record message(uint64_t flow, uint32_t number, uint64_t end_ms)
{
	struct message_record record = {.flow = flow,
		.number = number,
		.ending = MESSAGE_DELIVERED,
		.source = MESSAGE_SOURCE_SESSION,
		.session = 7,
		.start_ms = end_ms - 1500,
		.end_ms = end_ms,
		.size_bytes = 4096,
		.client = {.port = 40000},
		.host = {.port = 25},
		.mac = {{2, 0, 0x5e, 0, 0x53, 7}},
		.user = text("ann"),
		.zone = text("guest"),
		.helo = text("laptop"),
		.sender = text("ann@hotel.example"),
		.server = text("relay"),
		.reply = text("250 2.0.0 Ok: queued as 4XyZ"),
		.queue_id = text("4XyZ"),
		.message_id = text("1@laptop.example")};

	assert_int_equal(addr_parse("192.0.2.7", 9, &record.client.addr), 0);
	assert_int_equal(addr_parse("2001:db8::25", 12, &record.host.addr), 0);
	return record;
}

static struct message_recipient recipient(const char *address)
{
	return (struct message_recipient){.address = text(address),
		.rule = text("guests"),
		.reply = text("250 2.1.5 Ok"),
		.by = MESSAGE_BY_SERVER,
		.verdict = POLICY_VERDICT_REDIRECT};
}

static void add_to(struct stage *stage, const struct message_record *record,
	const struct message_recipient *recipients, size_t n)
{
	static uint8_t bytes[MESSAGE_RECORD_BYTES_MAX];
	struct message_record told;
	size_t len = message_record_encode(record, recipients, n, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_int_equal(message_record_decode(bytes, len, &told), 0);
	messages_record(stage->messages, &told, bytes, len);
}

static void add(struct stage *stage, struct message_record record, const char *to)
{
	const struct message_recipient one = recipient(to);

	add_to(stage, &record, &one, 1);
}

/* ---- questions ---- */

static size_t ask(struct stage *stage, const struct message_filter *filter)
{
	struct answer *answer = &stage->answer;

	answer_init(answer);
	assert_true(messages_query(stage->messages, filter, answer_on_row, answer_on_done, answer));
	answer_await(answer);
	assert_int_equal(answer->status, 0);
	return answer->n;
}

static const char *word_of(const struct stage *stage, size_t row, const char *field)
{
	return answer_text(&stage->answer, row, field);
}

static struct message_wanted wanted(const char *words)
{
	struct message_wanted out = {0};

	assert_true(message_wanted_set(&out, words, strlen(words)));
	return out;
}

/* What many rows end with: they come after those before. */
static int64_t number_in(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *row;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	int code = sqlite3_step(row);
	int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(row, 0) : -1;
	sqlite3_finalize(row);
	sqlite3_close(db);
	return number;
}

/* ---- cases ---- */

static void a_message_in_full(void **state)
{
	struct stage *stage = *state;
	struct message_record record = message(0x1234, 2, NOW);
	const struct message_recipient recipients[] = {
		recipient("bob@example.org"),
		{.address = text("eve@example.org"),
			.rule = text("block"),
			.reply = text("550 5.7.1 no"),
			.by = MESSAGE_BY_RULE,
			.verdict = POLICY_VERDICT_ANSWER},
	};
	struct message_filter filter = {.flow = 0x1234, .number = 2, .whole = true};

	record.client_tls = (struct message_tls){.version = text("TLSv1.3"),
		.cipher = text("TLS_AES_256_GCM_SHA384"),
		.peer = text("mta.example"),
		.check = text("expired")};
	record.client_sni = text("mx.internet.example");
	add_to(stage, &record, recipients, 2);
	assert_int_equal(ask(stage, &filter), 1);
	char *got = json_dumps(json_array_get(stage->answer.rows, 0), JSON_COMPACT);
	assert_string_equal(got,
		"{\"message\":\"f-4hm.2\",\"ended_at\":1780308000,\"ending\":\"delivered\","
		"\"user\":\"ann\",\"zone\":\"guest\",\"client\":\"192.0.2.7:40000\","
		"\"sender\":\"ann@hotel.example\",\"recipient\":\"bob@example.org\","
		"\"recipients\":2,\"size_bytes\":4096,\"server\":\"relay\","
		"\"queue_id\":\"4XyZ\",\"reply\":\"250 2.0.0 Ok: queued as 4XyZ\","
		"\"flow\":\"f-4hm\",\"started_at\":1780307998,\"lasted_ms\":1500,"
		"\"login\":\"session\",\"session\":\"7\",\"mac\":\"02:00:5e:00:53:07\","
		"\"listener\":null,\"helo\":\"laptop\",\"client_tls\":{\"version\":\"TLSv1.3\","
		"\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"peer\":\"mta.example\","
		"\"check\":\"expired\",\"sni\":\"mx.internet.example\"},\"tls_invalid_client_"
		"certificate\":\"expired\","
		"\"sender_sent\":null,\"host\":\"[2001:db8::25]:25\",\"gateway\":null,"
		"\"server_tls\":null,"
		"\"message_id\":\"1@laptop.example\",\"scan\":null,\"detail\":null,"
		"\"decisions\":[{\"by\":\"server\",\"rule\":\"guests\",\"verdict\":\"redirect\","
		"\"direction\":null,"
		"\"recipient\":\"bob@example.org\",\"reply\":\"250 2.1.5 Ok\"},"
		"{\"by\":\"rule\",\"rule\":\"block\",\"verdict\":\"answer\",\"direction\":null,"
		"\"recipient\":\"eve@example.org\",\"reply\":\"550 5.7.1 no\"}],\"left_out\":0}");
	free(got);
}

static void it_is_found_by_each_of_its_words(void **state)
{
	struct stage *stage = *state;
	const struct message_recipient recipients[] = {
		recipient("Bob@Example.org"), recipient("carol@example.org")};
	struct message_record record = message(9, 1, NOW);
	const struct {
		const char *why;
		struct message_filter filter;
		bool found;
	} cases[] = {
		{"all", {.flow = 0}, true},
		{"its flow", {.flow = 9}, true},
		{"its id", {.flow = 9, .number = 1}, true},
		{"another of its flow", {.flow = 9, .number = 2}, false},
		{"another flow", {.flow = 1}, false},
		{"its user", {.user = wanted("ann")}, true},
		{"a user of another case", {.user = wanted("Ann")}, false},
		{"a user with more", {.user = wanted("anna")}, false},
		{"its sender", {.sender = wanted("ann@hotel.example")}, true},
		{"its sender in capitals", {.sender = wanted("ANN@HOTEL.EXAMPLE")}, true},
		{"its sender as recipient", {.recipient = wanted("ann@hotel.example")}, false},
		{"its first recipient", {.recipient = wanted("bob@example.org")}, true},
		{"its last recipient", {.recipient = wanted("CAROL@example.org")}, true},
		{"a recipient as sender", {.sender = wanted("bob@example.org")}, false},
		{"the sender <>", {.sender = wanted("")}, false},
		{"its queue id", {.queue_id = wanted("4XyZ")}, true},
		{"a queue id of another case", {.queue_id = wanted("4xyz")}, false},
		{"its Message-ID", {.message_id = wanted("1@laptop.example")}, true},
		{"its ending", {.ending = 1 + MESSAGE_DELIVERED}, true},
		{"another ending", {.ending = 1 + MESSAGE_REFUSED_LOOP}, false},
		{"since its end", {.since_ms = NOW}, true},
		{"since later", {.since_ms = NOW + 1}, false},
		{"until later", {.until_ms = NOW + 1}, true},
		{"until its end", {.until_ms = NOW}, false},
		{"all at once",
			{.flow = 9,
				.user = wanted("ann"),
				.sender = wanted("ann@hotel.example"),
				.recipient = wanted("carol@example.org"),
				.queue_id = wanted("4XyZ"),
				.message_id = wanted("1@laptop.example"),
				.since_ms = NOW},
			true},
		{"all but one",
			{.flow = 9,
				.user = wanted("ann"),
				.sender = wanted("bob@hotel.example"),
				.queue_id = wanted("4XyZ")},
			false},
	};

	add_to(stage, &record, recipients, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (ask(stage, &cases[i].filter) != cases[i].found)
			fail_msg("by %s", cases[i].why);
	for (uint16_t ending = 0; ending < MESSAGE_ENDINGS; ending++) {
		struct message_record other = message(10 + ending, 1, NOW);
		other.ending = ending;
		add_to(stage, &other, recipients, 1);
	}
	for (uint16_t ending = 0; ending < MESSAGE_ENDINGS; ending++) {
		struct message_filter filter = {
			.ending = 1 + ending, .user = wanted("ann"), .limit = 9};
		assert_int_equal(ask(stage, &filter), 1 + (ending == MESSAGE_DELIVERED));
		filter.flow = 10 + ending;
		assert_int_equal(ask(stage, &filter), 1);
		filter.flow = 10 + (ending + 1) % MESSAGE_ENDINGS;
		assert_int_equal(ask(stage, &filter), 0);
	}
	/* a bounce has the sender <>, which is no absent one */
	struct message_filter bounces = {.sender = wanted("")};
	record.sender = text("");
	add_to(stage, &record, recipients, 1);
	record.sender = (struct message_text){0};
	add_to(stage, &record, recipients, 1);
	assert_int_equal(ask(stage, &bounces), 1);
	assert_string_equal(word_of(stage, 0, "sender"), "<>");
}

/* Large ones, so that a few hundred make a segment of the smallest size. */
static void add_large(struct stage *stage, uint32_t number, uint64_t end_ms)
{
	char filling[MESSAGE_TEXT_MAX], to[32];
	struct message_record record = message(5, number, end_ms);

	memset(filling, 'x', sizeof(filling));
	record.detail = record.helo = record.scan = (struct message_text){filling, sizeof(filling)};
	snprintf(to, sizeof(to), "%s@example.org", number % 10 ? "many" : "few");
	add(stage, record, to);
}

static void bound(struct stage *stage, uint64_t size_bytes)
{
	stage->config.size_bytes = size_bytes;
	messages_configure(stage->messages, &stage->config);
}

/* Reads all pages: each number once, from the newest on. */
static void read_pages(struct stage *stage, struct message_filter filter, uint32_t newest,
	uint32_t step, uint32_t n)
{
	char name[MESSAGE_NAME_SIZE];
	uint32_t seen = 0;

	do {
		ask(stage, &filter);
		for (size_t i = 0; i < stage->answer.n; i++, seen++)
			assert_string_equal(word_of(stage, i, "message"),
				message_name_format(5, newest - seen * step, name));
		assert_true(stage->answer.n > 0);
		assert_int_equal(stage->answer.more, seen < n);
		filter.before = stage->answer.keys[stage->answer.n - 1];
	} while (stage->answer.more);
	assert_int_equal(seen, n);
}

static void newest_first_over_segments(void **state)
{
	enum { N = 3000 };
	struct stage *stage = *state;
	struct message_filter filter = {.limit = 70};

	bound(stage, 1 << 30 >> 3);
	stage->config.size_bytes = 8 << 20; /* the next records' segments, not yet what goes */
	messages_close(stage->messages);
	open_messages(stage);
	for (uint32_t i = 1; i <= N; i++) /* the clock goes back now and then */
		add_large(stage, i, NOW + i * 1000 - (i % 500 == 0 ? 400000 : 0));
	read_pages(stage, filter, N, 1, N);
	assert_in_range(number_in(stage->path, "SELECT count(*) FROM segment"), 3, 20);
	filter.recipient = wanted("few@example.org");
	read_pages(stage, filter, N, 10, N / 10);
	filter.user = wanted("ann");
	filter.sender = wanted("ann@hotel.example");
	read_pages(stage, filter, N, 10, N / 10);
	/* and they are the same after a start anew, with more behind them */
	messages_close(stage->messages);
	open_messages(stage);
	add_large(stage, N + 1, NOW);
	filter = (struct message_filter){.limit = 70};
	read_pages(stage, filter, N + 1, 1, N + 1);
	/* a time in the middle */
	filter = (struct message_filter){
		.since_ms = NOW + 1001000, .until_ms = NOW + 1011000, .limit = 100};
	assert_int_equal(ask(stage, &filter), 10);
	assert_string_equal(word_of(stage, 0, "message"), "f-5.1010");
}

static void one_of_many_rows_or_words_closes_a_segment(void **state)
{
	struct stage *stage = *state;
	struct message_recipient *many = calloc(1000, sizeof(*many));
	struct message_record record = message(5, 1, NOW);
	char(*to)[32] = calloc(1000, sizeof(*to));
	struct message_filter filter = {.limit = 1};

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(to[i], sizeof(to[i]), "guest%u@example.org", i);
		many[i] = recipient(to[i]);
	}
	for (record.number = 1; record.number <= 160; record.number++)
		add_to(stage, &record, many, 1000);
	filter.recipient = wanted("guest999@example.org");
	assert_int_equal(ask(stage, &filter), 1);
	assert_true(stage->answer.more);
	assert_int_equal(number_in(stage->path, "SELECT count(*) FROM segment"), 1);
	assert_in_range(number_in(stage->path, "SELECT nrows FROM segment"), 140, 155);
	free(to);
	free(many);
}

static bool database_holds(const struct stage *stage, const char *word)
{
	static const char *const suffixes[] = {"", "-wal"};
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s%s", stage->path, suffixes[i]);
		FILE *file = fopen(path, "rb");
		static char bytes[4 << 20];
		size_t len = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
		if (file)
			fclose(file);
		found = found || memmem(bytes, len, word, strlen(word));
	}
	return found;
}

static void with_names_none_nobody_is_kept(void **state)
{
	static const char *const persons[] = {"ann", "bob", "laptop", "no such", "hotel"};
	struct stage *stage = *state;
	struct message_record record = message(5, 1, NOW);
	struct message_recipient one = recipient("bob@example.org");
	struct message_filter filter = {.whole = true};

	one.reply = text("550 no such mailbox bob");
	stage->config.names_none = true;
	messages_configure(stage->messages, &stage->config);
	add_to(stage, &record, &one, 1);
	assert_int_equal(ask(stage, &filter), 1);
	char *got = json_dumps(stage->answer.rows, 0);
	for (size_t i = 0; i < sizeof(persons) / sizeof(*persons); i++) {
		if (strstr(got, persons[i]) || database_holds(stage, persons[i]))
			fail_msg("%s: %s", persons[i], got);
	}
	assert_true(database_holds(stage, "4XyZ"));
	assert_string_equal(word_of(stage, 0, "client"), "null");
	assert_string_equal(word_of(stage, 0, "mac"), "null");
	assert_string_equal(word_of(stage, 0, "queue_id"), "4XyZ");
	free(got);
	/* and nothing that was left out can be asked for */
	filter.user = wanted("ann");
	assert_int_equal(ask(stage, &filter), 0);
}

static void hostile_bytes_stay_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *json;
	} texts[] = {
		{"a\r\nb@x", 6, "a\r\nb@x"},
		{"\x1b[2Ja@x", 7, "\x1b[2Ja@x"},
		{"\xff\xfe@x", 4, "\\xff\\xfe@x"},
		{"a\0b@x", 5, "a\\x00b@x"},
		{"\"a\\b\"@x", 7, "\"a\\b\"@x"},
		{"j\xc3\xb6rg@x", 7, "j\xc3\xb6rg@x"},
		{"\xed\xa0\x80@x", 5, "\\xed\\xa0\\x80@x"},
		{"'; DROP TABLE message; --", 25, "'; DROP TABLE message; --"},
		{"%s%n%s", 6, "%s%n%s"},
	};
	struct stage *stage = *state;

	for (uint32_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct message_text hostile = {texts[i].bytes, texts[i].len};
		struct message_record record = message(5, i + 1, NOW);
		struct message_recipient one = recipient("x");
		struct message_filter filter = {.whole = true};
		record.sender = record.message_id = record.helo = hostile;
		record.reply = record.queue_id = hostile;
		one.address = one.reply = hostile;
		add_to(stage, &record, &one, 1);
		assert_true(message_wanted_set(&filter.sender, texts[i].bytes, texts[i].len));
		filter.recipient = filter.message_id = filter.sender;
		assert_int_equal(ask(stage, &filter), 1);
		assert_string_equal(word_of(stage, 0, "sender"), texts[i].json);
		assert_string_equal(word_of(stage, 0, "message_id"), texts[i].json);
		assert_string_equal(word_of(stage, 0, "recipient"), texts[i].json);
	}
}

/* What a line of the log says, as the sink has it. */
static size_t logged(const struct message_record *record, const struct message_recipient *one,
	char *line, size_t size)
{
	int ends[2], real = dup(STDERR_FILENO);
	uint8_t bytes[BYTES_MAX];
	struct message_record told;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	size_t len = message_record_encode(record, one, 1, bytes, sizeof(bytes));
	assert_int_equal(message_record_decode(bytes, len, &told), 0);
	dup2(ends[1], STDERR_FILENO);
	log_init("test", true, POLICY_LOG_INFO);
	message_text_log(&told);
	log_flush();
	dup2(real, STDERR_FILENO);
	log_init("test", true, POLICY_LOG_ERROR);
	close(ends[1]);
	close(real);
	ssize_t n = read(ends[0], line, size - 1);
	close(ends[0]);
	line[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void the_line_of_the_log(void **state)
{
	struct message_record record = message(0x1234, 2, NOW);
	struct message_recipient one = recipient("bob@example.org");
	char line[8192], filling[MESSAGE_TEXT_MAX];

	(void)state;
	record.helo = (struct message_text){0};
	logged(&record, &one, line, sizeof(line));
	assert_string_equal(line,
		"posternd: test: message=f-4hm.2 ending=delivered user=ann zone=guest "
		"client=192.0.2.7:40000 mac=02:00:5e:00:53:07 sender=ann@hotel.example "
		"recipients=1 recipient=bob@example.org size_bytes=4096 server=relay "
		"host=[2001:db8::25]:25 queue_id=4XyZ message_id=1@laptop.example "
		"reply=\"250 2.0.0 Ok: queued as 4XyZ\"\n");
	/* one line and nothing that acts on a terminal, whatever a stranger called himself */
	record.sender = text("x ending=delivered user=root\nposternd: test: message=f-1.1 \x1b[2J");
	one.address = text("y\" server=mine \\\xe2\x80\xae");
	record.message_id = (struct message_text){"\0\x01\xff", 3};
	size_t n = logged(&record, &one, line, sizeof(line));
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	assert_null(strchr(line, '\x1b'));
	assert_null(strstr(line, "\xe2\x80\xae"));
	assert_non_null(strstr(line, "sender=\"x ending=delivered user=root?posternd"));
	assert_non_null(strstr(line, "recipient=\"y\\\" server=mine \\\\"));
	assert_non_null(strstr(line, "message_id=???"));
	/* nothing is too long for a line */
	memset(filling, '"', sizeof(filling));
	record.sender = record.message_id = record.reply = record.detail = one.address =
		(struct message_text){filling, sizeof(filling)};
	n = logged(&record, &one, line, sizeof(line));
	assert_in_range(n, 1000, 2100);
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
}

/* The index has hashes: what stands there wrongly is not shown. */
static void a_word_is_checked_in_the_record(void **state)
{
	struct stage *stage = *state;
	struct message_filter filter = {.user = wanted("bob")};
	char sql[128];

	add(stage, message(5, 1, NOW), "x@example.org");
	assert_int_equal(ask(stage, &filter), 0);
	snprintf(sql, sizeof(sql), "INSERT INTO word SELECT %lld, key FROM message",
		(long long)message_word_hash(MESSAGE_WORD_USER, "bob", 3));
	number_in(stage->path, sql);
	assert_int_equal(number_in(stage->path, "SELECT count(*) FROM word"), 7);
	assert_int_equal(ask(stage, &filter), 0);
}

/* The hashes stand on the disk of who runs this already. */
static void hashes_are_for_ever(void **state)
{
	(void)state;
	assert_int_equal(message_word_hash(MESSAGE_WORD_USER, "", 0), (int64_t)0xaf63bc4c8601b62c);
	assert_int_equal(message_word_hash(MESSAGE_WORD_SENDER, "Ann@X.example", 13),
		message_word_hash(MESSAGE_WORD_SENDER, "ann@x.EXAMPLE", 13));
	assert_int_not_equal(message_word_hash(MESSAGE_WORD_USER, "Ann", 3),
		message_word_hash(MESSAGE_WORD_USER, "ann", 3));
	assert_int_not_equal(message_word_hash(MESSAGE_WORD_SENDER, "ann", 3),
		message_word_hash(MESSAGE_WORD_RECIPIENT, "ann", 3));
}

static void a_bad_one_fails_no_other(void **state)
{
	struct stage *stage = *state;
	struct message_filter filter = {.limit = 1000};
	struct message_record record = message(5, 999, NOW);

	for (uint32_t i = 1; i <= 50; i++) {
		add(stage, message(5, i, NOW + i), "x@example.org");
		if (i % 20 == 0) /* it undoes the transaction that it shares with the others */
			messages_record(stage->messages, &record, (const uint8_t *)"\xff", 1);
	}
	messages_settle(stage->messages);
	read_pages(stage, filter, 50, 1, 50);
	assert_int_equal(stage->counters[COUNTER_AUDIT_WRITTEN], 50);
	assert_int_equal(stage->counters[COUNTER_AUDIT_LOST], 2);
}

static void strangers_refused_are_bounded(void **state)
{
	struct stage *stage = *state;
	struct message_record refused = message(5, 1, NOW), stored = refused, user = refused,
			      unrecorded = refused;

	refused.user = stored.user = (struct message_text){0};
	refused.ending = user.ending = MESSAGE_REFUSED_RULE;
	unrecorded.unrecorded = 1;
	for (unsigned i = 0; i < MESSAGES_REFUSED_PER_MINUTE + 50; i++)
		add(stage, refused, "x@example.org");
	messages_settle(stage->messages);
	assert_in_range(stage->counters[COUNTER_AUDIT_SKIPPED], 1, 50);
	assert_int_equal(
		stage->counters[COUNTER_AUDIT_WRITTEN] + stage->counters[COUNTER_AUDIT_SKIPPED],
		MESSAGES_REFUSED_PER_MINUTE + 50);
	uint64_t before = stage->counters[COUNTER_AUDIT_WRITTEN];
	add(stage, stored, "x@example.org");
	add(stage, user, "x@example.org");
	add(stage, unrecorded, "x@example.org");
	messages_settle(stage->messages);
	assert_int_equal(stage->counters[COUNTER_AUDIT_WRITTEN], before + 2);
}

/* Who gives up as fast as he begins does not push others' out. */
static void a_user_that_comes_to_nothing_is_bounded(void **state)
{
	struct stage *stage = *state;
	struct message_record refused = message(5, 1, NOW), stored = refused, other;
	const unsigned flood = 3000;

	refused.ending = MESSAGE_REFUSED_RULE;
	other = refused;
	other.user = (struct message_text){"zoe", 3};
	for (unsigned i = 0; i < flood; i++)
		add(stage, refused, "x@example.org");
	messages_settle(stage->messages);
	/* as many as a slow machine's seconds are in it */
	assert_in_range(stage->counters[COUNTER_AUDIT_WRITTEN], 1000, 1100);
	assert_int_equal(
		stage->counters[COUNTER_AUDIT_WRITTEN] + stage->counters[COUNTER_AUDIT_SKIPPED],
		flood);
	uint64_t before = stage->counters[COUNTER_AUDIT_WRITTEN];
	add(stage, stored, "x@example.org");
	add(stage, other, "x@example.org");
	messages_settle(stage->messages);
	assert_int_equal(stage->counters[COUNTER_AUDIT_WRITTEN], before + 2);
}

static void stop(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	struct loop *const *loop = (void *)(timer + 1);
	loop_stop(*loop);
}

/* Lets the loop run for a moment. */
static void pass_time(struct stage *stage)
{
	struct {
		struct loop_timer timer;
		struct loop *loop;
	} end = {{.on_time = stop}, stage->loop};

	loop_timer_set(stage->loop, &end.timer, loop_now_ms(stage->loop) + 5);
	assert_int_equal(loop_run(stage->loop), 0);
	loop_timer_clear(stage->loop, &end.timer);
}

static void wait_until_rows(struct stage *stage, int64_t below)
{
	for (unsigned i = 0; i < 4000; i++) {
		if ((int64_t)(stage->counters[COUNTER_AUDIT_WRITTEN] -
			      stage->counters[COUNTER_AUDIT_EXPIRED]) < below)
			return;
		pass_time(stage);
	}
	fail_msg(
		"%llu are still there", (unsigned long long)stage->counters[COUNTER_AUDIT_WRITTEN]);
}

static void the_size_is_bounded(void **state)
{
	enum { N = 8000 };
	struct stage *stage = *state;
	struct message_filter filter = {.limit = 10};

	stage->config.size_bytes = 8 << 20;
	messages_close(stage->messages);
	open_messages(stage);
	for (uint32_t i = 1; i <= N; i++)
		add_large(stage, i, NOW + i);
	messages_settle(stage->messages);
	bound(stage, 8 << 20);
	wait_until_rows(stage, N - 2000);
	for (unsigned i = 0; i < 4000 && stage->used_bytes > 8 << 20; i++)
		pass_time(stage);
	assert_in_range(stage->used_bytes, 1 << 20, 8 << 20);
	/* the newest are there, and the oldest is not */
	assert_int_equal(ask(stage, &filter), 10);
	assert_string_equal(word_of(stage, 0, "message"), "f-5.8000");
	filter = (struct message_filter){.flow = 5, .number = 1};
	assert_int_equal(ask(stage, &filter), 0);
	assert_true(number_in(stage->path, "SELECT count(*) FROM segment") > 0);
	/* nothing is left of those that went */
	assert_int_equal(number_in(stage->path, "SELECT count(*) FROM sqlite_master WHERE name "
						"GLOB 'word_*'"),
		number_in(stage->path, "SELECT count(*) FROM segment"));
}

static void old_messages_go(void **state)
{
	struct stage *stage = *state;
	struct message_filter filter = {.limit = 1000};

	stage->config.keep_s = 3200;
	for (uint32_t i = 1; i <= 20; i++)
		add(stage, message(5, i, NOW + i), "x@example.org");
	messages_settle(stage->messages);
	/* a little later the segment is closed, and nothing goes */
	stage->now_ms = NOW + 200 * 1000;
	messages_configure(stage->messages, &stage->config);
	for (unsigned i = 0; i < 4000; i++, pass_time(stage))
		if (number_in(stage->path, "SELECT count(*) FROM segment") == 1)
			break;
	add(stage, message(5, 21, stage->now_ms), "x@example.org");
	read_pages(stage, filter, 21, 1, 21);
	/* when the last of them is too old, they go as one */
	stage->now_ms = NOW + 3200 * 1000;
	messages_configure(stage->messages, &stage->config);
	pass_time(stage);
	assert_int_equal(ask(stage, &filter), 21);
	stage->now_ms = NOW + 3201 * 1000;
	messages_configure(stage->messages, &stage->config);
	wait_until_rows(stage, 2);
	assert_int_equal(ask(stage, &filter), 1);
	assert_string_equal(word_of(stage, 0, "message"), "f-5.21");
	assert_int_equal(stage->counters[COUNTER_AUDIT_EXPIRED], 20);
}

static void flows_and_messages_share_a_size(void **state)
{
	uint64_t beside = 0;
	struct audit_config config = {.beside_bytes = &beside};

	(void)state;
	assert_int_equal(audit_share_bytes(&config), 0); /* no end */
	config.size_bytes = 1000;
	assert_int_equal(audit_share_bytes(&config), 1000);
	beside = 300;
	assert_int_equal(audit_share_bytes(&config), 700);
	beside = 5000; /* it goes down by itself */
	assert_int_equal(audit_share_bytes(&config), 500);
	config.beside_bytes = NULL;
	assert_int_equal(audit_share_bytes(&config), 1000);
}

static void what_a_page_holds_is_bounded(void **state)
{
	struct stage *stage = *state;
	static struct message_recipient many[1000];
	char filling[200];
	struct message_filter filter = {.limit = 500, .whole = true};
	size_t seen = 0, pages = 0;

	memset(filling, 1, sizeof(filling)); /* six characters of JSON each */
	for (size_t i = 0; i < 1000; i++)
		many[i] = (struct message_recipient){.address = {filling, sizeof(filling)}};
	for (uint32_t i = 1; i <= 20; i++) {
		struct message_record record = message(5, i, NOW);
		add_to(stage, &record, many, 1000);
	}
	do {
		ask(stage, &filter);
		pages++;
		for (size_t i = 0; i < stage->answer.n; i++, seen++) {
			json_t *row = json_array_get(stage->answer.rows, i);
			char *dump = json_dumps(row, JSON_COMPACT);
			assert_in_range(strlen(dump), 100000, (1 << 20) - 1);
			assert_int_equal(json_integer_value(json_object_get(row, "left_out")) +
						 (json_int_t)json_array_size(
							 json_object_get(row, "decisions")),
				1000);
			free(dump);
		}
		filter.before = stage->answer.keys[stage->answer.n - 1];
	} while (stage->answer.more);
	assert_int_equal(seen, 20);
	assert_true(pages > 1);
}

/* ---- figures, by hand ---- */

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(struct stage *stage, uint64_t count, unsigned recipients)
{
	static char to[1000][48];
	static struct message_recipient list[1000];
	char user[32], sender[48], queue[32], id[64];
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
	uint64_t step = 0;

	messages_be_patient(stage->messages);
	for (uint64_t i = 1; i <= count; i++) {
		struct message_record record = message(i / 2 + 1, i % 2 + 1, NOW + i * 2);
		record.user.len = (size_t)snprintf(
			user, sizeof(user), "user%llu", (unsigned long long)(i * 7919 % 5000));
		record.user.at = user;
		record.sender.len = (size_t)snprintf(
			sender, sizeof(sender), "%s@hotel%d.example", user, (int)(i % 3));
		record.sender.at = sender;
		record.queue_id.len = (size_t)snprintf(queue, sizeof(queue), "4X%09llxZ",
			(unsigned long long)(i * 2654435761u & 0xfffffffff));
		record.queue_id.at = queue;
		record.message_id.len = (size_t)snprintf(id, sizeof(id), "%llx.%llu@laptop.example",
			(unsigned long long)(i * 40503), (unsigned long long)i);
		record.message_id.at = id;
		for (unsigned j = 0; j < recipients; j++) {
			snprintf(to[j], sizeof(to[j]), "somebody%llu@example.org",
				(unsigned long long)((i * 31 + j * 7) * 2654435761u % 100000));
			list[j] = recipient(to[j]);
		}
		add_to(stage, &record, list, recipients);
		if (++step == 100000 || i == count) {
			messages_settle(stage->messages);
			double c = seconds(CLOCK_PROCESS_CPUTIME_ID), w = seconds(CLOCK_MONOTONIC);
			printf("%8llu messages: %5.1f us CPU, %5.1f us each of the last %llu\n",
				(unsigned long long)i, (c - cpu) * 1e6 / (double)step,
				(w - wall) * 1e6 / (double)step, (unsigned long long)step);
			cpu = c;
			wall = w;
			step = 0;
		}
	}
}

static void measure(struct stage *stage, const char *name, struct message_filter filter)
{
	double worst = 0, best = 1e9;

	for (unsigned i = 0; i < 5; i++) {
		double begin = seconds(CLOCK_MONOTONIC);
		ask(stage, &filter);
		double took = seconds(CLOCK_MONOTONIC) - begin;
		worst = took > worst ? took : worst;
		best = took < best ? took : best;
	}
	printf("%-28s %3zu rows  %7.2f ms best  %7.2f ms worst\n", name, stage->answer.n,
		best * 1e3, worst * 1e3);
}

static int soak(uint64_t count, unsigned recipients)
{
	struct stage *stage;
	void *state;

	setup(&state);
	stage = state;
	double begin = seconds(CLOCK_MONOTONIC);
	fill(stage, count, recipients);
	printf("%llu messages of %u recipients written in %.1f s, %lld segments\n",
		(unsigned long long)count, recipients, seconds(CLOCK_MONOTONIC) - begin,
		(long long)number_in(stage->path, "SELECT count(*) FROM segment"));
	measure(stage, "none", (struct message_filter){.flow = 0});
	measure(stage, "none, whole", (struct message_filter){.whole = true});
	measure(stage, "id", (struct message_filter){.flow = count / 4, .number = 1});
	measure(stage, "flow", (struct message_filter){.flow = 2});
	measure(stage, "flow, never", (struct message_filter){.flow = count * 2});
	measure(stage, "user", (struct message_filter){.user = wanted("user777")});
	measure(stage, "user, never", (struct message_filter){.user = wanted("nobody")});
	measure(stage, "sender",
		(struct message_filter){.sender = wanted("USER777@hotel1.example")});
	measure(stage, "recipient",
		(struct message_filter){.recipient = wanted("somebody777@example.org")});
	measure(stage, "sender, recipient, never both",
		(struct message_filter){.sender = wanted("user777@hotel1.example"),
			.recipient = wanted("somebody778@example.org")});
	measure(stage, "queue id, never", (struct message_filter){.queue_id = wanted("4X")});
	measure(stage, "Message-ID, never", (struct message_filter){.message_id = wanted("x@y")});
	measure(stage, "since, until",
		(struct message_filter){.since_ms = NOW + count, .until_ms = NOW + count + 1000});
	measure(stage, "since, until, user",
		(struct message_filter){.user = wanted("user777"),
			.since_ms = NOW + count,
			.until_ms = NOW + count + 10000});
	measure(stage, "until, nothing before", (struct message_filter){.until_ms = NOW});
	teardown(&state);
	return 0;
}

#define IN_STAGE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_STAGE(a_message_in_full),
		IN_STAGE(it_is_found_by_each_of_its_words),
		IN_STAGE(newest_first_over_segments),
		IN_STAGE(one_of_many_rows_or_words_closes_a_segment),
		IN_STAGE(with_names_none_nobody_is_kept),
		IN_STAGE(hostile_bytes_stay_bytes),
		cmocka_unit_test(the_line_of_the_log),
		IN_STAGE(a_word_is_checked_in_the_record),
		cmocka_unit_test(hashes_are_for_ever),
		IN_STAGE(a_bad_one_fails_no_other),
		IN_STAGE(strangers_refused_are_bounded),
		IN_STAGE(a_user_that_comes_to_nothing_is_bounded),
		IN_STAGE(the_size_is_bounded),
		IN_STAGE(old_messages_go),
		cmocka_unit_test(flows_and_messages_share_a_size),
		IN_STAGE(what_a_page_holds_is_bounded),
	};

	log_init("test", true, POLICY_LOG_ERROR);
	if (argc > 1)
		return soak(strtoull(argv[1], NULL, 10),
			argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
