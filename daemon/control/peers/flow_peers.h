/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the processes with flows as control sees them, the relays: the picture each one gets,
 * deltas, their answers. What comes of a
 * policy in them is flow_policy.h's, what they say is flow_face.h's. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_PEERS_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_PEERS_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/record.h"
#include "lib/metrics/counter.h"

struct control;
struct flow_peers;

/* One of them. */
struct flow_peer {
	struct peer peer;   /* first */
	uint64_t prepared;  /* number of the policy it was last given */
	uint64_t committed; /* of the one it was last told to use */
	struct ipc_assembly assembly;
};

/* face: what is done with what they say (flow_face.h). on_left: one of them has left. */
struct flow_peers *flow_peers_new(struct control *control, const struct peer_face *face,
	void (*on_left)(struct control *control));
/* Calls on_left. */
void flow_peers_left(struct flow_peers *flow_peers);
/* Hears what the relays have said, then hangs up: questions end, and what is sent goes nowhere. */
void flow_peers_close(struct flow_peers *flow_peers);
void flow_peers_free(struct flow_peers *flow_peers);
/* A process without flows that control has more to say to than to all: its peer, which lives as
 * long as the peers are used. Whoever has it hangs up. No peers, as memory had run out, is allowed.
 */
void flow_peers_put(struct flow_peers *flow_peers, struct peer *peer);
/* The process of this role and number, whether it runs or not. NULL: there can be none, or another
 * role has the number still. */
struct peer *flow_peers_find(
	struct flow_peers *flow_peers, enum process_role role, uint32_t number);
/* Each that runs, whatever its role, one after the other: start with *at 0. NULL: no more. */
struct peer *flow_peers_next(struct flow_peers *flow_peers, unsigned *at);
/* The same, those with flows alone. */
struct flow_peer *flow_peers_next_flow(struct flow_peers *flow_peers, unsigned *at);
/* Those of this role that take new flows. */
size_t flow_peers_count(const struct flow_peers *flow_peers, enum process_role role);
/* Is any relay connected, also one that drains? */
bool flow_peers_any(const struct flow_peers *flow_peers);
/* The relays of versions before, one after the other: start with *at 0. False: no more. */
struct flow_peers_draining {
	uint32_t relay;
	uint64_t flows;
	const char *version; /* borrowed */
};
bool flow_peers_next_draining(
	const struct flow_peers *flow_peers, unsigned *at, struct flow_peers_draining *draining);

/* Deltas, to every relay. */
void flow_peers_send(struct flow_peers *flow_peers, const void *ipc);
/* To every process, whatever its role. */
void flow_peers_send_all(struct flow_peers *flow_peers, const void *ipc);
void flow_peers_send_to(struct flow_peers *flow_peers, enum process_role role, const void *ipc);
/* Questions to every relay; their replies are parts of the gather. */
void flow_peers_gather(struct flow_peers *flow_peers, struct gather *gather, void *ipc);
void flow_peers_gather_from(
	struct flow_peers *flow_peers, enum process_role role, struct gather *gather, void *ipc);

/* A question to one of this role, which all could answer; fd, if not -1, is duplicated. False: none
 * runs, and nothing was asked. */
bool flow_peers_ask(struct flow_peers *flow_peers, enum process_role role, struct question *ask,
	void *ipc, int fd);

/* Sum over all processes, the dead ones included. */
void flow_peers_sum_counters(struct flow_peers *flow_peers, uint64_t sum[static COUNTERS]);
void flow_peers_sum_histograms(
	const struct flow_peers *flow_peers, struct histogram sum[static HISTOGRAMS]);

#endif
