/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets that wait for control's word. */
#include "daemon/keeper/held_packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_the_oldest_is_the_lowest_number(void **state)
{
	struct held_packets *table = *state;

	for (uint32_t id = 10; id < 20; id++)
		assert_non_null(held_packet_add(table, id));
	held_packet_del(table, held_packet_find(table, 10));
	held_packet_del(table, held_packet_find(table, 12));
	assert_int_equal(held_packet_oldest(table)->id, 11);
	assert_int_equal(held_packet_after(table, 11)->id, 13);
	assert_null(held_packet_after(table, 19));
	assert_null(held_packet_find(table, 12));
	assert_null(held_packet_find(table, 11 + HELD_PACKET_MAX));
	assert_int_equal(table->n, 8);
}

static void test_a_place_is_taken_once(void **state)
{
	struct held_packets *table = *state;

	for (uint32_t id = 0; id < HELD_PACKET_MAX; id++)
		assert_non_null(held_packet_add(table, id));
	assert_null(held_packet_add(table, HELD_PACKET_MAX));
	held_packet_del(table, held_packet_find(table, 0));
	assert_non_null(held_packet_add(table, HELD_PACKET_MAX));
	assert_int_equal(held_packet_oldest(table)->id, 1);
}

static void test_numbers_wrap_around(void **state)
{
	struct held_packets *table = *state;

	for (uint32_t i = 0; i < 6; i++)
		assert_non_null(held_packet_add(table, UINT32_MAX - 2 + i));
	for (uint32_t i = 0; i < 6; i++) {
		struct held_packet *oldest = held_packet_oldest(table);
		assert_int_equal(oldest->id, UINT32_MAX - 2 + i);
		held_packet_del(table, oldest);
	}
	assert_null(held_packet_oldest(table));
}

/* As over an upgrade, and as behind many that were decided at once. */
static void test_an_empty_table_begins_anywhere(void **state)
{
	struct held_packets *table = *state;

	held_packet_del(table, held_packet_add(table, 5));
	assert_null(held_packet_oldest(table));
	assert_non_null(held_packet_add(table, 4000000000u));
	assert_int_equal(held_packet_oldest(table)->id, 4000000000u);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct held_packets));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_oldest_is_the_lowest_number),
		TEST(test_a_place_is_taken_once),
		TEST(test_numbers_wrap_around),
		TEST(test_an_empty_table_begins_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
