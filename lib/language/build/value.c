/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include "lib/policy/element.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct policy_string language_string(struct language *l, const struct language_token *token)
{
	return language_copy(l, token->text, token->len);
}

struct policy_string language_name(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (token->len >= POLICY_NAME_SIZE)
		language_error(l, span,
			"the name \"%s\" is too long, expected at most %d characters",
			language_quote(token->text, token->len, quoted), POLICY_NAME_SIZE - 1);
	else if (memchr(token->text, '+', token->len))
		language_error(
			l, span, "\"mac+address\" is no name, expected only A-Z a-z 0-9 . _ and -");
	return language_copy(l, token->text, token->len);
}

uint32_t language_number(struct language *l, const struct language_span *span, uint64_t number,
	uint64_t least, uint64_t most)
{
	if (number >= least && number <= most)
		return (uint32_t)number;
	language_error(l, span, "this number is out of range, expected %" PRIu64 " to %" PRIu64,
		least, most);
	return (uint32_t)least;
}

uint16_t language_port(struct language *l, const struct language_span *span, uint64_t number)
{
	if (number == 0 || number > 65535) {
		language_error(l, span, "no such port, expected 1 to 65535");
		return 0;
	}
	return (uint16_t)number;
}

uint64_t language_duration(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	uint64_t ms;

	if (language_milliseconds(token->number, token->unit, token->unit_len, &ms) &&
		ms <= LANGUAGE_DURATION_MAX_MS)
		return ms;
	language_error(l, span, "this time is too long, expected at most 7101w");
	return 1000;
}

uint64_t language_size(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	uint64_t bytes;

	if (language_bytes(token->number, token->unit, token->unit_len, &bytes) &&
		bytes <= INT64_MAX)
		return bytes;
	language_error(l, span, "this size is too large, expected less than 8589934592g");
	return 1024;
}

uint32_t language_seconds(
	struct language *l, const struct language_span *span, uint64_t ms, uint32_t least)
{
	if (ms % 1000 == 0 && ms / 1000 >= least && ms / 1000 <= UINT32_MAX)
		return (uint32_t)(ms / 1000);
	language_error(
		l, span, "this time does not fit, expected whole seconds, at least %us", least);
	return least;
}

void language_rate(struct language *l, const struct language_span *span,
	const struct language_token *token, struct language_count *count)
{
	(void)span;
	(void)l;
	count->count = token->number;
	count->seconds = token->unit[1] == 's'   ? 1
			 : token->unit[1] == 'm' ? 60
			 : token->unit[1] == 'h' ? 3600
						 : 86400;
}

static bool check_text(
	struct language *l, const struct language_span *span, const struct policy_string *text)
{
	if (text->len < POLICY_TEXT_SIZE)
		return true;
	language_error(l, span, "this text has %u bytes, expected at most %d", text->len,
		POLICY_TEXT_SIZE - 1);
	return false;
}

struct policy_act language_verdict(enum policy_verdict verdict)
{
	return (struct policy_act){.verdict = verdict, .text = language_empty()};
}

void language_answer(struct language *l, const struct language_span *span,
	const struct language_token *code, const struct policy_string *text, struct policy_act *act)
{
	*act = (struct policy_act){.verdict = POLICY_VERDICT_ANSWER, .code = 421, .text = *text};
	if (code) {
		if (code->number != 421 && code->number != 554)
			language_error(
				l, span, "an answer cannot have this code, expected 421 or 554");
		act->code = code->number == 554 ? 554 : 421;
		act->code_given = true;
	}
	if (text->len == 0)
		language_error(l, span, "this answer has no text, expected one to tell the user");
	check_text(l, span, text);
}

struct policy_string language_comment(
	struct language *l, const struct language_span *span, const struct policy_string *text)
{
	check_text(l, span, text);
	return *text;
}

/* --- comma lists */

void language_items_clear(struct language *l)
{
	l->items.n = 0;
}

static struct language_item *add(
	struct language *l, const struct language_span *span, enum language_item_kind kind)
{
	struct language_item *item = language_push(l, &l->items, sizeof(*item));

	if (item) {
		item->span = *span;
		item->kind = kind;
	}
	return item;
}

void language_item_string(
	struct language *l, const struct language_span *span, const struct policy_string *string)
{
	struct language_item *item = add(l, span, LANGUAGE_ITEM_STRING);

	if (item)
		item->string = *string;
}

void language_item_user(
	struct language *l, const struct language_span *span, const struct policy_string *string)
{
	if (string->len == 0 || string->len >= POLICY_USER_SIZE)
		language_error(l, span, "this name has %u bytes, expected 1 to %d", string->len,
			POLICY_USER_SIZE - 1);
	language_item_string(l, span, string);
}

void language_item_mail(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	struct policy_string text = language_string(l, token);
	struct policy_elem elem;
	char quoted[LANGUAGE_QUOTE_SIZE];

	const char *expected = element_parse(POLICY_HOLDS_MAIL, text.text, text.len, &elem);
	if (expected) {
		language_error(l, span,
			"\"%s\" is no mail address, expected %s, or the name of a list of them",
			language_quote(text.text, text.len, quoted), expected);
		return;
	}
	struct language_item *item = add(l, span, LANGUAGE_ITEM_ELEM);
	if (item)
		item->elem = elem;
}

void language_item_host(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	struct policy_string text = language_string(l, token);
	struct policy_elem elem;
	char quoted[LANGUAGE_QUOTE_SIZE];

	const char *expected = element_parse(POLICY_HOLDS_HOSTS, text.text, text.len, &elem);
	if (expected) {
		language_error(l, span,
			"\"%s\" is no place, expected an address, a network, a range, a MAC, %s, "
			"or "
			"the name of a list",
			language_quote(text.text, text.len, quoted), expected);
		return;
	}
	struct language_item *item = add(l, span, LANGUAGE_ITEM_ELEM);
	if (item)
		item->elem = elem;
}

void language_item_domain(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	struct policy_string text = language_string(l, token);
	struct policy_elem elem;
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (element_parse(POLICY_HOLDS_HOSTS, text.text, text.len, &elem) ||
		!element_is_domain(&elem)) {
		language_error(l, span,
			"\"%s\" is no domain to protect, expected one such as hotel.example, or "
			".hotel.example for all below it, of two names at least",
			language_quote(text.text, text.len, quoted));
		return;
	}
	struct language_item *item = add(l, span, LANGUAGE_ITEM_ELEM);
	if (item)
		item->elem = elem;
}

void language_item_own(struct language *l, const struct language_span *span)
{
	add(l, span, LANGUAGE_ITEM_OWN);
}

void language_item_none(struct language *l, const struct language_span *span)
{
	add(l, span, LANGUAGE_ITEM_NONE);
}

void language_item_protected(struct language *l, const struct language_span *span)
{
	add(l, span, LANGUAGE_ITEM_PROTECTED);
}

void language_item_elem(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	char text[PREFIX_READINGS_SIZE];

	if (token->wrong) {
		language_error(l, span, "this range holds nothing, expected %s", token->wrong);
		return;
	}
	struct language_item *item = add(l, span, LANGUAGE_ITEM_ELEM);
	if (!item)
		return;
	item->elem = token->elem;
	if (token->host_bits && prefix_readings(token->text, token->len, text))
		language_fault(l, span, "bits are set behind the length, expected %s", text);
}

void language_in_quotes(
	struct language *l, const struct language_span *span, const struct language_token *word)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (!memchr(word->text, '.', word->len))
		language_error(l, span, "expected this in quotes: \"%s\"",
			language_quote(word->text, word->len, quoted));
}

void language_item_quoted(
	struct language *l, const struct language_span *span, const struct language_token *token)
{
	struct policy_string string = language_string(l, token);

	if (string.len == 0)
		language_error(l, span, "this is empty, expected a text");
	language_item_string(l, span, &string);
}

void language_item_port(struct language *l, const struct language_span *span, uint64_t port)
{
	struct language_item *item = add(l, span, LANGUAGE_ITEM_PORT);

	if (item)
		item->port = (uint16_t)port;
}

void language_item_number(struct language *l, const struct language_span *span, uint64_t number)
{
	struct language_item *item = add(l, span, LANGUAGE_ITEM_NUMBER);

	if (item)
		item->number = number;
}

void language_days(struct language *l, const struct language_token *token)
{
	l->range = token->range;
}

void language_item_range(
	struct language *l, const struct language_span *span, const struct language_token *hours)
{
	struct language_item *item = add(l, span, LANGUAGE_ITEM_RANGE);

	if (!item)
		return;
	item->range = l->range;
	if (hours) {
		item->range.hours_given = true;
		item->range.from = hours->range.from;
		item->range.to = hours->range.to;
	}
}

void language_item_hours(
	struct language *l, const struct language_span *span, const struct language_token *hours)
{
	l->range = (struct policy_range){.days = 0x7f, .last_day = 6};
	language_item_range(l, span, hours);
}

/* How many items are of a kind. */
static size_t count(const struct language_vector *items, enum language_item_kind kind)
{
	const struct language_item *item = items->v;
	size_t n = 0;

	for (size_t i = 0; i < items->n; i++)
		n += item[i].kind == kind;
	return n;
}

static size_t keep_spans(struct language *l, const struct language_vector *items,
	enum language_item_kind kind, struct language_spans *spans)
{
	const struct language_item *item = items->v;
	size_t n = count(items, kind);

	if (!spans)
		return n;
	spans->n = 0;
	spans->v = language_alloc(l, n, sizeof(*spans->v));
	for (size_t i = 0; spans->v && i < items->n; i++) {
		if (item[i].kind == kind)
			spans->v[spans->n++] = item[i].span;
	}
	return n;
}

void language_keep_strings(struct language *l, const struct language_vector *items,
	struct policy_strings *strings, struct language_spans *spans)
{
	const struct language_item *item = items->v;
	size_t n = keep_spans(l, items, LANGUAGE_ITEM_STRING, spans);

	strings->n = 0;
	strings->v = language_alloc(l, n, sizeof(*strings->v));
	for (size_t i = 0; strings->v && i < items->n; i++) {
		if (item[i].kind == LANGUAGE_ITEM_STRING)
			strings->v[strings->n++] = item[i].string;
	}
}

void language_keep_prefixes(struct language *l, const struct language_vector *items,
	struct policy_prefixes *prefixes, struct language_spans *spans)
{
	const struct language_item *item = items->v;
	size_t n = keep_spans(l, items, LANGUAGE_ITEM_ELEM, spans);

	prefixes->n = 0;
	prefixes->v = language_alloc(l, n, sizeof(*prefixes->v));
	for (size_t i = 0; prefixes->v && i < items->n; i++) {
		if (item[i].kind == LANGUAGE_ITEM_ELEM)
			prefixes->v[prefixes->n++] = item[i].elem.prefix;
	}
}

void language_keep_elems(struct language *l, const struct language_vector *items,
	struct policy_elems *elems, struct language_spans *spans)
{
	const struct language_item *item = items->v;
	size_t n = keep_spans(l, items, LANGUAGE_ITEM_ELEM, spans);

	elems->n = 0;
	elems->v = language_alloc(l, n, sizeof(*elems->v));
	for (size_t i = 0; elems->v && i < items->n; i++) {
		if (item[i].kind == LANGUAGE_ITEM_ELEM)
			elems->v[elems->n++] = item[i].elem;
	}
}

void language_keep_ports(struct language *l, const struct language_vector *items,
	struct policy_ports *ports, struct language_spans *spans)
{
	const struct language_item *item = items->v;
	size_t n = keep_spans(l, items, LANGUAGE_ITEM_PORT, spans);

	ports->n = 0;
	ports->v = language_alloc(l, n, sizeof(*ports->v));
	for (size_t i = 0; ports->v && i < items->n; i++) {
		if (item[i].kind == LANGUAGE_ITEM_PORT)
			ports->v[ports->n++] = item[i].port;
	}
}

/* --- blocks */

void language_enter(struct language *l, struct language_block *block, enum language_block_kind kind,
	const struct policy_string *name)
{
	if (block == &l->block)
		l->errors_before = l->syntax_errors;
	memset(block, 0, sizeof(*block));
	block->kind = kind;
	if (name)
		block->name = *name;
}

bool language_whole(const struct language *l)
{
	return l->syntax_errors == l->errors_before && !l->stopped;
}

const char *language_block_word(enum language_block_kind kind)
{
	static const char *const block_words[] = {
		[LANGUAGE_BLOCK_TOP] = "",
		[LANGUAGE_BLOCK_AUDIT] = "audit",
		[LANGUAGE_BLOCK_ZONE] = "zone",
		[LANGUAGE_BLOCK_CLIENT_TLS] = "tls",
		[LANGUAGE_BLOCK_CERTIFICATE] = "certificate",
		[LANGUAGE_BLOCK_AUTH] = "auth",
		[LANGUAGE_BLOCK_LDAP] = "ldap",
		[LANGUAGE_BLOCK_LISTENER] = "listener",
		[LANGUAGE_BLOCK_DOMAIN] = "domain",
		[LANGUAGE_BLOCK_SERVER] = "server",
		[LANGUAGE_BLOCK_HOST] = "host",
		[LANGUAGE_BLOCK_SERVER_TLS] = "tls",
		[LANGUAGE_BLOCK_ACCOUNT] = "account",
		[LANGUAGE_BLOCK_ANNOUNCE] = "announce",
		[LANGUAGE_BLOCK_LIMIT] = "limit",
		[LANGUAGE_BLOCK_SESSIONS] = "limit sessions",
		[LANGUAGE_BLOCK_SCAN] = "scan",
		[LANGUAGE_BLOCK_RADIUS] = "radius",
		[LANGUAGE_BLOCK_RADIUS_SOURCE] = "from",
		[LANGUAGE_BLOCK_RADIUS_ZONE] = "zone",
		[LANGUAGE_BLOCK_RADIUS_GROUP] = "group",
		[LANGUAGE_BLOCK_PORTAL] = "portal",
		[LANGUAGE_BLOCK_DEVICE] = "device",
		[LANGUAGE_BLOCK_RULE] = "rule",
	};

	return block_words[kind];
}

bool language_once(struct language *l, struct language_block *block,
	const struct language_span *span, const char *word)
{
	for (size_t i = 0; i < block->nseen; i++) {
		if (strcmp(block->seen[i].word, word) != 0)
			continue;
		const struct policy_place *first = &block->seen[i].place;
		char where[POLICY_NAME_SIZE + 32] = "", file[600] = "";
		if (block->kind != LANGUAGE_BLOCK_TOP)
			snprintf(where, sizeof(where), " in %s%s%.*s",
				language_block_word(block->kind), block->name.len ? " " : "",
				POLICY_NAME_SIZE - 1, block->name.len ? block->name.text : "");
		if (first->file != span->place.file)
			snprintf(file, sizeof(file),
				"%.500s:", language_source_at(l, first->file)->name);
		language_error(l, span, "\"%s\" stands twice%s, expected once; first at %s%u:%u",
			word, where, file, first->line, first->column);
		return false;
	}
	if (block->nseen < LANGUAGE_SEEN_MAX) {
		block->seen[block->nseen].word = word;
		block->seen[block->nseen++].place = span->place;
	}
	return true;
}
