/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *pieces[600];

	(void)state;
	for (size_t i = 0; i < 600; i++) {
		size_t bytes = i * 7 % 300;
		pieces[i] = arena_alloc(arena, bytes);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < bytes; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i & 0xff), bytes);
		arena_copy(arena, "odd", 3); /* so that the next must be aligned anew */
	}
	for (size_t i = 0; i < 600; i++)
		for (size_t j = 0; j < i * 7 % 300; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	arena_free(arena);
}

static void test_large_pieces_do_not_waste_small_ones(void **state)
{
	struct arena *arena = arena_new();
	char *small = arena_alloc(arena, 16);

	(void)state;
	memset(arena_alloc(arena, 3 << 20), 1, 3 << 20);
	size_t before = arena_bytes(arena);
	assert_true(before > 3 << 20);
	char *next = arena_alloc(arena, 16);
	assert_ptr_equal(next, small + 16);
	assert_int_equal(arena_bytes(arena), before);
	arena_free(arena);
}

static void test_text_is_copied_with_its_end(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(arena_copy(arena, "guest and more", 5), "guest");
	assert_string_equal(arena_copy(arena, NULL, 0), "");
	assert_memory_equal(arena_copy(arena, "a\0b", 3), "a\0b", 4);
	arena_free(arena);
}

static void test_too_much_is_refused(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX / 2 + 1));
	assert_non_null(arena_alloc(arena, 1));
	arena_free(arena);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(test_large_pieces_do_not_waste_small_ones),
		cmocka_unit_test(test_text_is_copied_with_its_end),
		cmocka_unit_test(test_too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
