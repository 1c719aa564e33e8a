/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the grammar that later versions know, where a statement or a value of theirs may stand:
 * a policy that uses one is refused by its name. */
#include "lib/language/lexer.h"

#include "lib/language/grammar.h"

#include <string.h>

/* Statements of a block, by blanks. */
static const char *statements_of(enum language_block_kind kind)
{
	switch (kind) {
	case LANGUAGE_BLOCK_AUDIT:
		return " names ";
	case LANGUAGE_BLOCK_HOST:
		return " bind ";
	case LANGUAGE_BLOCK_ZONE:
	case LANGUAGE_BLOCK_SERVER:
	case LANGUAGE_BLOCK_TOP:
	case LANGUAGE_BLOCK_CLIENT_TLS:
	case LANGUAGE_BLOCK_CERTIFICATE:
	case LANGUAGE_BLOCK_AUTH:
	case LANGUAGE_BLOCK_LDAP:
	case LANGUAGE_BLOCK_LISTENER:
	case LANGUAGE_BLOCK_SERVER_TLS:
	case LANGUAGE_BLOCK_ACCOUNT:
	case LANGUAGE_BLOCK_DOMAIN:
	case LANGUAGE_BLOCK_ANNOUNCE:
	case LANGUAGE_BLOCK_LIMIT:
	case LANGUAGE_BLOCK_SESSIONS:
	case LANGUAGE_BLOCK_SCAN:
	case LANGUAGE_BLOCK_RADIUS:
	case LANGUAGE_BLOCK_RADIUS_SOURCE:
	case LANGUAGE_BLOCK_RADIUS_ZONE:
	case LANGUAGE_BLOCK_RADIUS_GROUP:
	case LANGUAGE_BLOCK_PORTAL:
	case LANGUAGE_BLOCK_DEVICE:
	case LANGUAGE_BLOCK_RULE:
		break;
	}
	return " ";
}

/* Values that may stand where one of today's is expected. */
static const struct {
	const char *beside;
	const char *words; /* by blanks */
} values[] = {
	{"always", " not "}, /* schedule */
};

static bool holds(const char *words, const char *word, size_t len)
{
	for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	return false;
}

static bool has(const char *const *expected, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(expected[i], name) == 0)
			return true;
	return false;
}

static enum language_block_kind block_of(const struct language *l)
{
	return l->braces == 0   ? LANGUAGE_BLOCK_TOP
	       : l->braces == 1 ? l->block.kind
	       : l->braces == 2 ? l->inner.kind
				: l->innermost.kind;
}

bool language_later(const struct language *l, const char *const *expected, size_t n,
	char word[static LANGUAGE_LATER_SIZE])
{
	const struct language_token *token = &l->token;
	size_t len = token->len;
	if (l->last == T_STRING || len == 0 || len >= LANGUAGE_LATER_SIZE)
		return false;
	memcpy(word, token->text, len);
	word[len] = '\0';
	/* `tls none` is no condition, now or later */
	bool tls = has(expected, n, "verified") && !has(expected, n, "a name");
	for (size_t i = 0; !tls && i < sizeof(values) / sizeof(*values); i++)
		if (has(expected, n, values[i].beside) && holds(values[i].words, word, len))
			return true;
	/* a statement may end here: so another may begin */
	return (has(expected, n, "'}'") || (l->braces == 0 && has(expected, n, "rule"))) &&
	       holds(statements_of(block_of(l)), word, len);
}
