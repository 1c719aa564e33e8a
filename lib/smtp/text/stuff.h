/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a text on its way to a server (RFC 5321 4.5.2): its dots are stuffed, and what no strict
 * reader would take for a line never goes. */
#ifndef POSTERN_LIB_SMTP_TEXT_STUFF_H
#define POSTERN_LIB_SMTP_TEXT_STUFF_H

#include <stdbool.h>
#include <stddef.h>

/* Where the next byte stands; zero is a text's beginning. */
enum smtp_stuff {
	SMTP_STUFF_LINE, /* at the begin of a line: the text may end here */
	SMTP_STUFF_MIDDLE,
	SMTP_STUFF_CR,
	SMTP_STUFF_BAD, /* behind a bare CR or LF, or a NUL: nothing more is written */
};

/* So much room for so many bytes, whatever they are. */
#define SMTP_STUFF_ROOM(bytes) (2 * (bytes))

/* Writes as many bytes of a text, as it is to be stored, as have room; returns how many were read.
 */
size_t smtp_stuff(enum smtp_stuff *at, const char *bytes, size_t len, char *out, size_t room,
	size_t *written);

#endif
