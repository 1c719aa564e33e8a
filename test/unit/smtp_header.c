/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void read_section(struct smtp_header *header, const char *text)
{
	memset(header, 0, sizeof(*header));
	for (; *text; text++)
		if (*text == '\n')
			smtp_header_line(header);
		else
			smtp_header_byte(header, (unsigned char)*text);
}

/* The same with the runs of values that may be read at once, but no more than `most` bytes of one.
 * False: there was none. */
static bool read_runs(struct smtp_header *header, const char *text, size_t most)
{
	bool some = false;

	memset(header, 0, sizeof(*header));
	while (*text) {
		size_t len = strlen(text), n;
		n = smtp_header_value(header, text, len < most ? len : most);
		text += n;
		some |= n > 0;
		if (n > 0 || !*text)
			continue;
		if (*text == '\n')
			smtp_header_line(header);
		else
			smtp_header_byte(header, (unsigned char)*text);
		text++;
	}
	return some;
}

static void test_what_is_noted(void **state)
{
	static const struct {
		const char *text;
		unsigned received;
		const char *id;
		bool eight_bit, over;
	} cases[] = {
		{"", 0, "", false, false},
		{"\n", 0, "", false, true},
		{"Received: a\nReceived: b\n\nReceived: c\n", 2, "", false, true},
		{"RECEIVED: a\nreceived : b\nrEcEiVeD\t:c\nReceived:\n", 4, "", false, false},
		{"Received: from a\n by b\n\tReceived: c\nX: y\n", 1, "", false, false},
		{"Receive: a\nReceivedX: b\nX-Received: c\nReceived-SPF: d\n", 0, "", false, false},
		{"Message-ID: <a@b>\n", 0, "<a@b>", false, false},
		{"message-id:<a@b>\t \n\n", 0, "<a@b>", false, true},
		{"Message-Id:\n <a@b>\n", 0, "<a@b>", false, false},
		{"Message-Id: \t<a\n\t b>  \n  \nX: y\n", 0, "<a b>", false, false},
		{"Message-ID: <a@b>\nMessage-ID: <c@d>\n", 0, "<a@b>", false, false},
		{"Message-ID:\nMessage-ID: <c@d>\n", 0, "<c@d>", false, false},
		{"Message-ID: <a\x01"
		 "b\xc3"
		 "c>\n",
			0, "<a?b?c>", true, false},
		{"Message-IDs: <a@b>\nXMessage-ID: <a@b>\n", 0, "", false, false},
		{"Subject: \xc3\xa4\n", 0, "", true, false},
		{"Subject: a\n\n\xc3\xa4\n", 0, "", false, true},
		/* no header: what follows is text */
		{"hello\nReceived: a\n", 0, "", false, true},
		{"hello world\nReceived: a\n", 0, "", false, true},
		{" folded: from nothing\nReceived: a\n", 0, "", false, true},
		{": a\nReceived: a\n", 0, "", false, true},
		{"\xc3\xa4: a\nReceived: a\n", 0, "", true, true},
		{"A B: c\nReceived: a\n", 0, "", false, true},
		{"Received: a\nhello\nReceived: b\n", 1, "", false, true},
	};

	bool runs_read = false;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_header header;
		read_section(&header, cases[i].text);
		for (size_t most = 1; most < 40; most += 3) {
			struct smtp_header runs;
			runs_read |= read_runs(&runs, cases[i].text, most);
			assert_memory_equal(&runs, &header, sizeof(header));
		}
		assert_int_equal(header.received, cases[i].received);
		assert_int_equal(header.message_id_bytes, strlen(cases[i].id));
		assert_memory_equal(header.message_id, cases[i].id, strlen(cases[i].id));
		assert_int_equal(header.eight_bit, cases[i].eight_bit);
		assert_int_equal(header.over, cases[i].over);
	}
	assert_true(runs_read);
}

static void test_long_fields_are_cut(void **state)
{
	struct smtp_header header = {0};

	(void)state;
	for (const char *c = "Message-ID:"; *c; c++)
		smtp_header_byte(&header, (unsigned char)*c);
	for (unsigned i = 0; i < 100000; i++)
		smtp_header_byte(&header, i % 2 ? 'x' : ' ');
	assert_int_equal(header.message_id_bytes, SMTP_HEADER_ID_MAX);
	smtp_header_line(&header);
	for (unsigned i = 0; i < 100000; i++)
		smtp_header_byte(&header, 'N');
	smtp_header_byte(&header, ':');
	smtp_header_line(&header);
	assert_false(header.over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_noted),
		cmocka_unit_test(test_long_fields_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
