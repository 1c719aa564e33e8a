/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many bad entries of one list: all are told that there is room for, then how many more there are.
 * And the marks that editors put in front of a text. */
#include "lib/language/language.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int read_list(void *context, const char *path, char **text, size_t *len)
{
	(void)path;
	*text = strdup(context);
	*len = strlen(context);
	return 0;
}

static struct policy *parse(
	const char *text, const char *list, struct language_diagnosis *diagnosis)
{
	const struct language_world world = {.read = read_list, .context = (void *)list};

	return language_parse("p.conf", text, strlen(text), &world, diagnosis);
}

static void expect(const struct language_diagnosis *diagnosis, size_t i, const char *text)
{
	assert_true(i < diagnosis->n);
	if (strncmp(diagnosis->v[i].text, text, strlen(text)) != 0)
		assert_string_equal(diagnosis->v[i].text, text);
}

static void all_of_an_inline_list_are_told(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	assert_null(parse("list l { 192.0.2.300,\n192.0.2.9-192.0.2.1, ok, 192.0.2.1 }\n"
			  "list m mail { a@b.example, nobody }\n",
		"", &diagnosis));
	assert_int_equal(diagnosis.n, 4);
	expect(&diagnosis, 0, "p.conf:1:10: error: \"192.0.2.300\" is no entry of this list");
	expect(&diagnosis, 1,
		"p.conf:2:1: error: \"192.0.2.9-192.0.2.1\" is no entry of this list, expected a "
		"range that begins before it ends\n");
	expect(&diagnosis, 2, "p.conf:2:22: error: \"ok\" is no entry of this list");
	expect(&diagnosis, 3, "p.conf:3:28: error: \"nobody\" is no entry of this list");
	language_diagnosis_fini(&diagnosis);
}

static void of_too_many_in_a_policy_the_rest_is_counted(void **state)
{
	struct language_diagnosis diagnosis;
	char text[1000] = "list first { ";

	(void)state;
	for (int i = 0; i < 50; i++)
		sprintf(text + strlen(text), "bad%d%s", i, i < 49 ? ",\n" : " }\n");
	assert_null(parse(text, "", &diagnosis));
	size_t told = 0;
	for (size_t i = 0; i < diagnosis.n; i++)
		told += strstr(diagnosis.v[i].text, "is no entry") != NULL;
	assert_in_range(told, 18, 20);
	char more[100];
	snprintf(more, sizeof(more), "p.conf:1:6: error: list first has %zu more bad entries",
		50 - told);
	expect(&diagnosis, 0, more);
	language_diagnosis_fini(&diagnosis);
}

static void of_too_many_in_a_file_the_rest_is_counted(void **state)
{
	struct language_diagnosis diagnosis;
	char text[3000] = "192.0.2.1\n";

	(void)state;
	for (int i = 0; i < 50; i++)
		sprintf(text + strlen(text), "192.0.2.%d-192.0.2.0\n", i + 1);
	assert_null(parse("list l file \"l.list\"\n", text, &diagnosis));
	assert_int_equal(diagnosis.n, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(diagnosis.v[i].place.line, i + 2);
	expect(&diagnosis, 19, "l.list:21:1: error: \"192.0.2.20-192.0.2.0\" is no entry");
	assert_non_null(strstr(diagnosis.v[19].text, "\nand 30 more bad entries in this file"));
	assert_null(strstr(diagnosis.v[18].text, "more bad entries"));
	language_diagnosis_fini(&diagnosis);
}

static void a_mark_of_utf8_is_no_part_of_the_text(void **state)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse("\xef\xbb\xbflist l file \"l.list\"\n",
		"\xef\xbb\xbf"
		"192.0.2.1\n",
		&diagnosis);

	(void)state;
	assert_non_null(policy);
	assert_int_equal(policy->lists[0].elems.n, 1);
	policy_unref(policy);
	language_diagnosis_fini(&diagnosis);
	assert_null(parse("\xef\xbb\xbflost l dynamic\n", "", &diagnosis));
	expect(&diagnosis, 0, "p.conf:1:1: error: unexpected \"lost\"");
	assert_non_null(strstr(diagnosis.v[0].text, "\nlost l dynamic\n^~~~"));
	language_diagnosis_fini(&diagnosis);
}

static void an_edit_finds_its_way_behind_the_mark(void **state)
{
	static const char source[] =
		"\xef\xbb\xbflist first mail dynamic # mine\nlist second file x\n";
	struct language_diagnosis diagnosis;
	struct policy *before = parse(source, "192.0.2.1\n", &diagnosis), *after;
	size_t len;

	(void)state;
	language_diagnosis_fini(&diagnosis);
	assert_non_null(before);
	after = language_edit_delete(before, "list", "first", NULL, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	assert_non_null(after);
	char *text = language_source_follow(
		source, strlen(source), before, after, "list", "first", &len);
	assert_non_null(text);
	assert_null(memmem(text, len, "first", 5));
	assert_non_null(memmem(text, len, "list second file x\n", 19));
	free(text);
	policy_unref(before);
	policy_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_an_inline_list_are_told),
		cmocka_unit_test(of_too_many_in_a_policy_the_rest_is_counted),
		cmocka_unit_test(of_too_many_in_a_file_the_rest_is_counted),
		cmocka_unit_test(a_mark_of_utf8_is_no_part_of_the_text),
		cmocka_unit_test(an_edit_finds_its_way_behind_the_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
