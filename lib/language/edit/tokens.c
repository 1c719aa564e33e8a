/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/edit/tokens.h"

#include "lib/language/language.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t line_end(const struct language_tokens *t)
{
	const char *end = memchr(t->text + t->at, '\n', t->len - t->at);
	return end ? (size_t)(end - t->text) : t->len;
}

static void read_string(struct language_tokens *t)
{
	for (t->at++; t->at < t->len && t->text[t->at] != '"' && t->text[t->at] != '\n'; t->at++)
		if (t->text[t->at] == '\\' && t->at + 1 < t->len)
			t->at++;
	if (t->at < t->len && t->text[t->at] == '"')
		t->at++;
}

bool language_tokens_next(struct language_tokens *t)
{
	if (t->at == 0)
		t->at = language_mark(t->text, t->len);
	while (t->at < t->len && (is_blank(t->text[t->at]) || t->text[t->at] == '#'))
		t->at = t->text[t->at] == '#' ? line_end(t) : t->at + 1;
	t->token = t->at;
	t->token_len = 0;
	if (t->at == t->len)
		return false;
	if (strchr("{},;", t->text[t->at]))
		t->at++;
	else if (t->text[t->at] == '"')
		read_string(t);
	else
		while (t->at < t->len && !is_blank(t->text[t->at]) &&
			!memchr("{},;\"#", t->text[t->at], 6))
			t->at++;
	t->token_len = t->at - t->token;
	return true;
}

bool language_tokens_is(const struct language_tokens *t, const char *word)
{
	return t->token_len == strlen(word) && memcmp(t->text + t->token, word, t->token_len) == 0;
}

bool language_tokens_skip_block(struct language_tokens *t)
{
	unsigned depth = 1;
	while (depth > 0 && language_tokens_next(t)) {
		depth += language_tokens_is(t, "{");
		depth -= language_tokens_is(t, "}");
	}
	return depth == 0;
}
