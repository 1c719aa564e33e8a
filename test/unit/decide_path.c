/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which clients the kernel itself may lead to their server. */
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAC1 "02:00:5e:00:53:01"

/* 2026-06-01, a Monday, 12:00:00 UTC */
#define NOON 1780315200000u
#define HOUR 3600000u

/* Zone two goes by address and has two ports, zone one has neither. */
static const char head[] =
	"zone one { interface \"eth1\" unauthenticated pass unmatched reject }\n"
	"zone two { interface \"eth2\" identity address port 25, 2525 unmatched answer \"no\" }\n"
	"list cards { 02:00:5e:00:53:02 }\nlist fills dynamic\n"
	"server fast { host 203.0.113.10 path kernel }\n"
	"server quick { host 203.0.113.12 path kernel }\n"
	"server slow { host 203.0.113.11 path relay }\n";

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct blocks *blocks;
	struct decide_world world;
	struct decide_origin origin;
};

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static void login(struct stage *stage, uint64_t id, const char *zone, const char *user,
	const char *mac, const char *addr)
{
	struct policy_string groups = string("guests");
	struct session_address address = {0};
	struct session session = {.id = id,
		.zone = string(zone),
		.user = string(user),
		.groups = &groups,
		.ngroups = 1,
		.addresses = &address,
		.naddresses = addr != NULL};

	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &session.mac), 0);
	if (addr)
		assert_int_equal(prefix_parse(addr, strlen(addr), &address.prefix), 0);
	assert_int_equal(session_table_put(stage->sessions, &session), 0);
}

static void open_stage(struct stage *stage, const char *rules, const char *zone)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s\n", head, rules);
	*stage = (struct stage){.policy = policy_of_text(text, NULL),
		.lists = lists_new(),
		.sessions = session_table_new(),
		.blocks = blocks_new()};
	stage->world = (struct decide_world){.policy = stage->policy,
		.lists = stage->lists,
		.sessions = stage->sessions,
		.blocks = stage->blocks,
		.local = gmtime_r};
	stage->origin.zone = (size_t)policy_find_zone(stage->policy, zone);
	assert_int_equal(mac_parse(MAC1, strlen(MAC1), &stage->origin.mac), 0);
	assert_int_equal(addr_parse("192.0.2.1", 9, &stage->origin.source), 0);
	login(stage, 1, "one", "ann", MAC1, NULL);
	login(stage, 2, "two", "ann", NULL, "192.0.2.1");
}

static void close_stage(struct stage *stage)
{
	blocks_free(stage->blocks);
	session_table_free(stage->sessions);
	lists_free(stage->lists);
	policy_unref(stage->policy);
}

/* "kernel fast 5", "relay", "pass until 3 h"; "asked" is what cannot be kept. */
static void outcome(struct stage *stage, char *text, size_t size)
{
	static const char *const words[MARKS] = {[MARK_RELAY] = "relay",
		[MARK_PASS] = "pass",
		[MARK_REJECT] = "reject",
		[MARK_DROP] = "drop",
		[MARK_KERNEL] = "kernel"};
	enum mark mark;
	uint64_t until_ms;
	struct decide_path path = {-1, 99};
	bool cached = decide_client(&stage->world, &stage->origin, NOON, &mark, &until_ms, &path);
	size_t len = (size_t)snprintf(text, size, "%s", cached ? words[mark] : "asked");

	if (cached && mark == MARK_KERNEL)
		len += (size_t)snprintf(text + len, size - len, " %s %u",
			stage->policy->servers[path.server].name.text, path.flows);
	else if (cached && (path.server != -1 || path.flows))
		fail_msg("%s, and a path", text);
	if (cached && until_ms)
		snprintf(text + len, size - len, " for %u h", (unsigned)((until_ms - NOON) / HOUR));
	/* who wants none is told of the relay */
	if (decide_client(&stage->world, &stage->origin, NOON, &mark, &until_ms, NULL) != cached ||
		mark == MARK_KERNEL)
		fail_msg("%s, but not without a path", text);
}

static const struct {
	const char *zone, *rules, *outcome;
} cases[] = {
	{"one", "rule a { server fast }", "kernel fast 0"},
	{"one", "rule a { server slow }", "relay"},
	{"one", "rule a { server original }", "relay"},
	{"one", "rule a { verdict pass }\nrule b { server fast }", "pass"},
	{"one", "rule a { server fast limit flows 7 per client }", "kernel fast 7"},
	{"one", "rule a { server fast limit none }", "kernel fast 0"},
	{"one", "rule a { server fast audit off }", "kernel fast 0"},
	/* the destination decides */
	{"one", "rule a { destination 198.51.100.0/24 server slow }\nrule b { server fast }",
		"relay"},
	{"one", "rule a { destination 198.51.100.0/24 server quick }\nrule b { server fast }",
		"relay"},
	{"one", "rule a { destination 198.51.100.0/24 server fast }", "asked"},
	{"one",
		"rule a { destination 198.51.100.0/24 verdict answer \"no\" }\n"
		"rule b { server fast }",
		"relay"},
	{"one", "rule a { destination 198.51.100.0/24 verdict pass }\nrule b { server fast }",
		"asked"},
	{"one",
		"rule a { destination 198.51.100.0/24 server slow }\n"
		"rule b { destination not 198.51.100.0/25 verdict pass }\nrule c { server fast }",
		"asked"},
	/* and nothing hangs on it where all leads to one server */
	{"one", "rule a { destination 198.51.100.0/24 server fast }\nrule b { server fast }",
		"kernel fast 0"},
	/* but each rule counts for itself */
	{"one",
		"rule a { destination 198.51.100.0/24 server fast limit flows 7 per client }\n"
		"rule b { server fast limit flows 7 per client }",
		"relay"},
	{"one",
		"rule a { destination 198.51.100.0/24 server fast limit flows 7 per client }\n"
		"rule b { server fast }",
		"relay"},
	/* ports of a zone that has one, and of one that has two */
	{"one", "rule a { port 25 server fast }", "kernel fast 0"},
	{"one", "rule a { port 2525 server slow }\nrule b { server fast }", "kernel fast 0"},
	{"two", "rule a { port 2525 server slow }\nrule b { server fast }", "relay"},
	{"two", "rule a { port 25, 2525 server fast }", "kernel fast 0"},
	{"two", "rule a { port 25 server fast }", "relay"},
	/* the MAC, where clients go by address */
	{"one", "rule a { source cards server slow }\nrule b { server fast }", "kernel fast 0"},
	{"two", "rule a { source cards server slow }\nrule b { server fast }", "relay"},
	{"two", "rule a { source cards server fast }\nrule b { server fast }", "kernel fast 0"},
	{"two", "rule a { source fills server slow }\nrule b { server fast }", "relay"},
	{"one", "rule a { source fills server slow }\nrule b { server fast }", "kernel fast 0"},
	/* sessions and their groups */
	{"one", "rule a { user \"bob\" server slow }\nrule b { group \"guests\" server fast }",
		"kernel fast 0"},
	{"one", "rule a { group not \"guests\" server fast }\nrule b { server slow }", "relay"},
	/* time */
	{"one", "rule a { schedule 11:00-15:00 server fast }\nrule b { server slow }",
		"kernel fast 0 for 3 h"},
	{"one", "rule a { schedule 16:00-18:00 server slow }\nrule b { server fast }",
		"kernel fast 0 for 4 h"},
	{"one", "rule a { schedule 11:00-15:00 server slow }\nrule b { server fast }",
		"relay for 3 h"},
	/* messages */
	{"one",
		"rule a { recipient \"a@b.example\" verdict answer \"no\" }\nrule b { server fast "
		"}",
		"relay"},
	{"one",
		"rule a { group \"others\" recipient \"a@b.example\" verdict answer \"no\" }\n"
		"rule b { server fast }",
		"kernel fast 0"},
	{"one",
		"rule a { destination 198.51.100.0/24 sender \"@b.example\" server slow }\n"
		"rule b { server fast }",
		"relay"},
};

static void test_what_all_goes_to_one_server_is_the_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage stage;
		char text[128];
		open_stage(&stage, cases[i].rules, cases[i].zone);
		outcome(&stage, text, sizeof(text));
		if (strcmp(text, cases[i].outcome) != 0)
			fail_msg("zone %s, %s: %s", cases[i].zone, cases[i].rules, text);
		close_stage(&stage);
	}
}

static const struct {
	const char *zone, *rules, *why;
} reasons[] = {
	{"one", "rule a { server fast }", ""},
	{"one", "rule a { server slow }", ""},
	{"one", "rule a { server slow }\nrule b { server fast }", ""},
	{"one", "rule a { destination 198.51.100.0/24 server slow }\nrule b { server fast }",
		"rule a asks for the destination"},
	{"one", "rule a { destination 198.51.100.0/24 server fast }\nrule b { server slow }",
		"rule a asks for the destination"},
	{"one", "rule a { destination 198.51.100.0/24 verdict pass }\nrule b { server fast }",
		"rule a asks for the destination"},
	{"one", "rule a { destination 198.51.100.0/24 server fast }",
		"rule a asks for the destination"},
	{"one",
		"rule a { destination 198.51.100.0/25 server fast }\n"
		"rule b { destination 198.51.100.0/24 server slow }\nrule c { server fast }",
		"rule b asks for the destination"},
	{"one", "rule a { destination 198.51.100.0/24 server fast }\nrule b { server fast }", ""},
	{"one",
		"rule a { destination 198.51.100.0/24 server fast limit flows 7 per client }\n"
		"rule b { server fast limit flows 7 per client }",
		"rule a asks for the destination, and it and rule b count flows each for itself"},
	{"two", "rule a { port 2525 server slow }\nrule b { server fast }",
		"rule a asks for the port"},
	{"two", "rule a { source cards server slow }\nrule b { server fast }",
		"rule a asks for the MAC, by which its zone does not go"},
	{"one",
		"rule a { recipient \"a@b.example\" verdict answer \"no\" }\n"
		"rule b { server fast }",
		"messages decide, by rule a: recipient"},
	{"one",
		"rule a { destination 198.51.100.0/24 sender \"@b.example\" server slow }\n"
		"rule b { server fast }",
		"messages decide, by rule a: sender"},
	{"one",
		"rule a { group \"others\" recipient \"a@b.example\" verdict answer \"no\" }\n"
		"rule b { server fast }",
		""},
};

static void test_why_the_relay_carries_it_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct stage stage;
		char why[DECIDE_WHY_SIZE];
		open_stage(&stage, reasons[i].rules, reasons[i].zone);
		decide_why_relay(&stage.world, &stage.origin, NOON, why);
		if (strcmp(why, reasons[i].why) != 0)
			fail_msg("zone %s, %s: %s", reasons[i].zone, reasons[i].rules, why);
		close_stage(&stage);
	}
}

static void expect(struct stage *stage, const char *wanted, const char *why)
{
	char text[128], said[DECIDE_WHY_SIZE];

	outcome(stage, text, sizeof(text));
	assert_string_equal(text, wanted);
	assert_string_equal(decide_why_relay(&stage->world, &stage->origin, NOON, said), why);
}

static void test_who_has_no_session_is_not_led(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "rule a { server fast }", "one");
	stage.origin.mac.bytes[5] = 0x77;
	expect(&stage, "pass", "");
	close_stage(&stage);
	open_stage(&stage, "rule a { server fast }", "two");
	addr_parse("192.0.2.2", 9, &stage.origin.source);
	expect(&stage, "relay", "");
	close_stage(&stage);
}

/* In a zone by address it may turn out to be whoever is known by his MAC alone. */
static void test_sessions_by_mac_go_the_same_way_or_the_relay_looks(void **state)
{
	static const char rules[] = "rule a { user \"card\" server slow }\n"
				    "rule b { user \"key\" server fast }\n"
				    "rule c { user \"pass\" verdict pass }\nrule d { server fast }";
	struct stage stage;

	(void)state;
	open_stage(&stage, rules, "two");
	expect(&stage, "kernel fast 0", "");
	login(&stage, 8, "two", "key", "02:00:5e:00:53:08", NULL);
	expect(&stage, "kernel fast 0", "");
	login(&stage, 9, "two", "card", "02:00:5e:00:53:09", NULL);
	expect(&stage, "relay",
		"it may be user \"card\", who is known by the MAC alone and goes another way");
	close_stage(&stage);
	open_stage(&stage, rules, "two");
	login(&stage, 10, "two", "pass", "02:00:5e:00:53:0a", NULL);
	expect(&stage, "asked",
		"it may be user \"pass\", who is known by the MAC alone and goes another way");
	close_stage(&stage);
}

static void block(struct stage *stage, const char *zone, const char *mac)
{
	struct block what = {.kind = BLOCK_MAC, .code = 421, .text = "blocked"};

	snprintf(what.zone, sizeof(what.zone), "%s", zone);
	assert_int_equal(mac_parse(mac, strlen(mac), &what.mac), 0);
	assert_int_equal(blocks_put(stage->blocks, &what), 0);
}

static void test_a_blocked_mac_is_seen_by_the_relay(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, "rule a { server fast }", "one");
	block(&stage, "one", "02:00:5e:00:53:02");
	expect(&stage, "kernel fast 0", "");
	block(&stage, "one", MAC1);
	expect(&stage, "relay", "");
	close_stage(&stage);
	open_stage(&stage, "rule a { server fast }", "two");
	block(&stage, "two", "02:00:5e:00:53:02");
	expect(&stage, "relay", "a MAC is blocked in zone two, whose clients go by their address");
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_all_goes_to_one_server_is_the_kernels),
		cmocka_unit_test(test_why_the_relay_carries_it_is_told),
		cmocka_unit_test(test_who_has_no_session_is_not_led),
		cmocka_unit_test(test_sessions_by_mac_go_the_same_way_or_the_relay_looks),
		cmocka_unit_test(test_a_blocked_mac_is_seen_by_the_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
