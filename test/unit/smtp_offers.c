/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/offers.h"
#include "lib/smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_lines_of_a_server_are_noted(void **state)
{
	static const struct {
		const char *line;
		unsigned words;
		uint64_t size;
		unsigned xclient;
	} cases[] = {
		{"8BITMIME", SMTP_PARAMETER_8BITMIME, 0, 0},
		{"8bitmime", SMTP_PARAMETER_8BITMIME, 0, 0},
		{"8BITMIMEX", 0, 0, 0},
		{"SIZE", SMTP_PARAMETER_SIZE, 0, 0},
		{"SIZE 0", SMTP_PARAMETER_SIZE, 0, 0},
		{"SIZE 10240000", SMTP_PARAMETER_SIZE, 10240000, 0},
		{"SIZE=10240000", SMTP_PARAMETER_SIZE, 10240000, 0},
		{"SIZE 5x", SMTP_PARAMETER_SIZE, 5, 0},
		{"SIZE 99999999999999999999999", SMTP_PARAMETER_SIZE, 0, 0},
		{"SMTPUTF8", SMTP_PARAMETER_SMTPUTF8, 0, 0},
		{"DSN", SMTP_PARAMETER_DSN, 0, 0},
		{"XCLIENT NAME ADDR", 0, 0, XCLIENT_NAME | XCLIENT_ADDR},
		{"PIPELINING", 0, 0, 0},
		{"CHUNKING", 0, 0, 0},
		{"", 0, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct smtp_offers offers = {0};
		smtp_offers_read(&offers, cases[i].line, strlen(cases[i].line));
		if (offers.words != cases[i].words || offers.size != cases[i].size ||
			offers.xclient != cases[i].xclient ||
			offers.has_xclient != (cases[i].xclient != 0))
			fail_msg("\"%s\"", cases[i].line);
	}
}

static void test_ours_are_a_fixed_list(void **state)
{
	char out[SMTP_OFFERS_REPLY_MAX];
	size_t len = smtp_offers_format(out, "gw.example", 52428800, 0, false, NULL);
	static const char few[] = "250-gw.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
				  "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
	static const char all[] = "250-gw.example\r\n250-PIPELINING\r\n250-SIZE 1\r\n"
				  "250-SMTPUTF8\r\n250-DSN\r\n250-STARTTLS\r\n250-AUTH PLAIN "
				  "LOGIN\r\n250-AUTH=PLAIN LOGIN\r\n250-8BITMIME\r\n"
				  "250 ENHANCEDSTATUSCODES\r\n";
	char name[300];
	(void)state;
	assert_int_equal(len, sizeof(few) - 1);
	assert_memory_equal(out, few, len);
	len = smtp_offers_format(out, "gw.example", 1, SMTP_PARAMETER_DSN | SMTP_PARAMETER_SMTPUTF8,
		true, "PLAIN LOGIN");
	assert_int_equal(len, sizeof(all) - 1);
	assert_memory_equal(out, all, len);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	len = smtp_offers_format(
		out, name, UINT64_MAX, SMTP_PARAMETER_DSN | SMTP_PARAMETER_SMTPUTF8, true, name);
	assert_true(len < sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_a_server_are_noted),
		cmocka_unit_test(test_ours_are_a_fixed_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
