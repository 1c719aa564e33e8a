/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The turn among hosts: shares over 10,000 picks, and what a host left out does to the others. */
#include "lib/policy/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pick_many(struct balance_item *items, size_t n, unsigned picks, unsigned *taken)
{
	memset(taken, 0, n * sizeof(*taken));
	for (unsigned i = 0; i < picks; i++) {
		ptrdiff_t at = balance_pick(items, n);
		assert_in_range(at, 0, n - 1);
		taken[at]++;
	}
}

static void shares_follow_weights(void **state)
{
	(void)state;
	struct balance_item items[] = {{5, 0, true}, {1, 0, true}, {4, 0, true}, {0, 0, true}};
	unsigned taken[4];
	pick_many(items, 4, 10000, taken);
	assert_int_equal(taken[0], 5000);
	assert_int_equal(taken[1], 1000);
	assert_int_equal(taken[2], 4000);
	assert_int_equal(taken[3], 0);
}

static void picks_are_spread(void **state)
{
	(void)state;
	struct balance_item items[] = {{5, 0, true}, {1, 0, true}, {1, 0, true}};
	char order[8] = {0};
	for (int i = 0; i < 7; i++)
		order[i] = (char)('a' + balance_pick(items, 3));
	assert_string_equal(order, "aabacaa");
}

static void a_host_that_is_left_out_leaves_the_shares_of_the_others(void **state)
{
	(void)state;
	struct balance_item items[] = {{2, 0, true}, {1, 0, false}, {1, 0, true}};
	unsigned taken[3];
	pick_many(items, 3, 9000, taken);
	assert_int_equal(taken[0], 6000);
	assert_int_equal(taken[1], 0);
	assert_int_equal(taken[2], 3000);
	items[1].usable = true;
	pick_many(items, 3, 10000, taken);
	assert_int_equal(taken[0], 5000);
	assert_int_equal(taken[1], 2500);
	assert_int_equal(taken[2], 2500);
}

static void none_is_none(void **state)
{
	(void)state;
	struct balance_item items[] = {{0, 0, true}, {3, 0, false}};
	assert_int_equal(balance_pick(items, 2), -1);
	assert_int_equal(balance_pick(items, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(picks_are_spread),
		cmocka_unit_test(a_host_that_is_left_out_leaves_the_shares_of_the_others),
		cmocka_unit_test(none_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
