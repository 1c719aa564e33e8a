/* Owns what is noted of a flow's message from its MAIL to its end: who was to have it and what each
 * of them met, where it went, what was said last. Its record is made of it. */
#ifndef POSTERN_SMTP_NOTE_H
#define POSTERN_SMTP_NOTE_H

#include "lib/addr.h"
#include "lib/smtp/engine.h"
#include "lib/smtp/message_record.h"

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

/* Lies in a piece of the table's pool. */
struct smtp_note {
	uint64_t start_ms; /* monotonic */
	struct endpoint host, gateway;
	int32_t server; /* of the way's policy; -1: none, or the original */
	bool to_original;
	bool server_late; /* the server was given up as it did nothing */
	bool asked;       /* for the recipient in hand there was a decision: */
	uint8_t by;       /* enum message_by */
	uint8_t verdict;  /* enum policy_verdict */
	int32_t rule;     /* of the way's policy; -1: none */
	uint16_t bys;     /* which of enum message_by there were, as bits */
	bool reply_is_server;
	bool limited;                   /* its text was refused over a limit */
	int32_t rules[SMTP_NOTE_RULES]; /* that permitted recipients whom the server took */
	uint32_t nrules;
	uint32_t recipients; /* that stand in bytes */
	uint32_t left_out;
	uint32_t silent; /* of rules that say audit off */
	uint32_t used;   /* of bytes */
	uint32_t last;   /* where the last recipient begins */
	char helo[ENGINE_HELO_SIZE];
	char message_id[SMTP_HEADER_ID_MAX + 1];
	char reply[MESSAGE_TEXT_MAX]; /* the last to the text, with its code; or none */
	uint8_t bytes[];
};

/* MAIL was said, and is permitted. */
void smtp_note_begin(struct smtp_flow *flow);
/* The message is over, and its record is made. Nothing if there is no note. */
void smtp_note_end(struct smtp_flow *flow);
/* NULL: none is under way. */
struct smtp_note *smtp_note_of(const struct smtp_flow *flow);

/* What was decided of the recipient in hand; and its last reply. */
void smtp_note_decided(struct smtp_note *note, const struct decide_reply *reply);
/* Which a limit then refused. */
void smtp_note_limited(struct smtp_note *note);
void smtp_note_recipient(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply);
/* A server has said something to it: this is where the message goes. */
void smtp_note_server(struct smtp_note *note, const struct smtp_flow *flow);
void smtp_note_reply(struct smtp_note *note, const struct engine_reply *reply);
/* The recipients, in the order that they were said; as many are written as the note has. The texts
 * are of the note and of the way's policy. */
void smtp_note_read(const struct smtp_note *note, const struct smtp_flow *flow,
	struct message_recipient recipients[static SMTP_NOTE_RECIPIENTS_MAX]);

#endif
