/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/top.h"

#include "lib/language/edit/tokens.h"
#include "lib/language/language.h"

#include <stdlib.h>
#include <string.h>

/* How many words each has behind its first; the block of `audit` is none. */
static const struct {
	const char *head;
	unsigned words;
} tops[] = {{"audit", 0}, {"drain", 1}, {"hostname", 1}, {"limit", 2}, {"log", 2}, {"metrics", 4},
	{"on-failure", 1}, {"language", 1}};
#define TOPS (sizeof(tops) / sizeof(*tops))

const char *const language_top_heads[] = {
	"audit", "drain", "hostname", "limit", "log", "metrics", "on-failure", NULL};

bool language_top_is(const char *head)
{
	for (const char *const *at = language_top_heads; *at; at++)
		if (strcmp(*at, head) == 0)
			return true;
	return false;
}

struct top {
	size_t first, last; /* of the setting; last is behind it */
	size_t behind;      /* the line behind the last setting of all; 0: there is none */
	bool found;
};

static size_t line_behind(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);
	return end ? (size_t)(end - text) + 1 : len;
}

/* Reads to the end of the setting that begins with the token; false: it is none. */
static bool skip_setting(struct language_tokens *t)
{
	for (size_t i = 0; i < TOPS; i++) {
		if (!language_tokens_is(t, tops[i].head))
			continue;
		for (unsigned n = 0; n < tops[i].words; n++)
			language_tokens_next(t);
		if (tops[i].words == 0 && language_tokens_next(t) && language_tokens_is(t, "{"))
			language_tokens_skip_block(t);
		return true;
	}
	return false;
}

/* Is the next word a name or a file? */
static bool names_something(const struct language_tokens *t)
{
	for (unsigned kind = 0; kind < LANGUAGE_KINDS; kind++)
		if (language_tokens_is(t, language_kind_word((enum policy_kind)kind)))
			return true;
	return language_tokens_is(t, "include") || language_tokens_is(t, "file");
}

static struct top find(const char *text, size_t len, const char *head)
{
	struct language_tokens t = {.text = text, .len = len};
	struct top top = {0};
	while (language_tokens_next(&t)) {
		struct language_tokens begin = t;
		if (skip_setting(&t)) {
			top.behind = line_behind(text, len, t.at);
			if (!top.found && language_tokens_is(&begin, head)) {
				top.first = begin.token;
				top.last = t.at;
				top.found = true;
			}
		} else if (language_tokens_is(&t, "{")) {
			language_tokens_skip_block(&t);
		} else if (names_something(&t)) {
			language_tokens_next(&t); /* whatever it says */
		}
	}
	return top;
}

const char *language_top_find(const char *text, size_t len, const char *head, size_t *found_len)
{
	struct top top = find(text, len, head);
	*found_len = top.last - top.first;
	return top.found ? text + top.first : NULL;
}

/* Alone in its line it takes the line along. */
static void take_line(const char *text, size_t len, struct top *top)
{
	size_t begin = top->first, end = top->last;
	while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\t'))
		begin--;
	while (end < len && strchr(" \t\r;", text[end]))
		end++;
	if ((begin == 0 || text[begin - 1] == '\n') && (end == len || text[end] == '\n')) {
		top->first = begin;
		top->last = end + (end < len);
	}
}

char *language_top_change(
	const char *text, size_t len, const char *head, const char *statement, size_t *out_len)
{
	struct top top = find(text, len, head);
	size_t more = statement ? strlen(statement) : 0;
	char *out = malloc(len + more + 3), *at = out;
	if (!out)
		return NULL;
	if (!top.found)
		top.first = top.last = top.behind ? top.behind : language_mark(text, len);
	else if (!statement)
		take_line(text, len, &top);
	at = mempcpy(at, text, top.first);
	if (!top.found && statement && top.first && top.behind && text[top.first - 1] != '\n')
		*at++ = '\n';
	at = mempcpy(at, statement ? statement : "", more);
	if (!top.found && statement)
		*at++ = '\n';
	at = mempcpy(at, text + top.last, len - top.last);
	*at = '\0';
	*out_len = (size_t)(at - out);
	return out;
}
