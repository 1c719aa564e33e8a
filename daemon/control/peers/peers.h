/* Owns the processes with flows as control sees them, the relays: the picture each one gets,
 * deltas, their answers. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_PEERS_H
#define POSTERN_DAEMON_CONTROL_PEERS_PEERS_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/flow.h"
#include "lib/metrics/counter.h"
#include "lib/policy/session.h"

#include <limits.h>

struct control;
struct peers;

struct peers *peers_new(struct control *control);
/* Hears what the relays have said, then hangs up: questions end, and what is sent goes nowhere. */
void peers_close(struct peers *peers);
void peers_free(struct peers *peers);
/* A process without flows that control has more to say to than to all: its peer, which lives as
 * long as the peers are used. Whoever has it hangs up. No peers, as memory had run out, is allowed.
 */
void peers_put(struct peers *peers, struct peer *peer);
/* The process of this role and number, whether it runs or not. NULL: there can be none, or another
 * role has the number still. */
struct peer *peers_find(struct peers *peers, enum process_role role, uint32_t number);
/* Each that runs, whatever its role, one after the other: start with *at 0. NULL: no more. */
struct peer *peers_next(struct peers *peers, unsigned *at);
/* Those of this role that take new flows. */
size_t peers_count(const struct peers *peers, enum process_role role);
/* Is any relay connected, also one that drains? */
bool peers_any(const struct peers *peers);
/* The relays of versions before, one after the other: start with *at 0. False: no more. */
struct peers_draining {
	uint32_t relay;
	uint64_t flows;
	const char *version; /* borrowed */
};
bool peers_next_draining(const struct peers *peers, unsigned *at, struct peers_draining *draining);

/* Deltas, to every relay. */
void peers_send(struct peers *peers, const void *ipc);
/* To every process, whatever its role. */
void peers_send_all(struct peers *peers, const void *ipc);
void peers_send_session(struct peers *peers, const struct session *session);
void peers_send_session_gone(struct peers *peers, uint64_t id);
void peers_send_to(struct peers *peers, enum process_role role, const void *ipc);
/* Questions to every relay; their replies are parts of the gather. */
void peers_gather(struct peers *peers, struct gather *gather, void *ipc);
void peers_gather_from(
	struct peers *peers, enum process_role role, struct gather *gather, void *ipc);

/* A question to one of them, which all could answer. False: none runs, and nothing was asked. */
bool peers_ask(struct peers *peers, struct ask *ask, void *ipc);

/* A policy's way into the processes: prepare everywhere, then commit or abort. text is the resolved
 * canonical text; lenient: what is missing of certificates and secrets is no reason to refuse it.
 * Those that are held (credentials.h) go in front of it. One that starts in between catches up at
 * the commit. Those of some roles (1 << role each) can commit before it is the running policy, and
 * then do not once more. */
#define PEERS_ALL UINT_MAX
void peers_prepare(struct peers *peers, uint64_t number, bool lenient, const char *text, size_t len,
	struct gather *gather);
void peers_commit(
	struct peers *peers, unsigned roles_meant, uint64_t number, struct gather *gather);
void peers_abort(struct peers *peers, uint64_t number);

/* Rows of all relays' live flows, then done() once; or, where on_load is set, rows of how many are
 * at each host, to be added up. */
struct peers_flows {
	struct gather gather;
	void (*on_flow)(struct peers_flows *flows, const struct ipc_flow *flow);
	void (*on_load)(struct peers_flows *flows, const struct ipc_load *load);
	void (*done)(struct peers_flows *flows);
	void *context;
};
void peers_ask_flows(struct peers *peers, struct peers_flows *flows);

/* Sum over all processes, the dead ones included. */
void peers_sum_counters(struct peers *peers, uint64_t sum[static COUNTERS]);
void peers_sum_histograms(const struct peers *peers, struct histogram sum[static HISTOGRAMS]);

#endif
