/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns small files of lines in the state folder: read whole at the start, written whole by the
 * disk's thread at every change. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_STATE_LINES_H
#define POSTERN_DAEMON_CONTROL_STORE_STATE_LINES_H

#include <stddef.h>

struct control;
struct gather;
struct state_lines;

/* The file's text, to be freed; NULL: there is none, or it cannot be read, which is logged. */
char *state_lines_read(const struct control *control, const char *name);

/* Room for what is to be written; NULL: out of memory, before anything was changed. */
struct state_lines *state_lines_new(size_t room);
/* One line; the room must be enough. */
void state_lines_put(struct state_lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Takes lines over. The gather waits for it, and has `trouble` as its text should it fail. name and
 * trouble are borrowed until then. */
void state_lines_write(struct state_lines *lines, struct control *control, const char *name,
	struct gather *gather, const char *trouble);

#endif
