/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 7, talk: a flow's engine between its two sockets, and the time. What the engine asks
 * its owner for is answered by envelope.h (verdicts) and smtp_server.h (a host); what it says goes
 * out by outgoing.h, and its last words by last_words.h. */
#ifndef POSTERN_DAEMON_SMTP_TALK_H
#define POSTERN_DAEMON_SMTP_TALK_H

#include "lib/record/ending.h"

#include <stdint.h>

struct engine_out;
struct smtp_flow;

/* A client that was taken and is known: greets it. */
void talk_begin(struct smtp_flow *flow);
/* Goes on as far as the sockets allow. */
void talk_run(struct smtp_flow *flow);
/* An event of the server's socket was noted. */
void talk_on_server(struct smtp_flow *flow, uint32_t events);
void talk_on_deadline(struct smtp_flow *flow, uint64_t now_ms);
/* For an input to the engine, which is given this; and then what came out is acted on. */
struct engine_out *talk_out(struct smtp_flow *flow);
void talk_act(struct smtp_flow *flow);
/* The flow is to end, as the engine allows it: never between the dot and its reply. */
void talk_order_end(struct smtp_flow *flow, enum ending why);
/* The flow is being freed: what it held is given back, and it is told of. */
void talk_end(struct smtp_flow *flow);

#endif
