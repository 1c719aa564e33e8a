/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of paths in the kernel: which path keeps its own, and who gets one that is free. */
#include "lib/policy/path/path_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* A round in which those of the names are wanted that stand before the NULL. */
static void want(struct path_table *table, uint64_t now_ms, const char *const names[])
{
	path_table_begin(table, now_ms);
	for (size_t i = 0; names[i]; i++) {
		struct path_key key = path_key_of(names[i], 0, 0);
		path_table_keep(table, &key);
	}
	for (size_t i = 0; names[i]; i++) {
		struct path_key key = path_key_of(names[i], 0, 0);
		path_table_add(table, &key, now_ms);
	}
}

#define WANT(now_ms, ...) want(&table, now_ms, (const char *const[]){__VA_ARGS__, NULL})

static unsigned number(const struct path_table *table, const char *name)
{
	struct path_key key = path_key_of(name, 0, 0);
	return path_table_find(table, &key);
}

static void each_place_and_limit_has_its_number(void **state)
{
	struct path_table table;
	const struct path_key keys[] = {path_key_of("dmz", 0, 0), path_key_of("dmz", 0, 1),
		path_key_of("dmz", 5, 0), path_key_of("dmz2", 0, 0)};

	(void)state;
	path_table_init(&table, 15);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(path_table_add(&table, &keys[i], 1), i + 1);
	assert_int_equal(path_table_slot(&table, 3)->key.flows, 5);
	assert_null(path_table_slot(&table, 0));
	assert_null(path_table_slot(&table, 5));
	path_table_fini(&table);
}

static void a_path_keeps_its_number_while_others_come_and_go(void **state)
{
	struct path_table table;

	(void)state;
	path_table_init(&table, 15);
	WANT(1000, "a", "b", "c");
	WANT(2000, "c", "d", "a");
	assert_int_equal(number(&table, "a"), 1);
	assert_int_equal(number(&table, "c"), 3);
	assert_int_equal(number(&table, "d"), 4);
	/* it has rested */
	WANT(2000 + PATH_TABLE_REST_MS, "c", "d", "e");
	assert_int_equal(number(&table, "e"), 2);
	assert_int_equal(number(&table, "b"), 0);
	/* back again in time */
	WANT(3000 + PATH_TABLE_REST_MS, "a", "c", "d");
	assert_int_equal(number(&table, "a"), 1);
	path_table_fini(&table);
}

static void a_number_that_is_given_anew_leads_nowhere(void **state)
{
	struct path_table table;

	(void)state;
	path_table_init(&table, 1);
	WANT(1, "a");
	path_table_slot(&table, 1)->at[0] =
		(struct endpoint){.addr = {{192, 0, 2, 1}, ADDR_IP4}, .port = 25};
	WANT(2, "a");
	assert_int_equal(path_table_slot(&table, 1)->at[0].port, 25);
	WANT(3, "b");
	assert_int_equal(number(&table, "b"), 1);
	assert_int_equal(path_table_slot(&table, 1)->at[0].addr.family, ADDR_NONE);
	path_table_fini(&table);
}

static void a_full_table_takes_what_is_longest_unwanted(void **state)
{
	struct path_table table;

	(void)state;
	path_table_init(&table, 3);
	WANT(1, "a", "b", "c");
	WANT(2, "b", "c");
	WANT(3, "c");
	WANT(4, "c", "d");
	assert_int_equal(number(&table, "d"), 1);
	WANT(5, "c", "d", "e");
	assert_int_equal(number(&table, "e"), 2);
	WANT(6, "c", "d", "e", "f");
	assert_int_equal(number(&table, "f"), 0);
	path_table_fini(&table);
}

static void as_many_as_there_are_numbers(void **state)
{
	struct path_table table;
	char name[16];

	(void)state;
	path_table_init(&table, 4095);
	for (unsigned i = 1; i <= 4096; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		struct path_key key = path_key_of(name, 0, 0);
		assert_int_equal(path_table_add(&table, &key, 1), i <= 4095 ? i : 0);
	}
	assert_int_equal(number(&table, "s4095"), 4095);
	path_table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_and_limit_has_its_number),
		cmocka_unit_test(a_path_keeps_its_number_while_others_come_and_go),
		cmocka_unit_test(a_number_that_is_given_anew_leads_nowhere),
		cmocka_unit_test(a_full_table_takes_what_is_longest_unwanted),
		cmocka_unit_test(as_many_as_there_are_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
