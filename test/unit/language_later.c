/* A policy of the message level is refused by the name of what is not built yet, at its place; and
 * the words of that level are names as before. */
#include "lib/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ZONE(inside)   "zone guest { interface e0 " inside " }"
#define SERVER(inside) "server s { host 203.0.113.1 " inside " }"
#define RULE(inside)   "rule r { zone guest " inside " server s }"

static void test_what_is_not_built_is_named_with_its_place(void **state)
{
	static const struct {
		const char *text, *word;
	} lines[] = {
		{"listener inbound { address 203.0.113.1 port 25 tls offer { certificate mail } }",
			"listener"},
		{"domain hotel { name \"hotel.example\" server inside recipient people }",
			"domain"},
		{"certificate mail { file \"/etc/mail.pem\" key \"/etc/mail.key\" }",
			"certificate"},
		{"auth staff { ldap \"ldaps://l.example\" { base \"dc=x\" filter \"(uid=%u)\" } }",
			"auth"},
		{"scan virus { clamav \"/run/clamd.ctl\" }", "scan"},
		{"radius r { listen 203.0.113.1 port 1813 }", "radius"},
		{"portal p { zone guest name \"login.example\" }", "portal"},
		{ZONE("level message"), "level"},
		{ZONE("newline repair"), "newline"},
		{ZONE("tls offer"), "tls"},
		{ZONE("reauthenticate 1h"), "reauthenticate"},
		{ZONE("on-link-down end"), "on-link-down"},
		{ZONE("limit messages 5/hour per user"), "messages"},
		{ZONE("limit recipients 200/hour per user"), "recipients"},
		{ZONE("limit size 30m"), "size"},
		{ZONE("limit rate 20/day per client"), "20/day"},
		{ZONE("limit sessions 2 per user { over replace }"), "over"},
		{SERVER("{ tls verify }"), "tls"},
		{SERVER("{ bind 203.0.113.7 }"), "bind"},
		{SERVER("tls verify \"mx.example\""), "tls"},
		{SERVER("account \"hotel\" { secret file \"/etc/s\" }"), "account"},
		{SERVER("trace off"), "trace"},
		{SERVER("path kernel"), "path"},
		{SERVER("announce xclient { login tagged }"), "tagged"},
		{SERVER("deadline command 15s"), "command"},
		{RULE("listener inbound"), "listener"},
		{RULE("sender own"), "sender"},
		{RULE("recipient protected"), "recipient"},
		{RULE("tls any"), "tls"},
		{RULE("scan virus"), "scan"},
		{RULE("limit none"), "limit"},
		{RULE("user none"), "none"},
		{RULE("destination protected"), "protected"},
		{RULE("schedule not sun"), "not"},
		{"rule r { user any server protected }", "protected"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct language_diagnosis diagnosis;
		char text[512], want[128];
		/* on a line of its own, between others that are good */
		snprintf(text, sizeof(text), "hostname gw\n%s\ndrain 5s\n", lines[i].text);
		assert_null(language_parse("conf", text, strlen(text), NULL, &diagnosis));
		snprintf(want, sizeof(want), "\"%s\" is not built yet in this version",
			lines[i].word);
		if (!diagnosis.n || !strstr(diagnosis.v[0].text, want) || diagnosis.errors != 1)
			fail_msg("%s: %zu errors, %s", lines[i].text, diagnosis.errors,
				diagnosis.n ? diagnosis.v[0].text : "");
		assert_int_equal(diagnosis.v[0].place.line, 2);
		language_diagnosis_fini(&diagnosis);
	}
}

static void test_its_words_are_names_and_strings_as_before(void **state)
{
	static const char *const words[] = {"listener", "domain", "certificate", "auth", "scan",
		"radius", "portal", "tls", "account", "sender", "level", "newline", "path", "trace",
		"block", "mail", "messages", "names", "command", "tagged"};
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct language_diagnosis diagnosis;
		const char *w = words[i];
		char text[512];
		snprintf(text, sizeof(text),
			"zone %s { interface %s comment %s } server %s { host %s }\n"
			"rule %s { zone %s user %s group %s server %s }\n",
			w, w, w, w, w, w, w, w, w, w);
		struct policy *policy =
			language_parse("conf", text, strlen(text), NULL, &diagnosis);
		if (!policy)
			fail_msg("%s: %s", w, diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

static void test_other_mistakes_are_what_they_were(void **state)
{
	static const char *const lines[] = {"zone guest { interfase e0 }",
		"zone guest { interface }", "rule r { user }", "lisener x { }",
		"server s { host 203.0.113.1 { port 25 } }",
		"zone tls { interface e0 listener x }"};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct language_diagnosis diagnosis;
		assert_null(language_parse("conf", lines[i], strlen(lines[i]), NULL, &diagnosis));
		assert_null(strstr(diagnosis.v[0].text, "not built"));
		assert_non_null(strstr(diagnosis.v[0].text, "unexpected"));
		language_diagnosis_fini(&diagnosis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_built_is_named_with_its_place),
		cmocka_unit_test(test_its_words_are_names_and_strings_as_before),
		cmocka_unit_test(test_other_mistakes_are_what_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
