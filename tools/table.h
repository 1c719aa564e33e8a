/* Owns how rows are shown: aligned columns for people, JSON for programs. */
#ifndef POSTERN_TOOLS_TABLE_H
#define POSTERN_TOOLS_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum table_style {
	TABLE_COLUMNS, /* a line a row under headings */
	TABLE_FIELDS,  /* "name value" a line, for one object in full */
	TABLE_JSON,    /* one array of objects */
};

struct table {
	enum table_style style;
	FILE *out;
	json_t *rows; /* kept until table_end(), so that columns can be aligned */
	size_t shown;
};

void table_begin(struct table *table, enum table_style style, FILE *out);
/* Takes one row's JSON text. false: it is none. */
bool table_row(struct table *table, const char *json, size_t len);
void table_end(struct table *table);

/* One value as people read it: by its field's name, `*_bytes` as 1.5M, `*_s` and `*_ms` as
 * durations, `*_at` (seconds since 1970) as local time. Control characters come out as '?'. */
void table_format(const char *field, const json_t *value, char *text, size_t size);

#endif
