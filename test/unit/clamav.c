/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clamd's answers, as clamd 1.4 was seen to give them, and as an enemy would. */
#include "lib/scan/clamav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* With its NUL, in pieces of `cut`. */
static enum clamav_verdict read_all(
	struct clamav_answer *answer, const char *bytes, size_t len, size_t cut, bool ended)
{
	enum clamav_verdict verdict = CLAMAV_MORE;

	*answer = (struct clamav_answer){0};
	for (size_t at = 0; at < len; at += cut) {
		size_t n = cut < len - at ? cut : len - at;
		char *copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, bytes + at, n);
		verdict = clamav_read(answer, copy, n, ended);
		free(copy);
		assert_int_equal(verdict, answer->verdict);
	}
	return verdict;
}

static void answers_are_read(void **state)
{
	static const struct {
		const char *answer;
		enum clamav_verdict verdict;
		const char *name;
	} cases[] = {
		{"stream: OK", CLAMAV_OK, ""},
		{"stream: Eicar-Test-Signature FOUND", CLAMAV_FOUND, "Eicar-Test-Signature"},
		{"stream: A name.UNOFFICIAL FOUND", CLAMAV_FOUND, "A name.UNOFFICIAL"},
		{"stream: OK FOUND", CLAMAV_FOUND, "OK"},
		{"stream:  FOUND FOUND", CLAMAV_FOUND, " FOUND"},
		{"stream: Heuristics.Limits.Exceeded FOUND", CLAMAV_TOO_LARGE,
			"Heuristics.Limits.Exceeded"},
		{"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", CLAMAV_TOO_LARGE,
			"Heuristics.Limits.Exceeded.MaxFileSize"},
		{"stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND", CLAMAV_TOO_LARGE,
			"Heuristics.Limits.Exceeded.MaxScanTime"},
		{"stream: Heuristics.Encrypted.Zip FOUND", CLAMAV_FOUND,
			"Heuristics.Encrypted.Zip"},
		{"INSTREAM size limit exceeded. ERROR", CLAMAV_TOO_LARGE,
			"INSTREAM size limit exceeded."},
		{"stream: Can't allocate memory ERROR", CLAMAV_ERROR,
			"stream: Can't allocate memory"},
		{"INSTREAM: Can't write to temporary file. ERROR", CLAMAV_ERROR,
			"INSTREAM: Can't write to temporary file."},
		{"COMMAND READ TIMED OUT", CLAMAV_NONSENSE, "COMMAND READ TIMED OUT"},
		{"UNKNOWN COMMAND", CLAMAV_NONSENSE, "UNKNOWN COMMAND"},
		{"PONG", CLAMAV_NONSENSE, "PONG"},
		{"stream: ", CLAMAV_NONSENSE, "stream: "},
		{"stream: FOUND", CLAMAV_NONSENSE, "stream: FOUND"},
		{"stream:  FOUND", CLAMAV_NONSENSE, "stream:  FOUND"},
		{"stream: ok", CLAMAV_NONSENSE, "stream: ok"},
		{"stream: OK ", CLAMAV_NONSENSE, "stream: OK "},
		{"stream: OKOK", CLAMAV_NONSENSE, "stream: OKOK"},
		{"stream OK", CLAMAV_NONSENSE, "stream OK"},
		{"1: stream: OK", CLAMAV_NONSENSE, "1: stream: OK"},
		{" ERROR", CLAMAV_NONSENSE, " ERROR"},
		{"220 mx.example ESMTP\r", CLAMAV_NONSENSE, "220 mx.example ESMTP?"},
		{"stream: \x1b[2J FOUND", CLAMAV_FOUND, "?[2J"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t cut = 1; cut < 70; cut++) {
			struct clamav_answer answer;
			const char *text = cases[i].answer;
			assert_int_equal(read_all(&answer, text, strlen(text) + 1, cut, true),
				cases[i].verdict);
			assert_string_equal(answer.name, cases[i].name);
			/* nothing is whole without its end */
			assert_int_equal(
				read_all(&answer, text, strlen(text), cut, true), CLAMAV_MORE);
			assert_int_equal(clamav_closed(&answer), CLAMAV_NONSENSE);
		}
	}
}

static void an_ok_before_the_end_is_none(void **state)
{
	struct clamav_answer answer;
	(void)state;
	assert_int_equal(read_all(&answer, "stream: OK", 11, 99, false), CLAMAV_NONSENSE);
	assert_int_equal(read_all(&answer, "stream: V FOUND", 16, 99, false), CLAMAV_FOUND);
	assert_int_equal(read_all(&answer, "INSTREAM size limit exceeded. ERROR", 36, 99, false),
		CLAMAV_TOO_LARGE);
}

static void nothing_comes_behind_an_answer(void **state)
{
	static const char two[] = "stream: OK\0stream: V FOUND";
	struct clamav_answer answer;
	(void)state;
	for (size_t cut = 1; cut <= sizeof(two); cut++)
		assert_int_equal(read_all(&answer, two, sizeof(two), cut, true), CLAMAV_NONSENSE);
	assert_int_equal(read_all(&answer, "stream: OK", 11, 99, true), CLAMAV_OK);
	assert_int_equal(clamav_closed(&answer), CLAMAV_OK);
}

static void what_does_not_end_is_bounded(void **state)
{
	struct clamav_answer answer;
	char text[4000];
	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t cut = 1; cut < 4000; cut += 333)
		assert_int_equal(read_all(&answer, text, sizeof(text), cut, true), CLAMAV_NONSENSE);
	memcpy(text, "stream: ", 8);
	memcpy(text + CLAMAV_ANSWER_MAX - 1 - 6, " FOUND\n", 7);
	assert_int_equal(read_all(&answer, text, CLAMAV_ANSWER_MAX, 100, true), CLAMAV_FOUND);
	assert_int_equal(strlen(answer.name), CLAMAV_NAME_SIZE - 1);
	assert_int_equal(read_all(&answer, "", 1, 1, true), CLAMAV_NONSENSE);
	answer = (struct clamav_answer){0};
	assert_int_equal(clamav_closed(&answer), CLAMAV_NONSENSE);
}

static void commands_show_what_answers(void **state)
{
	struct clamav_answer answer = {0};
	(void)state;
	assert_int_equal(clamav_read_ping(&answer, "PO", 2), CLAMAV_MORE);
	assert_int_equal(clamav_read_ping(&answer, "NG", 3), CLAMAV_OK);
	answer = (struct clamav_answer){0};
	assert_int_equal(clamav_read_ping(&answer, "PONGPONG", 9), CLAMAV_NONSENSE);
	answer = (struct clamav_answer){0};
	assert_int_equal(clamav_read_ping(&answer, "+PONG\r\n", 7), CLAMAV_NONSENSE); /* Redis */
	assert_string_equal(answer.name, "+PONG?");
	answer = (struct clamav_answer){0};
	assert_int_equal(
		clamav_read_version(&answer, "ClamAV 1.4.6/27500/Mon Nov 30", 30), CLAMAV_OK);
	assert_string_equal(answer.name, "ClamAV 1.4.6/27500/Mon Nov 30");
	answer = (struct clamav_answer){0};
	assert_int_equal(clamav_read_version(&answer, "ClamAV", 7), CLAMAV_NONSENSE);
}

static void spans_have_their_length(void **state)
{
	uint8_t head[CLAMAV_HEAD_BYTES];
	(void)state;
	clamav_head(head, CLAMAV_CHUNK_MAX);
	assert_memory_equal(head, "\0\x10\0\0", 4);
	clamav_head(head, 0x1234);
	assert_memory_equal(head, "\0\0\x12\x34", 4);
	clamav_end(head);
	assert_memory_equal(head, "\0\0\0\0", 4);
	assert_int_equal(sizeof(CLAMAV_INSTREAM), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(an_ok_before_the_end_is_none),
		cmocka_unit_test(nothing_comes_behind_an_answer),
		cmocka_unit_test(what_does_not_end_is_bounded),
		cmocka_unit_test(commands_show_what_answers),
		cmocka_unit_test(spans_have_their_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
