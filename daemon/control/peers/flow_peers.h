/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the processes with flows as control sees them, the relays: the picture each one gets,
 * deltas, their answers. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_PEERS_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_PEERS_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/flow.h"
#include "lib/metrics/counter.h"
#include "lib/policy/session.h"

#include <limits.h>

struct control;
struct flow_peers;

/* on_left: one of them has left. */
struct flow_peers *flow_peers_new(
	struct control *control, void (*on_left)(struct control *control));
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
void flow_peers_send_session(struct flow_peers *flow_peers, const struct session *session);
void flow_peers_send_session_gone(struct flow_peers *flow_peers, uint64_t id);
void flow_peers_send_to(struct flow_peers *flow_peers, enum process_role role, const void *ipc);
/* Questions to every relay; their replies are parts of the gather. */
void flow_peers_gather(struct flow_peers *flow_peers, struct gather *gather, void *ipc);
void flow_peers_gather_from(
	struct flow_peers *flow_peers, enum process_role role, struct gather *gather, void *ipc);

/* A question to one of this role, which all could answer; fd, if not -1, is duplicated. False: none
 * runs, and nothing was asked. */
bool flow_peers_ask(struct flow_peers *flow_peers, enum process_role role, struct question *ask,
	void *ipc, int fd);

/* A policy's way into the processes: prepare everywhere, then commit or abort. text is the resolved
 * canonical text; lenient: what is missing of certificates and secrets is no reason to refuse it.
 * Those that are held (credentials.h) go in front of it. One that starts in between catches up at
 * the commit. Those of some roles (1 << role each) can commit before it is the running policy, and
 * then do not once more. */
#define FLOW_PEERS_ALL UINT_MAX
void flow_peers_prepare(struct flow_peers *flow_peers, uint64_t number, bool lenient,
	const char *text, size_t len, struct gather *gather);
void flow_peers_commit(struct flow_peers *flow_peers, unsigned roles_meant, uint64_t number,
	struct gather *gather);
void flow_peers_abort(struct flow_peers *flow_peers, uint64_t number);

/* Rows of all relays' live flows, then done() once; or, where on_load is set, rows of how many are
 * at each host, to be added up. */
struct flow_gather {
	struct gather gather;
	void (*on_flow)(struct flow_gather *flows, const struct ipc_flow *flow);
	void (*on_load)(struct flow_gather *flows, const struct ipc_load *load);
	void (*done)(struct flow_gather *flows);
	void *context;
};
void flow_peers_ask_flows(struct flow_peers *flow_peers, struct flow_gather *flows);

/* Sum over all processes, the dead ones included. */
void flow_peers_sum_counters(struct flow_peers *flow_peers, uint64_t sum[static COUNTERS]);
void flow_peers_sum_histograms(
	const struct flow_peers *flow_peers, struct histogram sum[static HISTOGRAMS]);

#endif
