/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns Postfix's XCLIENT commands: who the client is, told to a server that takes our word
 * (Postfix XCLIENT_README). */
#ifndef POSTERN_LIB_SMTP_XCLIENT_H
#define POSTERN_LIB_SMTP_XCLIENT_H

#include "lib/base/addr.h"

#include <stdbool.h>

enum xclient_attribute {
	XCLIENT_NAME = 1 << 0,
	XCLIENT_REVERSE_NAME = 1 << 1,
	XCLIENT_ADDR = 1 << 2,
	XCLIENT_PORT = 1 << 3,
	XCLIENT_LOGIN = 1 << 4,
	XCLIENT_DESTADDR = 1 << 5,
	XCLIENT_DESTPORT = 1 << 6,
};

#define XCLIENT_LINE_MAX     512 /* of one command, CRLF included */
#define XCLIENT_COMMANDS_MAX 4
#define XCLIENT_SIZE         (XCLIENT_LINE_MAX * XCLIENT_COMMANDS_MAX)

struct xclient_identity {
	struct endpoint client;
	struct endpoint original;
	const char *name;         /* of the client by DNS; NULL or not a host name: unavailable */
	const char *reverse_name; /* likewise, not verified */
	bool name_open;           /* where one is NULL: DNS may say it later */
	const char *login;        /* user of the session; NULL or empty: none is asserted */
};

/* Commands to send, one after the other, each after the 220 to the one before. */
struct xclient_commands {
	char text[XCLIENT_SIZE]; /* back to back, each with CRLF, no NUL */
	uint16_t len[XCLIENT_COMMANDS_MAX];
	size_t n;
};

/* The attributes that an EHLO line offers: what stands behind "250-XCLIENT". */
unsigned xclient_offered(const char *text, size_t len);

/* Always asserts NAME, ADDR and PORT, and LOGIN when there is one; the others where offered. The
 * last command ends with ADDR: with it the server stops to take our word. 0; or the attribute
 * that is needed and not offered, as a negative number of enum xclient_attribute. */
int xclient_encode(const struct xclient_identity *identity, unsigned offered,
	struct xclient_commands *commands);
const char *xclient_attribute_name(enum xclient_attribute attribute);

#endif
