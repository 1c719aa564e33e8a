/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char source[] = "# our policy; mind the \"quotes {\n"
			     "zone guest { interface \"br-guest\" comment \"rule b { } # no\" }\n"
			     "server relay { host 203.0.113.10 } # in the dmz\n"
			     "list rule { 192.0.2.1 }\n"
			     "\n"
			     "# ---- rules ----\n"
			     "\n"
			     "# who pays\n"
			     "# and who does not\n"
			     "rule a { user \"a\"   server relay } # the boss\n"
			     "rule b\n"
			     "{\n"
			     "\t# a comment inside\n"
			     "\tuser b verdict pass\n"
			     "}\n"
			     "\n"
			     "  rule c { verdict drop }; device till { zone guest mac "
			     "02:00:5e:00:53:09 user till }\n"
			     "# the end";

enum operation {
	ADD,
	REPLACE,
	DELETE,
	MOVE,
	DISABLE,
};

static const struct {
	enum operation operation;
	const char *kind, *name, *statement;
	enum language_position position;
	const char *other;
	const char *cut, *instead; /* what of the source becomes what */
} cases[] = {
	{DELETE, "rule", "a", NULL, 0, NULL, "rule a { user \"a\"   server relay } # the boss\n",
		""},
	{DELETE, "rule", "c", NULL, 0, NULL, "  rule c { verdict drop };", ";"},
	{DELETE, "device", "till", NULL, 0, NULL,
		"device till { zone guest mac 02:00:5e:00:53:09 user till }\n", ""},
	{DISABLE, "rule", "b", NULL, 0, NULL,
		"rule b\n{\n\t# a comment inside\n\tuser b verdict pass\n}",
		"rule b { user \"b\" verdict pass disabled }"},
	{DISABLE, "rule", "c", NULL, 0, NULL, "rule c { verdict drop }",
		"rule c { verdict drop disabled }"},
	{REPLACE, "rule", "a", "rule a { user \"z\" server relay }", 0, NULL,
		"rule a { user \"a\"   server relay }", "rule a { user \"z\" server relay }"},
	{ADD, "rule", "n", "rule n { user \"n\" server relay }", LANGUAGE_FIRST, NULL, "# who pays",
		"rule n { user \"n\" server relay }\n# who pays"},
	{ADD, "rule", "n", "rule n { user \"n\" server relay }", LANGUAGE_AFTER, "a", "rule b\n",
		"rule n { user \"n\" server relay }\nrule b\n"},
	{ADD, "rule", "n", "rule n { user \"n\" server relay }", LANGUAGE_LAST, NULL,
		"rule c { verdict drop };",
		"rule c { verdict drop }\nrule n { user \"n\" server relay }\n;"},
	{MOVE, "rule", "a", NULL, LANGUAGE_AFTER, "b", "", NULL},
	{MOVE, "rule", "c", NULL, LANGUAGE_FIRST, NULL, "", NULL},
	{MOVE, "rule", "b", NULL, LANGUAGE_LAST, NULL, "", NULL},
};

static struct policy *parse(const char *text, size_t len)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("p.conf", text, len, NULL, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	return policy;
}

static struct policy *edited(const struct policy *policy, size_t i)
{
	struct language_diagnosis diagnosis;
	struct policy *after = NULL;
	switch (cases[i].operation) {
	case ADD:
		after = language_edit_add(policy, cases[i].kind, cases[i].statement,
			cases[i].position, cases[i].other, NULL, &diagnosis);
		break;
	case REPLACE:
		after = language_edit_replace(
			policy, cases[i].kind, cases[i].name, cases[i].statement, NULL, &diagnosis);
		break;
	case DELETE:
		after = language_edit_delete(
			policy, cases[i].kind, cases[i].name, NULL, &diagnosis);
		break;
	case MOVE:
		after = language_edit_move(
			policy, cases[i].name, cases[i].position, cases[i].other, NULL, &diagnosis);
		break;
	case DISABLE:
		after = language_edit_enable(policy, cases[i].name, false, NULL, &diagnosis);
		break;
	}
	language_diagnosis_fini(&diagnosis);
	assert_non_null(after);
	return after;
}

static void assert_says(const char *text, size_t len, const struct policy *policy)
{
	struct policy *said = parse(text, len);
	size_t a_len, b_len;

	if (!said)
		fail_msg("does not parse:\n%s", text);
	char *a = language_print(said, LANGUAGE_PRINT_CANONICAL, &a_len);
	char *b = language_print(policy, LANGUAGE_PRINT_CANONICAL, &b_len);
	assert_string_equal(a, b);
	free(a);
	free(b);
	policy_unref(said);
}

static const char *const kept[] = {"# our policy; mind the \"quotes {\n", "# in the dmz\n",
	"# ---- rules ----\n", "# who pays\n# and who does not\n", "# the end",
	"zone guest { interface \"br-guest\" comment \"rule b { } # no\" }\n"};

static void test_an_edit_leaves_all_else_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *before = parse(source, strlen(source));
		struct policy *after = edited(before, i);
		size_t len;
		char *text = language_source_follow(
			source, strlen(source), before, after, cases[i].kind, cases[i].name, &len);
		assert_non_null(text);
		assert_int_equal(len, strlen(text));
		assert_says(text, len, after);
		for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++)
			if (!strstr(text, kept[k]))
				fail_msg("case %zu: %s is not in\n%s", i, kept[k], text);
		const char *cut = cases[i].instead ? strstr(source, cases[i].cut) : NULL;
		if (cut) {
			char wanted[2048] = "";
			strncat(wanted, source, (size_t)(cut - source));
			strcat(wanted, cases[i].instead);
			strcat(wanted, cut + strlen(cases[i].cut));
			assert_string_equal(text, wanted);
		}
		free(text);
		policy_unref(before);
		policy_unref(after);
	}
}

static void test_a_moved_rule_takes_its_comment_along(void **state)
{
	struct policy *before = parse(source, strlen(source));
	struct policy *after = edited(before, 9);
	size_t len;
	char *text =
		language_source_follow(source, strlen(source), before, after, "rule", "a", &len);

	(void)state;
	assert_non_null(
		strstr(text, "}\n# who pays\n# and who does not\nrule a { user \"a\"   server "
			     "relay } # the boss\n"));
	free(text);
	policy_unref(before);
	policy_unref(after);
}

/* Many edits, one behind the other, as an operator would. */
static void test_edits_follow_one_another(void **state)
{
	size_t len = strlen(source);
	char *text = strdup(source);
	struct policy *policy = parse(text, len);

	(void)state;
	static const size_t steps[] = {9, 11, 3, 5, 6, 10, 4, 0, 2};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct policy *after = edited(policy, steps[i]);
		char *follows = language_source_follow(
			text, len, policy, after, cases[steps[i]].kind, cases[steps[i]].name, &len);
		assert_non_null(follows);
		assert_says(follows, len, after);
		policy_unref(policy);
		policy = after;
		free(text);
		text = follows;
	}
	policy_unref(policy);
	free(text);
}

static void test_what_is_not_in_the_text_is_not_edited(void **state)
{
	static const char other[] = "rule x { verdict drop }\ninclude \"more.conf\"\n";
	static const char cut[] = "rule a { user \"a";
	struct policy *before = parse(source, strlen(source));
	struct policy *after = edited(before, 0);
	size_t len;

	(void)state;
	assert_null(language_source_follow(other, strlen(other), before, after, "rule", "a", &len));
	assert_null(language_source_follow(cut, strlen(cut), before, after, "rule", "a", &len));
	assert_null(language_source_follow("", 0, before, after, "rule", "a", &len));
	policy_unref(before);
	policy_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_edit_leaves_all_else_as_written),
		cmocka_unit_test(test_a_moved_rule_takes_its_comment_along),
		cmocka_unit_test(test_edits_follow_one_another),
		cmocka_unit_test(test_what_is_not_in_the_text_is_not_edited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
