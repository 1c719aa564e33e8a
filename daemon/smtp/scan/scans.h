/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of a flow's scans share: the message in hand, which scans it has, its
 * recipients, and what of its text a filter has not taken. Nobody else includes it.
 *
 * Memory, for one message: a piece of the flow's table for the text that a filter does not take as
 * fast as the client gives it, which is not read meanwhile; for each of its scans what of that
 * waits for the filter's socket, 96 KiB at most, and for a milter 72 KiB of its own, kept with its
 * connection for the client's next message; in `whole` its header, up to SCAN_HEADER_MAX. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_SCANS_H
#define POSTERN_DAEMON_SMTP_SCAN_SCANS_H

#include "daemon/smtp/scan/message.h"
#include "daemon/smtp/scan/part.h"
#include "daemon/smtp/scan/scan.h"
#include "daemon/smtp/smtp.h"

struct scan_header;

struct scans {
	struct scan_message message; /* first; of the one in hand */
	struct smtp_flow *flow;
	struct loop_timer timer;
	uint32_t ask;               /* the engine's question that is being answered */
	uint32_t number;            /* of its message */
	unsigned set;               /* scans that it has: 1 << number in the policy */
	unsigned joining;           /* and those that the recipient in hand brings */
	bool filled;                /* the facts are this message's */
	bool in_text;               /* from DATA on */
	bool in_hand;               /* the last of the recipients is the one in hand */
	uint8_t ending;             /* enum message_ending, of a refusal; else MESSAGE_DELIVERED */
	char said[SCAN_WORDS_SIZE]; /* with ending: what scans had said then */
	/* recipients, each with its NUL */
	char *list;
	uint32_t used, room, last; /* where the last begins */
	uint32_t recipients;
	uint32_t cursor_at, cursor; /* where recipient `cursor` begins */
	/* the text in hand */
	struct smtp_hold held;
	const char *text; /* outside of a hold, for the call at hand */
	size_t text_len;
	struct scan_header *header; /* kept, where it may have to be changed; NULL: it is not */
	struct scan_part *parts[];  /* one for each scan of the policy; NULL: not used yet */
};

/* scan.c */
/* NULL: the flow's policy has no scans, or no recipient was said. */
struct scans *scans_of(const struct smtp_flow *flow);
/* The next of a set: start with *at 0. NULL: no more. */
struct scan_part *scans_next(const struct scans *scans, unsigned set, unsigned *at);
struct scans *scans_make(struct smtp_flow *flow);         /* NULL: no memory */
bool scans_have_parts(struct scans *scans, unsigned set); /* likewise */
uint64_t scans_now(const struct scans *scans);
/* Their goal is this one, in the time that the engine gives. */
void scans_seek(struct scans *scans, unsigned set, enum scan_goal goal);
/* Of those that have a verdict on what they were asked: the first refusal in the order of the
 * policy, then the first failure. */
enum scan_answer scans_answer(struct scans *scans, unsigned set, struct smtp_refusal *refusal);
enum scan_answer scans_refuse(
	struct smtp_refusal *refusal, uint16_t code, const char *enhanced, const char *text);
void scans_parts_over(struct scans *scans, unsigned set);
/* Of the message in hand nothing is left. */
void scans_over(struct scans *scans);
/* When something is due, it wakes up. */
void scans_arm(struct scans *scans);
/* text.c: what they took since. */
void scans_release_text(struct scans *scans);
/* words.c: because of a scan it ends so. */
void scans_set_ending(struct scans *scans, enum message_ending ending);

/* recipients.c, text.c: for its parts. */
static inline const struct scans *scans_having(const struct scan_message *message)
{
	return (const struct scans *)(const void *)message;
}
uint32_t scans_recipients(const struct scan_message *message);
const char *scans_recipient(struct scan_message *message, uint32_t number);
bool scans_is_first(const struct scan_message *message);
const char *scans_text(const struct scan_message *message, size_t *len);

#endif
