/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy that the checker takes has a plan: its limits are the checker's, with place and number.
 */
#include "kernel-rules/plan.h"
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct policy *parse(
	const char *text, bool lenient, char errors[static 1024], char faults[static 1024])
{
	const struct language_world world = {.relay_port = 4025, .lenient = lenient};
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("conf", text, strlen(text), &world, &diagnosis);
	errors[0] = faults[0] = '\0';
	for (size_t i = 0; i < diagnosis.n; i++) {
		char *to = diagnosis.v[i].severity == LANGUAGE_ERROR   ? errors
			   : diagnosis.v[i].severity == LANGUAGE_FAULT ? faults
								       : NULL;
		if (to && !*to)
			snprintf(to, 1024, "%s", diagnosis.v[i].text);
	}
	language_diagnosis_fini(&diagnosis);
	return policy;
}

static int plan_status(const struct policy *policy)
{
	struct plan_options options;
	struct plan plan, back;
	uint8_t *bytes;
	size_t len;
	plan_options_init(&options);
	int status = plan_from_policy(policy, &options, PLAN_RUNNING, &plan);
	if (status)
		return status;
	status = plan_encode(&plan, &bytes, &len);
	if (!status) {
		status = plan_decode(bytes, len, &back);
		plan_fini(&back);
		free(bytes);
	}
	plan_fini(&plan);
	return status;
}

/* What a policy has much of. */
enum many { ZONES, INTERFACES, NETWORKS, PAIRS, PORTS, ALL_PORTS, BOUND, LOGINS };

#define NETWORKS_A_ZONE 4096

static char *write_policy(enum many what, size_t n)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	size_t zones = what == ZONES       ? n
		       : what == NETWORKS  ? (n + NETWORKS_A_ZONE - 1) / NETWORKS_A_ZONE
		       : what == ALL_PORTS ? (n + POLICY_PORTS_MAX - 1) / POLICY_PORTS_MAX
					   : 1;
	assert_non_null(out);
	for (size_t z = 0; z < zones; z++) {
		fprintf(out, "zone z%zu { interface i%zu", z, z);
		for (size_t i = 1; what == INTERFACES && i < n; i++)
			fprintf(out, ", j%zu", i);
		for (size_t i = 1; what == PAIRS && i < 1024; i++)
			fprintf(out, ", j%zu", i);
		for (size_t i = 0; what == PAIRS && i < n / 1024; i++)
			fprintf(out, "%s2001:db8:%zx::/48", i ? ", " : "\nnetwork ", i);
		for (size_t i = z * NETWORKS_A_ZONE;
			what == NETWORKS && i < n && i < (z + 1) * NETWORKS_A_ZONE; i++)
			fprintf(out, "%s2001:db8:%zx:%zx::/64",
				i % NETWORKS_A_ZONE ? ", " : "\nnetwork ", i / 65536, i % 65536);
		size_t first = z * POLICY_PORTS_MAX,
		       end = what == PORTS ? n : first + POLICY_PORTS_MAX;
		if (what == PORTS || what == ALL_PORTS)
			for (size_t i = first; i < n && i < end; i++)
				fprintf(out, "%s%zu", i == first ? "\nport " : ", ",
					10000 + i - first);
		fprintf(out, " }\n");
	}
	for (size_t i = 0; what == LOGINS && i < n; i++)
		fprintf(out, "server s%zu { announce xclient host 127.0.0.1 port %zu }\n", i,
			10025 + i);
	if (what == BOUND) {
		for (size_t i = 0; i < n; i++)
			fprintf(out, "%sserver s%zu { bind client host 203.0.113.%zu port %zu }\n",
				"", i, 1 + i % 200, 1000 + i);
	}
	fclose(out);
	return text;
}

static void test_what_is_checked_has_a_plan_and_what_has_none_is_refused_by_its_place(void **state)
{
	static const struct {
		enum many what;
		size_t most;
		const char *place, *text;
	} cases[] = {
		{ZONES, POLICY_ZONES_MAX,
			"conf:1025:6: error: ", "1025 zones, expected at most 1024"},
		{INTERFACES, POLICY_INTERFACES_MAX, "conf:1:", "more than 4096 interfaces"},
		{NETWORKS, POLICY_NETWORKS_MAX, "conf:34:9: error: ", "more than 65536 networks"},
		{PAIRS, POLICY_PAIRS_MAX,
			"conf:1:6: error: ", "1024 interfaces with 1025 networks"},
		{PORTS, POLICY_PORTS_MAX,
			"conf:2:", "zone z0 has 1025 ports, expected at most 1024"},
		{ALL_PORTS, POLICY_ALL_PORTS_MAX, "conf:34:6: error: ", "more than 16384 ports"},
		{BOUND, POLICY_BOUND_MAX, "conf:4098:", "more than 4096 hosts"},
		{LOGINS, POLICY_LOGIN_HOSTS_MAX, "conf:4098:", "more than 4096 hosts"},
	};
	char errors[1024], faults[1024];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = write_policy(cases[i].what, cases[i].most);
		struct policy *policy = parse(text, false, errors, faults);
		assert_string_equal(errors, "");
		assert_non_null(policy);
		assert_int_equal(plan_status(policy), 0);
		policy_unref(policy);
		free(text);

		size_t over = cases[i].what == PAIRS ? 1024 : 1;
		text = write_policy(cases[i].what, cases[i].most + over);
		assert_null(parse(text, false, errors, faults));
		if (strncmp(errors, cases[i].place, strlen(cases[i].place)) != 0 ||
			!strstr(errors, cases[i].text))
			fail_msg("case %zu: %.300s", i, errors);
		/* one that an earlier version ran is parsed, and said */
		policy = parse(text, true, errors, faults);
		assert_non_null(policy);
		assert_non_null(strstr(faults, cases[i].text));
		policy_unref(policy);
		free(text);
	}
}

/* The plan's own look at names and hosts asks nothing that the checker does not. */
static void test_the_plan_asks_no_more_of_words_than_the_checker(void **state)
{
	static const char *const hosts[] = {"0.0.0.0", "::", "224.0.0.1", "127.0.0.1", "::1",
		"255.255.255.255", "fe80::1", "203.0.113.1"};
	char text[256], errors[1024], faults[1024];
	unsigned taken = 0;
	(void)state;
	for (unsigned c = 1; c < 256; c++) {
		for (unsigned at = 0; at < 3; at++) {
			char name[] = "abc";
			name[at] = (char)c;
			snprintf(text, sizeof(text), "zone z { interface \"%s\" }", name);
			struct policy *policy = parse(text, false, errors, faults);
			if (policy && plan_status(policy))
				fail_msg("no plan with the interface %s", name);
			taken += policy != NULL;
			policy_unref(policy);
		}
	}
	assert_true(taken > 200);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		snprintf(text, sizeof(text), "server s { host %s bind client }", hosts[i]);
		struct policy *policy = parse(text, false, errors, faults);
		if (policy && plan_status(policy))
			fail_msg("no plan with the host %s", hosts[i]);
		policy_unref(policy);
		snprintf(text, sizeof(text), "server s { host %s announce xclient }", hosts[i]);
		policy = parse(text, false, errors, faults);
		if (policy && plan_status(policy))
			fail_msg("no plan with the host %s that takes a login", hosts[i]);
		policy_unref(policy);
	}
}

static void test_what_ran_once_is_parsed_again(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{"zone own { interface e0 }\nrule r { zone own user any server original }\n", NULL},
		{"zone a { interface e0 }\nzone b { interface e0 }\n", "overlaps"},
		{"zone a { interface e0 port 4025 }\n", "relay itself listens"},
		{"server s { host 127.0.0.1 port 4025 }\n", "listener of our own"},
	};
	char errors[1024], faults[1024];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(parse(cases[i].text, false, errors, faults));
		struct policy *policy = parse(cases[i].text, true, errors, faults);
		if (!policy)
			fail_msg("case %zu: %s", i, errors);
		if (cases[i].fault)
			assert_non_null(strstr(faults, cases[i].fault));
		policy_unref(policy);
	}
	/* but no text is believed */
	assert_null(parse("zone a { interface }", true, errors, faults));
	assert_null(parse("rule r { zone a user any server s }", true, errors, faults));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_is_checked_has_a_plan_and_what_has_none_is_refused_by_its_place),
		cmocka_unit_test(test_the_plan_asks_no_more_of_words_than_the_checker),
		cmocka_unit_test(test_what_ran_once_is_parsed_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
