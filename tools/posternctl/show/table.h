/* Owns how rows are shown: aligned columns for people, JSON for programs. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_TABLE_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_TABLE_H

#include "tools/posternctl/show/columns.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum table_style {
	TABLE_COLUMNS, /* rows under headings */
	TABLE_FIELDS,  /* "name value" a line, for one object in full */
	TABLE_JSON,    /* one array of objects */
};

struct table {
	enum table_style style;
	FILE *out;
	json_t *rows; /* kept until table_end(), so that columns can be aligned */
	size_t shown;
	struct columns columns;
	json_t *picked; /* names of the only fields that are wanted, in this order; NULL: all */
	char *wrong;    /* NULL, or why they cannot be had; nothing is shown then */
};

/* only: names of fields by commas, as headings or JSON have them; NULL: all. */
void table_begin(struct table *table, enum table_style style, const char *only, FILE *out);
/* Takes one row's JSON text; what is deprecated is for programs alone. false: it is none, or lacks
 * a field that was asked for. */
bool table_row(struct table *table, const char *json, size_t len);
/* Shows what is left. */
void table_end(struct table *table);
void table_drop(struct table *table);

#endif
