/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of live flows: twice is once, and a relay's death takes its own only. */
#include "daemon/control/session/live_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void a_flow_told_twice_counts_once(void **state)
{
	struct live_flows *live = live_flows_new();
	(void)state;
	live_flows_add(live, 0, 10, 1, 5000, "guests", "", true);
	live_flows_add(live, 0, 10, 1, 5000, "guests", "", false);
	live_flows_add(live, 1, 11, 1, 6000, "guests", "", false);
	assert_int_equal(live_flows_count(live), 2);
	assert_int_equal(live_flows_rule_of(live, "guests").hits, 1);
	assert_int_equal(live_flows_rule_of(live, "guests").flows, 2);
	assert_int_equal(live_flows_rule_of(live, "guests").last_ms, 5000);
	assert_int_equal(live_flows_rule_of(live, "none").hits, 0);
	assert_true(live_flows_has_session(live, 1));
	live_flows_del(live, 10);
	live_flows_del(live, 10);
	assert_true(live_flows_has_session(live, 1));
	live_flows_del(live, 11);
	assert_false(live_flows_has_session(live, 1));
	assert_int_equal(live_flows_rule_of(live, "guests").flows, 0);
	assert_int_equal(live_flows_rule_of(live, "guests").hits, 1);
	live_flows_free(live);
}

/* A rule may have its name. */
static void a_listener_counts_apart_from_rules(void **state)
{
	struct live_flows *live = live_flows_new();
	(void)state;
	live_flows_add(live, 0, 10, 0, 5000, "", "inbound", true);
	live_flows_add(live, 0, 11, 0, 6000, "", "inbound", false);
	live_flows_add(live, 0, 12, 0, 7000, "inbound", "", true);
	assert_int_equal(live_flows_listener_of(live, "inbound").flows, 2);
	assert_int_equal(live_flows_listener_of(live, "inbound").hits, 1);
	assert_int_equal(live_flows_rule_of(live, "inbound").flows, 1);
	live_flows_del(live, 10);
	live_flows_del(live, 12);
	assert_int_equal(live_flows_listener_of(live, "inbound").flows, 1);
	assert_int_equal(live_flows_rule_of(live, "inbound").flows, 0);
	live_flows_free(live);
}

static void count_lost(void *context, const struct live_flow *flow)
{
	assert_int_equal(flow->relay, 1);
	assert_string_equal(flow->rule, "guests");
	++*(unsigned *)context;
}

static void a_dead_relay_takes_its_own_flows(void **state)
{
	struct live_flows *live = live_flows_new();
	unsigned lost = 0;
	(void)state;
	for (uint64_t i = 1; i <= 50000; i++)
		live_flows_add(live, i % 2, i, i % 7, i, "guests", "", true);
	live_flows_del_relay(live, 1, count_lost, &lost);
	assert_int_equal(lost, 25000);
	assert_int_equal(live_flows_count(live), 25000);
	assert_int_equal(live_flows_rule_of(live, "guests").flows, 25000);
	assert_true(live_flows_has_session(live, 3));
	live_flows_free(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_told_twice_counts_once),
		cmocka_unit_test(a_listener_counts_apart_from_rules),
		cmocka_unit_test(a_dead_relay_takes_its_own_flows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
