/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the health process as control sees it: the policy that it gets, and the targets of each
 * server that it tells, which are kept, passed on to the relays and handed to its successor. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_HEALTH_HEALTH_PEER_H
#define POSTERN_DAEMON_CONTROL_PEERS_HEALTH_HEALTH_PEER_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/replica.h"

struct control;
struct health_peer;
struct ipc_host_tls;

/* Embedded by who waits for what health tells. */
struct health_watch {
	struct health_watch *next;
	/* It told a server's targets. May end the watch. */
	void (*on_told)(struct health_watch *watch);
	/* It will tell nothing more. Ends the watch. */
	void (*on_given_up)(struct health_watch *watch);
};

/* What others of control make of targets. */
struct health_face {
	/* May the relays hear of these now, or does the kernel have to know their addresses first?
	 * Then health_peer_tell_bound() follows, with the peer. */
	bool (*may_pass)(struct control *control, const struct ipc_targets *targets);
	/* What is known of those of this server (index) has changed. */
	void (*on_targets)(struct control *control, size_t server);
};

/* Behind control's peers. NULL: out of memory. */
struct health_peer *health_peer_new(struct control *control, const struct health_face *face);
void health_peer_tell_bound(void *context);
/* Hangs up: who waits for what it tells is told that it does not. */
void health_peer_close(struct health_peer *peer);
void health_peer_free(struct health_peer *peer);
/* Another policy is in force. */
void health_peer_follow(struct health_peer *peer);
/* A relay's word on a host, and other ipcs that health takes. */
void health_peer_send(struct health_peer *peer, const void *ipc);

/* A question; without a health process it is answered by NULL at once. */
void health_peer_ask(struct health_peer *peer, struct question *ask, void *ipc);

/* The targets of the policy's server of that index, as health told them or, while it has not under
 * the policy in force, as far as they are known (replica_targets.h); borrowed until the next call.
 * NULL: out of memory. */
const struct ipc_targets *health_peer_targets(struct health_peer *peer, size_t server);
/* What health saw of TLS at one address of such a target; NULL: nothing, under this policy. */
const struct ipc_host_tls *health_peer_tls(struct health_peer *peer, size_t server,
	const struct ipc_target *target, const struct addr *addr);
/* May a flow of such a client that is read be sent to a host of that server? As
 * replica_targets_serve() says it to the flow itself. -1: the original. */
bool health_peer_serves(
	struct health_peer *peer, ptrdiff_t server, enum addr_family client, uint8_t *offers);
/* The policy's server that has a host at this address. -ENOENT: none; -EAGAIN: some name is not
 * looked up yet, so it cannot be known. */
ptrdiff_t health_peer_find_server(struct health_peer *peer, const struct addr *addr);
/* Has health spoken of that server under the policy in force? */
bool health_peer_is_told(struct health_peer *peer, size_t server);
/* From now on on_told() follows whatever health tells. */
void health_peer_watch(struct health_peer *peer, struct health_watch *watch);
/* One that is not watching is allowed. */
void health_peer_unwatch(struct health_peer *peer, struct health_watch *watch);
/* What is known of them, and what is drained, to a process that sends flows there. */
void health_peer_tell(struct health_peer *peer, struct channel *to);
/* What is drained of a server has changed: the relays hear of it. */
void health_peer_drained(struct health_peer *peer, const char *server);

#endif
