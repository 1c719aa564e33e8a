/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/columns.h"

#include "tools/posternctl/show/cell.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROOM   100     /* of a terminal that does not say how wide it is */
#define PIPE   1000000 /* what reads a pipe reads a row a line */
#define LEAST  40
#define GAP    2  /* between two columns */
#define INDENT 4  /* of what goes on below */
#define NARROW 40 /* a text that has so much room is wrapped rather than put below */

void columns_begin(struct columns *columns)
{
	struct winsize size;
	const char *said = getenv("COLUMNS");
	int room = said ? atoi(said) : 0;
	if (room <= 0 && !isatty(STDOUT_FILENO))
		room = PIPE;
	else if (room <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		room = size.ws_col;
	*columns = (struct columns){.room = room <= 0 ? ROOM : room < LEAST ? LEAST : room};
}

static size_t find_fields(const json_t *rows, const char *fields[static COLUMNS_MAX])
{
	size_t n = 0, i;
	json_t *row, *value;
	const char *field;
	json_array_foreach((json_t *)rows, i, row)
	{
		json_object_foreach(row, field, value)
		{
			size_t j = 0;
			while (j < n && strcmp(fields[j], field) != 0)
				j++;
			if (j == n && n < COLUMNS_MAX)
				fields[n++] = field;
		}
	}
	return n;
}

static void put_heading(struct column *column, const char *field)
{
	char name[CELL_SIZE];
	cell_name(field, name);
	snprintf(column->heading, sizeof(column->heading), "%.*s", (int)sizeof(column->heading) - 1,
		name);
	for (char *c = column->heading; *c; c++)
		*c = (*c >= 'a' && *c <= 'z') ? (char)(*c - 32) : *c;
}

/* Several lines, as what is to be pasted: they stand below their row, each as it is. */
static bool is_lines(const json_t *value)
{
	return json_is_string(value) && strchr(json_string_value(value), '\n');
}

static void put_lines(const char *text, FILE *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);
		if (line) {
			text_blank(line);
			fprintf(out, "%*s%s\n", INDENT, "", line);
		}
		free(line);
		text += len + (text[len] == '\n');
	}
}

static void format(const json_t *row, const char *field, char text[static CELL_SIZE])
{
	const json_t *value = json_object_get(row, field);
	if (!value)
		strcpy(text, "-");
	else if (is_lines(value))
		strcpy(text, "type:");
	else
		cell_format(field, value, text, CELL_SIZE);
}

/* What is typed or pasted stays in one line. */
static bool is_typed(const char *heading)
{
	return strcmp(heading, "ADVICE") == 0 || strcmp(heading, "NEXT") == 0;
}

/* As many beside each other as there is room for; one that is too wide is wrapped in what is left.
 */
static void fold(struct columns *columns)
{
	int at = 0;
	for (size_t c = 0; c < columns->n; c++) {
		struct column *column = &columns->v[c];
		int left = columns->room - at;
		column->below =
			c && column->width > left && (left < NARROW || is_typed(column->heading));
		at = (column->below ? INDENT : at) + column->width + GAP;
	}
}

static void lay_out(struct columns *columns, const json_t *rows, const char *const *fields)
{
	char cell[CELL_SIZE];
	size_t i;
	json_t *row;
	for (size_t c = 0; c < columns->n; c++) {
		struct column *column = &columns->v[c];
		put_heading(column, fields[c]);
		column->width = cell_width(column->heading);
		json_array_foreach((json_t *)rows, i, row)
		{
			format(row, fields[c], cell);
			if (cell_width(cell) > column->width)
				column->width = cell_width(cell);
		}
	}
	fold(columns);
}

/* How many bytes of a text that is too long stand in this line: up to the last blank that has room,
 * or to the first one. */
static size_t piece_of(const char *text, int room)
{
	size_t best = 0;
	int at = 0;
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == ' ' && i && (at <= room || !best))
			best = i;
		at += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (at > room && best)
			break;
	}
	return best ? best : strlen(text);
}

/* At a column of the line; what does not fit goes on below it. */
static void put_cell(const struct columns *columns, size_t c, const char *text, int at, FILE *out)
{
	const struct column *column = &columns->v[c];
	while (!is_typed(column->heading) && at + cell_width(text) > columns->room) {
		size_t n = piece_of(text, columns->room - at);
		if (!text[n])
			break;
		fprintf(out, "%.*s\n%*s", (int)n, text, at, "");
		text += n + strspn(text + n, " ");
	}
	fputs(text, out);
	bool last = c + 1 == columns->n || columns->v[c + 1].below;
	if (!last)
		fprintf(out, "%*s", column->width - cell_width(text) + GAP, "");
}

/* The columns from..to stand beside each other. */
static size_t line_end(const struct columns *columns, size_t from)
{
	size_t to = from + 1;
	while (to < columns->n && !columns->v[to].below)
		to++;
	return to;
}

static void put_row(const struct columns *columns, char (*cells)[CELL_SIZE], FILE *out)
{
	for (size_t from = 0, to; from < columns->n; from = to) {
		int at = from ? INDENT : 0;
		bool any = !from; /* a line that only says that there is nothing is left out */
		to = line_end(columns, from);
		for (size_t c = from; c < to; c++)
			any |= strcmp(cells[c], "-") != 0;
		if (!any)
			continue;
		fprintf(out, "%*s", at, "");
		for (size_t c = from; c < to; c++) {
			put_cell(columns, c, cells[c], at, out);
			at += columns->v[c].width + GAP;
		}
		putc('\n', out);
	}
}

static bool is_same(const struct columns *a, const struct columns *b)
{
	bool same = a->n == b->n;
	for (size_t c = 0; same && c < a->n; c++)
		same = strcmp(a->v[c].heading, b->v[c].heading) == 0 &&
		       a->v[c].below == b->v[c].below;
	return same;
}

static void put_headings(const struct columns *columns, char (*cells)[CELL_SIZE], FILE *out)
{
	for (size_t c = 0; c < columns->n; c++)
		snprintf(cells[c], CELL_SIZE, "%s", columns->v[c].heading);
	put_row(columns, cells, out);
}

void columns_show(struct columns *columns, const json_t *rows, FILE *out)
{
	const char *fields[COLUMNS_MAX];
	char cells[COLUMNS_MAX][CELL_SIZE];
	struct columns before = *columns;
	size_t i;
	json_t *row;

	if (json_array_size(rows) == 0)
		return;
	columns->n = find_fields(rows, fields);
	lay_out(columns, rows, fields);
	if (!is_same(columns, &before))
		put_headings(columns, cells, out);
	json_array_foreach((json_t *)rows, i, row)
	{
		for (size_t c = 0; c < columns->n; c++)
			format(row, fields[c], cells[c]);
		put_row(columns, cells, out);
		for (size_t c = 0; c < columns->n; c++) {
			const json_t *value = json_object_get(row, fields[c]);
			if (is_lines(value))
				put_lines(json_string_value(value), out);
		}
	}
}
