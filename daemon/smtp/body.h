/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 10, body: a message's text between engine, scan and spool. */
#ifndef POSTERN_DAEMON_SMTP_BODY_H
#define POSTERN_DAEMON_SMTP_BODY_H

#include "daemon/smtp/scan/scan.h"

struct engine_out;
struct smtp;

/* ASK_DATA: fills how the text goes; one that is kept whole has its place in the spool. */
enum scan_answer body_begin(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal);
/* For an input to the engine: where the text goes that is to be seen. */
void body_fill_out(struct smtp_flow *flow, struct engine_out *out);
/* What came of it. */
void body_take(struct smtp_flow *flow, const struct engine_out *out);
/* Before bytes of the client: holds it back, or no more, as spool and scan have room. */
void body_hold(struct smtp_flow *flow);
/* Is a text being kept, beside which the server is idle? */
bool body_is_kept(const struct smtp_flow *flow);
/* ASK_DOT: the verdict. */
enum scan_answer body_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal);
/* GIVE: a part of what was kept. False: nothing can be given now. */
bool body_on_give(struct smtp_flow *flow);
/* The text is over, whatever became of it; nothing if there is none. */
void body_end(struct smtp_flow *flow);

/* The spool has room again for a text, or more of it. */
void body_on_ready(void *flow);

#endif
