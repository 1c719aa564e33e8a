/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static char text[SMTP_RECEIVED_MAX + 1];

static const char *format(const struct smtp_received *received)
{
	size_t n = smtp_received_format(received, text);

	assert_true(n <= SMTP_RECEIVED_MAX);
	text[n] = '\0';
	assert_int_equal(strlen(text), n);
	return text;
}

static struct smtp_received received_of(const char *address)
{
	struct smtp_received received = {
		.helo = "pc",
		.gateway = "gw.example.net",
		.flow = 12345,
		.time_s = 1700000000,
	};

	assert_int_equal(addr_parse(address, strlen(address), &received.client), 0);
	return received;
}

static void test_the_line(void **state)
{
	struct smtp_received received = received_of("192.0.2.1");

	(void)state;
	received.with = SMTP_RECEIVED_EHLO;
	received.message = 2;
	received.offset_min = 60;
	assert_string_equal(format(&received),
		"Received: from pc ([192.0.2.1]) by gw.example.net with ESMTP id f-c1s.2;\r\n"
		"\tTue, 14 Nov 2023 23:13:20 +0100\r\n");
	received = received_of("2001:db8::1");
	received.helo = "mail.client.example.org";
	received.name = "host-2001-db8--1.dynamic.example.org";
	received.offset_min = -330;
	assert_string_equal(format(&received),
		"Received: from mail.client.example.org\r\n"
		"\t(host-2001-db8--1.dynamic.example.org [IPv6:2001:db8::1])\r\n"
		"\tby gw.example.net with SMTP id f-c1s; Tue, 14 Nov 2023 16:43:20 -0530\r\n");
}

static void test_with_what_protocol(void **state)
{
	static const char *const names[] = {"SMTP", "ESMTP", "ESMTPS", "ESMTPS", "ESMTPA", "ESMTPA",
		"ESMTPSA", "ESMTPSA", "UTF8SMTP", "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPS", "UTF8SMTPA",
		"UTF8SMTPA", "UTF8SMTPSA", "UTF8SMTPSA"};

	(void)state;
	for (unsigned with = 0; with < 16; with++) {
		char words[32];
		struct smtp_received received = received_of("192.0.2.1");
		received.with = with;
		snprintf(words, sizeof(words), " with %s id ", names[with]);
		assert_non_null(strstr(format(&received), words));
	}
}

/* Whatever a client calls itself, the line is one header with one client, one gateway, one date. */
static void test_hostile_names_say_nothing(void **state)
{
	static const struct {
		const char *helo, *said;
	} cases[] = {
		{"", "from unknown ("},
		{"DESKTOP_1", "from DESKTOP_1 ("},
		{"[10.0.0.5]", "from [10.0.0.5] ("},
		{"[ipv6:2001:DB8::5]", "from [IPv6:2001:db8::5] ("},
		{"x\r\nSubject: y", "from x??Subject??y ("},
		{"x;", "from x? ("},
		{"x(mx.example.org", "from x?mx.example.org ("},
		{"x\\", "from x? ("},
		{"\"x", "from ?x ("},
		{"[127.0.0.1])by(x", "from ?127.0.0.1??by?x ("},
		{"[]", "from ?? ("},
		{"[192.0.2.1] x]", "from ?192.0.2.1??x? ("},
		{"\xc3\xa4", "from ?? ("},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_received received = received_of("192.0.2.1");
		received.helo = cases[i].helo;
		received.name = cases[i].helo[0] ? "a)b" : "-a";
		assert_non_null(strstr(format(&received), cases[i].said));
		assert_non_null(strstr(text, "([192.0.2.1])"));
	}
}

static void test_long_names_are_folded_and_bounded(void **state)
{
	char helo[600], name[256], gateway[600];
	struct smtp_received received = received_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	memset(helo, 'h', sizeof(helo));
	memset(name, 'n', sizeof(name));
	memset(gateway, 'g', sizeof(gateway));
	helo[599] = name[255] = gateway[599] = '\0';
	received.helo = helo;
	received.name = name;
	received.gateway = gateway;
	received.flow = UINT64_MAX;
	received.message = UINT32_MAX;
	received.time_s = INT64_MAX / 2;
	received.with = 0xf;
	format(&received);
	unsigned lines = 0;
	for (const char *line = text, *end; *line; line = end + 2, lines++) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(lines == 0 || *line == '\t');
		assert_true(end - line <= 998);
	}
	assert_int_equal(lines, 5);
}

static void test_lines_have_at_most_78_bytes(void **state)
{
	char helo[64] = "";

	(void)state;
	for (size_t n = 1; n < 60; n++) {
		struct smtp_received received = received_of("192.0.2.1");
		helo[n - 1] = 'h';
		received.helo = helo;
		format(&received);
		for (const char *line = text, *end; *line; line = end + 2) {
			end = strstr(line, "\r\n");
			assert_true(end - line <= 78);
		}
	}
}

/* Every day of 130 years and its last second, as the C library has it. */
static void test_dates_are_those_of_the_calendar(void **state)
{
	struct smtp_received received = received_of("192.0.2.1");

	(void)state;
	for (int64_t day = 0; day < 47482; day++) {
		time_t time = day * 86400 + (day % 2 ? 86399 : 0);
		struct tm tm;
		char date[64];
		received.time_s = time;
		gmtime_r(&time, &tm);
		strftime(date, sizeof(date), "%a, %e %b %Y %H:%M:%S +0000", &tm);
		if (date[5] == ' ')
			memmove(date + 5, date + 6, strlen(date + 6) + 1);
		format(&received);
		assert_non_null(strstr(text, date));
	}
	received.time_s = INT64_MIN / 2;
	assert_non_null(strstr(format(&received), "Thu, 1 Jan 1970 00:00:00 +0000"));
	received.time_s = INT64_MAX / 2;
	assert_non_null(strstr(format(&received), "Fri, 31 Dec 9999 23:59:59 +0000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line),
		cmocka_unit_test(test_with_what_protocol),
		cmocka_unit_test(test_hostile_names_say_nothing),
		cmocka_unit_test(test_long_names_are_folded_and_bounded),
		cmocka_unit_test(test_lines_have_at_most_78_bytes),
		cmocka_unit_test(test_dates_are_those_of_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
