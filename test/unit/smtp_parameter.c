/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/parameter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL  0xf
#define DSN  SMTP_PARAMETER_DSN
#define UTF8 SMTP_PARAMETER_SMTPUTF8
#define A50  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define A500 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50

static void test_parameters_of_mail_are_written_anew(void **state)
{
	static const struct {
		const char *bytes;
		unsigned server;
		const char *written;
	} cases[] = {
		{"", ALL, ""},
		{" ", ALL, ""},
		{" size=1000  ", ALL, " SIZE=1000"},
		{" SIZE=0", ALL, ""},
		{" SIZE=007", ALL, " SIZE=7"},
		{" SIZE=18446744073709551615", ALL, " SIZE=18446744073709551615"},
		{" SIZE=18446744073709551616", ALL, " SIZE=18446744073709551615"},
		{" SIZE=99999999999999999999", ALL, " SIZE=18446744073709551615"},
		{" SMTPUTF8  body=8bitmime SIZE=5", ALL, " SIZE=5 BODY=8BITMIME SMTPUTF8"},
		{" BODY=7bit", ALL, " BODY=7BIT"},
		{" RET=full ENVID=QQ314159", ALL, " RET=FULL ENVID=QQ314159"},
		{" RET=HDRS ENVID=a+3Db+20c", ALL, " RET=HDRS ENVID=a+3Db+20c"},
		{" ENVID=BINARYMIME", ALL, " ENVID=BINARYMIME"},
		{" ENVID=" A50 A50, ALL, " ENVID=" A50 A50},
		/* who sends is known by other means */
		{" AUTH=<>", ALL, ""},
		{" AUTH=anna@example.org SIZE=5", ALL, " SIZE=5"},
		{" auth=anna+40example.org", ALL, ""},
		/* what the server lacks */
		{" SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a", 0, ""},
		{" SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a", SMTP_PARAMETER_SIZE, " SIZE=5"},
		{" SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a", SMTP_PARAMETER_8BITMIME,
			" BODY=8BITMIME"},
		{" SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a", UTF8, " SMTPUTF8"},
		{" SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a", DSN, " RET=FULL ENVID=a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_mail_parameters mail, again;
		char out[SMTP_PARAMETER_MAIL_MAX + 1];
		const char *bytes = cases[i].bytes;
		assert_null(smtp_parameter_parse_mail(&mail, ALL, bytes, strlen(bytes)));
		size_t n = smtp_parameter_format_mail(&mail, cases[i].server, out);
		out[n] = '\0';
		assert_string_equal(out, cases[i].written);
		n = smtp_parameter_format_mail(&mail, ALL, out);
		assert_null(smtp_parameter_parse_mail(&again, ALL, out, n));
		assert_memory_equal(&again, &mail, sizeof(mail));
	}
}

static void test_parameters_of_rcpt_are_written_anew(void **state)
{
	static const struct {
		const char *bytes;
		unsigned server;
		const char *written;
	} cases[] = {
		{"", ALL, ""},
		{" notify=never", ALL, " NOTIFY=NEVER"},
		{" NOTIFY=DELAY,failure,Success", ALL, " NOTIFY=SUCCESS,FAILURE,DELAY"},
		{" NOTIFY=FAILURE,FAILURE", ALL, " NOTIFY=FAILURE"},
		{" ORCPT=rfc822;anna@example.org", ALL, " ORCPT=rfc822;anna@example.org"},
		{" ORCPT=rfc822;anna+2Bx@example.org NOTIFY=DELAY", ALL,
			" NOTIFY=DELAY ORCPT=rfc822;anna+2Bx@example.org"},
		{" ORCPT=X-9;a;b", ALL, " ORCPT=X-9;a;b"},
		{" ORCPT=utf-8;a\\x{E4}\\x{20AC}\\x{1F600}\\x{10FFFF}\\x{5C}@b", ALL,
			" ORCPT=utf-8;a\\x{E4}\\x{20AC}\\x{1F600}\\x{10FFFF}\\x{5C}@b"},
		{" ORCPT=UTF-8;\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@b", ALL,
			" ORCPT=UTF-8;\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@b"},
		{" ORCPT=utf-8;\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@b", DSN,
			" ORCPT=utf-8;\\x{E4}\\x{20AC}\\x{1F600}@b"},
		{" ORCPT=rfc822;a NOTIFY=DELAY", ALL & ~DSN, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_rcpt_parameters rcpt, again;
		char out[SMTP_PARAMETER_RCPT_MAX + 1];
		const char *bytes = cases[i].bytes;
		assert_null(smtp_parameter_parse_rcpt(&rcpt, ALL, true, bytes, strlen(bytes)));
		size_t n = smtp_parameter_format_rcpt(&rcpt, cases[i].server, out);
		out[n] = '\0';
		assert_string_equal(out, cases[i].written);
		n = smtp_parameter_format_rcpt(&rcpt, ALL, out);
		assert_null(smtp_parameter_parse_rcpt(&again, ALL, true, out, n));
		assert_memory_equal(&again, &rcpt, sizeof(rcpt));
	}
}

static void test_what_is_wrong_in_mail(void **state)
{
	static const struct {
		const char *bytes;
		unsigned shown, code;
	} cases[] = {
		{"SIZE=1", ALL, 501},
		{" =1", ALL, 501},
		{" SIZE", ALL, 501},
		{" SIZE=", ALL, 501},
		{" SIZE=-1", ALL, 501},
		{" SIZE=1k", ALL, 501},
		{" SIZE=000000000000000000001", ALL, 501},
		{" SIZE=1 SIZE=1", ALL, 501},
		{" SIZE=0 SIZE=1", ALL, 501},
		{" SIZE=1\tBODY=7BIT", ALL, 501},
		{" BODY", ALL, 501},
		{" BODY=9BIT", ALL, 501},
		{" BODY=7BIT body=7BIT", ALL, 501},
		{" BODY=BINARYMIME", ALL, 555},
		{" SMTPUTF8=1", ALL, 501},
		{" SMTPUTF8 SMTPUTF8", ALL, 501},
		{" RET=SOME", ALL, 501},
		{" RET", ALL, 501},
		{" RET=FULL RET=HDRS", ALL, 501},
		{" ENVID", ALL, 501},
		{" ENVID=a=b", ALL, 501},
		{" ENVID=a+", ALL, 501},
		{" ENVID=a+4", ALL, 501},
		{" ENVID=a+4g", ALL, 501},
		{" ENVID=a+3d", ALL, 501},
		{" ENVID=a+0D+0Ab", ALL, 501},
		{" ENVID=a+7F", ALL, 501},
		{" ENVID=\xc3\xa4", ALL, 501},
		{" ENVID=" A50 A50 "a", ALL, 501},
		{" ENVID=a ENVID=b", ALL, 501},
		{" AUTH=", ALL, 501},
		{" AUTH", ALL, 501},
		{" AUTH=<a>=", ALL, 501},
		{" AUTH=<> AUTH=<>", ALL, 501},
		{" XVERP", ALL, 555},
		{" MT-PRIORITY=4", ALL, 555},
		{" SIZEX=1", ALL, 555},
		{" REQUIRETLS", ALL, 555},
		{" NOTIFY=NEVER", ALL, 555},
		{" SIZE=1", ALL & ~SMTP_PARAMETER_SIZE, 555},
		{" BODY=7BIT", ALL & ~SMTP_PARAMETER_8BITMIME, 555},
		{" SMTPUTF8", ALL & ~UTF8, 555},
		{" RET=FULL", ALL & ~DSN, 555},
		{" ENVID=a", ALL & ~DSN, 555},
		/* behind HELO */
		{" SIZE=1", 0, 555},
		{" AUTH=<>", 0, 555},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_mail_parameters mail, zero = {0};
		const char *bytes = cases[i].bytes;
		memset(&mail, 0xa5, sizeof(mail));
		const struct smtp_refusal *refusal =
			smtp_parameter_parse_mail(&mail, cases[i].shown, bytes, strlen(bytes));
		if (!refusal)
			print_message("%s\n", bytes);
		assert_non_null(refusal);
		assert_int_equal(refusal->code, cases[i].code);
		assert_string_equal(refusal->enhanced, "5.5.4");
		assert_memory_equal(&mail, &zero, sizeof(mail));
	}
}

static void test_what_is_wrong_in_rcpt(void **state)
{
	static const struct {
		const char *bytes;
		bool utf8;
		unsigned shown, code;
	} cases[] = {
		{" NOTIFY", false, ALL, 501},
		{" NOTIFY=", false, ALL, 501},
		{" NOTIFY=,", false, ALL, 501},
		{" NOTIFY=DELAY,", false, ALL, 501},
		{" NOTIFY=,DELAY", false, ALL, 501},
		{" NOTIFY=SOMETIMES", false, ALL, 501},
		{" NOTIFY=NEVER,DELAY", false, ALL, 501},
		{" NOTIFY=NEVER NOTIFY=DELAY", false, ALL, 501},
		{" ORCPT", false, ALL, 501},
		{" ORCPT=", false, ALL, 501},
		{" ORCPT=anna@example.org", false, ALL, 501},
		{" ORCPT=;anna@example.org", false, ALL, 501},
		{" ORCPT=rfc822;", false, ALL, 501},
		{" ORCPT=rfc822", false, ALL, 501},
		{" ORCPT=rfc@822;a", false, ALL, 501},
		{" ORCPT=rfc822;a=b", false, ALL, 501},
		{" ORCPT=rfc822;a+0Ab", false, ALL, 501},
		{" ORCPT=rfc822;\xc3\xa4", true, ALL, 501},
		{" ORCPT=utf-8;\xc3\xa4", false, ALL, 501},
		{" ORCPT=utf-8;\xc3", true, ALL, 501},
		{" ORCPT=utf-8;\xe2\x80\xa8", true, ALL, 501},
		{" ORCPT=utf-8;", true, ALL, 501},
		{" ORCPT=utf-8;a+20b", true, ALL, 501},
		{" ORCPT=utf-8;a\\b", true, ALL, 501},
		{" ORCPT=utf-8;\\x{}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{E4", true, ALL, 501},
		{" ORCPT=utf-8;\\x{0A}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{00E4}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{e4}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{41}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{7F}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{D800}", true, ALL, 501},
		{" ORCPT=utf-8;\\x{110000}", true, ALL, 501},
		{" ORCPT=rfc822;a ORCPT=rfc822;a", false, ALL, 501},
		{" ORCPT=rfc822;" A500, false, ALL, 501},
		{" SIZE=1", false, ALL, 555},
		{" NOTIFY=NEVER", false, ALL & ~DSN, 555},
		{" ORCPT=rfc822;a", false, 0, 555},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_rcpt_parameters rcpt, zero = {0};
		const char *bytes = cases[i].bytes;
		memset(&rcpt, 0xa5, sizeof(rcpt));
		const struct smtp_refusal *refusal = smtp_parameter_parse_rcpt(
			&rcpt, cases[i].shown, cases[i].utf8, bytes, strlen(bytes));
		if (!refusal)
			print_message("%s\n", bytes);
		assert_non_null(refusal);
		assert_int_equal(refusal->code, cases[i].code);
		assert_memory_equal(&rcpt, &zero, sizeof(rcpt));
	}
}

static void test_an_address_that_grows_too_long_is_left_out(void **state)
{
	struct smtp_rcpt_parameters rcpt;
	char bytes[600] = " NOTIFY=DELAY ORCPT=utf-8;", out[SMTP_PARAMETER_RCPT_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		strcat(bytes, "\xc3\xa4");
	assert_null(smtp_parameter_parse_rcpt(&rcpt, ALL, true, bytes, strlen(bytes)));
	out[smtp_parameter_format_rcpt(&rcpt, DSN, out)] = '\0';
	assert_string_equal(out, " NOTIFY=DELAY");
	assert_int_equal(smtp_parameter_format_rcpt(&rcpt, DSN | UTF8, out), strlen(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_of_mail_are_written_anew),
		cmocka_unit_test(test_parameters_of_rcpt_are_written_anew),
		cmocka_unit_test(test_what_is_wrong_in_mail),
		cmocka_unit_test(test_what_is_wrong_in_rcpt),
		cmocka_unit_test(test_an_address_that_grows_too_long_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
