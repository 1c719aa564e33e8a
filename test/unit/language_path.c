/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `path kernel`: what it makes of defaults, what it cannot stand beside, and what is warned of. */
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUEST   "zone guest { interface e0 }\n"
#define K(more) "server k { host 203.0.113.10; host 2001:db8:9::10; path kernel; " more " }\n"
#define RULE    "rule r { zone guest server k }\n"
#define BAD     "expected"

static bool is_own(void *context, const struct addr *addr)
{
	static const uint8_t own[] = {198, 51, 100, 1};

	(void)context;
	return addr->family == ADDR_IP4 && memcmp(addr->bytes, own, sizeof(own)) == 0;
}

static struct policy *parse(const char *text, bool lenient, struct language_diagnosis *diagnosis)
{
	const struct language_world world = {.own_address = is_own, .lenient = lenient};

	return language_parse("conf", text, strlen(text), &world, diagnosis);
}

static struct policy *good(const char *text)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, false, &diagnosis);

	if (!policy)
		fail_msg("%s\n%s", text, language_first_error(&diagnosis));
	language_diagnosis_fini(&diagnosis);
	return policy;
}

/* The text from a place on. */
static const char *text_at(const char *text, const struct policy_place *place)
{
	for (uint32_t line = 1; line < place->line; line++)
		text = strchr(text, '\n') + 1;
	return text + place->column - 1;
}

static void test_defaults_by_path(void **state)
{
	static const struct {
		const char *words;
		enum policy_path path;
		enum policy_bind bind;
		bool probe;
		uint32_t every_s;
	} cases[] = {
		{"", POLICY_PATH_RELAY, POLICY_BIND_GATEWAY, true, 30},
		{"path relay", POLICY_PATH_RELAY, POLICY_BIND_GATEWAY, true, 30},
		{"path kernel", POLICY_PATH_KERNEL, POLICY_BIND_CLIENT, true, 5},
		{"path kernel probe smtp", POLICY_PATH_KERNEL, POLICY_BIND_CLIENT, true, 5},
		{"probe smtp every 9s path kernel", POLICY_PATH_KERNEL, POLICY_BIND_CLIENT, true,
			9},
		{"path kernel probe none", POLICY_PATH_KERNEL, POLICY_BIND_CLIENT, false, 5},
		{"bind gateway path kernel", POLICY_PATH_KERNEL, POLICY_BIND_GATEWAY, true, 5},
		{"path kernel bind client", POLICY_PATH_KERNEL, POLICY_BIND_CLIENT, true, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "server k { host 203.0.113.10 %s }", cases[i].words);
		struct policy *policy = good(text);
		const struct policy_server *server = &policy->servers[0];
		if (server->path != cases[i].path || server->bind != cases[i].bind ||
			server->probe != cases[i].probe ||
			server->probe_every_s != cases[i].every_s)
			fail_msg("%s: path %d bind %d probe %d every %u", cases[i].words,
				server->path, server->bind, server->probe, server->probe_every_s);
		policy_unref(policy);
	}
}

static void test_it_is_printed_as_it_was_written_and_in_full(void **state)
{
	static const struct {
		const char *text, *canonical, *full;
	} cases[] = {
		{"server k { path kernel host 203.0.113.10 comment \"c\" tls none }",
			"server k {\n    host 203.0.113.10\n    path kernel\n    tls none\n"
			"    comment \"c\"\n}\n",
			"server k {\n    host 203.0.113.10 port 25 preference 10 weight 1\n"
			"    bind client\n    announce none\n    probe smtp every 5s\n"
			"    deadline first 25s connect 5s greeting 15s idle 15m command 15s\n"
			"    path kernel\n    tls none\n    comment \"c\"\n}\n"},
		{"server k { host 203.0.113.10 path relay }",
			"server k {\n    host 203.0.113.10\n    path relay\n}\n",
			"server k {\n    host 203.0.113.10 port 25 preference 10 weight 1\n"
			"    bind gateway\n    announce none\n    probe smtp every 30s\n"
			"    deadline first 25s connect 5s greeting 15s idle 15m command 15s\n"
			"    trace on\n    path relay\n}\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *policy = good(cases[i].text);
		char *canonical = language_print_server(policy, 0, LANGUAGE_PRINT_CANONICAL);
		char *full = language_print_server(policy, 0, LANGUAGE_PRINT_FULL);
		assert_string_equal(canonical, cases[i].canonical);
		assert_string_equal(full, cases[i].full);
		free(canonical);
		free(full);
		policy_unref(policy);
	}
}

/* What is told of a policy can be applied: no default becomes a word that is refused. */
static void test_all_defaults_told_are_a_policy(void **state)
{
	static const char text[] = "zone other { interface e1 }\n" GUEST K(
		"") "server s { host 203.0.113.12 }\nrule o { zone other server s }\n" RULE;
	struct language_diagnosis diagnosis;
	struct policy *policy = good(text);
	char *full = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	struct policy *again = parse(full, false, &diagnosis);

	(void)state;
	assert_non_null(again);
	assert_int_equal(diagnosis.n, 0);
	assert_null(strstr(full, "limit flows 8000"));
	/* the other zone's is told */
	char *one = strstr(full, "limit flows 1000 per client");
	assert_non_null(one);
	assert_null(strstr(one + 1, "limit flows 1000 per client"));
	language_diagnosis_fini(&diagnosis);
	policy_unref(again);
	policy_unref(policy);
	free(full);
}

/* at: how the text begins at the place that is said. */
static const struct {
	const char *text, *at, *says;
} errors[] = {
	{K("announce proxy-v1"), "proxy-v1", "tells it nothing of its clients; expected"},
	{K("announce proxy-v2"), "proxy-v2", BAD},
	{K("announce xclient { login off }"), "xclient", BAD},
	{K("account \"a\" { secret file \"/s\" insecure }"), "account",
		"logs in nowhere; expected"},
	{K("tls offer"), "tls offer", "speaks no TLS; expected"},
	{K("tls require"), "tls require", BAD},
	{K("host 203.0.113.11 { tls offer }"), "tls offer", BAD},
	{"server k { host 203.0.113.10 path kernel bind 198.51.100.1 }", "198.51.100.1",
		"expected `bind client` or `bind gateway`"},
	{K("limit flows 500"), "limit flows 500", "`limit flows N per client` at rules"},
	{K("host 203.0.113.11 { limit flows 5 }"), "203.0.113.11", "`limit flows N per client`"},
	/* hosts that are the gateway */
	{"server k { host 127.0.0.1 port 2525 path kernel }", "127.0.0.1", "is the gateway itself"},
	{"server k { host 127.8.9.1 path kernel bind gateway }", "127.8.9.1",
		"is the gateway itself"},
	{"server k { host ::1 port 26 path kernel }", "::1", "is the gateway itself"},
	{"server k { host 203.0.113.9; host 198.51.100.1 port 2525; path kernel }", "198.51.100.1",
		"is the gateway itself"},
	{"server k { host localhost path kernel }", "localhost", "is the gateway itself"},
	{"server k { host LocalHost. port 2525 path kernel }", "LocalHost.",
		"is the gateway itself"},
	{"server k { host fe80::1 path kernel }", "fe80::1", "expected an address that is routed"},
	{"server k { host 169.254.7.1 path kernel }", "169.254.7.1",
		"expected an address that is routed"},
	/* messages */
	{GUEST K("") "rule r { zone guest sender \"@a.example\" server k }", "sender",
		"has messages read; expected a server with `path relay`"},
	{GUEST K("") "rule r { zone guest recipient \"@a.example\" server k }", "recipient", BAD},
	{GUEST K("") "rule r { zone guest tls any server k }", "tls any", BAD},
	{GUEST K("") "scan v { clamav \"/c\" } rule r { zone guest server k scan v }", "scan v }",
		BAD},
	{GUEST K("") "rule r { zone guest server k limit size 5m }", "limit size", BAD},
	{GUEST K("") "rule r { zone guest server k limit messages 5/hour per user }",
		"limit messages", BAD},
	{GUEST K("") "rule r { zone guest server k limit recipients 5 per message }",
		"limit recipients", BAD},
	{"zone guest { interface e0 level message }\n" K("") RULE, "k }",
		"zone guest has `level message`"},
	{"zone guest { interface e0 newline strict }\n" K("") RULE, "k }",
		"zone guest has `newline`"},
	{"zone guest { interface e0 limit size 5m }\n" K("") RULE, "k }",
		"zone guest has `limit size`"},
	{"zone guest { interface e0 limit size 5m }\n" K(
		 "") "rule r { zone guest server k limit none }",
		"k limit none", "zone guest has `limit size`"},
	{GUEST "zone read { interface e1 level message }\n" K("") "rule r { server k }", "k }",
		"zone read has `level message`"},
	/* limits */
	{GUEST K("") "rule r { zone guest server k limit flows 5 per user }",
		"limit flows 5 per user", "expected `limit flows N per client`"},
	{GUEST K("") "rule r { zone guest server k limit flows 5 }", "limit flows 5 }", BAD},
	{GUEST K("") "rule r { zone guest server k limit rate 5/minute per client }", "limit rate",
		BAD},
	{GUEST K("") "rule r { zone guest server k limit flows 5 per client limit rate 5/hour }",
		"limit rate", BAD},
	{"zone guest { interface e0 limit flows 5 per client }\n" K("") RULE, "k }",
		"zone guest has `limit flows 5 per client`, which the kernel does not count; "
		"expected `limit none` or `limit flows N per client` at the rule"},
	{"zone guest { interface e0 limit flows 50 }\n" K(
		 "") "rule r { zone guest server k limit flows 5 per client }",
		"k limit", "zone guest has `limit flows 50`"},
	{"zone guest { interface e0 limit rate 20/minute per client }\n" K("") RULE, "k }",
		"zone guest has `limit rate 20/minute per client`"},
	{GUEST "zone other { interface e1 limit flows 9 per user }\n" K("") "rule r { server k }",
		"k }", "zone other has `limit flows 9 per user`"},
	{"limit flows 8000\n" GUEST K("") RULE, "limit flows 8000",
		"`limit flows` counts no flow that the kernel leads"},
	/* where the gateway talks to the server */
	{"listener l { address 203.0.113.1 }\n" K(
		 "") "rule r { listener l source 192.0.2.0/24 server k }",
		"k }", "is for listeners"},
	{"domain d { name \"a.example\" server k }\n" K(""), "k }", "mail to domain d is read"},
	{"listener l { address 203.0.113.1 }\ndomain d { name \"a.example\" server k }\n" K(
		 "") "rule r { listener l recipient protected server protected }",
		"k }", "mail to domain d is read"},
	{"auth a { forward k }\n" K(""), "k }", "the gateway talks to this server"},
	/* and what is no such word */
	{"server k { host 203.0.113.10 path }", "}", "kernel"},
	{"server k { host 203.0.113.10 path kernal }", "kernal", "kernel"},
	{"server k { host 203.0.113.10 path relay path kernel }", "path kernel", "twice"},
};

static void test_what_it_cannot_stand_beside_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct language_diagnosis diagnosis;
		bool said = false;
		if (parse(errors[i].text, false, &diagnosis))
			fail_msg("%s: taken", errors[i].text);
		for (size_t j = 0; j < diagnosis.n && !said; j++)
			said = strstr(diagnosis.v[j].text, "error: ") &&
			       strstr(diagnosis.v[j].text, errors[i].says) &&
			       strncmp(text_at(errors[i].text, &diagnosis.v[j].place), errors[i].at,
				       strlen(errors[i].at)) == 0;
		if (!said || diagnosis.errors != 1)
			fail_msg("%s: %zu errors, %s", errors[i].text, diagnosis.errors,
				language_first_error(&diagnosis));
		language_diagnosis_fini(&diagnosis);
	}
}

static void test_what_it_can_stand_beside(void **state)
{
	static const char *const texts[] = {
		K("tls none announce none"),
		GUEST K("") "rule r { zone guest server k limit flows 5 per client }",
		GUEST K("") "rule r { zone guest server k limit none }",
		GUEST K("") "rule r { zone guest server k scan none audit off }",
		"zone guest { interface e0 limit flows 9 per client }\n" K(
			"") "rule r { zone guest server k limit flows 5 per client }",
		"zone guest { interface e0 limit flows 9 per user limit rate 9/hour }\n" K(
			"") "rule r { zone guest server k limit none }",
		"zone guest { interface e0 limit sessions 3 per user on-failure open }\n" K("")
			RULE,
		/* other rules, other zones, rules that are off, nobody */
		GUEST "zone read { interface e1 level message limit flows 5 }\n" K("") RULE,
		GUEST "server s { host 203.0.113.12 }\n" K(
			"") "rule q { zone guest sender \"@a.example\" server s }\n" RULE,
		"zone guest { interface e0 level message }\n" K(
			"") "rule r { zone guest server k limit rate 5/hour disabled }",
		"limit flows 9\n" GUEST K(""),
		/* names that are no words here */
		"zone kernel { interface e0 }\nserver relay { host 203.0.113.10 path kernel }\n"
		"server path { host 203.0.113.11 path relay }\n"
		"rule kernel { zone kernel server relay }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		policy_unref(good(texts[i]));
}

static void test_what_has_no_effect_is_warned_of(void **state)
{
	static const struct {
		const char *text, *at, *says; /* says NULL: nothing at all is said */
	} cases[] = {
		{K(""), NULL, NULL},
		{K("deadline first 25s connect 5s"), NULL, NULL},
		{K("bind client"), NULL, NULL},
		{K("trace on"), "trace on", "`trace` has no effect"},
		{K("trace off"), "trace off", "`trace` has no effect"},
		{K("deadline connect 9s"), "deadline", "`deadline` has no effect"},
		{K("bind gateway"), "gateway", "one address for all clients"},
		{K("probe none"), "none", "nobody sees that a host is down"},
		{"server k { host 203.0.113.10 path kernel }", "path kernel",
			"only IPv4 hosts: with `bind client`"},
		{"server k { host 203.0.113.10 path kernel bind client }", "client",
			"only IPv4 hosts: with `bind client`"},
		{"zone guest { interface e0 network 203.0.113.0/28 }\n" K(""), "203.0.113.10",
			"it sees the gateway's address in place of those of clients there"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct language_diagnosis diagnosis;
		bool said = false;
		struct policy *policy = parse(cases[i].text, false, &diagnosis);
		assert_non_null(policy);
		for (size_t j = 0; j < diagnosis.n && cases[i].says && !said; j++)
			said = strstr(diagnosis.v[j].text, "warning: ") &&
			       strstr(diagnosis.v[j].text, cases[i].says) &&
			       strncmp(text_at(cases[i].text, &diagnosis.v[j].place), cases[i].at,
				       strlen(cases[i].at)) == 0;
		if (cases[i].says ? !said : diagnosis.n > 0)
			fail_msg("%s: %s", cases[i].text,
				diagnosis.n ? diagnosis.v[0].text : "nothing");
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

/* An address may become the gateway's own under a policy that runs. */
static void test_a_stored_policy_starts_with_a_host_of_our_own(void **state)
{
	struct language_diagnosis diagnosis;
	struct policy *policy =
		parse("server k { host 198.51.100.1 path kernel }", true, &diagnosis);

	(void)state;
	assert_non_null(policy);
	assert_non_null(strstr(diagnosis.v[0].text, "is the gateway itself"));
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_by_path),
		cmocka_unit_test(test_it_is_printed_as_it_was_written_and_in_full),
		cmocka_unit_test(test_all_defaults_told_are_a_policy),
		cmocka_unit_test(test_what_it_cannot_stand_beside_is_an_error),
		cmocka_unit_test(test_what_it_can_stand_beside),
		cmocka_unit_test(test_what_has_no_effect_is_warned_of),
		cmocka_unit_test(test_a_stored_policy_starts_with_a_host_of_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
