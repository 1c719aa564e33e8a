/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be typed: the table itself, and the reading of words by it. */
#include "lib/command/verb.h"
#include "lib/base/text.h"

#include "daemon/control/commands/nouns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 64

/* Splits at blanks; `''` is an empty word. */
static size_t split(char *line, const char *words[static WORDS_MAX])
{
	size_t n = 0;
	for (char *at = strtok(line, " "); at; at = strtok(NULL, " "))
		words[n++] = strcmp(at, "''") == 0 ? "" : at;
	return n;
}

static int read_line(const char *line, struct verb_words *out, struct verb_error *error)
{
	static char copy[1024];
	const char *words[WORDS_MAX];
	snprintf(copy, sizeof(copy), "%s", line);
	size_t n = split(copy, words);
	const struct verb_noun *noun = verb_find_noun(words[0]);
	assert_non_null(noun);
	bool alone = verb_is_noun(noun);
	const struct verb *verb = alone ? noun->verbs : verb_find(noun, words[1]);
	assert_non_null(verb);
	return verb_read(verb, words + (alone ? 1 : 2), n - (alone ? 1 : 2), out, error);
}

static void what_is_given_stands_by_its_name(void **state)
{
	static const struct {
		const char *line, *name, *value;
	} cases[] = {
		{"policy apply --confirm 60s -", "--confirm", "60s"},
		{"policy apply - --confirm=60s", "--confirm", "60s"},
		{"policy apply - --confirm=60s", "FILE|-", "-"},
		{"policy apply", "FILE|-", NULL},
		{"policy apply -- --confirm", "FILE|-", "--confirm"},
		{"list import L --dry-run /x", "FILE|-", "/x"},
		{"list import --dry-run L /x", "NAME", "L"},
		{"list show match", "NAME", "match"},
		{"list show match match 192.0.2.1", "match", "192.0.2.1"},
		{"list add L 192.0.2.1 2001:db8::/64 timeout 2h", "timeout", "2h"},
		{"rule add first last zone z server s", "NAME", "first"},
		{"rule add x before before zone z server s", "before", "before"},
		{"session login zone zone z", "USER", "zone"},
		{"session show d3", "ID", "d3"},
		{"session show zone d3", "zone", "d3"},
		{"session logout user --keep-flows", "user", "--keep-flows"},
		{"flow kill user alice server relay", "server", "relay"},
		{"audit show user alice", "user", "alice"},
		{"audit show f-7k3q9", "ID", "f-7k3q9"},
		{"message show f-7k3q9.2", "ID", "f-7k3q9.2"},
		{"message show f-7k3q9", "ID", "f-7k3q9"},
		{"message show queue limit", "queue", "limit"},
		{"policy diff file", "file", "file"},
		{"policy diff 7", "N", "7"},
		{"log level debug", "error|warning|info|debug", "debug"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verb_words words;
		struct verb_error error;
		if (read_line(cases[i].line, &words, &error) != 0)
			fail_msg("%s: %s", cases[i].line, error.text);
		const char *value = verb_value(&words, cases[i].name);
		if (cases[i].value ? !value || strcmp(value, cases[i].value) != 0 : value != NULL)
			fail_msg("%s: %s is %s", cases[i].line, cases[i].name,
				value ? value : "absent");
		verb_words_fini(&words);
	}
}

static void values_of_one_part_stand_together_as_typed(void **state)
{
	struct verb_words words;
	struct verb_error error;
	size_t n;
	(void)state;
	assert_int_equal(read_line("session login u address 192.0.2.1 zone z address 192.0.2.2 mac "
				   "02:00:5e:00:53:01 address 192.0.2.3",
				 &words, &error),
		0);
	const char *const *values = verb_values(&words, "address", &n);
	assert_int_equal(n, 3);
	assert_string_equal(values[0], "192.0.2.1");
	assert_string_equal(values[2], "192.0.2.3");
	verb_words_fini(&words);
	assert_int_equal(read_line("rule add x first zone first server match -- comment --why",
				 &words, &error),
		0);
	values = verb_values(&words, "STATEMENT", &n);
	assert_int_equal(n, 6);
	assert_string_equal(values[1], "first");
	assert_string_equal(values[5], "--why");
	verb_words_fini(&words);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *said, *near;
	} cases[] = {
		{"policy apply --confrim", "no such option", "--confirm"},
		{"policy apply --confrim=10s -", "no such option \"--confrim\"", "--confirm"},
		{"policy apply --confirm", "a value is expected behind --confirm", NULL},
		{"policy apply --confirm= -", "--confirm is empty", NULL},
		{"policy apply --confirm soon -", "a time such as", NULL},
		{"policy apply --confirm 1s --confirm 2s", "given twice", NULL},
		{"policy apply a b", "not expected here", NULL},
		{"policy show --full --source", "not both", NULL},
		{"policy show 0", "a policy's number", NULL},
		{"policy confirm now", "not expected here", NULL},
		{"list import L --dryrun /x", "no such option", "--dry-run"},
		{"list import L --dry-run=yes /x", "takes no value", NULL},
		{"list import L", "FILE|- is missing", NULL},
		{"list import", "NAME is missing", NULL},
		{"list import '' /x", "NAME is empty", NULL},
		{"list add L", "ELEMENT is missing", NULL},
		{"rule add x", "COND... ACTION is missing", NULL},
		{"rule add x first last zone z", "not both", NULL},
		{"rule move x", "first, last, before, after is missing", NULL},
		{"rule delete x y", "not expected here", NULL},
		{"rule delete x -f", "no such option", NULL},
		{"session login u", "zone is missing", NULL},
		{"session login u zone z zone z", "given twice", NULL},
		{"session login u zoen z", "not expected here", "zone"},
		{"session logout", "ID, user, address, mac, zone is missing", NULL},
		{"session logout --keep-flows", "is missing", NULL},
		{"session logout user ''", "user is empty", NULL},
		{"session logout 0", "a session's id", NULL},
		{"session show d0", "a session's id", NULL},
		{"session logout mac 00:00:00:00:00:00", "a MAC", NULL},
		{"explain address 0.0.0.0", "an address", NULL},
		{"explain address ::", "an address", NULL},
		{"session show 7 address 192.0.2.1", "not both", NULL},
		{"flow kill", "is missing", NULL},
		{"flow kill 0", "a flow's id", NULL},
		{"flow kill f-0", "a flow's id", NULL},
		{"flow kill f-", "a flow's id", NULL},
		{"flow kill user ''", "user is empty", NULL},
		{"flow show 0", "a flow's id", NULL},
		{"flow show f-0", "a flow's id", NULL},
		{"explain flow 0", "a flow's id", NULL},
		{"explain", "user, mac, address, flow is missing", NULL},
		{"explain usr alice", "not expected here", "user"},
		{"audit show end server-closd", "an end of flows", "server-closed"},
		{"audit show verdict maybe", "redirect|answer|pass|reject|drop", NULL},
		{"message show f-7k3q9.0", "a message's id", NULL},
		{"message show f-7k3q9.x", "a message's id", NULL},
		{"audit show limit 0", "a number from 1", NULL},
		{"client forget ''", "ADDRESS is empty", NULL},
		{"log level loud", "error|warning|info|debug", NULL},
		{"log level debgu", "error|warning|info|debug", "debug"},
		{"monitor flows", "not expected here", "flow"},
		{"status now", "not expected here", NULL},
		/* a mistyped keyword that could be an id, too */
		{"audit show ende quit", "\"ende\" is not expected here", "end"},
		{"flow kill usr alice", "\"usr\" is not expected here", "user"},
		{"audit show since yesterday 08:00", "in quotes: \"yesterday 08:00\"", NULL},
		{"audit show since 2030-01-31 08:00:30", "\"2030-01-31 08:00:30\"", NULL},
		/* bits behind a network's length */
		{"session login u zone z address 192.0.2.77/24",
			"expected 192.0.2.0/24, the network, or 192.0.2.77, the address alone",
			NULL},
		{"session login u zone z address 192.0.2.1,2001:db8::7/64",
			"expected 2001:db8::/64, the network, or 2001:db8::7, the address alone",
			NULL},
		{"list add L 192.0.2.77/24", "192.0.2.0/24, the network", NULL},
		{"audit show address 2001:db8::7/64", "2001:db8::7, the address", NULL},
		{"client forget 192.0.2.77/31", "192.0.2.76/31, the network", NULL},
		{"bypass on for 0s", "a time such as", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verb_words words;
		struct verb_error error;
		if (read_line(cases[i].line, &words, &error) == 0)
			fail_msg("%s: taken", cases[i].line);
		if (!strstr(error.text, cases[i].said))
			fail_msg("%s: %s", cases[i].line, error.text);
		if (cases[i].near)
			assert_string_equal(error.near, cases[i].near);
	}
}

/* Whatever stands in the table, its rules hold: what is needed is missed, nothing is taken that is
 * not declared, nothing that selects may be empty. */
static void the_table_keeps_its_own_rules(void **state)
{
	(void)state;
	for (size_t i = 0; verb_nouns[i]; i++) {
		for (const struct verb *verb = verb_nouns[i]->verbs; verb->name; verb++) {
			static const char *const strange[] = {"--no-such-option"};
			static const char *const valued[] = {"--no-such-option=1"};
			struct verb_words words;
			struct verb_error error;
			char usage[VERB_TEXT_SIZE];
			assert_int_equal(verb_read(verb, strange, 1, &words, &error), -22);
			assert_int_equal(verb_read(verb, valued, 1, &words, &error), -22);
			assert_true(strlen(verb_usage(verb_nouns[i], verb, usage)) <
				    VERB_TEXT_SIZE - 1);
			size_t n = 0;
			for (const struct verb_part *part = verb->parts; part && part->kind;
				part++, n++) {
				bool dashes = strncmp(part->name, "--", 2) == 0;
				assert_int_equal(dashes, part->kind == VERB_OPTION);
				assert_false(part->kind == VERB_REST && part[1].kind);
			}
			assert_true(n < VERB_PARTS_MAX);
		}
	}
}

/* Each verb that control is to carry out has its function there, and each function its verb. */
static void table_and_functions_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; command_nouns[i]; i++) {
		const struct verb_noun *noun = verb_find_noun(command_nouns[i]->noun);
		assert_non_null(noun);
		for (const struct command_verb *at = command_nouns[i]->verbs; at->verb; at++) {
			const struct verb *verb = noun->verbs;
			while (verb->name && strcmp(verb->name, at->verb) != 0)
				verb++;
			if (!verb->name)
				fail_msg("%s %s is not in the table", noun->name, at->verb);
		}
		for (const struct verb *verb = noun->verbs; verb->name; verb++) {
			const struct command_verb *at = command_nouns[i]->verbs;
			while (at->verb && strcmp(verb->name, at->verb) != 0)
				at++;
			if (!at->verb && !(verb->traits & VERB_LOCAL))
				fail_msg("%s %s has no function", noun->name, verb->name);
		}
	}
}

static void usage_follows_from_the_table(void **state)
{
	static const char *const lines[][3] = {
		{"policy", "apply",
			"policy apply [FILE|-] [--confirm 60s] [--base N|--discard-edits] "
			"[--allow-open] [--allow-empty]"},
		{"rule", "add",
			"rule add NAME [first|last|before X|after X] [--allow-open] COND... "
			"ACTION"},
		{"list", "add", "list add NAME ELEMENT... [timeout 2h]"},
		{"session", "logout",
			"session logout ID|user U|address A|mac M|zone Z "
			"[--keep-flows|--kill-flows]"},
		{"monitor", "", "monitor [flow|session|server|policy|refusal|message]"},
		{"message", "show",
			"message show [ID] [sender S] [recipient R] [user U] [queue Q] "
			"[message-id M] [flow F] [end E] [since 1h] [until T] [limit N|all] "
			"[--whole] "
			"[--columns C,...]"},
		{"log", "level", "log level error|warning|info|debug"},
	};
	char usage[VERB_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const struct verb_noun *noun = verb_find_noun(lines[i][0]);
		const struct verb *verb = *lines[i][1] ? verb_find(noun, lines[i][1]) : noun->verbs;
		assert_string_equal(verb_usage(noun, verb, usage), lines[i][2]);
	}
}

static void names_are_found_and_shortened(void **state)
{
	struct verb_error error;
	(void)state;
	assert_null(verb_find_noun("ru"));
	assert_ptr_equal(verb_short_noun("ru"), verb_find_noun("rule"));
	assert_null(verb_short_noun("se"));
	assert_ptr_equal(verb_find(verb_find_noun("rule"), "list"),
		verb_find(verb_find_noun("rule"), "show"));
	assert_null(verb_find(verb_find_noun("rule"), "de"));
	assert_string_equal(verb_short(verb_find_noun("rule"), "de")->name, "delete");
	assert_null(verb_short(verb_find_noun("rule"), "d"));
	verb_no_such_noun("sesion", &error);
	assert_string_equal(error.near, "session");
	verb_no_such(verb_find_noun("rule"), "delte", &error);
	assert_string_equal(error.near, "delete");
	assert_null(strstr(error.expected, "saved"));
	/* a beginning that is one or several, for who may not shorten */
	verb_no_such_noun("ru", &error);
	assert_string_equal(error.near, "rule");
	verb_no_such_noun("se", &error);
	assert_null(error.near);
	assert_non_null(strstr(error.text, "did you mean \"server\" or \"session\"?"));
	verb_no_such(verb_find_noun("rule"), "d", &error);
	assert_non_null(strstr(error.text, "did you mean \"delete\" or \"disable\"?"));
	verb_no_such_noun("", &error);
	assert_null(strstr(error.text, "did you mean"));
}

static void an_id_is_no_verb(void **state)
{
	(void)state;
	assert_true(verb_is_id(verb_find_noun("audit"), "f-1"));
	assert_true(verb_is_id(verb_find_noun("message"), "f-1.2"));
	assert_true(verb_is_id(verb_find_noun("message"), "f-1"));
	assert_false(verb_is_id(verb_find_noun("audit"), "f-1.2"));
	assert_true(verb_is_id(verb_find_noun("flow"), "f-7k3q9"));
	assert_true(verb_is_id(verb_find_noun("session"), "12"));
	assert_true(verb_is_id(verb_find_noun("session"), "d3"));
	assert_false(verb_is_id(verb_find_noun("audit"), "show"));
	assert_false(verb_is_id(verb_find_noun("audit"), "f-"));
	assert_false(verb_is_id(verb_find_noun("session"), "delete"));
	assert_false(verb_is_id(verb_find_noun("rule"), "f-1"));
	assert_false(verb_is_id(verb_find_noun("counters"), "1"));
}

/* Whatever is typed, and wherever: what comes back of it is short. */
static void long_words_come_back_cut(void **state)
{
	static char word[4096];
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		for (size_t i = 0; i + 3 < sizeof(word); i += 3)
			memcpy(word + i, wide ? "\xe2\x82\xac" : "x=-", 4);
		struct verb_error error;
		verb_no_such_noun(word, &error);
		assert_true(strlen(error.text) < 400);
		for (size_t i = 0; verb_nouns[i]; i++) {
			verb_no_such(verb_nouns[i], word, &error);
			assert_true(strlen(error.text) < 400);
			for (const struct verb *verb = verb_nouns[i]->verbs; verb->name; verb++) {
				const char *words[] = {word, word, word, word};
				struct verb_words given;
				for (size_t n = 1; n <= 4; n++) {
					if (verb_read(verb, words, n, &given, &error) == 0) {
						verb_words_fini(&given);
						continue;
					}
					assert_true(strlen(error.text) < 400);
					for (size_t at = 0, len; error.text[at]; at += len) {
						len = text_character(
							error.text + at, strlen(error.text + at));
						assert_true(len > 0);
					}
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_stands_by_its_name),
		cmocka_unit_test(values_of_one_part_stand_together_as_typed),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(the_table_keeps_its_own_rules),
		cmocka_unit_test(table_and_functions_are_the_same),
		cmocka_unit_test(usage_follows_from_the_table),
		cmocka_unit_test(names_are_found_and_shortened),
		cmocka_unit_test(an_id_is_no_verb),
		cmocka_unit_test(long_words_come_back_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
