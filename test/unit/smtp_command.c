/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct smtp_command command;

/* Gives the bytes in pieces of `step`; returns the status of what stands first. */
static enum smtp_command_status give(const char *bytes, size_t len, size_t step, bool repair)
{
	enum smtp_command_status status = SMTP_COMMAND_MORE;

	memset(&command, 0, sizeof(command));
	for (size_t i = 0; i < len && status == SMTP_COMMAND_MORE;) {
		size_t n = len - i < step ? len - i : step;
		i += smtp_command_add(&command, bytes + i, n);
		status = smtp_command_next(&command, repair);
	}
	return status;
}

#define S(text) text, sizeof(text) - 1

static void test_lines_are_told_by_their_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum smtp_command_status strict, repaired;
		size_t line;
	} cases[] = {
		{S("NOOP\r\n"), SMTP_COMMAND_LINE, SMTP_COMMAND_LINE, 4},
		{S("\r\n"), SMTP_COMMAND_LINE, SMTP_COMMAND_LINE, 0},
		{S("NOOP"), SMTP_COMMAND_MORE, SMTP_COMMAND_MORE, 0},
		{S("NOOP\r"), SMTP_COMMAND_MORE, SMTP_COMMAND_MORE, 0},
		{S(""), SMTP_COMMAND_MORE, SMTP_COMMAND_MORE, 0},
		{S("NOOP\n"), SMTP_COMMAND_BARE, SMTP_COMMAND_LINE, 4},
		{S("\n"), SMTP_COMMAND_BARE, SMTP_COMMAND_LINE, 0},
		{S("NO\rOP\r\n"), SMTP_COMMAND_BARE, SMTP_COMMAND_BARE, 0},
		{S("NOOP\r\r\n"), SMTP_COMMAND_BARE, SMTP_COMMAND_BARE, 0},
		{S("\rNOOP\r\n"), SMTP_COMMAND_BARE, SMTP_COMMAND_BARE, 0},
		{S("NO\0OP\r\n"), SMTP_COMMAND_CONTROL, SMTP_COMMAND_CONTROL, 5},
		{S("NOOP\t\r\n"), SMTP_COMMAND_CONTROL, SMTP_COMMAND_CONTROL, 5},
		{S("\x1bNOOP\r\n"), SMTP_COMMAND_CONTROL, SMTP_COMMAND_CONTROL, 5},
		{S("NOOP\x7f\r\n"), SMTP_COMMAND_CONTROL, SMTP_COMMAND_CONTROL, 5},
		{S("NO\0OP"), SMTP_COMMAND_MORE, SMTP_COMMAND_MORE, 0},
		{S("N\xc3\xa4\r\n"), SMTP_COMMAND_LINE, SMTP_COMMAND_LINE, 3},
		{S("\x16\x03\x01\x02"), SMTP_COMMAND_HELLO, SMTP_COMMAND_HELLO, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t step = 1; step <= cases[i].len + 1; step++) {
			enum smtp_command_status strict =
				give(cases[i].bytes, cases[i].len, step, false);
			if (strict != cases[i].strict ||
				command.line !=
					(strict == SMTP_COMMAND_LINE ||
								strict == SMTP_COMMAND_CONTROL
							? cases[i].line
							: 0))
				fail_msg("case %zu by %zu, strict: %d", i, step, (int)strict);
			enum smtp_command_status repaired =
				give(cases[i].bytes, cases[i].len, step, true);
			if (repaired != cases[i].repaired)
				fail_msg("case %zu by %zu, repaired: %d", i, step, (int)repaired);
		}
	}
}

/* So many bytes and CRLF, then NOOP. */
static size_t long_line(char *bytes, size_t n)
{
	memset(bytes, 'x', n);
	memcpy(bytes + n, "\r\nNOOP\r\n", 8);
	return n + 8;
}

static void test_a_line_too_long_goes_by_to_its_end(void **state)
{
	static char bytes[3 * SMTP_COMMAND_MAX];
	(void)state;
	for (size_t n = SMTP_COMMAND_MAX - 4; n < SMTP_COMMAND_MAX + 4; n++) {
		for (size_t step = 1; step < 5000; step += step < 8 ? 1 : 511) {
			bool fits = n + 2 <= SMTP_COMMAND_MAX;
			size_t len = long_line(bytes, n), i = 0;
			enum smtp_command_status status = SMTP_COMMAND_MORE;
			memset(&command, 0, sizeof(command));
			while (status == SMTP_COMMAND_MORE) {
				size_t left = len - i < step ? len - i : step;
				i += smtp_command_add(&command, bytes + i, left);
				status = smtp_command_next(&command, false);
				assert_true(i < len || status != SMTP_COMMAND_MORE);
			}
			assert_int_equal(status, fits ? SMTP_COMMAND_LINE : SMTP_COMMAND_LONG);
			smtp_command_drop(&command);
			i += smtp_command_add(&command, bytes + i, len - i);
			assert_int_equal(i, len);
			assert_int_equal(smtp_command_next(&command, false), SMTP_COMMAND_LINE);
			assert_int_equal(command.line, 4);
			assert_memory_equal(command.bytes, "NOOP", 4);
		}
	}
}

static void test_what_stands_behind_a_line_stays(void **state)
{
	(void)state;
	assert_int_equal(give(S("RSET\r\nNO"), 100, false), SMTP_COMMAND_LINE);
	assert_true(smtp_command_has_behind(&command));
	assert_int_equal(smtp_command_next(&command, false), SMTP_COMMAND_LINE);
	smtp_command_drop(&command);
	assert_int_equal(smtp_command_next(&command, false), SMTP_COMMAND_MORE);
	smtp_command_add(&command, "OP\r\n", 4);
	assert_int_equal(smtp_command_next(&command, false), SMTP_COMMAND_LINE);
	assert_false(smtp_command_has_behind(&command));
	assert_int_equal(command.line, 4);
}

static void test_verbs_in_any_case_and_their_arguments(void **state)
{
	static const struct {
		const char *line;
		enum smtp_verb verb;
		const char *args;
	} cases[] = {
		{"MAIL FROM:<a@b>", SMTP_VERB_MAIL, "FROM:<a@b>"},
		{"mail  from: <a@b>  ", SMTP_VERB_MAIL, "from: <a@b>"},
		{"rCpT tO:<a@b> x=y", SMTP_VERB_RCPT, "tO:<a@b> x=y"},
		{"DATA", SMTP_VERB_DATA, ""},
		{"data ", SMTP_VERB_DATA, ""},
		{"DATAX", SMTP_VERB_NONE, ""},
		{"DAT", SMTP_VERB_NONE, ""},
		{"", SMTP_VERB_NONE, ""},
		{" DATA", SMTP_VERB_NONE, "DATA"},
		{"XCLIENT ADDR=1", SMTP_VERB_NEVER, "ADDR=1"},
		{"XFORWARD X", SMTP_VERB_NEVER, "X"},
		{"etrn x", SMTP_VERB_NEVER, "x"},
		{"GET / HTTP/1.1", SMTP_VERB_FOREIGN, "/ HTTP/1.1"},
		{"POST /", SMTP_VERB_FOREIGN, "/"},
		{"CONNECT a:25 HTTP/1.0", SMTP_VERB_FOREIGN, "a:25 HTTP/1.0"},
		{"STARTTLS", SMTP_VERB_STARTTLS, ""},
		{"BDAT 5 LAST", SMTP_VERB_BDAT, "5 LAST"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t args, len;
		assert_int_equal(
			smtp_command_verb(cases[i].line, strlen(cases[i].line), &args, &len),
			cases[i].verb);
		assert_int_equal(len, strlen(cases[i].args));
		assert_memory_equal(cases[i].line + args, cases[i].args, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_told_by_their_bytes),
		cmocka_unit_test(test_a_line_too_long_goes_by_to_its_end),
		cmocka_unit_test(test_what_stands_behind_a_line_stays),
		cmocka_unit_test(test_verbs_in_any_case_and_their_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
