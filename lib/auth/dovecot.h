/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the lines of Dovecot's auth-client protocol, version 1, as one who has users' logins checked
 * by it: fields that tabs part, each escaped. Every byte that is read may be an enemy's. */
#ifndef POSTERN_LIB_AUTH_DOVECOT_H
#define POSTERN_LIB_AUTH_DOVECOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOVECOT_LINE_MAX       16384 /* of either side, with its end */
#define DOVECOT_MECHANISMS_MAX 16
#define DOVECOT_MECHANISM_SIZE 21 /* RFC 4422, 3.1: 20 letters, and NUL */
#define DOVECOT_USER_SIZE      128
#define DOVECOT_TEXT_SIZE      128

enum dovecot_mechanism_flag {
	DOVECOT_PLAINTEXT = 1 << 0, /* the password itself is said: inside of TLS alone */
	DOVECOT_PRIVATE = 1 << 1,   /* not to be shown, nor is what proves nobody */
};

struct dovecot_mechanism {
	char name[DOVECOT_MECHANISM_SIZE];
	unsigned flags; /* enum dovecot_mechanism_flag */
};

/* What it says of itself before anything is asked. Begins as {0}. */
struct dovecot_greeting {
	bool version; /* one that is spoken here */
	bool peer;    /* it is the socket for logins: SPID was said */
	bool done;    /* all is said */
	size_t n;
	struct dovecot_mechanism mechanisms[DOVECOT_MECHANISMS_MAX];
};

/* A line without its end, up to `done`. NULL, or what was expected instead. */
const char *dovecot_greet(struct dovecot_greeting *greeting, const char *line, size_t len);

/* One's own first lines; pid: no other client's. Returns the length; room: 64 bytes at least. */
size_t dovecot_hello(uint32_t pid, char *out, size_t room);

struct dovecot_login {
	uint32_t id;
	const char *mechanism;
	const char *server, *client; /* addresses */
	uint16_t server_port, client_port;
	bool secured;         /* in TLS */
	const char *response; /* in base64; NULL: there is none */
	size_t response_len;
};

/* AUTH, and CONT with a response in base64; with the line's end and no NUL. Returns the length, or
 * 0: it does not fit. To be wiped by who sent it. */
size_t dovecot_ask(const struct dovecot_login *login, char *out, size_t room);
size_t dovecot_continue(uint32_t id, const char *response, size_t len, char *out, size_t room);
/* What is asked no longer. */
size_t dovecot_cancel(uint32_t id, char *out, size_t room);

enum dovecot_answer_kind {
	DOVECOT_OK,
	DOVECOT_NO,       /* wrong, or not known: that is not said apart */
	DOVECOT_LATER,    /* it could not find out */
	DOVECOT_MORE,     /* a challenge: in base64 */
	DOVECOT_ANOTHER,  /* a line that says nothing of a login */
	DOVECOT_NONSENSE, /* a line that none is */
};

struct dovecot_answer {
	enum dovecot_answer_kind kind;
	uint32_t id;
	char user[DOVECOT_USER_SIZE];   /* OK: who it is; "": it is not said */
	char reason[DOVECOT_TEXT_SIZE]; /* NO, LATER: for the log; "": none */
	const char *challenge;          /* within the line */
	size_t challenge_len;
};

/* A line without its end, behind the greeting. */
void dovecot_answer(const char *line, size_t len, struct dovecot_answer *answer);

#endif
