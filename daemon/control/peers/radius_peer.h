/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the process that takes accounting packets as control sees it: the policy and the secrets
 * that it gets, what it tells, and what came of it. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_RADIUS_PEER_H
#define POSTERN_DAEMON_CONTROL_PEERS_RADIUS_PEER_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/radius.h"

struct control;
struct radius_peer;

#define RADIUS_SENDERS_MAX 1024

/* Behind control's peers. NULL: out of memory. */
struct radius_peer *radius_peer_new(struct control *control);
/* Hangs up. */
void radius_peer_close(struct radius_peer *peer);
void radius_peer_free(struct radius_peer *peer);
/* Another policy is in force. */
void radius_peer_follow(struct radius_peer *peer);
/* As the process told last of the radius of this name; NULL: it told nothing. */
const struct ipc_radius_state *radius_peer_state(const struct radius_peer *peer, const char *name);
/* What all processes counted of it: it only grows. False: nothing was told. */
bool radius_peer_counts(
	const struct radius_peer *peer, const char *name, struct radius_counts *counts);
/* Those that were heard of, of all radiuses. */
const struct ipc_radius_sender *radius_peer_senders(const struct radius_peer *peer, size_t *n);

#endif
