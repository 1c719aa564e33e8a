/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an array grows. */
#include "lib/base/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void members_stay_and_there_is_room_for_one_more(void **state)
{
	unsigned *v = NULL;
	size_t room = 0, moves = 0;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		size_t before = room;
		unsigned *grown = vector_grow(v, n, &room, sizeof(*v));
		assert_non_null(grown);
		assert_true(n < room);
		moves += room != before;
		v = grown;
		v[n] = (unsigned)n * 7;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(v[n], n * 7);
	assert_in_range(moves, 5, 12);
	free(v);
}

static void without_memory_all_is_as_it_was(void **state)
{
	size_t room = 0;
	char *v = vector_grow(NULL, 0, &room, 1);

	(void)state;
	assert_non_null(v);
	v[0] = 'x';
	const size_t before = room;
	assert_null(
		vector_grow(v, room, &room, SIZE_MAX / 4)); /* as many bytes as there are none */
	assert_int_equal(room, before);
	size_t most = SIZE_MAX / 2 + 1;
	assert_null(vector_grow(v, most, &most, 1)); /* twice that is nothing */
	assert_int_equal(v[0], 'x');
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_stay_and_there_is_room_for_one_more),
		cmocka_unit_test(without_memory_all_is_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
