/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the process that checks passwords as control sees it: the policy and the hosts that it gets,
 * and how each of its backends fares. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_AUTH_PEER_H
#define POSTERN_DAEMON_CONTROL_PEERS_AUTH_PEER_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/auth.h"

struct auth_peer;
struct control;

/* Behind control's peers. NULL: out of memory. */
struct auth_peer *auth_peer_new(struct control *control);
/* Hangs up: who waits for what it tells is told that it does not. */
void auth_peer_close(struct auth_peer *peer);
void auth_peer_free(struct auth_peer *peer);
/* Another policy is in force. */
void auth_peer_follow(struct auth_peer *peer);
/* How the backend of this name fares, as it told last; NULL: it told nothing. */
const struct ipc_auth_state *auth_peer_state(const struct auth_peer *peer, const char *name);
/* What all that had this name counted, while policies that have one were in force: it only grows.
 * False: nothing was told. */
bool auth_peer_counts(const struct auth_peer *peer, const char *name, struct auth_counts *counts);
/* Is that of the process which is or was there last? */
bool auth_peer_affirms(
	const struct auth_peer *peer, const struct affirmed *affirmed, const struct affirm *affirm);
/* A question; without that process it is answered by NULL at once. */
void auth_peer_ask(struct auth_peer *peer, struct question *ask, void *ipc);

#endif
