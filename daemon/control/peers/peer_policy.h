/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a process without flows gets the running policy: it is not asked whether it could, and
 * what it lacks of certificates and secrets it goes without. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_PEER_POLICY_H
#define POSTERN_DAEMON_CONTROL_PEERS_PEER_POLICY_H

#include "daemon/control/peers/peer.h"

/* With the credentials that its role is told of, in force at once. Nothing without a policy. */
void peer_policy_send(struct peer *peer);

#endif
