/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that a login is bound as, and groups out of entries. */
#include "lib/ldap/dn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_template_is_filled(void **state)
{
	static const struct {
		const char *text, *user, *dn;
	} cases[] = {
		{"uid=%u,ou=people", "anna", "uid=anna,ou=people"},
		{"uid=%u,ou=people", "anna,ou=admins", "uid=anna\\2cou\\3dadmins,ou=people"},
		{"uid=%u,ou=people", " a+b\"\\#", "uid=\\20a\\2bb\\22\\5c\\23,ou=people"},
		{"uid=%u,ou=people", "ann\xc3\xa4", "uid=ann\xc3\xa4,ou=people"},
		{"%u@example.org", "a,b", "a,b@example.org"},
		{"EXAMPLE\\%u", "anna", "EXAMPLE\\anna"},
		{"cn=100%%,uid=%u", "%u", "cn=100%,uid=\\25u"},
	};
	char dn[64];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(dn_fill(cases[i].text, cases[i].user, dn, sizeof(dn)));
		assert_string_equal(dn, cases[i].dn);
	}
	assert_false(dn_fill("uid=%u", "anna", dn, 8));
	assert_true(dn_fill("uid=%u", "anna", dn, 9));
}

static void a_template_knows_the_user_alone(void **state)
{
	size_t at = 0;
	(void)state;
	assert_true(dn_check("uid=%u,cn=%%", &at));
	assert_false(dn_check("uid=%d", &at));
	assert_int_equal(at, 4);
	assert_false(dn_check("uid=%", &at));
}

static void a_group_is_found(void **state)
{
	static const struct {
		const char *value, *prefix, *group; /* NULL: none */
	} cases[] = {
		{"staff", "", "staff"},
		{"cn=staff,ou=groups", "", "staff"},
		{"CN=staff", "", "staff"},
		{"cn=a\\,b,ou=groups", "", "a,b"},
		{"cn=a\\2Cb+x=y,ou=groups", "", "a,b"},
		{"2.5.4.3=staff,dc=x", "", "staff"},
		{"cn=,ou=groups", "", NULL},
		{"", "", NULL},
		{"CN=Mail-staff,ou=groups", "cn=mail-", "staff"},
		{"cn=other,ou=groups", "cn=mail-", NULL},
		{"cn=mail-,ou=groups", "cn=mail-", NULL},
		{"mail:staff", "mail:", "staff"},
		{"a, b", "", "a, b"},
		{"=x", "", "=x"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ber_slice value = {(const uint8_t *)cases[i].value, strlen(cases[i].value)};
		char group[32];
		bool found = dn_group(value, cases[i].prefix, group, sizeof(group));
		assert_int_equal(found, cases[i].group != NULL);
		if (found)
			assert_string_equal(group, cases[i].group);
	}
}

static void a_group_that_is_no_text_is_none(void **state)
{
	struct ber_slice nul = {(const uint8_t *)"a\0b", 3};
	struct ber_slice escaped = {(const uint8_t *)"cn=a\\00b", 8};
	struct ber_slice cut = {(const uint8_t *)"cn=a\\", 5};
	char group[4];
	(void)state;
	assert_false(dn_group(nul, "", group, sizeof(group)));
	assert_false(dn_group(escaped, "", group, sizeof(group)));
	assert_true(dn_group(cut, "", group, sizeof(group)));
	assert_string_equal(group, "a\\");
	assert_false(dn_group((struct ber_slice){(const uint8_t *)"abcd", 4}, "", group, 4));
	assert_true(dn_group((struct ber_slice){(const uint8_t *)"abc", 3}, "", group, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_is_filled),
		cmocka_unit_test(a_template_knows_the_user_alone),
		cmocka_unit_test(a_group_is_found),
		cmocka_unit_test(a_group_that_is_no_text_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
