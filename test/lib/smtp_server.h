/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a mail server that is strict: it hears the gateway's bytes alone, takes nothing that a
 * strict server would not, and knows what it would have stored. What it says is its user's: it
 * reads that as well, and so knows to which command which reply was. */
#ifndef POSTERN_TEST_SMTP_SERVER_H
#define POSTERN_TEST_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTP_SERVER_LINE_MAX 1536
#define SMTP_SERVER_TEXT_MAX 2048

enum smtp_server_verb {
	SMTP_SERVER_NONE,
	SMTP_SERVER_GREETING, /* no command: what is due first */
	SMTP_SERVER_HELLO,
	SMTP_SERVER_STARTTLS,
	SMTP_SERVER_XCLIENT,
	SMTP_SERVER_AUTH,
	SMTP_SERVER_ANSWER, /* no command: what it asked for with 334 */
	SMTP_SERVER_RSET,
	SMTP_SERVER_MAIL,
	SMTP_SERVER_RCPT,
	SMTP_SERVER_DATA,
	SMTP_SERVER_DOT,
	SMTP_SERVER_NOOP,
	SMTP_SERVER_QUIT,
};
extern const char *const smtp_server_verb_names[];

/* Holds no allocation: a copy is a snapshot. */
struct smtp_server {
	const char *wrong; /* the rule that the gateway broke first; NULL: none */
	bool open;
	bool broken;   /* it said what no server says: nothing may be said to it any more */
	bool text;     /* it said 354 and waits for the end of a text */
	bool dotted;   /* of the last text: its end came */
	bool claimed;  /* its user's: the client was told of `done` */
	uint8_t heard; /* its user's to clear: the last command, enum smtp_server_verb */
	uint8_t due;   /* whose reply is due; NONE: no command is outstanding */
	uint8_t done;  /* whose reply was the last, and what it was: */
	uint16_t code;
	uint16_t rcpts; /* of the transaction, that it took */
	bool mixed;     /* its lines had several codes: `code` is the greatest */
	bool hello, mail;
	bool handshake; /* all that comes now is TLS, either way */
	bool secured;
	bool starttls; /* its last EHLO offered it */
	bool tried;    /* STARTTLS was said on this connection */
	bool asks;     /* it said 334 */
	bool logged_in;
	uint16_t said_at, said_code, line_code; /* the reply that it is saying */
	bool said_more, said_mixed;
	uint8_t word_len;
	char word[10]; /* what its line begins with, behind the code */
	uint16_t line_len, text_len;
	char sender[256], recipient[256]; /* of the last MAIL and RCPT: what stands in brackets */
	char line[SMTP_SERVER_LINE_MAX];  /* that it is hearing */
	char bytes[SMTP_SERVER_TEXT_MAX]; /* of the last text, as they came */
};

/* A connection, with nothing known of the one before but its last text and reply. immediate: TLS
 * comes before its greeting. */
void smtp_server_begin(struct smtp_server *server, bool immediate);
/* The handshake is done: what was said in clear is forgotten. */
void smtp_server_secure(struct smtp_server *server);
void smtp_server_close(struct smtp_server *server);
void smtp_server_hear(struct smtp_server *server, const char *bytes, size_t len);
void smtp_server_say(struct smtp_server *server, const char *bytes, size_t len);

/* The address in the brackets behind the colon of a MAIL or RCPT line; empty: it is not a plain one
 * (letters, digits, dots and one @), or cut. */
void smtp_server_address(const char *line, size_t len, char address[static 256]);

#endif
