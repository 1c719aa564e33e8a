/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 13, audit, on the process's side: what is told of a flow, live or finished, and of
 * each of its messages. */
#ifndef POSTERN_DAEMON_SMTP_REPORT_H
#define POSTERN_DAEMON_SMTP_REPORT_H

#include "lib/ipc/flow.h"
#include "lib/record/message_ending.h"
#include "lib/smtp/engine/engine.h"

struct decide_reply;
struct smtp_flow;

/* A flow was taken: tells control. */
void smtp_report_started(struct smtp_flow *flow);
/* A row of IPC_FLOWS_GET. 0 or -errno. */
int smtp_report_live(struct smtp_flow *flow, const struct ipc_header *request);
/* A flow ended: counts the ending and keeps its record. */
void smtp_report_end(struct smtp_flow *flow);

/* What was decided of the recipient in hand. */
void smtp_report_decided(struct smtp_flow *flow, const struct decide_reply *reply);
/* And what refused him all the same. */
void smtp_report_refused(struct smtp_flow *flow, enum message_by by);
/* Of the engine's output what is kept of its message: a recipient got its last reply, the text or
 * the message is over. */
void smtp_report_transaction(struct smtp_flow *flow, const struct engine_out *out);

#endif
