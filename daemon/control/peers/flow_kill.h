/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the order to end flows, on its way to the processes that have them. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_KILL_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_KILL_H

#include "lib/ipc/flow.h"

struct control;

/* Whose flows match, wherever they are: in a relay, in an smtp process or on the way between them.
 * Nobody waits for it. */
void flow_kill(struct control *control, struct ipc_kill *order);

#endif
