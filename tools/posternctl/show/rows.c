/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/rows.h"

#include "tools/posternctl/show/cell.h"

#include "lib/language/language.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_ROWS 1000 /* aligned together, so that memory is bounded */

/* NAME=VALUE by blanks; what does not fit beside the others goes on below. A single field needs no
 * name. */
static void show_member(struct rows *rows, const char *field, const json_t *member, int indent)
{
	char text[CELL_SIZE];
	const char *name;
	json_t *value;
	int at = indent;
	if (!json_is_object(member) || json_object_size(member) == 1) {
		void *only = json_object_iter((json_t *)member);
		cell_format(
			field, only ? json_object_iter_value(only) : member, text, sizeof(text));
		fprintf(rows->out, "%*s%s\n", indent, "", text);
		return;
	}
	fprintf(rows->out, "%*s", indent, "");
	json_object_foreach((json_t *)member, name, value)
	{
		cell_format(name, value, text, sizeof(text));
		int width = (int)strlen(name) + 1 + cell_width(text);
		if (at > indent && at + 1 + width > rows->columns.room) {
			fprintf(rows->out, "\n%*s", indent + 2, "");
			at = indent + 2;
		} else if (at > indent) {
			putc(' ', rows->out);
			at++;
		}
		fprintf(rows->out, "%s=%s", name, text);
		at += width;
	}
	putc('\n', rows->out);
}

/* A nested list of objects gets lines of its own, indented. */
static void show_fields(struct rows *rows, const json_t *object, int indent)
{
	const char *field;
	json_t *value;
	char text[CELL_SIZE], name[CELL_SIZE];
	json_object_foreach((json_t *)object, field, value)
	{
		size_t i;
		json_t *member;
		cell_name(field, name);
		if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
			fprintf(rows->out, "%*s%s\n", indent, "", name);
			json_array_foreach(value, i, member)
				show_member(rows, field, member, indent + 2);
			continue;
		}
		if (json_is_object(value)) {
			fprintf(rows->out, "%*s%s\n", indent, "", name);
			show_fields(rows, value, indent + 2);
			continue;
		}
		cell_format(field, value, text, sizeof(text));
		fprintf(rows->out, "%*s%-20s %s\n", indent, "", name, text);
	}
}

static void show_json(struct rows *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows->rows, i, row)
	{
		fputs(rows->shown + i ? ",\n" : "[\n", rows->out);
		json_dumpf(row, rows->out, 0);
	}
}

/* ---- only some fields ---- */

/* The names that a field goes by. */
static bool is_called(const char *field, const char *name)
{
	char shown[CELL_SIZE];
	cell_name(field, shown);
	return strcasecmp(shown, name) == 0 || strcmp(field, name) == 0;
}

static char *no_such_column(const json_t *row, const char *name)
{
	char(*shown)[CELL_SIZE] = calloc(json_object_size(row) + 1, sizeof(*shown));
	const char **names = calloc(json_object_size(row) + 1, sizeof(*names)), *field;
	char *text = NULL;
	size_t len, n = 0;
	json_t *value;
	FILE *out = shown && names ? open_memstream(&text, &len) : NULL;
	if (out) {
		json_object_foreach((json_t *)row, field, value)
		{
			cell_name(field, shown[n]);
			names[n] = shown[n];
			n++;
		}
		const char *near = language_near(name, names, n);
		fprintf(out, "no such column \"%.100s\"%s%s%s; columns: ", name,
			near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		for (size_t i = 0; i < n; i++)
			fprintf(out, "%s%s", i ? "," : "", names[i]);
		fclose(out);
	}
	free(names);
	free(shown);
	return text ? text : strdup("out of memory");
}

static const char *field_in(const json_t *row, const char *name)
{
	const char *field;
	json_t *value;
	json_object_foreach((json_t *)row, field, value) if (is_called(field, name)) return field;
	return NULL;
}

/* The field that is called so, in any row; NULL: none has it, and none may. */
static const char *field_of(const struct rows *rows, const char *name)
{
	const char *field = NULL;
	size_t i;
	json_t *row;
	json_array_foreach(rows->rows, i, row) if (!field) field = field_in(row, name);
	for (i = 0; !field && rows->optional && rows->optional[i]; i++)
		if (is_called(rows->optional[i], name))
			field = rows->optional[i];
	return field;
}

bool rows_check(struct rows *rows)
{
	size_t i;
	json_t *name;
	if (rows->wrong || !rows->picked || !json_array_size(rows->rows))
		return !rows->wrong;
	json_array_foreach(rows->picked, i, name)
	{
		const char *wanted = json_string_value(name);
		if (json_is_string(json_array_get(rows->fields, i)))
			continue;
		const char *field = field_of(rows, wanted);
		if (!field) {
			rows->wrong = no_such_column(json_array_get(rows->rows, 0), wanted);
			return false;
		}
		json_array_set_new(rows->fields, i, json_string(field));
	}
	return true;
}

/* The row with the wanted fields alone, those that it lacks as null. */
static json_t *pick(const struct rows *rows, const json_t *row)
{
	json_t *less = json_object(), *field;
	size_t i;
	json_array_foreach(rows->fields, i, field)
	{
		json_t *value = json_object_get(row, json_string_value(field));
		json_object_set_new(
			less, json_string_value(field), value ? json_incref(value) : json_null());
	}
	return less;
}

static void pick_all(struct rows *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows->rows, i, row) json_array_set_new(rows->rows, i, pick(rows, row));
}

static void show_block(struct rows *rows)
{
	size_t n = json_array_size(rows->rows), i;
	json_t *row;
	if (!rows_check(rows))
		return;
	if (rows->picked)
		pick_all(rows);
	switch (rows->style) {
	case ROWS_COLUMNS:
		columns_show(&rows->columns, rows->rows, rows->out);
		break;
	case ROWS_FIELDS:
		json_array_foreach(rows->rows, i, row)
		{
			if (rows->shown + i)
				putc('\n', rows->out);
			show_fields(rows, row, 0);
		}
		break;
	case ROWS_JSON:
		show_json(rows);
		break;
	}
	rows->shown += n;
	json_array_clear(rows->rows);
}

static json_t *split(const char *only)
{
	json_t *names = json_array();
	for (;;) {
		size_t len = strcspn(only, ",");
		if (len)
			json_array_append_new(names, json_stringn(only, len));
		if (!only[len])
			return names;
		only += len + 1;
	}
}

void rows_begin(struct rows *rows, enum rows_style style, const char *only, FILE *out)
{
	*rows = (struct rows){.style = style, .out = out, .rows = json_array()};
	rows->picked = only ? split(only) : NULL;
	rows->fields = only ? json_array() : NULL;
	for (size_t i = 0; i < json_array_size(rows->picked); i++)
		json_array_append_new(rows->fields, json_null());
	columns_begin(&rows->columns);
}

bool rows_row(struct rows *rows, const char *json, size_t len)
{
	json_error_t error;
	json_t *row = rows->wrong ? NULL : json_loadb(json, len, 0, &error);
	if (!json_is_object(row)) {
		json_decref(row);
		return false;
	}
	if (rows->style != ROWS_JSON && json_is_true(json_object_get(row, "deprecated"))) {
		json_decref(row);
		return true;
	}
	json_array_append_new(rows->rows, row);
	if (json_array_size(rows->rows) >= BLOCK_ROWS)
		show_block(rows);
	return !rows->wrong;
}

void rows_end(struct rows *rows)
{
	show_block(rows);
	if (rows->style == ROWS_JSON)
		fputs(rows->shown ? "\n]\n" : "[]\n", rows->out);
}

void rows_drop(struct rows *rows)
{
	json_decref(rows->rows);
	json_decref(rows->picked);
	json_decref(rows->fields);
	free(rows->wrong);
	rows->rows = rows->picked = rows->fields = NULL;
	rows->wrong = NULL;
}
