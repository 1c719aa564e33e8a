/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where the fields of a message's header (RFC 5322 2.2) begin and end, and where the header
 * does, in a text that comes in spans of any cut. Reads them as lib/smtp/text/header.h does. */
#ifndef POSTERN_LIB_MILTER_FIELDS_H
#define POSTERN_LIB_MILTER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MILTER_FIELD_NAME_MAX 998 /* RFC 5322 2.1.1: a longer one is no field's */

enum milter_fields_piece {
	MILTER_FIELDS_MORE,  /* the bytes are used up */
	MILTER_FIELDS_NAME,  /* a field begins: name, and all of `line`, up to its colon */
	MILTER_FIELDS_VALUE, /* bytes of its value, line ends and folds as they are */
	MILTER_FIELDS_END,   /* the field is over, with its CRLF */
	MILTER_FIELDS_OVER,  /* the header is: `line` is the empty line, or of the body */
};

/* Zeroed is its beginning. Without a pointer. */
struct milter_fields {
	/* of NAME and OVER */
	uint16_t line_len;
	uint16_t name_len; /* what `line` begins with */
	bool empty;        /* of OVER: `line` is the empty line, and belongs to the header */
	/* private */
	uint8_t at;
	bool in_field;
	char line[MILTER_FIELD_NAME_MAX + 4];
};

/* One piece; *used of the bytes belong to it. For VALUE they are the piece. After OVER nothing is
 * read: the rest is body. */
enum milter_fields_piece milter_fields_read(
	struct milter_fields *fields, const char *bytes, size_t len, size_t *used);
/* The text is over: END if a field is, then OVER, with what is held of a line. */
enum milter_fields_piece milter_fields_end(struct milter_fields *fields);

#endif
