/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a text is shown, what a terminal gets, and a text in a member of fixed size. */
#include "lib/base/text.h"
#include "lib/base/copy.h"
#include "lib/base/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
	const char *text, *shown;
} cases[] = {
	{"", ""},
	{"plain text, 7 bits ~", "plain text, 7 bits ~"},
	{"two\nlines\r\tand a tab", "two?lines??and a tab"},
	{"\x1b[31mred\x7f", "?[31mred?"},
	{"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7",
		"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7"},
	{"\xc2\x9b"
	 "31m",
		"??31m"},
	{"\xc2\xa0", "\xc2\xa0"},
	{"cut \xe2\x82", "cut ??"},
	{"cut \xf0", "cut ?"},
	{"latin \xfc\xe4.", "latin ??."},
	{"\xc0\x8a overlong", "?? overlong"},
	{"\xe0\x80\x8a overlong", "??? overlong"},
	{"\xed\xa0\x80 half", "??? half"},
	{"\xf4\x90\x80\x80 beyond", "???? beyond"},
	{"a\xe2\x80\xae"
	 "b",
		"a???b"},
	{"a\xe2\x80\xa8"
	 "b",
		"a???b"},
};

static void what_must_not_be_shown_is_blanked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		strcpy(text, cases[i].text);
		text_blank(text);
		assert_string_equal(text, cases[i].shown);
	}
}

static const struct {
	const char *text, *escaped;
} escapes[] = {
	{"plain\n\tas it is\n", "plain\n\tas it is\n"},
	{"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7",
		"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7"},
	{"\x1b]0;title\a\r\x7f", "\\x1b]0;title\\x07\\x0d\\x7f"},
	{"\xc2\x9b"
	 "31m \x9b",
		"\\xc2\\x9b31m \\x9b"},
	{"\xe2\x82 cut \xf0\x9f", "\\xe2\\x82 cut \\xf0\\x9f"},
	{"\xf0\x9f\xe2\x82\xac", "\\xf0\\x9f\xe2\x82\xac"},
	{"a\xe2\x80\xae"
	 "b",
		"a\\xe2\\x80\\xae"
		"b"},
	{"\xed\xa0\x80 \xf4\x90\x80\x80", "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"},
};

/* In pieces of every size, so that characters are cut everywhere. */
static void what_acts_on_a_terminal_is_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		for (size_t size = 1; size < 32; size++) {
			struct text_pieces pieces = {0};
			char out[256];
			size_t n = 0, len = strlen(escapes[i].text);
			for (size_t at = 0; at < len; at += size) {
				size_t piece = len - at < size ? len - at : size;
				size_t written =
					text_escape(&pieces, escapes[i].text + at, piece, out + n);
				assert_true(written <= TEXT_ESCAPED_MAX(piece));
				n += written;
			}
			n += text_escape(&pieces, NULL, 0, out + n);
			out[n] = '\0';
			assert_string_equal(out, escapes[i].escaped);
		}
}

static void a_stream_lets_nothing_else_through(void **state)
{
	static char text[65536];
	int pair[2];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	FILE *out = fdopen(pair[1], "w"), *stream = terminal_stream(out);
	assert_non_null(stream);
	setvbuf(stream, NULL, _IONBF, 0);
	fprintf(stream, "no such noun \"%s\"\n", "\x1b[2J");
	fputc('\xe2', stream);
	fputs("\x82\xac\n", stream);
	for (unsigned i = 0; i < 1000; i++)
		fputs("\x1b\xc3", stream);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(fclose(out), 0);
	ssize_t len = read(pair[0], text, sizeof(text));
	close(pair[0]);
	const char *begin = "no such noun \"\\x1b[2J\"\n\xe2\x82\xac\n\\x1b\\xc3\\x1b";
	assert_memory_equal(text, begin, strlen(begin));
	assert_int_equal(len, 23 + 4 + 1000 * 8);
	assert_null(memchr(text, '\x1b', (size_t)len));
}

static void a_copied_text_has_nothing_of_before_behind_it(void **state)
{
	static const struct {
		const char *text, kept[8];
	} copies[] = {{"", ""}, {"guest", "guest"}, {"seven77", "seven77"},
		{"longer than that", "longer "}};
	char to[9];

	(void)state;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		memset(to, 'x', sizeof(to));
		copy_text(to, 8, copies[i].text);
		assert_memory_equal(to, copies[i].kept, 8);
		assert_int_equal(to[8], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_not_be_shown_is_blanked),
		cmocka_unit_test(what_acts_on_a_terminal_is_escaped),
		cmocka_unit_test(a_stream_lets_nothing_else_through),
		cmocka_unit_test(a_copied_text_has_nothing_of_before_behind_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
