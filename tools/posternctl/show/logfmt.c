/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/logfmt.h"

#include "lib/base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_time(const char *name)
{
	size_t len = strlen(name);
	return len > 3 && strcmp(name + len - 3, "_at") == 0;
}

/* 2030-01-31T08:00:00+01:00 */
static void put_time(json_int_t at, FILE *out)
{
	char text[40], zone[8];
	struct tm tm;
	time_t time = (time_t)at;
	if (at == 0 || !localtime_r(&time, &tm))
		return;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	fprintf(out, "%s%.3s:%s", text, zone, zone + 3);
}

/* Control characters come out as '?'. */
static void put_text(char *text, FILE *out)
{
	text_blank(text);
	bool plain = !strpbrk(text, " =\"\\");
	if (!plain)
		putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	if (!plain)
		putc('"', out);
}

/* malloc'ed; NULL: out of memory. */
static char *text_of(const json_t *value)
{
	char *text = NULL;
	size_t len, i;
	json_t *member;
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!json_is_array(value))
		return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	FILE *out = open_memstream(&text, &len);
	json_array_foreach((json_t *)value, i, member)
	{
		char *one = text_of(member);
		if (out)
			fprintf(out, "%s%s", i ? "," : "", one ? one : "");
		free(one);
	}
	if (out)
		fclose(out);
	return text;
}

static void put_value(const char *name, const json_t *value, FILE *out)
{
	if (json_is_null(value))
		return;
	if (json_is_integer(value) && is_time(name)) {
		put_time(json_integer_value(value), out);
		return;
	}
	char *text = text_of(value);
	if (text)
		put_text(text, out);
	free(text);
}

void logfmt_show(const json_t *object, FILE *out)
{
	const char *name;
	json_t *value;
	bool first = true;
	json_object_foreach((json_t *)object, name, value)
	{
		fprintf(out, "%s%s=", first ? "" : " ", name);
		put_value(name, value, out);
		first = false;
	}
	putc('\n', out);
}
