/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients say when they log in, and what they should not. */
#include "lib/auth/sasl.h"
#include "lib/base/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void base64_is_read_as_it_is_written(void **state)
{
	char text[400], back[300];
	unsigned char bytes[256];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		size_t n = base64_encode(bytes, len, text);
		assert_true(base64_decode(text, n, back) == (long)len);
		assert_memory_equal(back, bytes, len);
		assert_true(len <= BASE64_DECODED(n));
	}
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const bad[] = {"A", "AA", "AAA", "AAAAA", "====", "A===", "AA=A", "=AAA",
		"AB==", "AAB=", "AA==AAAA", "AAA=AAAA", "AA A", "AA\nA", "AA-_", "AAA\200"};
	char back[16];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(base64_decode(bad[i], strlen(bad[i]), back) == -EBADMSG);
	assert_true(base64_decode("AAAA\0AAA", 8, back) == -EBADMSG);
}

static const char long_name[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
				"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
				"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
				"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void plain_is_read(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum sasl_status status;
	} cases[] = {
		{"\0anna\0secret", 12, SASL_DONE},
		{"anna\0anna\0secret", 16, SASL_DONE},
		{"\0anna\0s\344cret", 12, SASL_DONE}, /* as old programs write it */
		{"bert\0anna\0secret", 16, SASL_REFUSED},
		{"ann\0anna\0secret", 15, SASL_REFUSED},
		{"\0anna\0", 6, SASL_REFUSED},
		{"\0\0secret", 8, SASL_REFUSED},
		{"\0anna\0sec\0ret", 13, SASL_REFUSED},
		{"\0anna\0sec\rret", 13, SASL_REFUSED},
		{"\0anna\0sec\nret", 13, SASL_REFUSED},
		{"\0an\nna\0secret", 13, SASL_REFUSED},
		{"\0an\x7fna\0secret", 13, SASL_REFUSED},
		{"\0ann\344\0secret", 12, SASL_REFUSED},
		{"", 0, SASL_MALFORMED},
		{"anna", 4, SASL_MALFORMED},
		{"\0anna", 5, SASL_MALFORMED},
	};
	struct sasl sasl;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sasl_init(&sasl, SASL_PLAIN);
		assert_int_equal(
			sasl_respond(&sasl, cases[i].bytes, cases[i].len, true), cases[i].status);
		if (cases[i].status == SASL_DONE)
			assert_string_equal(sasl.user, "anna");
	}
	assert_int_equal(sasl_respond(&sasl, "\0anna\0secret", 12, true), SASL_DONE);
	assert_string_equal(sasl.password, "secret");
}

static void plain_without_a_response_is_asked_for_it(void **state)
{
	struct sasl sasl;
	(void)state;
	sasl_init(&sasl, SASL_PLAIN);
	assert_int_equal(sasl_respond(&sasl, NULL, 0, false), SASL_MORE);
	assert_string_equal(sasl_challenge(&sasl), "");
	assert_int_equal(sasl_respond(&sasl, "\0anna\0secret", 12, true), SASL_DONE);
}

static void login_asks_twice(void **state)
{
	struct sasl sasl;
	(void)state;
	sasl_init(&sasl, SASL_LOGIN);
	assert_int_equal(sasl_respond(&sasl, NULL, 0, false), SASL_MORE);
	assert_string_equal(sasl_challenge(&sasl), "Username:");
	assert_int_equal(sasl_respond(&sasl, "anna", 4, true), SASL_MORE);
	assert_string_equal(sasl_challenge(&sasl), "Password:");
	assert_int_equal(sasl_respond(&sasl, "secret", 6, true), SASL_DONE);
	assert_string_equal(sasl.user, "anna");
	assert_string_equal(sasl.password, "secret");
	/* the name beside the command */
	sasl_init(&sasl, SASL_LOGIN);
	assert_int_equal(sasl_respond(&sasl, "anna", 4, true), SASL_MORE);
	assert_string_equal(sasl_challenge(&sasl), "Password:");
}

static void a_bad_name_is_refused_behind_the_password(void **state)
{
	static const char *const names[] = {"", "an\nna", "ann\344", long_name};
	struct sasl sasl;
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		sasl_init(&sasl, SASL_LOGIN);
		assert_int_equal(sasl_respond(&sasl, names[i], strlen(names[i]), true), SASL_MORE);
		assert_int_equal(sasl_respond(&sasl, "secret", 6, true), SASL_REFUSED);
	}
	sasl_init(&sasl, SASL_LOGIN);
	sasl_respond(&sasl, "anna", 4, true);
	assert_int_equal(sasl_respond(&sasl, "", 0, true), SASL_REFUSED);
}

static void what_is_long_fits_or_is_refused(void **state)
{
	char bytes[1100];
	struct sasl sasl;
	(void)state;
	for (size_t user = 250; user <= 260; user++)
		for (size_t password = 508; password <= 516; password++) {
			memset(bytes, 'x', sizeof(bytes));
			bytes[0] = bytes[user + 1] = '\0';
			sasl_init(&sasl, SASL_PLAIN);
			bool fits = user <= SASL_USER_MAX && password <= SASL_PASSWORD_MAX;
			assert_int_equal(sasl_respond(&sasl, bytes, user + password + 2, true),
				fits ? SASL_DONE : SASL_REFUSED);
			if (fits)
				assert_int_equal(strlen(sasl.password), password);
		}
}

static void names_of_mechanisms_have_no_case(void **state)
{
	(void)state;
	assert_int_equal(sasl_mechanism_of("plain"), SASL_PLAIN);
	assert_int_equal(sasl_mechanism_of("Login"), SASL_LOGIN);
	assert_int_equal(sasl_mechanism_of("PLAINER"), SASL_OTHER);
}

static void scram_and_cram_name_their_user(void **state)
{
	static const struct {
		const char *mechanism, *said, *user; /* NULL: nobody */
	} cases[] = {
		{"SCRAM-SHA-256", "n,,n=anna,r=abc", "anna"},
		{"scram-sha-1", "y,,n=anna,r=abc", "anna"},
		{"SCRAM-SHA-256-PLUS", "p=tls-unique,a=bert,n=a=2Cn=3Dna=2c,r=abc", "a,n=na=2c"},
		{"SCRAM-SHA-256", "n,,m=ext,n=anna,r=abc", NULL},
		{"SCRAM-SHA-256", "n,,n=anna", NULL},
		{"SCRAM-SHA-256", "n,,n=,r=abc", NULL},
		{"SCRAM-SHA-256", "n,,n", NULL},
		{"SCRAM-SHA-256", "n,", NULL},
		{"SCRAM-SHA-256", "", NULL},
		{"CRAM-MD5", "anna 0123456789abcdef", "anna"},
		{"CRAM-MD5", "anna b 0123456789abcdef", "anna b"},
		{"CRAM-MD5", "anna", NULL},
		{"CRAM-MD5", " 0123", NULL},
		{"CRAM-MD5", "", NULL},
		{"GSSAPI", "n,,n=anna,r=abc", NULL},
		{"PLAIN", "anna 0123", NULL},
	};
	char user[SASL_USER_MAX + 1], said[400];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].said);
		char *exact = len ? memcpy(malloc(len), cases[i].said, len) : NULL;
		bool is = sasl_named_user(cases[i].mechanism, exact, len, user);
		free(exact);
		if (is != (cases[i].user != NULL) || (is && strcmp(user, cases[i].user) != 0))
			fail_msg("%s: %s", cases[i].said, is ? user : "nobody");
	}
	assert_true(sasl_names_user("cram-md5") && sasl_names_user("SCRAM-SHA-1"));
	assert_false(sasl_names_user("GSSAPI") || sasl_names_user("SCRAM"));
	memset(said, 'x', sizeof(said));
	said[SASL_USER_MAX] = ' ';
	assert_true(sasl_named_user("CRAM-MD5", said, sizeof(said), user));
	memmove(said + 1, said, SASL_USER_MAX + 1);
	assert_false(sasl_named_user("CRAM-MD5", said, sizeof(said), user));
	assert_false(sasl_named_user("CRAM-MD5", "a\0b c", 5, user));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_read_as_it_is_written),
		cmocka_unit_test(what_is_no_base64_is_refused),
		cmocka_unit_test(plain_is_read),
		cmocka_unit_test(plain_without_a_response_is_asked_for_it),
		cmocka_unit_test(login_asks_twice),
		cmocka_unit_test(a_bad_name_is_refused_behind_the_password),
		cmocka_unit_test(what_is_long_fits_or_is_refused),
		cmocka_unit_test(names_of_mechanisms_have_no_case),
		cmocka_unit_test(scram_and_cram_name_their_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
