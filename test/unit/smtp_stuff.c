/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/stuff.h"

#include "test/lib/smtp_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* In pieces of step bytes, each with so much room. */
static enum smtp_stuff stuff(
	const char *bytes, size_t len, size_t step, size_t room, char *out, size_t *written)
{
	enum smtp_stuff at = SMTP_STUFF_LINE;
	size_t used = 0, n, took;

	*written = 0;
	while (used < len && at != SMTP_STUFF_BAD) {
		size_t left = len - used;
		took = smtp_stuff(
			&at, bytes + used, left < step ? left : step, out + *written, room, &n);
		assert_true(n <= room && (took > 0 || at == SMTP_STUFF_BAD));
		used += took;
		*written += n;
	}
	return at;
}

static void test_dots_are_stuffed(void **state)
{
	static const struct {
		const char *text, *sent;
	} cases[] = {
		{"", ""},
		{"\r\n", "\r\n"},
		{"a.b\r\n", "a.b\r\n"},
		{".\r\n", "..\r\n"},
		{"..\r\n.\r\n", "...\r\n..\r\n"},
		{"a\r\n.b\r\n\r\n.", "a\r\n..b\r\n\r\n.."},
	};
	char out[64];
	size_t written;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step < 8; step++)
			for (size_t room = 2; room < 8; room++) {
				size_t len = strlen(cases[i].text);
				stuff(cases[i].text, len, step, room, out, &written);
				assert_int_equal(written, strlen(cases[i].sent));
				assert_memory_equal(out, cases[i].sent, written);
			}
}

/* All texts of eight of the bytes that matter: what is taken to its end is stored as it is, by any
 * server, and what is no text of lines never ends. */
static void test_only_lines_go(void **state)
{
	static const char bytes[] = {'\r', '\n', '.', 'a', '\0'};
	char in[8], out[32], stored[32];
	size_t written, len;

	(void)state;
	for (unsigned long n = 0; n < 390625; n++) {
		unsigned long rest = n;
		bool lines = true;
		for (size_t i = 0; i < 8; i++, rest /= 5) {
			in[i] = bytes[rest % 5];
			bool cr = i > 0 && in[i - 1] == '\r';
			lines = lines && in[i] != '\0' && cr == (in[i] == '\n');
		}
		enum smtp_stuff at = stuff(in, 8, 1 + n % 8, 2 + n % 3, out, &written);
		assert_int_equal(at != SMTP_STUFF_BAD, lines);
		if (at != SMTP_STUFF_LINE)
			continue;
		assert_true(smtp_text_stored(out, written, stored, &len));
		assert_int_equal(len, 8);
		assert_memory_equal(stored, in, 8);
		assert_int_equal(smtp_text_end(out, written), 0);
	}
}

static void test_no_room_takes_nothing(void **state)
{
	enum smtp_stuff at = SMTP_STUFF_LINE;
	size_t written;
	char out[1];

	(void)state;
	assert_int_equal(smtp_stuff(&at, ".a", 2, out, 1, &written), 0);
	assert_int_equal(written, 0);
	assert_int_equal(at, SMTP_STUFF_LINE);
	assert_int_equal(smtp_stuff(&at, "a", 1, out, 0, &written), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dots_are_stuffed),
		cmocka_unit_test(test_only_lines_go),
		cmocka_unit_test(test_no_room_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
