/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users in a file: read as they are written, and refused with the line where they are not. */
#include "lib/auth/user_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HASH "$y$j9T$abcdefgh$0123456789"

static void users_are_found(void **state)
{
	static const char text[] =
		"# staff\n"
		"anna:" HASH ":staff, desk:anna@hotel.example,desk@hotel.example\n"
		"\n"
		"bert:$6$x$y234567\r\n"
		"ann:" HASH "::\n"
		"j\303\266rg m:" HASH;
	struct user_file_entry entry;
	const char *word;
	size_t line, len;
	(void)state;
	assert_null(user_file_check(text, strlen(text), &line));
	assert_true(user_file_find(text, strlen(text), "anna", &entry));
	assert_int_equal(entry.hash_len, strlen(HASH));
	assert_memory_equal(entry.hash, HASH, entry.hash_len);
	assert_true(user_file_next(&entry.groups, &entry.groups_len, &word, &len));
	assert_int_equal(len, 5);
	assert_true(user_file_next(&entry.groups, &entry.groups_len, &word, &len));
	assert_int_equal(len, 4);
	assert_memory_equal(word, "desk", 4);
	assert_false(user_file_next(&entry.groups, &entry.groups_len, &word, &len));
	assert_true(user_file_next(&entry.mails, &entry.mails_len, &word, &len));
	assert_true(user_file_next(&entry.mails, &entry.mails_len, &word, &len));
	assert_memory_equal(word, "desk@hotel.example", len);
	assert_true(user_file_find(text, strlen(text), "bert", &entry));
	assert_int_equal(entry.hash_len, 12);
	assert_true(user_file_find(text, strlen(text), "ann", &entry));
	assert_int_equal(entry.mails_len, 0);
	assert_true(user_file_find(text, strlen(text), "j\303\266rg m", &entry));
	static const char marked[] = "\357\273\277anna:" HASH "\n";
	assert_null(user_file_check(marked, strlen(marked), &line));
	assert_true(user_file_find(marked, strlen(marked), "anna", &entry));
	assert_false(user_file_find(text, strlen(text), "Anna", &entry));
	assert_false(user_file_find(text, strlen(text), "", &entry));
	assert_false(user_file_find(text, strlen(text), "# staff", &entry));
}

static void a_bad_line_is_told(void **state)
{
	static const struct {
		const char *text;
		size_t line;
		const char *expected;
	} cases[] = {
		{"", 1, "one at least"},
		{"#\n\n", 1, "one at least"},
		{"anna", 1, "USER:HASH"},
		{"anna:" HASH ":a:b:c", 1, "USER:HASH"},
		{"anna:" HASH "\nbert\n", 2, "USER:HASH"},
		{":" HASH, 1, "a user's name"},
		{" anna:" HASH, 1, "a user's name"},
		{"anna :" HASH, 1, "a user's name"},
		{"anna:", 1, "a hash"},
		{"anna:secret", 1, "a hash"},
		{"anna:secretsecret", 1, "a hash"},
		{"anna:abJnggxhB/yWI", 1, "a hash"}, /* of the old DES kind */
		{"anna:!" HASH, 1, "a hash"},
		{"anna:" HASH " x", 1, "a hash"},
		{"anna:$$x2345678", 1, "a hash"},
		{"\n#\nanna:" HASH "\nbert:" HASH "\nanna:" HASH, 5, "each user once"},
		{"anna:" HASH "\n\001:" HASH, 2, "UTF-8"},
		{"ann\344:" HASH, 1, "UTF-8"},
	};
	size_t line;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *expected = user_file_check(cases[i].text, strlen(cases[i].text), &line);
		if (!expected || !strstr(expected, cases[i].expected) || line != cases[i].line)
			fail_msg("%s: %s in line %zu", cases[i].text, expected, line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found),
		cmocka_unit_test(a_bad_line_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
