/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/line.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static void put_char(struct line *line, char c)
{
	if (line->len + 1 < line->size)
		line->text[line->len++] = c;
}

static bool is_plain(const char *value)
{
	for (const char *p = value; *p; p++)
		if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\')
			return false;
	return *value != '\0';
}

void line_put_pair(struct line *line, const char *name, const char *value)
{
	bool plain = is_plain(value);

	if (!*value)
		return;
	if (line->len)
		put_char(line, ' ');
	for (const char *p = name; *p; p++)
		put_char(line, *p);
	put_char(line, '=');
	if (!plain)
		put_char(line, '"');
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			put_char(line, '\\');
		put_char(line, *p);
	}
	if (!plain)
		put_char(line, '"');
}

void line_put_number(struct line *line, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	line_put_pair(line, name, text);
}

void line_put_endpoint(struct line *line, const char *name, const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (endpoint->addr.family != ADDR_NONE)
		line_put_pair(line, name, endpoint_format(endpoint, text));
}

const char *line_end(struct line *line)
{
	line->text[line->len] = '\0';
	return line->text;
}
