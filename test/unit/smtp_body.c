/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/body.h"

#include "test/lib/smtp_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 4096

struct reading {
	enum smtp_body_status status;
	size_t used, written, stored_len;
	char out[2 * SIZE], stored[2 * SIZE];
	struct smtp_body body;
};

/* In pieces of step bytes, each with so much room, from exact copies. */
static void read_text(struct reading *reading, bool repair, const char *bytes, size_t len,
	size_t step, size_t room)
{
	memset(reading, 0, sizeof(*reading));
	smtp_body_init(&reading->body, repair);
	reading->status = SMTP_BODY_MORE;
	while (reading->used < len && reading->status != SMTP_BODY_END) {
		size_t left = len - reading->used, used;
		size_t n = left < step ? left : step;
		char *in = malloc(n);
		struct smtp_body_out sent = {malloc(room), room, 0};
		struct smtp_body_out stored = {malloc(room), room, 0};
		memcpy(in, bytes + reading->used, n);
		reading->status = smtp_body_feed(&reading->body, in, n, &used, &sent, &stored);
		assert_true(used > 0 && used <= n && sent.len <= room && stored.len <= room);
		memcpy(reading->out + reading->written, sent.bytes, sent.len);
		memcpy(reading->stored + reading->stored_len, stored.bytes, stored.len);
		reading->used += used;
		reading->written += sent.len;
		reading->stored_len += stored.len;
		free(in);
		free(sent.bytes);
		free(stored.bytes);
	}
}

/* However the bytes are cut and however little room there is, what comes out is the same. */
static void read_all_ways(struct reading *reading, bool repair, const char *bytes, size_t len)
{
	static struct reading other;

	read_text(reading, repair, bytes, len, len, 2 * SIZE);
	for (size_t step = 1; step < len; step += 1 + step / 8)
		for (size_t room = SMTP_BODY_ROOM; room < 40; room += 7) {
			read_text(&other, repair, bytes, len, step, room);
			assert_int_equal(other.status, reading->status);
			assert_int_equal(other.used, reading->used);
			assert_int_equal(other.written, reading->written);
			assert_memory_equal(other.out, reading->out, reading->written);
			assert_int_equal(other.stored_len, reading->stored_len);
			assert_memory_equal(other.stored, reading->stored, reading->stored_len);
			assert_memory_equal(&other.body, &reading->body, sizeof(other.body));
		}
}

#define END SMTP_BODY_END
#define CR  SMTP_BODY_BARE_CR
#define LF  SMTP_BODY_BARE_LF
#define NUL SMTP_BODY_NUL

static void test_text_is_framed_anew(void **state)
{
	static const struct {
		const char *bytes, *out;
		size_t text_bytes, lines;
	} cases[] = {
		{".\r\n", "", 0, 0},
		{"\r\n.\r\n", "\r\n", 2, 1},
		{"a\r\n.\r\n", "a\r\n", 3, 1},
		{"a\r\n\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", 8, 3},
		{"..\r\n.\r\n", "..\r\n", 3, 1},
		{"...\r\n.\r\n", "...\r\n", 4, 1},
		{"..a\r\n.\r\n", "..a\r\n", 4, 1},
		{"a.\r\n.\r\n", "a.\r\n", 4, 1},
		{"\r\n..\r\n..\r\n.\r\n", "\r\n..\r\n..\r\n", 8, 3},
		/* a dot that was not stuffed is stuffing to every reader */
		{".a\r\n.\r\n", "a\r\n", 3, 1},
		{"\r\n.a\r\n.\r\n", "\r\na\r\n", 5, 2},
		{"A: b\r\n\r\n\xc3\xa4\xff\r\n.\r\n", "A: b\r\n\r\n\xc3\xa4\xff\r\n", 13, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int repair = 0; repair < 2; repair++) {
			char line[SIZE];
			struct reading reading;
			size_t len = strlen(cases[i].bytes);
			/* what the client says next is not read */
			snprintf(line, sizeof(line), "%s%s", cases[i].bytes, ".\r\nQUIT\r\n");
			read_all_ways(&reading, repair, line, strlen(line));
			assert_int_equal(reading.status, SMTP_BODY_END);
			assert_int_equal(reading.used, len);
			assert_int_equal(reading.written, strlen(cases[i].out));
			assert_memory_equal(reading.out, cases[i].out, reading.written);
			assert_int_equal(reading.body.bytes, cases[i].text_bytes);
			assert_int_equal(reading.stored_len, cases[i].text_bytes);
			assert_int_equal(reading.body.lines, cases[i].lines);
			assert_null(smtp_body_refusal(&reading.body));
		}
}

static void test_bare_ends_are_repaired_where_wanted(void **state)
{
	static const struct {
		const char *bytes, *out;
		size_t text_bytes;
	} cases[] = {
		{"a\nb\n\r\n.\r\n", "a\r\nb\r\n\r\n", 8},
		{"a\n.b\n..c\r\n.\r\n", "a\r\nb\r\n..c\r\n", 10},
		/* a dot alone that is no end */
		{"a\n.\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", 9},
		{"a\n.\r\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", 9},
		{"a\r\n.\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", 9},
		{".\nb\r\n.\r\n", "..\r\nb\r\n", 6},
		{"a\n..\nb\r\n.\r\n", "a\r\n..\r\nb\r\n", 9},
		/* and the end right behind one */
		{"a\n.\r\n.\r\n", "a\r\n..\r\n", 6},
		{"a\n.\n.\r\n\r\n.\r\n", "a\r\n..\r\n..\r\n\r\n", 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading reading;
		size_t len = strlen(cases[i].bytes);
		read_all_ways(&reading, true, cases[i].bytes, len);
		assert_int_equal(reading.status, SMTP_BODY_END);
		assert_int_equal(reading.used, len);
		assert_int_equal(reading.written, strlen(cases[i].out));
		assert_memory_equal(reading.out, cases[i].out, reading.written);
		assert_int_equal(reading.body.bytes, cases[i].text_bytes);
		read_all_ways(&reading, false, cases[i].bytes, len);
		assert_int_equal(reading.status, SMTP_BODY_END);
		assert_int_equal(reading.used, len);
		assert_int_equal(reading.body.bad, LF);
		assert_int_equal(smtp_body_refusal(&reading.body)->code, 550);
	}
}

static void test_bad_bytes_are_read_to_the_end_and_not_written(void **state)
{
#define TEXT(bytes) bytes, sizeof(bytes) - 1
	static const struct {
		const char *bytes;
		size_t len, written; /* at most, before it was known */
		unsigned bad;
	} cases[] = {
		{TEXT("a\rb\r\n.\r\n"), 1, CR},
		{TEXT("a\r\r\n.\r\n"), 1, CR},
		{TEXT("\r.\r\n.\r\n"), 0, CR},
		{TEXT(".\rb\r\n.\r\n"), 0, CR},
		{TEXT(".\r\r\n.\r\n"), 0, CR},
		{TEXT(".\r.\r\n.\r\n"), 0, CR},
		{TEXT("a\0b\r\n.\r\n"), 1, NUL},
		{TEXT("\0\r\n.\r\n"), 0, NUL},
		{TEXT(".\0\r\n.\r\n"), 0, NUL},
		{TEXT(".\r\0\n.\n\r\n.\r\n"), 0, CR | NUL},
		{TEXT("a\rb\0c\r\n.\r\n"), 1, CR | NUL},
	};
#undef TEXT

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int repair = 0; repair < 2; repair++) {
			struct reading reading;
			read_all_ways(&reading, repair, cases[i].bytes, cases[i].len);
			assert_int_equal(reading.status, SMTP_BODY_END);
			assert_int_equal(reading.used, cases[i].len);
			assert_int_equal(reading.written, cases[i].written);
			assert_int_equal(reading.body.bad & cases[i].bad, cases[i].bad);
			const struct smtp_refusal *refusal = smtp_body_refusal(&reading.body);
			assert_int_equal(refusal->code, cases[i].bad & CR ? 550 : 554);
			read_text(&reading, repair, cases[i].bytes, cases[i].len - 1, 1, 8);
			assert_int_equal(reading.status, SMTP_BODY_BAD);
		}
}

/* Every way to write an end that some server takes and another does not. */
static void test_no_smuggled_end_ends_a_text(void **state)
{
#define FORM(bytes)                      \
	{                                \
		bytes, sizeof(bytes) - 1 \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} forms[] = {
		FORM("\n.\n"),
		FORM("\n.\r"),
		FORM("\n.\r\n"),
		FORM("\r.\n"),
		FORM("\r.\r"),
		FORM("\r.\r\n"),
		FORM("\r\n.\n"),
		FORM("\r\n.\r"),
		FORM("\n\n.\r\n"),
		FORM("\r\n.\r\r\n"),
		FORM("\r\r.\r\r"),
		FORM("\r\n\0.\r\n"),
		FORM("\r\n.\0\r\n"),
		FORM("\r\n.\r\0\n"),
		FORM("\r\0\n.\r\n"),
		FORM("\0\n.\r\n"),
		FORM("\n\r.\n\r"),
		FORM("\r\n..\n"),
		FORM("\n..\r\n"),
		FORM("\n..\n"),
		FORM("\r\n..\r\n"),
		FORM("\r\n. \r\n"),
		FORM("\r\n .\r\n"),
		FORM("\r\n.\x0b\r\n"),
		FORM("\r\n.\x0c\r\n"),
		FORM("\r\n.\xc2\x85"),
		FORM("\r\n.\xe2\x80\xa8"),
		FORM("\r\n\x1a\r\n"),
	};
#undef FORM
	static const char second[] = "MAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.org>\r\n"
				     "DATA\r\nsecond\r\n.\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		for (int repair = 0; repair < 2; repair++) {
			char line[SIZE] = "Subject: a\r\n\r\nfirst", text[2 * SIZE],
			     stored[2 * SIZE];
			struct reading reading;
			size_t len = strlen(line), text_len, stored_len;
			memcpy(line + len, forms[i].bytes, forms[i].len);
			len += forms[i].len;
			memcpy(line + len, second, sizeof(second) - 1);
			len += sizeof(second) - 1;
			assert_int_equal(smtp_text_end(line, len), len);
			read_all_ways(&reading, repair, line, len);
			assert_int_equal(reading.status, SMTP_BODY_END);
			assert_int_equal(reading.used, len);
			bool good = smtp_text_of(line, len - 3, repair, text, &text_len);
			assert_int_equal(good, reading.body.bad == 0);
			if (!good)
				continue;
			assert_true(smtp_text_stored(
				reading.out, reading.written, stored, &stored_len));
			assert_int_equal(stored_len, text_len);
			assert_memory_equal(stored, text, text_len);
			assert_int_equal(reading.body.bytes, text_len);
		}
}

/* All texts of up to eight of the bytes that matter. */
static void test_all_short_texts_agree_with_a_second_reading(void **state)
{
	static const char bytes[] = {'\r', '\n', '.', 'a', '\0'};

	(void)state;
	for (unsigned long n = 0; n < 390625; n++)
		for (int repair = 0; repair < 2; repair++) {
			struct smtp_body body;
			char in[11], out[22], plain[22], text[22], stored[22];
			struct smtp_body_out sent = {out, sizeof(out), 0};
			struct smtp_body_out seen = {plain, sizeof(plain), 0};
			size_t used, text_len, stored_len;
			unsigned long rest = n;
			for (size_t i = 0; i < 8; i++, rest /= 5)
				in[i] = bytes[rest % 5];
			memcpy(in + 8, ".\r\n", 3);
			size_t end = smtp_text_end(in, sizeof(in));
			smtp_body_init(&body, repair);
			enum smtp_body_status status =
				smtp_body_feed(&body, in, sizeof(in), &used, &sent, &seen);
			assert_int_equal(used, end ? end : sizeof(in));
			assert_int_equal(status == SMTP_BODY_END, end > 0);
			if (end == 0)
				continue;
			bool good = smtp_text_of(in, end - 3, repair, text, &text_len);
			assert_int_equal(good, body.bad == 0);
			if (!good)
				continue;
			assert_true(smtp_text_stored(out, sent.len, stored, &stored_len));
			assert_int_equal(stored_len, text_len);
			assert_memory_equal(stored, text, text_len);
			assert_int_equal(seen.len, text_len);
			assert_memory_equal(plain, text, text_len);
		}
}

static void test_a_discarded_text_is_counted_to_its_end(void **state)
{
	static const char bytes[] = "A: b\r\n\r\nabc\r\n..d\r\n.\r\n";
	struct smtp_body body;
	char out[64];
	struct smtp_body_out sent = {out, sizeof(out), 0}, none = {NULL, 0, 0};
	size_t used;

	(void)state;
	smtp_body_init(&body, false);
	assert_int_equal(smtp_body_feed(&body, bytes, 10, &used, &sent, NULL), SMTP_BODY_MORE);
	assert_int_equal(sent.len, 10);
	smtp_body_discard(&body);
	assert_int_equal(smtp_body_feed(&body, bytes + 10, sizeof(bytes) - 11, &used, &none, &none),
		SMTP_BODY_END);
	assert_int_equal(none.len, 0);
	assert_int_equal(used, sizeof(bytes) - 11);
	assert_int_equal(body.bytes, 17);
	assert_int_equal(body.lines, 4);
}

static void test_headers_are_seen(void **state)
{
	static const char bytes[] = "Received: a\r\n by b\r\nReceived: c\nMessage-ID:\r\n <a@b>\r\n"
				    "Subject: \xc3\xa4\r\n\r\nReceived: d\r\n.\r\n";
	struct reading reading;

	(void)state;
	read_all_ways(&reading, true, bytes, sizeof(bytes) - 1);
	assert_int_equal(reading.body.header.received, 2);
	assert_int_equal(reading.body.header.message_id_bytes, 5);
	assert_memory_equal(reading.body.header.message_id, "<a@b>", 5);
	assert_true(reading.body.header.eight_bit);
}

static void test_little_room_uses_nothing(void **state)
{
	struct smtp_body body;
	char out[2][SMTP_BODY_ROOM];
	size_t used;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct smtp_body_out sent = {out[0], i == 1 ? 4 : 3, 0};
		struct smtp_body_out stored = {out[1], i == 0 ? 4 : 3, 0};
		smtp_body_init(&body, false);
		assert_int_equal(smtp_body_feed(&body, "a\r\n", 3, &used, i == 1 ? NULL : &sent,
					 i == 0 ? NULL : &stored),
			SMTP_BODY_MORE);
		assert_int_equal(used, 0);
		assert_int_equal(sent.len + stored.len, 0);
	}
	smtp_body_init(&body, false); /* nowhere: it is only counted */
	smtp_body_feed(&body, "a\r\n", 3, &used, NULL, NULL);
	assert_int_equal(used, 3);
	assert_int_equal(body.bytes, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_framed_anew),
		cmocka_unit_test(test_bare_ends_are_repaired_where_wanted),
		cmocka_unit_test(test_bad_bytes_are_read_to_the_end_and_not_written),
		cmocka_unit_test(test_no_smuggled_end_ends_a_text),
		cmocka_unit_test(test_all_short_texts_agree_with_a_second_reading),
		cmocka_unit_test(test_a_discarded_text_is_counted_to_its_end),
		cmocka_unit_test(test_headers_are_seen),
		cmocka_unit_test(test_little_room_uses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
