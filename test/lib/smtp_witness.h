/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the engine between a strict client and a strict server, which see bytes alone, and what has
 * to hold between these two whatever happens: it is asked after every input. The owner's part is
 * its user's, by the rules of lib/smtp/engine/engine.h. */
#ifndef POSTERN_TEST_SMTP_WITNESS_H
#define POSTERN_TEST_SMTP_WITNESS_H

#include "lib/smtp/engine/engine.h"
#include "test/lib/smtp_client.h"
#include "test/lib/smtp_server.h"

#define SMTP_WITNESS_TRACE  "Received: by gw.example\r\n"
#define SMTP_WITNESS_SENDER "account@gw.example"
/* What the client says of its login, which nobody may keep. */
#define SMTP_WITNESS_SECRET "c2VjcmV0"

/* Holds no allocation: a copy is a snapshot. */
struct smtp_witness {
	const char *wrong; /* what did not hold first; NULL: all does */
	struct engine engine;
	struct smtp_client client;
	struct smtp_server server;
	/* of all servers: its user's to set, before the first verdict */
	uint8_t tls;  /* enum engine_tls, as hosts are opened */
	uint8_t mode; /* enum engine_mode, of texts that begin */
	bool login, other_sender;
	bool submits; /* without a login: by its flags */
	bool clear;   /* the host was opened once more, without TLS */
	uint64_t now_ms;
	uint64_t digest; /* of what the client heard, of commands and texts that went whole to a
			  * server, and of the records */
	bool more;       /* engine_go() is due */
	bool client_closed, client_gone;
	bool rcpt_ok, data_ok, dot_ok; /* the owner said so of what is in hand */
	bool traced;                   /* SMTP_WITNESS_TRACE stands before the text */
	bool whole, seen;              /* so was the text in hand begun */
	uint16_t seen_len, given_len;  /* of it: what the owner saw, and gave back */
	uint64_t seen_digest;
	bool text;                 /* the client got its 354, and there is no record yet */
	bool recorded;             /* the transaction has its record */
	bool challenged, admitted; /* the owner said so of the login in hand */
	bool secret;      /* the engine may still hold what was said: until the next input */
	uint16_t decided; /* recipients of the transaction that got their reply */
};

enum smtp_witness_verdict {
	SMTP_WITNESS_GO,     /* a recipient: to server 1 */
	SMTP_WITNESS_OTHER,  /* likewise, to server 2 */
	SMTP_WITNESS_REFUSE, /* 550 */
	SMTP_WITNESS_LATER,  /* 451 */
};

void smtp_witness_begin(struct smtp_witness *witness, unsigned flags);

/* Inputs, each with all that the engine has to do at once but engine_go(). One that has no place in
 * the state is still given: it must do nothing. */
void smtp_witness_greet(struct smtp_witness *witness);
void smtp_witness_go(struct smtp_witness *witness);
/* Returns how many bytes the engine had room for. */
size_t smtp_witness_client(struct smtp_witness *witness, const char *bytes, size_t len);
void smtp_witness_client_closed(struct smtp_witness *witness, bool gone);
void smtp_witness_client_secured(struct smtp_witness *witness);
void smtp_witness_client_unfit(struct smtp_witness *witness);
void smtp_witness_verdict(
	struct smtp_witness *witness, enum smtp_witness_verdict verdict, bool xclient);
void smtp_witness_challenge(struct smtp_witness *witness);
void smtp_witness_logged_in(struct smtp_witness *witness, enum engine_login login);
void smtp_witness_opened(struct smtp_witness *witness);
void smtp_witness_failed(struct smtp_witness *witness, bool another);
void smtp_witness_server(struct smtp_witness *witness, const char *bytes, size_t len);
void smtp_witness_server_closed(struct smtp_witness *witness);
void smtp_witness_blocked(struct smtp_witness *witness, bool blocked);
void smtp_witness_identity(struct smtp_witness *witness, bool known);
void smtp_witness_secured(struct smtp_witness *witness);
void smtp_witness_unfit(struct smtp_witness *witness);
void smtp_witness_login(struct smtp_witness *witness, bool last);
void smtp_witness_sender(struct smtp_witness *witness);
void smtp_witness_trace(struct smtp_witness *witness, bool traced);
/* So many bytes of the text that was seen, and the word that they are the last if they are. */
void smtp_witness_give(struct smtp_witness *witness, size_t len);
/* What is no text. */
void smtp_witness_give_bad(struct smtp_witness *witness);
void smtp_witness_held(struct smtp_witness *witness, bool held);
void smtp_witness_end(struct smtp_witness *witness, enum ending why);
/* A moment before the deadline, where nothing may happen, and at it. */
void smtp_witness_time(struct smtp_witness *witness);

/* Nobody says anything any more: time alone has to end the flow. */
void smtp_witness_silence(struct smtp_witness *witness);

/* A reply of the server, one line or two, that names the command it is to: the witness knows it
 * again when the client hears it. Returns its length. */
size_t smtp_witness_reply(
	const struct smtp_witness *witness, unsigned code, bool lines, char reply[static 1024]);
/* A good reply to EHLO that offers STARTTLS and AUTH. */
size_t smtp_witness_offers(char reply[static 1024]);

#endif
