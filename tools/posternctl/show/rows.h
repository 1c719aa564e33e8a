/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how rows are shown: aligned columns for people, JSON for programs. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_ROWS_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_ROWS_H

#include "tools/posternctl/show/columns.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum rows_style {
	ROWS_COLUMNS, /* rows under headings */
	ROWS_FIELDS,  /* "name value" a line, for one object in full */
	ROWS_JSON,    /* one array of objects */
};

struct rows {
	enum rows_style style;
	FILE *out;
	json_t *rows; /* kept until rows_end(), so that columns can be aligned */
	size_t shown;
	struct columns columns;
	json_t *picked; /* names of the only fields that are wanted, in this order; NULL: all */
	json_t *fields; /* which fields these are, as far as it is known; else null */
	const char *const *optional; /* fields that all rows may lack, to a NULL; NULL: none */
	char *wrong;                 /* NULL, or why they cannot be had; nothing is shown then */
};

/* only: names of fields by commas, as headings or JSON have them; NULL: all. What a row lacks of
 * them and another has, or is optional (set behind this), is null. */
void rows_begin(struct rows *rows, enum rows_style style, const char *only, FILE *out);
/* Takes one row's JSON text; what is deprecated is for programs alone. false: it is none, or
 * what was asked for cannot be had. */
bool rows_row(struct rows *rows, const char *json, size_t len);
/* All rows came: is each field that was asked for one of them? Ask before rows_end(). */
bool rows_check(struct rows *rows);
/* Shows what is left. */
void rows_end(struct rows *rows);
void rows_drop(struct rows *rows);

#endif
