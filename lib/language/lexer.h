/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what lies between flex and bison: places of words, and each word's token. Private to
 * scan.l, grammar.y and lib/language/. */
#ifndef POSTERN_LIB_LANGUAGE_LEXER_H
#define POSTERN_LIB_LANGUAGE_LEXER_H

#include "lib/language/parse.h"

#include <errno.h>
#include <limits.h>

/* scan.l. 0 or -ENOMEM; the text is copied. */
int language_scan_open(struct language *l, const char *text, size_t len);
void language_scan_close(struct language *l);
/* The next token of the text. */
int language_scan(struct language *l, void *scanner);
/* lexer.c: the same for the grammar; l->token and l->span describe it. */
int language_next_token(struct language *l);

/* lexer.c, called by scan.l for what was matched; each returns its token. */
void language_scanned(struct language *l, const char *text, size_t len);
void language_scanned_newline(struct language *l);
int language_scanned_mark(struct language *l, char mark);
int language_scanned_string(struct language *l, const char *text, size_t len);
int language_scanned_open_string(struct language *l);
int language_scanned_word(struct language *l, const char *text, size_t len);

/* words.c: the token of a bare word; fills l->token. */
int language_classify(struct language *l, const char *word, size_t len);

/* Skips to the next statement of the block; lookahead is the token that could not be taken.
 * false: the text has ended within a block. */
bool language_recover(struct language *l, enum language_block_kind kind, int lookahead);
/* A syntax error at the last token. */
void language_unexpected(struct language *l, bool at_end, const char *const *expected, size_t n);

/* language_later.c. Is the unexpected token, beside which these were expected, one of a later
 * version? Then its word. */
#define LANGUAGE_LATER_SIZE 64
bool language_later(const struct language *l, const char *const *expected, size_t n,
	char word[static LANGUAGE_LATER_SIZE]);

#endif
