/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/level_notice.h"

#include "daemon/base/log.h"
#include "lib/policy/level.h"

#include <stdio.h>
#include <stdlib.h>

static void write_line(void *context, const char *zone, const char *text)
{
	fprintf(context, "policy: warning: zone %s: %s\n", zone, text);
}

char *level_notice(const struct policy *running, const struct policy *coming)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	level_changes(running, coming, write_line, out);
	fclose(out);
	return text;
}

static void log_line(void *context, const char *zone, const char *text)
{
	(void)context;
	log_info("zone %s: %s", zone, text);
}

void level_notice_log(const struct policy *running, const struct policy *coming)
{
	level_changes(running, coming, log_line, NULL);
}
