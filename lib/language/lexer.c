/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/lexer.h"

#include "lib/base/text.h"
#include "lib/language/grammar.h"

#include <string.h>

/* Columns count characters: what is no start of one takes none. */
static uint32_t columns_of(const char *text, size_t len)
{
	uint32_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void language_scanned(struct language *l, const char *text, size_t len)
{
	uint32_t width = columns_of(text, len);

	l->span.place.line = l->line;
	l->span.place.column = l->column > UINT16_MAX ? UINT16_MAX : (uint16_t)l->column;
	l->span.place.file = (uint16_t)l->source;
	l->span.width = width > UINT16_MAX ? UINT16_MAX : (uint16_t)width;
	l->offset = l->next_offset;
	l->next_offset += len;
	l->column += width;
}

void language_scanned_newline(struct language *l)
{
	l->line++;
	l->column = 1;
}

/* The token's text in the source, which outlives flex's copy. */
static void take(struct language *l, size_t len)
{
	memset(&l->token, 0, sizeof(l->token));
	l->token.text = language_source_at(l, l->source)->text + l->offset;
	l->token.len = len;
}

int language_scanned_mark(struct language *l, char mark)
{
	take(l, 1);
	if (mark == '{' && l->braces++ < LANGUAGE_BRACES_MAX)
		l->open[l->braces - 1] = l->span.place;
	if (mark == '}' && l->braces > 0)
		l->braces--;
	return mark;
}

/* Puts the span on one character of the token, at bytes behind its begin. */
static struct language_span span_within(const struct language *l, const char *text, size_t at)
{
	struct language_span span = l->span;
	uint32_t column = span.place.column + columns_of(text, at);

	span.place.column = column > UINT16_MAX ? UINT16_MAX : (uint16_t)column;
	span.width = 1;
	return span;
}

static bool check_characters(struct language *l, const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = text_character(text + i, len - i);
		if (n > 0)
			continue;
		struct language_span span = span_within(l, text, i);
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7f)
			language_error(l, &span,
				"control character 0x%02x, expected text without control "
				"characters",
				c);
		else
			language_error(l, &span,
				"byte 0x%02x is no UTF-8 text, expected UTF-8 without control "
				"characters",
				c);
		l->syntax_errors++;
		return false;
	}
	return true;
}

int language_scanned_string(struct language *l, const char *text, size_t len)
{
	take(l, len);
	if (!check_characters(l, text, len))
		return T_GRAMMAR_error;
	l->token.text++;
	l->token.len -= 2;
	if (!memchr(text, '\\', len))
		return T_STRING;

	char *plain = arena_copy(l->policy->arena, l->token.text, l->token.len);
	if (!plain) {
		language_out_of_memory(l);
		return T_GRAMMAR_error;
	}
	size_t n = 0;
	for (size_t i = 1; i < len - 1; i++) {
		if (text[i] == '\\' && text[i + 1] != '"' && text[i + 1] != '\\') {
			struct language_span span = span_within(l, text, i);
			language_error(l, &span,
				"unknown escape, expected \\\" for a quote or \\\\ for a "
				"backslash");
			l->syntax_errors++;
			return T_GRAMMAR_error;
		}
		if (text[i] == '\\')
			i++;
		plain[n++] = text[i];
	}
	plain[n] = '\0';
	l->token.text = plain;
	l->token.len = n;
	return T_STRING;
}

int language_scanned_open_string(struct language *l)
{
	take(l, 1);
	l->span.width = 1;
	language_error(
		l, &l->span, "this string does not end, expected \" before the end of the line");
	l->syntax_errors++;
	return T_GRAMMAR_error;
}

int language_scanned_word(struct language *l, const char *text, size_t len)
{
	take(l, len);
	if (!check_characters(l, text, len))
		return T_GRAMMAR_error;
	const char *dollar = memchr(text, '$', len);
	if (dollar) {
		struct language_span span = span_within(l, text, (size_t)(dollar - text));
		language_error(l, &span,
			"'$' is reserved, expected a word without it or a string in quotes");
		l->syntax_errors++;
		return T_GRAMMAR_error;
	}
	return language_classify(l, l->token.text, len);
}

int language_next_token(struct language *l)
{
	if (l->again) {
		l->again = false;
		return l->last;
	}
	if (l->stopped || l->out_of_memory) {
		l->last = T_END;
		return l->last;
	}
	int before = l->last;
	l->last = language_scan(l, l->scanner);
	l->before = before;
	if (l->last == T_END) {
		language_scanned(l, "", 0);
		take(l, 0);
		l->span.width = 1;
	}
	return l->last;
}

static unsigned depth_of(const struct language *l, enum language_block_kind kind)
{
	switch (kind) {
	case LANGUAGE_BLOCK_TOP:
		return 0;
	case LANGUAGE_BLOCK_SERVER_TLS: /* of a server or of a host */
		return l->tls_block == &l->innermost ? 3 : 2;
	case LANGUAGE_BLOCK_CLIENT_TLS:
	case LANGUAGE_BLOCK_ACCOUNT:
	case LANGUAGE_BLOCK_LDAP:
	case LANGUAGE_BLOCK_HOST:
	case LANGUAGE_BLOCK_ANNOUNCE:
	case LANGUAGE_BLOCK_LIMIT:
	case LANGUAGE_BLOCK_RADIUS_SOURCE:
	case LANGUAGE_BLOCK_RADIUS_ZONE:
	case LANGUAGE_BLOCK_RADIUS_GROUP:
	case LANGUAGE_BLOCK_SESSIONS:
		return 2;
	case LANGUAGE_BLOCK_CERTIFICATE:
	case LANGUAGE_BLOCK_AUTH:
	case LANGUAGE_BLOCK_AUDIT:
	case LANGUAGE_BLOCK_ZONE:
	case LANGUAGE_BLOCK_LISTENER:
	case LANGUAGE_BLOCK_DOMAIN:
	case LANGUAGE_BLOCK_SERVER:
	case LANGUAGE_BLOCK_SCAN:
	case LANGUAGE_BLOCK_RADIUS:
	case LANGUAGE_BLOCK_PORTAL:
	case LANGUAGE_BLOCK_DEVICE:
	case LANGUAGE_BLOCK_RULE:
		return 1;
	}
	return 0;
}

static bool starts_statement(const struct language *l, enum language_block_kind kind)
{
	for (const char *const *word = language_statements(kind); *word; word++) {
		if (strlen(*word) == l->token.len &&
			memcmp(*word, l->token.text, l->token.len) == 0)
			return true;
	}
	return false;
}

bool language_recover(struct language *l, enum language_block_kind kind, int lookahead)
{
	unsigned depth = depth_of(l, kind);

	for (int token = lookahead;; token = language_next_token(l)) {
		l->last = token;
		if (token == T_END) {
			l->again = true;
			return depth == 0 && !l->stopped;
		}
		if (token == '}' && l->braces < depth) {
			l->again = true;
			return true;
		}
		if (l->braces != depth)
			continue;
		if (token == '}' || token == ';')
			return true;
		if (token != T_STRING && token != T_GRAMMAR_error && starts_statement(l, kind)) {
			l->again = true;
			return true;
		}
	}
}
