/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is noted of a flow's message from its MAIL to its end: who was to have it and what each
 * of them met, where it went, what was said last. Its record is made of it. */
#ifndef POSTERN_DAEMON_SMTP_NOTE_H
#define POSTERN_DAEMON_SMTP_NOTE_H

#include "lib/base/addr.h"
#include "lib/record/message_record.h"
#include "lib/smtp/engine/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decide_reply;
struct smtp_flow;
struct smtp_flow_table;

/* Recipients beyond are counted. */
#define SMTP_NOTE_RECIPIENTS_MAX 2048

/* By so many rules at most the recipients of one message are permitted; another one comes again. */
#define SMTP_NOTE_RULES 8

/* Kept for every flow in an envelope, with the few words of most messages. */
#define SMTP_NOTE_PIECE_BYTES 512

/* Some of a note's bytes; len 0: none. */
struct smtp_note_text {
	uint32_t at, len;
};

/* Lies in a piece of the table's pool of notes, and stays there; its bytes are the rest of that
 * piece, or one of the big pieces when they became more. */
struct smtp_note {
	uint64_t start_ms; /* monotonic */
	struct endpoint host, gateway;
	int32_t server; /* of the way's policy; -1: none, or the original */
	bool to_original;
	bool server_late;  /* the server was given up as it did nothing */
	bool asked;        /* for the recipient in hand there was a decision: */
	uint8_t by;        /* enum message_by */
	uint8_t verdict;   /* enum policy_verdict */
	uint8_t direction; /* enum message_direction */
	int32_t rule;      /* of the way's policy; -1: none */
	uint16_t bys;      /* which of enum message_by there were, as bits */
	bool reply_is_server;
	bool limited;                   /* its text was refused over a limit */
	bool no_room;                   /* there was none to keep its text */
	int32_t rules[SMTP_NOTE_RULES]; /* that permitted recipients whom the server took */
	uint32_t nrules;
	uint32_t recipients; /* that stand in bytes */
	uint32_t left_out;
	uint32_t silent; /* of rules that say audit off */
	struct smtp_note_text helo, message_id;
	struct smtp_note_text tls;   /* with host: server_tls_describe() */
	struct smtp_note_text reply; /* the last to the text, with its code */
	uint32_t piece;              /* 1 + the number of the big one; 0: none */
	uint32_t used;               /* of bytes, from their beginning: helo and recipients */
	uint32_t end;                /* of what those may have: the other texts are behind it */
	uint32_t last;               /* where the last recipient begins */
	uint8_t bytes[];
};

_Static_assert(sizeof(struct smtp_note) + 128 + ENGINE_HELO_SIZE <= SMTP_NOTE_PIECE_BYTES,
	"the client's name fits, and mostly a recipient");

/* MAIL was said, and is permitted. */
void smtp_note_begin(struct smtp_flow *flow);
/* The message is over, and its record is made. Nothing if there is no note. */
void smtp_note_end(struct smtp_flow *flow);
/* NULL: none is under way. */
struct smtp_note *smtp_note_of(const struct smtp_flow *flow);

/* What was decided of the recipient in hand; and its last reply. */
void smtp_note_decided(struct smtp_note *note, const struct decide_reply *reply);
/* Which something else then refused. */
void smtp_note_refused(struct smtp_note *note, enum message_by by);
void smtp_note_recipient(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply);
/* A server has said something to it: this is where the message goes. */
void smtp_note_server(struct smtp_note *note, const struct smtp_flow *flow);
void smtp_note_reply(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply);
/* The Message-ID: that its text had. */
void smtp_note_id(struct smtp_note *note, const struct smtp_flow *flow, const char *id);
/* One of its texts, until the next is noted. */
struct message_text smtp_note_text(const struct smtp_note *note, const struct smtp_flow *flow,
	const struct smtp_note_text *text);
/* The recipients, in the order that they were said; as many are written as the note has. The texts
 * are of the note and of the way's policy. */
void smtp_note_read(const struct smtp_note *note, const struct smtp_flow *flow,
	struct message_recipient recipients[static SMTP_NOTE_RECIPIENTS_MAX]);

#endif
