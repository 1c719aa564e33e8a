/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/mail_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* From exact copies. NULL: what is wrong stands in `wrong`. */
static char *read_file(const char *bytes, size_t len, size_t room, size_t *text_len,
	char wrong[static MAIL_FILE_WRONG_SIZE])
{
	char *copy = malloc(len), *out = malloc(room);

	memcpy(copy, bytes, len);
	wrong[0] = '\0';
	bool good = mail_file_read(copy, len, out, room, text_len, wrong);
	free(copy);
	assert_true(good == !wrong[0]);
	if (good)
		return out;
	free(out);
	return NULL;
}

static void becomes(const char *bytes, size_t len, const char *wanted)
{
	char wrong[MAIL_FILE_WRONG_SIZE];
	size_t text_len;
	char *text = read_file(bytes, len, MAIL_FILE_ROOM(len), &text_len, wrong);

	if (!text)
		fail_msg("%s", wrong);
	assert_int_equal(text_len, strlen(wanted));
	assert_memory_equal(text, wanted, text_len);
	free(text);
}
#define BECOMES(bytes, wanted) becomes(bytes, sizeof(bytes) - 1, wanted)

static void is_none(const char *bytes, size_t len, const char *why)
{
	char wrong[MAIL_FILE_WRONG_SIZE];
	size_t text_len;

	assert_null(read_file(bytes, len, MAIL_FILE_ROOM(len), &text_len, wrong));
	if (!strstr(wrong, why))
		fail_msg("\"%s\" does not say \"%s\"", wrong, why);
}
#define IS_NONE(bytes, why) is_none(bytes, sizeof(bytes) - 1, why)

static void lines_end_with_crlf_whatever_they_ended_with(void **context)
{
	(void)context;
	BECOMES("A: b\n\nc\n", "A: b\r\n\r\nc\r\n");
	BECOMES("A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n");
	BECOMES("A: b\n\r\nc\r\nd\n", "A: b\r\n\r\nc\r\nd\r\n");
	BECOMES("A: b\n\nc", "A: b\r\n\r\nc\r\n");
	BECOMES("A: b", "A: b\r\n");
	BECOMES("A:", "A:\r\n");
	BECOMES("A : b\n", "A : b\r\n");
	BECOMES("A: b\n\n\n\n", "A: b\r\n\r\n\r\n\r\n");
}

static void a_dot_is_text_and_no_end(void **context)
{
	(void)context;
	BECOMES("A: b\n\n.\nc\n", "A: b\r\n\r\n.\r\nc\r\n");
	BECOMES("A: b\r\n\r\n.\r\nc\r\n", "A: b\r\n\r\n.\r\nc\r\n");
	BECOMES("A: b\n\n.", "A: b\r\n\r\n.\r\n");
	BECOMES("A: b\n\n.\n", "A: b\r\n\r\n.\r\n");
	BECOMES("A: b\r\n\r\n.\r\n", "A: b\r\n\r\n.\r\n");
	BECOMES("A: b\n\n..\n.x\n...\n", "A: b\r\n\r\n..\r\n.x\r\n...\r\n");
}

static void what_no_client_could_send_is_said_with_its_line(void **context)
{
	(void)context;
	IS_NONE("A: b\n\nc\rd\n", "line 3 has a CR without its LF");
	IS_NONE("A: b\n\nc\r", "line 3 has a CR without its LF");
	IS_NONE("A: b\r\r\n", "line 1 has a CR without its LF");
	IS_NONE("A: b\nC: d\n\ne\0f\n", "line 4 has a NUL");
	IS_NONE("A: b\n\n.\0\n", "line 3 has a NUL");
}

static void what_begins_as_no_mail_is_said(void **context)
{
	(void)context;
	IS_NONE("hello\n", "line 1, \"hello\", is no header field; expected NAME: VALUE, as");
	IS_NONE("\nA: b\n", "line 1, \"\", is no");
	IS_NONE(": b\n", "line 1, \": b\"");
	IS_NONE(" A: b\n", "line 1, \" A: b\"");
	IS_NONE("From a@b.example Mon Nov 30 10:00:00 2026\nA: b\n",
		"without the line that a mailbox has before");
	IS_NONE("\x1b]0;x\x07: y\n", "\"?]0;x?: y\"");
	IS_NONE("\x7f"
		"ELF\x02\x01\x01\0\0\0\n",
		"\"?ELF??????\"");
	IS_NONE("\0", "line 1, \"?\", is no");
}

static void a_text_that_has_no_room_is_too_large(void **context)
{
	static const char bytes[] = "A: b\n\n0123456789\n0123456789\n";
	char wrong[MAIL_FILE_WRONG_SIZE];
	size_t text_len;

	(void)context;
	for (size_t room = 0; room < sizeof(bytes) - 1; room++) {
		assert_null(read_file(bytes, sizeof(bytes) - 1, room, &text_len, wrong));
		assert_non_null(strstr(wrong, "larger than"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_crlf_whatever_they_ended_with),
		cmocka_unit_test(a_dot_is_text_and_no_end),
		cmocka_unit_test(what_no_client_could_send_is_said_with_its_line),
		cmocka_unit_test(what_begins_as_no_mail_is_said),
		cmocka_unit_test(a_text_that_has_no_room_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
