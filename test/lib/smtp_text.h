/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a second reading of the text behind DATA, to judge lib/smtp/text/body.c by: over the whole
 * text at once, by search and lines where body.c goes byte by byte. */
#ifndef POSTERN_TEST_SMTP_TEXT_H
#define POSTERN_TEST_SMTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Where the text ends: behind the first CRLF.CRLF, with a CRLF before the first byte. 0: it does
 * not. */
size_t smtp_text_end(const char *bytes, size_t len);
/* The text of bytes up to and without their last line, the dot: lines with CRLF, not stuffed.
 * False: it has what no text may have. text has room for twice the bytes. */
bool smtp_text_of(const char *bytes, size_t len, bool repair, char *text, size_t *text_len);
/* What a server stores of what was written to it. False: a dot that is not stuffed, a line without
 * CRLF, or anything that any server takes for an end. */
bool smtp_text_stored(const char *bytes, size_t len, char *text, size_t *text_len);

#endif
