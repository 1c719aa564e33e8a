#include "lib/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct journal journal;

static void assert_bytes(const char *bytes, size_t len)
{
	assert_int_equal(journal.len, len);
	assert_memory_equal(journal.bytes, bytes, len);
}

static void test_fields_of_one_line_are_text(void **state)
{
	static const char expected[] = "MESSAGE=ready = yes\nPRIORITY=6\nEMPTY=\n";

	(void)state;
	journal_init(&journal);
	assert_true(journal_put(&journal, "MESSAGE", "ready = yes"));
	assert_true(journal_put(&journal, "PRIORITY", "6"));
	assert_true(journal_put(&journal, "EMPTY", ""));
	assert_bytes(expected, sizeof(expected) - 1);
}

/* The reader would otherwise take the second line for a field of its own. */
static void test_a_line_break_cannot_begin_a_field(void **state)
{
	static const char expected[] = "POSTERN_DETAIL\n\x0e\0\0\0\0\0\0\0a\nPRIORITY=0\nb\nC=d\n";

	(void)state;
	journal_init(&journal);
	assert_true(journal_put(&journal, "POSTERN_DETAIL", "a\nPRIORITY=0\nb"));
	assert_true(journal_put(&journal, "C", "d"));
	assert_bytes(expected, sizeof(expected) - 1);
}

static void test_what_does_not_fit_is_left_out_whole(void **state)
{
	static char big[JOURNAL_SIZE];
	size_t before;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	journal_init(&journal);
	assert_true(journal_put(&journal, "A", "b"));
	before = journal.len;
	assert_false(journal_put(&journal, "BIG", big));
	big[sizeof(big) / 2] = '\n';
	assert_false(journal_put(&journal, "BIG", big));
	assert_int_equal(journal.len, before);
	assert_true(journal_put(&journal, "C", "d"));
	/* to the last byte */
	big[sizeof(big) / 2] = 'x';
	big[JOURNAL_SIZE - journal.len - 3] = '\0';
	assert_true(journal_put(&journal, "E", big));
	assert_int_equal(journal.len, JOURNAL_SIZE);
	assert_false(journal_put(&journal, "", ""));
}

static void test_syslog_line(void **state)
{
	static const struct tm at = {
		.tm_mon = 10, .tm_mday = 2, .tm_hour = 3, .tm_min = 4, .tm_sec = 5};
	static const char expected[] = "<30>Nov  2 03:04:05 posternd[77]: relay 0: hello";

	(void)state;
	journal_syslog(&journal, 30, &at, "posternd", 77, "relay 0: hello");
	assert_bytes(expected, sizeof(expected) - 1);
}

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

static void test_only_text_is_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		strcpy(text, cases[i].text);
		journal_blank(text);
		assert_string_equal(text, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_of_one_line_are_text),
		cmocka_unit_test(test_a_line_break_cannot_begin_a_field),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(test_syslog_line),
		cmocka_unit_test(test_only_text_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
