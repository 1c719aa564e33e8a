/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 5, match: the first rule that takes the flow, and acting on its verdict. */
#ifndef POSTERN_DAEMON_RELAY_MATCH_H
#define POSTERN_DAEMON_RELAY_MATCH_H

#include "daemon/flow/origin.h"
#include "daemon/relay/flow.h"

/* Identifies the new flow, decides, and sends it on: to a server, an answer, or its end. */
void match_flow(struct flow *flow, const struct origin *origin);
/* The same once more for one that waited in HAND, from what is known of it. */
void match_again(struct flow *flow);

#endif
