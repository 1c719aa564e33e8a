/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ranges mean in a policy: which addresses they hold, and which rule takes all of another. */
#include "lib/base/net/lpm.h"
#include "lib/language/language.h"
#include "lib/policy/lists.h"
#include "lib/policy/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZONE "zone z { interface eth0 } "

static struct policy *parse(const char *text, struct language_diagnosis *diagnosis)
{
	struct policy *policy = language_parse("p.conf", text, strlen(text), NULL, diagnosis);

	assert_non_null(policy);
	return policy;
}

static struct addr addr(const char *text)
{
	struct addr out;

	assert_int_equal(addr_parse(text, strlen(text), &out), 0);
	return out;
}

static bool holds(const struct lpm *index, const char *text)
{
	struct addr a = addr(text);

	return lpm_find(index, &a, NULL) != NULL;
}

static void a_range_holds_its_addresses(void **state)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(ZONE
		"list l { 192.0.2.10-192.0.2.20, 192.0.2.16/30, 2001:db8::5-2001:db8::14 } "
		"rule r { source 192.0.2.100-192.0.2.199 verdict drop }",
		&diagnosis);

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		char four[32], six[32];
		snprintf(four, sizeof(four), "192.0.2.%u", i);
		snprintf(six, sizeof(six), "2001:db8::%x", i);
		assert_int_equal(holds(policy->lists[0].index, four), i >= 10 && i <= 20);
		assert_int_equal(holds(policy->lists[0].index, six), i >= 5 && i <= 0x14);
		assert_int_equal(holds(policy->rules[0].source.index, four), i >= 100 && i <= 199);
	}
	policy_unref(policy);
	language_diagnosis_fini(&diagnosis);
}

static void rules_that_ranges_shadow_are_found(void **state)
{
	static const struct {
		const char *early, *late;
		bool shadowed;
	} cases[] = {
		{"source 192.0.2.0-192.0.2.255", "source 192.0.2.128/25", true},
		{"source 192.0.2.10-192.0.2.20", "source 192.0.2.12-192.0.2.19", true},
		{"source 192.0.2.10-192.0.2.20", "source 192.0.2.12, 192.0.2.20", true},
		{"source 192.0.2.10-192.0.2.20", "source 192.0.2.12-192.0.2.21", false},
		{"source 192.0.2.0/24", "source 192.0.2.3-192.0.2.77", true},
		{"source 192.0.2.0/25", "source 192.0.2.3-192.0.2.200", false},
		{"source 2001:db8::1-2001:db8::ff", "source 2001:db8::7-2001:db8::9", true},
		{"source 2001:db8::1-2001:db8::ff", "source 192.0.2.7-192.0.2.9", false},
		{"source not 192.0.2.10-192.0.2.20", "source 192.0.2.21-192.0.2.30", true},
		{"source not 192.0.2.10-192.0.2.20", "source 192.0.2.20/31", false},
		{"source not 192.0.2.12/31", "source not 192.0.2.10-192.0.2.20", true},
		{"destination 192.0.2.9-192.0.2.90", "destination 192.0.2.32/28", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[300];
		snprintf(text, sizeof(text),
			ZONE "rule a { %s verdict drop } rule b { %s verdict reject }",
			cases[i].early, cases[i].late);
		struct policy *policy = parse(text, &diagnosis);
		bool warned = diagnosis.n && strstr(diagnosis.v[0].text, "never reached");
		if (warned != cases[i].shadowed)
			print_error("%s\n", text);
		assert_int_equal(warned, cases[i].shadowed);
		assert_int_equal(language_shadowed_by(policy, 1), cases[i].shadowed ? 0 : -1);
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

static const char *user_of(struct session_table *table, enum policy_identity identity,
	const char *mac_text, const char *addr_text)
{
	struct addr a = addr(addr_text);
	struct mac mac = {0};

	if (mac_text)
		assert_int_equal(mac_parse(mac_text, strlen(mac_text), &mac), 0);
	const struct session *found = session_table_identify(table, "z", identity, &mac, &a);
	return found ? found->user.text : "nobody";
}

/* `mac LIST` takes the MACs of a list alone, `address LIST` all of it. */
static void devices_follow_lists_of_macs_and_of_ranges(void **state)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(ZONE
		"list cards { 0200.5E00.5301, 02-00-5e-00-53-02, 192.0.2.77 } list live dynamic "
		"list desks { 192.0.2.10-192.0.2.20, 2001:db8::5-2001:db8::14 } "
		"device tills { zone z mac 02:00:5e:00:53:03, cards, live user tills } "
		"device desks { zone z address desks user desks }",
		&diagnosis);
	struct session_table *table = session_table_new();
	struct lists *lists = lists_new();
	struct policy_elem card = {.kind = POLICY_ELEM_MAC, .mac = {{2, 0, 0x5e, 0, 0x53, 9}}};

	(void)state;
	lists_add(lists, "live", &card, 0);
	assert_int_equal(session_table_set_devices(table, policy, lists), 0);
	static const char *const known[] = {
		"02:00:5e:00:53:01", "02:00:5e:00:53:02", "02:00:5e:00:53:03", "02:00:5e:00:53:09"};
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(
			user_of(table, POLICY_IDENTITY_MAC, known[i], "198.51.100.7"), "tills");
	assert_string_equal(
		user_of(table, POLICY_IDENTITY_MAC, "02:00:5e:00:53:0a", "192.0.2.77"), "nobody");
	for (unsigned i = 0; i < 256; i++) {
		char four[32], six[32];
		snprintf(four, sizeof(four), "192.0.2.%u", i);
		snprintf(six, sizeof(six), "2001:db8::%x", i);
		assert_string_equal(user_of(table, POLICY_IDENTITY_ADDRESS, NULL, four),
			i >= 10 && i <= 20 ? "desks" : "nobody");
		assert_string_equal(user_of(table, POLICY_IDENTITY_ADDRESS, NULL, six),
			i >= 5 && i <= 0x14 ? "desks" : "nobody");
	}
	lists_free(lists);
	session_table_free(table);
	policy_unref(policy);
	language_diagnosis_fini(&diagnosis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_holds_its_addresses),
		cmocka_unit_test(rules_that_ranges_shadow_are_found),
		cmocka_unit_test(devices_follow_lists_of_macs_and_of_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
