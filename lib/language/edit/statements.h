/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a canonical text as a list of its top statements, and what of one policy another would take
 * away. */
#ifndef POSTERN_LIB_LANGUAGE_EDIT_STATEMENTS_H
#define POSTERN_LIB_LANGUAGE_EDIT_STATEMENTS_H

#include <stddef.h>

/* `key` is what a statement is known by: "rule guests", "limit flows", "hostname". Both point into
 * the text. */
struct statement {
	const char *key, *text;
	size_t key_len, len;
};

/* In the order of the text, malloc'ed; NULL with *n 0: none, or out of memory. */
struct statement *statements_split(const char *text, size_t len, size_t *n);

/* Three canonical texts: what was applied, what runs since commands changed it, and what is to
 * come. Each change by commands that is not in what is to come, one a line: "rule x (added)", "zone
 * y (changed)", "device z (deleted)", "the order of the rules". malloc'ed; "" when nothing is lost;
 * NULL: out of memory. */
char *statements_lost(const char *applied, size_t applied_len, const char *running,
	size_t running_len, const char *coming, size_t coming_len);

#endif
