/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/flowid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	uint64_t id;
	const char *text;
} cases[] = {
	{0, "f-0"},
	{1, "f-1"},
	{31, "f-z"},
	{32, "f-10"},
	{7966441, "f-7k3q9"},
	{UINT64_MAX, "f-fzzzzzzzzzzzz"},
	{UINT64_C(1) << 60, "f-1000000000000"},
};

static void test_ids_are_short_and_come_back(void **state)
{
	char buf[FLOWID_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t id;
		assert_string_equal(flowid_format(cases[i].id, buf), cases[i].text);
		assert_int_equal(flowid_parse(buf, strlen(buf), &id), 0);
		assert_true(id == cases[i].id);
		assert_int_equal(flowid_parse(buf + 2, strlen(buf) - 2, &id), 0);
		assert_true(id == cases[i].id);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t id;
		flowid_format(UINT64_C(1) << bit, buf);
		assert_int_equal(flowid_parse(buf, strlen(buf), &id), 0);
		assert_true(id == UINT64_C(1) << bit);
	}
}

static void test_what_is_heard_wrongly_is_forgiven(void **state)
{
	static const struct {
		const char *heard, *meant;
	} heard[] = {
		{"F-7K3Q9", "f-7k3q9"},
		{"7k3q9", "f-7k3q9"},
		{"f-oil", "f-011"},
		{"f-OIL", "f-011"},
		{"f-0007k3q9", "f-7k3q9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		uint64_t a, b;
		assert_int_equal(flowid_parse(heard[i].heard, strlen(heard[i].heard), &a), 0);
		assert_int_equal(flowid_parse(heard[i].meant, strlen(heard[i].meant), &b), 0);
		assert_true(a == b);
	}
}

static void test_what_is_no_id_is_refused(void **state)
{
	static const char *const bad[] = {"", "f-", "f-u", "f-7k3q9 ", "f--1", "f-7k.3",
		"f-g000000000000", "f-10000000000000", "f-fzzzzzzzzzzzzz"};
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(flowid_parse(bad[i], strlen(bad[i]), &id), -EINVAL);
	assert_int_equal(flowid_parse("f-1\0", 4, &id), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_short_and_come_back),
		cmocka_unit_test(test_what_is_heard_wrongly_is_forgiven),
		cmocka_unit_test(test_what_is_no_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
