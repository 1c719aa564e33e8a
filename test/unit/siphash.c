/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t secret[SIPHASH_SECRET_SIZE];

static uint64_t hash_of(const uint8_t *bytes, size_t len, size_t piece)
{
	struct siphash hash;

	siphash_begin(&hash, secret);
	for (size_t at = 0; at < len; at += piece)
		siphash_bytes(&hash, bytes + at, len - at < piece ? len - at : piece);
	return siphash_end(&hash);
}

/* The paper's appendix A. */
static void test_the_vector_of_its_authors(void **state)
{
	uint8_t bytes[15];

	(void)state;
	for (unsigned i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_true(hash_of(bytes, sizeof(bytes), sizeof(bytes)) == UINT64_C(0xa129ca6149be45e5));
}

static void test_pieces_make_no_difference(void **state)
{
	uint8_t bytes[64];

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		for (size_t piece = 1; piece < 10; piece++)
			assert_true(hash_of(bytes, len, piece) == hash_of(bytes, len, 64));
	assert_true(hash_of(bytes, 8, 8) != hash_of(bytes, 9, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_vector_of_its_authors),
		cmocka_unit_test(test_pieces_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
