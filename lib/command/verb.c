/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/verb.h"

#include "lib/base/text.h"
#include "lib/language/language.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 64

const struct verb_noun *verb_find_noun(const char *word)
{
	for (size_t i = 0; verb_nouns[i]; i++)
		if (strcmp(verb_nouns[i]->name, word) == 0)
			return verb_nouns[i];
	return NULL;
}

const struct verb *verb_find(const struct verb_noun *noun, const char *word)
{
	if (!word)
		return noun->verbs;
	if (strcmp(word, "list") == 0)
		word = "show";
	for (const struct verb *verb = noun->verbs; verb->name; verb++)
		if (*verb->name && strcmp(verb->name, word) == 0)
			return verb;
	return NULL;
}

const struct verb_noun *verb_short_noun(const char *word)
{
	const struct verb_noun *found = NULL;
	for (size_t i = 0; verb_nouns[i]; i++) {
		if (strncmp(verb_nouns[i]->name, word, strlen(word)) != 0)
			continue;
		if (found)
			return NULL;
		found = verb_nouns[i];
	}
	return found;
}

const struct verb *verb_short(const struct verb_noun *noun, const char *word)
{
	const struct verb *found = NULL;
	for (const struct verb *verb = noun->verbs; verb->name; verb++) {
		if ((verb->traits & VERB_HIDDEN) || strncmp(verb->name, word, strlen(word)) != 0)
			continue;
		if (found)
			return NULL;
		found = verb;
	}
	return found;
}

bool verb_is_noun(const struct verb_noun *noun)
{
	return !*noun->verbs->name;
}

bool verb_is_id(const struct verb_noun *noun, const char *word)
{
	const struct verb_part *first = noun->verbs->parts;
	if (!first || !verb_fits(first, word))
		return false;
	bool flows = first->type == VERB_FLOW || first->type == VERB_MESSAGE;
	return (flows && strncmp(word, "f-", 2) == 0) || first->type == VERB_SESSION;
}

bool verb_takes(const struct verb *verb, enum verb_value type)
{
	for (const struct verb_part *part = verb->parts; part && part->kind; part++)
		if (part->type == type)
			return true;
	return false;
}

/* Names that begin so: "server" or "session". Returns how many; first: one of them. */
static size_t beginnings(const char *word, const char *const *names, size_t n, const char **first,
	char text[static 128])
{
	size_t found = 0, used = 0;
	for (size_t i = 0; i < n && *word; i++) {
		if (strncmp(names[i], word, strlen(word)) != 0)
			continue;
		*first = found ? *first : names[i];
		if (used < 128)
			used += (size_t)snprintf(
				text + used, 128 - used, "%s\"%s\"", found ? " or " : "", names[i]);
		found++;
	}
	return found;
}

static void refuse_name(struct verb_error *error, const char *kind, const char *word,
	const char *const *names, size_t n)
{
	const char *first = NULL;
	char meant[128], cut[TEXT_CUT_SIZE];
	size_t begins = beginnings(word, names, n, &first, meant), used = 0;
	*error = (struct verb_error){.near = begins == 1 ? first : NULL};
	if (!begins && (error->near = language_near(word, names, n)))
		snprintf(meant, sizeof(meant), "\"%s\"", error->near);
	for (size_t i = 0; i < n && used < sizeof(error->expected); i++)
		used += (size_t)snprintf(error->expected + used, sizeof(error->expected) - used,
			"%s%s", i ? ", " : "", names[i]);
	bool any = begins || error->near;
	snprintf(error->text, sizeof(error->text), "no such %s \"%s\"%s%s%s; %ss: %s", kind,
		text_cut(word, cut), any ? ", did you mean " : "", any ? meant : "", any ? "?" : "",
		kind, error->expected);
}

void verb_no_such_noun(const char *word, struct verb_error *error)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (; verb_nouns[n] && n < NAMES_MAX; n++)
		names[n] = verb_nouns[n]->name;
	refuse_name(error, "noun", word, names, n);
}

void verb_no_such(const struct verb_noun *noun, const char *word, struct verb_error *error)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (const struct verb *verb = noun->verbs; verb->name && n < NAMES_MAX; verb++)
		if (!(verb->traits & VERB_HIDDEN))
			names[n++] = verb->name;
	refuse_name(error, "verb", word, names, n);
}

/* ---- usage ---- */

struct line {
	char *text;
	size_t at;
};

static void put(struct line *line, const char *text)
{
	int n = snprintf(line->text + line->at, VERB_TEXT_SIZE - line->at, "%s", text);
	line->at +=
		(size_t)n < VERB_TEXT_SIZE - line->at ? (size_t)n : VERB_TEXT_SIZE - line->at - 1;
}

/* A rest is called by all that may stand in it: "COND... ACTION". */
static void put_part(struct line *line, const struct verb_part *part)
{
	if (part->kind == VERB_KEYWORD || part->kind == VERB_OPTION)
		put(line, part->name);
	if (part->value && (part->kind == VERB_KEYWORD || part->kind == VERB_OPTION))
		put(line, " ");
	put(line, part->value ? part->value : "");
	if (part->flags & VERB_MANY)
		put(line, "...");
}

/* The parts that stand with this one, it included. */
static size_t beside(const struct verb_part *part)
{
	size_t n = 1;
	while (part->group && part[n].kind && part[n].group == part->group)
		n++;
	return n;
}

static bool is_needed(const struct verb_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].flags & VERB_NEEDED)
			return true;
	return false;
}

const char *verb_usage(
	const struct verb_noun *noun, const struct verb *verb, char text[static VERB_TEXT_SIZE])
{
	struct line line = {.text = text};
	put(&line, noun->name);
	if (*verb->name) {
		put(&line, " ");
		put(&line, verb->name);
	}
	for (const struct verb_part *part = verb->parts; part && part->kind;) {
		size_t n = beside(part);
		bool needed = is_needed(part, n);
		put(&line, needed ? " " : " [");
		for (size_t i = 0; i < n; i++) {
			put(&line, i ? "|" : "");
			put_part(&line, part + i);
		}
		put(&line, needed ? "" : "]");
		part += n;
	}
	return text;
}
