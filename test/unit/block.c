/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/block.h"
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"
#include "test/lib/policy_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW  1780308000000u
#define HOUR 3600000u
#define MAC1 "02:00:5e:00:53:01"
#define MAC2 "02:00:5e:00:53:02"

/* "user ann", "mac M" or "address A|P". */
static struct block make(const char *kind, const char *who, const char *zone, uint64_t until_ms)
{
	struct block block = {.code = 421, .since_ms = NOW, .until_ms = until_ms};

	snprintf(block.zone, sizeof(block.zone), "%s", zone);
	snprintf(block.text, sizeof(block.text), "%s %s %s", kind, who, zone);
	if (strcmp(kind, "user") == 0) {
		block.kind = BLOCK_USER;
		snprintf(block.user, sizeof(block.user), "%s", who);
	} else if (strcmp(kind, "mac") == 0) {
		block.kind = BLOCK_MAC;
		assert_int_equal(mac_parse(who, strlen(who), &block.mac), 0);
	} else {
		block.kind = BLOCK_ADDRESS;
		assert_int_equal(prefix_parse(who, strlen(who), &block.prefix), 0);
	}
	return block;
}

static void put(struct blocks *blocks, const char *kind, const char *who, const char *zone,
	uint64_t until_ms)
{
	struct block block = make(kind, who, zone, until_ms);

	assert_int_equal(blocks_put(blocks, &block), 0);
}

static const char *match(const struct blocks *blocks, const char *zone, const char *user,
	const char *mac_text, const char *addr_text, uint64_t now_ms)
{
	struct mac mac = {0};
	struct addr addr;

	if (mac_text)
		assert_int_equal(mac_parse(mac_text, strlen(mac_text), &mac), 0);
	assert_int_equal(addr_parse(addr_text, strlen(addr_text), &addr), 0);
	const struct block *found =
		blocks_match(blocks, zone, user, POLICY_SOURCE_SESSION, &mac, &addr, now_ms);
	return found ? found->text : "none";
}

static void test_a_user_is_blocked_by_source(void **state)
{
	struct blocks *blocks = blocks_new();
	struct addr addr = {.family = ADDR_IP4};
	const struct {
		const char *user;
		enum policy_source source;
		bool blocked;
	} cases[] = {
		{"ann", POLICY_SOURCE_SESSION, true},
		{"ann", POLICY_SOURCE_DEVICE, true},
		{"ann", POLICY_SOURCE_AUTH, true},
		{"bob", POLICY_SOURCE_AUTH, true},
		{"bob", POLICY_SOURCE_SESSION, false},
		{"till", POLICY_SOURCE_DEVICE, true},
		{"till", POLICY_SOURCE_AUTH, false},
		{"auth:bob", POLICY_SOURCE_AUTH, false},
	};

	(void)state;
	put(blocks, "user", "ann", "", 0);
	put(blocks, "user", "auth:bob", "", 0);
	put(blocks, "user", "device:till", "", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!!blocks_match(blocks, "", cases[i].user, cases[i].source, NULL, &addr, NOW) !=
			cases[i].blocked)
			fail_msg("%s of %s", cases[i].user, policy_source_names[cases[i].source]);
	blocks_free(blocks);
}

static void test_whom_a_block_holds_for(void **state)
{
	struct blocks *blocks = blocks_new();
	const struct {
		const char *zone, *user, *mac, *addr;
		uint64_t now_ms;
		const char *block;
	} cases[] = {
		{"guest", "ann", NULL, "192.0.2.1", NOW, "user ann "},
		{"staff", "ann", MAC2, "203.0.113.1", NOW, "user ann "},
		{"guest", "anna", NULL, "192.0.2.1", NOW, "none"},
		{"guest", NULL, MAC1, "192.0.2.1", NOW, "none"},
		/* in one zone alone */
		{"guest", "bob", NULL, "192.0.2.1", NOW, "user bob guest"},
		{"staff", "bob", NULL, "203.0.113.1", NOW, "none"},
		/* that of the zone before that of all */
		{"guest", "cat", NULL, "192.0.2.1", NOW, "user cat guest"},
		{"staff", "cat", NULL, "203.0.113.1", NOW, "user cat "},
		/* user before MAC before address */
		{"guest", "ann", MAC2, "192.0.2.66", NOW, "user ann "},
		{"guest", "dan", MAC2, "192.0.2.66", NOW, "mac " MAC2 " "},
		{"guest", NULL, MAC1, "192.0.2.66", NOW, "address 192.0.2.66 "},
		/* the longest prefix that holds for the zone */
		{"guest", NULL, NULL, "192.0.2.67", NOW, "address 192.0.2.64/28 guest"},
		{"staff", NULL, NULL, "192.0.2.67", NOW, "address 192.0.2.0/24 staff"},
		{"guest", NULL, NULL, "192.0.2.99", NOW, "none"},
		{"guest", NULL, NULL, "2001:db8:1:2::7", NOW, "address 2001:db8:1::/48 "},
		/* over */
		{"guest", NULL, NULL, "192.0.2.66", NOW + HOUR - 1, "address 192.0.2.66 "},
		{"guest", NULL, NULL, "192.0.2.66", NOW + HOUR, "address 192.0.2.64/28 guest"},
	};

	(void)state;
	assert_string_equal(match(blocks, "guest", "ann", MAC1, "192.0.2.1", NOW), "none");
	put(blocks, "user", "ann", "", 0);
	put(blocks, "user", "bob", "guest", 0);
	put(blocks, "user", "cat", "", 0);
	put(blocks, "user", "cat", "guest", 0);
	put(blocks, "mac", MAC2, "", 0);
	put(blocks, "address", "192.0.2.66", "", NOW + HOUR);
	put(blocks, "address", "192.0.2.64/28", "guest", 0);
	put(blocks, "address", "192.0.2.0/24", "staff", 0);
	put(blocks, "address", "2001:db8:1::/48", "", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found = match(blocks, cases[i].zone, cases[i].user, cases[i].mac,
			cases[i].addr, cases[i].now_ms);
		if (strcmp(found, cases[i].block) != 0)
			fail_msg("case %zu: %s, not %s", i, found, cases[i].block);
	}
	blocks_free(blocks);
}

static void test_one_block_of_a_subject(void **state)
{
	struct blocks *blocks = blocks_new();
	struct block ann = make("user", "ann", "", NOW + HOUR), other = make("user", "ann", "a", 0);

	(void)state;
	assert_int_equal(blocks_put(blocks, &ann), 0);
	assert_int_equal(blocks_del(blocks, &other), -ENOENT);
	ann.until_ms = 0;
	ann.code = 554;
	assert_int_equal(blocks_put(blocks, &ann), 0);
	assert_int_equal(blocks_count(blocks), 1);
	assert_int_equal(blocks_find(blocks, &ann)->code, 554);
	assert_null(blocks_next_end(blocks));
	assert_int_equal(blocks_del(blocks, &ann), 0);
	assert_int_equal(blocks_count(blocks), 0);
	assert_string_equal(match(blocks, "a", "ann", NULL, "192.0.2.1", NOW), "none");
	blocks_free(blocks);
}

/* Against a plain list: put, delete, match, next to end; prefixes around each other, and subjects
 * that differ in their zone alone. */
static void test_random_changes(void **state)
{
	static const char *const zones[] = {"", "a", "b"};
	static const char *const kinds[] = {"user", "mac", "address"};
	static const char *const who[3][4] = {{"ann", "bob", "cat", "d"},
		{MAC1, MAC2, "02:00:5e:00:53:03", "02:00:5e:00:53:04"},
		{"192.0.2.0/24", "192.0.2.0/28", "192.0.2.1", "2001:db8::/64"}};
	struct blocks *blocks = blocks_new();
	struct block model[36];
	bool there[36] = {false};

	(void)state;
	srandom(7);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned k = random() % 3, w = random() % 4, z = random() % 3,
			 at = k * 12 + w * 3 + z;
		uint64_t until_ms = random() % 3 ? NOW + (uint64_t)(random() % 1000) : 0;
		struct block block = make(kinds[k], who[k][w], zones[z], until_ms);
		if (random() % 2) {
			assert_int_equal(blocks_del(blocks, &block), there[at] ? 0 : -ENOENT);
			there[at] = false;
		} else {
			assert_int_equal(blocks_put(blocks, &block), 0);
			model[at] = block;
			there[at] = true;
		}
		size_t n = 0;
		uint64_t next_ms = 0;
		bool macs = false;
		for (unsigned i = 0; i < 36; i++) {
			n += there[i];
			if (!there[i])
				continue;
			assert_non_null(blocks_find(blocks, &model[i]));
			if (model[i].until_ms && (!next_ms || model[i].until_ms < next_ms))
				next_ms = model[i].until_ms;
			macs |= model[i].kind == BLOCK_MAC && strcmp(model[i].zone, "b") != 0 &&
				(!model[i].until_ms || model[i].until_ms > NOW + 500);
		}
		assert_int_equal(blocks_count(blocks), n);
		assert_int_equal(blocks_hold_macs(blocks, "a", NOW + 500), macs);
		const struct block *next = blocks_next_end(blocks);
		assert_int_equal(next ? next->until_ms : 0, next_ms);
	}
	blocks_free(blocks);
}

static void test_no_more_than_the_most(void **state)
{
	struct blocks *blocks = blocks_new();
	char user[32];

	(void)state;
	for (unsigned i = 0; i < BLOCKS_MAX; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		put(blocks, "user", user, "", 0);
	}
	struct block more = make("user", "more", "", 0), known = make("user", "user7", "", 0);
	assert_int_equal(blocks_put(blocks, &more), -ENOSPC);
	assert_int_equal(blocks_put(blocks, &known), 0);
	assert_int_equal(blocks_del(blocks, &known), 0);
	assert_int_equal(blocks_put(blocks, &more), 0);
	blocks_free(blocks);
}

/* --- what a decision makes of them */

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct blocks *blocks;
};

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static void open_stage(struct stage *stage, const char *text)
{
	stage->policy = policy_of_text(text, NULL);
	stage->lists = lists_new();
	stage->sessions = session_table_new();
	stage->blocks = blocks_new();
	struct session ann = {.id = 1, .zone = string("mac"), .user = string("ann")};
	assert_int_equal(mac_parse(MAC1, strlen(MAC1), &ann.mac), 0);
	assert_int_equal(session_table_put(stage->sessions, &ann), 0);
	struct session_address address = {0};
	struct session bob = {.id = 2,
		.zone = string("address"),
		.user = string("bob"),
		.addresses = &address,
		.naddresses = 1,
		.lease_end_ms = NOW + HOUR};
	assert_int_equal(prefix_parse("192.0.2.20", 10, &address.prefix), 0);
	assert_int_equal(session_table_put(stage->sessions, &bob), 0);
}

static void close_stage(struct stage *stage)
{
	blocks_free(stage->blocks);
	session_table_free(stage->sessions);
	lists_free(stage->lists);
	policy_unref(stage->policy);
}

/* "blocked 421", or the reason of the decision; then what the kernel may remember. */
static const char *outcome(const struct stage *stage, const char *zone, const char *mac_text,
	const char *addr_text, uint64_t now_ms)
{
	static char text[96];
	const struct decide_world world = {.policy = stage->policy,
		.lists = stage->lists,
		.sessions = stage->sessions,
		.local = localtime_r,
		.blocks = stage->blocks};
	struct decide_origin origin = {.zone = (size_t)policy_find_zone(stage->policy, zone)};
	struct endpoint to = {.addr = {.family = ADDR_IP4}, .port = 25};
	static const char *const marks[] = {"none", "relay", "pass", "reject", "drop"};
	enum mark mark;
	struct decision decision;
	uint64_t until_ms;

	if (mac_text)
		assert_int_equal(mac_parse(mac_text, strlen(mac_text), &origin.mac), 0);
	assert_int_equal(addr_parse(addr_text, strlen(addr_text), &origin.source), 0);
	decide_connection(&world, &origin, &to, now_ms, &decision);
	bool cached = decide_client(&world, &origin, now_ms, &mark, &until_ms, NULL);
	if (decision.reason == DECIDE_BLOCKED)
		snprintf(text, sizeof(text), "blocked %u user %s, %s", decision.block->code,
			decision.session ? decision.session->user.text : "-",
			cached ? marks[mark] : "open");
	else
		snprintf(text, sizeof(text), "%s %s, %s", decide_reason_names[decision.reason],
			policy_verdict_names[decision.verdict], cached ? marks[mark] : "open");
	return text;
}

static const char house[] =
	"zone mac { interface \"eth1\" unauthenticated pass unmatched pass }\n"
	"zone address { interface \"eth2\" identity address unauthenticated pass unmatched drop }\n"
	"rule ann { user \"ann\" verdict pass }\nrule bob { user \"bob\" verdict reject }\n";

static void test_before_every_rule_and_verdict(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, house);
	assert_string_equal(outcome(&stage, "mac", MAC1, "192.0.2.1", NOW), "rule pass, pass");
	put(stage.blocks, "user", "ann", "", NOW + HOUR);
	assert_string_equal(
		outcome(&stage, "mac", MAC1, "192.0.2.1", NOW), "blocked 421 user ann, relay");
	assert_string_equal(
		outcome(&stage, "mac", MAC1, "192.0.2.1", NOW + HOUR), "rule pass, pass");
	/* who is not logged in, too */
	put(stage.blocks, "mac", MAC2, "mac", 0);
	assert_string_equal(
		outcome(&stage, "mac", MAC2, "192.0.2.2", NOW), "blocked 421 user -, relay");
	put(stage.blocks, "user", "bob", "address", 0);
	assert_string_equal(
		outcome(&stage, "address", NULL, "192.0.2.20", NOW), "blocked 421 user bob, relay");
	/* the lease is over: nobody knows that it is bob */
	assert_string_equal(outcome(&stage, "address", NULL, "192.0.2.20", NOW + HOUR),
		"unauthenticated pass, pass");
	put(stage.blocks, "address", "192.0.2.16/28", "", 0);
	assert_string_equal(
		outcome(&stage, "address", NULL, "192.0.2.21", NOW), "blocked 421 user -, relay");
	close_stage(&stage);
}

/* The kernel's cache of a zone with identity address does not know MACs. */
static void test_a_mac_that_the_cache_does_not_know(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, house);
	assert_string_equal(
		outcome(&stage, "address", MAC2, "192.0.2.30", NOW), "unauthenticated pass, pass");
	put(stage.blocks, "mac", MAC2, "address", NOW + HOUR);
	assert_string_equal(
		outcome(&stage, "address", MAC2, "192.0.2.30", NOW), "blocked 421 user -, open");
	assert_string_equal(
		outcome(&stage, "address", MAC1, "192.0.2.30", NOW), "unauthenticated pass, open");
	assert_string_equal(outcome(&stage, "address", MAC2, "192.0.2.30", NOW + HOUR),
		"unauthenticated pass, pass");
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_user_is_blocked_by_source),
		cmocka_unit_test(test_whom_a_block_holds_for),
		cmocka_unit_test(test_one_block_of_a_subject),
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_no_more_than_the_most),
		cmocka_unit_test(test_before_every_rule_and_verdict),
		cmocka_unit_test(test_a_mac_that_the_cache_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
