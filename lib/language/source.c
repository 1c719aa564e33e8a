/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/tokens.h"
#include "lib/language/language.h"

#include <stdlib.h>
#include <string.h>

/* Where a statement `rule NAME { ... }` stands in a text: the statement itself, and the lines that
 * are its own, with the comment directly above and the one behind it. */
struct place {
	size_t first, last;              /* statement; last is behind the brace */
	size_t comment, begin, end_line; /* lines: of the comment above, of the statement, behind */
	bool found;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t line_end(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);
	return end ? (size_t)(end - text) : len;
}

static size_t line_begin(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the name: reads to the end of the statement. false: it is none. */
static bool skip_body(struct language_tokens *t, bool list)
{
	if (!language_tokens_next(t))
		return false;
	bool holds = false;
	for (unsigned i = 0; list && !holds && i < POLICY_HOLDS; i++)
		holds = language_tokens_is(t, policy_holds_names[i]);
	if (holds && !language_tokens_next(t))
		return false;
	if (language_tokens_is(t, "{"))
		return language_tokens_skip_block(t);
	if (list && language_tokens_is(t, "file"))
		return language_tokens_next(t);
	return list && language_tokens_is(t, "dynamic");
}

static void take_lines(const char *text, size_t len, struct place *place)
{
	size_t begin = line_begin(text, place->first), end = line_end(text, len, place->last), at;
	/* other statements in the same lines keep theirs */
	for (at = begin; at < place->first && is_blank(text[at]); at++)
		;
	place->begin = at == place->first ? begin : place->first;
	for (at = place->last; at < end && (is_blank(text[at]) || text[at] == ';'); at++)
		;
	place->end_line = at == end || text[at] == '#' ? end + (end < len) : place->last;
	place->comment = place->begin;
	while (place->begin == begin && place->comment > 0) {
		size_t above = line_begin(text, place->comment - 1);
		for (at = above; is_blank(text[at]); at++)
			;
		if (text[at] != '#')
			break;
		place->comment = above;
	}
}

static struct place find(const char *text, size_t len, const char *kind, const char *name)
{
	struct language_tokens t = {.text = text, .len = len};
	struct place place = {0};
	while (language_tokens_next(&t)) {
		if (language_tokens_is(&t, "{")) { /* of a statement of another kind */
			if (!language_tokens_skip_block(&t))
				break;
			continue;
		}
		if (!language_tokens_is(&t, kind))
			continue;
		size_t behind = t.at;
		place.first = t.token;
		bool wanted = language_tokens_next(&t) && language_tokens_is(&t, name);
		if (!skip_body(&t, strcmp(kind, "list") == 0)) {
			t.at = behind; /* the name or the value of another statement */
			continue;
		}
		if (!wanted)
			continue;
		place.last = t.at;
		place.found = true;
		take_lines(text, len, &place);
		break;
	}
	return place;
}

static const char *name_at(const struct policy *policy, enum policy_kind kind, ptrdiff_t i)
{
	if (i < 0 || (size_t)i >= language_count(policy, kind))
		return NULL;
	return language_name_at(policy, kind, (size_t)i);
}

/* ---- texts ---- */

struct part {
	const char *text;
	size_t len;
};

/* malloc'ed; with `lines` each part begins in a line of its own. */
static char *join(const struct part *parts, size_t n, bool lines, size_t *len)
{
	size_t room = 1;
	for (size_t i = 0; i < n; i++)
		room += parts[i].len + 1;
	char *text = malloc(room);
	*len = 0;
	for (size_t i = 0; text && i < n; i++) {
		if (lines && parts[i].len && *len && text[*len - 1] != '\n' &&
			parts[i].text[0] != '\n')
			text[(*len)++] = '\n';
		memcpy(text + *len, parts[i].text, parts[i].len);
		*len += parts[i].len;
	}
	if (text)
		text[*len] = '\0';
	return text;
}

/* In front of the statement that now follows, else behind the one that now is before, else last. */
static bool place_for(const char *text, size_t len, const struct policy *after,
	enum policy_kind kind, const char *word, ptrdiff_t index, size_t *at)
{
	const char *next_name = name_at(after, kind, index + 1);
	const char *last_name = name_at(after, kind, index - 1);
	struct place beside;
	if (last_name) {
		beside = find(text, len, word, last_name);
		*at = beside.end_line;
	} else if (next_name) {
		beside = find(text, len, word, next_name);
		*at = beside.comment;
	} else {
		*at = len;
		return true;
	}
	return beside.found;
}

static char *insert(const char *text, size_t len, size_t at, const struct part *part, size_t *out)
{
	const struct part parts[] = {{text, at}, *part, {text + at, len - at}};
	return join(parts, 3, true, out);
}

/* A new statement stands in the place that its number gives it. */
static char *put_in(const char *text, size_t len, const struct policy *after, enum policy_kind kind,
	const char *word, ptrdiff_t index, const struct part *part, size_t *out)
{
	size_t at;
	if (!place_for(text, len, after, kind, word, index, &at))
		return NULL;
	return insert(text, len, at, part, out);
}

char *language_source_follow(const char *source, size_t len, const struct policy *before,
	const struct policy *after, const char *word, const char *name, size_t *out)
{
	enum policy_kind kind = POLICY_KIND_RULE;
	language_kind_of(word, &kind);
	ptrdiff_t from = language_find(before, kind, name), to = language_find(after, kind, name);
	struct place place = find(source, len, word, name);
	char *new = to < 0 ? NULL : language_print_one(after, kind, (size_t)to);
	char *result = NULL;

	/* no memory, or the statement stands in a file that the text takes in */
	if ((from < 0 && to < 0) || (from >= 0 && !place.found) || (to >= 0 && !new))
		goto done;
	if (from < 0 && to >= 0) {
		const struct part part = {new, strlen(new)};
		result = put_in(source, len, after, kind, word, to, &part, out);
	} else if (to < 0) {
		const struct part parts[] = {
			{source, place.begin}, {source + place.end_line, len - place.end_line}};
		result = join(parts, 2, false, out);
	} else if (from == to) {
		size_t new_len = strlen(new);
		while (new_len > 0 && new[new_len - 1] == '\n')
			new_len--;
		const struct part parts[] = {{source, place.first}, {new, new_len},
			{source + place.last, len - place.last}};
		result = join(parts, 3, false, out);
	} else {
		const struct part parts[] = {
			{source, place.comment}, {source + place.end_line, len - place.end_line}};
		const struct part moved = {source + place.comment, place.end_line - place.comment};
		size_t rest_len;
		char *rest = join(parts, 2, false, &rest_len);
		if (rest)
			result = put_in(rest, rest_len, after, kind, word, to, &moved, out);
		free(rest);
	}
done:
	free(new);
	return result;
}
