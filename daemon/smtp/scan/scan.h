/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 11, scan: what the scans of a message's rules say of it. This is all that the flow
 * knows of them; which filters they are, and how they are asked, is behind it.
 *
 * In the order of a message:
 *   scan_on_recipient()  each recipient that a rule takes, before its server hears of it
 *   scan_on_data()       may its text come, and how
 *   scan_text()          spans of it, as it is to be stored; scan_is_full() holds the client back
 *   scan_on_dot()        the text is whole: the verdict
 *   scan_front()         GIVE: what is given in the place of its first bytes
 *   scan_message_over()  whatever became of it: also without any of the above, and twice
 *   scan_flow_over()
 * What waits is woken by talk_run(), from an event or a timer of the scan's own. A message that
 * none of its rules has scanned goes through all of them, and nothing happens. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_SCAN_H
#define POSTERN_DAEMON_SMTP_SCAN_SCAN_H

#include "lib/record/message_ending.h"
#include "lib/smtp/engine/engine.h"

struct decide_reply;
struct smtp_flow;

enum scan_answer {
	SCAN_GO_ON,
	SCAN_WAITS,   /* talk_run() when it is known, in the engine's time (ENGINE_OWNER_MS) */
	SCAN_REFUSES, /* *refusal: until the next call */
};

/* ASK_RCPT, behind a decision that permits. Asked again while it waits. */
enum scan_answer scan_on_recipient(
	struct smtp_flow *flow, const struct decide_reply *reply, struct smtp_refusal *refusal);
/* ASK_DATA: fills mode and scan_ms. Asked again while it waits. */
enum scan_answer scan_on_data(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal);
/* In BODY. A span is at most SMTP_FLOW_READ_BYTES long; it is taken, whatever is_full says. */
void scan_text(struct smtp_flow *flow, const char *bytes, size_t len);
/* No more of the text is wanted now: talk_run() when it is. */
bool scan_is_full(const struct smtp_flow *flow);
/* ASK_DOT: the text was said to its end. Asked again while it waits. */
enum scan_answer scan_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal);
/* GIVE: the bytes that are given instead of the text's first *instead_of ones; the same at each
 * call for one message. Returns how many. 0 and *instead_of 0: the text as it came. */
size_t scan_front(const struct smtp_flow *flow, const char **bytes, uint64_t *instead_of);
void scan_message_over(struct smtp_flow *flow);
void scan_flow_over(struct smtp_flow *flow);

/* The recipient in hand has had his last reply. */
void scan_recipient_done(struct smtp_flow *flow, bool taken);
/* The engine went on: a text that is awaited no longer, or was given up, is no scan's. */
void scan_follow(struct smtp_flow *flow);

/* For the record of the message in hand: what each scan said; "" if it has none. Returns text. */
#define SCAN_WORDS_SIZE 512
const char *scan_words(const struct smtp_flow *flow, char text[static SCAN_WORDS_SIZE]);
/* Because of a scan something of it was refused: how it ends, if with that. Else false. */
bool scan_ending(const struct smtp_flow *flow, enum message_ending *ending);

#endif
