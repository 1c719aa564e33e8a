/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow may still send: its messages and recipients held against the limits of their
 * rules and zone. */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_ALLOWANCE_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_ALLOWANCE_H

#include "lib/smtp/refusal.h"

#include <stdbool.h>
#include <stdint.h>

struct engine_setup;
struct engine_verdict;
struct smtp;
struct smtp_flow;

/* The memory in which all processes count; fd is taken over. 0 or -errno. */
int allowance_init(struct smtp *smtp, int fd);
/* The largest of what any rule may allow this client: what its greeting says. */
void allowance_set_up(const struct smtp_flow *flow, struct engine_setup *setup);
/* The recipient in hand, which flow->rule takes and which goes by this verdict, is counted. False:
 * refused. */
bool allowance_recipient(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal);
/* The server took it: its rule's limits are the message's. */
void allowance_note_rule(struct smtp_flow *flow);
/* DATA: the message is counted. False: refused. */
bool allowance_message(struct smtp_flow *flow, struct smtp_refusal *refusal);

#endif
