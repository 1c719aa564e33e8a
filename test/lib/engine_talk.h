/* Owns a talk with the engine in a script: what client, server and owner do, and what has to come
 * out of it. The owner of a talk goes by the rules of lib/smtp/engine.h and no more. */
#ifndef TEST_ENGINE_TALK_H
#define TEST_ENGINE_TALK_H

#include "lib/smtp/engine.h"

#define TALK_BYTES_MAX (1 << 18)

struct talk {
	struct engine engine;
	uint64_t now_ms;
	/* verdicts of the owner: */
	uint16_t number; /* of the server of every recipient; "other" in its local part: the next */
	bool xclient;
	const char *trace;                                   /* NULL: none */
	const struct smtp_refusal *mail, *rcpt, *data, *dot; /* NULL: go on */
	bool holds;                                          /* gives no verdict by itself */
	unsigned hosts; /* connections that can be opened at once, none after them */
	size_t cut;     /* bytes a call; 0: all of them */
	/* what came out, and how much of it was looked at: */
	size_t client_len, client_seen, server_len, server_seen;
	char client[TALK_BYTES_MAX], server[TALK_BYTES_MAX];
	char events[4096]; /* "rcpt a@b.example 250; delivered 1/1 250; " */
	unsigned opened, closed, broken;
};

void talk_begin(struct talk *talk, unsigned flags);
/* Inputs; what they make due of the owner is done. */
void talk_greet(struct talk *talk);
void talk_client(struct talk *talk, const void *bytes, size_t len);
void talk_server(struct talk *talk, const void *bytes, size_t len);
void talk_time(struct talk *talk, uint64_t ms);

/* Lines, each by its first letter:
 * "C line" the client says it (CRLF is added)   "c 250 2" the client hears a line so begun
 * "S line" the server says it                   "s MAIL" the server hears this whole line
 * "c" "s" alone: nothing more was heard         "w body" the engine's state
 * "E text" the events since the last E          "T ms" time goes by
 * "X" the server closes, "G" and "F" the client closes (gone, or its half)
 * "D" the owner drains, "K" kills: engine_end(). Ends the test where it differs. */
void talk_run(struct talk *talk, const char *script);

#endif
