#include "lib/language_build.h"

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
	l->list.place = span->place;
	l->list.name = *name;
	l->list.path = language_empty();
	l->list_note.name = *span;
}

void language_list_inline(struct language *l)
{
	const struct language_item *item = l->items.v;

	l->list.kind = POLICY_LIST_INLINE;
	language_keep_elems(l, &l->items, &l->list.elems, NULL);
	for (size_t i = 0; i < l->items.n; i++) {
		if (item[i].elem.kind == POLICY_ELEM_PREFIX && item[i].elem.prefix.len == 0)
			l->list_note.whole_family = item[i].span;
	}
}

void language_list_dynamic(struct language *l)
{
	l->list.kind = POLICY_LIST_DYNAMIC;
}

static void take_elems(struct language *l, const struct policy_elem *elems, size_t n)
{
	l->list.elems.v = language_alloc(l, n, sizeof(*elems));
	if (!l->list.elems.v)
		return;
	memcpy(l->list.elems.v, elems, n * sizeof(*elems));
	l->list.elems.n = n;
}

static void read_list(struct language *l, const struct language_span *span, const char *path)
{
	char quoted[LANGUAGE_QUOTE_SIZE], *text = NULL, *word = NULL;
	struct language_span place = {.width = 1};
	unsigned line, column;
	struct policy_elem *elems;
	size_t len = 0, n;

	int error = l->world->read(l->world->context, path, &text, &len);
	if (error < 0) {
		language_error(l, span, "cannot read \"%s\": %s",
			language_quote(path, strlen(path), quoted), language_read_error(error));
		return;
	}
	error = language_parse_list(text, len, &elems, &n, &line, &column, &word);
	if (error == 0) {
		take_elems(l, elems, n);
		free(elems);
		free(text);
		return;
	}
	size_t i = language_add_source(l, path, text, len, true);
	if (i != SIZE_MAX && word) {
		place.place.line = line;
		place.place.column = column > UINT16_MAX ? UINT16_MAX : (uint16_t)column;
		place.place.file = (uint16_t)i;
		place.width = (uint16_t)(strlen(word) < 80 ? strlen(word) : 80);
		language_error(l, &place,
			"\"%s\" is no entry of a list, expected an address, a network or a MAC",
			language_quote(word, strlen(word), quoted));
	} else {
		language_out_of_memory(l);
	}
	free(word);
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
	if (before && before->kind == POLICY_LIST_FILE &&
		policy_string_equal(&before->path, &l->list.path))
		take_elems(l, before->elems.v, before->elems.n);
	else if (l->world->read && !l->stopped)
		read_list(l, span, path);
	for (size_t j = 0; j < l->list.elems.n; j++) {
		const struct policy_elem *elem = &l->list.elems.v[j];
		if (elem->kind == POLICY_ELEM_PREFIX && elem->prefix.len == 0)
			l->list_note.whole_family = *span;
	}
}

void language_list_end(struct language *l)
{
	struct policy_list *list = language_push(l, &l->lists, sizeof(*list));
	struct language_list_note *note = language_push(l, &l->list_notes, sizeof(*note));

	if (list && note) {
		*list = l->list;
		*note = l->list_note;
	}
}
