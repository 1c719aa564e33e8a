/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow of a listener knows of its client's names by DNS (lib/dns/client_name.h): they
 * are asked for when something hangs on them, and waited for where it does. */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_CLIENT_NAME_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_CLIENT_NAME_H

#include "lib/dns/client_name.h"
#include "lib/policy/decide/decide.h"
#include "lib/smtp/xclient.h"

struct ipc_looked_up;
struct smtp;
struct smtp_flow;

/* Of one flow. */
struct client_name_wait;

/* They will be wanted: asks for them, and nothing waits yet. */
void client_name_ask(struct smtp_flow *flow);
/* They are wanted now. True: they may still come, at most 5 s after they were asked for; the flow
 * is run again then. */
bool client_name_waits(struct smtp_flow *flow);
/* When a flow waits for them no longer. UINT64_MAX: it does not wait. */
uint64_t client_name_deadline(const struct smtp_flow *flow);
void client_name_on_deadline(struct smtp_flow *flow);
/* Health has answered. */
void client_name_take(struct smtp *smtp, const struct ipc_looked_up *ipc);
/* What was asked for may be lost: it is asked for again. */
void client_name_ask_again(struct smtp *smtp);
/* The flow is being freed. */
void client_name_end(struct smtp_flow *flow);

/* What is known now, for a decision. room: as long as the origin. */
void client_name_fill(const struct smtp_flow *flow, const char *room[static CLIENT_NAMES_MAX],
	struct decide_origin *origin);
/* And for a server that takes our word. Borrowed from the flow. */
void client_name_identify(const struct smtp_flow *flow, struct xclient_identity *identity);

#endif
