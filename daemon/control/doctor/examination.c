/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/examination.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void examination_find(const struct examination *exam, const char *check, enum doctor_state state,
	const char *advice, const char *format, ...)
{
	char found[768];
	va_list args;
	va_start(args, format);
	vsnprintf(found, sizeof(found), format, args);
	va_end(args);
	exam->finding(exam->context, check, state, found, state == DOCTOR_OK ? "" : advice);
}

const char *examination_fact(const struct doctor_facts *facts, const char *word, size_t *at)
{
	size_t len = strlen(word);
	for (; *at < facts->n; (*at)++)
		if (strncmp(facts->v[*at], word, len) == 0 && facts->v[*at][len] == ' ')
			return facts->v[(*at)++] + len + 1;
	return NULL;
}
