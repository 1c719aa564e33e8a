/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a line of name=value pairs, as the log has records. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_LINE_H
#define POSTERN_DAEMON_CONTROL_AUDIT_LINE_H

#include "lib/base/addr.h"

#include <stddef.h>
#include <stdint.h>

/* Begins as {buf, size, 0}; what has no room is cut. */
struct line {
	char *text;
	size_t size, len;
};

/* logfmt; what is empty, or no address, is left out. */
void line_put_pair(struct line *line, const char *name, const char *value);
void line_put_number(struct line *line, const char *name, uint64_t number);
void line_put_endpoint(struct line *line, const char *name, const struct endpoint *endpoint);
/* Returns its text. */
const char *line_end(struct line *line);

#endif
