/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the layout of a table for people: columns that stand under their headings, and go on below
 * where they do not fit beside each other. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_COLUMNS_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_COLUMNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define COLUMNS_MAX 32

struct columns {
	int room; /* characters in a line */
	size_t n;
	struct column {
		char heading[64];
		int width;
		bool below; /* begins a line of its own */
	} v[COLUMNS_MAX];
};

/* For standard output: a terminal is as wide as it says, or $COLUMNS does; all else has 100
 * columns. */
void columns_begin(struct columns *columns);
/* Shows these rows, with headings where they are others than of the rows before. */
void columns_show(struct columns *columns, const json_t *rows, FILE *out);

#endif
