/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is noted of a message's header section (RFC 5322 2.2): hops, Message-ID, 8-bit bytes.
 */
#ifndef POSTERN_LIB_SMTP_TEXT_HEADER_H
#define POSTERN_LIB_SMTP_TEXT_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTP_HEADER_ID_MAX   255
#define SMTP_HEADER_NAME_MAX 10 /* "message-id" */

/* Zeroed is its beginning. Without a pointer. */
struct smtp_header {
	uint32_t received;                   /* Received: fields, one a hop */
	uint8_t message_id_bytes;            /* 0: none was seen */
	char message_id[SMTP_HEADER_ID_MAX]; /* of the first: printable ASCII, unfolded, cut */
	bool eight_bit;                      /* a byte over 127 in the section, RFC 6532 */
	bool over;                           /* the section is: nothing more is noted */
	/* private */
	uint8_t part;
	bool is_id, blank;
	uint8_t name_bytes;
	char name[SMTP_HEADER_NAME_MAX];
};

/* A byte of a line; CR and LF are none. */
void smtp_header_byte(struct smtp_header *header, unsigned char c);
/* How many of these bytes are of the value of a field that nothing more is wanted of, up to the end
 * of its line or a NUL; they are read. */
size_t smtp_header_value(struct smtp_header *header, const char *bytes, size_t len);
/* The line ends. The section is over at an empty line, and at one that is no field of a header. */
void smtp_header_line(struct smtp_header *header);

#endif
