/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/verb.h"

#include "lib/base/text.h"
#include "lib/language/language.h"
#include "lib/record/ending.h"
#include "lib/record/login_ending.h"
#include "lib/record/message_ending.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const struct verb *verb;
	struct verb_words *out;
	struct verb_error *error;
	size_t nparts;
	uint16_t *part_of; /* of each value */
	const char **values;
	size_t n;
	bool no_options; /* behind "--" */
	const char
		*doubtful; /* what the last word, taken as an argument, may have been meant for */
	ptrdiff_t waits;   /* the part whose value is missing; -1: none */
	bool rest;
};

static int __attribute__((format(printf, 4, 5)))
fail(struct reader *reader, const char *expected, const char *near, const char *format, ...)
{
	struct verb_error *error = reader->error;
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text) / 2, format, args);
	va_end(args);
	snprintf(error->expected, sizeof(error->expected), "%s", expected ? expected : "");
	error->near = near;
	if (near) {
		size_t used = strlen(error->text);
		snprintf(error->text + used, sizeof(error->text) - used, ", did you mean \"%s\"?",
			near);
	}
	return -EINVAL;
}

static const struct verb_part *part_at(const struct reader *reader, size_t i)
{
	return &reader->verb->parts[i];
}

/* A keyword or option that is called so; len 0 is none. */
static ptrdiff_t find(
	const struct reader *reader, enum verb_part_kind kind, const char *name, size_t len)
{
	for (size_t i = 0; i < reader->nparts; i++) {
		const struct verb_part *part = part_at(reader, i);
		if (part->kind == kind && strlen(part->name) == len &&
			memcmp(part->name, name, len) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

static const char *near_part(
	const struct reader *reader, enum verb_part_kind kind, const char *word)
{
	const char *names[VERB_PARTS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < reader->nparts; i++)
		if (part_at(reader, i)->kind == kind)
			names[n++] = part_at(reader, i)->name;
	return language_near(word, names, n);
}

/* The choices are in one text: a copy of the one that is meant, to be told once. */
static const char *near_choice(struct reader *reader, const char *choices, const char *word)
{
	char text[256], *names[32], *rest = text, *name;
	size_t n = 0;
	snprintf(text, sizeof(text), "%s", choices);
	while (n < sizeof(names) / sizeof(*names) && (name = strsep(&rest, "|")))
		names[n++] = name;
	const char *near = language_near(word, (const char *const *)names, n);
	if (!near)
		return NULL;
	snprintf(reader->error->choice, sizeof(reader->error->choice), "%s", near);
	return reader->error->choice;
}

static const char *near_outcome(const char *word)
{
	const char *names[MESSAGE_ENDINGS];

	for (unsigned i = 0; i < MESSAGE_ENDINGS; i++)
		names[i] = message_ending_name(i);
	return language_near(word, names, MESSAGE_ENDINGS);
}

/* Of a flow or a login. */
static const char *near_ending(const char *word)
{
	const char *names[ENDINGS + LOGIN_ENDINGS];

	memcpy(names, ending_names, ENDINGS * sizeof(*names));
	memcpy(names + ENDINGS, login_ending_names, LOGIN_ENDINGS * sizeof(*names));
	return language_near(word, names, ENDINGS + LOGIN_ENDINGS);
}

static const char *near_value(struct reader *reader, const struct verb_part *part, const char *word)
{
	if (part->type == VERB_CHOICE)
		return near_choice(reader, part->value, word);
	if (part->type == VERB_OUTCOME)
		return near_outcome(word);
	return part->type == VERB_ENDING ? near_ending(word) : NULL;
}

/* Another of the parts that exclude this one; NULL: none was given. */
static const struct verb_part *rival(const struct reader *reader, const struct verb_part *part)
{
	for (size_t i = 0; i < reader->nparts && (part->flags & VERB_ALONE); i++) {
		const struct verb_part *other = part_at(reader, i);
		if (other != part && other->group == part->group && (other->flags & VERB_ALONE) &&
			reader->out->of[i].n)
			return other;
	}
	return NULL;
}

static int unfit(struct reader *reader, const struct verb_part *part, const char *value)
{
	const char *expected = verb_expects(part);
	char cut[TEXT_CUT_SIZE], wrong[PREFIX_READINGS_SIZE];
	if (!*value)
		return fail(
			reader, expected, NULL, "%s is empty, expected %s", part->name, expected);
	if (verb_readings(part, value, wrong))
		return fail(reader, wrong, NULL, "\"%s\" has bits behind its length, expected %s",
			text_cut(value, cut), wrong);
	return fail(reader, expected, near_value(reader, part, value),
		"\"%s\" is not expected here, but %s", text_cut(value, cut), expected);
}

static int take(struct reader *reader, size_t i, const char *value)
{
	const struct verb_part *part = part_at(reader, i);
	const struct verb_part *other = rival(reader, part);
	if (reader->out->of[i].n && !(part->flags & VERB_MANY) && part->kind != VERB_REST)
		return fail(reader, NULL, NULL, "%s is given twice", part->name);
	if (other)
		return fail(reader, NULL, NULL, "%s or %s is expected, not both", other->name,
			part->name);
	if (part->value && part->kind != VERB_REST && !verb_fits(part, value))
		return unfit(reader, part, value);
	reader->part_of[reader->n] = (uint16_t)i;
	reader->values[reader->n++] = value;
	reader->out->of[i].n++;
	return 0;
}

static int miss_value(struct reader *reader, ptrdiff_t i)
{
	const struct verb_part *part = part_at(reader, (size_t)i);
	reader->waits = i;
	return fail(reader, verb_expects(part), NULL, "a value is expected behind %s", part->name);
}

static int take_option(struct reader *reader, const char *const *words, size_t n, size_t *at)
{
	const char *word = words[(*at)++];
	size_t len = strcspn(word, "=");
	ptrdiff_t i = find(reader, VERB_OPTION, word, len);
	if (i < 0) {
		char name[64];
		snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), word);
		return fail(reader, NULL, near_part(reader, VERB_OPTION, name),
			"no such option \"%s\"", name);
	}
	const struct verb_part *part = part_at(reader, (size_t)i);
	if (!part->value)
		return word[len] ? fail(reader, NULL, NULL, "%s takes no value", part->name)
				 : take(reader, (size_t)i, word);
	if (word[len])
		return take(reader, (size_t)i, word + len + 1);
	if (*at == n)
		return miss_value(reader, i);
	return take(reader, (size_t)i, words[(*at)++]);
}

/* The argument that takes a word whatever it is; -1: none. */
static ptrdiff_t needed_argument(const struct reader *reader)
{
	for (size_t i = 0; i < reader->nparts; i++) {
		const struct verb_part *part = part_at(reader, i);
		if (part->kind != VERB_ARGUMENT || reader->out->of[i].n || part->group)
			continue;
		if ((part->flags & VERB_NEEDED) || ((part->flags & VERB_FIRST) && !reader->n))
			return (ptrdiff_t)i;
	}
	return -1;
}

/* The first that the word fits; else the first, which then says what is wrong with it. */
static ptrdiff_t optional_argument(const struct reader *reader, const char *word)
{
	ptrdiff_t first = -1;
	for (size_t i = 0; i < reader->nparts; i++) {
		const struct verb_part *part = part_at(reader, i);
		if (part->kind == VERB_REST)
			return (ptrdiff_t)i;
		if (part->kind != VERB_ARGUMENT ||
			(reader->out->of[i].n && !(part->flags & VERB_MANY)))
			continue;
		if (verb_fits(part, word))
			return (ptrdiff_t)i;
		first = first < 0 ? (ptrdiff_t)i : first;
	}
	return first;
}

static bool is_time_of_day(const char *word)
{
	int hour, minute, used = 0;
	return sscanf(word, "%2d:%2d%n", &hour, &minute, &used) == 2 &&
	       (!word[used] || word[used] == ':') && strlen(word) < 16;
}

static int take_word(struct reader *reader, const char *const *words, size_t n, size_t *at)
{
	const char *word = words[(*at)++];
	ptrdiff_t i = needed_argument(reader);
	if (i >= 0)
		return take(reader, (size_t)i, word);
	i = reader->rest ? -1 : find(reader, VERB_KEYWORD, word, strlen(word));
	if (i >= 0) {
		const struct verb_part *part = part_at(reader, (size_t)i);
		if (!part->value)
			return take(reader, (size_t)i, word);
		if (*at == n)
			return miss_value(reader, i);
		return take(reader, (size_t)i, words[(*at)++]);
	}
	i = optional_argument(reader, word);
	const char *near = near_part(reader, VERB_KEYWORD, word), *doubtful = reader->doubtful;
	char cut[TEXT_CUT_SIZE];
	if (i < 0 && doubtful) /* `usr alice`: the first was taken for an id */
		return fail(reader, NULL, doubtful, "\"%s\" is not expected here",
			text_cut(words[*at - 2], cut));
	if (*at > 1 && is_time_of_day(word) &&
		(i < 0 || !verb_fits(part_at(reader, (size_t)i), word)))
		return fail(reader, NULL, NULL,
			"\"%s\" is not expected here; a time of two words is one in quotes: \"%s "
			"%s\"",
			word, text_cut(words[*at - 2], cut), word);
	if (i < 0 || (near && !verb_fits(part_at(reader, (size_t)i), word)))
		return fail(reader, NULL, near, "\"%s\" is not expected here", text_cut(word, cut));
	reader->rest = part_at(reader, (size_t)i)->kind == VERB_REST;
	reader->doubtful = reader->rest ? NULL : near;
	return take(reader, (size_t)i, word);
}

/* One of what is needed and was not given is said. */
static int look_for_missing(struct reader *reader)
{
	for (size_t i = 0; i < reader->nparts; i++) {
		const struct verb_part *part = part_at(reader, i);
		char names[256] = "";
		size_t used = 0;
		bool given = false, needed = false;
		size_t end = i + 1;
		while (part->group && end < reader->nparts &&
			part_at(reader, end)->group == part->group)
			end++;
		for (size_t j = i; j < end; j++) {
			const struct verb_part *one = part_at(reader, j);
			if (!(one->flags & VERB_NEEDED))
				continue;
			needed = true;
			given = given || reader->out->of[j].n;
			if (used < sizeof(names))
				used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					used ? ", " : "",
					one->kind == VERB_REST ? one->value : one->name);
		}
		if (needed && !given)
			return fail(reader, names, NULL, "%s is missing", names);
		i = end - 1;
	}
	return 0;
}

/* Values of one part stand together, in the order as typed. */
static void sort(struct reader *reader)
{
	struct verb_words *out = reader->out;
	uint16_t at = 0, next[VERB_PARTS_MAX];
	for (size_t i = 0; i < reader->nparts; i++) {
		out->of[i].at = next[i] = at;
		at = (uint16_t)(at + out->of[i].n);
	}
	for (size_t i = 0; i < reader->n; i++)
		out->values[next[reader->part_of[i]]++] = reader->values[i];
}

static int read_all(struct reader *reader, const char *const *words, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *word = words[at];
		int error = 0;
		if (!reader->no_options && strcmp(word, "--") == 0) {
			reader->no_options = true;
			at++;
		} else if (!reader->no_options && word[0] == '-' && word[1]) {
			error = take_option(reader, words, n, &at);
		} else {
			error = take_word(reader, words, n, &at);
		}
		if (error)
			return error;
	}
	return 0;
}

static int begin(struct reader *reader, const struct verb *verb, size_t n, struct verb_words *out,
	struct verb_error *error)
{
	*reader = (struct reader){.verb = verb, .out = out, .error = error, .waits = -1};
	*out = (struct verb_words){.verb = verb};
	*error = (struct verb_error){.near = NULL};
	while (verb->parts && verb->parts[reader->nparts].kind)
		reader->nparts++;
	assert(reader->nparts <= VERB_PARTS_MAX);
	if (n > UINT16_MAX)
		return fail(reader, NULL, NULL, "more than %u words", UINT16_MAX);
	out->values = calloc(n + 1, sizeof(*out->values));
	reader->values = calloc(n + 1, sizeof(*reader->values));
	reader->part_of = calloc(n + 1, sizeof(*reader->part_of));
	return out->values && reader->values && reader->part_of ? 0 : -ENOMEM;
}

static void end(struct reader *reader)
{
	free(reader->values);
	free(reader->part_of);
}

int verb_read(const struct verb *verb, const char *const *words, size_t n, struct verb_words *out,
	struct verb_error *error)
{
	struct reader reader;
	int result = begin(&reader, verb, n, out, error);
	if (result == 0)
		result = read_all(&reader, words, n);
	if (result == 0)
		result = look_for_missing(&reader);
	if (result == 0)
		sort(&reader);
	else
		verb_words_fini(out);
	end(&reader);
	return result;
}

static bool may_come(const struct reader *reader, size_t i)
{
	const struct verb_part *part = part_at(reader, i);
	bool taken = reader->out->of[i].n && !(part->flags & VERB_MANY) && part->kind != VERB_REST;
	if (taken || rival(reader, part))
		return false;
	if (part->kind == VERB_OPTION)
		return !reader->no_options;
	return !reader->rest || part->kind == VERB_REST;
}

size_t verb_next(const struct verb *verb, const char *const *words, size_t n,
	const struct verb_part *parts[static VERB_PARTS_MAX], bool *is_value)
{
	struct reader reader;
	struct verb_words out;
	struct verb_error error;
	size_t found = 0;
	int result = begin(&reader, verb, n, &out, &error);
	if (result == 0)
		result = read_all(&reader, words, n);
	ptrdiff_t only = result == 0 ? needed_argument(&reader) : reader.waits;
	*is_value = result != 0 && only >= 0;
	for (size_t i = 0; i < reader.nparts && (result == 0 || only >= 0); i++)
		if (only >= 0 ? i == (size_t)only : may_come(&reader, i))
			parts[found++] = part_at(&reader, i);
	end(&reader);
	verb_words_fini(&out);
	return found;
}

void verb_words_fini(struct verb_words *words)
{
	free(words->values);
	words->values = NULL;
}

const char *const *verb_values(const struct verb_words *words, const char *name, size_t *n)
{
	for (size_t i = 0; words->verb->parts && words->verb->parts[i].kind; i++) {
		if (strcmp(words->verb->parts[i].name, name) != 0)
			continue;
		*n = words->of[i].n;
		return words->values + words->of[i].at;
	}
	assert(!"the verb declares what it asks for");
	*n = 0;
	return NULL;
}

const char *verb_value(const struct verb_words *words, const char *name)
{
	size_t n;
	const char *const *values = verb_values(words, name, &n);
	return n ? values[0] : NULL;
}
