/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/statements.h"

#include "lib/base/vector.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t word_len(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && text[n] != ' ' && text[n] != '\n' && text[n] != '{')
		n++;
	return n;
}

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* All others are named by their second word, too. */
static bool stands_alone(const char *word, size_t len)
{
	static const char *const alone[] = {
		"language", "hostname", "on-failure", "drain", "audit", "log", "metrics"};
	for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++)
		if (is(word, len, alone[i]))
			return true;
	return false;
}

static size_t key_len(const char *text, size_t len)
{
	size_t first = word_len(text, len);
	if (stands_alone(text, first) || first == len || text[first] != ' ')
		return first;
	return first + 1 + word_len(text + first + 1, len - first - 1);
}

/* A statement begins at a line's first column, and goes on over all lines that do not. */
static bool begins(const char *text, size_t len)
{
	return len > 0 && *text != ' ' && *text != '\t' && *text != '\n' && *text != '}' &&
	       *text != '#';
}

struct statement *statements_split(const char *text, size_t len, size_t *n)
{
	struct statement *v = NULL;
	size_t room = 0;
	*n = 0;
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t line = newline ? (size_t)(newline - text) - at + 1 : len - at;
		if (begins(text + at, line)) {
			struct statement *more = vector_grow(v, *n, &room, sizeof(*v));
			if (!more) {
				free(v);
				*n = 0;
				return NULL;
			}
			v = more;
			v[(*n)++] = (struct statement){.key = text + at,
				.text = text + at,
				.key_len = key_len(text + at, line)};
		}
		if (*n && line > 1) /* blank lines belong to nothing */
			v[*n - 1].len = (size_t)(text + at + line - v[*n - 1].text);
		at += line;
	}
	return v;
}

/* ---- three of them ---- */

struct side {
	struct statement *v, **sorted;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct statement *x = *(const struct statement *const *)a;
	const struct statement *y = *(const struct statement *const *)b;
	size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order = memcmp(x->key, y->key, len);
	return order ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static bool open_side(struct side *side, const char *text, size_t len)
{
	side->v = statements_split(text, len, &side->n);
	side->sorted = calloc(side->n + 1, sizeof(struct statement *));
	if (!side->sorted)
		return false;
	for (size_t i = 0; i < side->n; i++)
		side->sorted[i] = &side->v[i];
	qsort(side->sorted, side->n, sizeof(struct statement *), compare);
	return side->v || !len;
}

static const struct statement *find(const struct side *side, const struct statement *like)
{
	struct statement *const *found =
		bsearch(&like, side->sorted, side->n, sizeof(struct statement *), compare);
	return found ? *found : NULL;
}

static bool same(const struct statement *a, const struct statement *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool is_rule(const struct statement *statement)
{
	return statement->key_len > 5 && memcmp(statement->key, "rule ", 5) == 0;
}

/* The next rule that the other two have, too; NULL: none. */
static const struct statement *next_common(
	const struct side *side, size_t *at, const struct side *a, const struct side *b)
{
	while (*at < side->n) {
		const struct statement *statement = &side->v[(*at)++];
		if (is_rule(statement) && find(a, statement) && find(b, statement))
			return statement;
	}
	return NULL;
}

static bool same_order(const struct side *a, const struct side *b, const struct side *third)
{
	size_t i = 0, j = 0;
	for (;;) {
		const struct statement *x = next_common(a, &i, b, third);
		const struct statement *y = next_common(b, &j, a, third);
		if (!x || !y)
			return x == y;
		if (compare(&x, &y) != 0)
			return false;
	}
}

char *statements_lost(const char *applied, size_t applied_len, const char *running,
	size_t running_len, const char *coming, size_t coming_len)
{
	struct side a = {0}, r = {0}, c = {0};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool good = open_side(&a, applied, applied_len) && open_side(&r, running, running_len) &&
		    open_side(&c, coming, coming_len) && out;
	for (size_t i = 0; good && i < r.n; i++) {
		const struct statement *before = find(&a, &r.v[i]);
		if (!same(before, &r.v[i]) && !same(find(&c, &r.v[i]), &r.v[i]))
			fprintf(out, "%.*s (%s)\n", (int)r.v[i].key_len, r.v[i].key,
				before ? "changed" : "added");
	}
	for (size_t i = 0; good && i < a.n; i++)
		if (!find(&r, &a.v[i]) && find(&c, &a.v[i]))
			fprintf(out, "%.*s (deleted)\n", (int)a.v[i].key_len, a.v[i].key);
	if (good && !same_order(&a, &r, &c) && !same_order(&r, &c, &a))
		fputs("the order of the rules\n", out);
	if (out)
		fclose(out);
	if (!good) {
		free(text);
		text = NULL;
	}
	struct side *const sides[] = {&a, &r, &c};
	for (size_t i = 0; i < 3; i++) {
		free(sides[i]->v);
		free(sides[i]->sorted);
	}
	return text;
}
