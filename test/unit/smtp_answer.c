/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NO   "503 5.5.1 gw no mail service for you [f-1]\r\n"
#define BYE  "221 2.0.0 gw closing [f-1]\r\n"
#define STOP "421 4.7.0 gw too many commands [f-1]\r\n"

/* All that is said to bytes fed in pieces; *over is how it ended. */
static size_t talk(const char *bytes, size_t len, size_t step, size_t room, char *said, bool *over)
{
	struct smtp_answer answer = {0};
	size_t total = 0;

	*over = false;
	for (size_t i = 0; i < len && !*over;) {
		char out[4 * SMTP_ANSWER_ROOM];
		size_t used, out_len, n = len - i < step ? len - i : step;
		*over = smtp_answer_feed(
			&answer, bytes + i, n, &used, "gw", 1, out, room, &out_len);
		assert_true(out_len <= room);
		memcpy(said + total, out, out_len);
		total += out_len;
		i += used;
	}
	said[total] = '\0';
	return total;
}

static void test_quit_is_answered_and_all_else_refused(void **state)
{
	static const struct {
		const char *bytes, *said;
		bool over;
	} cases[] = {
		{"QUIT\r\n", BYE, true},
		{"quit\n", BYE, true},
		{"QuIt \t\r\n", BYE, true},
		{"QUITS\r\n", NO, false},
		{"QUIT now\r\n", NO, false},
		{" QUIT\r\n", NO, false},
		{"QUI\r\n", NO, false},
		{"\r\n", NO, false},
		{"\n", NO, false},
		{"EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\nEHLO y\r\n", NO NO BYE, true},
		{"EHLO x", "", false},
	};
	char said[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step < 50; step += 16) {
			bool over;
			talk(cases[i].bytes, strlen(cases[i].bytes), step, SMTP_ANSWER_ROOM, said,
				&over);
			assert_string_equal(said, cases[i].said);
			assert_int_equal(over, cases[i].over);
		}
	}
}

static void test_a_flood_of_lines_ends(void **state)
{
	char bytes[500], said[SMTP_ANSWER_LINES_MAX * SMTP_LINE_SIZE];
	bool over;

	(void)state;
	memset(bytes, '\n', sizeof(bytes));
	for (size_t room = SMTP_ANSWER_ROOM; room <= 4 * SMTP_ANSWER_ROOM; room += 700) {
		size_t len = talk(bytes, sizeof(bytes), sizeof(bytes), room, said, &over);
		assert_true(over);
		assert_int_equal(len, (SMTP_ANSWER_LINES_MAX - 1) * strlen(NO) + strlen(STOP));
		assert_string_equal(said + len - strlen(STOP), STOP);
	}
}

static void test_a_line_without_end_ends(void **state)
{
	static char bytes[SMTP_ANSWER_LINE_MAX + 2];
	char said[SMTP_LINE_SIZE];
	bool over;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	talk(bytes, sizeof(bytes), 100, SMTP_ANSWER_ROOM, said, &over);
	assert_true(over);
	assert_string_equal(said, "500 5.5.2 gw line too long [f-1]\r\n");
	bytes[SMTP_ANSWER_LINE_MAX] = '\n';
	talk(bytes, sizeof(bytes) - 1, 100, SMTP_ANSWER_ROOM, said, &over);
	assert_false(over);
	assert_string_equal(said, NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quit_is_answered_and_all_else_refused),
		cmocka_unit_test(test_a_flood_of_lines_ends),
		cmocka_unit_test(test_a_line_without_end_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
