/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/top.h"
#include "lib/language/parse.h"
#include "lib/language/print/write.h"

#include <stdlib.h>
#include <string.h>

/* An edit is a new parse of three texts into one policy: the old statements in front of the place,
 * the operator's own statement, the old statements behind it. So a mistake is always quoted from
 * the argument, and what an edit may do is exactly what a file may say. */
struct edit {
	const struct policy *policy;
	enum policy_kind kind;
	const char *statement; /* NULL: none is put in */
	const char *name;      /* the statement that goes away or is put elsewhere; NULL: none */
	size_t place;          /* in front of this old statement; n: behind the last */
	size_t without;        /* this old one is left out; SIZE_MAX: none */
	bool as_new;           /* statement was written by the operator */
};

/* The statement that is left out leaves its line empty. */
static void write_range(struct language_writer *w, const struct edit *edit, enum policy_kind kind,
	size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (kind == edit->kind && i == edit->without)
			language_write(w, "\n", 1);
		else
			language_write_part(w, edit->policy, kind, i, LANGUAGE_PRINT_CANONICAL);
	}
}

static void write_newlines(struct language_writer *w, const struct language_writer *like)
{
	for (size_t i = 0; i < like->len; i++) {
		if (like->text[i] == '\n')
			language_write(w, "\n", 1);
	}
}

/* The running policy's text before and behind the place of the edit. Lines have the numbers that
 * they have in the whole, as `policy show` prints it. */
static void write_sides(const struct edit *edit, struct language_writer sides[2])
{
	const struct policy *policy = edit->policy;

	language_write_top(&sides[0], policy, false);
	for (unsigned i = 0; i <= edit->kind; i++) {
		enum policy_kind kind = (enum policy_kind)i;
		size_t n = language_count(policy, kind);
		if (n > 0)
			language_write_gap(&sides[0]);
		write_range(&sides[0], edit, kind, 0, kind == edit->kind ? edit->place : n);
	}
	write_newlines(&sides[1], &sides[0]);
	for (unsigned i = edit->kind; i < LANGUAGE_KINDS; i++) {
		enum policy_kind kind = (enum policy_kind)i;
		size_t n = language_count(policy, kind);
		if (n > 0 && kind != edit->kind)
			language_write_gap(&sides[1]);
		write_range(&sides[1], edit, kind, kind == edit->kind ? edit->place : 0, n);
	}
}

static const struct language_vector *vector_of(const struct language *l, enum policy_kind kind)
{
	switch (kind) {
	case POLICY_KIND_ZONE:
		return &l->zones;
	case POLICY_KIND_LISTENER:
		return &l->listeners;
	case POLICY_KIND_LIST:
		return &l->lists;
	case POLICY_KIND_CERTIFICATE:
		return &l->certificates;
	case POLICY_KIND_AUTH:
		return &l->auths;
	case POLICY_KIND_DOMAIN:
		return &l->domains;
	case POLICY_KIND_SERVER:
		return &l->servers;
	case POLICY_KIND_SCAN:
		return &l->scans;
	case POLICY_KIND_RADIUS:
		return &l->radiuses;
	case POLICY_KIND_PORTAL:
		return &l->portals;
	case POLICY_KIND_DEVICE:
		return &l->devices;
	case POLICY_KIND_RULE:
		return &l->rules;
	}
	return NULL;
}

static const char *name_in(const struct language *l, enum policy_kind kind, size_t i)
{
	const void *v = vector_of(l, kind)->v;

	switch (kind) {
	case POLICY_KIND_ZONE:
		return ((const struct policy_zone *)v)[i].name.text;
	case POLICY_KIND_LISTENER:
		return ((const struct policy_listener *)v)[i].name.text;
	case POLICY_KIND_LIST:
		return ((const struct policy_list *)v)[i].name.text;
	case POLICY_KIND_CERTIFICATE:
		return ((const struct policy_certificate *)v)[i].name.text;
	case POLICY_KIND_AUTH:
		return ((const struct policy_auth *)v)[i].name.text;
	case POLICY_KIND_DOMAIN:
		return ((const struct policy_domain *)v)[i].name.text;
	case POLICY_KIND_SERVER:
		return ((const struct policy_server *)v)[i].name.text;
	case POLICY_KIND_SCAN:
		return ((const struct policy_scan *)v)[i].name.text;
	case POLICY_KIND_RADIUS:
		return ((const struct policy_radius *)v)[i].name.text;
	case POLICY_KIND_PORTAL:
		return ((const struct policy_portal *)v)[i].name.text;
	case POLICY_KIND_DEVICE:
		return ((const struct policy_device *)v)[i].name.text;
	case POLICY_KIND_RULE:
		return ((const struct policy_rule *)v)[i].name.text;
	}
	return "";
}

/* How many statements of all kinds were read, to see that the argument is one and the right one. */
static size_t statements(const struct language *l, size_t *of_kind, enum policy_kind kind)
{
	size_t all = 0;

	for (unsigned i = 0; i < LANGUAGE_KINDS; i++)
		all += vector_of(l, (enum policy_kind)i)->n;
	*of_kind = vector_of(l, kind)->n;
	return all;
}

static void read_argument(struct language *l, const struct edit *edit)
{
	size_t kind_before, kind_after, before = statements(l, &kind_before, edit->kind);
	size_t syntax_errors = l->syntax_errors, errors = l->diagnosis->errors;
	size_t seen = l->top.nseen, includes = l->includes;
	unsigned given = l->policy->given;
	const char *word = language_kind_word(edit->kind);

	language_read_source(l, edit->as_new ? "<argument>" : "<running>", edit->statement,
		strlen(edit->statement));
	size_t after = statements(l, &kind_after, edit->kind);
	if (l->syntax_errors != syntax_errors || l->diagnosis->errors != errors)
		return;
	struct language_span span = {.place = {1, 1, (uint16_t)(l->sources.n - 1)}, .width = 1};
	bool other = l->policy->given != given || l->top.nseen != seen || l->includes != includes;
	if (other || after != before + 1 || kind_after != kind_before + 1) {
		language_error(l, &span, "this is not one %s, expected `%s NAME %s`", word, word,
			edit->kind == POLICY_KIND_LIST ? "...`, with dynamic, file or { ... }"
						       : "{ ... }");
		return;
	}
	if (!edit->as_new || !edit->name)
		return;
	const char *name = name_in(l, edit->kind, kind_before);
	if (strcmp(name, edit->name) != 0)
		language_error(l, &span,
			"%s \"%s\" cannot replace %s \"%s\", expected the same name", word, name,
			word, edit->name);
}

static struct policy *apply(const struct edit *edit, const struct language_world *world,
	struct language_diagnosis *diagnosis)
{
	struct language *l = language_begin(world, diagnosis);
	struct language_writer sides[2] = {{0}};

	if (!l)
		return NULL;
	l->previous = edit->policy;
	write_sides(edit, sides);
	char *texts[2] = {language_write_end(&sides[0], NULL), language_write_end(&sides[1], NULL)};
	if (!texts[0] || !texts[1]) {
		language_out_of_memory(l);
	} else {
		language_read_source(l, "<running>", texts[0], strlen(texts[0]));
		if (edit->statement)
			read_argument(l, edit);
		language_read_source(l, "<running>", texts[1], strlen(texts[1]));
	}
	struct policy *policy = language_finish(l);
	free(texts[0]);
	free(texts[1]);
	return policy;
}

/* An edit that must have a statement, which is NULL only when there was no memory to print it. */
static struct policy *apply_text(const struct edit *edit, const struct language_world *world,
	struct language_diagnosis *diagnosis)
{
	if (edit->statement)
		return apply(edit, world, diagnosis);
	*diagnosis = (struct language_diagnosis){.errors = 1};
	return NULL;
}

/* An error of the arguments, with the old policy's names at hand. */
static struct policy *refuse(const struct policy *policy, struct language_diagnosis *diagnosis,
	enum policy_kind kind, const char *name, const char *kind_word)
{
	struct language *l = language_begin(NULL, diagnosis);
	char text[LANGUAGE_NO_SUCH_SIZE];

	if (!l)
		return NULL;
	l->source = language_add_source(l, "<argument>", "", 0, false);
	struct language_span span = {0};
	if (kind_word) {
		language_error(l, &span,
			"\"%s\" cannot be edited alone, expected zone, listener, list, domain, "
			"certificate, "
			"server, device or rule",
			kind_word);
	} else {
		language_no_such_text(policy, kind, name, strlen(name), text);
		language_error(l, &span, "%s", text);
	}
	return language_finish(l);
}

/* The index that position and other mean; -1: there is no other. */
static ptrdiff_t place_of(const struct policy *policy, enum policy_kind kind,
	enum language_position position, const char *other)
{
	ptrdiff_t i;

	switch (position) {
	case LANGUAGE_FIRST:
		return 0;
	case LANGUAGE_LAST:
		return (ptrdiff_t)language_count(policy, kind);
	case LANGUAGE_BEFORE:
		return language_find(policy, kind, other);
	case LANGUAGE_AFTER:
		i = language_find(policy, kind, other);
		return i < 0 ? -1 : i + 1;
	}
	return -1;
}

struct policy *language_edit_add(const struct policy *policy, const char *kind,
	const char *statement, enum language_position position, const char *other,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	struct edit edit = {
		.policy = policy, .statement = statement, .without = SIZE_MAX, .as_new = true};

	if (!language_kind_of(kind, &edit.kind))
		return refuse(policy, diagnosis, edit.kind, "", kind);
	ptrdiff_t place = place_of(policy, edit.kind, position, other ? other : "");
	if (place < 0)
		return refuse(policy, diagnosis, edit.kind, other ? other : "", NULL);
	edit.place = (size_t)place;
	return apply(&edit, world, diagnosis);
}

struct policy *language_edit_replace(const struct policy *policy, const char *kind,
	const char *name, const char *statement, const struct language_world *world,
	struct language_diagnosis *diagnosis)
{
	struct edit edit = {.policy = policy, .statement = statement, .name = name, .as_new = true};

	if (!language_kind_of(kind, &edit.kind))
		return refuse(policy, diagnosis, edit.kind, "", kind);
	ptrdiff_t i = language_find(policy, edit.kind, name);
	if (i < 0)
		return refuse(policy, diagnosis, edit.kind, name, NULL);
	edit.place = edit.without = (size_t)i;
	return apply(&edit, world, diagnosis);
}

struct policy *language_edit_delete(const struct policy *policy, const char *kind, const char *name,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	struct edit edit = {.policy = policy};

	if (!language_kind_of(kind, &edit.kind))
		return refuse(policy, diagnosis, edit.kind, "", kind);
	ptrdiff_t i = language_find(policy, edit.kind, name);
	if (i < 0)
		return refuse(policy, diagnosis, edit.kind, name, NULL);
	edit.place = edit.without = (size_t)i;
	return apply(&edit, world, diagnosis);
}

struct policy *language_edit_move(const struct policy *policy, const char *name,
	enum language_position position, const char *other, const struct language_world *world,
	struct language_diagnosis *diagnosis)
{
	struct edit edit = {.policy = policy, .kind = POLICY_KIND_RULE};
	ptrdiff_t i = policy_find_rule(policy, name);

	if (i < 0)
		return refuse(policy, diagnosis, edit.kind, name, NULL);
	ptrdiff_t place = place_of(policy, edit.kind, position, other ? other : "");
	if (place < 0)
		return refuse(policy, diagnosis, edit.kind, other ? other : "", NULL);
	char *statement = language_print_rule(policy, (size_t)i, LANGUAGE_PRINT_CANONICAL);
	edit.statement = statement;
	edit.place = (size_t)place;
	edit.without = (size_t)i;
	struct policy *moved = apply_text(&edit, world, diagnosis);
	free(statement);
	return moved;
}

struct policy *language_edit_enable(const struct policy *policy, const char *name, bool enable,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	struct edit edit = {.policy = policy, .kind = POLICY_KIND_RULE};
	ptrdiff_t i = policy_find_rule(policy, name);

	if (i < 0)
		return refuse(policy, diagnosis, edit.kind, name, NULL);
	struct policy_rule rule = policy->rules[i];
	rule.disabled = !enable;
	struct language_writer w = {0};
	language_write_rule(&w, &rule);
	char *statement = language_write_end(&w, NULL);
	edit.statement = statement;
	edit.place = edit.without = (size_t)i;
	struct policy *changed = apply_text(&edit, world, diagnosis);
	free(statement);
	return changed;
}

/* One of the settings, and nothing else. */
static void read_setting(struct language *l, const char *head, const char *statement)
{
	size_t of_kind, before = statements(l, &of_kind, POLICY_KIND_RULE);
	size_t errors = l->diagnosis->errors, seen = l->top.nseen, includes = l->includes;

	language_read_source(l, "<argument>", statement, strlen(statement));
	if (l->diagnosis->errors != errors || l->syntax_errors)
		return;
	struct language_span span = {.place = {1, 1, (uint16_t)(l->sources.n - 1)}, .width = 1};
	if (l->top.nseen != seen + 1 || l->includes != includes ||
		statements(l, &of_kind, POLICY_KIND_RULE) != before)
		language_error(l, &span, "this is not one setting, expected `%s ...` alone", head);
}

struct policy *language_edit_top(const struct policy *policy, const char *head,
	const char *statement, const struct language_world *world,
	struct language_diagnosis *diagnosis)
{
	struct language *l = language_begin(world, diagnosis);
	size_t len, rest_len;

	if (!l)
		return NULL;
	l->previous = policy;
	char *text = language_print(policy, LANGUAGE_PRINT_CANONICAL, &len);
	char *rest = text ? language_top_change(text, len, head, NULL, &rest_len) : NULL;
	if (rest)
		language_read_source(l, "<running>", rest, rest_len);
	else
		language_out_of_memory(l);
	if (rest && statement)
		read_setting(l, head, statement);
	struct policy *changed = language_finish(l);
	free(text);
	free(rest);
	return changed;
}
