/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/lexer.h"

#include "lib/language/grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_NAMES 8 /* so many names are all listed in a message */
#define LONGEST      64

/* How many letters differ (put in, left out, exchanged, swapped with the next); most + 1 when it
 * is more than that. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb, unsigned most)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *above = rows[0], *last = rows[1], *row = rows[2];

	if (na > LONGEST || nb > LONGEST || (na > nb ? na - nb : nb - na) > most)
		return most + 1;
	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned least = row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < cost)
				cost = last[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				above[j - 2] + 1 < cost)
				cost = above[j - 2] + 1;
			row[j] = cost;
			if (cost < least)
				least = cost;
		}
		if (least > most)
			return most + 1;
		unsigned *free_row = above;
		above = last;
		last = row;
		row = free_row;
	}
	return last[nb];
}

static const char *nearest(const char *word, size_t len, const char *const *names, size_t n)
{
	unsigned most = len <= 4 ? 1 : len <= 7 ? 2 : 3;
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned differ = distance(word, len, names[i], strlen(names[i]), most);
		if (differ > most)
			continue;
		best = names[i];
		if (differ == 0)
			break;
		most = differ - 1;
	}
	return best;
}

const char *language_near(const char *word, const char *const *names, size_t n)
{
	return nearest(word, strlen(word), names, n);
}

static const char *const kinds[][2] = {
	[POLICY_KIND_ZONE] = {"zone", "zones"},
	[POLICY_KIND_LISTENER] = {"listener", "listeners"},
	[POLICY_KIND_LIST] = {"list", "lists"},
	[POLICY_KIND_CERTIFICATE] = {"certificate", "certificates"},
	[POLICY_KIND_AUTH] = {"auth", "auths"},
	[POLICY_KIND_DOMAIN] = {"domain", "domains"},
	[POLICY_KIND_SERVER] = {"server", "servers"},
	[POLICY_KIND_SCAN] = {"scan", "scans"},
	[POLICY_KIND_RADIUS] = {"radius", "radiuses"},
	[POLICY_KIND_PORTAL] = {"portal", "portals"},
	[POLICY_KIND_DEVICE] = {"device", "devices"},
	[POLICY_KIND_RULE] = {"rule", "rules"},
};

static size_t names_of(const struct policy *policy, enum policy_kind kind, const char ***names)
{
	size_t n = language_count(policy, kind);

	*names = calloc(n ? n : 1, sizeof(**names));
	for (size_t i = 0; *names && i < n; i++)
		(*names)[i] = language_name_at(policy, kind, i);
	return *names ? n : 0;
}

const char *language_near_name(const struct policy *policy, enum policy_kind kind, const char *name)
{
	const char **names;
	size_t n = names_of(policy, kind, &names);
	const char *near = nearest(name, strlen(name), names, n);
	free(names);
	return near;
}

void language_no_such_text(const struct policy *policy, enum policy_kind kind, const char *name,
	size_t len, char text[static LANGUAGE_NO_SUCH_SIZE])
{
	const char **names;
	size_t n = names_of(policy, kind, &names), at;
	const char *near = nearest(name, len, names, n);
	char quoted[LANGUAGE_QUOTE_SIZE];

	language_quote(name, len, quoted);
	at = (size_t)snprintf(
		text, LANGUAGE_NO_SUCH_SIZE, "no such %s \"%s\"; ", kinds[kind][0], quoted);
	if (n > LISTED_NAMES && near) {
		snprintf(text + at, LANGUAGE_NO_SUCH_SIZE - at, "did you mean \"%s\"? (%zu %s)",
			near, n, kinds[kind][1]);
	} else if (n == 0) {
		snprintf(text + at, LANGUAGE_NO_SUCH_SIZE - at, "there are no %s", kinds[kind][1]);
	} else {
		for (size_t i = 0; i < n && i < LISTED_NAMES; i++)
			at += (size_t)snprintf(text + at, LANGUAGE_NO_SUCH_SIZE - at, "%s%s%s",
				i ? "" : kinds[kind][1], i ? ", " : ": ", names[i]);
		if (n > LISTED_NAMES)
			snprintf(text + at, LANGUAGE_NO_SUCH_SIZE - at, " and %zu more",
				n - LISTED_NAMES);
	}
	free(names);
}

void language_no_such(struct language *l, const struct language_span *span, enum policy_kind kind,
	const struct policy_string *name)
{
	char text[LANGUAGE_NO_SUCH_SIZE];
	size_t before = l->diagnosis->n;
	const char *near = language_near_name(l->policy, kind, name->text);

	language_no_such_text(l->policy, kind, name->text, name->len, text);
	/* written bare it is taken for a list's name */
	bool host = kind == POLICY_KIND_LIST && !near && strchr(name->text, '.');
	language_error(l, span, "%s%s", text, host ? "; a domain or a host stands in quotes" : "");
	/* where all names are listed the text does not single it out */
	if (near && l->diagnosis->n > before)
		l->diagnosis->v[before].near = arena_copy(l->diagnosis->arena, near, strlen(near));
}

static bool has(const char *const *expected, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(expected[i], name) == 0)
			return true;
	}
	return false;
}

/* What a reader is told first: forms of values, then keywords from a to z, then marks. */
static int rank(const char *e)
{
	return strchr(e, ' ') ? 0 : e[0] != '\'' ? 1 : 2;
}

static int compare_expected(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int difference = rank(x) - rank(y);

	return difference ? difference : strcmp(x, y);
}

/* Leaves of the expected tokens what a reader wants to be told: keywords that would only be taken
 * as names, and other forms that a string may have, are not listed. */
static size_t pick(const char *const *expected, size_t n, const char **picked)
{
	bool string = has(expected, n, "a string"), name = has(expected, n, "a name");
	bool user = string && has(expected, n, "a number");
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const char *e = expected[i];
		bool keyword = !strchr(e, ' ') && e[0] != '\'';
		if (keyword && name && !language_is_reserved(e, strlen(e)))
			continue;
		if (strcmp(e, "a word") == 0 || strcmp(e, "';'") == 0)
			continue;
		if (strcmp(e, "end of file") == 0 && n > 1)
			continue;
		if (strcmp(e, "a name") == 0 && string)
			continue;
		if (strcmp(e, "days such as mon-fri") == 0 && (name || has(expected, n, "a day")))
			continue;
		if (strcmp(e, "an amount such as 5m") == 0)
			continue;
		if (user && strchr(e, ' ') && strcmp(e, "a string") != 0)
			continue;
		picked[kept++] = e;
	}
	qsort(picked, kept, sizeof(*picked), compare_expected);
	return kept;
}

void language_unexpected(struct language *l, bool at_end, const char *const *expected, size_t n)
{
	const struct language_token *token = &l->token;
	char quoted[LANGUAGE_QUOTE_SIZE], list[1024] = "", hint[LANGUAGE_QUOTE_SIZE + 160] = "";
	const char *picked[160], *words[160] = {NULL};
	size_t at = 0, nwords = 0, host_len = 0;
	const char *host = NULL;
	uint16_t port = 0;

	l->syntax_errors++;
	if (l->stopped || l->out_of_memory ||
		memcmp(&l->complained, &l->span, sizeof(l->span)) == 0)
		return;
	l->complained = l->span;
	bool takes_address = has(expected, n, "an address");
	char later[LANGUAGE_LATER_SIZE];
	if (language_later(l, expected, n, later)) {
		if (language_is_reserved(later, strlen(later)) && has(expected, n, "a string"))
			snprintf(hint, sizeof(hint),
				"\"%s\" is a reserved word; write it in quotes", later);
		language_say(l, LANGUAGE_ERROR, &l->span, hint[0] ? hint : NULL,
			"\"%s\" is not built yet in this version, expected what its "
			"postern.conf(5) has",
			later);
		return;
	}
	n = pick(expected, n < 160 ? n : 160, picked);
	for (size_t i = 0; i < n; i++) {
		const char *e = picked[i];
		const char *link = i == 0 ? "" : i + 1 == n ? " or " : ", ";
		if (at < sizeof(list) - 80)
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%.60s", link, e);
		if (rank(e) == 1)
			words[nwords++] = e;
	}
	bool string = l->last == T_STRING;
	const char *near = string ? NULL : nearest(token->text, token->len, words, nwords);
	if (!string && language_is_reserved(token->text, token->len))
		snprintf(hint, sizeof(hint),
			has(picked, n, "a string") ? "\"%s\" is a reserved word; write it in quotes"
						   : "\"%s\" is a reserved word",
			language_quote(token->text, token->len, quoted));
	else if (near)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near);
	else if (!string && takes_address &&
		 (port = endpoint_split(token->text, token->len, &host, &host_len)))
		snprintf(hint, sizeof(hint),
			"an address stands without a port: %s; where one can be meant, it follows "
			"as "
			"`port %u`",
			language_quote(host, host_len, quoted), port);
	else if (!at_end && has(picked, n, "a name"))
		snprintf(hint, sizeof(hint),
			"a name begins with a letter and has only A-Z a-z 0-9 . _ and -");
	language_quote(token->text, token->len, quoted);
	if (at_end && l->braces > 0 && l->braces <= LANGUAGE_BRACES_MAX)
		snprintf(hint, sizeof(hint), "the '{' at %u:%u is not closed",
			l->open[l->braces - 1].line, l->open[l->braces - 1].column);
	if (at_end)
		language_say(l, LANGUAGE_ERROR, &l->span, hint[0] ? hint : NULL,
			"unexpected end of the text, expected %s", list);
	else
		language_say(l, LANGUAGE_ERROR, &l->span, hint[0] ? hint : NULL,
			"unexpected %s%s%s, expected %s", string ? "string \"" : "\"", quoted, "\"",
			list);
}
