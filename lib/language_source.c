#include "lib/language.h"

#include <stdlib.h>
#include <string.h>

/* Where a statement `rule NAME { ... }` stands in a text: the statement itself, and the lines that
 * are its own, with the comment directly above and the one behind it. */
struct place {
	size_t first, last;              /* statement; last is behind the brace */
	size_t comment, begin, end_line; /* lines: of the comment above, of the statement, behind */
	bool found;
};

struct reader {
	const char *text;
	size_t len, at;
	size_t token, token_len; /* the last one read */
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

/* As scan.l has it: a mark, a string, or a word. false: the end. */
static bool next(struct reader *r)
{
	while (r->at < r->len &&
		(is_blank(r->text[r->at]) || r->text[r->at] == '\n' || r->text[r->at] == '#'))
		r->at = r->text[r->at] == '#' ? line_end(r->text, r->len, r->at) : r->at + 1;
	r->token = r->at;
	if (r->at == r->len)
		return false;
	if (strchr("{},;", r->text[r->at])) {
		r->at++;
	} else if (r->text[r->at] == '"') {
		for (r->at++; r->at < r->len && r->text[r->at] != '"' && r->text[r->at] != '\n';
			r->at++)
			if (r->text[r->at] == '\\' && r->at + 1 < r->len)
				r->at++;
		if (r->at < r->len && r->text[r->at] == '"')
			r->at++;
	} else {
		while (r->at < r->len && !is_blank(r->text[r->at]) &&
			!memchr("\n{},;\"#", r->text[r->at], 7))
			r->at++;
	}
	r->token_len = r->at - r->token;
	return true;
}

static bool is_word(const struct reader *r, const char *word)
{
	return r->token_len == strlen(word) && memcmp(r->text + r->token, word, r->token_len) == 0;
}

static bool is_mark(const struct reader *r, char mark)
{
	return r->token_len == 1 && r->text[r->token] == mark;
}

/* The brace is open; reads behind the one that closes it. */
static bool skip_block(struct reader *r)
{
	unsigned depth = 1;
	while (depth > 0 && next(r)) {
		if (is_mark(r, '{'))
			depth++;
		if (is_mark(r, '}'))
			depth--;
	}
	return depth == 0;
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
	struct reader r = {.text = text, .len = len};
	struct place place = {0};
	while (next(&r)) {
		if (is_mark(&r, '{')) { /* of a statement of another kind */
			if (!skip_block(&r))
				break;
			continue;
		}
		if (!is_word(&r, kind))
			continue;
		size_t behind = r.at;
		place.first = r.token;
		bool wanted = next(&r) && is_word(&r, name);
		if (!next(&r) || !is_mark(&r, '{')) {
			r.at = behind; /* the name or the value of another statement */
			continue;
		}
		if (!skip_block(&r))
			break;
		if (!wanted)
			continue;
		place.last = r.at;
		place.found = true;
		take_lines(text, len, &place);
		break;
	}
	return place;
}

/* ---- the kinds that can be edited alone ---- */

static ptrdiff_t index_of(const struct policy *policy, enum policy_kind kind, const char *name)
{
	return kind == POLICY_KIND_DEVICE ? policy_find_device(policy, name)
					  : policy_find_rule(policy, name);
}

static char *print_one(const struct policy *policy, enum policy_kind kind, ptrdiff_t i)
{
	return kind == POLICY_KIND_DEVICE
		       ? language_print_device(policy, (size_t)i, LANGUAGE_PRINT_CANONICAL)
		       : language_print_rule(policy, (size_t)i, LANGUAGE_PRINT_CANONICAL);
}

static const char *name_at(const struct policy *policy, enum policy_kind kind, ptrdiff_t i)
{
	ptrdiff_t n = (ptrdiff_t)(kind == POLICY_KIND_DEVICE ? policy->ndevices : policy->nrules);
	if (i < 0 || i >= n)
		return NULL;
	return kind == POLICY_KIND_DEVICE ? policy->devices[i].name.text
					  : policy->rules[i].name.text;
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
	enum policy_kind kind = strcmp(word, "device") == 0 ? POLICY_KIND_DEVICE : POLICY_KIND_RULE;
	ptrdiff_t from = index_of(before, kind, name), to = index_of(after, kind, name);
	struct place place = find(source, len, word, name);
	char *new = to < 0 ? NULL : print_one(after, kind, to);
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
