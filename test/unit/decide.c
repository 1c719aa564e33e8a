/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/decide.h"
#include "lib/base/hash.h"
#include "lib/language/language.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define MAC1   "02:00:5e:00:53:01"
#define MAC2   "02:00:5e:00:53:02"

/* 2026-06-01, a Monday, 12:00:00 in Berlin */
#define MONDAY_NOON 1780308000000u
#define HOUR        3600000u

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct decide_world world;
};

static void open_stage(struct stage *stage, const char *text)
{
	stage->policy = policy_of_text(text, NULL);
	stage->lists = lists_new();
	stage->sessions = session_table_new();
	stage->world = (struct decide_world){.policy = stage->policy,
		.lists = stage->lists,
		.sessions = stage->sessions,
		.local = localtime_r};
	assert_int_equal(
		session_table_set_devices(stage->sessions, stage->policy, stage->lists), 0);
}

static void close_stage(struct stage *stage)
{
	session_table_free(stage->sessions);
	lists_free(stage->lists);
	policy_unref(stage->policy);
}

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static void login(struct stage *stage, uint64_t id, const char *zone, const char *user,
	const char *group, const char *mac, const char *addr, uint64_t lease_end_ms)
{
	struct policy_string groups = string(group ? group : "");
	struct session_address address = {0};
	struct session session = {.id = id,
		.zone = string(zone),
		.user = string(user),
		.groups = &groups,
		.ngroups = group != NULL,
		.addresses = &address,
		.naddresses = addr != NULL,
		.lease_end_ms = lease_end_ms};

	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &session.mac), 0);
	if (addr)
		assert_int_equal(prefix_parse(addr, strlen(addr), &address.prefix), 0);
	assert_int_equal(session_table_put(stage->sessions, &session), 0);
}

static void list_add(struct stage *stage, const char *list, const char *text, uint64_t end_ms)
{
	struct policy_elem elem;

	assert_null(element_parse(POLICY_HOLDS_ADDRESSES, text, strlen(text), &elem));
	assert_int_equal(lists_add(stage->lists, list, &elem, end_ms), 0);
}

static struct decide_origin origin(
	const struct stage *stage, const char *zone, const char *mac, const char *addr)
{
	struct decide_origin out = {0};
	ptrdiff_t i = policy_find_zone(stage->policy, zone);

	assert_true(i >= 0);
	out.zone = (size_t)i;
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &out.mac), 0);
	assert_int_equal(addr_parse(addr, strlen(addr), &out.source), 0);
	return out;
}

static struct endpoint endpoint(const char *addr, uint16_t port)
{
	struct endpoint out = {.port = port};

	assert_int_equal(addr_parse(addr, strlen(addr), &out.addr), 0);
	return out;
}

static const char house[] =
	"zone guest { interface \"br-guest\" unauthenticated reject unmatched drop }\n"
	"zone staff { interface \"core0\" port 25, 2525 identity address unauthenticated pass\n"
	"  unmatched answer 421 \"nothing for you\" }\n"
	"list office { 192.0.2.128/28, 2001:db8:20:1::/64 }\n"
	"list cards { 02:00:5e:00:53:02 }\n"
	"list blocked dynamic\n"
	"list friends dynamic\n"
	"server relay { host 203.0.113.10 }\n"
	"server other { host 203.0.113.11 }\n"
	"device till { zone guest mac 02:00:5e:00:53:09 user \"till\" group \"devices\" }\n"
	"rule blocked { source blocked verdict answer 554 \"blocked\" }\n"
	"rule off { user any server other disabled }\n"
	"rule devices { group \"devices\" server other }\n"
	"rule direct { zone guest group \"direct\" server original }\n"
	"rule cards { zone guest source cards user not \"bob\" verdict pass }\n"
	"rule submission { zone staff port 2525 server other }\n"
	"rule office { zone staff source office destination not 198.51.100.0/24\n"
	"  schedule mon-fri 08:00-18:00 server relay }\n"
	"rule friends { zone staff destination friends verdict pass }\n"
	"rule sundays { zone staff user \"ann\" schedule sun verdict reject }\n"
	"rule guests { zone guest group not \"banned\" server relay }\n";

/* "rule server", "unmatched", "unauthenticated", as the decision is told in the tests. */
static const char *decided(const struct stage *stage, const struct decision *decision)
{
	static char text[160];

	switch (decision->reason) {
	case DECIDE_RULE:
		snprintf(text, sizeof(text), "%s %s %s",
			stage->policy->rules[decision->rule].name.text,
			policy_verdict_names[decision->verdict],
			decision->to_original   ? "original"
			: decision->server >= 0 ? stage->policy->servers[decision->server].name.text
						: "-");
		return text;
	case DECIDE_UNAUTHENTICATED:
		snprintf(text, sizeof(text), "unauthenticated %s",
			policy_verdict_names[decision->verdict]);
		return text;
	case DECIDE_UNMATCHED:
		snprintf(text, sizeof(text), "unmatched %s",
			policy_verdict_names[decision->verdict]);
		return text;
	case DECIDE_BLOCKED:
	case DECIDE_NEEDS_ENVELOPE:
	case DECIDE_NOT_ACCEPTED:
	case DECIDE_NO_RECIPIENT:
	case DECIDE_TLS:
	case DECIDE_NEEDS_NAME:
		break;
	}
	return "?";
}

static void test_the_first_rule_whose_conditions_all_hold(void **state)
{
	const uint64_t noon = MONDAY_NOON;
	const struct {
		const char *zone, *mac, *source, *destination;
		uint16_t port;
		uint64_t now_ms;
		const char *decided;
		unsigned fields;
		uint64_t until_ms;
	} cases[] = {
		{"guest", MAC1, "192.0.2.1", "198.51.100.1", 25, noon, "guests redirect relay",
			DECIDE_SESSION | DECIDE_SOURCE | DECIDE_TIME, noon + 8 * HOUR},
		{"guest", MAC1, "192.0.2.1", "198.51.100.1", 25, noon + 8 * HOUR,
			"unauthenticated reject", DECIDE_SESSION, 0},
		{"guest", "02:00:5e:00:53:77", "192.0.2.1", "198.51.100.1", 25, noon,
			"unauthenticated reject", DECIDE_SESSION, 0},
		{"guest", MAC2, "192.0.2.2", "198.51.100.1", 25, noon, "guests redirect relay",
			DECIDE_SESSION | DECIDE_SOURCE, 0},
		{"guest", "02:00:5e:00:53:03", "192.0.2.3", "198.51.100.1", 25, noon,
			"direct redirect original", DECIDE_SESSION | DECIDE_SOURCE, 0},
		{"guest", "02:00:5e:00:53:04", "192.0.2.4", "198.51.100.1", 25, noon,
			"unmatched drop", DECIDE_SESSION | DECIDE_SOURCE, 0},
		{"guest", "02:00:5e:00:53:09", "192.0.2.9", "198.51.100.1", 25, noon,
			"devices redirect other", DECIDE_SESSION | DECIDE_SOURCE, 0},
		{"guest", "02:00:5e:00:53:05", "192.0.2.66", "198.51.100.1", 25, noon,
			"blocked answer -", DECIDE_SESSION | DECIDE_SOURCE | DECIDE_TIME,
			noon + HOUR},
		{"guest", "02:00:5e:00:53:05", "192.0.2.66", "198.51.100.1", 25, noon + HOUR,
			"guests redirect relay", DECIDE_SESSION | DECIDE_SOURCE, 0},
		{"staff", NULL, "192.0.2.130", "203.0.113.99", 25, noon, "office redirect relay",
			DECIDE_SESSION | DECIDE_SOURCE | DECIDE_DESTINATION | DECIDE_PORT |
				DECIDE_TIME,
			noon + 6 * HOUR},
		/* the destination fails: the schedule does not matter */
		{"staff", NULL, "192.0.2.130", "198.51.100.9", 25, noon, "unmatched answer",
			DECIDE_SESSION | DECIDE_SOURCE | DECIDE_DESTINATION | DECIDE_PORT |
				DECIDE_TIME,
			0},
		{"staff", NULL, "192.0.2.130", "203.0.113.99", 25, noon + 6 * HOUR,
			"unmatched answer",
			DECIDE_SESSION | DECIDE_SOURCE | DECIDE_DESTINATION | DECIDE_PORT |
				DECIDE_TIME,
			noon + 20 * HOUR},
		{"staff", NULL, "192.0.2.130", "203.0.113.99", 2525, noon,
			"submission redirect other", DECIDE_SESSION | DECIDE_SOURCE | DECIDE_PORT,
			0},
		{"staff", NULL, "192.0.2.130", "203.0.113.7", 25, noon + 7 * HOUR, "friends pass -",
			DECIDE_SESSION | DECIDE_SOURCE | DECIDE_DESTINATION | DECIDE_PORT |
				DECIDE_TIME,
			noon + 9 * HOUR},
		{"staff", NULL, "192.0.2.200", "203.0.113.7", 25, noon + 10 * HOUR,
			"unauthenticated pass", DECIDE_SESSION, 0},
	};
	struct stage stage;

	(void)state;
	setenv("TZ", BERLIN, 1);
	tzset();
	open_stage(&stage, house);
	login(&stage, 1, "guest", "ann", NULL, MAC1, NULL, noon + 8 * HOUR);
	login(&stage, 2, "guest", "bob", NULL, MAC2, NULL, 0);
	login(&stage, 3, "guest", "cat", "direct", "02:00:5e:00:53:03", NULL, 0);
	login(&stage, 4, "guest", "dan", "banned", "02:00:5e:00:53:04", NULL, 0);
	login(&stage, 5, "guest", "eve", "other", "02:00:5e:00:53:05", NULL, 0);
	login(&stage, 6, "staff", "fay", NULL, NULL, "192.0.2.128/28", 0);
	list_add(&stage, "blocked", "192.0.2.66", noon + HOUR);
	list_add(&stage, "friends", "203.0.113.7", noon + 9 * HOUR);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decide_origin from =
			origin(&stage, cases[i].zone, cases[i].mac, cases[i].source);
		struct endpoint to = endpoint(cases[i].destination, cases[i].port);
		struct decision decision;
		decide_connection(&stage.world, &from, &to, cases[i].now_ms, &decision);
		const char *said = decided(&stage, &decision);
		if (strncmp(said, cases[i].decided, strlen(cases[i].decided)) != 0)
			fail_msg("case %zu: %s, not %s", i, said, cases[i].decided);
		if (decision.until_ms != cases[i].until_ms)
			fail_msg("case %zu: until %llu, not %llu", i,
				(unsigned long long)decision.until_ms,
				(unsigned long long)cases[i].until_ms);
		if (decision.fields != cases[i].fields)
			fail_msg(
				"case %zu: fields %x, not %x", i, decision.fields, cases[i].fields);
		assert_true(
			(decision.session == NULL) == (decision.reason == DECIDE_UNAUTHENTICATED));
		assert_true(
			(decision.act == NULL) == (decision.verdict == POLICY_VERDICT_REDIRECT));
	}
	close_stage(&stage);
}

struct client_case {
	const char *rules;
	bool cached;
	enum mark mark;
	uint64_t until_ms;
};

static void test_what_may_be_cached_for_a_client(void **state)
{
	const uint64_t noon = MONDAY_NOON;
	const struct client_case cases[] = {
		{"rule a { server one }", true, MARK_RELAY, 0},
		{"rule a { destination 198.51.100.0/24 verdict pass }\nrule b { server one }",
			false, MARK_RELAY, 0},
		/* two servers and a refusal are all the relay's */
		{"rule a { destination 198.51.100.0/24 server one }\n"
		 "rule b { destination not fills verdict answer \"no\" }\nrule c { server two }",
			true, MARK_RELAY, 0},
		{"rule a { destination fills verdict pass }\nrule b { server one }", false,
			MARK_RELAY, 0},
		/* no address can be in a list of MACs */
		{"rule a { destination cards verdict pass }\nrule b { server one }", true,
			MARK_RELAY, 0},
		{"rule a { destination not cards verdict pass }\nrule b { server one }", true,
			MARK_PASS, 0},
		{"rule a { port 25 verdict pass }\nrule b { server one }", false, MARK_RELAY, 0},
		{"rule a { port 25, 2525 verdict pass }\nrule b { server one }", true, MARK_PASS,
			0},
		{"rule a { port 26 verdict pass }\nrule b { server one }", true, MARK_RELAY, 0},
		{"rule a { port 25 verdict pass }\nrule b { server one zone one }", true, MARK_PASS,
			0},
		{"rule a { schedule 13:00-14:00 verdict pass }\nrule b { server one }", true,
			MARK_RELAY, noon + HOUR},
		{"rule a { schedule 11:00-14:00 verdict pass }\nrule b { server one }", true,
			MARK_PASS, noon + 2 * HOUR},
		/* it fails for another reason */
		{"rule a { user \"bob\" schedule 13:00-14:00 verdict pass }\n"
		 "rule b { server one }",
			true, MARK_RELAY, 0},
		{"rule a { source not ends verdict pass }\nrule b { server one }", true, MARK_RELAY,
			noon + 3 * HOUR},
		/* at 13:00 the source does not hold yet; from 15:00 on only the next day's 13:00 */
		{"rule a { source not ends schedule 13:00-14:00 verdict pass }\n"
		 "rule b { server one }",
			true, MARK_RELAY, noon + 3 * HOUR},
		{"rule a { source ends verdict drop }\nrule b { server one }", true, MARK_DROP,
			noon + 3 * HOUR},
		/* the cache of a zone with identity address does not know the MAC */
		{"rule a { source cards verdict pass }\nrule b { server one }", false, MARK_RELAY,
			0},
		{"rule a { source cards verdict answer \"no\" }\nrule b { server one }", true,
			MARK_RELAY, 0},
		{"rule a { source cards, 192.0.2.1 verdict pass }\nrule b { server one }", true,
			MARK_PASS, 0},
		{"rule a { source not cards, 192.0.2.1 verdict pass }\nrule b { server one }", true,
			MARK_RELAY, 0},
		{"rule a { source fills verdict pass }\nrule b { server one }", false, MARK_RELAY,
			0},
		{"rule a { destination 198.51.100.0/24 verdict reject }", true, MARK_REJECT, 0},
	};
	static const char head[] =
		"zone one { interface \"eth1\" identity address unmatched reject }\n"
		"zone two { interface \"eth2\" identity address port 25, 2525 unmatched reject }\n"
		"list cards { 02:00:5e:00:53:02 }\nlist fills dynamic\nlist ends dynamic\n"
		"server one { host 203.0.113.10 }\nserver two { host 203.0.113.11 }\n";
	char text[4096];

	(void)state;
	setenv("TZ", BERLIN, 1);
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool one = strstr(cases[i].rules, "zone one") != NULL;
		enum mark mark;
		uint64_t until_ms;
		struct stage stage;
		snprintf(text, sizeof(text), "%s%s\n", head, cases[i].rules);
		open_stage(&stage, text);
		login(&stage, 1, "one", "ann", NULL, NULL, "192.0.2.1", 0);
		login(&stage, 2, "two", "ann", NULL, NULL, "192.0.2.1", 0);
		list_add(&stage, "ends", "192.0.2.1", noon + 3 * HOUR);
		struct decide_origin from = origin(&stage, one ? "one" : "two", NULL, "192.0.2.1");
		bool cached = decide_client(&stage.world, &from, noon, &mark, &until_ms, NULL);
		if (cached != cases[i].cached)
			fail_msg("case %zu: cached is %d", i, cached);
		if (cached && (mark != cases[i].mark || until_ms != cases[i].until_ms))
			fail_msg("case %zu: verdict %d until %llu", i, mark,
				(unsigned long long)until_ms);
		close_stage(&stage);
	}
}

static void test_a_lease_bounds_what_is_cached(void **state)
{
	enum mark mark;
	uint64_t until_ms;
	struct stage stage;

	(void)state;
	open_stage(&stage, house);
	login(&stage, 1, "guest", "ann", NULL, MAC1, NULL, 5000);
	struct decide_origin from = origin(&stage, "guest", MAC1, "192.0.2.1");
	assert_true(decide_client(&stage.world, &from, 4999, &mark, &until_ms, NULL));
	assert_int_equal(mark, MARK_RELAY);
	assert_int_equal(until_ms, 5000);
	assert_true(decide_client(&stage.world, &from, 5000, &mark, &until_ms, NULL));
	assert_int_equal(mark, MARK_REJECT);
	assert_int_equal(until_ms, 0);
	close_stage(&stage);
}

static void gather(void *context, const char *text)
{
	char *all = context;

	assert_null(strchr(text, '\n'));
	strcat(all, text);
	strcat(all, "\n");
}

static void explain(struct stage *stage, struct decide_origin from, const char *destination,
	uint16_t port, const char *told)
{
	struct endpoint to = endpoint(destination, port);
	struct decision decision, again;
	char all[8192] = "";

	decide_explain(&stage->world, &from, &to, MONDAY_NOON, &decision, gather, all);
	decide_connection(&stage->world, &from, &to, MONDAY_NOON, &again);
	assert_int_equal(decision.verdict, again.verdict);
	assert_int_equal(decision.rule, again.rule);
	assert_int_equal(decision.fields, again.fields);
	assert_int_equal(decision.until_ms, again.until_ms);
	assert_string_equal(all, told);
}

static void test_explain_tells_each_step(void **state)
{
	struct stage stage;

	(void)state;
	setenv("TZ", BERLIN, 1);
	tzset();
	open_stage(&stage, house);
	login(&stage, 6, "staff", "fay", "desk", NULL, "192.0.2.128/28", MONDAY_NOON + HOUR);
	login(&stage, 7, "guest", "bob", NULL, MAC2, NULL, MONDAY_NOON);
	explain(&stage, origin(&stage, "staff", NULL, "192.0.2.130"), "198.51.100.9", 25,
		"client 192.0.2.130, no MAC seen in zone staff, which goes by address\n"
		"session: 6 of user \"fay\" by cli, groups \"desk\", lease until Mon 2026-06-01 "
		"13:00:00\n"
		"rule blocked: no, source 192.0.2.130 is not in list blocked\n"
		"rule off: no, it is disabled\n"
		"rule devices: no, user \"fay\" is in none of the groups \"devices\"\n"
		"rule direct: no, zone staff is not among \"guest\"\n"
		"rule cards: no, zone staff is not among \"guest\"\n"
		"rule submission: no, port 25 is not among 2525\n"
		"rule office: no, destination 198.51.100.9 is in 198.51.100.0/24\n"
		"rule friends: no, destination 198.51.100.9 is not in list friends\n"
		"rule sundays: no, user \"fay\" is not among \"ann\"\n"
		"rule guests: no, zone staff is not among \"guest\"\n"
		"no rule takes it\n"
		"verdict: as zone staff says when no rule matches, answer 421 \"nothing for "
		"you\"; holds until Mon 2026-06-01 13:00:00\n");
	explain(&stage, origin(&stage, "guest", "02:00:5e:00:53:09", "192.0.2.9"), "198.51.100.9",
		25,
		"client 192.0.2.9 with MAC 02:00:5e:00:53:09 in zone guest, which goes by MAC\n"
		"session: device of user \"till\", groups \"devices\"\n"
		"rule blocked: no, source 192.0.2.9 is not in list blocked\n"
		"rule off: no, it is disabled\n"
		"rule devices: yes\n"
		"verdict: redirect to server other\n");
	explain(&stage, origin(&stage, "guest", MAC2, "192.0.2.9"), "198.51.100.9", 25,
		"client 192.0.2.9 with MAC 02:00:5e:00:53:02 in zone guest, which goes by MAC\n"
		"session: 7 of user \"bob\" by cli, but its lease was over at Mon 2026-06-01 "
		"12:00:00\n"
		"verdict: as zone guest says for unauthenticated clients, reject\n");
	explain(&stage, origin(&stage, "guest", MAC1, "192.0.2.9"), "198.51.100.9", 25,
		"client 192.0.2.9 with MAC 02:00:5e:00:53:01 in zone guest, which goes by MAC\n"
		"session: none\n"
		"verdict: as zone guest says for unauthenticated clients, reject\n");
	close_stage(&stage);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static const char *one_of(uint32_t *seed, const char *const *words, size_t n)
{
	return words[next_random(seed) % n];
}
#define ONE_OF(seed, words) one_of(seed, words, sizeof(words) / sizeof((words)[0]))

/* A rule of conditions drawn at random, some of them left out. */
static size_t random_rule(uint32_t *seed, unsigned number, char *at, size_t room)
{
	static const char *const zones[] = {"zone one", "zone two", "zone one, two", "", ""};
	static const char *const users[] = {
		"user \"ann\"", "user not \"ann\"", "user any", "", "", "user \"bob\", \"cat\""};
	static const char *const groups[] = {
		"group \"g\"", "group not \"g\"", "group \"g\", \"h\"", "", "", ""};
	static const char *const ports[] = {"port 25", "port 2525", "port 25, 2525", "", "", ""};
	static const char *const sources[] = {"source 192.0.2.0/30", "source not 192.0.2.1",
		"source d1", "source not d1", "source d1, d2", "source not d1, 192.0.2.2",
		"source 02:00:5e:00:53:01", "source s2, 192.0.2.3", "source s2, m1", "source any",
		"", "", ""};
	static const char *const destinations[] = {"destination 198.51.100.0/25",
		"destination not 198.51.100.0/25", "destination d2", "destination not d2",
		"destination s1", "destination not s1", "destination m1", "destination not m1",
		"destination any", "", "", "", "", "", ""};
	static const char *const schedules[] = {"schedule 02:10-02:50",
		"schedule mon-fri 08:00-18:00", "schedule 22:00-03:30", "schedule sat-mon",
		"schedule sun 00:00-03:00, fri", "", "", "", ""};
	static const char *const acts[] = {"server one", "server one",
		"server one limit flows 5 per client", "server two", "server original",
		"verdict pass", "verdict reject", "verdict drop", "verdict answer \"no\""};

	return (size_t)snprintf(at, room, "rule r%u { %s %s %s %s %s %s %s %s %s }\n", number,
		ONE_OF(seed, zones), ONE_OF(seed, users), ONE_OF(seed, groups), ONE_OF(seed, ports),
		ONE_OF(seed, sources), ONE_OF(seed, destinations), ONE_OF(seed, schedules),
		ONE_OF(seed, acts), next_random(seed) % 9 ? "" : "disabled");
}

static void random_stage(uint32_t *seed, struct stage *stage, uint64_t now_ms, bool destinations)
{
	static const char head[] =
		"zone one { interface \"eth1\" identity mac unauthenticated drop }\n"
		"zone two { interface \"eth2\" identity address port 25, 2525 unmatched pass }\n"
		"list d1 dynamic\nlist d2 dynamic\nlist s1 { 198.51.100.64/26 }\n"
		"list m1 { 02:00:5e:00:53:01 }\n"
		"list s2 { 192.0.2.2, 2001:db8:1::/48 }\n"
		"server one { host 203.0.113.10 path kernel }\n"
		"server two { host 203.0.113.11 }\n"
		"device d { zone two address d1 user \"dev\" group \"h\" }\n";
	/* known by its MAC alone, also where identity is address */
	static const char card[] =
		"device card { zone two mac 02:00:5e:00:53:02 user \"card\" group \"g\" }\n";
	static const char *const elems[] = {"192.0.2.0/29", "192.0.2.1", "192.0.2.2", "192.0.2.3",
		"198.51.100.0/26", "198.51.100.7", "02:00:5e:00:53:01", "02:00:5e:00:53:02"};
	static const char *const users[] = {"ann", "bob", "cat", "dan"};
	static const char *const groups[] = {"g", "h", NULL};
	char text[8192];
	size_t len = (size_t)snprintf(
		text, sizeof(text), "%s%s", head, next_random(seed) % 3 ? "" : card);

	for (unsigned i = next_random(seed) % 8; i > 0;) {
		size_t before = len;
		len += random_rule(seed, i, text + len, sizeof(text) - len);
		bool deciding =
			strstr(text + before, "destination ") || strstr(text + before, "port ");
		if (destinations || !deciding)
			i--;
		else
			len = before;
	}
	text[len] = '\0';
	open_stage(stage, text);
	for (unsigned i = next_random(seed) % 6; i > 0; i--)
		list_add(stage, next_random(seed) & 1 ? "d1" : "d2", ONE_OF(seed, elems),
			next_random(seed) & 1 ? now_ms + next_random(seed) % (6 * HOUR) + 1 : 0);
	for (unsigned i = 1; i <= 2; i++) {
		uint64_t lease =
			next_random(seed) % 3 ? 0 : now_ms - HOUR + next_random(seed) % (12 * HOUR);
		char address[32];
		snprintf(address, sizeof(address), "192.0.2.%u", next_random(seed) % 3 + 1);
		login(stage, i, i == 1 ? "one" : "two", ONE_OF(seed, users), ONE_OF(seed, groups),
			i == 1 ? MAC1 : NULL, address, lease);
	}
	assert_int_equal(
		session_table_set_devices(stage->sessions, stage->policy, stage->lists), 0);
}

static struct endpoint random_original(uint32_t *seed, size_t zone)
{
	struct endpoint to = endpoint("198.51.100.0", 25);

	to.addr.bytes[3] = (uint8_t)next_random(seed);
	if (zone == 1 && next_random(seed) & 1)
		to.port = 2525;
	return to;
}

static void wrong(const struct stage *stage, const char *what, uint64_t now_ms, uint64_t at_ms)
{
	char *text = language_print(stage->policy, LANGUAGE_PRINT_CANONICAL, NULL);

	fail_msg("%s, asked at %llu, at %llu:\n%s", what, (unsigned long long)now_ms,
		(unsigned long long)at_ms, text);
}

/* The short forms of the rules change nothing but the time it takes. */
static void check_summaries(const struct stage *stage, const struct decide_origin *from,
	const struct endpoint *to, uint64_t now_ms)
{
	const struct decide_summary *summaries = stage->policy->summaries;
	struct decision with, without;

	decide_connection(&stage->world, from, to, now_ms, &with);
	stage->policy->summaries = NULL;
	decide_connection(&stage->world, from, to, now_ms, &without);
	stage->policy->summaries = summaries;
	if (with.rule != without.rule || with.reason != without.reason ||
		with.until_ms != without.until_ms)
		wrong(stage, "a summary was wrong", now_ms, now_ms);
}

static unsigned kernel_paths; /* that were found */

/* Does the connection go the way that the kernel has for all of the client's? */
static bool goes(const struct policy *policy, const struct decision *decision, enum mark mark,
	const struct decide_path *path)
{
	if (mark != MARK_KERNEL)
		return decide_mark_of(decision->verdict) == mark;
	if (decision->verdict != POLICY_VERDICT_REDIRECT || decision->server != path->server ||
		decision->reason != DECIDE_RULE)
		return false;
	const struct policy_limits *limits = &policy->rules[decision->rule].limits;
	return path->flows == (limits->n ? limits->v[0].count : 0);
}

/* Neither the kernel's cache nor a decision kept is ever wrong before its time is over. */
static void check_client(uint32_t *seed, const struct stage *stage, uint64_t now_ms, bool certain)
{
	static const char *const macs[] = {MAC1, MAC2, NULL};
	char source[32];
	snprintf(source, sizeof(source), "192.0.2.%u", next_random(seed) % 4 + 1);
	struct decide_origin from =
		origin(stage, next_random(seed) & 1 ? "one" : "two", ONE_OF(seed, macs), source);
	enum mark mark = MARK_DROP;
	uint64_t until_ms = 0;
	struct decide_path path = {-1, 0};
	bool cached = decide_client(&stage->world, &from, now_ms, &mark, &until_ms, &path);

	if (cached && mark == MARK_KERNEL)
		kernel_paths++;
	if (certain && !cached && from.zone == 0)
		wrong(stage, "not cached without need", now_ms, now_ms);
	for (unsigned i = 0; i < 12; i++) {
		struct endpoint to = random_original(seed, from.zone);
		struct decision first, later;
		if (from.zone == 1) /* identity address: the cache does not know the MAC */
			from.mac = origin(stage, "two", ONE_OF(seed, macs), source).mac;
		check_summaries(stage, &from, &to, now_ms);
		decide_connection(&stage->world, &from, &to, now_ms, &first);
		if (cached && !goes(stage->policy, &first, mark, &path))
			wrong(stage, "cached wrong", now_ms, now_ms);
		uint64_t reach = 60 * HOUR;
		uint64_t shared = until_ms ? until_ms - now_ms : reach;
		uint64_t at_ms = now_ms + next_random(seed) % shared;
		if (i == 0)
			at_ms = now_ms + shared - 1;
		decide_connection(&stage->world, &from, &to, at_ms, &later);
		if (cached && !goes(stage->policy, &later, mark, &path))
			wrong(stage, "cached too long", now_ms, at_ms);
		uint64_t own = first.until_ms ? first.until_ms - now_ms : reach;
		at_ms = now_ms + (i % 2 ? own - 1 : next_random(seed) % own);
		decide_connection(&stage->world, &from, &to, at_ms, &later);
		if (later.rule != first.rule || later.reason != first.reason ||
			later.session != first.session)
			wrong(stage, "decided for too long", now_ms, at_ms);
	}
}

static void test_the_cache_agrees_with_every_connection(void **state)
{
	/* around both changes of the clock in 2026, and midsummer */
	static const uint64_t around[] = {1774659600000, 1792890000000 - 20 * HOUR, MONDAY_NOON};
	uint32_t seed = 1812433253;

	(void)state;
	setenv("TZ", BERLIN, 1);
	tzset();
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t now_ms = around[i % 3] + next_random(&seed) % (24 * HOUR);
		bool destinations = i % 4 != 0;
		struct stage stage;
		random_stage(&seed, &stage, now_ms, destinations);
		for (unsigned c = 0; c < 4; c++)
			check_client(&seed, &stage, now_ms, !destinations);
		close_stage(&stage);
	}
	assert_true(kernel_paths > 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_rule_whose_conditions_all_hold),
		cmocka_unit_test(test_what_may_be_cached_for_a_client),
		cmocka_unit_test(test_a_lease_bounds_what_is_cached),
		cmocka_unit_test(test_explain_tells_each_step),
		cmocka_unit_test(test_the_cache_agrees_with_every_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
