/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/help.h"

#include <jansson.h>
#include <string.h>

static bool is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0;
}

bool help_is_asked(const char *const *words, size_t nwords)
{
	return is_help(words[0]) || (nwords == 2 && is_help(words[1]));
}

void help_show(FILE *out)
{
	fputs("usage: posternctl [-j] [--run DIR] [--queue DIR] [--wait 30s] [-b FILE|-] NOUN VERB "
	      "...\n\n",
		out);
	for (size_t i = 0; verb_nouns[i]; i++)
		fprintf(out, "  %-10s %s\n", verb_nouns[i]->name, verb_nouns[i]->help);
	fputs("\nposternctl NOUN help shows a noun's verbs; NOUN alone is its first verb\n", out);
}

static void show_noun(const struct verb_noun *noun)
{
	char usage[VERB_TEXT_SIZE];
	printf("%s: %s\n", noun->name, noun->help);
	for (const struct verb *verb = noun->verbs; verb->name; verb++)
		if (!(verb->traits & VERB_HIDDEN))
			printf("  posternctl %s\n      %s\n", verb_usage(noun, verb, usage),
				verb->help);
}

static json_t *part_json(const struct verb_part *part)
{
	static const char *const kinds[] = {[VERB_ARGUMENT] = "argument",
		[VERB_KEYWORD] = "keyword",
		[VERB_OPTION] = "option",
		[VERB_REST] = "rest"};
	return json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:b, s:b, s:b, s:b, s:i}", "kind",
		kinds[part->kind], "name", part->name, "value", part->value, "type",
		part->value ? verb_value_names[part->type] : NULL, "needed",
		(part->flags & VERB_NEEDED) != 0, "alone", (part->flags & VERB_ALONE) != 0, "many",
		(part->flags & VERB_MANY) != 0, "empty", (part->flags & VERB_EMPTY) != 0, "first",
		(part->flags & VERB_FIRST) != 0, "group", (int)part->group);
}

static json_t *verb_json(const struct verb_noun *noun, const struct verb *verb)
{
	char usage[VERB_TEXT_SIZE];
	json_t *parts = json_array();
	for (const struct verb_part *part = verb->parts; part && part->kind; part++)
		json_array_append_new(parts, part_json(part));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:o}", "noun",
		noun->name, "verb", verb->name, "usage", verb_usage(noun, verb, usage), "help",
		verb->help, "changes", (verb->traits & VERB_CHANGES) != 0, "edits",
		(verb->traits & VERB_EDITS) != 0, "local", (verb->traits & VERB_LOCAL) != 0, "text",
		(verb->traits & VERB_PLAIN) != 0, "session_socket",
		(verb->traits & VERB_AT_SESSION) != 0, "desk_socket",
		(verb->traits & VERB_AT_DESK) != 0, "secret", (verb->traits & VERB_SECRET) != 0,
		"parts", parts);
}

static void show_json(const struct verb_noun *only)
{
	json_t *all = json_array();
	for (size_t i = 0; verb_nouns[i]; i++)
		for (const struct verb *verb = verb_nouns[i]->verbs; verb->name; verb++)
			if ((!only || only == verb_nouns[i]) && !(verb->traits & VERB_HIDDEN))
				json_array_append_new(all, verb_json(verb_nouns[i], verb));
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

int help_run(struct call *call, const char *const *words, size_t nwords)
{
	const char *word = !is_help(words[0]) ? words[0] : nwords > 1 ? words[1] : NULL;
	const struct verb_noun *noun = word ? verb_find_noun(word) : NULL;
	struct verb_error error;
	if (word && !noun) {
		verb_no_such_noun(word, &error);
		return call_fail(call, OUTCOME_USAGE, &error, "%s", error.text);
	}
	if (call->json)
		show_json(noun);
	else if (noun)
		show_noun(noun);
	else
		help_show(stdout);
	return CONNECTION_DONE;
}
