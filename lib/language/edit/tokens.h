/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a policy's text as words, for who moves its parts about without understanding them. */
#ifndef POSTERN_LIB_LANGUAGE_EDIT_TOKENS_H
#define POSTERN_LIB_LANGUAGE_EDIT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

/* Begin with text and len set, and all else 0. */
struct language_tokens {
	const char *text;
	size_t len, at;
	size_t token, token_len; /* the last one read */
};

/* As scan.l has it: a mark, a string with its quotes, or a word. false: the end. */
bool language_tokens_next(struct language_tokens *t);
bool language_tokens_is(const struct language_tokens *t, const char *word);
/* The brace is open; reads behind the one that closes it. */
bool language_tokens_skip_block(struct language_tokens *t);

#endif
