/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a mail client that is strict about what it hears: it keeps the bytes that it sent and finds
 * for each reply the command that it is to, the n-th for the n-th. What it sends is its user's. */
#ifndef POSTERN_TEST_SMTP_CLIENT_H
#define POSTERN_TEST_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTP_CLIENT_SENT_MAX 3072
#define SMTP_CLIENT_LINE_MAX 1536 /* of a command, as the gateway takes it */

enum smtp_client_verb {
	SMTP_CLIENT_NONE, /* nothing whole was sent that is not answered */
	SMTP_CLIENT_GREETING,
	SMTP_CLIENT_HELLO,
	SMTP_CLIENT_MAIL,
	SMTP_CLIENT_RCPT,
	SMTP_CLIENT_DATA,
	SMTP_CLIENT_DOT,
	SMTP_CLIENT_DONE, /* RSET, NOOP: always yes */
	SMTP_CLIENT_HELP, /* and VRFY */
	SMTP_CLIENT_STARTTLS,
	SMTP_CLIENT_AUTH,
	SMTP_CLIENT_RESPONSE, /* the line behind a 334 */
	SMTP_CLIENT_QUIT,
	SMTP_CLIENT_OTHER, /* no command, or one that is wrong: never yes */
};

/* Holds no allocation: a copy is a snapshot. */
struct smtp_client {
	const char *wrong; /* the rule that the gateway broke first; NULL: none */
	bool repair;       /* its user's: a bare LF ends a line */
	bool secret;       /* its user's: it says no mail in clear, and nobody takes any */
	bool handshake;    /* it began one: no byte of either side is in clear */
	bool secured;      /* and ended it */
	bool hello;        /* it said its name, and nothing was forgotten since */
	bool greeted;
	bool asked; /* it heard 334: its next line is a response */
	bool logged_in;
	bool text;    /* it heard 354: what it sends is a text */
	bool over;    /* it heard a reply that nothing but the close may follow */
	bool mail;    /* MAIL was told yes */
	uint16_t yes; /* recipients of the transaction that were */
	uint16_t sent_len, line_len;
	uint16_t reply_code;             /* of the lines so far; 0: none */
	char sender[256];                /* of the transaction */
	char line[1100];                 /* that it is hearing */
	char sent[SMTP_CLIENT_SENT_MAX]; /* and not answered */
};

/* What it heard. */
struct smtp_client_heard {
	enum smtp_client_verb verb; /* to what; NONE: nothing that it asked */
	uint16_t code;
	char recipient[256]; /* of RCPT, as by smtp_server_address() */
	char words[1100];    /* the last line behind its code */
};

/* False: there is no room in this test for so much. */
bool smtp_client_say(struct smtp_client *client, const char *bytes, size_t len);
/* Its handshake is done. */
void smtp_client_secure(struct smtp_client *client);
/* What the next reply is to; *len: the bytes of it. */
enum smtp_client_verb smtp_client_head(const struct smtp_client *client, size_t *len);
/* Reads up to the end of a reply; returns how many bytes. heard->code is 0 when it did not come. */
size_t smtp_client_hear(
	struct smtp_client *client, const char *bytes, size_t len, struct smtp_client_heard *heard);
/* The text in front, whole, without its dot; false: it has what no text may have, or is not whole.
 */
bool smtp_client_text(const struct smtp_client *client, char *text, size_t *text_len);

#endif
