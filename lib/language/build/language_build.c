/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include "lib/policy/element.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->top, word, text);
}

/* One file says once which language it is written in; an included file may say so too. */
void language_version(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	struct language_source *source = language_source_at(l, l->source);

	if (number != 1)
		language_error(l, span, "this release does not know that language, expected 1");
	if (source->language.line > 0)
		language_error(l, word, "\"language\" stands twice, expected once; first at %u:%u",
			source->language.line, source->language.column);
	source->language = word->place;
	l->policy->given |= POLICY_GIVEN_LANGUAGE;
}

static bool is_hostname(const struct policy_string *name)
{
	size_t label = 0;

	for (size_t i = 0; i < name->len; i++) {
		char c = name->text[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (c == '.' ? label == 0 : !letter && (c != '-' || label == 0))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && name->len <= 253 && name->text[name->len - 1] != '-';
}

void language_hostname(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	once(l, word, "hostname");
	if (!is_hostname(name))
		language_error(
			l, span, "this is no host name, expected one such as gw.example.net");
	l->policy->hostname = *name;
	l->policy->given |= POLICY_GIVEN_HOSTNAME;
}

void language_on_failure(
	struct language *l, const struct language_span *word, enum policy_posture posture)
{
	once(l, word, "on-failure");
	l->policy->on_failure = posture;
	l->policy->given |= POLICY_GIVEN_ON_FAILURE;
}

void language_drain(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "drain");
	l->policy->drain_s = language_seconds(l, span, ms, 0);
	l->policy->given |= POLICY_GIVEN_DRAIN;
}

void language_top_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t number)
{
	once(l, word, "limit flows");
	l->top_limit = *word;
	l->policy->limit_flows = language_number(l, span, number, 1, 10000000);
	l->policy->given |= POLICY_GIVEN_LIMIT;
}

void language_audit(struct language *l, const struct language_span *word)
{
	once(l, word, "audit");
	language_enter(l, &l->block, LANGUAGE_BLOCK_AUDIT, NULL);
}

void language_audit_keep(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	language_once(l, &l->block, word, "keep");
	l->policy->audit_keep_s = language_seconds(l, span, ms, 1);
	l->policy->given |= POLICY_GIVEN_AUDIT_KEEP;
}

void language_audit_size(struct language *l, const struct language_span *word, uint64_t bytes)
{
	language_once(l, &l->block, word, "size");
	l->policy->audit_size_bytes = bytes;
	l->policy->given |= POLICY_GIVEN_AUDIT_SIZE;
}

void language_audit_privacy(struct language *l, const struct language_span *word, bool off)
{
	language_warn(l, word, "`privacy %s` is called `names %s` now, and printed so",
		off ? "off" : "plain", off ? "none" : "plain");
	language_audit_names(l, word, off);
}

void language_audit_names(struct language *l, const struct language_span *word, bool none)
{
	language_once(l, &l->block, word, "names");
	l->policy->audit_names_none = none;
	l->policy->given |= POLICY_GIVEN_AUDIT_NAMES;
}

void language_log_level(
	struct language *l, const struct language_span *word, enum policy_log_level level)
{
	once(l, word, "log");
	l->policy->log_level = level;
	l->policy->given |= POLICY_GIVEN_LOG_LEVEL;
}

void language_metrics(struct language *l, const struct language_span *word,
	const struct language_span *addr_span, const struct language_token *token,
	const struct language_span *port_span, uint16_t port)
{
	const struct language_world *world = l->world;
	const struct addr *addr = &token->elem.prefix.addr;

	once(l, word, "metrics");
	if (port == world->relay_port)
		language_error(l, port_span,
			"port %u is a listener of our own, expected another port", port);
	if (!addr_is_unspecified(addr) && !addr_is_loopback(addr) && world->own_address &&
		!world->own_address(world->context, addr))
		language_warn(l, addr_span, "this is no address of the gateway (it may come)");
	l->policy->metrics_addr = *addr;
	l->policy->metrics_port = port;
	l->policy->given |= POLICY_GIVEN_METRICS;
}

/* --- list */

void language_list_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->list, 0, sizeof(l->list));
	memset(&l->list_note, 0, sizeof(l->list_note));
	l->bad_members = l->bad_members_from = 0;
	l->list.place = span->place;
	l->list.name = *name;
	l->list.path = language_empty();
	l->list_note.name = *span;
}

void language_list_holds(struct language *l, enum policy_list_holds holds)
{
	l->list.holds = holds;
	l->list.holds_given = true;
}

/* One error is left for their count. */
static void refuse_member(struct language *l, const struct language_span *span,
	const struct policy_string *text, const char *expected)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	l->bad_members++;
	if (l->diagnosis->errors + 2 < LANGUAGE_ERRORS_MAX)
		language_error(l, span, "\"%s\" is no entry of this list, expected %s",
			language_quote(text->text, text->len, quoted), expected);
	else if (l->bad_members_from == 0)
		l->bad_members_from = l->bad_members;
}

void language_list_member(struct language *l, const struct language_span *span,
	const struct language_token *token, const struct policy_string *text)
{
	struct policy_string written = token ? language_string(l, token) : *text;
	struct language_token member = token ? *token : (struct language_token){0};

	const char *expected =
		element_parse(l->list.holds, written.text, written.len, &member.elem);
	if (expected)
		refuse_member(l, span, &written, expected);
	else
		language_item_elem(l, span, &member);
}

void language_list_inline(struct language *l)
{
	const struct language_item *item = l->items.v;

	l->list.kind = POLICY_LIST_INLINE;
	language_keep_elems(l, &l->items, &l->list.elems, NULL);
	for (size_t i = 0; i < l->items.n; i++) {
		if (element_is_family(&item[i].elem))
			l->list_note.whole_family = item[i].span;
	}
}

void language_list_dynamic(struct language *l)
{
	l->list.kind = POLICY_LIST_DYNAMIC;
}

/* With the texts that they borrow. */
static void take_elems(struct language *l, const struct policy_elem *elems, size_t n)
{
	l->list.elems.v = language_alloc(l, n, sizeof(*elems));
	if (!l->list.elems.v)
		return;
	memcpy(l->list.elems.v, elems, n * sizeof(*elems));
	for (size_t i = 0; i < n; i++) {
		size_t len = element_text_len(&elems[i]);
		if (!len)
			continue;
		const char *text = arena_copy(l->policy->arena, elems[i].text, len);
		if (!text) {
			language_out_of_memory(l);
			return;
		}
		l->list.elems.v[i].text = text;
	}
	l->list.elems.n = n;
}

static void say_bad(struct language *l, size_t source, const struct language_bad *bad, size_t more)
{
	struct language_span place = {.place.line = bad->line,
		.place.column = bad->column > UINT16_MAX ? UINT16_MAX : (uint16_t)bad->column,
		.place.file = (uint16_t)source,
		.width = (uint16_t)(bad->len < 80 ? bad->len : 80)};
	char quoted[LANGUAGE_QUOTE_SIZE], hint[64];

	snprintf(hint, sizeof(hint), "and %zu more bad entries in this file", more);
	language_say(l, LANGUAGE_ERROR, &place, more ? hint : NULL,
		"\"%s\" is no entry of this list, expected %s",
		language_quote(bad->word, bad->len, quoted), bad->expected);
}

/* All that are bad at once, as far as errors are kept; then how many more there are. */
static void say_all_bad(struct language *l, size_t source, const struct language_listing *listing)
{
	for (size_t i = 0; i < listing->nbad && i < LANGUAGE_BAD_MAX && !l->stopped; i++) {
		bool last = i + 1 == LANGUAGE_BAD_MAX ||
			    l->diagnosis->errors + 1 == LANGUAGE_ERRORS_MAX;
		say_bad(l, source, &listing->bad[i], last ? listing->nbad - i - 1 : 0);
	}
}

/* As of a network in the policy itself. */
static void say_wide(struct language *l, size_t source, const struct language_listing *listing)
{
	const struct language_bad *wide = &listing->wide;
	struct language_span place = {.place.line = wide->line,
		.place.column = wide->column > UINT16_MAX ? UINT16_MAX : (uint16_t)wide->column,
		.place.file = (uint16_t)source,
		.width = (uint16_t)(wide->len < 80 ? wide->len : 80)};
	char text[PREFIX_READINGS_SIZE], more[64] = "";

	if (!prefix_readings(wide->word, wide->len, text))
		return;
	if (listing->nwide > 1)
		snprintf(more, sizeof(more), " (and %zu more of this kind)", listing->nwide - 1);
	language_fault(l, &place, "bits are set behind the length, expected %s%s", text, more);
}

static void read_list(struct language *l, const struct language_span *span, const char *path)
{
	char quoted[LANGUAGE_QUOTE_SIZE], *text = NULL;
	struct language_listing listing;
	size_t len = 0;

	int error = l->world->read(l->world->context, path, &text, &len);
	if (error < 0) {
		language_error(l, span, "cannot read \"%s\": %s",
			language_quote(path, strlen(path), quoted), language_read_error(error));
		return;
	}
	error = language_parse_list(l->list.holds, text, len, &listing);
	if (error == 0)
		take_elems(l, listing.elems, listing.n);
	if (error == -EINVAL || listing.nwide) {
		size_t i = language_add_source(l, path, text, len, true);
		if (i != SIZE_MAX)
			say_all_bad(l, i, &listing);
		if (i != SIZE_MAX && listing.nwide)
			say_wide(l, i, &listing);
	} else {
		free(text);
	}
	if (error == -ENOMEM)
		language_out_of_memory(l);
	language_listing_fini(&listing);
}

void language_list_file(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const char *path = language_resolve_path(l, name);

	l->list.kind = POLICY_LIST_FILE;
	if (!path)
		return;
	l->list.path = language_copy(l, path, strlen(path));
	ptrdiff_t i = l->previous ? policy_find(l->previous, POLICY_KIND_LIST, &l->list.name) : -1;
	const struct policy_list *before = i >= 0 ? &l->previous->lists[i] : NULL;
	if (before && before->kind == POLICY_LIST_FILE && before->holds == l->list.holds &&
		policy_string_equal(&before->path, &l->list.path))
		take_elems(l, before->elems.v, before->elems.n);
	else if (l->world->read && !l->stopped)
		read_list(l, span, path);
	for (size_t j = 0; j < l->list.elems.n; j++) {
		if (element_is_family(&l->list.elems.v[j]))
			l->list_note.whole_family = *span;
	}
}

void language_list_end(struct language *l)
{
	if (l->bad_members_from)
		language_error(l, &l->list_note.name, "list %s has %zu more bad entries",
			l->list.name.text, l->bad_members - l->bad_members_from + 1);
	struct policy_list *list = language_push(l, &l->lists, sizeof(*list));
	struct language_list_note *note = language_push(l, &l->list_notes, sizeof(*note));

	if (list && note) {
		*list = l->list;
		*note = l->list_note;
	}
}
