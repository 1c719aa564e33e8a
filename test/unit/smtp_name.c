/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_what_clients_call_themselves(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *name;
	} cases[] = {
		{"mx.example.org", 14, "mx.example.org"},
		{"mx.example.org.", 15, "mx.example.org"},
		{"DESKTOP_1", 9, "DESKTOP_1"},
		{"[10.0.0.5]", 10, "[10.0.0.5]"},
		{"[IPv6:2001:db8::1]", 18, "[IPv6:2001:db8::1]"},
		{"10.0.0.5", 8, "10.0.0.5"},
		{"a", 1, "a"},
		{".", 1, "."},
		{"x;(y)", 5, "x;(y)"},
		{"M\xc3\xbcller", 7, "M??ller"},
		{"M\xfcller", 6, "M?ller"},
		{"", 0, ""},
		{"a b", 3, ""},
		{" a", 2, ""},
		{"a\tb", 3, ""},
		{"a\0b", 3, ""},
		{"a\rb", 3, ""},
		{"a\nb", 3, ""},
		{"a\x7f", 2, ""},
		{"\x1b[2J", 4, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[SMTP_NAME_SIZE];
		size_t n = smtp_name_parse(cases[i].bytes, cases[i].len, name);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(n, strlen(name));
	}
}

static void test_names_have_at_most_255_bytes(void **state)
{
	char bytes[300], name[SMTP_NAME_SIZE];

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(smtp_name_parse(bytes, 255, name), 255);
	assert_int_equal(strlen(name), 255);
	assert_int_equal(smtp_name_parse(bytes, 256, name), 0);
	bytes[255] = '.';
	assert_int_equal(smtp_name_parse(bytes, 256, name), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_clients_call_themselves),
		cmocka_unit_test(test_names_have_at_most_255_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
