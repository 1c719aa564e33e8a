/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one value as people read it. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_CELL_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_CELL_H

#include <jansson.h>

#define CELL_SIZE 4096

/* By its field's name: `*_bytes` as 1.5M, `*_s` and `*_ms` as durations, `*_at` (seconds since
 * 1970) as local time. Control characters come out as '?'. What has no room is left out, and "..."
 * says so. */
void cell_format(const char *field, const json_t *value, char *text, size_t size);
/* "from_client_bytes" is shown as "from-client": the value has its unit. */
void cell_name(const char *field, char text[static CELL_SIZE]);
/* Columns of a terminal that UTF-8 text takes, near enough: characters. */
int cell_width(const char *text);

#endif
