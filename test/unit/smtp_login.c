/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/login.h"

#include "lib/base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_base64(void **state)
{
	/* RFC 4648 10 */
	static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfb", "//77"}};
	char out[32];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = base64_encode(cases[i][0], strlen(cases[i][0]), out);
		assert_int_equal(len, strlen(cases[i][1]));
		assert_int_equal(len, BASE64_BYTES(strlen(cases[i][0])));
		assert_memory_equal(out, cases[i][1], len);
	}
}

static void test_mechanisms_of_an_offer(void **state)
{
	static const struct {
		const char *words;
		unsigned offered;
	} cases[] = {
		{"", 0},
		{"PLAIN", SMTP_LOGIN_PLAIN},
		{"plain Login", SMTP_LOGIN_PLAIN | SMTP_LOGIN_LOGIN},
		{"  LOGIN ", SMTP_LOGIN_LOGIN},
		{"CRAM-MD5 PLAINX XLOGIN GSSAPI", 0},
		{"SCRAM-SHA-256 PLAIN", SMTP_LOGIN_PLAIN},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(smtp_login_offered(cases[i].words, strlen(cases[i].words)),
			cases[i].offered);
}

static void expect_line(const struct smtp_login *login, unsigned mechanisms, unsigned step,
	const char *expected, bool expected_last)
{
	char line[SMTP_LOGIN_LINE_MAX];
	bool last;
	size_t len = smtp_login_line(login, mechanisms, step, line, &last);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(line, expected, len);
	if (len > 0)
		assert_int_equal(last, expected_last);
}

static void test_lines(void **state)
{
	const struct smtp_login login = {"tim", "tanstaaftanstaaf", 3, 16};
	const unsigned both = SMTP_LOGIN_PLAIN | SMTP_LOGIN_LOGIN;
	(void)state;
	/* RFC 4616 4 */
	expect_line(&login, both, 0, "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n", true);
	expect_line(&login, both, 1, "", true);
	expect_line(&login, SMTP_LOGIN_LOGIN, 0, "AUTH LOGIN\r\n", false);
	expect_line(&login, SMTP_LOGIN_LOGIN, 1, "dGlt\r\n", false);
	expect_line(&login, SMTP_LOGIN_LOGIN, 2, "dGFuc3RhYWZ0YW5zdGFhZg==\r\n", true);
	expect_line(&login, SMTP_LOGIN_LOGIN, 3, "", true);
	expect_line(&login, 0, 0, "", true);
}

static void test_what_cannot_be_said(void **state)
{
	static char big[SMTP_LOGIN_SECRET_MAX + 1];
	char line[SMTP_LOGIN_LINE_MAX];
	bool last;
	(void)state;
	memset(big, 'x', sizeof(big));
	const struct smtp_login cases[] = {
		{"", "secret", 0, 6},
		{"user", "", 4, 0},
		{"us\0r", "secret", 4, 6},
		{"user", "sec\0et", 4, 6},
		{big, "secret", SMTP_LOGIN_USER_MAX + 1, 6},
		{"user", big, 4, SMTP_LOGIN_SECRET_MAX + 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		expect_line(&cases[i], SMTP_LOGIN_PLAIN, 0, "", true);
		expect_line(&cases[i], SMTP_LOGIN_LOGIN, 0, "", true);
	}
	const struct smtp_login most = {big, big, SMTP_LOGIN_USER_MAX, SMTP_LOGIN_SECRET_MAX};
	assert_int_equal(
		smtp_login_line(&most, SMTP_LOGIN_PLAIN, 0, line, &last), SMTP_LOGIN_LINE_MAX);
}

static void test_words_that_tell_the_secret(void **state)
{
	const struct smtp_login login = {"tim", "tanstaaftanstaaf", 3, 16};
	const struct smtp_login brief = {"tim", "abc", 3, 3};
	(void)state;
	assert_true(smtp_login_tells(&login, "5.5.1 unknown: AUTH PLAIN AHRpbQB0YW5zdGFhZn"));
	assert_true(smtp_login_tells(&login, "what is dGFuc3RhYWZ0YW5zdGFhZg== ?"));
	assert_true(smtp_login_tells(&login, "tim/tanstaaftanstaaf is no user"));
	assert_true(smtp_login_tells(&login, "zdGFhZnR"));
	assert_true(smtp_login_tells(&brief, "not abc"));
	assert_false(smtp_login_tells(&login, "5.7.8 Error: authentication failed: tim"));
	assert_false(smtp_login_tells(&login, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_mechanisms_of_an_offer),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_what_cannot_be_said),
		cmocka_unit_test(test_words_that_tell_the_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
