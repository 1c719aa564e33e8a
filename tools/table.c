#include "tools/table.h"

#include "lib/text.h"

#include <string.h>
#include <time.h>

#define COLUMNS_MAX 32
#define CELL_SIZE   512
#define BLOCK_ROWS  1000 /* aligned together, so that memory is bounded */

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), m = strlen(tail);
	return n > m && strcmp(text + n - m, tail) == 0;
}

static void format_bytes(json_int_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTP";
	double value = (double)bytes;
	int unit = -1;
	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, size, "%lld", (long long)bytes);
	else
		snprintf(text, size, "%.1f%c", value, units[unit]);
}

static void format_seconds(json_int_t s, char *text, size_t size)
{
	if (s < 120)
		snprintf(text, size, "%llds", (long long)s);
	else if (s < 7200)
		snprintf(text, size, "%lldm%02llds", (long long)(s / 60), (long long)(s % 60));
	else if (s < 172800)
		snprintf(text, size, "%lldh%02lldm", (long long)(s / 3600),
			(long long)(s / 60 % 60));
	else
		snprintf(text, size, "%lldd%02lldh", (long long)(s / 86400),
			(long long)(s / 3600 % 24));
}

static void format_time(json_int_t at, char *text, size_t size)
{
	struct tm tm;
	time_t time = (time_t)at;
	if (at == 0 || !localtime_r(&time, &tm))
		snprintf(text, size, "-");
	else
		strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm);
}

static void format_integer(const char *field, json_int_t value, char *text, size_t size)
{
	if (ends_with(field, "_bytes"))
		format_bytes(value, text, size);
	else if (ends_with(field, "_ms") && value < 1000)
		snprintf(text, size, "%lldms", (long long)value);
	else if (ends_with(field, "_ms"))
		format_seconds(value / 1000, text, size);
	else if (ends_with(field, "_s"))
		format_seconds(value, text, size);
	else if (ends_with(field, "_at"))
		format_time(value, text, size);
	else
		snprintf(text, size, "%lld", (long long)value);
}

/* An array's members by commas, an object's as name=value. */
static void format_members(const char *field, const json_t *value, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	if (json_is_array(value)) {
		size_t i;
		json_t *member;
		json_array_foreach((json_t *)value, i, member)
		{
			char one[CELL_SIZE];
			table_format(field, member, one, sizeof(one));
			int n = snprintf(text + used, size - used, "%s%s", i ? "," : "", one);
			if (n < 0 || (size_t)n >= size - used)
				return;
			used += (size_t)n;
		}
	} else {
		const char *name;
		json_t *member;
		json_object_foreach((json_t *)value, name, member)
		{
			char one[CELL_SIZE];
			table_format(name, member, one, sizeof(one));
			int n = snprintf(
				text + used, size - used, "%s%s=%s", used ? " " : "", name, one);
			if (n < 0 || (size_t)n >= size - used)
				return;
			used += (size_t)n;
		}
	}
	if (!text[0])
		snprintf(text, size, "-");
}

void table_format(const char *field, const json_t *value, char *text, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		snprintf(text, size, "%s",
			json_string_length(value) ? json_string_value(value) : "-");
		break;
	case JSON_INTEGER:
		format_integer(field, json_integer_value(value), text, size);
		break;
	case JSON_REAL:
		snprintf(text, size, "%.3f", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(text, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(text, size, "no");
		break;
	case JSON_NULL:
		snprintf(text, size, "-");
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		format_members(field, value, text, size);
		break;
	}
	text_blank(text);
}

/* Terminal columns of UTF-8 text, near enough: code points. */
static int width_of(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* "from_client_bytes" is shown as "from-client": the value has its unit. */
static void format_name(const char *field, char *text, size_t size)
{
	static const char *const units[] = {"_bytes", "_ms", "_s", "_at"};
	snprintf(text, size, "%s", field);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends_with(text, units[i]))
			text[strlen(text) - strlen(units[i])] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '_' ? '-' : *c;
}

static void format_heading(const char *field, char *text, size_t size)
{
	format_name(field, text, size);
	for (char *c = text; *c; c++)
		*c = (*c >= 'a' && *c <= 'z') ? (char)(*c - 32) : *c;
}

static size_t find_columns(const json_t *rows, const char *columns[])
{
	size_t n = 0, i;
	json_t *row, *value;
	const char *field;
	json_array_foreach((json_t *)rows, i, row)
	{
		json_object_foreach(row, field, value)
		{
			size_t j = 0;
			while (j < n && strcmp(columns[j], field) != 0)
				j++;
			if (j == n && n < COLUMNS_MAX)
				columns[n++] = field;
		}
	}
	return n;
}

static void show_cell(struct table *table, const char *text, int width, bool last)
{
	fputs(text, table->out);
	if (!last)
		for (int pad = width - width_of(text) + 2; pad > 0; pad--)
			putc(' ', table->out);
}

/* Several lines, as what is to be pasted: they stand below their row, each as it is. */
static bool is_lines(const json_t *value)
{
	return json_is_string(value) && strchr(json_string_value(value), '\n');
}

static void format_cell(const char *column, const json_t *value, char cell[static CELL_SIZE])
{
	if (!value)
		snprintf(cell, CELL_SIZE, "-");
	else if (is_lines(value))
		snprintf(cell, CELL_SIZE, "type:");
	else
		table_format(column, value, cell, CELL_SIZE);
}

static void show_lines(struct table *table, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);
		if (line) {
			text_blank(line);
			fprintf(table->out, "    %s\n", line);
		}
		free(line);
		text += len + (text[len] == '\n');
	}
}

static void show_columns(struct table *table)
{
	const char *columns[COLUMNS_MAX];
	int width[COLUMNS_MAX];
	char cell[CELL_SIZE];
	size_t n = find_columns(table->rows, columns), i;
	json_t *row;

	for (size_t c = 0; c < n; c++) {
		format_heading(columns[c], cell, sizeof(cell));
		width[c] = width_of(cell);
		json_array_foreach(table->rows, i, row)
		{
			format_cell(columns[c], json_object_get(row, columns[c]), cell);
			if (width_of(cell) > width[c])
				width[c] = width_of(cell);
		}
	}
	for (size_t c = 0; c < n && table->shown == 0; c++) {
		format_heading(columns[c], cell, sizeof(cell));
		show_cell(table, cell, width[c], c + 1 == n);
		if (c + 1 == n)
			putc('\n', table->out);
	}
	json_array_foreach(table->rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			format_cell(columns[c], json_object_get(row, columns[c]), cell);
			show_cell(table, cell, width[c], c + 1 == n);
		}
		putc('\n', table->out);
		for (size_t c = 0; c < n; c++) {
			const json_t *value = json_object_get(row, columns[c]);
			if (is_lines(value))
				show_lines(table, json_string_value(value));
		}
	}
}

/* A nested list of objects gets lines of its own, indented. */
static void show_fields(struct table *table, const json_t *object, int indent)
{
	const char *field;
	json_t *value;
	char text[CELL_SIZE], name[CELL_SIZE];
	json_object_foreach((json_t *)object, field, value)
	{
		size_t i;
		json_t *member;
		format_name(field, name, sizeof(name));
		if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
			fprintf(table->out, "%*s%s\n", indent, "", name);
			json_array_foreach(value, i, member)
			{
				/* a single field needs no name */
				void *only = json_object_size(member) == 1
						     ? json_object_iter(member)
						     : NULL;
				table_format(field, only ? json_object_iter_value(only) : member,
					text, sizeof(text));
				fprintf(table->out, "%*s%s\n", indent + 2, "", text);
			}
			continue;
		}
		if (json_is_object(value)) {
			fprintf(table->out, "%*s%s\n", indent, "", name);
			show_fields(table, value, indent + 2);
			continue;
		}
		table_format(field, value, text, sizeof(text));
		fprintf(table->out, "%*s%-20s %s\n", indent, "", name, text);
	}
}

static void show_json(struct table *table)
{
	size_t i;
	json_t *row;
	json_array_foreach(table->rows, i, row)
	{
		fputs(table->shown + i ? ",\n" : "[\n", table->out);
		json_dumpf(row, table->out, 0);
	}
}

static void show_block(struct table *table)
{
	size_t n = json_array_size(table->rows), i;
	json_t *row;
	switch (table->style) {
	case TABLE_COLUMNS:
		show_columns(table);
		break;
	case TABLE_FIELDS:
		json_array_foreach(table->rows, i, row)
		{
			if (table->shown + i)
				putc('\n', table->out);
			show_fields(table, row, 0);
		}
		break;
	case TABLE_JSON:
		show_json(table);
		break;
	}
	table->shown += n;
	json_array_clear(table->rows);
}

void table_begin(struct table *table, enum table_style style, FILE *out)
{
	*table = (struct table){.style = style, .out = out, .rows = json_array()};
}

bool table_row(struct table *table, const char *json, size_t len)
{
	json_error_t error;
	json_t *row = json_loadb(json, len, 0, &error);
	if (!json_is_object(row)) {
		json_decref(row);
		return false;
	}
	json_array_append_new(table->rows, row);
	if (json_array_size(table->rows) >= BLOCK_ROWS)
		show_block(table);
	return true;
}

void table_end(struct table *table)
{
	show_block(table);
	if (table->style == TABLE_JSON)
		fputs(table->shown ? "\n]\n" : "[]\n", table->out);
	json_decref(table->rows);
	table->rows = NULL;
}
