/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of the milter know of each other. Nobody else includes it. */
#ifndef POSTERN_LIB_MILTER_MILTER_PARTS_H
#define POSTERN_LIB_MILTER_MILTER_PARTS_H

#include "lib/milter/milter.h"

/* What an answer holds for. */
enum milter_settled {
	MILTER_SETTLED_NOTHING, /* but the input in hand */
	MILTER_SETTLED_MESSAGE,
	MILTER_SETTLED_CONNECTION,
};

/* What of a text is to be told, in this order. */
enum milter_due {
	MILTER_DUE_FIELD = 1 << 0,
	MILTER_DUE_EOH = 1 << 1,
	MILTER_DUE_REST = 1 << 2, /* of the line that ended the header, as far as it is held */
	MILTER_DUE_END = 1 << 3,
};

/* milter.c: what each input begins with, and ends with. */
void milter_enter(struct milter_out *out, struct milter_writer *writer);
void milter_leave(
	struct milter *milter, const struct milter_writer *writer, struct milter_out *out);

/* The packet of an event with its macros; false: it is not told of, and nothing goes into it. */
bool milter_tell(struct milter *milter, enum milter_event event, const struct milter_macros *macros,
	struct milter_writer *writer);
/* It is whole: is an answer awaited? */
void milter_told(struct milter *milter, uint64_t now_ms, struct milter_writer *writer);
/* Is there a packet of this event? */
bool milter_hears(const struct milter *milter, enum milter_event event);
uint64_t milter_due_ms(const struct milter *milter, uint64_t now_ms);

/* The answer in hand, and to what else it is. */
void milter_go_on(struct milter *milter, enum milter_settled settled);
void milter_refuse(struct milter *milter, enum milter_settled settled, enum milter_why why,
	unsigned code, const char *enhanced, const char *words);
/* The filter is no good: the connection to it is closed. */
__attribute__((format(printf, 3, 4))) void milter_fail(
	struct milter *milter, enum milter_why why, const char *format, ...);

/* milter_text.c: tells what is due, until an answer is awaited. */
void milter_tell_due(struct milter *milter, const struct milter_macros *macros, uint64_t now_ms,
	struct milter_writer *writer);

#endif
