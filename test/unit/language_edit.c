/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/language.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/policy_text.h"

static const char before[] = "language 1\n"
			     "\n"
			     "zone guest {\n    interface \"br-guest\"\n}\n"
			     "\n"
			     "list partners file \"partners.list\"\n"
			     "\n"
			     "server relay {\n    host 203.0.113.10\n}\n"
			     "\n"
			     "device till { zone guest mac 02:00:5e:00:53:09 user \"till\" }\n"
			     "\n"
			     "rule a { user \"a\" server relay }\n"
			     "rule b { user \"b\" verdict pass disabled }\n"
			     "rule c { source partners verdict drop }\n";

static unsigned reads;

static int read_file(void *context, const char *path, char **text, size_t *len)
{
	(void)context;
	if (strcmp(path, "partners.list") != 0)
		return -ENOENT;
	reads++;
	*text = strdup("192.0.2.1");
	*len = 9;
	return 0;
}

static const struct language_world world = {.read = read_file};

static struct policy *old_policy(void)
{
	return policy_of_text(before, &world);
}

/* The names of rules and devices in order, a disabled one in brackets. */
static const char *order(const struct policy *policy, char *text, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->ndevices; i++)
		n += (size_t)snprintf(text + n, room - n, "%s ", policy->devices[i].name.text);
	n += (size_t)snprintf(text + n, room - n, "|");
	for (size_t i = 0; i < policy->nrules; i++)
		n += (size_t)snprintf(text + n, room - n,
			policy->rules[i].disabled ? " (%s)" : " %s", policy->rules[i].name.text);
	return text;
}

struct outcome {
	struct policy *policy;
	struct language_diagnosis diagnosis;
};

static void expect(struct outcome *outcome, const char *wanted)
{
	char text[256];

	if (outcome->policy)
		assert_string_equal(order(outcome->policy, text, sizeof(text)), wanted);
	else
		assert_string_equal(
			outcome->diagnosis.n > 0 ? outcome->diagnosis.v[0].text : "", wanted);
	policy_unref(outcome->policy);
	language_diagnosis_fini(&outcome->diagnosis);
}

static void statements_are_added_where_they_are_wanted(void **state)
{
	static const struct {
		const char *kind, *statement;
		enum language_position position;
		const char *other, *wanted;
	} cases[] = {
		{"rule", "rule x { user x verdict drop }", LANGUAGE_FIRST, NULL,
			"till | x a (b) c"},
		{"rule", "rule x { user x verdict drop }", LANGUAGE_LAST, NULL, "till | a (b) c x"},
		{"rule", "rule x { user x verdict drop }", LANGUAGE_BEFORE, "b",
			"till | a x (b) c"},
		{"rule", "rule x { user x verdict drop }\n", LANGUAGE_AFTER, "c",
			"till | a (b) c x"},
		{"device", "device d { zone guest address 192.0.2.9 user d }", LANGUAGE_LAST, NULL,
			"till d | a (b) c"},
		{"device", "device d { zone guest address 192.0.2.9 user d }", LANGUAGE_BEFORE,
			"till", "d till | a (b) c"},
		{"rule", "rule x { user x verdict drop }", LANGUAGE_AFTER, "d",
			"<argument>: error: no such rule \"d\"; rules: a, b, c"},
		{"rule", "rule a { user x verdict drop }", LANGUAGE_LAST, NULL,
			"<argument>:1:6: error: rule \"a\" stands twice, expected a new name; "
			"first "
			"at <running>:15:6\nrule a { user x verdict drop }\n     ^"},
		{"rule", "rule x { zone gest verdict drop }", LANGUAGE_FIRST, NULL,
			"<argument>:1:15: error: no such zone \"gest\"; zones: guest\n"
			"rule x { zone gest verdict drop }\n              ^~~~"},
		{"rule", "rule c { user x verdict drop }", LANGUAGE_FIRST, NULL,
			"<running>:17:6: error: rule \"c\" stands twice, expected a new name; "
			"first "
			"at <argument>:1:6\nrule c { source partners verdict drop }\n     ^"},
		{"rule", "rule x { user x", LANGUAGE_FIRST, NULL,
			"<argument>:1:16: error: unexpected end of the text, expected audit, "
			"comment, "
			"destination, disabled, group, limit, listener, port, recipient, scan, "
			"schedule, "
			"sender, server, source, tls, user, "
			"verdict, "
			"zone, ',' or '}'\nrule x { user x\n               ^\n"
			"the '{' at 1:8 is not closed"},
		{"rule", "rule x { user x verdict drop } rule y { user y verdict drop }",
			LANGUAGE_FIRST, NULL,
			"<argument>:1:1: error: this is not one rule, expected `rule NAME { ... "
			"}`\n"
			"rule x { user x verdict drop } rule y { user y verdict drop }\n^"},
		{"rule", "on-failure open rule x { user x verdict drop }", LANGUAGE_FIRST, NULL,
			"<argument>:1:1: error: this is not one rule, expected `rule NAME { ... "
			"}`\n"
			"on-failure open rule x { user x verdict drop }\n^"},
		{"rule", "", LANGUAGE_FIRST, NULL,
			"<argument>:1:1: error: this is not one rule, expected `rule NAME { ... "
			"}`\n\n^"},
		{"rule", "rule x { user x verdict drop } } rule y {", LANGUAGE_FIRST, NULL,
			"<argument>:1:32: error: unexpected \"}\", expected audit, auth, "
			"certificate, "
			"device, domain, drain, "
			"hostname, include, language, limit, list, listener, log, metrics, "
			"on-failure, portal, radius, rule, scan, "
			"server or zone\nrule x { user x verdict drop } } rule y {\n"
			"                               ^"},
		{"zone", "zone x { interface x }", LANGUAGE_LAST, NULL, "till | a (b) c"},
		{"server", "server s { host 203.0.113.11 }", LANGUAGE_LAST, NULL, "till | a (b) c"},
		{"list", "list l dynamic", LANGUAGE_LAST, NULL, "till | a (b) c"},
		{"list", "list l { 192.0.2.1, 2001:db8::/32 }", LANGUAGE_FIRST, NULL,
			"till | a (b) c"},
		{"list", "list partners dynamic", LANGUAGE_LAST, NULL,
			"<argument>:1:6: error: list \"partners\" stands twice, expected a new "
			"name; "
			"first at <running>:7:6\nlist partners dynamic\n     ^~~~~~~~"},
		{"audit", "audit { keep 1d }", LANGUAGE_LAST, NULL,
			"<argument>: error: \"audit\" cannot be edited alone, expected zone, "
			"listener, list, domain, certificate, server, device or rule"},
	};
	struct policy *policy = old_policy();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct outcome outcome;
		outcome.policy = language_edit_add(policy, cases[i].kind, cases[i].statement,
			cases[i].position, cases[i].other, &world, &outcome.diagnosis);
		expect(&outcome, cases[i].wanted);
	}
	policy_unref(policy);
}

static void statements_are_replaced_and_deleted(void **state)
{
	struct policy *policy = old_policy();
	struct outcome o;

	(void)state;
	o.policy = language_edit_replace(
		policy, "rule", "b", "rule b { group g server original }", &world, &o.diagnosis);
	assert_true(o.policy && o.policy->rules[1].to_original);
	expect(&o, "till | a b c");
	o.policy = language_edit_replace(
		policy, "rule", "b", "rule x { verdict drop }", &world, &o.diagnosis);
	expect(&o, "<argument>:1:1: error: rule \"x\" cannot replace rule \"b\", expected the same "
		   "name\nrule x { verdict drop }\n^");
	o.policy = language_edit_replace(
		policy, "device", "tilly", "device tilly { }", &world, &o.diagnosis);
	expect(&o, "<argument>: error: no such device \"tilly\"; devices: till");
	o.policy = language_edit_delete(policy, "rule", "a", &world, &o.diagnosis);
	expect(&o, "till | (b) c");
	o.policy = language_edit_delete(policy, "device", "till", &world, &o.diagnosis);
	expect(&o, "| a (b) c");
	o.policy = language_edit_delete(policy, "rule", "d", &world, &o.diagnosis);
	expect(&o, "<argument>: error: no such rule \"d\"; rules: a, b, c");
	policy_unref(policy);
}

static void rules_are_moved_enabled_and_disabled(void **state)
{
	static const struct {
		const char *name;
		enum language_position position;
		const char *other, *wanted;
	} moves[] = {
		{"c", LANGUAGE_FIRST, NULL, "till | c a (b)"},
		{"a", LANGUAGE_LAST, NULL, "till | (b) c a"},
		{"a", LANGUAGE_AFTER, "b", "till | (b) a c"},
		{"c", LANGUAGE_BEFORE, "b", "till | a c (b)"},
		{"b", LANGUAGE_BEFORE, "b", "till | a (b) c"},
		{"b", LANGUAGE_AFTER, "b", "till | a (b) c"},
		{"x", LANGUAGE_FIRST, NULL,
			"<argument>: error: no such rule \"x\"; rules: a, b, c"},
		{"a", LANGUAGE_AFTER, "x", "<argument>: error: no such rule \"x\"; rules: a, b, c"},
	};
	struct policy *policy = old_policy();
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		o.policy = language_edit_move(policy, moves[i].name, moves[i].position,
			moves[i].other, &world, &o.diagnosis);
		expect(&o, moves[i].wanted);
	}
	o.policy = language_edit_enable(policy, "b", true, &world, &o.diagnosis);
	expect(&o, "till | a b c");
	o.policy = language_edit_enable(policy, "c", false, &world, &o.diagnosis);
	expect(&o, "till | a (b) (c)");
	o.policy = language_edit_enable(policy, "x", false, &world, &o.diagnosis);
	expect(&o, "<argument>: error: no such rule \"x\"; rules: a, b, c");
	policy_unref(policy);
}

static void an_edit_changes_nothing_else_and_reads_no_list_again(void **state)
{
	struct policy *policy = old_policy();
	unsigned reads_before = reads;
	struct language_diagnosis diagnosis;

	(void)state;
	struct policy *added = language_edit_add(policy, "rule", "rule x { user x verdict drop }",
		LANGUAGE_FIRST, NULL, &world, &diagnosis);
	assert_non_null(added);
	language_diagnosis_fini(&diagnosis);
	assert_int_equal(reads, reads_before);
	assert_int_equal(added->lists[0].elems.n, 1);
	struct policy *back = language_edit_delete(added, "rule", "x", &world, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	char *text = language_print(back, LANGUAGE_PRINT_CANONICAL, NULL);
	assert_string_equal(text, before);
	free(text);
	policy_unref(back);
	policy_unref(added);
	policy_unref(policy);
}

static void single_statements_print_alone(void **state)
{
	struct policy *policy = old_policy();
	char *texts[] = {language_print_rule(policy, 1, LANGUAGE_PRINT_CANONICAL),
		language_print_server(policy, 0, LANGUAGE_PRINT_CANONICAL),
		language_print_zone(policy, 0, LANGUAGE_PRINT_CANONICAL),
		language_print_device(policy, 0, LANGUAGE_PRINT_CANONICAL)};
	static const char *const wanted[] = {"rule b { user \"b\" verdict pass disabled }\n",
		"server relay {\n    host 203.0.113.10\n}\n",
		"zone guest {\n    interface \"br-guest\"\n}\n",
		"device till { zone guest mac 02:00:5e:00:53:09 user \"till\" }\n"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(texts[i], wanted[i]);
		free(texts[i]);
	}
	policy_unref(policy);
}

/* --- shadows */

static void a_rule_is_shadowed_only_when_nothing_is_left_for_it(void **state)
{
	static const struct {
		const char *early, *late;
		bool shadowed;
	} cases[] = {
		{"", "", true},
		{"", "user bob source any", true},
		{"disabled", "", false},
		{"user any", "", true},
		{"user bob", "", false},
		{"user bob", "user bob", true},
		{"user bob", "user not bob", false},
		{"user bob, eve", "user eve", true},
		{"user eve", "user bob, eve", false},
		{"user not bob", "user eve", true},
		{"user not bob", "user bob", false},
		{"user not bob", "user not bob, eve", true},
		{"user not bob, eve", "user not bob", false},
		{"user not bob", "", false},
		{"group g", "group g", true},
		{"group g, h", "group h", true},
		{"group g", "group g, h", false},
		{"group not g", "group h", false},
		{"group not g", "group not h, g", true},
		{"group g", "user bob", false},
		{"zone z", "", false},
		{"zone z, y", "zone y", true},
		{"zone y", "zone z, y", false},
		{"port 25", "", false},
		{"port 25, 26", "port 26", true},
		{"port 25", "port 26", false},
		{"source any", "source l", true},
		{"source l", "source any", false},
		{"source l", "source l", true},
		{"source l, m", "source m", true},
		{"source l", "source l, m", false},
		{"source not l", "source l", false},
		{"source not l", "source m", false},
		{"source not l", "source not l, m", true},
		{"source not l, m", "source not l", false},
		{"source 192.0.2.0/24", "source 192.0.2.7, 192.0.2.128/25", true},
		{"source 192.0.2.0/24, 192.0.2.7", "source 192.0.2.0/25", true},
		{"source 192.0.2.0/25", "source 192.0.2.0/24", false},
		{"source 192.0.2.0/24", "source 192.0.2.1, 198.51.100.1", false},
		{"source 0.0.0.0/0", "source 192.0.2.1", true},
		{"source 0.0.0.0/0", "source 2001:db8::1", false},
		{"source 2001:db8::/32", "source 2001:db8:1::/48", true},
		{"source 02:00:5e:00:53:01", "source 02:00:5e:00:53:01", true},
		{"source 02:00:5e:00:53:01", "source 02:00:5e:00:53:02", false},
		{"source not 192.0.2.0/24", "source 198.51.100.0/24", true},
		{"source not 192.0.2.0/24", "source 192.0.2.128/25", false},
		{"source not 192.0.2.0/24", "source 02:00:5e:00:53:02", false},
		{"source not 192.0.2.128/25", "source not 192.0.2.0/24", true},
		{"destination l", "source l", false},
		{"destination l", "destination l source m", true},
		{"schedule mon-fri", "", false},
		{"schedule mon-fri", "schedule tue", true},
		{"schedule mon-fri 08:00-18:00", "schedule tue", false},
		{"schedule mon-fri 08:00-18:00", "schedule tue 09:00-17:00, fri 08:00-09:00", true},
		{"schedule 00:00-24:00", "schedule sun", true},
		{"schedule 00:00-24:00", "", true},
		{"schedule mon-sun", "", true},
		{"schedule mon 20:00-06:00", "schedule mon 22:00-24:00", true},
		{"schedule mon 20:00-06:00", "schedule tue 00:00-06:00", true},
		{"schedule mon 20:00-06:00", "schedule tue 00:00-06:01", false},
		{"schedule sun 20:00-06:00", "schedule mon 05:00-06:00", true},
		{"schedule mon 08:00-12:00, mon 12:00-18:00", "schedule mon 11:00-13:00", true},
		{"sender none", "", false},
		{"", "sender none", true},
		{"sender none, e", "sender none", true},
		{"sender none", "sender none, e", false},
		{"sender e", "recipient e", false},
		{"recipient e, f", "recipient f", true},
		{"recipient f", "recipient e, f", false},
		{"recipient not e", "recipient f", false},
		{"recipient not e", "recipient e", false},
		{"recipient e", "recipient not e", false},
		{"recipient not e", "recipient not e, f", true},
		{"recipient not e, f", "recipient not e", false},
		{"recipient \"@x.example\"", "recipient \"a@x.example\"", true},
		{"recipient \"@x.example\"", "recipient \"a@y.x.example\"", false},
		{"recipient \"@.x.example\"", "recipient \"a@z.y.x.example\"", true},
		{"recipient \"@.x.example\"", "recipient \"@.y.x.example\"", true},
		{"recipient \"@.y.x.example\"", "recipient \"@.x.example\"", false},
		{"recipient \"A@X.example\"", "recipient \"a+b@x.example\"", true},
		{"recipient \"@x.example\", e", "recipient \"a@x.example\", \"b@z.example\"",
			false},
		{"sender e recipient f", "recipient f", false},
		{"recipient f", "sender e recipient f", true},
		{"recipient f user bob", "recipient f", false},
		{"limit size 5m", "limit none", true},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		snprintf(text, sizeof(text),
			"zone z { interface a port 25, 26 } zone y { interface b port 25, 26 } "
			"list l dynamic list m dynamic list e mail dynamic list f mail dynamic "
			"rule early { %s verdict answer no } rule late { %s verdict answer no }",
			cases[i].early, cases[i].late);
		struct policy *policy = language_parse("p", text, strlen(text), NULL, &diagnosis);
		assert_non_null(policy);
		if ((language_shadowed_by(policy, 1) == 0) != cases[i].shadowed)
			fail_msg("%s / %s", cases[i].early, cases[i].late);
		/* the index that the warning uses finds the same */
		assert_int_equal(diagnosis.warnings, cases[i].shadowed);
		assert_int_equal(language_shadowed_by(policy, 0), -1);
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_added_where_they_are_wanted),
		cmocka_unit_test(statements_are_replaced_and_deleted),
		cmocka_unit_test(rules_are_moved_enabled_and_disabled),
		cmocka_unit_test(an_edit_changes_nothing_else_and_reads_no_list_again),
		cmocka_unit_test(single_statements_print_alone),
		cmocka_unit_test(a_rule_is_shadowed_only_when_nothing_is_left_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
