/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the text behind DATA (RFC 5321 4.5.2): where it ends, what its lines are, and that only what
 * a strict reader reads goes to the server. */
#ifndef POSTERN_LIB_SMTP_TEXT_BODY_H
#define POSTERN_LIB_SMTP_TEXT_BODY_H

#include "lib/smtp/refusal.h"
#include "lib/smtp/text/header.h"

/* What no text may have. */
enum smtp_body_bad {
	SMTP_BODY_BARE_CR = 1 << 0,
	SMTP_BODY_BARE_LF = 1 << 1, /* unless lines are repaired */
	SMTP_BODY_NUL = 1 << 2,
};

enum smtp_body_status {
	SMTP_BODY_MORE, /* the end has not come */
	SMTP_BODY_BAD,  /* likewise, and nothing more is written: the server must never see a dot */
	SMTP_BODY_END,  /* CRLF.CRLF came */
};

/* How much room a call needs to get on, in each that it writes to. */
#define SMTP_BODY_ROOM 4
/* What was kept from the server at the end: its line, which commits the message. */
#define SMTP_BODY_DOT ".\r\n"

/* Without a pointer: a copy is a snapshot. */
struct smtp_body {
	uint64_t bytes; /* of the text with its line ends, without stuffing (RFC 1870 3) */
	uint64_t lines;
	uint8_t bad; /* enum smtp_body_bad */
	struct smtp_header header;
	/* private */
	uint8_t at;
	bool repair, bare, ended, discarded;
};

/* What is written. */
struct smtp_body_out {
	char *bytes;
	size_t room, len;
};

/* repair: a bare LF ends a line and is written as CRLF. It never makes an end: a dot alone between
 * bare LF and CRLF, in either order, is a line of text. */
void smtp_body_init(struct smtp_body *body, bool repair);
/* Reads the client's bytes and writes them as they go to a server: lines with CRLF, dots stuffed
 * anew, without the dot at the end (SMTP_BODY_DOT is the caller's to send); and as they are stored,
 * without stuffing. Either is NULL where that is not wanted. *used of the bytes were read: fewer
 * than len when a room is short of SMTP_BODY_ROOM, or behind the end. A CR or dot that the next
 * byte will explain is neither written nor kept for the caller: it comes with that byte. Written is
 * a part of the text as it was sent until BAD, which is told as soon as it is known; what comes
 * behind is read up to the end and dropped. */
enum smtp_body_status smtp_body_feed(struct smtp_body *body, const void *bytes, size_t len,
	size_t *used, struct smtp_body_out *sent, struct smtp_body_out *stored);
/* From now on nothing is written and no room is needed: the message was refused, its end is still
 * looked for, and it is still counted. */
void smtp_body_discard(struct smtp_body *body);
/* The reply to the end of a bad text; NULL: it is not bad. */
const struct smtp_refusal *smtp_body_refusal(const struct smtp_body *body);

#endif
