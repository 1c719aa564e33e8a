/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char applied[] =
	"language 1\nhostname \"gw\"\nlimit flows 10\n\n"
	"zone guest {\n    interface \"e0\"\n}\n\n"
	"rule a { verdict pass }\nrule b {\n    verdict drop\n}\nrule c { verdict pass }\n";

static void test_a_text_is_its_top_statements(void **state)
{
	static const char *const keys[] = {
		"language", "hostname", "limit flows", "zone guest", "rule a", "rule b", "rule c"};
	size_t n;
	struct statement *v = statements_split(applied, strlen(applied), &n);
	(void)state;
	assert_int_equal(n, sizeof(keys) / sizeof(*keys));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].key_len, strlen(keys[i]));
		assert_memory_equal(v[i].key, keys[i], v[i].key_len);
	}
	assert_int_equal(v[5].len, strlen("rule b {\n    verdict drop\n}\n"));
	free(v);
	assert_null(statements_split("", 0, &n));
	assert_int_equal(n, 0);
}

#define HEAD \
	"language 1\nhostname \"gw\"\nlimit flows 10\n\nzone guest {\n    interface \"e0\"\n}\n\n"
#define A "rule a { verdict pass }\n"
#define B "rule b {\n    verdict drop\n}\n"
#define C "rule c { verdict pass }\n"

static void test_what_commands_changed_is_lost_unless_it_comes_again(void **state)
{
	static const struct {
		const char *running, *coming, *lost;
	} cases[] = {
		{HEAD A B C, HEAD A, ""}, /* nothing was changed by commands */
		{HEAD A B C "rule d { verdict drop }\n", HEAD A B C, "rule d (added)\n"},
		{HEAD A B C "rule d { verdict drop }\n", HEAD "rule d { verdict drop }\n" A B C,
			""},
		{HEAD A B, HEAD A B C, "rule c (deleted)\n"},
		{HEAD A B, HEAD A B "rule e { verdict drop }\n", ""},
		{HEAD A "rule b { verdict pass }\n" C, HEAD A B C, "rule b (changed)\n"},
		{HEAD A "rule b { verdict pass }\n" C, HEAD A "rule b { verdict pass }\n", ""},
		{HEAD C A B, HEAD A B C, "the order of the rules\n"},
		{HEAD C A B, HEAD C A B "rule e { verdict drop }\n", ""},
		{HEAD C A B, HEAD C B, ""},
		{"language 1\nhostname \"other\"\n" A B C, HEAD A B C,
			"hostname (changed)\nlimit flows (deleted)\nzone guest (deleted)\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *lost = statements_lost(applied, strlen(applied), cases[i].running,
			strlen(cases[i].running), cases[i].coming, strlen(cases[i].coming));
		assert_string_equal(lost, cases[i].lost);
		free(lost);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_is_its_top_statements),
		cmocka_unit_test(test_what_commands_changed_is_lost_unless_it_comes_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
