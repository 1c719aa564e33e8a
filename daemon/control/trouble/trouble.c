/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/request/json_row.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A trouble is one line. */
static void fold(const char *text, char line[static 640])
{
	size_t used = 0;
	for (size_t i = 0; text[i] && used + 3 < 640; i++) {
		if (text[i] != '\n') {
			line[used++] = text[i];
			continue;
		}
		if (used && line[used - 1] != ':' && text[i + 1])
			line[used++] = ';';
		if (text[i + 1])
			line[used++] = ' ';
	}
	line[used] = '\0';
}

void trouble_add(json_t *troubles, const char *next, const char *format, ...)
{
	char text[600], line[640];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fold(text, line);
	json_array_append_new(troubles, json_pack("{s:o, s:o}", "trouble", json_row_text(line),
						"next", json_row_text(next)));
}

/* Refusals that the gateway is to blame for, or its servers: no rule or limit of a client's. */
static bool is_trouble(enum ending ending)
{
	if (ending_class_of(ending) == ENDING_CLASS_SERVER)
		return true;
	switch ((int)ending) {
	case ENDING_OVER_FLOWS_TOTAL:
	case ENDING_OVER_FLOWS_SERVER:
	case ENDING_NO_MAC:
	case ENDING_NO_ZONE:
	case ENDING_NO_POLICY:
	case ENDING_LOOP:
	case ENDING_TABLE_FULL:
	case ENDING_NO_DESCRIPTOR:
	case ENDING_NO_MEMORY:
	case ENDING_HOST_UNFIT:
		return true;
	default: /* some of very many */
		return false;
	}
}

const char *trouble_next_of(enum ending ending, char text[static 96])
{
	if (ending == ENDING_BLOCKED)
		return "posternctl block show";
	snprintf(text, 96, "posternctl audit show end %s since 10m", ending_name(ending));
	return text;
}

void trouble_of_refusals(const uint64_t counts[static ENDINGS], json_t *troubles)
{
	char next[96];
	for (unsigned i = 0; i < ENDINGS; i++)
		if (counts[i] && is_trouble((enum ending)i))
			trouble_add(troubles, trouble_next_of((enum ending)i, next),
				"%" PRIu64 " connections in the last minute were refused or had to "
				"look further: %s (%s)",
				counts[i], ending_meanings[i], ending_names[i]);
}
