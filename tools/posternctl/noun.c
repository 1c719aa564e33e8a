/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/noun.h"
#include "tools/posternctl/file.h"
#include "tools/posternctl/show/help.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct own {
	const char *noun, *verb;
	noun_own *run;
} owns[] = {
	{"policy", "check", policy_check},
	{"policy", "edit", policy_edit},
	{"policy", "save", policy_save},
	{"server", "test", server_test},
	{"auth", "password", auth_password},
	{"auth", "test", auth_test},
	{"bypass", "on", bypass_run},
	{"bypass", "off", bypass_run},
	{"doctor", "", doctor_run},
	{"queue", "show", queue_show},
	{"queue", "hold", queue_hold},
	{"queue", "release", queue_release},
	{"queue", "delete", queue_delete},
	{"queue", "flush", queue_flush},
};

/* The command line as it is understood: noun, verb, and from where the rest is. */
struct line {
	const struct verb_noun *noun;
	const struct verb *verb;
	size_t used;
};

/* 0, or the exit status after a message. */
static int find_verb(struct call *call, const char *const *words, size_t nwords, struct line *line)
{
	struct verb_error error;
	line->noun = verb_find_noun(words[0]);
	if (!line->noun && call->by_hand)
		line->noun = verb_short_noun(words[0]);
	if (!line->noun) {
		verb_no_such_noun(words[0], &error);
		return call_fail(call, OUTCOME_USAGE, &error, "%s", error.text);
	}
	line->used = 1;
	line->verb = line->noun->verbs;
	if (verb_is_noun(line->noun) || nwords == 1 || verb_is_id(line->noun, words[1]))
		return 0;
	line->used = 2;
	line->verb = verb_find(line->noun, words[1]);
	if (!line->verb && call->by_hand)
		line->verb = verb_short(line->noun, words[1]);
	if (line->verb)
		return 0;
	verb_no_such(line->noun, words[1], &error);
	return call_fail(call, OUTCOME_USAGE, &error, "%s", error.text);
}

/* A flow or message that is named is shown in full, many as a table. */
static struct verb as_shown(const struct verb *verb, const struct verb_words *given)
{
	struct verb shown = *verb;
	bool named = verb_takes(verb, VERB_FLOW) || verb_takes(verb, VERB_MESSAGE);
	if (named && *verb->name && strcmp(verb->name, "show") == 0 && verb_value(given, "ID"))
		shown.traits |= VERB_FIELDS;
	return shown;
}

static int ask_with_file(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	const char *path = verb_takes(verb, VERB_FILE) ? verb_value(given, "FILE|-") : NULL;
	struct verb shown = as_shown(verb, given);
	if (!path)
		return call_ask(call, &shown, words, nwords, NULL, 0);
	char wrong[FILE_WRONG_SIZE];
	size_t len;
	char *body = file_read(path, &len, wrong);
	if (!body)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong);
	int status = call_ask(call, &shown, words, nwords, body, len);
	free(body);
	return status;
}

static int run_line(struct call *call, const struct line *line, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	for (size_t i = 0; i < sizeof(owns) / sizeof(*owns); i++)
		if (strcmp(owns[i].noun, line->noun->name) == 0 &&
			strcmp(owns[i].verb, line->verb->name) == 0)
			return owns[i].run(call, line->verb, given, words, nwords);
	return ask_with_file(call, line->verb, given, words, nwords);
}

/* What a noun without anything to show says. */
static const char *none_of(const struct line *line, const struct verb_words *given)
{
	size_t n = 0;
	for (size_t i = 0; line->verb->parts && line->verb->parts[i].kind; i++)
		n += line->verb->parts[i].kind == VERB_OPTION ? 0 : given->of[i].n;
	if (line->verb != line->noun->verbs)
		return NULL;
	return n ? line->noun->none_such : line->noun->none;
}

static bool has_option(const struct verb *verb, const char *name)
{
	for (const struct verb_part *part = verb->parts; part && part->kind; part++)
		if (part->kind == VERB_OPTION && strcmp(part->name, name) == 0)
			return true;
	return false;
}

/* What control would refuse without saying which word it is. */
static const char *find_odd(const char *const *words, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++)
		for (size_t at = 0, len = strlen(words[i]), n; at < len; at += n)
			if (!(n = text_character(words[i] + at, len - at)))
				return words[i];
	return NULL;
}

int noun_run(struct call *call, const char *const *words, size_t nwords)
{
	static const char *sent[REQUEST_WORDS_MAX];
	struct line line;
	struct verb_words given;
	struct verb_error error;
	char usage[VERB_TEXT_SIZE], cut[TEXT_CUT_SIZE];
	if (help_is_asked(words, nwords))
		return help_run(call, words, nwords);
	int status = find_verb(call, words, nwords, &line);
	if (status)
		return status;
	const char *odd = find_odd(words, nwords);
	if (odd)
		return call_fail(call, OUTCOME_USAGE, NULL,
			"\"%s\" has a control character, or is not UTF-8", text_cut(odd, cut));
	if (nwords - line.used > REQUEST_WORDS_MAX - 3)
		return call_fail(
			call, OUTCOME_USAGE, NULL, "more than %d words", REQUEST_WORDS_MAX - 3);
	if (verb_read(line.verb, words + line.used, nwords - line.used, &given, &error) < 0)
		return call_fail(call, OUTCOME_USAGE, &error, "%s\nusage: posternctl %s",
			error.text, verb_usage(line.noun, line.verb, usage));
	size_t n = 0;
	sent[n++] = line.noun->name;
	if (*line.verb->name) /* control always sees a verb, and in full */
		sent[n++] = line.verb->name;
	call->columns = has_option(line.verb, "--columns") ? verb_value(&given, "--columns") : NULL;
	call->none = none_of(&line, &given);
	/* who picks, picks of all there is */
	if ((call->json || call->columns) && has_option(line.verb, "--whole") &&
		!verb_value(&given, "--whole"))
		sent[n++] = "--whole";
	for (size_t i = line.used; i < nwords; i++)
		sent[n++] = words[i];
	status = run_line(call, &line, &given, sent, n);
	verb_words_fini(&given);
	return status;
}
