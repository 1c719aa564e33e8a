/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Feeds the bytes in pieces of `step`; returns the status, *used of them belong to the reply. */
static enum smtp_reply_status feed(
	struct smtp_reply *reply, const char *bytes, size_t len, size_t step, size_t *used)
{
	enum smtp_reply_status status = SMTP_REPLY_MORE;

	smtp_reply_init(reply);
	*used = 0;
	for (size_t i = 0; i < len && status == SMTP_REPLY_MORE; i += step) {
		size_t n;
		status = smtp_reply_feed(reply, bytes + i, len - i < step ? len - i : step, &n);
		*used += n;
	}
	return status;
}

static void test_replies_are_read_to_their_last_line(void **state)
{
	static const struct {
		const char *bytes;
		enum smtp_reply_status status;
		size_t used;
		unsigned code;
		const char *enhanced, *text;
	} cases[] = {
		{"220 mx ESMTP\r\n", SMTP_REPLY_DONE, 14, 220, "", "mx ESMTP"},
		{"220 mx ESMTP\r\n250 next", SMTP_REPLY_DONE, 14, 220, "", "mx ESMTP"},
		{"220-mx\r\n220-two\r\n220 three\r\n", SMTP_REPLY_DONE, 28, 220, "", "mx"},
		{"220-mx\r\n220\r\n", SMTP_REPLY_DONE, 13, 220, "", "mx"},
		{"220 mx\n", SMTP_REPLY_DONE, 7, 220, "", "mx"},
		{"220\r\n", SMTP_REPLY_DONE, 5, 220, "", ""},
		{"220\n", SMTP_REPLY_DONE, 4, 220, "", ""},
		{"220-\n220 \n", SMTP_REPLY_DONE, 10, 220, "", ""},
		/* lines that differ, against RFC 5321 4.2.1: whichever refuses counts */
		{"220-mx\r\n421 no\r\n", SMTP_REPLY_DONE, 16, 421, "", "mx"},
		{"554-no\r\n220 yes\r\n", SMTP_REPLY_DONE, 17, 554, "", "no"},
		{"554 5.7.1 Denied\r\n", SMTP_REPLY_DONE, 18, 554, "5.7.1", "5.7.1 Denied"},
		{"421 4.3.2\r\n", SMTP_REPLY_DONE, 11, 421, "4.3.2", "4.3.2"},
		{"550 4.7.1 mixed\r\n", SMTP_REPLY_DONE, 17, 550, "", "4.7.1 mixed"},
		{"550 5.7 short\r\n", SMTP_REPLY_DONE, 15, 550, "", "5.7 short"},
		{"550 5..1 x\r\n", SMTP_REPLY_DONE, 12, 550, "", "5..1 x"},
		{"550 5.1234.1 x\r\n", SMTP_REPLY_DONE, 16, 550, "", "5.1234.1 x"},
		{"550 5.1.1.1 x\r\n", SMTP_REPLY_DONE, 15, 550, "", "5.1.1.1 x"},
		{"550 5.123.123 x\r\n", SMTP_REPLY_DONE, 17, 550, "5.123.123", "5.123.123 x"},
		{"220 a\tb\x01\x7f\xc3\xa4\rc\r\n", SMTP_REPLY_DONE, 15, 220, "", "a b????c"},
		{"220 mx", SMTP_REPLY_MORE, 6, 0, "", "mx"},
		{"220-mx\r\n", SMTP_REPLY_MORE, 8, 220, "", "mx"},
		{"", SMTP_REPLY_MORE, 0, 0, "", ""},
		{"\r\n", SMTP_REPLY_MALFORMED, 0, 0, "", ""},
		{"120 x\r\n", SMTP_REPLY_MALFORMED, 0, 0, "", NULL},
		{"620 x\r\n", SMTP_REPLY_MALFORMED, 0, 0, "", NULL},
		{"22x x\r\n", SMTP_REPLY_MALFORMED, 2, 0, "", NULL},
		{"2200 x\r\n", SMTP_REPLY_MALFORMED, 3, 0, "", NULL},
		{"220_x\r\n", SMTP_REPLY_MALFORMED, 3, 0, "", NULL},
		{"220-a\r\nb\r\n", SMTP_REPLY_MALFORMED, 7, 220, "", "a"},
		{"\x16\x03\x01\x02", SMTP_REPLY_MALFORMED, 0, 0, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step < 40; step += 4) {
			struct smtp_reply reply;
			size_t used;
			enum smtp_reply_status status =
				feed(&reply, cases[i].bytes, strlen(cases[i].bytes), step, &used);
			assert_int_equal(status, cases[i].status);
			assert_int_equal(used, cases[i].used);
			assert_int_equal(reply.bytes, used);
			assert_int_equal(reply.code, cases[i].code);
			assert_string_equal(reply.enhanced, cases[i].enhanced);
			if (cases[i].text)
				assert_string_equal(reply.text, cases[i].text);
		}
	}
}

static void test_a_finished_reply_takes_no_more(void **state)
{
	struct smtp_reply reply;
	size_t used;

	(void)state;
	assert_int_equal(feed(&reply, "220 mx\r\n", 8, 8, &used), SMTP_REPLY_DONE);
	assert_int_equal(smtp_reply_feed(&reply, "250 x\r\n", 7, &used), SMTP_REPLY_DONE);
	assert_int_equal(used, 0);
	assert_int_equal(reply.code, 220);
}

static void test_long_greetings_have_an_end(void **state)
{
	static char bytes[1 << 20];
	struct smtp_reply reply;
	size_t used;

	(void)state;
	/* one line of 512 */
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "220 ", 4);
	memcpy(bytes + 510, "\r\n", 2);
	assert_int_equal(feed(&reply, bytes, 512, 512, &used), SMTP_REPLY_DONE);
	assert_int_equal(used, 512);
	assert_int_equal(strlen(reply.text), SMTP_REPLY_TEXT_SIZE - 1);

	/* one line of 1 MB */
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "220 ", 4);
	assert_int_equal(feed(&reply, bytes, sizeof(bytes), 4096, &used), SMTP_REPLY_TOO_LONG);
	assert_int_equal(used, SMTP_REPLY_BYTES_MAX);

	/* lines without end */
	for (size_t i = 0; i + 8 <= sizeof(bytes); i += 8)
		memcpy(bytes + i, "220-xx\r\n", 8);
	assert_int_equal(feed(&reply, bytes, sizeof(bytes), 1000, &used), SMTP_REPLY_TOO_LONG);
	assert_int_equal(used, SMTP_REPLY_BYTES_MAX);

	/* one that is just short enough */
	memcpy(bytes + SMTP_REPLY_BYTES_MAX - 8, "220 xx\r\n", 8);
	assert_int_equal(feed(&reply, bytes, sizeof(bytes), 777, &used), SMTP_REPLY_DONE);
	assert_int_equal(used, SMTP_REPLY_BYTES_MAX);

	/* no SMTP at all */
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(feed(&reply, bytes, sizeof(bytes), 4096, &used), SMTP_REPLY_MALFORMED);
	assert_int_equal(used, 0);
}

static void test_what_is_no_smtp_is_kept_for_the_log(void **state)
{
	struct smtp_reply reply;
	char words[SMTP_REPLY_WORDS_SIZE];
	size_t used;

	(void)state;
	feed(&reply, "SSH-2.0-OpenSSH_9.2\r\nmore", 25, 100, &used);
	assert_string_equal(smtp_reply_words(&reply, words), "SSH-2.0-OpenSSH_9.2");
	feed(&reply, "554 5.7.1 Access denied\r\n", 25, 100, &used);
	assert_string_equal(smtp_reply_words(&reply, words), "554 5.7.1 Access denied");
	feed(&reply, "421\r\n", 5, 100, &used);
	assert_string_equal(smtp_reply_words(&reply, words), "421");
}

static void test_offers_of_an_ehlo_reply(void **state)
{
	static const struct {
		const char *bytes;
		unsigned offers;
	} cases[] = {
		{"250 mx\r\n", 0},
		{"250-mx\r\n250-XCLIENT NAME ADDR\r\n250 DSN\r\n",
			SMTP_OFFER_XCLIENT | SMTP_OFFER_DSN},
		{"250-mx\r\n250-PIPELINING\r\n250 xclient\r\n", SMTP_OFFER_XCLIENT},
		{"250-mx\r\n250-XFORWARD NAME\r\n250 XClient ADDR\r\n",
			SMTP_OFFER_XCLIENT | SMTP_OFFER_XFORWARD},
		{"250-mx\r\n250- XFORWARD NAME\n250 DSN\n", SMTP_OFFER_XFORWARD | SMTP_OFFER_DSN},
		{"250-mx\r\n250-smtputf8\r\n250 SMTPUTF8X\r\n", SMTP_OFFER_SMTPUTF8},
		{"250-mx\r\n250-STARTTLS\r\n250 AUTH=PLAIN\r\n",
			SMTP_OFFER_STARTTLS | SMTP_OFFER_AUTH},
		{"250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n", SMTP_OFFER_AUTH},
		{"250-XCLIENT\r\n250 DSN\r\n", SMTP_OFFER_DSN}, /* the server's name */
		{"250-mx\r\n250-XCLIENTS\r\n250 XXCLIENT\r\n", 0},
		{"250-mx\r\n250-XFORWARDED\r\n250 SIZE XCLIENT\r\n", 0},
		{"250-mx\r\n250-\r\n250\r\n", 0}, {"250-mx\r\n250 XCLIENT", 0}, /* not at its end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step < 30; step += 7) {
			struct smtp_reply reply;
			size_t used;
			feed(&reply, cases[i].bytes, strlen(cases[i].bytes), step, &used);
			assert_int_equal(reply.offers, cases[i].offers);
		}
	}
}

static void test_own_replies_have_the_gateway_first_and_the_flow_last(void **state)
{
	static const struct {
		unsigned code;
		const char *enhanced, *text, *line;
	} cases[] = {
		{421, "4.4.1", "no mail server reachable",
			"421 4.4.1 gw.example.net no mail server reachable [f-7k3q9]\r\n"},
		{421, NULL, "Not logged in", "421 gw.example.net Not logged in [f-7k3q9]\r\n"},
		{554, "", "", "554 gw.example.net [f-7k3q9]\r\n"},
		{421, NULL, "a\r\nb\x7f\tc\xc2\x85\x1b[m",
			"421 gw.example.net abc[m [f-7k3q9]\r\n"},
		{421, NULL, "gr\xc3\xbc\xc3\x9f",
			"421 gw.example.net gr\xc3\xbc\xc3\x9f [f-7k3q9]\r\n"},
		{421, NULL, "\xc3", "421 gw.example.net ? [f-7k3q9]\r\n"},
		{421, NULL, "\xed\xa0\x80\xc0\x80\xf5", "421 gw.example.net ?????? [f-7k3q9]\r\n"},
		{421, NULL, "%s%n", "421 gw.example.net %s%n [f-7k3q9]\r\n"},
	};
	char buf[SMTP_LINE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = smtp_reply_format(buf, cases[i].code, cases[i].enhanced,
			"gw.example.net", cases[i].text, 7966441);
		assert_string_equal(buf, cases[i].line);
		assert_int_equal(len, strlen(buf));
	}
}

static void test_long_texts_are_cut_at_a_character(void **state)
{
	char text[1200], gateway[400], buf[SMTP_LINE_SIZE];

	(void)state;
	memset(gateway, 'g', sizeof(gateway));
	gateway[sizeof(gateway) - 1] = '\0';
	for (unsigned shift = 0; shift < 4; shift++) {
		/* four-byte characters, begun at each of four offsets */
		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x93\xa7", 5);
		size_t len = smtp_reply_format(
			buf, 421, "4.123.123", shift == 3 ? gateway : "gw", text, UINT64_MAX);
		assert_int_equal(len, strlen(buf));
		assert_true(len <= 512 && len > 508);
		const char *tail = " [f-fzzzzzzzzzzzz]\r\n";
		size_t at = len - strlen(tail);
		assert_string_equal(buf + at, tail);
		assert_memory_equal(buf + at - 4, "\xf0\x9f\x93\xa7", 4);
	}
}

/* A line by itself is what it is as the first one of a reply. */
static void a_line_is_read_as_a_reply_is(void **state)
{
	static const char *const lines[] = {"250 ok", "250-ok", "250", "250 ", "250-", "220x", "25",
		"", "2500", "150 no", "650 no", "2x0 no", "25x no", "555 5.1.1 no", "354", "250\tx",
		"299-x", "200?"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct smtp_reply reply;
		unsigned code;
		size_t used;
		smtp_reply_init(&reply);
		smtp_reply_feed(&reply, lines[i], strlen(lines[i]), &used);
		enum smtp_reply_status status = smtp_reply_feed(&reply, "\n", 1, &used);
		if (smtp_reply_line(lines[i], strlen(lines[i]), &code) != status ||
			(status != SMTP_REPLY_MALFORMED && code != reply.code))
			fail_msg("%s", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_read_as_a_reply_is),
		cmocka_unit_test(test_replies_are_read_to_their_last_line),
		cmocka_unit_test(test_a_finished_reply_takes_no_more),
		cmocka_unit_test(test_long_greetings_have_an_end),
		cmocka_unit_test(test_what_is_no_smtp_is_kept_for_the_log),
		cmocka_unit_test(test_offers_of_an_ehlo_reply),
		cmocka_unit_test(test_own_replies_have_the_gateway_first_and_the_flow_last),
		cmocka_unit_test(test_long_texts_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
