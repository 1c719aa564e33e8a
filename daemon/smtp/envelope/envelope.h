/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 8, envelope: what the engine asks to be decided, from the greeting to the dot. Decided
 * by the policy that the flow began with, and by what is known now of lists, blocks and time. */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_ENVELOPE_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

struct engine_setup;
struct smtp_flow;
struct smtp_refusal;

/* The client is known: is it welcome? What the flow holds of limits from here on is given back at
 * its end. Where its names are to say it (flow.hangs), that is asked when it is greeted. */
void envelope_begin(struct smtp_flow *flow);
/* False: it is greeted with a refusal. */
bool envelope_welcome(struct smtp_flow *flow, struct smtp_refusal *refusal);
/* How the engine is to talk with this client. */
void envelope_set_up(const struct smtp_flow *flow, struct engine_setup *setup);
/* The engine waits for a verdict; it has it when these return. False: the client's names, or its
 * scans, are waited for first. */
void envelope_on_sender(struct smtp_flow *flow);
bool envelope_on_recipient(struct smtp_flow *flow);
bool envelope_on_data(struct smtp_flow *flow);
bool envelope_on_dot(struct smtp_flow *flow);
/* It waits for the header line of ours. */
void envelope_on_trace(struct smtp_flow *flow);

/* The number by which the engine knows a server. */
#define ENVELOPE_ORIGINAL  0u
#define ENVELOPE_NO_SERVER UINT16_MAX
/* The flow's way leads to the server that the engine means. */
void envelope_take_server(struct smtp_flow *flow);
/* And what the server is told of it goes by the names that are known by now. */
void envelope_take_permit(struct smtp_flow *flow);

#endif
