/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the bytes that go out to a flow's two sockets: what one does not take is held and goes first
 * when it takes some again. Who is lost is noted in the flow. */
#ifndef POSTERN_DAEMON_SMTP_WIRE_OUTGOING_H
#define POSTERN_DAEMON_SMTP_WIRE_OUTGOING_H

#include "daemon/smtp/flow.h"

#include <stddef.h>

/* The engine's, where nothing of this round is kept. */
#define OUTGOING_SERVER_ROOM (2 * SMTP_FLOW_READ_BYTES + ENGINE_SERVER_ROOM)

void outgoing_to_client(struct smtp_flow *flow, const char *bytes, size_t len);
/* So many of for_server, behind what was kept of it. */
void outgoing_to_server(struct smtp_flow *flow, size_t len);
/* A header that waits for its text: what the text's first bytes are put behind. */
void outgoing_take_header(struct smtp_flow *flow);
/* What is held. */
void outgoing_flush(struct smtp_flow *flow);
void outgoing_flush_client(struct smtp_flow *flow);
/* Another flow's is next: nothing is kept any more. */
void outgoing_end_round(struct smtp_flow *flow);
/* The client cannot be written to: the engine hears of it in the next step. */
void outgoing_lose_client(struct smtp_flow *flow);

#endif
