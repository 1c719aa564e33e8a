/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the one header line that the gateway writes before a text: Received (RFC 5321 4.4). */
#ifndef POSTERN_LIB_SMTP_TEXT_RECEIVED_H
#define POSTERN_LIB_SMTP_TEXT_RECEIVED_H

#include "lib/base/addr.h"

enum smtp_received_with {
	SMTP_RECEIVED_EHLO = 1 << 0,
	SMTP_RECEIVED_TLS = 1 << 1,  /* RFC 3848: S */
	SMTP_RECEIVED_AUTH = 1 << 2, /* RFC 3848: A */
	SMTP_RECEIVED_UTF8 = 1 << 3, /* RFC 6531 4.3: the message was sent with SMTPUTF8 */
};

struct smtp_received {
	const char *helo;    /* what the client called itself; may be anything */
	const char *name;    /* its name by DNS; NULL or not a host name: left out */
	struct addr client;  /* its address */
	const char *gateway; /* the gateway's own name */
	unsigned with;       /* enum smtp_received_with */
	uint64_t flow;
	uint32_t message; /* number in the flow; 0: left out */
	int64_t time_s;   /* since 1970, UTC */
	int offset_min;   /* of the local time from UTC, -1439 to 1439 */
};

#define SMTP_RECEIVED_MAX 1024

/* The line with its folds and CRLF, no NUL: neither recipient, nor login, nor MAC. Folded to at
 * most 78 bytes a line unless names are longer. Returns the length. */
size_t smtp_received_format(
	const struct smtp_received *received, char out[static SMTP_RECEIVED_MAX]);

#endif
