/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be said of a page where clients log in, how it is printed, and what its zones tell. */
#include "lib/language/language.h"

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
	"zone cafe {\n"
	"    interface \"br-cafe\"\n"
	"    unauthenticated answer 421 \"Ask at the bar\"\n"
	"}\n"
	"zone staff {\n"
	"    interface \"core0\"\n"
	"    identity address\n"
	"}\n"
	"\n"
	"certificate login { file \"/etc/postern/login.pem\" key \"/etc/postern/login.key\" }\n"
	"\n"
	"auth desk { file \"/etc/postern/guests\" }\n"
	"auth house { dovecot \"/run/dovecot/auth\" }\n"
	"\n"
	"portal hotel {\n"
	"    zone guest, cafe\n"
	"    name \"login.hotel.example\", \"192.0.2.1\", \"2001:db8::1\"\n"
	"    address 192.0.2.1, 2001:db8::1\n"
	"    port 8443\n"
	"    http 8080\n"
	"    certificate login\n"
	"    auth desk, house\n"
	"    terms file \"/etc/postern/terms\"\n"
	"    logo file \"/etc/postern/logo.png\"\n"
	"    texts \"/etc/postern/texts\"\n"
	"    comment \"both bars\"\n"
	"}\n"
	"portal staff {\n"
	"    zone staff\n"
	"    name \"login.example\"\n"
	"    address 203.0.113.1\n"
	"    certificate none\n"
	"    auth house\n"
	"}\n";

static void what_is_written_is_printed(void **state)
{
	(void)state;
	same_printed(site);
}

static void what_is_not_written_is_printed_in_full(void **state)
{
	(void)state;
	struct policy *policy = policy_of_text(site, NULL);
	char *full = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	static const char *const lines[] = {
		"    address 203.0.113.1\n    port 443\n    http 80\n    certificate none\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(full, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], full);
	free(full);
	assert_int_equal(policy->nportals, 2);
	assert_int_equal(policy_find_portal(policy, "staff"), 1);
	assert_int_equal(policy->portals[0].auths[1], 1);
	assert_ptr_equal(policy_portal_of_zone(policy, 1), &policy->portals[0]);
	assert_ptr_equal(policy_portal_of_zone(policy, 2), &policy->portals[1]);
	policy_unref(policy);
}

/* What a guest reads in his mail program is how he finds the page. */
static void a_zone_tells_where_to_log_in(void **state)
{
	(void)state;
	struct policy *policy = policy_of_text(site, NULL);
	assert_string_equal(policy->zones[0].unauthenticated.text.text,
		"Not logged in, please log in at http://login.hotel.example:8080/");
	assert_string_equal(policy->zones[1].unauthenticated.text.text, "Ask at the bar");
	assert_string_equal(policy->zones[2].unauthenticated.text.text,
		"Not logged in, please log in at http://login.example/");
	policy_unref(policy);
}

#define HEAD                                                                                       \
	"zone a { interface e0 }\nzone b { interface e1 }\nzone s { interface e2 identity "        \
	"address }\nzone r { interface e3 }\n"                                                     \
	"auth u { file \"/u\" }\nauth v { dovecot \"/v\" }\n"                                      \
	"radius wlc { listen 127.0.0.1 port 1813 from 127.0.0.1 { secret file \"/s\" } zone r }\n" \
	"portal first { zone a name \"a.example\" address 192.0.2.1 certificate none auth u }\n"   \
	"listener in { address 192.0.2.9 port 8025, 443 }\n"                                       \
	"metrics listen 192.0.2.8 port 9100\n"
#define LINE    11
#define Z       "zone b "
#define N       "name \"b.example\" "
#define A       "address 192.0.2.2 "
#define C       "certificate none "
#define U       "auth u "
#define P(what) "portal p { " what "}"

static void mistakes_are_told_at_their_place(void **state)
{
	static const struct {
		const char *line, *at, *text;
	} cases[] = {
		{P(N A C U), "p {", "portal p has no zone whose clients log in there, expected"},
		{P(Z A C U), "p {", "portal p has no name that a browser finds it by, expected"},
		{P(Z N C U), "p {", "portal p has no address, expected `address ADDRESS`"},
		{P(Z N A U), "p {", "portal p has no certificate, expected `certificate NAME` or"},
		{P(Z N A C), "p {", "portal p has nobody who knows the passwords, expected `auth"},
		{"portal first { " Z N A C U "}", "first", "portal \"first\" stands twice"},
		{P(Z Z N A C U), "zone b name", "\"zone\" stands twice in portal p"},
		{P("zone a " N A C U), "a name",
			"clients of zone a log in at portal first already, expected one portal of"},
		{P("zone b, b " N A C U), "b name", "clients of zone b log in at portal p already"},
		{P("zone gest " N A C U), "gest", "no such zone \"gest\"; zones: a, b, s, r"},
		{P("zone r " N A C U), "r name",
			"radius wlc says who is in zone r; expected one source of its sessions"},
		{P("zone s " N A C "auth none terms file \"/t\" "), "s name",
			"with `auth none` a user is called by his MAC, and zone s knows its "
			"clients by address"},
		{P(Z N A C "auth none "), "auth",
			"nobody is asked for a password at portal p, and there is nothing to "
			"agree"},
		{P(Z N A C "auth w "), "w }", "no such auth \"w\"; auths: u, v"},
		{P(Z N A C "auth v, u "), "v,", "auth v never says that it does not know a user"},
		{P(Z N A C "auth u, u "), "u }", "auth u stands twice, expected once"},
		{P(Z N A C "auth none, u "), ", u", "unexpected \",\""},
		{P(Z N A "certificate mail " U), "mail", "no such certificate \"mail\""},
		{P(Z "name desk7 " A C U), "desk7", "expected this in quotes: \"desk7\""},
		{P(Z "name \"b x.example\" " A C U), "\"b x",
			"\"b x.example\" is no host's name, expected what is typed into"},
		{P(Z "name \"b.example.\" " A C U), "\"b.", "\"b.example.\" is no host's name"},
		{P(Z "name \"b.example:80\" " A C U), "\"b.", "is no host's name"},
		{P(Z "name \"b.example\", \"B.EXAMPLE\" " A C U), "\"B.",
			"name B.EXAMPLE stands twice, expected once"},
		{P(Z "name \"192.0.2.3\" " A C U), "\"192",
			"portal p is not at this address, expected one of its own or a host's"},
		{P(Z N "address 192.0.2.1 " C U), "192",
			"portal first has this address with port 443 already, expected another"},
		{P(Z N "address 0.0.0.0 port 8443 " C U), "0.0.0.0",
			"portal first has this address with port 80 already"},
		{P(Z N "address 192.0.2.9 " C U), "192",
			"listener in has this address with port 443 already"},
		{P(Z N "address 192.0.2.8 http 9100 " C U), "192",
			"the metrics have this address with port 9100 already"},
		{P(Z N "address 192.0.2.2, 192.0.2.2 " C U), "192.0.2.2 c",
			"portal p has this address twice, expected once"},
		{P(Z N "address 224.0.0.1 " C U), "224", "nobody connects to a group"},
		{P(Z N A "port 80 " C U), "80", "port 80 is that of HTTPS and of HTTP"},
		{P(Z N A "http 443 " C U), "443", "port 443 is that of HTTPS and of HTTP"},
		{P(Z N A "http none " C U), "none", "expected a number or off"},
		{P(Z N A "port 0 " C U), "0 ", "no such port, expected 1 to"},
		{P(Z N A C U "terms \"/t\" "), "\"/t\"", "expected file"},
		{P(Z N A C U "texts file \"/t\" "), "file", "expected a string"},
		{P(Z N A C U "logi file \"/t\" "), "logi", "did you mean \"logo\"?"},
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

static void what_may_be_is_taken(void **state)
{
	static const char *const lines[] = {
		P(Z N A C U),
		P(Z "name \"192.0.2.2\" " A C U),
		P(Z "name \"2001:db8::7\" address :: " C U),
		P(Z N "address 192.0.2.1 port 8443 http 8080 " C U),
		P(Z N "address 192.0.2.1 port 8443 http off " C U),
		P(Z N "address 192.0.2.9 port 8443 " C "auth u, v "),
		P(Z N A C "auth none terms file \"/t\" "),
		P(Z N A "port 80 http off " C U),
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[2048];
		snprintf(text, sizeof(text), "%s%s\n", HEAD, lines[i]);
		policy_unref(policy_of_text(text, NULL));
	}
}

static void a_text_of_before_means_what_it_did(void **state)
{
	static const char text[] =
		"zone http { interface logo }\nlist terms { 192.0.2.1 }\n"
		"server portal { host texts }\n"
		"rule logo { zone http source terms user texts server portal comment http }\n";
	(void)state;
	struct policy *policy = policy_of_text(text, NULL);
	assert_int_equal(policy->nrules, 1);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_printed),
		cmocka_unit_test(what_is_not_written_is_printed_in_full),
		cmocka_unit_test(a_zone_tells_where_to_log_in),
		cmocka_unit_test(mistakes_are_told_at_their_place),
		cmocka_unit_test(what_may_be_is_taken),
		cmocka_unit_test(a_text_of_before_means_what_it_did),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
