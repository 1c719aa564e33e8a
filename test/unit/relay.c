/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An open relay cannot be written: each sentence of relay control as a policy that is refused, and
 * its nearest neighbour that is not. */
#include "lib/policy/proof/relay.h"

#include "lib/language/language.h"
#include "lib/policy/element.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_own(void *context, const struct addr *addr)
{
	struct addr own;

	(void)context;
	addr_parse("203.0.113.1", 11, &own);
	return addr_equal(&own, addr);
}

static const struct language_world world = {.relay_port = 2500, .own_address = is_own};

#define SITE                                                                                       \
	"certificate mail { file \"/m.pem\" key \"/m.key\" }\n"                                    \
	"zone guest { interface e0 }\n"                                                            \
	"zone open { interface e1 unauthenticated pass }\n"                                        \
	"zone plain { interface e2 level connection }\n"                                           \
	"listener in { address 203.0.113.1 }\n"                                                    \
	"listener out { address 203.0.113.1 port 587 }\n"                                          \
	"list grown dynamic\nlist names host dynamic\n"                                            \
	"list wide { 10.0.0.0/8, 192.0.2.0/24 }\nlist half { 10.0.0.0/9, 10.128.0.0/9 }\n"         \
	"list macs { 02:00:5e:00:53:01 }\nlist partners host { \"mx.partner.example\" }\n"         \
	"list short host { \"a.example\", \".example\" }\nlist people mail { \"a@hotel.example\" " \
	"}\n"                                                                                      \
	"server inside { host 192.0.2.140 }\nserver other { host 192.0.2.141 }\n"                  \
	"server isp { host 192.0.2.142 tls verify \"smtp.isp.example\" account \"x\" { secret "    \
	"file \"/s\" } }\n"                                                                        \
	"server queue { host 127.0.0.1 port 10025 announce xclient { login on } }\n"
#define HOTEL "domain hotel { name \"hotel.example\" server inside }\n"
#define LOGINS                                                                                     \
	"auth local { file \"/u\" }\n"                                                             \
	"listener sub { address 203.0.113.1 port 588 auth local tls require { certificate mail } " \
	"}\n"
#define TWO HOTEL "domain two { name \"two.example\" server other }\n"

static struct policy *parse(const char *text, struct language_diagnosis *diagnosis)
{
	char *whole;
	assert_true(asprintf(&whole, SITE "%s", text) > 0);
	struct policy *policy = language_parse("conf", whole, strlen(whole), &world, diagnosis);
	free(whole);
	return policy;
}

static void each_open_relay_is_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		/* what permits */
		{"rule r { listener in server inside }", "would relay for everybody"},
		{"rule r { listener not out server inside }", "would relay for everybody"},
		{"rule r { listener in source any server inside }", "would relay for everybody"},
		{"rule r { listener in source not grown server inside }",
			"would relay for everybody"},
		{"rule r { listener in user not \"eve\" server inside }",
			"would relay for everybody"},
		{"rule r { listener in group not \"x\" server inside }",
			"would relay for everybody"},
		{"rule r { listener in tls verified server inside }", "would relay for everybody"},
		{"rule r { listener in tls any server inside }", "would relay for everybody"},
		{"rule r { listener in sender \"@hotel.example\" server inside }",
			"would relay for everybody"},
		{"rule r { listener in sender none server inside }", "would relay for everybody"},
		{"rule r { listener in port 25 schedule mon-fri server inside }",
			"would relay for everybody"},
		{"rule r { listener in destination 203.0.113.1 server inside }",
			"would relay for everybody"},
		{HOTEL "rule r { listener in recipient not protected server inside }",
			"would relay for everybody"},
		{HOTEL "rule r { listener in recipient protected, \"@b.example\" server inside }",
			"would relay for everybody"},
		{HOTEL "rule r { listener in recipient protected, people server inside }",
			"would relay for everybody"},
		{"rule r { listener in recipient \"@hotel.example\" server inside }",
			"would relay for everybody"},
		{"rule r { listener in recipient people server inside }",
			"would relay for everybody"},
		{"rule r { listener in limit messages 5/hour per client server inside }",
			"would relay for everybody"},
		/* how wide */
		{"rule r { listener in source 0.0.0.0/0 server inside }", "wider than a /8"},
		{"rule r { listener in source ::/0 server inside }", "wider than a /8"},
		{"rule r { listener in source 0.0.0.0/1, 128.0.0.0/1 server inside }",
			"wider than a /8"},
		{"rule r { listener in source 10.0.0.0/7 server inside }", "wider than a /8"},
		{"rule r { listener in source 10.0.0.0/8, 11.0.0.0 server inside }",
			"wider than a /8"},
		{"rule r { listener in source 10.0.0.0-11.0.0.0 server inside }",
			"wider than a /8"},
		{"rule r { listener in source wide server inside }", "wider than a /8"},
		{"rule r { listener in source 2000::/18 server inside }", "wider than a /8"},
		{"rule r { listener in source 2000::/19, 3000::1 server inside }",
			"wider than a /8"},
		{"rule r { listener in source 10.0.0.0/8 server inside }\n"
		 "rule s { listener in source 11.0.0.0/8 server inside }",
			"by rule s and those before it"},
		{"listener l { address 203.0.113.1 port 26 accept 0.0.0.0/0 }", "wider than a /8"},
		{"listener l { address 203.0.113.1 port 26 accept wide }", "wider than a /8"},
		{"rule r { listener in source \".example\" server inside }", "anybody has a name"},
		{"rule r { listener in source 10.0.0.1, short server inside }",
			"permits \".example\" to relay"},
		{"rule r { listener in source \".In-Addr.arpa\" server inside }",
			"anybody has a name"},
		{"rule r { listener in source \".ip6.arpa\" server inside }", "anybody has a name"},
		{"rule r { listener in source macs server inside }", "a MAC says nothing"},
		{"rule r { listener in source 02:00:5e:00:53:01 server inside }",
			"a MAC says nothing"},
		{"listener l { address 203.0.113.1 port 26 accept macs }", "a MAC says nothing"},
		/* to where */
		{HOTEL "rule r { listener in recipient protected server isp }", "by its account"},
		{HOTEL "rule r { listener in user not \"x\" recipient protected server isp }",
			"by its account"},
		{HOTEL "rule r { listener in source 10.0.0.1 recipient protected server isp }",
			"by its account"},
		{"domain d { name \"d.example\" server isp }\n"
		 "rule r { listener in recipient protected server protected }",
			"by its account"},
		{HOTEL "rule r { zone guest user none recipient protected server isp }",
			"by its account"},
		{"rule r { listener in user any server original }", "no original destination"},
		{"rule r { listener in recipient protected server inside }",
			"no domain is protected"},
		{HOTEL "rule r { listener in server protected }", "expected `recipient protected`"},
		{HOTEL "rule r { listener in user any server protected }",
			"expected `recipient protected`"},
		{TWO "rule r { zone guest user any recipient protected server protected }",
			"the domains have several servers"},
		{TWO "rule r { listener out user any recipient protected server protected }",
			"the domains have several servers"},
		{"domain d { name \".example\" server inside }", "is no domain to protect"},
		{"domain d { name short server inside }", "\".example\" in list short"},
		{HOTEL "domain d { name \"HOTEL.example\" server other }",
			"domain hotel has this name already"},
		/* zones and listeners */
		{"rule r { listener in zone guest user any server inside }", "and so for no zone"},
		{"rule r { listener in destination protected verdict answer \"x\" }",
			"addressed to the gateway itself"},
		{"rule r { zone guest destination protected server inside }",
			"no domain is protected"},
		{"rule r { zone guest source \"mx.a.example\" server inside }",
			"not known by names"},
		{"rule r { listener in source partners verdict pass }", "too late to pass"},
		{"rule r { listener in source partners verdict reject }", "too late to reject"},
		{"rule r { listener in source partners verdict drop }", "too late to drop"},
		{"rule r { listener in user any server inside limit flows 5 }",
			"this would never count"},
		{"listener l { address 203.0.113.1 port 26 unmatched pass }", "too late to pass"},
		{"listener l { address 203.0.113.1 port 26 unmatched drop }", "too late to drop"},
		/* who is not logged in */
		{"rule r { zone guest user none server inside }", "expected `recipient protected`"},
		{HOTEL "rule r { zone guest user none recipient not protected server inside }",
			"expected `recipient protected`"},
		{HOTEL "rule r { zone guest user none recipient protected, people server inside }",
			"expected `recipient protected`"},
		{HOTEL "rule r { zone guest user none group \"x\" recipient protected "
		       "server inside }",
			"and no group"},
		{HOTEL "rule r { zone open user none recipient protected server inside }",
			"zone open has `unauthenticated pass`"},
		{HOTEL "rule r { user none recipient protected server inside }",
			"zone open has `unauthenticated pass`"},
		{HOTEL "rule r { zone plain user none recipient protected server inside }",
			"level connection"},
		/* our own */
		{"server s { host 203.0.113.1 port 587 }", "is a listener of our own"},
		{"listener l { address 0.0.0.0 port 26 }\nserver s { host 203.0.113.1 port 26 }",
			"is a listener of our own"},
		{"listener l { address 203.0.113.1 }", "listener in has this address with port 25"},
		{"listener l { address 0.0.0.0 port 25, 26 }",
			"listener in has this address with port 25"},
		{"listener l { address 198.51.100.1, 198.51.100.1 port 26 }", "this address twice"},
		{"listener l { address 203.0.113.1 port 26, 26 }", "port 26 twice"},
		{"listener l { address 203.0.113.1 port 465 }",
			"on port 465 clients begin TLS at once, and listener l has none"},
		{"listener l { address 203.0.113.1 port 2500 }", "the relays' own"},
		{"metrics listen 0.0.0.0 port 26\nlistener l { address 203.0.113.1 port 26 }",
			"the metrics have this address"},
		{"listener l { address 224.0.0.1 port 26 }", "no host has this address"},
		/* logins */
		{"rule s { listener out user any server queue }\n"
		 "rule g { zone guest user any server queue }",
			"expected `login tagged`, `login off`, or two servers"},
		{LOGINS HOTEL "rule s { listener sub recipient protected server queue }\n"
			      "rule g { zone guest user any server queue }",
			"the logins of rule s and those of rule g"},
		{"server told { host 192.0.2.143 announce proxy-v2 }\n"
		 "rule s { listener out user any server told }\n"
		 "rule g { zone guest user any server told }",
			"the logins of rule s and those of rule g"},
		{LOGINS "rule s { listener sub source 10.0.0.1 server queue }\n"
			"rule g { zone guest user any server queue }",
			"the logins of rule s and those of rule g"},
		{LOGINS "domain q { name \"q.example\" server queue }\n"
			"rule s { listener sub recipient protected server protected }\n"
			"rule g { zone guest user any server queue }",
			"the logins of rule s and those of rule g"},
		{LOGINS "domain q { name \"q.example\" server queue }\n"
			"rule s { listener sub user any server queue }\n"
			"rule g { zone guest user any recipient protected server protected }",
			"the logins of rule s and those of rule g"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		struct policy *policy = parse(cases[i].text, &diagnosis);
		bool said = false;
		for (size_t j = 0; j < diagnosis.n; j++)
			said |= diagnosis.v[j].severity == LANGUAGE_ERROR &&
				strstr(diagnosis.v[j].text, cases[i].said);
		if (policy || !said)
			fail_msg("%s\n%s: %s", cases[i].text, policy ? "taken" : "refused",
				diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
	}
}

static void what_is_no_open_relay_is_taken(void **state)
{
	static const char *const texts[] = {
		"rule r { listener in user any server inside }",
		"rule r { listener in user \"anna\" server inside }",
		"rule r { listener in group \"staff\" server isp }",
		"rule r { listener in source 10.0.0.0/8 server inside }",
		"rule r { listener in source half server inside }",
		"rule r { listener in source 10.0.0.0/9, 10.0.0.0/8, 10.3.0.0-10.4.0.0 "
		"server inside }",
		"rule r { listener in source 2000::/19 server inside }",
		"rule r { listener in source grown server inside }",
		"rule r { listener in source partners server inside }",
		"rule r { listener in source \"mx.a.example\", \".b.example\" server inside }",
		"rule r { listener in source \".2.0.192.in-addr.arpa\" server inside }",
		"rule r { listener in source \".example\" user any server inside }",
		"rule r { listener in source short verdict answer 554 \"no\" }",
		"listener l { address 203.0.113.1 port 26 accept \".example\" }",
		"rule r { listener in source not grown verdict answer 554 \"no\" }",
		HOTEL "rule r { listener in recipient protected server inside }",
		TWO "rule r { listener in recipient protected server protected }",
		HOTEL "rule r { listener in tls any sender none recipient protected "
		      "server protected }",
		HOTEL "rule r { zone guest user none recipient protected server protected }",
		HOTEL "rule r { zone guest user any recipient protected server protected }",
		HOTEL "rule r { zone guest user any destination not protected server original }",
		"rule r { listener in user any recipient people server inside }",
		"rule r { listener in source not grown limit messages 5/hour per client "
		"verdict answer 421 \"later\" }",
		"listener l { address 203.0.113.1 port 26 accept grown }",
		"listener l { address 203.0.113.1 port 26 accept not 0.0.0.0/1 }",
		"listener l { address 2001:db8::1 }",
		"listener l { address 203.0.113.1 port 465 tls require { certificate mail } }",
		HOTEL "rule r { listener in user any recipient protected server isp }",
		HOTEL "rule s { listener out recipient protected server queue }\n"
		      "rule g { zone guest user any server queue }",
		LOGINS HOTEL "rule s { listener sub user none recipient protected server queue }\n"
			     "rule g { zone guest user any server queue }",
		LOGINS HOTEL "rule s { listener sub recipient protected server queue }\n"
			     "rule g { zone guest user none recipient protected server queue }",
		"server told { host 192.0.2.143 announce xclient { login tagged } }\n"
		"rule s { listener out user any server told }\n"
		"rule g { zone guest user any server told }",
		"rule s { listener out user any server inside }\n"
		"rule g { zone guest user any server inside }",
		/* transfer to two servers: who comes again with the rest */
		TWO
		"rule r { listener in source 10.0.0.1 recipient \"a@x.example\" server inside }\n"
		"rule s { listener in source 10.0.0.1 server other }",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct language_diagnosis diagnosis;
		struct policy *policy = parse(texts[i], &diagnosis);
		if (!policy)
			fail_msg("%s\n%s", texts[i], diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

static void submission_still_has_one_server(void **state)
{
	static const char text[] =
		TWO "rule r { listener out user any recipient \"a@x.example\" server inside }\n"
		    "rule s { listener out user any server other }";
	struct language_diagnosis diagnosis;
	(void)state;
	assert_null(parse(text, &diagnosis));
	bool said = false;
	for (size_t i = 0; i < diagnosis.n; i++)
		said |= strstr(diagnosis.v[i].text, "a message to both has one server") != NULL;
	assert_true(said);
	language_diagnosis_fini(&diagnosis);
}

/* ---- lists that grow */

static struct policy_elem elem_of(enum policy_list_holds holds, const char *text)
{
	struct policy_elem elem;
	assert_null(element_parse(holds, text, strlen(text), &elem));
	return elem;
}

static bool is_open(const struct policy *policy, const struct lists *lists, const char *list,
	enum policy_list_holds holds, const char *text, bool replaces)
{
	char said[RELAY_TEXT_SIZE];
	struct policy_elem elem = elem_of(holds, text);
	const struct relay_change change = {
		.list = list, .replaces = replaces, .elems = &elem, .n = 1};
	return relay_is_open(policy, lists, &change, said);
}

static void a_list_cannot_grow_to_everybody(void **state)
{
	static const char text[] =
		"listener l { address 203.0.113.1 port 26 accept accepted }\n"
		"list accepted dynamic\nlist unused dynamic\n"
		"domain d { name names server inside }\n"
		"rule r { listener in source 10.0.0.0/9, grown server inside }\n"
		"rule s { listener in source not unused verdict answer \"no\" }\n"
		"list called host dynamic\n"
		"rule t { listener out source called server inside }\n"
		"list refused dynamic\nlist later dynamic\nlist friends host dynamic\n"
		"rule u { listener out source refused verdict answer 554 \"no\" }\n"
		"rule v { listener out disabled source later server inside }\n"
		"rule w { listener out disabled source friends server inside }";
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, &diagnosis);
	struct lists *lists = lists_new();
	char said[RELAY_TEXT_SIZE];
	(void)state;
	assert_non_null(policy);
	language_diagnosis_fini(&diagnosis);
	assert_false(relay_is_open(policy, lists, NULL, said));
	assert_true(is_open(policy, lists, "grown", POLICY_HOLDS_ADDRESSES, "0.0.0.0/0", false));
	assert_true(is_open(policy, lists, "grown", POLICY_HOLDS_ADDRESSES, "::/0", true));
	assert_true(is_open(policy, lists, "accepted", POLICY_HOLDS_ADDRESSES, "::/0", false));
	assert_false(is_open(policy, lists, "unused", POLICY_HOLDS_ADDRESSES, "::/0", false));
	/* little by little: with what the rule has itself */
	assert_false(
		is_open(policy, lists, "grown", POLICY_HOLDS_ADDRESSES, "10.128.0.0/9", false));
	struct policy_elem half = elem_of(POLICY_HOLDS_ADDRESSES, "10.128.0.0/9");
	assert_int_equal(lists_add(lists, "grown", &half, 0), 0);
	assert_true(is_open(policy, lists, "grown", POLICY_HOLDS_ADDRESSES, "11.0.0.1", false));
	assert_false(is_open(policy, lists, "grown", POLICY_HOLDS_ADDRESSES, "11.0.0.1", true));
	/* one that is open already is seen when a policy comes that uses it */
	struct policy_elem all = elem_of(POLICY_HOLDS_ADDRESSES, "0.0.0.0/0");
	assert_int_equal(lists_add(lists, "grown", &all, 0), 0);
	assert_true(relay_is_open(policy, lists, NULL, said));
	assert_non_null(strstr(said, "listener in permits to relay, by rule r"));
	/* domains */
	assert_true(is_open(policy, lists, "names", POLICY_HOLDS_HOSTS, ".example", false));
	assert_false(is_open(policy, lists, "names", POLICY_HOLDS_HOSTS, ".a.example", true));
	lists_remove(lists, "grown", &all);
	/* what is there already is no reason against what is not about it */
	struct policy_elem top = elem_of(POLICY_HOLDS_HOSTS, ".example");
	assert_int_equal(lists_add(lists, "names", &top, 0), 0);
	assert_true(relay_is_open(policy, lists, NULL, said));
	assert_false(is_open(policy, lists, "unused", POLICY_HOLDS_ADDRESSES, "10.0.0.1", false));
	assert_false(is_open(policy, lists, "names", POLICY_HOLDS_HOSTS, ".a.example", false));
	lists_remove(lists, "names", &top);
	/* names */
	assert_true(is_open(policy, lists, "called", POLICY_HOLDS_HOSTS, ".example", false));
	assert_true(is_open(policy, lists, "called", POLICY_HOLDS_HOSTS, ".ip6.arpa", true));
	assert_false(is_open(policy, lists, "called", POLICY_HOLDS_HOSTS, ".a.example", false));
	/* what permits nobody may grow to everybody: who is refused, and rules that are switched
	 * off */
	assert_false(is_open(policy, lists, "refused", POLICY_HOLDS_ADDRESSES, "0.0.0.0/0", false));
	assert_false(is_open(policy, lists, "later", POLICY_HOLDS_ADDRESSES, "0.0.0.0/0", false));
	assert_false(is_open(policy, lists, "friends", POLICY_HOLDS_HOSTS, ".example", false));
	lists_free(lists);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_open_relay_is_refused),
		cmocka_unit_test(what_is_no_open_relay_is_taken),
		cmocka_unit_test(submission_still_has_one_server),
		cmocka_unit_test(a_list_cannot_grow_to_everybody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
