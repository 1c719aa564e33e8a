/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A header as scans want it changed. */
#include "lib/milter/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct wish {
	unsigned scan;
	struct milter_change change;
};
#define ADD(s, n, v)                                                         \
	{                                                                    \
		s,                                                           \
		{                                                            \
			.kind = MILTER_CHANGE_ADD, .name = (n), .value = (v) \
		}                                                            \
	}
#define INSERT(s, i, n, v)                                                                    \
	{                                                                                     \
		s,                                                                            \
		{                                                                             \
			.kind = MILTER_CHANGE_INSERT, .index = (i), .name = (n), .value = (v) \
		}                                                                             \
	}
#define SET(s, i, n, v)                                                                    \
	{                                                                                  \
		s,                                                                         \
		{                                                                          \
			.kind = MILTER_CHANGE_SET, .index = (i), .name = (n), .value = (v) \
		}                                                                          \
	}

/* Counts and writes a text in spans of `cut` bytes (0: all) into rooms of `room`. */
static void edit_text(const struct wish *wishes, size_t n, const char *text, size_t len, size_t cut,
	size_t room, char *out, size_t *out_len)
{
	struct milter_edit *edit = malloc(sizeof(*edit));
	size_t at = 0, used, written;
	bool more = true;

	assert_non_null(edit);
	milter_edit_init(edit);
	for (size_t i = 0; i < n && wishes[i].change.name; i++)
		assert_true(milter_edit_add(edit, wishes[i].scan, &wishes[i].change));
	for (at = 0; at < len && more; at += used) {
		used = cut && cut < len - at ? cut : len - at;
		more = milter_edit_count(edit, text + at, used);
	}
	milter_edit_place(edit);
	*out_len = 0;
	for (at = 0; at < len && !edit->over; at += used) {
		size_t span = cut && cut < len - at ? cut : len - at;
		char *copy = malloc(span), *to = malloc(room); /* exact */
		assert_non_null(copy);
		assert_non_null(to);
		memcpy(copy, text + at, span);
		used = milter_edit_write(edit, copy, span, to, room, &written);
		assert_true(used <= span && written <= room);
		assert_true(used > 0 || written > 0 || edit->over);
		memcpy(out + *out_len, to, written);
		*out_len += written;
		free(copy);
		free(to);
	}
	while (!edit->over) {
		milter_edit_finish(edit, out + *out_len, room, &written);
		*out_len += written;
	}
	memcpy(out + *out_len, text + at, len - at);
	*out_len += len - at;
	free(edit);
}

static void check(const struct wish *wishes, size_t n, const char *text, const char *expected)
{
	char out[4096];
	size_t out_len;

	for (size_t cut = 0; cut < 12; cut++) {
		for (size_t room = 1; room < 40; room = room < 8 ? room + 1 : room * 4) {
			edit_text(wishes, n, text, strlen(text), cut, room, out, &out_len);
			out[out_len] = '\0';
			assert_string_equal(out, expected);
		}
	}
}

#define TEXT "A: 1\r\nB: 2\r\nA: 3\r\n folded\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"

static void changes_are_made(void **state)
{
	static const struct {
		struct wish wishes[6];
		const char *text, *expected;
	} cases[] = {
		{{ADD(0, "X", "y")}, TEXT,
			"A: 1\r\nB: 2\r\nA: 3\r\n folded\r\nC: 4\r\nX: y\r\n\r\nbody\r\nA: x\r\n"},
		{{ADD(0, "X", "y"), ADD(1, "X", "z"), ADD(0, "A", "5")}, "A: 1\r\n\r\n",
			"A: 1\r\nX: y\r\nX: z\r\nA: 5\r\n\r\n"},
		/* numbers are of one name, in any case, and folds go along */
		{{SET(0, 2, "a", "")}, TEXT, "A: 1\r\nB: 2\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{SET(0, 2, "A", "new")}, TEXT,
			"A: 1\r\nB: 2\r\nA: new\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{SET(0, 1, "A", ""), SET(0, 2, "A", "")}, TEXT,
			"B: 2\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"}, /* up */
		{{SET(0, 2, "A", ""), SET(0, 1, "A", "")}, TEXT,
			"B: 2\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},             /* and down */
		{{SET(0, 0, "A", "new")}, "A: 1\r\n\r\n", "A: new\r\n\r\n"}, /* as sendmail */
		/* what is not there is added, or gone already */
		{{SET(0, 1, "X", "y")}, "A: 1\r\n\r\n", "A: 1\r\nX: y\r\n\r\n"},
		{{SET(0, 3, "A", "y")}, "A: 1\r\n\r\n", "A: 1\r\nA: y\r\n\r\n"},
		{{SET(0, 1, "X", "")}, "A: 1\r\n\r\n", "A: 1\r\n\r\n"},
		/* the next scan's numbers are of the same header */
		{{SET(0, 1, "A", ""), SET(1, 2, "A", "of 3")}, TEXT,
			"B: 2\r\nA: of 3\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{SET(0, 1, "A", "first"), SET(1, 1, "A", "second")}, "A: 1\r\n\r\n",
			"A: second\r\n\r\n"},
		{{SET(0, 1, "A", ""), SET(1, 1, "A", "back")}, "A: 1\r\n\r\n", "A: back\r\n\r\n"},
		{{SET(0, 1, "A", "new"), SET(1, 1, "A", "")}, "A: 1\r\n\r\n", "\r\n"},
		/* behind the client's come those that were added */
		{{SET(0, 1, "X", "No"), SET(1, 1, "X", "Yes")}, "A: 1\r\n\r\n",
			"A: 1\r\nX: Yes\r\n\r\n"},
		{{ADD(0, "X", "1"), ADD(0, "X", "2"), SET(0, 2, "X", "")}, "A: 1\r\n\r\n",
			"A: 1\r\nX: 1\r\n\r\n"},
		{{ADD(0, "A", "2"), SET(1, 2, "A", ""), SET(1, 2, "A", "3")}, "A: 1\r\n\r\n",
			"A: 1\r\nA: 3\r\n\r\n"},
		/* insertions */
		{{INSERT(0, 0, "X", "y")}, TEXT,
			"X: y\r\nA: 1\r\nB: 2\r\nA: 3\r\n folded\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{INSERT(0, 1, "X", "y")}, TEXT,
			"A: 1\r\nX: y\r\nB: 2\r\nA: 3\r\n folded\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{INSERT(0, 3, "X", "y")}, TEXT,
			"A: 1\r\nB: 2\r\nA: 3\r\n folded\r\nX: y\r\nC: 4\r\n\r\nbody\r\nA: x\r\n"},
		{{INSERT(0, 4, "X", "y")}, TEXT,
			"A: 1\r\nB: 2\r\nA: 3\r\n folded\r\nC: 4\r\nX: y\r\n\r\nbody\r\nA: x\r\n"},
		{{INSERT(0, 2000000000, "X", "y"), ADD(0, "Z", "z")}, "A: 1\r\n\r\n",
			"A: 1\r\nX: y\r\nZ: z\r\n\r\n"},
		/* its own count */
		{{INSERT(0, 0, "X", "1"), INSERT(0, 0, "X", "2")}, "A: 1\r\n\r\n",
			"X: 2\r\nX: 1\r\nA: 1\r\n\r\n"},
		{{INSERT(0, 0, "X", "1"), INSERT(0, 1, "X", "2"), INSERT(0, 3, "X", "3")},
			"A: 1\r\nB: 2\r\n\r\n", "X: 1\r\nX: 2\r\nA: 1\r\nX: 3\r\nB: 2\r\n\r\n"},
		{{INSERT(0, 2, "X", "1"), INSERT(0, 1, "X", "2"), INSERT(0, 4, "X", "3")},
			"A: 1\r\nB: 2\r\nC: 3\r\n\r\n",
			"A: 1\r\nX: 2\r\nB: 2\r\nX: 1\r\nX: 3\r\nC: 3\r\n\r\n"},
		/* another's do not, and the later scan is on top */
		{{INSERT(0, 0, "X", "1"), INSERT(1, 0, "Y", "2")}, "A: 1\r\n\r\n",
			"Y: 2\r\nX: 1\r\nA: 1\r\n\r\n"},
		{{INSERT(0, 0, "X", "1"), INSERT(0, 1, "X", "2"), INSERT(1, 1, "Y", "3")},
			"A: 1\r\nB: 2\r\n\r\n", "X: 1\r\nX: 2\r\nA: 1\r\nY: 3\r\nB: 2\r\n\r\n"},
		/* a field that goes still counts */
		{{SET(0, 1, "A", ""), INSERT(0, 1, "X", "y")}, "A: 1\r\nB: 2\r\n\r\n",
			"X: y\r\nB: 2\r\n\r\n"},
		{{INSERT(0, 0, "A", "0"), SET(0, 1, "A", "")}, "A: 1\r\n\r\n", "A: 0\r\n\r\n"},
		/* wherever the header ends */
		{{ADD(0, "X", "y")}, "", "X: y\r\n"},
		{{ADD(0, "X", "y")}, "\r\n", "X: y\r\n\r\n"},
		{{ADD(0, "X", "y")}, "\r\nbody\r\n", "X: y\r\n\r\nbody\r\n"},
		{{ADD(0, "X", "y")}, "A: 1\r\n", "A: 1\r\nX: y\r\n"},
		{{ADD(0, "X", "y")}, "A: 1", "A: 1\r\nX: y\r\n"},
		{{ADD(0, "X", "y")}, "A: 1\r\n\r", "A: 1\r\nX: y\r\n\r\n\r"},
		/* what would be read as the header's next line is the body's first for filters */
		{{ADD(0, "X", "y")}, "no field\r\nA: 1\r\n", "X: y\r\n\r\nno field\r\nA: 1\r\n"},
		{{INSERT(0, 0, "X", "y")}, " no field\r\n", "X: y\r\n\r\n no field\r\n"},
		{{ADD(0, "X", "y")}, "A: 1\r\nno field\r\n", "A: 1\r\nX: y\r\n\r\nno field\r\n"},
		{{ADD(0, "X", "y")}, "nothing", "X: y\r\n\r\nnothing"},
		{{SET(0, 1, "A", "")}, "A: 1\r\n", ""},
		{{SET(0, 1, "A", "")}, "A: 1\r\n\r\nx\r\n", "\r\nx\r\n"},
		{{SET(0, 1, "A", "n")}, "A  : 1\r\n 2\r\nB  : 3\r\n\r\n", "A: n\r\nB  : 3\r\n\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check(cases[i].wishes, 6, cases[i].text, cases[i].expected);
}

/* A value may have what a client wrote: it neither ends the header nor begins another field. */
static void a_value_stays_one_field(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{"plain", "X: plain\r\n"},
		{"", "X: \r\n"},
		{"a\n\tb", "X: a\r\n\tb\r\n"},
		{"a\r\n b", "X: a\r\n b\r\n"},
		{"a\nBcc: evil@x", "X: a\r\n\tBcc: evil@x\r\n"},
		{"a\rBcc: evil@x", "X: a\r\n\tBcc: evil@x\r\n"},
		{"a\r\n\r\nbody", "X: a\r\n\tbody\r\n"},
		{"a\n\n\n\nb", "X: a\r\n\tb\r\n"},
		{"a\n \n\t\n b", "X: a\r\n b\r\n"},
		{"a\n", "X: a\r\n"},
		{"a\n \n \t", "X: a\r\n"},
		{"a\r\n.\r\nRSET", "X: a\r\n\t.\r\n\tRSET\r\n"},
		{"\n a", "X: \r\n a\r\n"},
		{" a", "X:  a\r\n"},
	};
	char expected[200];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct wish wish = ADD(0, "X", cases[i].value);
		snprintf(expected, sizeof(expected), "A: 1\r\n%s\r\nbody\r\n", cases[i].written);
		check(&wish, 1, "A: 1\r\n\r\nbody\r\n", expected);
		/* with the space of the filter's own */
		wish.change.leadspc = true;
		snprintf(expected, sizeof(expected), "A: 1\r\nX:%s\r\nbody\r\n",
			cases[i].written + 3);
		check(&wish, 1, "A: 1\r\n\r\nbody\r\n", expected);
	}
}

static void large_headers_pass(void **state)
{
	static const struct wish wishes[] = {SET(0, 100000, "A", "last"), SET(0, 1, "A", ""),
		INSERT(0, 50000, "X", "middle"), ADD(0, "Y", "end")};
	size_t size = 6 * 100000 + 100000 + 20, n = 0, out_len;
	char *text = malloc(size), *out = malloc(size + 100), *expected = malloc(size + 100);
	char *to = expected;
	(void)state;
	for (size_t i = 0; i < 100000; i++)
		n += (size_t)sprintf(text + n, "A: b\r\n");
	n += (size_t)sprintf(text + n, "B: ");
	memset(text + n, 'b', 100000);
	n += 100000;
	n += (size_t)sprintf(text + n, "\r\n\r\nbody");
	for (size_t i = 1; i < 99999; i++)
		to += sprintf(to, "%sA: b\r\n", i == 50000 ? "X: middle\r\n" : "");
	to += sprintf(to, "A: last\r\nB: ");
	memset(to, 'b', 100000);
	to += 100000;
	to += sprintf(to, "\r\nY: end\r\n\r\nbody");
	for (size_t cut = 0; cut < 3; cut++) {
		edit_text(wishes, 4, text, n, cut * 4001, 4096, out, &out_len);
		assert_int_equal(out_len, to - expected);
		assert_memory_equal(out, expected, out_len);
	}
	free(text);
	free(out);
	free(expected);
}

static void changes_are_bounded(void **state)
{
	struct milter_edit *edit = malloc(sizeof(*edit));
	struct milter_change change = {.kind = MILTER_CHANGE_ADD, .name = "X", .value = "y"};
	char *out = malloc(65536);
	size_t written;
	(void)state;
	milter_edit_init(edit);
	for (unsigned i = 0; i < MILTER_EDIT_MAX; i++) {
		change.kind = (uint8_t)(i % 3);
		change.index = i;
		assert_true(milter_edit_add(edit, i / 500, &change));
	}
	assert_false(milter_edit_add(edit, 2, &change));
	milter_edit_place(edit);
	assert_true(milter_edit_finish(edit, out, 65536, &written));
	assert_true(written > 0);
	free(out);
	free(edit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_made),
		cmocka_unit_test(a_value_stays_one_field),
		cmocka_unit_test(large_headers_pass),
		cmocka_unit_test(changes_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
