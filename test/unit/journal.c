/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/journal.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_of_one_line_are_text),
		cmocka_unit_test(test_a_line_break_cannot_begin_a_field),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(test_syslog_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
