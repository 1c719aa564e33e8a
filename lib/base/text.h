/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what of a text may be shown: on a terminal, or to a reader of lines. */
#ifndef POSTERN_LIB_BASE_TEXT_H
#define POSTERN_LIB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How many of len bytes the UTF-8 character at text takes; 0: there is none, or it is a control
 * character (C0, DEL, C1). Overlong forms, surrogates and numbers over 10ffff are none. */
size_t text_character(const char *text, size_t len);
/* The same; and it neither ends a line nor turns the order of what follows. */
size_t text_shown(const char *text, size_t len);
/* Each byte that does not belong to what may be shown comes out as '?', in place. */
void text_blank(char *text);

/* Value of a hexadecimal digit in either case, -1: it is none. */
int text_hex_digit(char c);

/* As a message quotes what was typed: whole if it is short, else its begin and "...". Returns buf.
 */
#define TEXT_CUT_SIZE 96
const char *text_cut(const char *text, char buf[static TEXT_CUT_SIZE]);

/* Text that comes in pieces, which may cut a character. Begins as {0}. */
struct text_pieces {
	char held[4]; /* the begin of a character */
	size_t n;
};
#define TEXT_ESCAPED_MAX(len) (4 * ((len) + 3))
/* Writes what may be shown, line ends and tabs as they are, every other byte as \xNN. Returns how
 * many bytes were written: at most TEXT_ESCAPED_MAX(len). With len 0, what is held is let out. */
size_t text_escape(struct text_pieces *pieces, const char *text, size_t len, char *out);

#endif
