/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 7, relay: both directions of a flow, until both ended, one broke, or nothing moved
 * for too long. */
#ifndef POSTERN_DAEMON_RELAY_CARRY_CARRY_H
#define POSTERN_DAEMON_RELAY_CARRY_CARRY_H

#include "daemon/relay/flow.h"

/* A flow that lives so long gets keepalive on its server's side; most flows end long before. (The
 * client's side has it from the listener.) */
#define CARRY_SETTLED_MS 60000

void carry_run(struct flow *flow);
void carry_on_deadline(struct flow *flow, uint64_t now_ms);
/* A peer that vanishes is found out within minutes: sets keepalive and user timeout. */
void carry_keep_alive(int fd);

#endif
