/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static void pieces_are_apart_and_come_back(void **state)
{
	(void)state;
	struct pool pool;
	assert_int_equal(pool_init(&pool, 24, 3), 0);
	uint8_t *a = pool_take(&pool), *b = pool_take(&pool), *c = pool_take(&pool);
	assert_non_null(a);
	assert_true(b >= a + 24 && c >= b + 24);
	assert_null(pool_take(&pool));
	assert_int_equal(pool_number(&pool, b), 1);
	assert_ptr_equal(pool_piece(&pool, 1), b);
	assert_int_equal(pool_taken(&pool), 3);

	pool_give(&pool, b);
	pool_give(&pool, a);
	assert_int_equal(pool_taken(&pool), 1);
	assert_ptr_equal(pool_take(&pool), a);
	assert_ptr_equal(pool_take(&pool), b);
	assert_null(pool_take(&pool));
	pool_fini(&pool);
}

/* How many of a piece's pages are in memory. */
static unsigned resident(void *piece, size_t bytes)
{
	unsigned char pages[16];
	unsigned n = 0;
	assert_int_equal(mincore(piece, bytes, pages), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		n += pages[i] & 1;
	return n;
}

static void free_pieces_give_their_memory_back(void **state)
{
	(void)state;
	struct pool pool;
	const size_t bytes = 16384;
	uint8_t *pieces[8];
	assert_int_equal(pool_init(&pool, bytes, 8), 0);
	for (int i = 0; i < 8; i++) {
		pieces[i] = pool_take(&pool);
		memset(pieces[i], i, bytes);
	}
	for (int i = 0; i < 8; i++)
		pool_give(&pool, pieces[i]);
	pool_trim(&pool, 2);
	for (int i = 0; i < 8; i++)
		assert_int_equal(resident(pieces[i], bytes), i < 6 ? 0 : 4);

	/* taken again, given again: only what was touched anew is trimmed anew */
	for (int i = 7; i >= 4; i--)
		assert_ptr_equal(pool_take(&pool), pieces[i]);
	assert_int_equal(pool.cold, 4);
	memset(pieces[4], 1, bytes);
	for (int i = 4; i < 8; i++)
		pool_give(&pool, pieces[i]);
	pool_trim(&pool, 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(resident(pieces[i], bytes), 0);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_apart_and_come_back),
		cmocka_unit_test(free_pieces_give_their_memory_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
