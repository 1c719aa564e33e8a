/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which target a flow tries next: order, weights over 10,000 picks, who is left out, and what part
 * of the budget one attempt may use. */
#include "lib/policy/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ALL TARGET_CLIENTS_ALL
#define IP4 TARGET_CLIENTS_IP4

struct row {
	uint16_t preference;
	uint8_t depth, state;
	uint32_t weight;
	uint8_t clients, addresses, drained;
};

static void fill(struct ipc_target *targets, const struct row *rows, size_t n)
{
	memset(targets, 0, n * sizeof(*targets));
	for (size_t i = 0; i < n; i++) {
		targets[i].preference = rows[i].preference;
		targets[i].depth = rows[i].depth;
		targets[i].state = rows[i].state;
		targets[i].weight = rows[i].weight;
		targets[i].client_families = rows[i].clients;
		targets[i].naddresses = rows[i].addresses;
		targets[i].drained = rows[i].drained;
	}
}

static void the_order_is_state_then_preference_then_depth(void **state)
{
	static const struct row rows[] = {
		{20, 0, TARGET_UP, 1, ALL, 1, 0},
		{10, 0, TARGET_DOWN, 1, ALL, 1, 0},
		{10, 1, TARGET_UNKNOWN, 1, ALL, 2, 0},
		{10, 0, TARGET_NEVER, 1, ALL, 1, 0},
		{10, 0, TARGET_UP, 1, ALL, 1, 0},
		{0, 0, TARGET_DOWN, 1, ALL, 1, 0},
		{0, 0, TARGET_UP, 0, ALL, 1, 0},
		{0, 0, TARGET_UP, 1, ALL, 0, 0},
		{0, 0, TARGET_UP, 1, ALL, 1, 1},
		{0, 0, TARGET_UP, 1, IP4, 1, 0},
		{30, 0, TARGET_UP, 1, ALL, 1, 0},
	};
	static const ptrdiff_t order6[] = {4, 2, 0, 10, 5, 1, -1};
	struct ipc_target targets[11];
	struct balance_item turns[11] = {0};
	uint64_t tried = 0;

	(void)state;
	fill(targets, rows, 11);
	assert_int_equal(choice_left(targets, 11, 0, ADDR_IP6), 7);
	assert_int_equal(choice_left(targets, 11, 0, ADDR_IP4), 8);
	assert_int_equal(choice_pick(targets, 11, 0, ADDR_IP4, turns), 9);
	for (size_t i = 0; i < sizeof(order6) / sizeof(order6[0]); i++) {
		ptrdiff_t at = choice_pick(targets, 11, tried, ADDR_IP6, turns);
		assert_int_equal(at, order6[i]);
		if (at >= 0)
			tried |= (uint64_t)1 << at;
	}
	assert_int_equal(choice_left(targets, 11, tried, ADDR_IP6), 0);
}

static void weights_hold_over_ten_thousand_picks(void **state)
{
	static const struct row rows[] = {
		{10, 0, TARGET_UP, 5, ALL, 1, 0},
		{10, 0, TARGET_UP, 1, ALL, 1, 0},
		{20, 0, TARGET_UP, 9, ALL, 1, 0},
		{10, 0, TARGET_UNKNOWN, 4, ALL, 1, 0},
		{10, 0, TARGET_UP, 0, ALL, 1, 0},
	};
	struct ipc_target targets[5];
	struct balance_item turns[5] = {0};
	unsigned taken[5] = {0};

	(void)state;
	fill(targets, rows, 5);
	for (int i = 0; i < 10000; i++)
		taken[choice_pick(targets, 5, 0, ADDR_IP4, turns)]++;
	assert_int_equal(taken[0], 5000);
	assert_int_equal(taken[1], 1000);
	assert_int_equal(taken[2], 0);
	assert_int_equal(taken[3], 4000);
	assert_int_equal(taken[4], 0);

	/* the heaviest goes: the others keep their shares */
	targets[0].drained = 1;
	memset(taken, 0, sizeof(taken));
	for (int i = 0; i < 10000; i++)
		taken[choice_pick(targets, 5, 0, ADDR_IP4, turns)]++;
	assert_int_equal(taken[0], 0);
	assert_int_equal(taken[1], 2000);
	assert_int_equal(taken[3], 8000);
}

static void the_last_of_all_indexes_is_found(void **state)
{
	struct ipc_target targets[TARGETS_MAX] = {0};
	struct balance_item turns[TARGETS_MAX] = {0};

	(void)state;
	targets[TARGETS_MAX - 1] = (struct ipc_target){
		.weight = 65535, .naddresses = 1, .client_families = ALL, .preference = 65535};
	assert_int_equal(choice_pick(targets, TARGETS_MAX, 0, ADDR_IP4, turns), TARGETS_MAX - 1);
	assert_int_equal(choice_pick(targets, 0, 0, ADDR_IP4, turns), -1);
}

static void who_is_left_out_is_told_why(void **state)
{
	struct ipc_target target = {.weight = 1, .naddresses = 1, .client_families = IP4};

	(void)state;
	assert_true(choice_may(&target, ADDR_IP4));
	assert_false(choice_may(&target, ADDR_IP6));
	assert_string_equal(choice_refusal(&target, ADDR_IP6), "takes no IPv6 clients");
	target.state = TARGET_NEVER;
	strcpy(target.text, "offers XCLIENT to the gateway");
	assert_string_equal(choice_refusal(&target, ADDR_IP4), "offers XCLIENT to the gateway");
	target.drained = 1;
	assert_string_equal(choice_refusal(&target, ADDR_IP4), "drained by the operator");
}

static void a_budget_leaves_time_for_the_others(void **state)
{
	static const struct {
		uint64_t left;
		size_t others;
		uint32_t connect, may_connect, greeting, may_greet;
	} cases[] = {
		{25000, 0, 5000, 5000, 15000, 15000},
		{25000, 1, 5000, 5000, 15000, 15000},
		{25000, 9, 5000, 2500, 15000, 15000},
		{6000, 2, 5000, 2000, 15000, 4000},
		{6000, 0, 30000, 6000, 15000, 6000},
		{6000, 100, 5000, 1200, 15000, 4000},
		{700, 3, 5000, 700, 15000, 467},
		{0, 3, 5000, 0, 15000, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			choice_connect_ms(cases[i].left, cases[i].others, cases[i].connect),
			cases[i].may_connect);
		assert_int_equal(
			choice_greeting_ms(cases[i].left, cases[i].others, cases[i].greeting),
			cases[i].may_greet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_state_then_preference_then_depth),
		cmocka_unit_test(weights_hold_over_ten_thousand_picks),
		cmocka_unit_test(the_last_of_all_indexes_is_found),
		cmocka_unit_test(who_is_left_out_is_told_why),
		cmocka_unit_test(a_budget_leaves_time_for_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
