/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the command line as a statement of the language. */
#include "daemon/control/policy/edit/edit_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void words_get_back_the_quotes_that_the_shell_took(void **state)
{
	(void)state;
	static const struct {
		const char *name, *words[8], *statement;
	} cases[] = {
		{"a", {"user", "any", "server", "relay"}, "rule a { user any server relay }"},
		{"a", {"user", "ann@example.org,bob"}, "rule a { user \"ann@example.org\", bob }"},
		{"a", {"verdict", "answer", "554", "go, away"},
			"rule a { verdict answer 554 \"go, away\" }"},
		{"a", {"comment", ""}, "rule a { comment \"\" }"},
		{"a", {"comment", "\"quoted\""}, "rule a { comment \"quoted\" }"},
		{"a", {"comment", "say \"x\" \\ y"}, "rule a { comment \"say \\\"x\\\" \\\\ y\" }"},
		{"a", {"user", "}"}, "rule a { user \"}\" }"},
		{"a", {"user", "#x"}, "rule a { user \"#x\" }"},
		{"a", {"source", "02:00:5e:00:53:07,2001:db8::/64"},
			"rule a { source 02:00:5e:00:53:07, 2001:db8::/64 }"},
		{"a b", {"user", "any"}, "rule \"a b\" { user any }"},
		{"a", {"user any server relay"}, "rule a { user any server relay }"},
		{"a", {"user", "{"}, "rule a { user \"{\" }"},
		{"a", {"limit", "rate", "9/hour", "{", "block", "1h", "}"},
			"rule a { limit rate 9/hour { block 1h } }"},
		{"a", {"tls", "verified", "mx.example,b@c.example"},
			"rule a { tls verified mx.example, \"b@c.example\" }"},
		{"a", {"account", "4711@isp.example", "{", "secret", "file", "/s", "}"},
			"rule a { account \"4711@isp.example\" { secret file /s } }"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = 0;
		while (cases[i].words[n])
			n++;
		char *text = edit_statement(&(struct edit){.kind = POLICY_KIND_RULE,
			.name = cases[i].name,
			.words = cases[i].words,
			.nwords = n});
		assert_string_equal(text, cases[i].statement);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_get_back_the_quotes_that_the_shell_took)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
