/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy as large as doc/design.md promises: 10,000 rules, 1,000 lists, 100,000 list entries.
 * Times are printed; what is asserted is that the work was all done within its bounds. */
#include "lib/base/net/lpm.h"
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define RULES 10000
#define LISTS 1000
#define ELEMS 100 /* of each list */

static char *text;
static size_t len, room;

static void out(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void out(const char *format, ...)
{
	va_list arguments;

	if (room - len < 1024) {
		room = room ? room * 2 : 1 << 20;
		text = realloc(text, room);
		assert_non_null(text);
	}
	va_start(arguments, format);
	len += (size_t)vsnprintf(text + len, room - len, format, arguments);
	va_end(arguments);
}

static double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static struct policy *parse(const char *name, struct language_diagnosis *diagnosis)
{
	double from = now_s();
	struct policy *policy = language_parse("large", text, len, NULL, diagnosis);

	print_message("%s: %zu bytes, %.3f s\n", name, len, now_s() - from);
	return policy;
}

static void out_zones_and_lists(void)
{
	len = 0;
	out("zone guest { interface \"br-guest\" }\nzone staff { interface core0 }\n");
	out("server relay { host 203.0.113.10 }\n");
	for (unsigned i = 0; i < LISTS; i++) {
		out("list l%x { ", i);
		for (unsigned j = 0; j < ELEMS; j++) {
			out(j > 0 ? ", " : "");
			if (j % 3 == 0)
				out("198.51.%u.%u", (i + j) % 256, j);
			else if (j % 3 == 1)
				out("2001:db8:%x:%x::/64", i, j);
			else
				out("02:00:5e:00:%02x:%02x", i % 256, j);
		}
		out(" }\n");
	}
}

/* Writes a condition with its first % as the list, its second as the value. */
static void out_values(const char *condition, unsigned list, unsigned value)
{
	for (unsigned n = 0; *condition; condition++) {
		if (*condition == '%')
			out("%x", n++ == 0 ? list : value);
		else
			out("%c", *condition);
	}
}

/* The conditions of the rules differ; whichever they are, finding the shadowed ones must not
 * compare each rule with each. The last rule is shadowed by the first of its kind, which is only
 * said when the bound on that work was not reached. */
static void check_rules(const char *name, const char *condition)
{
	struct language_diagnosis diagnosis;

	out_zones_and_lists();
	for (unsigned i = 0; i < RULES - 1; i++) {
		out("rule r%u { zone %s ", i, i % 2 ? "guest" : "staff");
		out_values(condition, i % LISTS, i);
		out(" server relay }\n");
	}
	out("rule last { zone staff disabled verdict drop }\n");
	struct policy *policy = parse(name, &diagnosis);
	for (size_t i = 0; i < diagnosis.n && i < 3; i++)
		print_message("%s\n", diagnosis.v[i].text);
	assert_non_null(policy);
	assert_int_equal(diagnosis.n, 0);
	assert_int_equal(policy->nrules, RULES);
	assert_int_equal(policy->nlists, LISTS);
	language_diagnosis_fini(&diagnosis);

	double from = now_s();
	char *print = language_print(policy, LANGUAGE_PRINT_CANONICAL, NULL);
	print_message("%s: printed in %.3f s\n", name, now_s() - from);
	from = now_s();
	static const char statement[] = "rule new { zone staff user \"u2\" source l2 group \"g2\" "
					"destination l2 verdict drop }";
	struct policy *edited =
		language_edit_add(policy, "rule", statement, LANGUAGE_LAST, NULL, NULL, &diagnosis);
	print_message("%s: edited in %.3f s\n", name, now_s() - from);
	assert_non_null(edited);
	assert_int_equal(edited->nrules, RULES + 1);
	/* the same answer as the slow way gives */
	ptrdiff_t by = language_shadowed_by(edited, RULES);
	assert_int_equal(diagnosis.n, by >= 0);
	language_diagnosis_fini(&diagnosis);
	policy_unref(edited);
	policy_unref(policy);
	free(print);
}

static void rules_of_many_users(void **state)
{
	(void)state;
	check_rules("users", "source l% user \"u%\"");
}

static void rules_of_many_groups(void **state)
{
	(void)state;
	check_rules("groups", "destination l% group \"g%\"");
}

static void rules_of_many_networks(void **state)
{
	(void)state;
	check_rules("networks", "destination l% source 2001:db8:1::%");
}

static void rules_that_exclude_each_something_else(void **state)
{
	(void)state;
	check_rules("not", "destination not l% user not \"u%\"");
}

static void a_shadowed_rule_among_many_is_found(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	out_zones_and_lists();
	for (unsigned i = 0; i < RULES - 1; i++)
		out("rule r%u { zone guest source l%x, l%x user \"u%u\" server relay }\n", i,
			i % LISTS, (i + 1) % LISTS, i % 5000);
	out("rule last { zone guest source l7 user \"u4007\" verdict drop }\n");
	struct policy *policy = parse("shadowed", &diagnosis);
	assert_non_null(policy);
	/* r5000 to r9998 too, each by the one with the same lists and user */
	assert_int_equal(diagnosis.warnings, 5000);
	assert_string_equal(diagnosis.v[0].text + strcspn(diagnosis.v[0].text, " "),
		" warning: rule r5000 is never reached: rule r0 before it takes all that it could "
		"take\nrule r5000 { zone guest source l0, l1 user \"u0\" server relay }\n"
		"     ^~~~~");
	assert_int_equal(language_shadowed_by(policy, RULES - 1), 4007);
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
}

static void many_zones_are_compared_by_interface_and_network(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	len = 0;
	for (unsigned i = 0; i < 4000; i++)
		out("zone n%u { interface eth0 network 2001:db8:%x::/64 }\n", i, i);
	for (unsigned i = 0; i < 4000; i++)
		out("zone i%u { interface \"br%u\", \"w%ux*\" }\n", i, i, i);
	out("zone last { interface \"w*\" network 192.0.2.0/24 }\n");
	assert_null(parse("zones", &diagnosis));
	assert_int_equal(diagnosis.n, 20);
	language_diagnosis_fini(&diagnosis);
}

static void one_long_line_takes_no_longer(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	out_zones_and_lists();
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '\n' ? ' ' : text[i];
	for (unsigned i = 0; i < 20; i++)
		out("rule r%u { source nowhere verdict drop } ", i);
	assert_null(parse("one line", &diagnosis));
	assert_int_equal(diagnosis.n, 20);
	language_diagnosis_fini(&diagnosis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_many_users),
		cmocka_unit_test(rules_of_many_groups),
		cmocka_unit_test(rules_of_many_networks),
		cmocka_unit_test(rules_that_exclude_each_something_else),
		cmocka_unit_test(a_shadowed_rule_among_many_is_found),
		cmocka_unit_test(many_zones_are_compared_by_interface_and_network),
		cmocka_unit_test(one_long_line_takes_no_longer),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(text);
	return failed;
}
