/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A form is read as a browser sends it, and nothing else is. */
#include "lib/portal/form.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char body[PORTAL_BODY_MAX + 2];

static int parse(const char *text, size_t len, struct portal_form *form)
{
	memset(body, 'x', sizeof(body));
	memcpy(body, text, len);
	return portal_form_parse(body, len, form);
}

static void what_a_browser_sends_is_read(void **state)
{
	static const struct {
		const char *text, *user, *password, *token;
		bool accept;
	} cases[] = {
		{"token=t1&user=anna&password=secret&accept=yes", "anna", "secret", "t1", true},
		{"user=anna&password=a+b%26c%3Dd%2B", "anna", "a b&c=d+", "", false},
		{"user=+J%C3%BCrgen%20&password=+p+", "J\xc3\xbcrgen", " p ", "", false},
		{"user=anna%40hotel.example&password=%E2%82%AC", "anna@hotel.example",
			"\xe2\x82\xac", "", false},
		{"u%73er=anna", "anna", "", "", false},
		{"other=1&user=anna&more", "anna", "", "", false},
		{"accept=", "", "", "", true},
		{"accept", "", "", "", true},
		{"user=&password=", "", "", "", false},
		{"user", "", "", "", false},
		{"password=a=b", "", "a=b", "", false},
		{"&&user=anna&", "anna", "", "", false},
		{"", "", "", "", false},
		{"USER=anna", "", "", "", false},
		/* only blanks are nobody */
		{"user=+++&password=x", "", "x", "", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct portal_form form;
		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &form), 0);
		assert_string_equal(form.user, cases[i].user);
		assert_string_equal(form.password, cases[i].password);
		assert_string_equal(form.token, cases[i].token);
		assert_int_equal(form.accept, cases[i].accept);
	}
}

static void which_terms_were_shown_is_read(void **state)
{
	struct portal_form form;
	const char *text = "accept=yes&terms=0123456789abcdef&user=anna";
	(void)state;
	assert_int_equal(parse(text, strlen(text), &form), 0);
	assert_string_equal(form.terms, "0123456789abcdef");
	assert_int_equal(parse("terms=&user=a", 13, &form), 0);
	assert_string_equal(form.terms, "");
	assert_int_equal(parse("user=a", 6, &form), 0);
	assert_string_equal(form.terms, "");
}

static void what_no_browser_sends_is_refused(void **state)
{
	static const char *const cases[] = {
		"user=%", "user=%4", "user=%4g", "user=%+1", "other=%zz", /* wherever it stands */
		"%zz=1", "user=a&user=b", "u%73er=a&user=b", "password=a&password=a",
		"token=a&token=b", "accept=yes&accept=yes", "user=a%00b", "user=a%0Ab",
		"user=a%0D%0Ab", "user=a%7F", "user=a%09b", "user=%C2%85", /* C1 */
		"password=a%00", "user=%FF", "user=%C0%80",                /* NUL, overlong */
		"terms=0123456789abcde", "terms=0123456789abcdef0", "terms=0123456789ABCDEF",
		"terms=0123456789abcdeg", "terms=0123456789abcdef&terms=0123456789abcdef",
		"user=%ED%A0%80", /* a surrogate */
		"user=%E2%82",    /* cut off */
		"password=%E4",   /* not UTF-8 */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct portal_form form;
		if (parse(cases[i], strlen(cases[i]), &form) != -EINVAL)
			fail_msg("%s", cases[i]);
	}
	struct portal_form form;
	assert_int_equal(parse("user=a\0b", 8, &form), -EINVAL);
}

static void a_field_and_a_body_have_an_end(void **state)
{
	static const char *const fields[] = {"user=", "password=", "token="};
	char text[PORTAL_BODY_MAX + 1];
	struct portal_form form;
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		size_t n = strlen(fields[i]);
		memset(text, 'a', sizeof(text));
		memcpy(text, fields[i], n);
		assert_int_equal(parse(text, n + PORTAL_FIELD_MAX, &form), 0);
		assert_int_equal(parse(text, n + PORTAL_FIELD_MAX + 1, &form), -EINVAL);
	}
	memset(text, '&', sizeof(text));
	assert_int_equal(parse(text, PORTAL_BODY_MAX, &form), 0);
	assert_int_equal(parse(text, PORTAL_BODY_MAX + 1, &form), -EINVAL);
	/* as long as it was sent, so short once it is taken apart */
	for (size_t i = 0; i < 3 * PORTAL_FIELD_MAX; i++)
		text[9 + i] = "%41"[i % 3];
	memcpy(text, "password=", 9);
	assert_int_equal(parse(text, 9 + 3 * PORTAL_FIELD_MAX, &form), 0);
	assert_int_equal(strlen(form.password), PORTAL_FIELD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_browser_sends_is_read),
		cmocka_unit_test(which_terms_were_shown_is_read),
		cmocka_unit_test(what_no_browser_sends_is_refused),
		cmocka_unit_test(a_field_and_a_body_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
