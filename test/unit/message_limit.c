/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/message_limit.h"

#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES (1u << 16)

static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcde";

struct world {
	struct policy *policy;
	void *memory;
	struct message_limit limits;
	uint64_t now_us;
};

static struct world world_of(const char *zone, const char *rules)
{
	struct world world = {.now_us = 1000000};
	char text[1024];

	snprintf(text, sizeof(text),
		"zone guest { interface \"lo\"; identity address\n%s }\n"
		"server relay { host 192.0.2.9 }\n%s",
		zone, rules);
	world.policy = policy_of_text(text, NULL);
	world.memory = calloc(1, BYTES);
	assert_non_null(world.memory);
	assert_int_equal(message_limit_init(world.memory, BYTES, secret), 0);
	assert_int_equal(message_limit_attach(&world.limits, world.memory, BYTES), 0);
	return world;
}

static void world_free(struct world *world)
{
	policy_unref(world->policy);
	free(world->memory);
}

/* One that client, user and sender ask for; over: the `per` of that limit, or -1. */
static int ask(const struct world *world, enum policy_limit_kind kind, unsigned client,
	const char *user, const char *sender, size_t nrules)
{
	static const int32_t rules[] = {0, 1};
	const struct mac mac = {{0}};
	struct addr addr;
	char text[32];
	struct limit_of which;
	size_t rule;

	snprintf(text, sizeof(text), "192.0.%u.%u", client / 256, client % 256);
	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	const struct message_limit_ask asked = {.policy = world->policy,
		.rules = rules,
		.nrules = nrules,
		.who = {&mac, &addr, user, sender},
		.kind = kind};
	struct limit_of foreseen_which;
	size_t foreseen_rule;
	enum bucket_verdict foreseen = message_limit_foresee(
		&world->limits, &asked, world->now_us, &foreseen_which, &foreseen_rule);
	enum bucket_verdict verdict =
		message_limit_take(&world->limits, &asked, world->now_us, &which, &rule);
	assert_int_equal(foreseen, verdict);
	if (verdict == BUCKET_OK)
		return -1;
	assert_ptr_equal(foreseen_which.limit, which.limit);
	assert_int_equal(foreseen_rule, rule);
	return verdict == BUCKET_FULL ? POLICY_PERS : (int)which.limit->per;
}

#define RULE(name, more) "rule " name " { zone guest user any server relay " more " }\n"

static void test_each_per_counts_its_own(void **state)
{
	struct world w = world_of("limit messages 4/hour per client\n"
				  "limit messages 6/hour per user\n"
				  "limit messages 3/hour per sender\nlimit messages 8/hour",
		RULE("mail", ""));

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "a@x", 1), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "a@x", 1), POLICY_PER_SENDER);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "b@x", 1), POLICY_PER_CLIENT);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 2, "anna", "c@x", 1), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 2, "anna", "c@x", 1), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 2, "anna", "c@x", 1), POLICY_PER_USER);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 3, "bob", "d@x", 1), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 4, "carl", "e@x", 1), POLICY_PER_ALL);
	/* none of it was of recipients */
	assert_int_equal(ask(&w, POLICY_LIMIT_RECIPIENTS, 4, "carl", "e@x", 1), -1);
	world_free(&w);
}

/* A rule's own is apart; what a message's rules share is taken once. */
static void test_rules_of_one_message(void **state)
{
	struct world w = world_of("limit messages 4/hour per client",
		RULE("one", "recipient \"@a.example\"") RULE("two", ""));
	struct world own = world_of("limit messages 4/hour per client",
		RULE("one", "recipient \"@a.example\" limit messages 2/hour per client")
			RULE("two", ""));

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "", 2), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "", 2), POLICY_PER_CLIENT);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ask(&own, POLICY_LIMIT_MESSAGES, 1, "anna", "", 2), -1);
	assert_int_equal(ask(&own, POLICY_LIMIT_MESSAGES, 1, "anna", "", 1), POLICY_PER_CLIENT);
	world_free(&w);
	world_free(&own);
}

/* A client that is a new sender each time: neither others nor their senders feel it. */
static void test_made_up_senders_crowd_out_nobody(void **state)
{
	struct world w = world_of("limit messages 5/day per sender\n"
				  "limit recipients 5/day per client",
		RULE("mail", ""));
	unsigned permitted = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		char sender[32];
		snprintf(sender, sizeof(sender), "%u@x.example", i);
		permitted += ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", sender, 1) == -1;
	}
	assert_true(permitted > 1);
	assert_true(permitted <= w.limits.senders.nslots / 64 + 1);
	assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, 1, "anna", "0@x.example", 1), -1);
	for (unsigned i = 2; i < 40; i++) {
		char sender[32];
		snprintf(sender, sizeof(sender), "%u@y.example", i);
		assert_int_equal(ask(&w, POLICY_LIMIT_MESSAGES, i, "bob", sender, 1), -1);
		assert_int_equal(ask(&w, POLICY_LIMIT_RECIPIENTS, i, "bob", sender, 1), -1);
	}
	world_free(&w);
}

static void test_a_full_table_refuses_who_is_new(void **state)
{
	struct world w = world_of("limit recipients 2/day per client", RULE("mail", ""));
	unsigned full = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		full += ask(&w, POLICY_LIMIT_RECIPIENTS, i, "", "", 1) == POLICY_PERS;
	assert_true(full > 0);
	assert_int_equal(ask(&w, POLICY_LIMIT_RECIPIENTS, 0, "", "", 1), -1);
	assert_int_equal(ask(&w, POLICY_LIMIT_RECIPIENTS, 0, "", "", 1), POLICY_PER_CLIENT);
	w.now_us += UINT64_C(86400000000);
	for (unsigned i = 2000; i < 2100; i++)
		assert_int_equal(ask(&w, POLICY_LIMIT_RECIPIENTS, i, "", "", 1), -1);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_per_counts_its_own),
		cmocka_unit_test(test_rules_of_one_message),
		cmocka_unit_test(test_made_up_senders_crowd_out_nobody),
		cmocka_unit_test(test_a_full_table_refuses_who_is_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
