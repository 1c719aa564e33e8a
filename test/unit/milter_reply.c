/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a filter may say to a client in its own words. */
#include "lib/milter/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void good_replies_are_read(void **state)
{
	static const struct {
		const char *text;
		unsigned code;
		const char *enhanced, *words;
	} cases[] = {
		{"550 5.7.1 no", 550, "5.7.1", "no"},
		{"451 4.7.1 later", 451, "4.7.1", "later"},
		{"421 4.7.0 go away", 421, "4.7.0", "go away"},
		{"554 5.7.1 Gtube pattern", 554, "5.7.1", "Gtube pattern"},
		{"550 no code of three parts", 550, "5.7.1", "no code of three parts"},
		{"450 4 hours", 450, "4.7.1", "4 hours"},
		{"550 5.7.1", 550, "5.7.1", "refused by a filter"},
		{"550 ", 550, "5.7.1", "refused by a filter"},
		{"550", 550, "5.7.1", "refused by a filter"},
		{"550 5.7.1 one\r\n", 550, "5.7.1", "one"},
		{"550-5.7.1 one\r\n550 5.7.1 two", 550, "5.7.1", "one / two"},
		{"550-5.7.1 one\r\n550-5.7.2 two\n550 three\n", 550, "5.7.1", "one / two / three"},
		{"550-\r\n550 5.7.1 two", 550, "5.7.1", "two"},
		{"550 5.7.1 100%% sure, 50% off, %s%n", 550, "5.7.1", "100% sure, 50 off, sn"},
		{"550 5.7.1 %%%%", 550, "5.7.1", "%%"},
		{"550 5.7.1 end %", 550, "5.7.1", "end "},
		{"550 5.7.1 tab\there", 550, "5.7.1", "tab here"},
		{"550 5.7.1 \xc3\xbc", 550, "5.7.1", "\xc3\xbc"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct milter_reply reply;
		const char *wrong = milter_reply_parse(cases[i].text, &reply);
		if (wrong)
			fail_msg("%s: %s", cases[i].text, wrong);
		assert_int_equal(reply.code, cases[i].code);
		assert_string_equal(reply.enhanced, cases[i].enhanced);
		assert_string_equal(reply.words, cases[i].words);
	}
}

static void what_is_no_refusal_is_none(void **state)
{
	static const char *const texts[] = {"", "5", "55", "250 2.0.0 ok", "354 go", "650 x",
		"5x0 5.7.1 no", "550x", "550:5.7.1 no", "550 4.7.1 smf-spf says so", "451 5.7.1 no",
		"550 2.0.0 ok", "550-5.7.1 the last line is missing", "550-5.7.1 a\r\n551 5.7.1 b",
		"550 5.7.1 a\r\n550 5.7.1 b", "550-5.7.1 a\r\n55", "550-5.7.1 a\r\n\r\n550 b",
		"550-a\r\n550 4.7.1 b", "550 5.7.1 a\rb", "550 5.7.1 a\x1b[2J", "550 5.7.1 a\x7f",
		"550-5.7.1 a\r550 b", "\r\n550 5.7.1 a", " 550 5.7.1 a", "y550 5.7.1 a",
		"554 5.7.1234 a"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct milter_reply reply;
		if (!milter_reply_parse(texts[i], &reply))
			fail_msg("taken: %s", texts[i]);
	}
}

static void words_are_bounded(void **state)
{
	char text[6000] = "550-5.7.1 ";
	struct milter_reply reply;
	(void)state;
	memset(text + 10, 'a', 3000);
	strcpy(text + 3010, "\r\n550 5.7.1 ");
	memset(text + 3022, 'b', 2000);
	text[5022] = '\0';
	assert_null(milter_reply_parse(text, &reply));
	assert_int_equal(strlen(reply.words), MILTER_WORDS_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_replies_are_read),
		cmocka_unit_test(what_is_no_refusal_is_none),
		cmocka_unit_test(words_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
