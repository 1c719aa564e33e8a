/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/clause.h"

#include "lib/base/text.h"
#include "lib/base/vector.h"
#include "lib/language/edit/tokens.h"
#include "lib/language/parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct clause {
	char *key, *text;
};

struct clauses {
	struct clause *v;
	size_t n, room;
	bool failed; /* out of memory */
};

static void fini(struct clauses *clauses)
{
	for (size_t i = 0; i < clauses->n; i++) {
		free(clauses->v[i].key);
		free(clauses->v[i].text);
	}
	free(clauses->v);
}

/* Takes both over. */
static void insert(struct clauses *clauses, size_t at, char *key, char *text)
{
	struct clause *v = vector_grow(clauses->v, clauses->n, &clauses->room, sizeof(*v));

	clauses->v = v ? v : clauses->v;
	clauses->failed = clauses->failed || !v;
	if (clauses->failed || !key || !text) {
		clauses->failed = true;
		free(key);
		free(text);
		return;
	}
	memmove(clauses->v + at + 1, clauses->v + at, (clauses->n - at) * sizeof(*clauses->v));
	clauses->v[at] = (struct clause){key, text};
	clauses->n++;
}

static ptrdiff_t find(const struct clauses *clauses, const char *key)
{
	for (size_t i = 0; i < clauses->n; i++)
		if (strcmp(clauses->v[i].key, key) == 0)
			return (ptrdiff_t)i;
	return -1;
}

static char *__attribute__((format(printf, 1, 2))) text_of(const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

/* ---- the words of a clause ---- */

struct words {
	char *v[64];
	size_t n;
};

static void words_fini(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->v[i]);
}

/* Without the quotes, addresses as they are printed, names in lower case: for comparing. */
static char *plain(const struct language_tokens *t)
{
	const char *from = t->text + t->token;
	size_t len = t->token_len, n = 0;
	char text[ADDR_TEXT_SIZE];
	struct addr addr;
	bool quoted = len > 1 && *from == '"';
	char *word = malloc(len + 1);
	for (size_t i = quoted; word && i < len - quoted; i++) {
		if (quoted && from[i] == '\\' && i + 1 < len - quoted)
			i++;
		word[n++] = from[i];
	}
	if (!word)
		return NULL;
	word[n] = '\0';
	if (addr_parse(word, n, &addr) < 0)
		return word;
	free(word);
	return strdup(addr_format(&addr, text));
}

/* The words of the clause up to here, as far as anything is known by them. */
static void read_words(const char *text, size_t len, struct words *words)
{
	struct language_tokens t = {.text = text, .len = len};
	words->n = 0;
	while (words->n < sizeof(words->v) / sizeof(*words->v) && language_tokens_next(&t)) {
		if (language_tokens_is(&t, "{"))
			break;
		char *word = language_tokens_is(&t, ",") ? strdup(",") : plain(&t);
		if (!word)
			break;
		words->v[words->n++] = word;
	}
}

static const char *behind(const struct words *words, const char *word, const char *otherwise)
{
	for (size_t i = 2; i + 1 < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return words->v[i + 1];
	return otherwise;
}

static bool is_host(const char *head)
{
	return strcmp(head, "host") == 0 || strcmp(head, "mx") == 0;
}

/* What a clause with these words is known by; malloc'ed. */
static char *key_of(enum policy_kind kind, const struct words *words)
{
	const char *head = words->n ? words->v[0] : "";
	const char *second = words->n > 1 ? words->v[1] : "";
	if (words->n < 2)
		return strdup(head);
	if (kind == POLICY_KIND_SERVER && is_host(head)) {
		char *key = text_of("%s %s port %s", head, second, behind(words, "port", "25"));
		for (char *c = key; c && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		return key;
	}
	if (strcmp(head, "limit") == 0)
		return text_of("limit %s%s%s", second, behind(words, "per", NULL) ? " per " : "",
			behind(words, "per", ""));
	if (kind == POLICY_KIND_RULE &&
		(strcmp(head, "server") == 0 || strcmp(head, "verdict") == 0))
		return strdup("action");
	return strdup(head);
}

/* A clause whose values are each a clause of their own: `interface a, b`, `deadline first 5s idle
 * 1h`. step: words a value takes, commas left out. */
static void add_values(struct clauses *clauses, const char *text, size_t len, size_t step)
{
	struct language_tokens t = {.text = text, .len = len};
	language_tokens_next(&t);
	const char *head = t.text + t.token;
	int head_len = (int)t.token_len;
	size_t before = clauses->n;
	while (language_tokens_next(&t)) {
		if (language_tokens_is(&t, ","))
			continue;
		size_t begin = t.token;
		char *word = plain(&t);
		for (size_t i = 1; i < step; i++)
			language_tokens_next(&t);
		insert(clauses, clauses->n, word ? text_of("%.*s %s", head_len, head, word) : NULL,
			text_of("%.*s %.*s", head_len, head, (int)(t.token + t.token_len - begin),
				text + begin));
		free(word);
	}
	if (clauses->n == before)
		insert(clauses, before, strndup(head, (size_t)head_len), strndup(text, len));
}

static void add_clause(
	struct clauses *clauses, enum policy_kind kind, const char *text, size_t len, bool named)
{
	struct words words;
	read_words(text, len, &words);
	const char *head = words.n ? words.v[0] : "";
	if (kind == POLICY_KIND_ZONE && strcmp(head, "interface") == 0)
		add_values(clauses, text, len, 1);
	else if (kind == POLICY_KIND_SERVER && strcmp(head, "deadline") == 0)
		add_values(clauses, text, len, named ? 1 : 2);
	else
		insert(clauses, clauses->n, key_of(kind, &words), strndup(text, len));
	words_fini(&words);
}

/* ---- splitting ---- */

static const char *const *heads_of(enum policy_kind kind)
{
	static const char *const none[] = {NULL};
	switch (kind) {
	case POLICY_KIND_ZONE:
		return language_statements(LANGUAGE_BLOCK_ZONE);
	case POLICY_KIND_CERTIFICATE:
		return language_statements(LANGUAGE_BLOCK_CERTIFICATE);
	case POLICY_KIND_AUTH:
		return language_statements(LANGUAGE_BLOCK_AUTH);
	case POLICY_KIND_LISTENER:
		return language_statements(LANGUAGE_BLOCK_LISTENER);
	case POLICY_KIND_DOMAIN:
		return language_statements(LANGUAGE_BLOCK_DOMAIN);
	case POLICY_KIND_SERVER:
		return language_statements(LANGUAGE_BLOCK_SERVER);
	case POLICY_KIND_SCAN:
		return language_statements(LANGUAGE_BLOCK_SCAN);
	case POLICY_KIND_RADIUS:
		return language_statements(LANGUAGE_BLOCK_RADIUS);
	case POLICY_KIND_PORTAL:
		return language_statements(LANGUAGE_BLOCK_PORTAL);
	case POLICY_KIND_DEVICE:
		return language_statements(LANGUAGE_BLOCK_DEVICE);
	case POLICY_KIND_RULE:
		return language_statements(LANGUAGE_BLOCK_RULE);
	case POLICY_KIND_LIST:
		break;
	}
	return none;
}

static bool is_head(enum policy_kind kind, const struct language_tokens *t)
{
	for (const char *const *head = heads_of(kind); *head; head++)
		if (language_tokens_is(t, *head))
			return true;
	return false;
}

/* The token behind a clause's first word, behind `not`, a comma and `per` is a value, whatever it
 * says. */
static bool has_value(const struct language_tokens *t)
{
	return !language_tokens_is(t, "disabled");
}

/* named: clauses are only named, and values stand where they tell them apart. */
static void split(
	struct clauses *clauses, enum policy_kind kind, const char *text, size_t len, bool named)
{
	struct language_tokens t = {.text = text, .len = len};
	size_t begin = 0, end = 0;
	bool any = false, value = false;
	while (language_tokens_next(&t)) {
		bool head = !any || (!value && is_head(kind, &t));
		bool demands = !value && !head && language_tokens_is(&t, "per");
		if (language_tokens_is(&t, ";"))
			continue;
		if (head && any)
			add_clause(clauses, kind, text + begin, end - begin, named);
		if (head)
			begin = t.token;
		any = true;
		value = demands ||
			(!named && ((head && has_value(&t)) || language_tokens_is(&t, ",") ||
					   language_tokens_is(&t, "not")));
		if (language_tokens_is(&t, "{"))
			language_tokens_skip_block(&t);
		end = t.at;
	}
	if (any)
		add_clause(clauses, kind, text + begin, end - begin, named);
}

/* The part between the braces. */
static void split_statement(struct clauses *clauses, enum policy_kind kind, const char *statement)
{
	const char *open = strchr(statement, '{'), *close = strrchr(statement, '}');
	if (open && close)
		split(clauses, kind, open + 1, (size_t)(close - open - 1), false);
}

/* ---- putting together ---- */

static const char *tail_of(const char *text)
{
	const char *blank = strchr(text, ' ');
	return blank ? blank + 1 : "";
}

/* Values of one clause stand in one again. */
static bool joins(const char *before, const char *text)
{
	return strncmp(text, "deadline ", 9) == 0 && strncmp(before, "deadline ", 9) == 0;
}

/* Takes the clauses over. */
static char *put_together(struct clauses *clauses, enum policy_kind kind, const char *name)
{
	size_t room = strlen(name) + 32;
	for (size_t i = 0; i < clauses->n; i++)
		room += strlen(clauses->v[i].text) + 8;
	char *text = clauses->failed ? NULL : malloc(room), *at = text;
	if (text)
		at += sprintf(at, "%s %s {", language_kind_word(kind), name);
	for (size_t i = 0; text && i < clauses->n; i++) {
		const char *clause = clauses->v[i].text;
		bool joined = i > 0 && joins(clauses->v[i - 1].text, clause);
		at = stpcpy(at, joined ? " " : "\n    ");
		at = stpcpy(at, joined ? tail_of(clause) : clause);
	}
	if (text)
		stpcpy(at, "\n}\n");
	fini(clauses);
	return text;
}

/* Behind the last one with the same first word. */
static size_t place_for(const struct clauses *clauses, const char *key)
{
	size_t len = strcspn(key, " "), at = clauses->n;
	for (size_t i = 0; i < clauses->n; i++)
		if (strncmp(clauses->v[i].key, key, len) == 0 &&
			(clauses->v[i].key[len] == ' ' || !clauses->v[i].key[len]))
			at = i + 1;
	return at;
}

char *language_clause_set(
	const struct policy *policy, enum policy_kind kind, size_t i, const char *text)
{
	struct clauses clauses = {0}, coming = {0};
	char *statement = language_print_one(policy, kind, i);
	if (statement)
		split_statement(&clauses, kind, statement);
	split(&coming, kind, text, strlen(text), false);
	clauses.failed = clauses.failed || coming.failed || !statement;
	free(statement);
	for (size_t j = 0; j < coming.n && !clauses.failed; j++) {
		struct clause *new = &coming.v[j];
		ptrdiff_t at = find(&clauses, new->key);
		if (at < 0) {
			insert(&clauses, place_for(&clauses, new->key), new->key, new->text);
		} else {
			free(clauses.v[at].text);
			clauses.v[at].text = new->text;
			free(new->key);
		}
		new->key = new->text = NULL;
	}
	fini(&coming);
	return put_together(&clauses, kind, language_name_at(policy, kind, i));
}

/* Several clauses begin with the word, and the name says no more than it. */
static bool is_short(const struct clauses *clauses, const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < clauses->n; i++)
		if (strncmp(clauses->v[i].key, key, len) == 0 && clauses->v[i].key[len] == ' ')
			return true;
	return false;
}

static char *say_short(const struct clauses *clauses, const char *key)
{
	char text[512] = "";
	size_t used = 0, len = strlen(key);
	for (size_t i = 0; i < clauses->n && used < sizeof(text); i++)
		if (strncmp(clauses->v[i].key, key, len) == 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				used ? ", or " : "", clauses->v[i].key);
	return text_of("which %s? expected %s", key, text);
}

char *language_clause_unset(const struct policy *policy, enum policy_kind kind, size_t i,
	const char *names, char **wrong, bool *absent)
{
	struct clauses clauses = {0}, going = {0};
	char *statement = language_print_one(policy, kind, i);
	*wrong = NULL;
	*absent = false;
	if (statement)
		split_statement(&clauses, kind, statement);
	split(&going, kind, names, strlen(names), true);
	clauses.failed = clauses.failed || going.failed || !statement;
	free(statement);
	for (size_t j = 0; j < going.n && !clauses.failed && !*wrong; j++) {
		const char *key = going.v[j].key;
		char cut[TEXT_CUT_SIZE];
		ptrdiff_t at = find(&clauses, key);
		if (at >= 0) {
			free(clauses.v[at].key);
			free(clauses.v[at].text);
			memmove(clauses.v + at, clauses.v + at + 1,
				(clauses.n - (size_t)at - 1) * sizeof(*clauses.v));
			clauses.n--;
			continue;
		}
		*absent = !is_short(&clauses, key);
		*wrong = *absent ? text_of("%s %s has no %s", language_kind_word(kind),
					   language_name_at(policy, kind, i), text_cut(key, cut))
				 : say_short(&clauses, key);
	}
	fini(&going);
	if (!*wrong)
		return put_together(&clauses, kind, language_name_at(policy, kind, i));
	fini(&clauses);
	return NULL;
}

char *language_clause_gone(const char *before, const char *after, enum policy_kind kind)
{
	struct clauses old = {0}, new = {0};
	size_t room = 1;
	split_statement(&old, kind, before);
	split_statement(&new, kind, after);
	for (size_t i = 0; i < old.n; i++)
		room += strlen(old.v[i].text) + 1;
	char *text = malloc(room), *at = text;
	if (text)
		*text = '\0';
	for (size_t i = 0; text && i < old.n; i++) {
		bool stays = false;
		for (size_t j = 0; j < new.n && !stays; j++)
			stays = strcmp(old.v[i].text, new.v[j].text) == 0;
		if (!stays)
			at = stpcpy(stpcpy(at, old.v[i].text), "\n");
	}
	bool failed = old.failed || new.failed;
	fini(&old);
	fini(&new);
	if (!failed)
		return text;
	free(text);
	return NULL;
}
