/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a talk with the engine in a script: what client, server and owner do, and what has to come
 * out of it. The owner of a talk goes by the rules of lib/smtp/engine/engine.h and no more. */
#ifndef TEST_ENGINE_TALK_H
#define TEST_ENGINE_TALK_H

#include "lib/smtp/engine/engine.h"

#define TALK_GATEWAY   "gw.example"
#define TALK_BYTES_MAX (1 << 21)

struct talk {
	struct engine engine;
	uint64_t now_ms;
	/* verdicts of the owner: */
	uint16_t number; /* of the server of every recipient; "other" in its local part: the next */
	bool xclient;
	enum engine_tls tls; /* of every host */
	bool login;          /* in as many lines as its mechanism has */
	const char *sender;  /* in brackets: what servers are told; NULL: the client's own */
	const char *unfit;   /* why no handshake succeeds, and no login is there; NULL: they do */
	uint32_t size_max;   /* of the next recipient; 0: the setup's */
	const char *trace;   /* NULL: none */
	const struct smtp_refusal *mail, *rcpt, *data, *dot; /* NULL: go on */
	enum engine_mode mode;                               /* of texts */
	uint32_t scan_ms;
	const char *front;  /* given before a kept text, or NULL */
	const char *logins; /* mechanisms */
	bool holds;         /* gives no verdict by itself */
	uint32_t may_ms;    /* of each host, up to its reply to MAIL */
	unsigned hosts;     /* connections that can be opened at once, none after them */
	size_t cut;         /* bytes a call; 0: all of them */
	/* what came out, and how much of it was looked at: */
	size_t client_len, client_seen, server_len, server_seen;
	char client[TALK_BYTES_MAX], server[TALK_BYTES_MAX];
	size_t text_len, text_given; /* of the last text that the owner saw */
	bool front_given;
	char text[TALK_BYTES_MAX];
	char events[4096];   /* "rcpt a@b.example 250; delivered 1/1 250; " */
	unsigned handshakes; /* of the client's */
	unsigned opened, closed, broken, secured;
	unsigned lines; /* of the login that were said */
	/* of the client's: "PLAIN=AGFubmE", "LOGIN" without a response beside it */
	char said[16384];
	char why[100];
};

void talk_init(struct talk *talk, unsigned flags);
/* Inputs; what they make due of the owner is done. */
void talk_greet(struct talk *talk);
/* Begins, greets and runs. */
void talk_whole(struct talk *talk, unsigned flags, const char *script);
void talk_client(struct talk *talk, const void *bytes, size_t len);
void talk_server(struct talk *talk, const void *bytes, size_t len);
void talk_time(struct talk *talk, uint64_t ms);

/* Lines, each by its first letter:
 * "C line" the client says it (CRLF is added)   "c 250 2" the client hears a line so begun
 * "S line" the server says it                   "s MAIL" the server hears this whole line
 * "c" "s" alone: nothing more was heard         "w body" the engine's state
 * "E text" the events since the last E          "T ms" time goes by
 * "X" the server closes, "G" and "F" the client closes (gone, or its half)
 * "R text" the client, "Q text" the server says these bytes and no more: \r, \n, \0, \\ are one
 * "o N" so many hosts can still be opened       "u text" no handshake or login from now on: why
 * "m N" each host to come may take N ms up to its reply to MAIL
 * "l PLAIN=x" the client said so much of a login     "L ok" "L refused" "L later" "L malformed"
 * "L long" "L mechanism" the owner's verdict on it   "L + x" or its challenge
 * "t text" the owner saw these bytes of the text, as with "R"
 * "D" the owner drains, "K" kills: engine_end(). Ends the test where it differs. */
void talk_try(struct talk *talk, const char *script);

/* Parts of scripts: a client that said EHLO; the host's part up to our MAIL; one recipient taken.
 */
#define TALK_GREETED "c 220 " TALK_GATEWAY " ESMTP [f-1]\n"
#define TALK_OFFERED                                                               \
	"c 250-gw.example\nc 250-PIPELINING\nc 250-SIZE 1000000\nc 250-8BITMIME\n" \
	"c 250 ENHANCEDSTATUSCODES\n"
#define TALK_HELLO        TALK_GREETED "C EHLO pc\n" TALK_OFFERED
#define TALK_SERVER_HELLO "S 220 mx\ns EHLO gw.example\nS 250-mx\nS 250-8BITMIME\nS 250 SIZE 5000\n"
#define TALK_MAIL         "C MAIL FROM:<a@x.example>\nc 250 2.1.0\n"
#define TALK_TAKEN                                                                 \
	TALK_MAIL "C RCPT TO:<b@y.example>\n" TALK_SERVER_HELLO                    \
		  "s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT TO:<b@y.example>\n" \
		  "S 250 2.1.5 yes\nc 250 2.1.5 yes\n"

#endif
