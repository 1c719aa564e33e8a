/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be said of accounting packets as a source of sessions, and how it is printed. */
#include "lib/language/language.h"
#include "lib/tls/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/language_same.h"

static const char site[] =
	"zone guest {\n"
	"    interface \"br-guest\"\n"
	"}\n"
	"zone staff {\n"
	"    interface \"core0\"\n"
	"    network 192.0.2.128/26\n"
	"    identity address\n"
	"}\n"
	"\n"
	"radius wlc {\n"
	"    listen 192.0.2.1, 2001:db8::1 port 1813\n"
	"    from 192.0.2.5, 2001:db8:20::/64 { secret file \"/etc/postern/wlc.secret\" }\n"
	"    from 192.0.2.6 { secret file \"/etc/postern/other.secret\" }\n"
	"    zone guest { ssid \"hotel\", \"hotel 5g\" nas \"wlc1\", \"192.0.2.5\" wlan 3, 4 }\n"
	"    zone guest { ssid \"cafe\" }\n"
	"    zone staff\n"
	"    user mac, cui, user-name\n"
	"    ignore \"anonymous\", \"anonymous@example.net\"\n"
	"    group class { prefix \"group=\" }\n"
	"    timeout 2h\n"
	"    skew 1m\n"
	"    restart keep\n"
	"    comment \"both controllers\"\n"
	"}\n"
	"radius relay {\n"
	"    listen 127.0.0.1 port 1813\n"
	"    from 127.0.0.1 { secret file \"/etc/postern/relay.secret\" }\n"
	"    zone staff\n"
	"    group filter-id\n"
	"}\n";

static void what_is_written_is_printed(void **state)
{
	(void)state;
	same_printed(site);
}

static void what_is_not_written_is_printed_in_full(void **state)
{
	static const char *const lines[] = {
		"    listen 127.0.0.1 port 1813\n"
		"    from 127.0.0.1 { secret file \"/etc/postern/relay.secret\" }\n"
		"    zone staff\n"
		"    user cui, user-name\n"
		"    group filter-id\n"
		"    timeout 8h\n"
		"    skew 5m\n"
		"    restart end\n"
		"}\n",
	};
	(void)state;
	struct policy *policy = policy_of_text(site, NULL);
	char *full = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(full, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], full);
	free(full);
	assert_int_equal(policy->nradiuses, 2);
	assert_int_equal(policy_find_radius(policy, "relay"), 1);
	assert_int_equal(policy->radiuses[0].zones[1].zone, 0);
	assert_int_equal(policy->radiuses[0].zones[2].zone, 1);
	policy_unref(policy);
}

static void a_text_of_before_means_what_it_did(void **state)
{
	static const char text[] =
		"zone from { interface e0 }\nlist nas { 192.0.2.1 }\nlist end dynamic\n"
		"server radius { host 192.0.2.1 }\n"
		"device skew { zone from address 192.0.2.9 user \"cui\" group class }\n"
		"rule timeout { zone from source nas, end server radius comment \"wlan\" }\n"
		"rule ssid { zone from user ignore, restart server radius }\n";
	(void)state;
	struct policy *policy = policy_of_text(text, NULL);
	assert_int_equal(policy->nrules, 2);
	policy_unref(policy);
}

static void every_secret_is_wanted_once(void **state)
{
	struct credentials all;
	(void)state;
	struct policy *policy = policy_of_text(site, NULL);
	assert_int_equal(credentials_of(policy, &all), 0);
	assert_int_equal(all.n, 3);
	for (size_t i = 0; i < all.n; i++) {
		assert_int_equal(all.v[i].kind, CREDENTIAL_SECRET);
		assert_true(all.v[i].radiuses);
		assert_false(all.v[i].servers);
	}
	assert_string_equal(all.v[1].file, "/etc/postern/other.secret");
	credentials_fini(&all);
	policy_unref(policy);
}

#define HEAD                                                                           \
	"zone a { interface e0 }\nzone b { interface e1 }\n"                           \
	"zone n { interface e2 network 192.0.2.0/24 }\nzone m { interface e3 network " \
	"198.51.100.0/24 }\n"                                                          \
	"radius first { listen 203.0.113.1 port 1813 from 192.0.2.5 { secret file "    \
	"\"/s\" } zone a }\n"
#define LINE    6
#define L       "listen 203.0.113.2 port 1813 "
#define F       "from 192.0.2.5 { secret file \"/s\" } "
#define R(what) "radius r { " what " }"

static void mistakes_are_told_at_their_place(void **state)
{
	static const struct {
		const char *line, *at, *text;
	} cases[] = {
		{R(F "zone a"), "r {", "radius r listens nowhere, expected `listen ADDRESS port"},
		{R(L "zone a"), "r {", "radius r hears nobody, expected `from NETWORK { secret"},
		{R(L F), "r {", "radius r has no zone that sessions are of, expected `zone NAME`"},
		{"radius first { " L F "zone a }", "first", "radius \"first\" stands twice"},
		{R(L "from 192.0.2.5 { } zone a"), "from",
			"these have no secret, expected `secret"},
		{R(L "from 192.0.2.5 zone a"), "zone", "unexpected \"zone\", expected ',' or '{'"},
		{R(L "from 192.0.2.5 { secret file \"/s\" secret file \"/t\" } zone a"),
			"secret file \"/t", "\"secret\" stands twice"},
		{R(L "from 192.0.2.5, 192.0.2.5 { secret file \"/s\" } zone a"), "192.0.2.5 {",
			"radius r hears this already, expected it once"},
		{R(L F "from 192.0.2.5 { secret file \"/t\" } zone a"),
			"192.0.2.5 { secret file \"/t",
			"radius r hears this already, expected it once"},
		{R(L F "zone gest"), "gest", "no such zone \"gest\"; zones: a, b, n, m"},
		{R("listen 203.0.113.1 port 1813 " F "zone a"), "203.0.113.1",
			"radius first has this address with port 1813 already, expected another"},
		{R("listen 0.0.0.0 port 1813 " F "zone a"), "0.0.0.0",
			"radius first has this address with port 1813 already"},
		{R("listen 203.0.113.2, 203.0.113.2 port 1 " F "zone a"), "203.0.113.2 port",
			"radius r has this address twice, expected once"},
		{R("listen 224.0.0.1 port 1813 " F "zone a"), "224",
			"nothing is sent to a group here"},
		{R("listen 203.0.113.2 port 0 " F "zone a"), "0 ", "no such port, expected 1 to"},
		{R(L L F "zone a"), "listen 203.0.113.2 port 1813 from",
			"\"listen\" stands twice in radius r"},
		{R(L F "zone a zone a"), "a }", "zone a stands twice with the same, expected once"},
		{R(L F "zone a zone b"), "b }",
			"nothing tells zone b from zone a: expected ssid, nas or wlan here, or"},
		{R(L F "zone n zone b"), "b }", "nothing tells zone b from zone n"},
		{R(L F "zone a { ssid \"x\", \"y\" } zone b { ssid \"y\" }"), "b {",
			"what is asked for zone b leads to zone a already, expected another ssid"},
		{R(L F "zone a { wlan 3 } zone b { wlan 2, 3 }"), "b {",
			"what is asked for zone b leads to zone a already"},
		{R(L F "zone a { ssid \"x\" ssid \"y\" }"), "ssid \"y", "\"ssid\" stands twice"},
		{R(L F "zone a { ssid hotel }"), "hotel", "expected this in quotes: \"hotel\""},
		{R(L F "zone a { wlan 4294967296 }"), "4294967296",
			"this number is out of range, expected 0 to 4294967295"},
		{R(L F "zone a user cui, mac, cui"), "cui }", "cui stands twice, expected once"},
		{R(L F "zone a user name"), "name", "expected cui, mac or user-name"},
		{R(L F "zone a ignore anonymous"), "anonymous",
			"expected this in quotes: \"anonymous\""},
		{R(L F "zone a group clas"), "clas", "did you mean \"class\"?"},
		{R(L F "zone a group class { prefix \"\" }"), "\"\"",
			"this is empty, expected a text"},
		{R(L F "zone a timeout none"), "none", "unexpected \"none\", expected a duration"},
		{R(L F "zone a timeout 59s"), "59s", "expected whole seconds, 60s to 2592000s"},
		{R(L F "zone a timeout 31d"), "31d", "expected whole seconds, 60s to 2592000s"},
		{R(L F "zone a skew 25h"), "25h", "expected whole seconds, 1s to 86400s"},
		{R(L F "zone a restart never"), "never", "expected end or keep"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		const struct language_message *found = NULL;
		snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].line);
		struct policy *policy = language_parse("t", text, strlen(text), NULL, &diagnosis);
		if (policy)
			fail_msg("%s is taken", cases[i].line);
		for (size_t j = 0; j < diagnosis.n && !found; j++)
			if (diagnosis.v[j].severity == LANGUAGE_ERROR &&
				strstr(diagnosis.v[j].text, cases[i].text))
				found = &diagnosis.v[j];
		if (!found)
			fail_msg("%s: %s", cases[i].line, diagnosis.v[0].text);
		unsigned column = (unsigned)(strstr(cases[i].line, cases[i].at) - cases[i].line);
		if (found->place.line != LINE || found->place.column != column + 1)
			fail_msg("%s: at %u:%u\n%s", cases[i].line, found->place.line,
				found->place.column, found->text);
		language_diagnosis_fini(&diagnosis);
	}
}

static void there_are_not_too_many_addresses(void **state)
{
	(void)state;
	for (unsigned n = POLICY_ENDPOINTS_MAX - 1; n <= POLICY_ENDPOINTS_MAX; n++) {
		struct language_diagnosis diagnosis;
		char text[8192];
		size_t at = (size_t)snprintf(text, sizeof(text), "%sradius r { listen ", HEAD);
		for (unsigned i = 0; i < n; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s203.0.113.%u",
				i ? ", " : "", i + 2);
		snprintf(text + at, sizeof(text) - at, " port 1813 " F "zone a }\n");
		struct policy *policy = language_parse("t", text, strlen(text), NULL, &diagnosis);
		assert_int_equal(!policy, n == POLICY_ENDPOINTS_MAX); /* one is the other's */
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

static void what_may_be_is_taken(void **state)
{
	static const char *const lines[] = {
		R(L F "zone a { ssid \"x\" } zone b"),
		R(L F "zone a { ssid \"x\" } zone b { ssid \"y\" }"),
		R(L F "zone a { ssid \"x\" nas \"w\" } zone b { ssid \"x\" nas \"v\" }"),
		R(L F "zone a { ssid \"x\" } zone a { wlan 3 }"),
		R(L F "zone n zone m"),
		R("listen 203.0.113.1 port 1814 " F "zone a"),
		R("listen :: port 1813 " F "zone a"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[2048];
		snprintf(text, sizeof(text), "%s%s\n", HEAD, lines[i]);
		policy_unref(policy_of_text(text, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_printed),
		cmocka_unit_test(what_is_not_written_is_printed_in_full),
		cmocka_unit_test(a_text_of_before_means_what_it_did),
		cmocka_unit_test(every_secret_is_wanted_once),
		cmocka_unit_test(mistakes_are_told_at_their_place),
		cmocka_unit_test(there_are_not_too_many_addresses),
		cmocka_unit_test(what_may_be_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
