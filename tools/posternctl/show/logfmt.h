/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one line of logfmt: what programs and people read of events. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_LOGFMT_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_LOGFMT_H

#include <jansson.h>
#include <stdio.h>

/* NAME=VALUE by blanks, as JSON names and counts them; `*_at` (seconds since 1970) is local time by
 * RFC 3339; a value with anything but plain characters stands in quotes; null is empty. */
void logfmt_show(const json_t *object, FILE *out);

#endif
