/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy of the message level is refused by the name of what is not built yet, at its place; and
 * the words of that level are names as before. */
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/policy_text.h"

#define ZONE(inside)   "zone guest { interface e0 " inside " }"
#define SERVER(inside) "server s { host 203.0.113.1 " inside " }"
#define RULE(inside)   "rule r { zone guest " inside " server s }"

/* On line 2. What is said beside it is of names that are not there. */
static bool is_said(const struct language_diagnosis *diagnosis, const char *want)
{
	for (size_t i = 0; i < diagnosis->n; i++)
		if (strstr(diagnosis->v[i].text, want) && diagnosis->v[i].place.line == 2)
			return true;
	return false;
}

static void test_what_is_not_built_is_named_with_its_place(void **state)
{
	static const struct {
		const char *text, *word;
	} lines[] = {
		{SERVER("{ bind 203.0.113.7 }"), "bind"},
		{RULE("schedule not sun"), "not"},
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
		if (!is_said(&diagnosis, want))
			fail_msg("%s: %zu errors, %s", lines[i].text, diagnosis.errors,
				diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
	}
}

static void test_its_words_are_names_and_strings_as_before(void **state)
{
	static const char *const words[] = {"listener", "domain", "certificate", "auth", "scan",
		"radius", "portal", "tls", "account", "sender", "level", "newline", "path", "trace",
		"block", "mail", "messages", "names", "command", "tagged", "auto", "connection",
		"flow", "message", "recipients", "repair", "strict", "milter", "clamav", "mode",
		"stream", "whole", "tempfail", "quarantine", "class", "cui", "end", "from",
		"ignore", "nas", "restart", "skew", "ssid", "timeout", "wlan", "reauthenticate",
		"over", "refuse", "replace"};
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *w = words[i];
		char text[512];
		snprintf(text, sizeof(text),
			"zone %s { interface %s comment %s } server %s { host %s }\n"
			"rule %s { zone %s user %s group %s server %s }\n",
			w, w, w, w, w, w, w, w, w, w);
		policy_unref(policy_of_text(text, NULL));
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
