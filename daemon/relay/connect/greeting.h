/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 6, second half: the server's greeting is read to its last line before the client sees
 * a byte of it, so that a host that refuses can still be passed over. */
#ifndef POSTERN_DAEMON_RELAY_CONNECT_GREETING_H
#define POSTERN_DAEMON_RELAY_CONNECT_GREETING_H

#include "daemon/relay/flow.h"

void greeting_run(struct flow *flow);
void greeting_on_deadline(struct flow *flow);

#endif
