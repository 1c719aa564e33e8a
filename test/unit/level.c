/* SPDX-License-Identifier: GPL-2.0-or-later */
/* At which level flows are read and by which word; and what the message level asks of a policy: a
 * path never changes once it is read, and one transaction has one server. */
#include "lib/policy/level.h"

#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct policy *parse(const char *text, struct language_diagnosis *diagnosis)
{

	return language_parse("t", text, strlen(text), NULL, diagnosis);
}

#define HEAD                                             \
	"zone guest { interface g0 }\n"                  \
	"zone staff { interface s0 unmatched pass }\n"   \
	"zone plain { interface p0 level connection }\n" \
	"list one mail { \"a@one.example\" }\n"          \
	"list two { 192.0.2.0/24 }\n"                    \
	"list three dynamic\n"                           \
	"server a { host 203.0.113.1 }\n"                \
	"server b { host 203.0.113.2 }\n"

/* The first error, or the first that says this. */
static const struct language_message *find_error(
	const struct language_diagnosis *diagnosis, const char *text)
{
	for (size_t i = 0; i < diagnosis->n; i++)
		if (diagnosis->v[i].severity == LANGUAGE_ERROR &&
			(!text || strstr(diagnosis->v[i].text, text)))
			return &diagnosis->v[i];
	return NULL;
}

static void test_what_a_policy_may_say(void **state)
{
	static const struct {
		const char *text, *wrong; /* NULL: it is good */
		unsigned line;            /* from HEAD's end, 1 */
	} cases[] = {
		{"rule r { zone guest sender none, \"a@b.example\", one server a }", NULL, 0},
		{"rule r { zone guest recipient anna@hotel.example server a }", NULL, 0},
		{"rule r { zone guest recipient \"anna\" server a }",
			"\"anna\" is no mail address, expected user@domain, @domain or @.domain, "
			"or "
			"the name of a list of them",
			1},
		{"rule r { zone guest recipient \"a b@c.example\" server a }",
			"\"a b@c.example\" is no mail address", 1},
		{"rule r { zone guest sender \"<>\" server a }", "\"<>\" is no mail address", 1},
		{"rule r { zone guest sender any server a }", "unexpected \"any\", expected", 1},
		{"rule r { zone guest recipient none server a }", "unexpected \"none\"", 1},
		{"rule r { zone guest sender two server a }",
			"list two holds addresses, which nothing here can be compared with; "
			"expected a list of mail addresses",
			1},
		{"rule r { zone guest source one server a }", "expected a list of addresses", 1},
		{"rule r { zone guest sender four server a }", "no such list \"four\"", 1},
		{"rule r { zone guest sender one sender one server a }", "\"sender\" stands twice",
			1},
		/* level connection */
		{"rule r { sender none server a }",
			"zone plain has `level connection`, whose flows are not read, and rule r "
			"is "
			"for it",
			1},
		{"rule r { zone plain limit size 5m server a }",
			"zone plain has `level connection`", 1},
		{"rule r { sender none server a disabled }", NULL, 0},
		{"zone z { interface z0 level connection newline strict }",
			"zone z has `level connection`, whose flows are not read, and `newline`",
			1},
		{"zone z { interface z0 level connection\nlimit recipients 5/day per user }",
			"and `limit recipients`", 2},
		/* what passes is not read, and what is read does not pass */
		{"rule r { zone guest sender none verdict pass }",
			"rule r has `sender`, for which the gateway talks to the client: then it "
			"is "
			"too late to pass",
			1},
		{"rule r { zone guest recipient one verdict drop }", "too late to drop", 1},
		{"rule r { zone guest limit size 5m verdict answer \"no\" }", NULL, 0},
		{"rule r { zone guest sender none server a }\n"
		 "rule s { zone guest verdict reject }",
			"rule s could take flows that rule r before it has read, by `sender`", 2},
		{"rule s { zone guest user x verdict pass }\n"
		 "rule r { zone guest sender none server a }",
			NULL, 0},
		{"rule r { zone guest user x sender none server a }\n"
		 "rule s { zone guest user y verdict pass }",
			NULL, 0},
		{"rule r { zone guest user not x sender none server a }\n"
		 "rule s { zone guest user x verdict pass }",
			NULL, 0},
		{"rule r { zone guest group x sender none server a }\n"
		 "rule s { zone guest group y verdict pass }",
			"rule s could take", 2},
		{"rule r { zone guest group x sender none server a }\n"
		 "rule s { zone guest group not x, y verdict pass }",
			NULL, 0},
		{"rule r { zone guest source 192.0.2.0/25 sender none server a }\n"
		 "rule s { zone guest source 192.0.2.128/25, 2001:db8::/32 verdict pass }",
			NULL, 0},
		{"rule r { zone guest source three sender none server a }\n"
		 "rule s { zone guest source two verdict pass }",
			"rule s could take", 2},
		{"rule r { zone guest source two sender none server a }\n"
		 "rule s { zone guest source not two verdict pass }",
			NULL, 0},
		{"rule r { zone guest schedule mon sender none server a }\n"
		 "rule s { zone guest schedule tue verdict pass }",
			"rule s could take", 2},
		{"rule r { zone guest sender none disabled server a }\n"
		 "rule s { zone guest verdict pass }",
			NULL, 0},
		{"rule r { zone staff sender none server a }",
			"`unmatched pass` in a zone that is read, by rule r: sender", 0},
		{"zone z { interface z0 level message\nunmatched pass }",
			"`unmatched pass` in a zone that is read, by zone z: level message", 2},
		{"zone z { interface z0 level message unmatched reject }\n"
		 "rule r { zone z user x verdict pass }\nrule s { zone z server a }",
			NULL, 0},
		/* limits */
		{"rule r { zone guest limit none limit size 5m server a }",
			"rule r has `limit none` and a limit", 1},
		{"rule r { zone guest limit none server a }", NULL, 0},
		{"rule r { zone guest sender none limit flows 5 per client server a }",
			"rule r takes messages, not connections, by rule r: sender", 1},
		{"rule q { zone guest sender none server a }\n"
		 "rule r { zone guest limit rate 5/day server a }",
			"by rule q: sender: this would never count", 2},
		{"rule r { zone guest limit rate 5/day per user { block 1h } server a }", NULL, 0},
		{"zone z { interface z0 limit messages 5/hour { block 1h } }",
			"a limit of the whole zone blocks nobody", 1},
		{"rule r { zone guest limit messages 5/hour { block 1h } server a }",
			"a limit of the whole rule blocks nobody", 1},
		{"zone z { interface z0 limit recipients 5/hour per sender { block 1h } }",
			"an address is written by whoever sends and blocks nobody", 1},
		{"zone z { interface z0 limit messages 5 per client }", "unexpected \"client\"", 1},
		{"zone z { interface z0 limit recipients 5 per flow }", "unexpected \"flow\"", 1},
		{"zone z { interface z0 limit size 4096m }", "no message can have this size", 1},
		{"zone z { interface z0 limit size 0k }", "no message can have this size", 1},
		{"zone z { interface z0 limit messages 0/day }", "out of range, expected 1 to", 1},
		{"zone z { interface z0 limit messages 5/day limit messages 5 per flow\n"
		 "limit messages 5/hour per client limit messages 6/hour per client }",
			"\"limit messages per client\" stands twice", 2},
		{"rule r { zone guest limit sessions 5 per user server a }",
			"unexpected \"sessions\"", 1},
		/* a server that has words of its own */
		{"server t { host a.example { tls require } }\n"
		 "rule r { zone plain server t }",
			"zone plain has `level connection`, whose flows are not read, and rule r "
			"leads to server t, which has `tls`",
			2},
		{"server t { host 203.0.113.9 account \"u\" { secret file \"/s\" insecure } }\n"
		 "rule r { server t }",
			"rule r leads to server t, which has `account`", 2},
		{"server t { host a.example tls none }\nrule r { zone plain server t }", NULL, 0},
		{"server t { host a.example tls offer }\nrule r { zone plain server t disabled }",
			NULL, 0},
		{"server t { host a.example tls offer }\nrule r { zone staff server t }",
			"`unmatched pass` in a zone that is read, by rule r: tls of server t", 0},
		/* it takes all that it reads */
		{"server t { host a.example tls offer }\nrule r { zone guest user x server t }\n"
		 "rule s { zone guest group y verdict pass }",
			NULL, 0},
		{"server t { host a.example tls offer }\n"
		 "rule r { zone guest user x limit rate 5/day server t }",
			"rule r takes messages, not connections, by rule r: tls of server t", 2},
		{"server t { host a.example tls offer }\nrule r { zone guest user x server t }\n"
		 "rule s { zone guest group y limit rate 5/day server a }",
			NULL, 0},
		{"zone z { interface z0 port 25, 587 }\nserver t { host a.example tls offer }\n"
		 "rule r { zone z server t }",
			"port 587 of zone z is read, by rule r: tls of server t", 1},
		{"zone z { interface z0 port 25, 587 }\nrule r { zone z port 25 sender none "
		 "server a }",
			NULL, 0},
		{"zone z { interface z0 port 25, 587 }\nrule r { zone z sender none server a }",
			"port 587 of zone z is read, by rule r: sender", 1},
		/* one transaction, one server */
		{"rule r { zone guest recipient one server a }\nrule s { zone guest server a }",
			NULL, 0},
		{"rule r { zone guest recipient one server a }\nrule s { zone guest server b }",
			"rule s leads to server b, and rule r before it, by `recipient`, to server "
			"a: "
			"a message to both has one server; expected the same one, and to route by "
			"recipient there, in its queue",
			2},
		{"rule r { zone guest recipient one server a }\n"
		 "rule s { zone guest destination any server original }",
			"rule s leads to server original", 2},
		{"rule r { zone guest recipient not one verdict answer \"no\" }\n"
		 "rule s { zone guest server b }",
			NULL, 0},
		{"rule r { zone guest sender one recipient one server a }\n"
		 "rule s { zone guest sender not one server b }",
			NULL, 0},
		{"rule r { zone guest sender \"@.x.example\" recipient one server a }\n"
		 "rule s { zone guest sender \"u@y.x.example\" server b }",
			"rule s leads to server b", 2},
		{"rule r { zone guest sender \"@x.example\" recipient one server a }\n"
		 "rule s { zone guest sender none, \"u@y.x.example\" server b }",
			NULL, 0},
		{"rule r { zone guest user x recipient one server a }\n"
		 "rule s { zone guest user y server b }",
			NULL, 0},
		/* what is between takes all the rest */
		{"rule r { zone guest user x recipient one server a }\n"
		 "rule s { zone guest server a }\nrule t { user z zone guest server b }",
			NULL, 0},
		{"rule r { zone guest user x recipient one server a }\n"
		 "rule s { zone guest user x server a }\nrule t { zone guest server b }",
			NULL, 0},
		{"rule r { zone guest recipient one server a }\n"
		 "rule s { zone guest user x server a }\nrule t { zone guest server b }",
			"rule t leads to server b", 3},
		{"rule r { zone guest recipient one server a }\n"
		 "rule s { zone guest disabled server a }\nrule t { zone guest server b }",
			"rule t leads to server b", 3},
		{"rule r { zone guest recipient one server a }\n"
		 "rule s { zone guest sender one server a }\nrule t { zone guest server b }",
			"rule t leads to server b", 3},
	};
	const unsigned before = 8;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text), "%s%s\n", HEAD, cases[i].text);
		struct policy *policy = parse(text, &diagnosis);
		const struct language_message *error = find_error(&diagnosis, cases[i].wrong);
		if (!policy != !!cases[i].wrong || !policy != !!error)
			fail_msg("%s\n%s\nnot: %s", cases[i].text,
				diagnosis.n ? diagnosis.v[0].text : "", cases[i].wrong);
		if (cases[i].line)
			assert_int_equal(error->place.line, before + cases[i].line);
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

static struct policy *parse_good(const char *text)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, &diagnosis);

	if (!policy)
		fail_msg("%s", diagnosis.n ? diagnosis.v[0].text : "?");
	language_diagnosis_fini(&diagnosis);
	return policy;
}

static void test_a_zone_and_a_rule_say_by_which_word(void **state)
{
	static const char *const zones[] = {"zone z0: newline", "rule two: limit messages",
		"rule two: limit messages", "", "zone z4: limit size"};
	static const char *const rules[] = {"zone z0: newline", "", "rule two: limit messages",
		"rule two: limit messages", "", "rule off: sender"};
	struct policy *policy = parse_good("zone z0 { interface a0 newline strict }\n"
					   "zone z1 { interface a1 }\nzone z2 { interface a2 }\n"
					   "zone z3 { interface a3 }\n"
					   "zone z4 { interface a4 limit size 5m }\n"
					   "server s { host 203.0.113.1 }\n"
					   "rule zero { zone z0 server s }\n"
					   "rule one { zone z1, z2 user x server s }\n"
					   "rule two { zone z1, z2 limit messages 5 per flow "
					   "recipient not \"a@b.example\" server s }\n"
					   "rule three { zone z2, z3 server s }\n"
					   "rule four { zone z3 server s }\n"
					   "rule off { zone z3 sender none disabled server s }\n");
	char text[LEVEL_CAUSE_SIZE];

	(void)state;
	/* a condition comes before a limit */
	assert_int_equal(level_of_rule(&policy->rules[2]), LEVEL_RECIPIENT);
	policy->rules[2].recipient.given = false;
	for (size_t i = 0; i < policy->nzones; i++) {
		struct level_cause cause = level_cause_of_zone(policy, i);
		assert_string_equal(level_format_cause(policy, &cause, text), zones[i]);
	}
	for (size_t i = 0; i < policy->nrules; i++) {
		struct level_cause cause = level_cause_of_rule(policy, i);
		assert_string_equal(level_format_cause(policy, &cause, text), rules[i]);
	}
	policy_unref(policy);
}

static void test_a_rule_that_no_flow_comes_to_has_none_read(void **state)
{
	static const char *const zones[] = {
		"", "rule word: recipient", "rule word: recipient", "", "rule late: limit size"};
	struct policy *policy = parse_good(
		"zone z0 { interface a0 }\nzone z1 { interface a1 }\nzone z2 { interface a2 }\n"
		"zone z3 { interface a3 }\nzone z4 { interface a4 }\n"
		"server s { host 203.0.113.1 }\n"
		"rule off { zone z1 server s disabled }\n"
		"rule some { zone z2 user x server s }\n"
		"rule all { zone z0, z3 server s }\n"
		"rule word { zone z0, z1, z2 recipient not \"a@b.example\" server s }\n"
		"rule every { zone z3, z4 user y server s }\n"
		"rule never { zone z3, z4 user y sender none server s }\n"
		"rule late { zone z3, z4 server s limit size 5m }\n");
	char text[LEVEL_CAUSE_SIZE];

	(void)state;
	for (size_t i = 0; i < policy->nzones; i++) {
		struct level_cause cause = level_cause_of_zone(policy, i);
		assert_string_equal(level_format_cause(policy, &cause, text), zones[i]);
	}
	policy_unref(policy);
}

static void test_the_words_of_tls_and_of_servers(void **state)
{
	static const char *const zones[] = {"zone z0: tls", "rule one: tls",
		"rule two: tls of server t", "rule three: account of server u", "", ""};
	static const char *const rules[] = {"zone z0: tls", "rule one: tls",
		"rule two: tls of server t", "rule three: account of server u", "", "",
		"rule one: tls"};
	struct policy *policy = parse_good(
		"zone z0 { interface a0 tls offer { certificate c } }\nzone z1 { interface a1 }\n"
		"zone z2 { interface a2 }\nzone z3 { interface a3 }\nzone z4 { interface a4 }\n"
		"zone z5 { interface a5 tls none }\ncertificate c { file \"/c\" key \"/k\" }\n"
		"server s { host 203.0.113.1 { tls none } tls none }\n"
		"server t { host 203.0.113.1 tls none mx b.example { tls require } }\n"
		"server u { host 203.0.113.1 account \"u\" { secret file \"/s\" insecure } }\n"
		"rule zero { zone z0 server s }\n"
		"rule one { zone z1 tls not any server s }\n"
		"rule two { zone z2 user x server t }\n"
		"rule three { zone z3 server u }\n"
		"rule four { zone z4, z5 user x server s }\n"
		"rule five { zone z2 server s }\n"
		"rule six { zone z1 server s }\n"
		"rule off { zone z4 server u disabled }\n");
	char text[LEVEL_CAUSE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		struct level_cause cause = level_cause_of_zone(policy, i);
		assert_string_equal(level_format_cause(policy, &cause, text), zones[i]);
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct level_cause cause = level_cause_of_rule(policy, i);
		assert_string_equal(level_format_cause(policy, &cause, text), rules[i]);
	}
	policy_unref(policy);
}

static char said[1024];

static void gather(void *context, const char *zone, const char *text)
{
	(void)context;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s: %s\n", zone, text);
}

static void test_a_change_of_level_is_said_with_what_is_lost(void **state)
{
	struct policy *plain = parse_good("zone z { interface a0 }\nzone y { interface a1 }\n"
					  "zone w { interface a2 level message }\n");
	struct policy *read = parse_good("zone z { interface a0 }\nzone y { interface a1 }\n"
					 "zone w { interface a2 newline strict }\n"
					 "zone v { interface a3 level message }\n"
					 "rule r { zone z sender none verdict answer \"no\" }\n");

	(void)state;
	*said = '\0';
	level_changes(plain, read, gather, NULL);
	assert_string_equal(said,
		"z: level message by rule r: sender: its clients no longer have the server's "
		"STARTTLS, AUTH and CHUNKING\n"
		"v: level message by zone v: level message: its clients no longer have the "
		"server's STARTTLS, AUTH and CHUNKING\n");
	*said = '\0';
	level_changes(read, plain, gather, NULL);
	assert_string_equal(said, "z: level connection, no longer message by rule r: sender: its "
				  "clients talk to the server itself\n");
	*said = '\0';
	level_changes(NULL, plain, gather, NULL);
	assert_string_equal(said, "w: level message by zone w: level message: its clients no "
				  "longer have the server's STARTTLS, AUTH and CHUNKING\n");
	*said = '\0';
	level_changes(read, read, gather, NULL);
	assert_string_equal(said, "");
	policy_unref(plain);
	policy_unref(read);
}

/* Each for server a, behind HEAD. */
static void test_who_comes_to_a_server(void **state)
{
	static const struct {
		const char *text;
		unsigned flows;
	} cases[] = {
		{"", 0},
		{"rule r { zone guest server b }", 0},
		{"rule r { zone guest server a disabled }", 0},
		{"rule r { zone guest server a }", LEVEL_FLOWS_PLAIN},
		{"zone z { interface z0 level message }\nrule r { zone z server a }",
			LEVEL_FLOWS_READ},
		{"zone z { interface z0 newline strict }\nrule r { zone z, plain server a }",
			LEVEL_FLOWS_ALL},
		{"zone z { interface z0 level message }\nrule r { zone plain server a }",
			LEVEL_FLOWS_PLAIN},
		{"rule r { zone guest recipient one server a }", LEVEL_FLOWS_READ},
		/* what a word of the message does not take is read already */
		{"rule q { zone guest sender one server b }\nrule r { zone guest server a }",
			LEVEL_FLOWS_READ},
		{"rule q { zone guest sender one verdict answer \"no\" }\n"
		 "rule r { zone guest user x server a }",
			LEVEL_FLOWS_READ},
		/* but who does not meet its other conditions is not */
		{"rule q { zone guest user x sender one server b }\n"
		 "rule r { zone guest server a }",
			LEVEL_FLOWS_ALL},
		{"rule q { zone guest user x sender one server b disabled }\n"
		 "rule r { zone guest server a }",
			LEVEL_FLOWS_PLAIN},
		{"rule q { zone guest user x sender one server b }\n"
		 "rule r { zone guest user y server a }",
			LEVEL_FLOWS_PLAIN},
		{"rule r { zone guest server original }", LEVEL_FLOWS_PLAIN},
		{"zone z { interface z0 level message }\nrule r { zone z server original }",
			LEVEL_FLOWS_READ},
		{"domain d { name \"x.example\" server a }\n"
		 "rule r { zone guest recipient protected server protected }",
			LEVEL_FLOWS_READ},
		{"domain d { name \"x.example\" server b }\n"
		 "rule r { zone guest recipient protected server protected }",
			0},
		{"listener l { address 203.0.113.9 port 25 }\n"
		 "rule r { listener l source 198.51.100.1 server a }",
			LEVEL_FLOWS_READ},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];
		snprintf(text, sizeof(text), "%s%s\n", HEAD, cases[i].text);
		struct policy *policy = parse_good(text);
		ptrdiff_t a = policy_find_server(policy, "a");
		if (level_flows_to(policy, (size_t)a) != cases[i].flows)
			fail_msg("%s\n%u, not %u", cases[i].text, level_flows_to(policy, (size_t)a),
				cases[i].flows);
		policy_unref(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_policy_may_say),
		cmocka_unit_test(test_a_zone_and_a_rule_say_by_which_word),
		cmocka_unit_test(test_a_rule_that_no_flow_comes_to_has_none_read),
		cmocka_unit_test(test_the_words_of_tls_and_of_servers),
		cmocka_unit_test(test_who_comes_to_a_server),
		cmocka_unit_test(test_a_change_of_level_is_said_with_what_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
