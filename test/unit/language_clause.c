/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single clauses of a statement, put in and taken out. */
#include "lib/language/edit/clause.h"

#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "test/lib/policy_text.h"

static const char text[] =
	"zone guest {\n    interface \"br-guest\", \"lease\"\n    network 192.0.2.0/24\n"
	"    identity mac\n    limit flows 5 per user\n    limit flows 50\n"
	"    limit rate 30/minute per client { block 1h }\n"
	"    unauthenticated answer 421 \"no limit { here }\"\n}\n"
	"list office { 192.0.2.128/28 }\n"
	"server relay {\n    host 203.0.113.10 port 25\n    host 203.0.113.10 port 2525 weight 5\n"
	"    mx \"Mail.Example.NET\"\n    probe smtp every 30s\n"
	"    deadline first 5s connect 3s\n}\n"
	"server other {\n    host 203.0.113.11\n}\n"
	"device till { zone guest mac 02:00:5e:00:53:09 user \"till\" group \"a\", \"b\" }\n"
	"rule a { zone guest user not \"server\", \"x\" source not office server relay }\n"
	"rule b { zone guest user any verdict answer 554 \"no\" disabled }\n"
	"rule c { zone guest user any server relay limit rate 5/hour per user limit flows 3 }\n";

/* What the policy says of it once the statement is in its place, on one line. */
static char *after(
	const struct policy *policy, enum policy_kind kind, const char *name, const char *statement)
{
	struct language_diagnosis diagnosis;
	struct policy *new = language_edit_replace(
		policy, language_kind_word(kind), name, statement, NULL, &diagnosis);
	if (!new)
		fail_msg("%s", diagnosis.n ? diagnosis.v[0].text : "?");
	language_diagnosis_fini(&diagnosis);
	char *shown = language_print_one(new, kind, (size_t)language_find(new, kind, name));
	policy_unref(new);
	char *to = shown;
	for (const char *c = shown; *c; c++)
		if (*c != '\n' && !(*c == ' ' && to > shown && to[-1] == ' '))
			*to++ = *c;
		else if (*c == '\n' && to > shown && to[-1] != ' ')
			*to++ = ' ';
	while (to > shown && to[-1] == ' ')
		to--;
	*to = '\0';
	return shown;
}

static void one_clause_is_set_and_all_else_stays(void **state)
{
	static const struct {
		enum policy_kind kind;
		const char *name, *clauses, *wanted;
	} cases[] = {
		{POLICY_KIND_RULE, "a", "server other",
			"rule a { zone guest user not \"server\", \"x\" source not office server "
			"other }"},
		{POLICY_KIND_RULE, "a", "verdict pass audit off",
			"rule a { zone guest user not \"server\", \"x\" source not office verdict "
			"pass "
			"audit off }"},
		{POLICY_KIND_RULE, "a", "user disabled disabled",
			"rule a { zone guest user \"disabled\" source not office server relay "
			"disabled }"},
		{POLICY_KIND_RULE, "b", "server relay",
			"rule b { zone guest user any server relay disabled }"},
		/* what `per` demands starts no clause */
		{POLICY_KIND_RULE, "c", "limit rate 6/day per user user ann limit flows 4 per user",
			"rule c { zone guest user \"ann\" server relay limit rate 6/day per user "
			"limit flows 3 limit flows 4 per user }"},
		{POLICY_KIND_RULE, "a", "user per group server",
			"rule a { zone guest user \"per\" group \"server\" source not office "
			"server "
			"relay }"},
		{POLICY_KIND_SERVER, "other", "trace off deadline command 20s",
			"server other { host 203.0.113.11 deadline command 20s trace off }"},
		{POLICY_KIND_ZONE, "guest", "interface eth7",
			"zone guest { interface \"br-guest\", \"lease\", \"eth7\" network "
			"192.0.2.0/24 "
			"identity mac limit flows 5 per user limit flows 50 limit rate 30/minute "
			"per "
			"client { block 1h } unauthenticated answer 421 \"no limit { here }\" }"},
		{POLICY_KIND_ZONE, "guest",
			"limit flows 6 per user limit rate 9/hour network 192.0.2.0/25, "
			"192.0.2.128/25",
			"zone guest { interface \"br-guest\", \"lease\" network 192.0.2.0/25, "
			"192.0.2.128/25 identity mac limit flows 6 per user limit flows 50 limit "
			"rate "
			"30/minute per client { block 1h } limit rate 9/hour unauthenticated "
			"answer 421 "
			"\"no limit { here }\" }"},
		{POLICY_KIND_SERVER, "relay",
			"host 203.0.113.10 weight 9 deadline connect 7s idle 1h",
			"server relay { host 203.0.113.10 weight 9 host 203.0.113.10 port 2525 "
			"weight 5 mx \"Mail.Example.NET\" probe smtp every 30s deadline first 5s "
			"connect "
			"7s idle 1h }"},
		{POLICY_KIND_SERVER, "relay",
			"host 2001:DB8::A port 25 { limit flows 3 }; probe none",
			"server relay { host 203.0.113.10 port 25 host 203.0.113.10 port 2525 "
			"weight 5 "
			"host 2001:db8::a port 25 { limit flows 3 } mx \"Mail.Example.NET\" probe "
			"none "
			"deadline first 5s connect 3s }"},
		{POLICY_KIND_SERVER, "relay", "mx mail.example.net weight 2",
			"server relay { host 203.0.113.10 port 25 host 203.0.113.10 port 2525 "
			"weight 5 "
			"mx \"mail.example.net\" weight 2 probe smtp every 30s deadline first 5s "
			"connect "
			"3s }"},
		{POLICY_KIND_DEVICE, "till", "group c comment \"zone x\"",
			"device till { zone guest mac 02:00:5e:00:53:09 user \"till\" group \"c\" "
			"comment "
			"\"zone x\" }"},
	};
	struct policy *policy = policy_of_text(text, NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t index = (size_t)language_find(policy, cases[i].kind, cases[i].name);
		char *statement =
			language_clause_set(policy, cases[i].kind, index, cases[i].clauses);
		assert_non_null(statement);
		char *shown = after(policy, cases[i].kind, cases[i].name, statement);
		assert_string_equal(shown, cases[i].wanted);
		free(shown);
		free(statement);
	}
	policy_unref(policy);
}

static void clauses_are_taken_out_by_what_tells_them_apart(void **state)
{
	static const struct {
		enum policy_kind kind;
		const char *name, *names, *wanted;
	} cases[] = {
		{POLICY_KIND_RULE, "a", "user source", "rule a { zone guest server relay }"},
		{POLICY_KIND_RULE, "b", "disabled",
			"rule b { zone guest user any verdict answer 554 \"no\" }"},
		{POLICY_KIND_RULE, "c", "limit rate per user user",
			"rule c { zone guest server relay limit flows 3 }"},
		{POLICY_KIND_ZONE, "guest",
			"interface br-guest limit flows per user limit rate per client "
			"unauthenticated identity",
			"zone guest { interface \"lease\" network 192.0.2.0/24 limit flows 50 }"},
		{POLICY_KIND_ZONE, "guest", "limit flows network",
			"zone guest { interface \"br-guest\", \"lease\" identity mac limit flows 5 "
			"per "
			"user limit rate 30/minute per client { block 1h } unauthenticated answer "
			"421 "
			"\"no limit { here }\" }"},
		{POLICY_KIND_SERVER, "relay",
			"host 203.0.113.10 port 2525 mx MAIL.example.net deadline first probe",
			"server relay { host 203.0.113.10 port 25 deadline connect 3s }"},
		{POLICY_KIND_DEVICE, "till", "group",
			"device till { zone guest mac 02:00:5e:00:53:09 user \"till\" }"},
	};
	struct policy *policy = policy_of_text(text, NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t index = (size_t)language_find(policy, cases[i].kind, cases[i].name);
		char *wrong;
		bool absent;
		char *statement = language_clause_unset(
			policy, cases[i].kind, index, cases[i].names, &wrong, &absent);
		if (!statement)
			fail_msg("%s: %s", cases[i].names, wrong);
		char *shown = after(policy, cases[i].kind, cases[i].name, statement);
		assert_string_equal(shown, cases[i].wanted);
		free(shown);
		free(statement);
	}
	policy_unref(policy);
}

static void what_is_not_there_or_not_named_in_full_is_said(void **state)
{
	static const struct {
		enum policy_kind kind;
		const char *name, *names;
		bool absent;
		const char *said;
	} cases[] = {
		{POLICY_KIND_RULE, "a", "group", true, "rule a has no group"},
		{POLICY_KIND_RULE, "a", "nonsense", true, "rule a has no nonsense"},
		{POLICY_KIND_ZONE, "guest", "interface", false,
			"which interface? expected interface br-guest, or interface lease"},
		{POLICY_KIND_ZONE, "guest", "interface eth0", true,
			"zone guest has no interface eth0"},
		{POLICY_KIND_ZONE, "guest", "limit rate", false,
			"which limit rate? expected limit rate per client"},
		{POLICY_KIND_ZONE, "guest", "limit sessions", true,
			"zone guest has no limit sessions"},
		{POLICY_KIND_SERVER, "relay", "host", false,
			"which host? expected host 203.0.113.10 port 25, or host 203.0.113.10 port "
			"2525"},
		{POLICY_KIND_SERVER, "relay", "host 203.0.113.12", true,
			"server relay has no host 203.0.113.12 port 25"},
		{POLICY_KIND_SERVER, "relay", "deadline", false,
			"which deadline? expected deadline first, or deadline connect"},
	};
	struct policy *policy = policy_of_text(text, NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t index = (size_t)language_find(policy, cases[i].kind, cases[i].name);
		char *wrong;
		bool absent;
		char *statement = language_clause_unset(
			policy, cases[i].kind, index, cases[i].names, &wrong, &absent);
		assert_null(statement);
		assert_non_null(wrong);
		assert_string_equal(wrong, cases[i].said);
		assert_int_equal(absent, cases[i].absent);
		free(wrong);
	}
	policy_unref(policy);
}

static void what_goes_is_told_clause_by_clause(void **state)
{
	(void)state;
	char *gone = language_clause_gone("rule a { zone guest user any server relay }",
		"rule a { zone guest server relay }", POLICY_KIND_RULE);
	assert_string_equal(gone, "user any\n");
	free(gone);
	gone = language_clause_gone("server s { host 203.0.113.1 deadline first 5s idle 1h }",
		"server s { host 203.0.113.1 port 26 deadline first 5s }", POLICY_KIND_SERVER);
	assert_string_equal(gone, "host 203.0.113.1\ndeadline idle 1h\n");
	free(gone);
	gone = language_clause_gone("zone z { interface \"a\", \"b\" }", "", POLICY_KIND_ZONE);
	assert_string_equal(gone, "interface \"a\"\ninterface \"b\"\n");
	free(gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_clause_is_set_and_all_else_stays),
		cmocka_unit_test(clauses_are_taken_out_by_what_tells_them_apart),
		cmocka_unit_test(what_is_not_there_or_not_named_in_full_is_said),
		cmocka_unit_test(what_goes_is_told_clause_by_clause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
