/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/cell.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* No room is left behind this: the end says so. */
static void cut(char *text, size_t size)
{
	size_t used = strlen(text);

	snprintf(text + (used > size - 4 ? size - 4 : used), 4, "...");
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
			cell_format(field, member, one, sizeof(one));
			int n = snprintf(text + used, size - used, "%s%s", i ? "," : "", one);
			if (n < 0 || (size_t)n >= size - used) {
				cut(text, size);
				return;
			}
			used += (size_t)n;
		}
	} else {
		const char *name;
		json_t *member;
		json_object_foreach((json_t *)value, name, member)
		{
			char one[CELL_SIZE];
			cell_format(name, member, one, sizeof(one));
			int n = snprintf(
				text + used, size - used, "%s%s=%s", used ? " " : "", name, one);
			if (n < 0 || (size_t)n >= size - used) {
				cut(text, size);
				return;
			}
			used += (size_t)n;
		}
	}
	if (!text[0])
		snprintf(text, size, "-");
}

void cell_format(const char *field, const json_t *value, char *text, size_t size)
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

int cell_width(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void cell_name(const char *field, char text[static CELL_SIZE])
{
	static const char *const units[] = {"_bytes", "_ms", "_s", "_at"};
	snprintf(text, CELL_SIZE, "%s", field);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends_with(text, units[i]))
			text[strlen(text) - strlen(units[i])] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '_' ? '-' : *c;
}
