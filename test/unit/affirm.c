/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/auth/affirm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NOW          UINT64_C(1000000)

static const uint8_t key[AFFIRM_KEY_SIZE] = {1, 2, 3}, other_key[AFFIRM_KEY_SIZE] = {1, 2, 4};
static const uint8_t anna[] = "anna, of the guests", bert[] = "bert, of the guests";

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static struct affirmed base(void)
{
	return (struct affirmed){.portal = "hotel",
		.place = address("fd00:200:5e00:5301::"),
		.client = address("192.0.2.7"),
		.session = anna,
		.session_bytes = sizeof(anna)};
}

static void it_holds_of_what_was_affirmed_and_of_nothing_else(void **state)
{
	struct affirmed affirmed = base(), others[] = {base(), base(), base(), base(), base()};
	struct affirm affirm;

	(void)state;
	affirm_make(key, &affirmed, NOW, &affirm);
	assert_true(affirm_check(key, &affirmed, NOW, &affirm));
	assert_false(affirm_check(other_key, &affirmed, NOW, &affirm));
	others[0].portal = "hotels";
	others[1].place = address("fd00:200:5e00:5302::");
	others[2].client = address("192.0.2.8");
	others[3].session = bert;
	others[4].session_bytes--;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(affirm_check(key, &others[i], NOW, &affirm));
	for (size_t i = 0; i < AFFIRM_SUM_SIZE; i++) {
		struct affirm changed = affirm;
		changed.sum[i] ^= 1;
		assert_false(affirm_check(key, &affirmed, NOW, &changed));
	}
}

static void it_holds_for_a_moment(void **state)
{
	static const struct {
		int64_t later_ms;
		bool holds;
	} cases[] = {{0, true}, {-10, true}, {AFFIRM_FOR_MS, true}, {AFFIRM_FOR_MS + 1, false},
		{-AFFIRM_FOR_MS - 1, false}};
	struct affirmed affirmed = base();
	struct affirm affirm;

	(void)state;
	affirm_make(key, &affirmed, NOW, &affirm);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			affirm_check(key, &affirmed, NOW + (uint64_t)cases[i].later_ms, &affirm),
			cases[i].holds);
	affirm.at_ms += AFFIRM_FOR_MS; /* it is of what is signed */
	assert_false(affirm_check(key, &affirmed, NOW + AFFIRM_FOR_MS, &affirm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_of_what_was_affirmed_and_of_nothing_else),
		cmocka_unit_test(it_holds_for_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
