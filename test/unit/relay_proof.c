/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every trick that is known to open a relay, against policies of all shapes, from a stranger. */
#include "lib/policy/proof/relay_proof.h"

#include "lib/language/language.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct tm *local(const time_t *time, struct tm *tm)
{
	return gmtime_r(time, tm);
}

#define NOW UINT64_C(1774659600000)

#define SITE                                                                                      \
	"zone guest { interface e0 }\nzone staff { interface e1 identity address }\n"             \
	"listener in { address 203.0.113.1, 2001:db8:3::1 }\n"                                    \
	"listener out { address 203.0.113.1, 2001:db8:3::1 port 587 }\n"                          \
	"list office { 192.0.2.0/24, 2001:db8:20::/64 }\nlist grown dynamic\n"                    \
	"list spammers { 198.51.100.0/24 }\n"                                                     \
	"list customers host { \"hotel.example\", \".hotel.example\" }\nlist more host dynamic\n" \
	"list people mail { \"anna@hotel.example\", \"@mail.hotel.example\" }\n"                  \
	"server inside { host 192.0.2.140 }\nserver queue { host 192.0.2.141 }\n"                 \
	"server isp { host 192.0.2.142 tls verify \"smtp.isp.example\" account \"x\" { secret "   \
	"file \"/s\" } }\n"
#define HOTEL   "domain hotel { name \"hotel.example\" server inside }\n"
#define BELOW   "domain hotel { name \"hotel.example\", \".hotel.example\" server inside }\n"
#define PEOPLE  "domain hotel { name \"hotel.example\" server inside recipient people }\n"
#define LISTED  "domain hotel { name customers server inside }\n"
#define CHANGES "domain hotel { name more server inside }\n"

/* takes: what a stranger may send to at the inbound listener, and in zone guest. */
static const struct {
	const char *text;
	const char *in, *guest;
} policies[] = {
	{"", NULL, NULL},
	{HOTEL "rule r { listener in recipient protected server protected }",
		"<user@hotel.example>", NULL},
	{HOTEL "rule r { listener in recipient protected server queue }", "<user@Hotel.Example.>",
		NULL},
	{BELOW "rule r { listener in recipient protected server protected }",
		"<user@a.b.hotel.example>", NULL},
	{PEOPLE "rule r { listener in recipient protected server protected }",
		"<Anna+x@hotel.example>", NULL},
	{LISTED "rule r { listener in recipient protected server protected }",
		"<user@x.hotel.example>", NULL},
	{CHANGES "rule r { listener in recipient protected server protected }",
		"<user@hotel.example>", NULL},
	{HOTEL "rule r { listener not out recipient protected server inside }",
		"<user@hotel.example>", NULL},
	{HOTEL "rule r { listener in, out recipient protected server inside }",
		"<user@hotel.example>", NULL},
	{"rule r { listener in source office server queue }", NULL, NULL},
	{"rule r { listener in source grown server isp }", NULL, NULL},
	{"rule r { listener in source \"mx.partner.example\", \".partner.example\" server queue }",
		NULL, NULL},
	{"rule r { listener in source 10.0.0.0/8, 2000::/19 server queue }", NULL, NULL},
	{"rule r { listener out user any server queue }", NULL, NULL},
	{"rule r { listener in, out group \"staff\" server isp }", NULL, NULL},
	{HOTEL "rule no { listener in source spammers verdict answer 554 \"no\" }\n"
	       "rule in { listener in recipient protected server inside }\n"
	       "rule out { listener in, out source office server queue }",
		"<user@hotel.example>", NULL},
	{HOTEL "rule r { listener in sender not none recipient protected server inside }\n"
	       "rule b { listener in sender none recipient protected server queue }",
		"<user@hotel.example>", NULL},
	{HOTEL "rule r { zone guest user none recipient protected server inside }", NULL,
		"<user@hotel.example>"},
	{HOTEL "rule r { user none recipient protected server protected }\n"
	       "rule s { user any server queue }",
		NULL, "<user@hotel.example>"},
	{HOTEL "rule in { listener in recipient protected server protected }\n"
	       "rule guests { zone guest user any server queue }\n"
	       "rule near { zone staff user none recipient protected server queue }\n"
	       "rule staff { listener out user \"anna\", \"bert\" server queue }",
		"<user@hotel.example>", NULL},
	{BELOW "rule in { listener in recipient protected server protected schedule mon-sun }\n"
	       "rule late { listener out user any schedule sat 08:00-09:00 server queue }",
		"<SRS0=a=b=c@hotel.example>", NULL},
	{BELOW "rule in { listener in, out recipient protected server protected }\n"
	       "rule all { listener in, out verdict answer 421 \"later\" }",
		"<user@hotel.example>", NULL},
};
#define POLICIES (sizeof(policies) / sizeof(*policies))

static struct policy *parse(const char *text)
{
	char *whole;
	assert_true(asprintf(&whole, SITE "%s", text) > 0);
	struct policy *policy = policy_of_text(whole, NULL);
	free(whole);
	return policy;
}

static struct lists *make_lists(void)
{
	struct lists *lists = lists_new();
	struct policy_elem elem;
	assert_null(element_parse(POLICY_HOLDS_HOSTS, "hotel.example", 13, &elem));
	assert_int_equal(lists_add(lists, "more", &elem, 0), 0);
	assert_null(element_parse(POLICY_HOLDS_ADDRESSES, "192.0.2.77", 10, &elem));
	assert_int_equal(lists_add(lists, "grown", &elem, 0), 0);
	return lists;
}

/* Each way in, for somebody of whom nothing is known. */
static size_t origins_of(const struct policy *policy, struct decide_origin origins[static 8])
{
	static const char *const sources[] = {"100.64.7.7", "2001:db8:ffff::7"};
	size_t n = 0;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 2; j++) {
			struct decide_origin *listener = &origins[n++], *zone = &origins[n++];
			*listener = (struct decide_origin){.of_listener = true, .listener = j};
			*zone = (struct decide_origin){.zone = j};
			addr_parse(sources[i], strlen(sources[i]), &listener->source);
			zone->source = listener->source;
		}
	assert_int_equal(policy->nlisteners, 2);
	return n;
}

static bool is_permitted(const struct policy *policy, const struct lists *lists,
	const struct decide_origin *origin, const char *sender, const char *recipient)
{
	const struct decide_world decide = {.policy = policy, .lists = lists, .local = local};
	struct endpoint original = {.port = origin->of_listener && origin->listener ? 587 : 25};
	struct smtp_path from, to;
	struct decide_reply reply;
	size_t used;
	addr_parse("203.0.113.1", 11, &original.addr);
	assert_int_equal(smtp_path_parse(&from, 0, sender, strlen(sender), &used), SMTP_PATH_GOOD);
	if (smtp_path_parse(&to, SMTP_PATH_RECIPIENT, recipient, strlen(recipient), &used) !=
		SMTP_PATH_GOOD)
		return false;
	const struct decide_envelope envelope = {
		.original = &original, .sender = &from, .recipient = &to};
	decide_recipient(&decide, origin, &envelope, NOW, &reply);
	assert_true(reply.permitted == (reply.code == 0));
	assert_false(reply.submission);
	return reply.permitted;
}

static char *trick_of(const char *trick, const char *own, const char *foreign)
{
	char *text = calloc(1, 512), *at = text;
	for (; *trick; trick++) {
		if (*trick == '$')
			at = stpcpy(at, *++trick == 'O' ? own : foreign);
		else
			*at++ = *trick;
	}
	return text;
}

static void no_trick_works_in_any_policy(void **state)
{
	static const char *const senders[] = {
		"<>", "<eve@evil.example>", "<anna@hotel.example>", "<user@partner.example>"};
	struct lists *lists = make_lists();
	size_t tried = 0;
	(void)state;
	assert_true(relay_tricks_count() >= 60 && POLICIES >= 20);
	for (size_t p = 0; p < POLICIES; p++) {
		struct policy *policy = parse(policies[p].text);
		struct decide_origin origins[8];
		size_t n = origins_of(policy, origins);
		for (size_t t = 0; t < relay_tricks_count(); t++) {
			char *text = trick_of(relay_tricks[t], "hotel.example", "evil.example");
			for (size_t o = 0; o < n; o++)
				for (size_t s = 0; s < 4; s++, tried++)
					if (is_permitted(
						    policy, lists, &origins[o], senders[s], text))
						fail_msg("%s\n%s from %s, origin %zu",
							policies[p].text, text, senders[s], o);
			free(text);
		}
		policy_unref(policy);
	}
	assert_true(tried > 50000);
	lists_free(lists);
}

/* Else the tricks would be refused by a gateway that takes nothing. */
static void what_is_protected_is_taken(void **state)
{
	struct lists *lists = make_lists();
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct policy *policy = parse(policies[p].text);
		struct decide_origin origins[8];
		size_t n = origins_of(policy, origins);
		for (size_t o = 0; o < n; o++) {
			const char *taken =
				origins[o].of_listener ? policies[p].in : policies[p].guest;
			bool first = origins[o].of_listener ? origins[o].listener == 0
							    : origins[o].zone == 0;
			if (taken && first &&
				!is_permitted(
					policy, lists, &origins[o], "<eve@evil.example>", taken))
				fail_msg("%s\n%s", policies[p].text, taken);
			if (!taken && first &&
				is_permitted(
					policy, lists, &origins[o], "<>", "<anna@hotel.example>"))
				fail_msg("%s\n<anna@hotel.example>", policies[p].text);
		}
		policy_unref(policy);
	}
	lists_free(lists);
}

static void the_proof_of_a_good_policy_holds(void **state)
{
	struct lists *lists = make_lists();
	char text[RELAY_TEXT_SIZE];
	(void)state;
	for (size_t p = 0; p < POLICIES; p++) {
		struct policy *policy = parse(policies[p].text);
		if (relay_proof_fails(policy, lists, local, NOW, 0, text))
			fail_msg("%s\n%s", policies[p].text, text);
		policy_unref(policy);
	}
	lists_free(lists);
}

/* ---- policies that no check would let through, made of ones that it did */

static void forget_recipient(struct policy *policy)
{
	policy->rules[0].recipient.given = false;
}

static void take_foreign_recipients(struct policy *policy)
{
	policy->rules[0].recipient.negated = true;
}

static void permit_every_source(struct policy *policy)
{
	policy->rules[0].source.any = true;
}

static void permit_all_other_sources(struct policy *policy)
{
	policy->rules[0].source.negated = true;
}

static void forget_user(struct policy *policy)
{
	policy->rules[0].user_given = policy->rules[0].group_given = false;
}

static void ask_for_nobody(struct policy *policy)
{
	policy->rules[0].user_any = false;
	policy->rules[0].user_none = true;
}

static void become_a_rule_of_listeners(struct policy *policy)
{
	static size_t first[] = {0};
	static struct policy_string name;
	policy->rules[0].listens = true;
	policy->rules[0].user_given = false;
	policy->rules[0].listeners = first;
	policy->rules[0].listener_names = (struct policy_strings){&name, 1};
}

static void an_open_policy_is_found(void **state)
{
	static const struct {
		const char *text;
		void (*open)(struct policy *policy);
		const char *said;
	} cases[] = {
		{HOTEL "rule r { listener in recipient protected server inside }", forget_recipient,
			"listener in would relay for anybody"},
		{HOTEL "rule r { listener out recipient protected server inside }",
			take_foreign_recipients, "listener out would relay for anybody"},
		{"rule r { listener in source office server inside }", permit_every_source,
			"listener in would relay for anybody"},
		{"rule r { listener in source office server inside }", permit_all_other_sources,
			"listener in would relay for anybody"},
		{"rule r { listener out user any server inside }", forget_user,
			"listener out would relay for anybody"},
		{"rule r { listener out user any server inside }", ask_for_nobody,
			"listener out would relay for anybody"},
		{"rule r { zone guest user any server inside }", ask_for_nobody,
			"zone guest would relay for anybody"},
		{"rule r { zone guest user any server inside }", become_a_rule_of_listeners,
			"listener in would relay for anybody"},
	};
	char text[RELAY_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = parse(cases[i].text);
		assert_false(relay_proof_fails(policy, NULL, local, NOW, 0, text));
		cases[i].open(policy);
		policy->summaries = NULL;
		if (!relay_proof_fails(policy, NULL, local, NOW, 0, text) ||
			!strstr(text, cases[i].said))
			fail_msg("%zu: %s", i, text);
		policy_unref(policy);
	}
}

static void a_list_that_permits_everybody_is_found(void **state)
{
	struct policy *policy = parse("rule r { listener in source grown server inside }");
	struct lists *lists = make_lists();
	struct policy_elem elem;
	char text[RELAY_TEXT_SIZE];
	(void)state;
	assert_false(relay_proof_fails(policy, lists, local, NOW, 0, text));
	assert_null(element_parse(POLICY_HOLDS_ADDRESSES, "0.0.0.0/0", 9, &elem));
	assert_int_equal(lists_add(lists, "grown", &elem, 0), 0);
	assert_true(relay_proof_fails(policy, lists, local, NOW, 0, text));
	assert_non_null(strstr(text, "no IPv4 address was found"));
	lists_free(lists);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_trick_works_in_any_policy),
		cmocka_unit_test(what_is_protected_is_taken),
		cmocka_unit_test(the_proof_of_a_good_policy_holds),
		cmocka_unit_test(an_open_policy_is_found),
		cmocka_unit_test(a_list_that_permits_everybody_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
