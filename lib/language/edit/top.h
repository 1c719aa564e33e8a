/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the settings of a policy as parts of its text: what stands at the top with no name of its
 * own. Whoever moves them about need not understand them. */
#ifndef POSTERN_LIB_LANGUAGE_EDIT_TOP_H
#define POSTERN_LIB_LANGUAGE_EDIT_TOP_H

#include <stdbool.h>
#include <stddef.h>

/* Those that can be set and taken out alone, by their first word; ends with NULL. */
extern const char *const language_top_heads[];
bool language_top_is(const char *head);

/* The setting as it stands in the text, without a newline. NULL: it does not. */
const char *language_top_find(const char *text, size_t len, const char *head, size_t *found_len);
/* The text with this setting in place of the one of the same head, beside the others where there is
 * none; with statement NULL without it. Comments stay. malloc'ed; NULL: out of memory. */
char *language_top_change(
	const char *text, size_t len, const char *head, const char *statement, size_t *out_len);

#endif
