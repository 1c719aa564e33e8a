/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many numbers a policy's paths in the kernel need. */
#include "lib/policy/path/path_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct policy_host hosts[] = {{.port = 25}, {.port = 25}, {.port = 25, .is_mx = true}};
static struct policy_server servers[] = {
	{.hosts = hosts, .nhosts = 1, .path = POLICY_PATH_KERNEL},
	{.hosts = hosts, .nhosts = 3, .path = POLICY_PATH_KERNEL},
	{.hosts = hosts, .nhosts = 2, .path = POLICY_PATH_RELAY},
	{.hosts = hosts, .nhosts = 2, .path = POLICY_PATH_KERNEL},
};

static struct policy_limit five = {
	.kind = POLICY_LIMIT_FLOWS, .per = POLICY_PER_CLIENT, .count = 5};
static struct policy_limit all_of_five = {
	.kind = POLICY_LIMIT_FLOWS, .per = POLICY_PER_ALL, .count = 5};

#define TO(index) .to_server = true, .server = index

static void each_leg_of_a_rule_is_there_once(void **state)
{
	struct policy_rule rules[] = {
		{TO(1), .limits = {&five, 1}},
		{TO(1)},
		{TO(0)},
		{TO(1), .limits = {&all_of_five, 1}},
		{TO(1), .limits = {&five, 1}},
		{TO(2)},                   /* the relay's */
		{TO(3), .disabled = true}, /* leads nobody */
		{TO(3), .listens = true},  /* nor a zone's clients */
		{.to_server = true, .to_original = true},
		{.act = {.verdict = POLICY_VERDICT_PASS}},
	};
	const struct policy policy = {.servers = servers,
		.nservers = 4,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0])};
	struct path_leg *legs;
	size_t n, needed;

	(void)state;
	assert_int_equal(path_number_places(&servers[1]), 2 + PATH_NUMBER_PER_MX);
	assert_int_equal(path_number_legs(&policy, &legs, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(legs[0].server, 0);
	assert_int_equal(legs[0].flows, 0);
	assert_int_equal(legs[1].server, 1);
	assert_int_equal(legs[1].flows, 0);
	assert_int_equal(legs[2].server, 1);
	assert_int_equal(legs[2].flows, 5);
	free(legs);
	assert_int_equal(path_number_needed(&policy, &needed), 0);
	assert_int_equal(needed, 1 + 2 * (2 + PATH_NUMBER_PER_MX));
}

static void a_policy_without_rules_needs_none(void **state)
{
	const struct policy policy = {.servers = servers, .nservers = 4};
	size_t needed;

	(void)state;
	assert_int_equal(path_number_needed(&policy, &needed), 0);
	assert_int_equal(needed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_leg_of_a_rule_is_there_once),
		cmocka_unit_test(a_policy_without_rules_needs_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
