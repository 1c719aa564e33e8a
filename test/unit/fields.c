/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/fields.h"
#include "lib/command/verb.h"
#include "lib/language/language.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct fields of(const char *text)
{
	return (struct fields){text, text + strlen(text)};
}

static void lines_end_with_a_newline_or_are_none(void **state)
{
	struct fields text = of("one\n\ntwo three\nfour"), line;

	(void)state;
	assert_true(fields_line(&text, &line));
	assert_int_equal(line.end - line.at, 3);
	assert_true(fields_line(&text, &line));
	assert_true(fields_over(&line));
	assert_true(fields_line(&text, &line));
	assert_memory_equal(line.at, "two three", 9);
	assert_false(fields_line(&text, &line));
	text = of("");
	assert_false(fields_line(&text, &line));
}

static void a_number_is_digits_and_within_its_bound(void **state)
{
	static const struct {
		const char *text;
		uint64_t most;
		bool good;
	} cases[] = {
		{"0", 0, true},
		{"1", 0, false},
		{"9", 8, false},
		{"10", 10, true},
		{"11", 10, false},
		{"18446744073709551615", UINT64_MAX, true},
		{"18446744073709551616", UINT64_MAX, false},
		{"99999999999999999999999", UINT64_MAX, false},
		{"0000000000000000000000000000007", 7, true},
		{"", 9, false},
		{" 1", 9, false},
		{"-1", UINT64_MAX, false},
		{"+1", 9, false},
		{"0x1", 9, false},
		{"1x", 9, false},
		{"1\t", 9, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fields line = of(cases[i].text);
		uint64_t number = 77;
		assert_int_equal(fields_number(&line, cases[i].most, &number), cases[i].good);
		assert_true(cases[i].good ? fields_over(&line) : number == 77);
	}
}

static void fields_are_apart_by_one_blank(void **state)
{
	static const char nul[] = "a\0b";
	struct fields line = of("12 word the rest of it");
	char word[5], rest[16], small[4];
	uint64_t number;

	(void)state;
	assert_true(fields_number(&line, 99, &number));
	assert_int_equal(number, 12);
	struct fields again = line;
	assert_false(fields_word(&again, small, sizeof(small)));
	assert_true(fields_word(&line, word, sizeof(word)));
	assert_string_equal(word, "word");
	again = line;
	assert_false(fields_rest(&again, word, sizeof(word)));
	assert_true(fields_rest(&line, rest, sizeof(rest)));
	assert_string_equal(rest, "the rest of it");
	assert_true(fields_over(&line));
	assert_true(fields_rest(&line, rest, sizeof(rest)));
	assert_string_equal(rest, "");
	assert_false(fields_word(&line, word, sizeof(word)));
	line = of("1  2");
	assert_true(fields_number(&line, 9, &number));
	assert_false(fields_number(&line, 9, &number));
	line = (struct fields){nul, nul + 3};
	assert_false(fields_rest(&line, rest, sizeof(rest)));
}

/* Wherever a time is given, it comes through here. */
static void no_time_is_longer_than_can_be_added_to_now(void **state)
{
	static const char *const bad[] = {"18446744073709551615ms", "18446744073709551616ms",
		"99999999999999999999s", "7102w", "4294967296s", "30500569w", "1", "", "ms", "-1s",
		"1 s", "0x1s", "1s ", "1.5h"};
	static const char *const good[] = {"1ms", "4294967295s", "7101w", "71582788m"};
	const struct verb_part duration = {.type = VERB_DURATION}, span = {.type = VERB_SPAN};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(language_parse_duration(bad[i], &ms), -EINVAL);
		assert_false(verb_fits(&duration, bad[i]));
		assert_false(verb_fits(&span, bad[i]));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(language_parse_duration(good[i], &ms), 0);
		assert_true(ms && ms <= LANGUAGE_DURATION_MAX_MS);
		assert_true(verb_fits(&duration, good[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_a_newline_or_are_none),
		cmocka_unit_test(a_number_is_digits_and_within_its_bound),
		cmocka_unit_test(fields_are_apart_by_one_blank),
		cmocka_unit_test(no_time_is_longer_than_can_be_added_to_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
