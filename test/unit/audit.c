/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/audit.h"
#include "daemon/base/log.h"
#include "daemon/control/audit/query.h"
#include "daemon/control/audit/text.h"
#include "lib/record/flowid.h"
#include "lib/smtp/smtp.h"
#include "test/lib/control_answer.h"
#include "test/lib/control_folder.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1780308000000u

struct stage {
	struct loop *loop;
	struct audit *audit;
	uint64_t counters[COUNTERS];
	char folder[FOLDER_SIZE], path[96];
	struct answer answer; /* to the last query */
};

static const struct audit_config plain;

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->loop = stage->answer.loop = loop_new();
	assert_int_equal(folder_make(stage->folder), 0);
	snprintf(stage->path, sizeof(stage->path), "%s/audit.db", stage->folder);
	assert_int_equal(
		audit_open(stage->loop, stage->folder, &plain, stage->counters, &stage->audit), 0);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	audit_close(stage->audit);
	loop_free(stage->loop);
	json_decref(stage->answer.rows);
	assert_int_equal(folder_remove(stage->folder), 0);
	free(stage);
	return 0;
}

static struct endpoint endpoint(const char *addr, uint16_t port)
{
	struct endpoint out = {.port = port};

	assert_int_equal(addr_parse(addr, strlen(addr), &out.addr), 0);
	return out;
}

static struct ipc_flow flow(uint64_t id, uint64_t end_ms, const char *user, const char *client)
{
	struct ipc_flow out;

	memset(&out, 0, sizeof(out));
	out.id = id;
	out.session = id + 100;
	out.start_ms = end_ms - 1500;
	out.connected_ms = end_ms - 1400;
	out.end_ms = end_ms;
	out.from_client_bytes = 1000 + id;
	out.from_server_bytes = 200;
	out.messages = 1;
	out.seen = SMTP_SEEN_EHLO | SMTP_SEEN_MAIL;
	out.verdict = POLICY_VERDICT_REDIRECT;
	out.ending = ENDING_QUIT;
	out.audit = 1;
	out.client = endpoint(client, 40000);
	out.original = endpoint("203.0.113.99", 25);
	out.host = endpoint("2001:db8::25", 25);
	out.mac = (struct mac){{2, 0, 0x5e, 0, 0x53, (uint8_t)id}};
	strcpy(out.ifname, "br-guest");
	strcpy(out.zone, "guest");
	strcpy(out.user, user);
	strcpy(out.rule, "guests");
	strcpy(out.server, "relay");
	strcpy(out.detail, "221 bye");
	out.gateway = endpoint("203.0.113.1", 50025);
	strcpy(out.reply, "250 2.0.0 Ok: queued as 4XyZ");
	return out;
}

static void secure(struct ipc_flow *record)
{
	record->client_tls = (struct ipc_tls){
		"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "expired", "mta.client.example"};
	record->server_tls =
		(struct ipc_tls){"TLSv1.3", "TLS_AES_256_GCM_SHA384", "verified", "mx.example"};
	strcpy(record->client_sni, "mx.internet.example");
}

static void add(struct stage *stage, struct ipc_flow record)
{
	audit_record(stage->audit, &record);
}

static size_t ask(struct stage *stage, const struct audit_filter *filter)
{
	struct answer *answer = &stage->answer;

	answer_init(answer);
	assert_int_not_equal(
		audit_query(stage->audit, filter, answer_on_row, answer_on_done, answer), 0);
	return answer_await(answer);
}

static const char *text_of(const struct stage *stage, size_t row, const char *field)
{
	return answer_text(&stage->answer, row, field);
}

static struct audit_filter any(void)
{
	struct audit_filter filter;

	audit_filter_init(&filter);
	return filter;
}

static void test_a_record_in_full(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow record = flow(0x1234, NOW, "ann \"x\"", "192.0.2.7");
	struct audit_filter filter = any();

	record.nattempts = 2;
	record.attempts[0] = (struct ipc_attempt){.host = endpoint("203.0.113.10", 25),
		.ms = 31,
		.ending = ENDING_GREETING_REFUSED,
		.reply = "554 no"};
	record.attempts[1] = (struct ipc_attempt){
		.host = endpoint("2001:db8::25", 25), .ms = 7, .ending = ENDING_NONE};
	strcpy(record.source, "radius wlc");
	secure(&record);
	add(stage, record);
	filter.id = 0x1234;
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 1);
	char *got = json_dumps(json_array_get(stage->answer.rows, 0), JSON_COMPACT);
	assert_string_equal(got,
		"{\"flow\":\"f-4hm\",\"started_at\":1780307998,\"user\":\"ann \\\"x\\\"\",\"zone\":"
		"\"guest\",\"listener\":null,\"client\":\"192.0.2.7:40000\",\"original\":\"203.0."
		"113.99:25\",\"rule\""
		":\"guests\",\"verdict\":\"redirect\",\"server\":\"relay\",\"path\":\"relay\","
		"\"from_client_bytes\":"
		"5660,\"from_server_bytes\":200,\"messages\":1,\"tls\":[\"client\",\"server\"],"
		"\"ending\":\"quit\",\"ended_at\":1780308000,\"lasted_ms\":1500,\"connected_after_"
		"ms\":100,\"host\":"
		"\"[2001:db8::25]:25\",\"gateway\":\"203.0.113.1:50025\",\"reply\":\"250 2.0.0 Ok: "
		"queued as 4XyZ\",\"session\":\"4760\",\"source\":\"radius "
		"wlc\",\"terms\":null,\"mac\":\"02:00:5e:00:53:34\","
		"\"interface\":\"br-guest\",\"reason\":\"rule\",\"seen\":[\"ehlo\",\"mail\"],"
		"\"client_tls\":{\"version\":\"TLSv1.2\",\"cipher\":"
		"\"ECDHE-RSA-AES128-GCM-SHA256\",\"peer\":\"mta.client.example\",\"check\":"
		"\"expired\",\"sni\":\"mx.internet.example\"},"
		"\"tls_invalid_client_certificate\":\"expired\",\"server_tls\":{\"version\":"
		"\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"peer\":\"mx.example\","
		"\"check\":\"verified\"},\"detail\":\"221 "
		"bye\",\"relay\":0,\"attempts\":[{\"host\":\"203.0.113.10:25\","
		"\"took_ms\":31,\"ending\":\"greeting-refused\",\"reply\":\"554 no\"},{\"host\":"
		"\"[2001:db8::25]:25\",\"took_ms\":7,\"ending\":\"none\",\"reply\":\"\"}]}");
	/* what was kept says the same as the record itself */
	char *direct = audit_json(&record, true);
	assert_string_equal(got, direct);
	free(got);
	free(direct);
}

static void test_a_record_of_the_kernel_path(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow record = flow(0x1234, NOW, "ann", "192.0.2.7");
	struct audit_filter filter = any();
	char line[AUDIT_LINE_SIZE];

	record.path = POLICY_PATH_KERNEL;
	add(stage, record);
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 1);
	assert_string_equal(text_of(stage, 0, "path"), "kernel");
	assert_string_equal(text_of(stage, 0, "relay"), "null");
	assert_non_null(strstr(audit_text_line(&record, line), " server=relay path=kernel host="));
}

static void test_the_line_of_the_log(void **state)
{
	struct ipc_flow record = flow(0x1234, NOW, "ann \"x\"", "192.0.2.7");
	char line[AUDIT_LINE_SIZE];

	(void)state;
	assert_string_equal(audit_text_line(&record, line),
		"flow=f-4hm ending=quit verdict=redirect user=\"ann \\\"x\\\"\" zone=guest "
		"client=192.0.2.7:40000 mac=02:00:5e:00:53:34 interface=br-guest "
		"original=203.0.113.99:25 rule=guests server=relay host=[2001:db8::25]:25 "
		"gateway=203.0.113.1:50025 "
		"from_client_bytes=5660 from_server_bytes=200 messages=1 seen=ehlo,mail "
		"lasted_ms=1500 reply=\"250 2.0.0 Ok: queued as 4XyZ\" detail=\"221 bye\"");
	secure(&record);
	assert_non_null(strstr(audit_text_line(&record, line),
		" seen=ehlo,mail client_tls=TLSv1.2 client_cipher=ECDHE-RSA-AES128-GCM-SHA256 "
		"client_sni=mx.internet.example client_peer=mta.client.example "
		"tls_invalid_client_certificate=expired server_tls=TLSv1.3 "
		"server_cipher=TLS_AES_256_GCM_SHA384 server_peer=mx.example "
		"server_check=verified lasted_ms=1500 "));
	/* nothing is too long for a line */
	memset(record.user, '"', sizeof(record.user) - 1);
	memset(record.detail, '\\', sizeof(record.detail) - 1);
	memset(record.reply, '"', sizeof(record.reply) - 1);
	memset(record.rule, ' ', sizeof(record.rule) - 1);
	assert_true(strlen(audit_text_line(&record, line)) < AUDIT_LINE_SIZE);
}

static void test_newest_first_page_by_page(void **state)
{
	struct stage *stage = *state;
	struct audit_filter filter = any();

	for (uint64_t i = 1; i <= 7; i++) /* not in order, and two at once */
		add(stage, flow(i, NOW + (i * 3 % 7) * 1000, "ann", "192.0.2.7"));
	add(stage, flow(8, NOW + 1000, "ann", "192.0.2.7"));
	filter.limit = 3;
	static const char *const order[] = {"f-2", "f-4", "f-6", "f-1", "f-3", "f-8", "f-5", "f-7"};
	for (size_t shown = 0; shown < 8; shown += 3) {
		size_t n = ask(stage, &filter);
		assert_int_equal(n, shown < 6 ? 3 : 2);
		assert_int_equal(stage->answer.more, shown < 6);
		for (size_t i = 0; i < n; i++) {
			const char *id = text_of(stage, i, "flow");
			bool twin = shown + i == 5 || shown + i == 6; /* of one millisecond */
			if (!twin || (strcmp(id, "f-8") != 0 && strcmp(id, "f-5") != 0))
				assert_string_equal(id, order[shown + i]);
			filter.before = stage->answer.keys[i];
		}
	}
	assert_int_equal(stage->counters[COUNTER_AUDIT_WRITTEN], 8);
}

static void test_privacy_keeps_nobody(void **state)
{
	struct stage *stage = *state;
	const struct audit_config privacy = {.names_none = true};
	struct audit_filter filter = any();

	struct ipc_flow record = flow(1, NOW, "ann", "192.0.2.7");

	secure(&record);
	audit_configure(stage->audit, &privacy);
	add(stage, record);
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 1);
	assert_string_equal(text_of(stage, 0, "user"), "null");
	assert_string_equal(text_of(stage, 0, "client"), "null");
	assert_string_equal(text_of(stage, 0, "original"), "null");
	assert_string_equal(text_of(stage, 0, "mac"), "null");
	assert_string_equal(text_of(stage, 0, "detail"), "null");
	assert_string_equal(text_of(stage, 0, "gateway"), "null");
	assert_string_equal(text_of(stage, 0, "reply"), "null");
	const json_t *tls = json_object_get(json_array_get(stage->answer.rows, 0), "client_tls");
	assert_true(json_is_null(json_object_get(tls, "peer")));
	assert_true(json_is_null(json_object_get(tls, "sni")));
	assert_string_equal(json_string_value(json_object_get(tls, "version")), "TLSv1.2");
	assert_string_equal(text_of(stage, 0, "zone"), "guest");
	assert_string_equal(text_of(stage, 0, "server"), "relay");
}

static void test_audit_off_and_too_many_refusals(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow record = flow(1, NOW, "ann", "192.0.2.7");
	struct audit_filter filter = any();

	record.audit = 0;
	audit_record(stage->audit, &record);
	audit_refused(stage->audit, &record);
	record.audit = 1;
	record.id = 0;
	record.verdict = POLICY_VERDICT_DROP;
	record.ending = ENDING_DROPPED;
	for (unsigned i = 0; i < AUDIT_REFUSED_PER_MINUTE + 5; i++)
		audit_refused(stage->audit, &record);
	filter.limit = 1000;
	size_t kept = ask(stage, &filter);
	/* the minute may have changed in between */
	assert_int_equal(
		kept + stage->counters[COUNTER_AUDIT_SKIPPED], AUDIT_REFUSED_PER_MINUTE + 5);
	assert_true(kept >= AUDIT_REFUSED_PER_MINUTE);
	assert_string_equal(text_of(stage, 0, "flow"), "null");
}

static void never_row(void *context, const char *json, uint64_t key)
{
	(void)context;
	(void)json;
	(void)key;
	fail();
}

static void never_done(void *context, int status, bool more)
{
	(void)context;
	(void)status;
	(void)more;
	fail();
}

static void test_a_cancelled_query_is_silent(void **state)
{
	struct stage *stage = *state;
	struct audit_filter filter = any();

	add(stage, flow(1, NOW, "ann", "192.0.2.7"));
	uint64_t id = audit_query(stage->audit, &filter, never_row, never_done, NULL);
	audit_cancel(stage->audit, id);
	assert_int_equal(ask(stage, &filter), 1);
}

static void test_who_waits_at_the_end_is_answered(void **state)
{
	struct stage *stage = *state;
	struct audit_filter filter = any();

	stage->answer.rows = json_array();
	add(stage, flow(1, NOW, "ann", "192.0.2.7"));
	audit_query(stage->audit, &filter, answer_on_row, answer_on_done, &stage->answer);
	audit_close(stage->audit);
	stage->audit = NULL;
	assert_true(stage->answer.is_there);
	assert_int_equal(stage->answer.n, 1);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static struct ipc_flow random_flow(uint32_t *seed, uint64_t id)
{
	char user[16], client[48];

	snprintf(user, sizeof(user), "user%u", next_random(seed) % 20);
	if (next_random(seed) & 1)
		snprintf(client, sizeof(client), "192.0.2.%u", next_random(seed) % 256);
	else
		snprintf(client, sizeof(client), "2001:db8:0:%x::%x", next_random(seed) % 4,
			next_random(seed) % 32);
	struct ipc_flow record = flow(id, NOW + next_random(seed) % 100000, user, client);
	record.mac.bytes[5] = (uint8_t)(next_random(seed) % 50);
	snprintf(client, sizeof(client), "198.51.100.%u", next_random(seed) % 64);
	record.original = endpoint(client, 25);
	record.gateway.port = (uint16_t)(50000 + next_random(seed) % 20);
	snprintf(
		record.reply, sizeof(record.reply), "250 ok queued as Q%u", next_random(seed) % 40);
	record.session = next_random(seed) % 30;
	record.ending = (uint16_t)(next_random(seed) % ENDINGS);
	record.verdict = (uint16_t)(next_random(seed) % POLICY_VERDICTS);
	snprintf(record.zone, sizeof(record.zone), "zone%u", next_random(seed) % 3);
	snprintf(record.rule, sizeof(record.rule), "rule%u", next_random(seed) % 10);
	snprintf(record.server, sizeof(record.server), "server%u", next_random(seed) % 2);
	return record;
}

static struct prefix around(uint32_t *seed, const struct addr *like)
{
	char text[ADDR_TEXT_SIZE + 8], addr[ADDR_TEXT_SIZE];
	unsigned bits = addr_bits(like);
	struct prefix prefix;
	int n = snprintf(text, sizeof(text), "%s/%u", addr_format(like, addr),
		bits - next_random(seed) % bits);
	prefix_parse(text, (size_t)n, &prefix);
	return prefix;
}

static struct audit_filter random_filter(uint32_t *seed, const struct ipc_flow *like)
{
	struct audit_filter filter = any();

	if (next_random(seed) % 4 == 0)
		strcpy(filter.user, like->user);
	if (next_random(seed) % 4 == 0)
		strcpy(filter.zone, like->zone);
	if (next_random(seed) % 4 == 0)
		strcpy(filter.rule, like->rule);
	if (next_random(seed) % 4 == 0)
		strcpy(filter.server, like->server);
	if (next_random(seed) % 4 == 0)
		filter.verdict = like->verdict;
	if (next_random(seed) % 4 == 0)
		filter.ending = ending_names[like->ending];
	if (next_random(seed) % 6 == 0)
		filter.mac = like->mac;
	if (next_random(seed) % 6 == 0)
		filter.session = like->session;
	if (next_random(seed) % 3 == 0)
		filter.client = around(seed, &like->client.addr);
	if (next_random(seed) % 5 == 0)
		filter.original = next_random(seed) & 1 ? prefix_of(&like->original.addr)
							: around(seed, &like->original.addr);
	if (next_random(seed) % 8 == 0)
		filter.gateway_port = like->gateway.port;
	if (next_random(seed) % 8 == 0)
		snprintf(filter.reply, sizeof(filter.reply), "as Q%u", next_random(seed) % 40);
	if (next_random(seed) % 4 == 0)
		filter.since_ms = NOW + next_random(seed) % 100000;
	if (next_random(seed) % 4 == 0)
		filter.until_ms = NOW + next_random(seed) % 100000;
	filter.limit = next_random(seed) % 200 + 1;
	return filter;
}

static bool fits(const struct audit_filter *f, const struct ipc_flow *r)
{
	return (!*f->user || strcmp(f->user, r->user) == 0) &&
	       (!*f->zone || strcmp(f->zone, r->zone) == 0) &&
	       (!*f->rule || strcmp(f->rule, r->rule) == 0) &&
	       (!*f->server || strcmp(f->server, r->server) == 0) &&
	       (f->verdict < 0 || f->verdict == r->verdict) &&
	       (!f->ending || f->ending == ending_names[r->ending]) &&
	       (!mac_is_set(&f->mac) || mac_equal(&f->mac, &r->mac)) &&
	       (!f->session || f->session == r->session) &&
	       (f->client.addr.family == ADDR_NONE ||
		       prefix_contains(&f->client, &r->client.addr)) &&
	       (f->original.addr.family == ADDR_NONE ||
		       prefix_contains(&f->original, &r->original.addr)) &&
	       (!f->gateway_port || f->gateway_port == r->gateway.port) &&
	       (!*f->reply || strstr(r->reply, f->reply)) && r->end_ms >= f->since_ms &&
	       (!f->until_ms || r->end_ms < f->until_ms);
}

#define MODEL 3000

static void test_random_filters_agree_with_a_scan(void **state)
{
	static struct ipc_flow model[MODEL];
	struct stage *stage = *state;
	uint32_t seed = 2654435769;

	for (unsigned i = 0; i < MODEL; i++) {
		model[i] = random_flow(&seed, i + 1);
		add(stage, model[i]);
	}
	for (unsigned i = 0; i < 400; i++) {
		struct audit_filter filter =
			random_filter(&seed, &model[next_random(&seed) % MODEL]);
		size_t right = 0, n = ask(stage, &filter);
		assert_int_equal(stage->answer.status, 0);
		for (unsigned r = 0; r < MODEL; r++)
			right += fits(&filter, &model[r]);
		assert_int_equal(n, right < filter.limit ? right : filter.limit);
		assert_int_equal(stage->answer.more, right > filter.limit);
		for (size_t k = 0; k < n; k++) {
			uint64_t id;
			const char *text = text_of(stage, k, "flow");
			assert_true(k == 0 || stage->answer.keys[k] < stage->answer.keys[k - 1]);
			assert_int_equal(flowid_parse(text, strlen(text), &id), 0);
			assert_true(fits(&filter, &model[id - 1]));
		}
		if (n == 0)
			continue;
		/* none newer than the last row was left out */
		uint64_t oldest = stage->answer.keys[n - 1] >> AUDIT_KEY_SHIFT;
		size_t newer = 0;
		for (unsigned r = 0; r < MODEL; r++)
			newer += fits(&filter, &model[r]) && model[r].end_ms > oldest;
		assert_true(newer <= n);
	}
}

static void check_plan(sqlite3 *db, const char *sql, const char *wanted)
{
	sqlite3_stmt *plan;
	char explain[AUDIT_SQL_SIZE + 32], all[1024] = "";

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
	while (sqlite3_step(plan) == SQLITE_ROW)
		strncat(all, (const char *)sqlite3_column_text(plan, 3),
			sizeof(all) - strlen(all) - 1);
	sqlite3_finalize(plan);
	if (!strstr(all, wanted) || strstr(all, "SCAN") || strstr(all, "TEMP B-TREE"))
		fail_msg("%s\n%s", sql, all);
}

static void test_every_filter_goes_by_an_index_and_nothing_is_sorted(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow like = flow(1, NOW, "ann", "192.0.2.7");
	struct audit_filter all = any();
	char sql[AUDIT_SQL_SIZE], wanted[128];
	sqlite3 *db;

	all.id = 1;
	all.session = 1;
	strcpy(all.user, like.user);
	strcpy(all.rule, like.rule);
	strcpy(all.server, like.server);
	all.verdict = 0;
	all.ending = ending_names[0];
	all.mac = like.mac;
	all.client = prefix_of(&like.client.addr);
	all.original = prefix_of(&like.original.addr);
	assert_int_equal(sqlite3_open(stage->path, &db), SQLITE_OK);
	for (int column = 0; column < AUDIT_COLUMNS; column++) {
		/* no flow comes from both */
		strcpy(all.zone, column == AUDIT_LISTENER ? "" : like.zone);
		strcpy(all.listener, column == AUDIT_LISTENER ? "inbound" : "");
		assert_true(audit_query_has(&all, (enum audit_column)column));
		audit_query_sql(&all, column, sql);
		snprintf(wanted, sizeof(wanted),
			"SEARCH record USING INDEX record_%s (%s=? AND rowid>? AND rowid<?)",
			audit_column_names[column], audit_column_names[column]);
		check_plan(db, sql, wanted);
	}
	all = any();
	audit_query_sql(&all, -1, sql);
	check_plan(db, sql, "SEARCH record USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
	all.client = (struct prefix){.addr = like.client.addr, .len = 24};
	audit_query_sql(&all, -1, sql);
	check_plan(db, sql, "SEARCH record USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
	check_plan(db,
		"SELECT client FROM record INDEXED BY record_client WHERE client > ?4 AND client "
		"<= ?5 ORDER BY client LIMIT 1",
		"SEARCH record USING COVERING INDEX record_client (client>? AND client<?)");
	check_plan(db,
		"SELECT key FROM record INDEXED BY record_client WHERE client = ?4 AND key < ?1 "
		"AND key >= ?2 ORDER BY key DESC LIMIT ?3",
		"SEARCH record USING COVERING INDEX record_client (client=? AND rowid>? AND "
		"rowid<?)");
	sqlite3_close(db);
}

struct deadline {
	struct loop_timer timer; /* first */
	struct stage *stage;
};

static void stop(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	loop_stop(((struct deadline *)timer)->stage->loop);
}

/* Lets the loop run until the counter stands at `wanted`, for ten seconds at most. */
static void wait_for(struct stage *stage, enum counter counter, uint64_t wanted)
{
	struct deadline deadline = {.timer = {.on_time = stop}, .stage = stage};
	uint64_t begin_ms = loop_now_ms(stage->loop);

	while (stage->counters[counter] != wanted && loop_now_ms(stage->loop) < begin_ms + 10000) {
		loop_timer_set(stage->loop, &deadline.timer, loop_now_ms(stage->loop) + 5);
		assert_int_equal(loop_run(stage->loop), 0);
	}
	loop_timer_clear(stage->loop, &deadline.timer);
	assert_int_equal(stage->counters[counter], wanted);
}

static void test_old_records_go(void **state)
{
	struct stage *stage = *state;
	const struct audit_config keep = {.keep_s = 3600};
	struct audit_filter filter = any();
	uint64_t now_ms = (uint64_t)time(NULL) * 1000;

	for (uint64_t i = 0; i < 2500; i++)
		add(stage, flow(i + 1, now_ms - 3700 * 1000, "ann", "192.0.2.7"));
	add(stage, flow(9999, now_ms - 3000 * 1000, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 2501);
	audit_configure(stage->audit, &keep);
	wait_for(stage, COUNTER_AUDIT_EXPIRED, 2500);
	assert_int_equal(ask(stage, &filter), 1);
}

/* Until nothing more goes; how many went. */
static uint64_t prune_to(struct stage *stage, const struct audit_config *config)
{
	uint64_t before;

	audit_configure(stage->audit, config);
	do {
		before = stage->counters[COUNTER_AUDIT_EXPIRED];
		struct deadline pause = {.timer = {.on_time = stop}, .stage = stage};
		loop_timer_set(stage->loop, &pause.timer, loop_now_ms(stage->loop) + 300);
		loop_run(stage->loop);
	} while (stage->counters[COUNTER_AUDIT_EXPIRED] != before || before == 0);
	return before;
}

static void test_the_size_is_bounded(void **state)
{
	struct stage *stage = *state;
	struct audit_config small = {.size_bytes = 1500000};
	struct audit_filter filter = any();

	for (uint64_t i = 0; i < 6000; i++)
		add(stage, flow(i + 1, NOW + i, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 6000);
	assert_in_range(prune_to(stage, &small), 1000, 5000);
	assert_int_equal(ask(stage, &filter), 50); /* the newest are there */
	assert_string_equal(text_of(stage, 0, "flow"), "f-5vg");
}

/* The strangers' are the newest, and go before all others. */
static void test_who_was_not_logged_in_goes_first(void **state)
{
	struct stage *stage = *state;
	struct audit_config small = {.size_bytes = 1500000};
	struct audit_filter filter = any();
	sqlite3 *db;

	for (uint64_t i = 0; i < 6000; i++)
		add(stage, flow(i + 1, NOW + i, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 6000);
	assert_int_equal(sqlite3_open(stage->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "UPDATE record SET session = NULL, user = NULL WHERE key IN "
				 "(SELECT key FROM record ORDER BY key DESC LIMIT 4000)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	uint64_t gone = prune_to(stage, &small);
	assert_in_range(gone, 1000, 4000);
	filter.limit = 2000;
	strcpy(filter.user, "ann");
	assert_int_equal(ask(stage, &filter), 2000);
}

static void test_one_stranger_does_not_fill_the_audit(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow record = flow(0, NOW, "", "192.0.2.7");
	struct audit_filter filter = any();

	record.session = 0;
	record.verdict = POLICY_VERDICT_ANSWER;
	record.ending = ENDING_NOT_LOGGED_IN;
	for (unsigned i = 0; i < 1000; i++)
		add(stage, record);
	add(stage, flow(7, NOW + 1, "ann", "192.0.2.8"));
	filter.limit = 2000;
	size_t kept = ask(stage, &filter);
	assert_in_range(kept, 31, 40); /* a slow machine's seconds are in it */
	assert_int_equal(kept + stage->counters[COUNTER_AUDIT_SKIPPED], 1001);
	assert_string_equal(text_of(stage, 0, "user"), "ann");
}

/* One a second is kept of so many that carry nothing. */
static void test_what_was_left_out_stands_behind_what_a_record_says(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow record = flow(9, NOW, "ann", "192.0.2.7");
	struct audit_filter filter = any();
	const char *detail;

	record.messages = 0;
	record.from_client_bytes = 0;
	for (unsigned i = 0; i < 1100; i++)
		add(stage, record);
	filter.limit = 1;
	filter.whole = true;
	do {
		struct deadline pause = {.timer = {.on_time = stop}, .stage = stage};
		loop_timer_set(stage->loop, &pause.timer, loop_now_ms(stage->loop) + 300);
		loop_run(stage->loop);
		record.end_ms++;
		add(stage, record);
		ask(stage, &filter);
		detail = text_of(stage, 0, "detail");
	} while (!strstr(detail, "more like this one were not recorded"));
	assert_non_null(strstr(detail, "221 bye; "));
}

static struct login_record login(enum login_ending ending, const char *user, unsigned client)
{
	struct login_record out = {.at_ms = NOW,
		.ending = ending,
		.client = endpoint("192.0.2.7", 0).addr,
		.mac = {{2, 0, 0x5e, (uint8_t)(client >> 16), (uint8_t)(client >> 8),
			(uint8_t)client}},
		.zone = "guest",
		.source = "portal hotel"};

	snprintf(out.user, sizeof(out.user), "%s", user);
	return out;
}

static void test_a_login_in_full(void **state)
{
	struct stage *stage = *state;
	struct login_record good = login(LOGIN_ENDING_PASSED, "ann", 7);
	struct login_record wrong = login(LOGIN_ENDING_WRONG, "ann", 8);
	struct audit_filter filter = any();

	good.session = 12;
	strcpy(good.terms, "0123456789abcdef");
	strcpy(good.detail, "logged in again");
	audit_login(stage->audit, &good);
	wrong.at_ms++;
	audit_login(stage->audit, &wrong);
	add(stage, flow(1, NOW + 2, "ann", "192.0.2.7"));
	strcpy(filter.user, "ann");
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 3);
	assert_string_equal(text_of(stage, 0, "terms"), "null");
	assert_string_equal(text_of(stage, 1, "ending"), "login-wrong");
	assert_string_equal(text_of(stage, 1, "session"), "null");
	assert_string_equal(text_of(stage, 2, "ending"), "logged-in");
	assert_string_equal(text_of(stage, 2, "verdict"), "null");
	assert_string_equal(text_of(stage, 2, "reason"), "null");
	assert_string_equal(text_of(stage, 2, "path"), "null");
	assert_string_equal(text_of(stage, 2, "flow"), "null");
	assert_string_equal(text_of(stage, 2, "session"), "12");
	assert_string_equal(text_of(stage, 2, "source"), "portal hotel");
	assert_string_equal(text_of(stage, 2, "client"), "192.0.2.7");
	assert_string_equal(text_of(stage, 2, "mac"), "02:00:5e:00:00:07");
	assert_string_equal(text_of(stage, 2, "terms"), good.terms);
	assert_string_equal(text_of(stage, 2, "detail"), good.detail);
	filter.ending = login_ending_names[LOGIN_ENDING_WRONG];
	assert_int_equal(ask(stage, &filter), 1);
	/* nobody is named, and what he accepted is known */
	audit_configure(stage->audit, &(struct audit_config){.names_none = true});
	good.at_ms += 2;
	audit_login(stage->audit, &good);
	filter = any();
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 4);
	for (const char *const *name =
			(const char *const[]){"user", "mac", "client", "detail", NULL};
		*name; name++)
		assert_string_equal(text_of(stage, 0, *name), "null");
	assert_string_equal(text_of(stage, 0, "terms"), good.terms);
}

/* Of one client, or of as many as somebody makes up. */
static void test_wrong_logins_do_not_fill_the_audit(void **state)
{
	struct stage *stage = *state;
	struct audit_filter filter = any();
	struct login_record wrong;

	for (unsigned i = 0; i < 1000; i++) {
		wrong = login(LOGIN_ENDING_WRONG, "ann", 7);
		audit_login(stage->audit, &wrong);
	}
	filter.limit = 20000;
	size_t kept = ask(stage, &filter);
	assert_in_range(kept, 30, 40); /* a slow machine's seconds are in it */
	for (unsigned i = 0; i < 10000; i++) {
		wrong = login(LOGIN_ENDING_WRONG, "ann", i);
		audit_login(stage->audit, &wrong);
	}
	wrong = login(LOGIN_ENDING_PASSED, "ann", 7);
	audit_login(stage->audit, &wrong);
	kept = ask(stage, &filter);
	assert_in_range(kept, 1000, 1100);
	assert_string_equal(text_of(stage, 0, "ending"), "logged-in");
	assert_int_equal(kept + stage->counters[COUNTER_AUDIT_SKIPPED], 11001);
}

/* Records of mail, and logins, are still there when they go. */
static void test_wrong_logins_go_first(void **state)
{
	struct stage *stage = *state;
	struct audit_config small = {.size_bytes = 1500000};
	struct audit_filter filter = any();
	struct login_record good = login(LOGIN_ENDING_PASSED, "ann", 7);
	char sql[256];
	sqlite3 *db;

	for (uint64_t i = 0; i < 6000; i++)
		add(stage, flow(i + 1, NOW + i, "ann", "192.0.2.7"));
	audit_login(stage->audit, &good);
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 6001);
	assert_int_equal(sqlite3_open(stage->path, &db), SQLITE_OK);
	snprintf(sql, sizeof(sql),
		"UPDATE record SET session = NULL, ending = '%s' WHERE key IN "
		"(SELECT key FROM record ORDER BY key DESC LIMIT 4000)",
		login_ending_names[LOGIN_ENDING_WRONG]);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	check_plan(db,
		"SELECT key FROM record WHERE " AUDIT_ROW_STRANGER
		" AND key < ?1 ORDER BY key LIMIT ?2",
		"SEARCH record USING INDEX record_stranger (key<?)");
	sqlite3_close(db);
	assert_in_range(prune_to(stage, &small), 1000, 4000);
	filter.limit = 10000;
	filter.ending = ending_names[ENDING_QUIT];
	assert_int_equal(ask(stage, &filter), 2000);
	filter.ending = login_ending_names[LOGIN_ENDING_PASSED];
	assert_int_equal(ask(stage, &filter), 1);
}

/* Nor does one that is logged in and brings no mail; what may have is all there. */
static void test_one_user_does_not_fill_the_audit(void **state)
{
	struct stage *stage = *state;
	struct ipc_flow idle = flow(0, NOW, "ann", "192.0.2.7"), mail[5];
	struct audit_filter filter = any();
	const unsigned flood = 2000;

	idle.messages = 0;
	idle.seen = 0;
	idle.from_client_bytes = 7;
	for (unsigned i = 0; i < 5; i++)
		mail[i] = idle;
	mail[0].messages = 1;
	mail[1].seen = SMTP_SEEN_EHLO | SMTP_SEEN_STARTTLS | SMTP_SEEN_TLS;
	mail[2].seen = SMTP_SEEN_EHLO | SMTP_SEEN_DATA;
	mail[3].from_client_bytes = 1000; /* of what, nobody can tell */
	mail[4].mac.bytes[5] = 99;
	for (unsigned i = 0; i < flood; i++)
		add(stage, idle);
	filter.limit = 5000;
	size_t kept = ask(stage, &filter);
	assert_in_range(kept, 1000, 1100); /* a slow machine's seconds are in it */
	assert_int_equal(kept + stage->counters[COUNTER_AUDIT_SKIPPED], flood);
	for (unsigned i = 0; i < 5; i++)
		add(stage, mail[i]);
	assert_int_equal(ask(stage, &filter), kept + 5);
	idle.reason = DECIDE_NEEDS_ENVELOPE;
	idle.from_client_bytes = 1000;
	for (unsigned i = 0; i < 10; i++)
		add(stage, idle);
	assert_in_range(ask(stage, &filter), kept + 5, kept + 10);
}

static void test_a_full_disk_loses_records_and_nothing_else(void **state)
{
	struct stage *stage = *state;
	struct rlimit small, before;
	struct audit_filter filter = any();

	add(stage, flow(1, NOW, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){4096, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint64_t i = 2; i <= 40; i++)
		add(stage, flow(i, NOW + i, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_LOST, 39);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	add(stage, flow(50, NOW + 50, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 2);
	assert_int_equal(ask(stage, &filter), 2);
}

/* More than the queue holds, and nobody runs the loop. */
static void test_at_the_end_no_record_is_lost_to_a_slow_disk(void **state)
{
	struct stage *stage = *state;

	audit_be_patient(stage->audit);
	for (unsigned i = 0; i < 25000; i++)
		add(stage, flow(i + 1, NOW + i, "ann", "192.0.2.7"));
	assert_true(audit_settle(stage->audit));
	assert_int_equal(stage->counters[COUNTER_AUDIT_WRITTEN], 25000);
	assert_int_equal(stage->counters[COUNTER_AUDIT_LOST], 0);
}

static void test_a_database_that_cannot_be_had_is_tried_again(void **state)
{
	struct stage *stage = *state;
	struct audit_filter filter = any();

	audit_close(stage->audit);
	strcat(stage->folder, "/later");
	assert_int_equal(
		audit_open(stage->loop, stage->folder, &plain, stage->counters, &stage->audit), 0);
	add(stage, flow(1, NOW, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_LOST, 1);
	assert_int_equal(ask(stage, &filter), 0);
	assert_int_equal(stage->answer.status, -ENOENT);
	assert_int_equal(mkdir(stage->folder, 0700), 0);
	add(stage, flow(2, NOW, "ann", "192.0.2.7"));
	wait_for(stage, COUNTER_AUDIT_WRITTEN, 1);
	assert_int_equal(ask(stage, &filter), 1);
	stage->folder[strlen(stage->folder) - strlen("/later")] = '\0';
}

#define WITHOUT_TERMS                                                       \
	"DROP INDEX record_stranger; ALTER TABLE record DROP COLUMN terms;" \
	"CREATE INDEX record_stranger ON record(key) WHERE session IS NULL AND user IS NULL; "
#define WITHOUT_PATH   WITHOUT_TERMS "ALTER TABLE record DROP COLUMN path; "
#define WITHOUT_SOURCE WITHOUT_PATH "ALTER TABLE record DROP COLUMN source; "
#define WITHOUT_TLS                                                                          \
	WITHOUT_SOURCE "ALTER TABLE record DROP COLUMN client_tls; ALTER TABLE record DROP " \
		       "COLUMN server_tls; "
#define WITHOUT_LISTENERS \
	WITHOUT_TLS "DROP INDEX record_listener; ALTER TABLE record DROP COLUMN listener; "

/* As a version before left it: without what was added since. */
static void check_taken_over(struct stage *stage, const char *sql)
{
	struct audit_filter filter = any();
	sqlite3 *db;

	add(stage, flow(1, NOW, "ann", "192.0.2.7"));
	audit_close(stage->audit);
	assert_int_equal(sqlite3_open(stage->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(
		audit_open(stage->loop, stage->folder, &plain, stage->counters, &stage->audit), 0);
	struct ipc_flow second = flow(2, NOW + 1, "ann", "192.0.2.7");
	strcpy(second.listener, "inbound");
	secure(&second);
	add(stage, second);
	struct addr original = endpoint("203.0.113.99", 25).addr;
	filter.original = prefix_of(&original);
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 2);
	assert_string_equal(text_of(stage, 0, "gateway"), "203.0.113.1:50025");
	assert_string_equal(text_of(stage, 0, "tls_invalid_client_certificate"), "expired");
	assert_string_equal(text_of(stage, 1, "user"), "ann");
	assert_string_equal(text_of(stage, 1, "listener"), "null");
	assert_string_equal(text_of(stage, 1, "tls_invalid_client_certificate"), "null");
	strcpy(filter.listener, "inbound");
	assert_int_equal(ask(stage, &filter), 1);
	assert_string_equal(text_of(stage, 0, "flow"), "f-2");
}

static void test_a_database_without_logins_is_taken_over(void **state)
{
	struct stage *stage = *state;
	struct login_record good = login(LOGIN_ENDING_PASSED, "ann", 7);
	struct audit_filter filter = any();

	check_taken_over(stage, WITHOUT_TERMS "PRAGMA user_version=6");
	audit_login(stage->audit, &good);
	assert_int_equal(ask(stage, &filter), 3);
}

static void test_a_database_without_paths_is_taken_over(void **state)
{
	struct stage *stage = *state;

	check_taken_over(stage, WITHOUT_PATH "PRAGMA user_version=5");
	assert_string_equal(text_of(stage, 0, "path"), "relay");
}

static void test_a_database_without_sources_is_taken_over(void **state)
{
	struct stage *stage = *state;

	check_taken_over(stage, WITHOUT_SOURCE "PRAGMA user_version=4");
}

static void test_a_database_without_tls_is_taken_over(void **state)
{
	struct stage *stage = *state;

	check_taken_over(stage, WITHOUT_TLS "PRAGMA user_version=3");
}

static void test_a_database_of_before_is_taken_over(void **state)
{
	struct stage *stage = *state;

	check_taken_over(stage, WITHOUT_LISTENERS "PRAGMA user_version=2");
}

static void test_a_database_of_long_before_is_taken_over(void **state)
{
	struct stage *stage = *state;

	check_taken_over(stage,
		WITHOUT_LISTENERS "DROP INDEX record_original;"
				  "ALTER TABLE record DROP COLUMN gateway;"
				  "ALTER TABLE record DROP COLUMN gateway_port;"
				  "ALTER TABLE record DROP COLUMN reply; PRAGMA user_version=1");
	struct audit_filter filter = any();
	filter.whole = true;
	assert_int_equal(ask(stage, &filter), 2);
	assert_string_equal(text_of(stage, 0, "reply"), "250 2.0.0 Ok: queued as 4XyZ");
	assert_string_equal(text_of(stage, 1, "reply"), "null");
	assert_string_equal(text_of(stage, 1, "gateway"), "null");
}

/* With a count as argument: fills a database of so many records and tells how long each filter
 * takes. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(struct stage *stage, uint64_t count)
{
	uint32_t seed = 88675123;
	char text[48];

	for (uint64_t i = 1; i <= count; i++) {
		uint32_t who = next_random(&seed) % 20000;
		snprintf(text, sizeof(text), "198.51.%u.%u", who / 256, who % 256);
		struct ipc_flow record = flow(i, NOW + i * 20, "ann", text);
		snprintf(record.user, sizeof(record.user), "user%u", who);
		memcpy(record.mac.bytes + 2, &who, 4);
		record.session = who + 1;
		record.ending = next_random(&seed) % 100 ? ENDING_QUIT
							 : (uint16_t)(next_random(&seed) % ENDINGS);
		if (i == 1000) { /* once, long ago */
			strcpy(record.user, "rare");
			strcpy(record.zone, "lobby");
			record.client = endpoint("203.0.113.200", 40000);
		}
		if (next_random(&seed) % 1000 == 0)
			strcpy(record.rule, "seldom");
		add(stage, record);
		if (i % 5000 == 0)
			wait_for(stage, COUNTER_AUDIT_WRITTEN, i);
	}
	wait_for(stage, COUNTER_AUDIT_WRITTEN, count);
}

static void measure(struct stage *stage, const char *name, struct audit_filter filter)
{
	double worst = 0, best = 1e9;

	for (unsigned i = 0; i < 5; i++) {
		double begin = seconds();
		ask(stage, &filter);
		double took = seconds() - begin;
		worst = took > worst ? took : worst;
		best = took < best ? took : best;
	}
	printf("%-28s %3zu rows  %7.2f ms best  %7.2f ms worst\n", name, stage->answer.n,
		best * 1e3, worst * 1e3);
}

static struct audit_filter by_prefix(const char *text)
{
	struct audit_filter filter = any();

	prefix_parse(text, strlen(text), &filter.client);
	return filter;
}

static int soak(uint64_t count)
{
	struct audit_filter filter;
	struct stage *stage;
	void *state;

	setup(&state);
	stage = state;
	double begin = seconds();
	fill(stage, count);
	double took = seconds() - begin;
	printf("%llu records written in %.1f s, %.1f us each\n", (unsigned long long)count, took,
		took * 1e6 / (double)count);
	measure(stage, "none", any());
	filter = any();
	filter.id = count / 2;
	measure(stage, "id", filter);
	filter = any();
	filter.session = 777;
	measure(stage, "session", filter);
	filter = any();
	strcpy(filter.user, "user777");
	measure(stage, "user", filter);
	strcpy(filter.user, "rare");
	measure(stage, "user, once", filter);
	filter = any();
	strcpy(filter.user, "nobody");
	measure(stage, "user, never", filter);
	filter = any();
	strcpy(filter.zone, "guest");
	measure(stage, "zone", filter);
	strcpy(filter.zone, "lobby");
	measure(stage, "zone, once", filter);
	filter = any();
	strcpy(filter.rule, "seldom");
	measure(stage, "rule", filter);
	filter.ending = ending_names[ENDING_NO_SERVER];
	measure(stage, "rule, ending", filter);
	strcpy(filter.zone, "guest");
	strcpy(filter.server, "relay");
	measure(stage, "rule, ending, zone, server", filter);
	filter = any();
	strcpy(filter.server, "relay");
	measure(stage, "server", filter);
	filter = any();
	filter.verdict = POLICY_VERDICT_REDIRECT;
	measure(stage, "verdict", filter);
	filter.verdict = POLICY_VERDICT_DROP;
	measure(stage, "verdict, never", filter);
	filter = any();
	filter.ending = ending_names[ENDING_NO_SERVER];
	measure(stage, "ending", filter);
	measure(stage, "client", by_prefix("198.51.3.9"));
	measure(stage, "client /24", by_prefix("198.51.3.0/24"));
	measure(stage, "client /16, many", by_prefix("198.51.0.0/16"));
	measure(stage, "client /24, once", by_prefix("203.0.113.0/24"));
	measure(stage, "client /8, never", by_prefix("10.0.0.0/8"));
	filter = any();
	memcpy(filter.mac.bytes, (uint8_t[]){2, 0, 9, 3, 0, 0}, 6);
	measure(stage, "mac", filter);
	filter = any();
	filter.since_ms = NOW + count * 20 / 2;
	filter.until_ms = filter.since_ms + 10000;
	measure(stage, "since, until", filter);
	strcpy(filter.user, "user777");
	measure(stage, "since, until, user", filter);
	filter = any();
	filter.before = audit_row_key(NOW + count * 10, 0);
	strcpy(filter.zone, "guest");
	measure(stage, "zone, from the middle on", filter);
	teardown(&state);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_record_in_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_record_of_the_kernel_path, setup, teardown),
		cmocka_unit_test(test_the_line_of_the_log),
		cmocka_unit_test_setup_teardown(test_newest_first_page_by_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_privacy_keeps_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_audit_off_and_too_many_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cancelled_query_is_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_random_filters_agree_with_a_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_every_filter_goes_by_an_index_and_nothing_is_sorted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_records_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_size_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_was_not_logged_in_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_one_stranger_does_not_fill_the_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_left_out_stands_behind_what_a_record_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_login_in_full, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_wrong_logins_do_not_fill_the_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_logins_go_first, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_without_logins_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_one_user_does_not_fill_the_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_full_disk_loses_records_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_waits_at_the_end_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_at_the_end_no_record_is_lost_to_a_slow_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_that_cannot_be_had_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_without_tls_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_without_paths_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_without_sources_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_of_before_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_of_long_before_is_taken_over, setup, teardown),
	};

	log_init("test", true, POLICY_LOG_ERROR);
	if (argc > 1)
		return soak(strtoull(argv[1], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
