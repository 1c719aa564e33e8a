/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two texts by lines. */
#include "daemon/control/policy/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void lines_are_marked(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b, *diff;
	} cases[] = {
		{"", "", ""},
		{"a\nb\n", "a\nb\n", ""},
		{"", "a\n", "+a\n"},
		{"a\n", "", "-a\n"},
		{"a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n"},
		{"a\nb", "a\nb\nc", " a\n b\n+c\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n2\n3\n4\n5\n6\n7\n8\n0\n",
			"-1\n+0\n 2\n 3\n 4\n@\n 6\n 7\n 8\n-9\n+0\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text =
			diff_lines(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b));
		assert_string_equal(text, cases[i].diff);
		free(text);
	}
}

/* Taking the difference back gives both texts again, whatever they were. */
static void nothing_is_left_out_of_a_short_difference(void **state)
{
	unsigned seed = 1;
	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		char a[64] = "", b[64] = "", left[256] = "", right[256] = "";
		for (int i = 0; i < 8; i++) {
			seed = seed * 1103515245 + 12345;
			sprintf(a + strlen(a), "%u\n", seed >> 16 & 3);
			seed = seed * 1103515245 + 12345;
			sprintf(b + strlen(b), "%u\n", seed >> 16 & 3);
		}
		char *text = diff_lines(a, strlen(a), b, strlen(b)), *rest;
		assert_non_null(text);
		for (char *line = strtok_r(text, "\n", &rest); line;
			line = strtok_r(NULL, "\n", &rest)) {
			if (*line != '+')
				sprintf(left + strlen(left), "%s\n", line + 1);
			if (*line != '-')
				sprintf(right + strlen(right), "%s\n", line + 1);
		}
		if (strcmp(a, b) != 0 && !strchr(left, '@')) {
			assert_non_null(strstr(a, left));
			assert_non_null(strstr(b, right));
		}
		free(text);
	}
}

static void a_large_difference_is_told_without_a_table(void **state)
{
	size_t n = 20000, len = 0;
	char *a = malloc(n * 8), *b = malloc(n * 8);
	(void)state;
	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(a + len, "a%05zu\n", i);
	memcpy(b, a, len);
	for (size_t i = 0; i < len; i += 7)
		b[i] = 'b';
	char *text = diff_lines(a, len, b, len);
	assert_non_null(text);
	assert_int_equal(strlen(text), 2 * n * 8);
	free(text);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_marked),
		cmocka_unit_test(nothing_is_left_out_of_a_short_difference),
		cmocka_unit_test(a_large_difference_is_told_without_a_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
