/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a policy as parts of its text, and edits of them. */
#include "lib/language/edit/top.h"
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/policy_text.h"

static const char text[] = "# mine\nlanguage 1\ndrain 5s # slow\naudit {\n    keep 1d # long\n}\n"
			   "list drain dynamic\nlist hostname address { 192.0.2.1 }\n"
			   "zone limit { interface e0 limit flows 3 per user comment drain }\n"
			   "on-failure open; limit flows 9\n";

static char *change(const char *from, const char *head, const char *statement)
{
	size_t len;
	char *out = language_top_change(from, strlen(from), head, statement, &len);

	assert_non_null(out);
	assert_int_equal(len, strlen(out));
	return out;
}

static void expect(const char *head, const char *statement, const char *old, const char *new)
{
	char want[sizeof(text) + 200], *got = change(text, head, statement);
	const char *at = strstr(text, old);

	assert_non_null(at);
	strcpy(want, text);
	strcpy(want + (at - text), new);
	strcat(want, at + strlen(old));
	assert_string_equal(got, want);
	free(got);
}

static void a_setting_is_found_and_changed_where_it_stands(void **state)
{
	size_t n;

	(void)state;
	assert_non_null(language_top_find(text, strlen(text), "audit", &n));
	assert_int_equal(n, strlen("audit {\n    keep 1d # long\n}"));
	assert_null(language_top_find(text, strlen(text), "hostname", &n));
	assert_null(language_top_find(text, strlen(text), "metrics", &n));
	expect("drain", "drain 60s", "drain 5s", "drain 60s");
	expect("limit", "limit flows 70", "limit flows 9", "limit flows 70");
	expect("audit", NULL, "audit {\n    keep 1d # long\n}\n", "");
	expect("drain", NULL, "drain 5s ", " ");
	expect("hostname", "hostname \"gw\"", "limit flows 9\n",
		"limit flows 9\nhostname \"gw\"\n");
	expect("hostname", NULL, "# mine", "# mine"); /* is not there */
	char *got = change("zone z { interface e0 }", "drain", "drain 1s");
	assert_string_equal(got, "drain 1s\nzone z { interface e0 }");
	free(got);
	got = change("drain 2s", "hostname", "hostname a");
	assert_string_equal(got, "drain 2s\nhostname a\n");
	free(got);
}

static struct policy *edit(const struct policy *policy, const char *head, const char *statement,
	struct language_diagnosis *diagnosis)
{
	return language_edit_top(policy, head, statement, NULL, diagnosis);
}

static void an_edit_changes_one_setting_and_nothing_else(void **state)
{
	static const char *const wrong[][2] = {{"drain", "drain 5x"},
		{"drain", "drain 5s drain 6s"}, {"drain", "drain 5s hostname a"},
		{"drain", "drain 5s list a dynamic"}, {"drain", "drain"},
		{"limit", "limit rate 5/minute"}, {"hostname", "hostname a..b"}};
	struct language_diagnosis diagnosis;
	struct policy *policy = policy_of_text(text, NULL);

	(void)state;
	struct policy *set = edit(policy, "drain", "drain 60s", &diagnosis);
	assert_non_null(set);
	assert_int_equal(set->drain_s, 60);
	assert_int_equal(set->limit_flows, 9);
	assert_int_equal(set->nlists, 2);
	language_diagnosis_fini(&diagnosis);
	struct policy *unset = edit(set, "limit", NULL, &diagnosis);
	assert_non_null(unset);
	assert_int_equal(unset->drain_s, 60);
	assert_int_equal(unset->limit_flows, 8000);
	language_diagnosis_fini(&diagnosis);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_null(edit(policy, wrong[i][0], wrong[i][1], &diagnosis));
		assert_true(diagnosis.errors > 0);
		assert_string_equal(diagnosis.v[0].file, "<argument>");
		language_diagnosis_fini(&diagnosis);
	}
	policy_unref(policy);
	policy_unref(set);
	policy_unref(unset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_is_found_and_changed_where_it_stands),
		cmocka_unit_test(an_edit_changes_one_setting_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
