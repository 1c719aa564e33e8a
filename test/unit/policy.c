/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/policy.h"
#include "lib/base/hash.h"

#include "lib/base/arena.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct policy *parse(const char *text)
{
	return policy_of_text(text, NULL);
}

static void names_live_per_kind(void **state)
{
	struct policy *policy = parse("zone a { interface x } zone b { interface y }\n"
				      "list b dynamic list a dynamic\n"
				      "server c { host 192.0.2.1 }\n"
				      "device d { zone a mac 02:00:5e:00:53:01 user u }\n"
				      "rule a { user u verdict drop } rule c { verdict drop }");

	(void)state;
	assert_int_equal(policy_find_zone(policy, "a"), 0);
	assert_int_equal(policy_find_zone(policy, "b"), 1);
	assert_int_equal(policy_find_zone(policy, "c"), -1);
	assert_int_equal(policy_find_list(policy, "a"), 1);
	assert_int_equal(policy_find_server(policy, "c"), 0);
	assert_int_equal(policy_find_device(policy, "d"), 0);
	assert_int_equal(policy_find_rule(policy, "c"), 1);
	assert_int_equal(policy_find_rule(policy, ""), -1);
	policy_unref(policy);
}

static void many_names_are_found(void **state)
{
	struct policy *policy = policy_new();
	char text[16];

	(void)state;
	assert_int_equal(policy_find_rule(policy, "n1"), -1);
	for (size_t i = 0; i < 20000; i++) {
		struct policy_string name = {
			.len = (uint32_t)snprintf(text, sizeof(text), "n%zu", i)};
		name.text = arena_copy(policy->arena, text, name.len);
		name.hash = hash_bytes(text, name.len);
		assert_int_equal(policy_add_name(policy, POLICY_KIND_RULE, &name, i), -1);
		assert_int_equal(policy_add_name(policy, POLICY_KIND_RULE, &name, i + 1), i);
	}
	for (size_t i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "n%zu", i);
		assert_int_equal(policy_find_rule(policy, text), i);
		assert_int_equal(policy_find_list(policy, text), -1);
	}
	policy_unref(policy);
}

static void a_policy_lives_until_its_last_reference(void **state)
{
	struct policy *policy = parse("zone a { interface x }");

	(void)state;
	assert_ptr_equal(policy_ref(policy), policy);
	policy_unref(policy);
	assert_int_equal(policy->nzones, 1);
	policy_unref(policy);
	policy_unref(NULL);
}

static void interfaces_match_by_name_or_wildcard(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} cases[] = {
		{"eth0", "eth0", true},
		{"eth0", "eth01", false},
		{"eth0", "eth", false},
		{"eth*", "eth0", true},
		{"eth*", "eth", true},
		{"eth*", "et", false},
		{"*", "lo", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
			policy_interface_match(cases[i].pattern, cases[i].name), cases[i].match);
}

static void a_client_is_in_the_zone_of_interface_and_network(void **state)
{
	static const struct {
		const char *ifname, *source;
		ptrdiff_t zone;
	} cases[] = {
		{"br-guest", "198.51.100.1", 0},
		{"wlan7", "2001:db8::1", 0},
		{"core0", "192.0.2.129", 1},
		{"core0", "2001:db8:20::5", 1},
		{"core0", "192.0.2.1", 2},
		{"core0", "198.51.100.1", -1},
		{"eth0", "192.0.2.129", -1},
	};
	struct policy *policy =
		parse("zone guest { interface br-guest, \"wlan*\" }\n"
		      "zone staff { interface core0 network 192.0.2.128/26, 2001:db8:20::/64 }\n"
		      "zone dmz { interface core0 network 192.0.2.0/26 port 25, 587 }");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct addr addr;
		addr_parse(cases[i].source, strlen(cases[i].source), &addr);
		assert_int_equal(
			policy_find_zone_of(policy, cases[i].ifname, &addr), cases[i].zone);
	}
	assert_true(policy_zone_has_port(&policy->zones[2], 587));
	assert_false(policy_zone_has_port(&policy->zones[0], 587));
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_live_per_kind),
		cmocka_unit_test(many_names_are_found),
		cmocka_unit_test(a_policy_lives_until_its_last_reference),
		cmocka_unit_test(interfaces_match_by_name_or_wildcard),
		cmocka_unit_test(a_client_is_in_the_zone_of_interface_and_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
