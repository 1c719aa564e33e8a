/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns writing HTML: the one place where what is not ours is put into a page, so that none of it is
 * ever read as HTML, in a text or in an attribute in double quotes alike. */
#ifndef POSTERN_LIB_PORTAL_MARKUP_H
#define POSTERN_LIB_PORTAL_MARKUP_H

#include <stddef.h>
#include <stdint.h>

/* Begins as {bytes, size, 0}. What has no room is counted all the same: with len over size there
 * was too little. */
struct markup {
	char *bytes; /* NULL: none is written */
	size_t size, len;
};

/* Of our own, as it stands. */
void markup_put(struct markup *markup, const char *html);
/* Of anybody: the five characters of HTML as entities; what is no character that may be shown comes
 * out as '?'. */
void markup_put_text(struct markup *markup, const char *text, size_t len);
void markup_put_string(struct markup *markup, const char *text);
void markup_put_number(struct markup *markup, uint64_t number);

#endif
