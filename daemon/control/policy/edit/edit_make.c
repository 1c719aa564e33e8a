/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/edit/edit_make.h"

#include "lib/language/edit/clause.h"
#include "lib/language/edit/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_bare(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._:/*+-";
	for (size_t i = 0; i < len; i++)
		if (!strchr(allowed, text[i]) || !text[i])
			return false;
	return len > 0;
}

/* The part as the language writes it. Returns the length. */
static size_t put_part(char *to, const char *text, size_t len)
{
	size_t at = 0;
	if (is_bare(text, len)) {
		memcpy(to, text, len);
		return len;
	}
	to[at++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			to[at++] = '\\';
		to[at++] = text[i];
	}
	to[at++] = '"';
	return at;
}

static bool is_brace(const char *word)
{
	return strcmp(word, "{") == 0 || strcmp(word, "}") == 0;
}

/* Braces are a block's where each has its other; else somebody is called so. */
static bool has_blocks(const struct edit *edit)
{
	size_t depth = 0;
	for (size_t i = 0; i < edit->nwords; i++) {
		if (strcmp(edit->words[i], "}") == 0 && depth-- == 0)
			return false;
		depth += strcmp(edit->words[i], "{") == 0;
	}
	return depth == 0;
}

static size_t put_word(char *to, const char *word)
{
	size_t at = 0, len = strlen(word);
	/* written with quotes already, or a text with commas: one string. Else a list by commas */
	if (len >= 2 && word[0] == '"' && word[len - 1] == '"') {
		memcpy(to, word, len);
		return len;
	}
	if (len == 0 || strchr(word, ' '))
		return put_part(to, word, len);
	for (;;) {
		size_t part = strcspn(word, ",");
		if (part)
			at += put_part(to + at, word, part);
		word += part;
		if (*word != ',')
			return at;
		to[at++] = ',';
		to[at++] = ' ';
		word++;
	}
}

/* Words of the command line as the inside of a statement: what only fits as a string gets its
 * quotes back. malloc'ed. */
static char *inside_of(const struct edit *edit)
{
	size_t room = 1;
	for (size_t i = 0; i < edit->nwords; i++)
		room += 3 * strlen(edit->words[i]) + 4;
	char *text = malloc(room), *at = text;
	bool blocks = has_blocks(edit);
	for (size_t i = 0; text && i < edit->nwords; i++) {
		if (i > 0)
			*at++ = ' ';
		/* a single word with blanks is the statement's inside, quoted for the shell */
		if (edit->nwords == 1 && strchr(edit->words[i], ' '))
			at = stpcpy(at, edit->words[i]);
		else if (blocks && is_brace(edit->words[i]))
			at = stpcpy(at, edit->words[i]);
		else
			at += put_word(at, edit->words[i]);
	}
	if (text)
		*at = '\0';
	return text;
}

/* A list has its braces in its words, or none. */
char *edit_statement(const struct edit *edit)
{
	char *inside = inside_of(edit), *name = malloc(2 * strlen(edit->name) + 3), *text = NULL;
	bool list = edit->kind == POLICY_KIND_LIST;
	if (inside && name) {
		name[put_part(name, edit->name, strlen(edit->name))] = '\0';
		if (asprintf(&text, list ? "%s %s %s" : "%s %s { %s }",
			    language_kind_word(edit->kind), name, inside) < 0)
			text = NULL;
	}
	free(inside);
	free(name);
	return text;
}

static char *changed_statement(
	const struct edit *edit, const struct policy *from, struct edit_made *made)
{
	size_t i = (size_t)language_find(from, edit->kind, edit->name);
	char *inside = inside_of(edit), *statement = NULL;
	bool absent;
	if (inside && edit->verb == EDIT_SET)
		statement = language_clause_set(from, edit->kind, i, inside);
	else if (inside)
		statement =
			language_clause_unset(from, edit->kind, i, inside, &made->wrong, &absent);
	if (made->wrong)
		made->outcome = absent ? OUTCOME_ABSENT : OUTCOME_USAGE;
	free(inside);
	return statement;
}

/* As it stands in the policy; malloc'ed, "" where it does not, NULL: no memory. */
static char *print_setting(const struct policy *policy, const char *head)
{
	size_t len, n;
	char *text = language_print(policy, LANGUAGE_PRINT_CANONICAL, &len);
	const char *found = text ? language_top_find(text, len, head, &n) : NULL;
	char *setting = found ? strndup(found, n) : text ? strdup("") : NULL;
	free(text);
	return setting;
}

/* The text of a setting that is put in. */
static char *setting_of(const struct edit *edit)
{
	return edit->verb == EDIT_SET ? inside_of(edit) : NULL;
}

static void make_top(const struct edit *edit, const struct policy *from,
	const struct language_world *world, struct edit_made *made)
{
	char *before = print_setting(from, edit->name), *setting = setting_of(edit);
	int n = 0;
	if (!before || (edit->verb == EDIT_SET && !setting)) {
		made->wrong = strdup("out of memory");
		made->outcome = OUTCOME_REFUSED;
	} else if (!language_top_is(edit->name)) {
		n = asprintf(&made->wrong,
			"\"%.60s\" is no setting of the policy, expected audit, drain, hostname, "
			"limit, log, metrics or on-failure",
			edit->name);
		made->outcome = OUTCOME_USAGE;
	} else if (edit->verb == EDIT_UNSET && !*before) {
		n = asprintf(&made->wrong, "the policy has no %s", edit->name);
		made->outcome = OUTCOME_ABSENT;
	} else {
		made->policy =
			language_edit_top(from, edit->name, setting, world, &made->diagnosis);
	}
	if (n < 0)
		made->wrong = NULL;
	free(before);
	free(setting);
}

char *edit_follow(const struct edit *edit, const char *source, size_t len,
	const struct policy *from, const struct policy *to, size_t *out_len)
{
	if (!edit->top)
		return language_source_follow(
			source, len, from, to, language_kind_word(edit->kind), edit->name, out_len);
	char *setting = setting_of(edit);
	char *text = edit->verb == EDIT_SET && !setting
			     ? NULL
			     : language_top_change(source, len, edit->name, setting, out_len);
	free(setting);
	return text;
}

void edit_make(const struct edit *edit, const struct policy *from, bool is_there,
	const struct language_world *world, struct edit_made *made)
{
	const char *kind = language_kind_word(edit->kind);
	bool whole = edit->verb == EDIT_ADD || edit->verb == EDIT_REPLACE ||
		     (edit->kind == POLICY_KIND_LIST && edit->verb == EDIT_SET);
	char *statement = NULL;
	*made = (struct edit_made){.outcome = OUTCOME_SYNTAX};
	if (edit->top) {
		make_top(edit, from, world, made);
		return;
	}
	if (whole)
		statement = edit_statement(edit);
	else if (edit->verb == EDIT_SET || edit->verb == EDIT_UNSET)
		statement = changed_statement(edit, from, made);
	if (!statement && edit->verb <= EDIT_UNSET) {
		if (!made->wrong) {
			made->wrong = strdup("out of memory");
			made->outcome = OUTCOME_REFUSED;
		}
		return;
	}
	switch (edit->verb) {
	case EDIT_ADD:
		if (!is_there) {
			made->policy = language_edit_add(from, kind, statement, edit->position,
				edit->other, world, &made->diagnosis);
			break;
		}
		/* fall through */
	case EDIT_REPLACE:
	case EDIT_SET:
	case EDIT_UNSET:
		made->policy = language_edit_replace(
			from, kind, edit->name, statement, world, &made->diagnosis);
		break;
	case EDIT_DELETE:
		made->policy =
			language_edit_delete(from, kind, edit->name, world, &made->diagnosis);
		break;
	case EDIT_MOVE:
		made->policy = language_edit_move(
			from, edit->name, edit->position, edit->other, world, &made->diagnosis);
		break;
	case EDIT_ENABLE:
	case EDIT_DISABLE:
		made->policy = language_edit_enable(
			from, edit->name, edit->verb == EDIT_ENABLE, world, &made->diagnosis);
		break;
	}
	free(statement);
}

void edit_made_fini(struct edit_made *made)
{
	free(made->wrong);
	language_diagnosis_fini(&made->diagnosis);
}

char *edit_one_line(char *text)
{
	char *to = text;
	bool blank = true;
	for (const char *from = text; *from; from++) {
		bool is_blank = *from == ' ' || *from == '\t' || *from == '\n';
		if (!is_blank || !blank)
			*to++ = is_blank ? ' ' : *from;
		blank = is_blank;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return text;
}

char *edit_gone(const struct edit *edit, const struct policy *from, const struct policy *to)
{
	if (edit->top) {
		char *gone = print_setting(from, edit->name), *now = print_setting(to, edit->name);
		if (gone && now && strcmp(gone, now) == 0)
			*gone = '\0';
		free(now);
		return gone;
	}
	ptrdiff_t i = language_find(from, edit->kind, edit->name);
	ptrdiff_t j = language_find(to, edit->kind, edit->name);
	char *before = i < 0 ? NULL : language_print_one(from, edit->kind, (size_t)i);
	char *after = j < 0 ? NULL : language_print_one(to, edit->kind, (size_t)j);
	char *gone = NULL;
	if (i < 0)
		gone = strdup("");
	else if (before && j < 0)
		gone = strdup(edit_one_line(before));
	else if (before && after && edit->kind == POLICY_KIND_LIST)
		gone = strdup(edit_one_line(before));
	else if (before && after)
		gone = language_clause_gone(before, after, edit->kind);
	free(before);
	free(after);
	return gone;
}
