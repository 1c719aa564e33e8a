/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 6, hand over: a client whose flow is read at message level goes to the smtp process of
 * this place (lib/ipc/hand.h).
 *
 * A flow in HAND is either sent or waits. One that is sent is not watched any more and nothing is
 * done to it: it may be smtp's at any moment. TAKEN says that it is, and it is forgotten here,
 * without a record. The pair's end without TAKEN says that nobody has spoken to the client: then it
 * waits, as does one for which no process runs, or whose hand-over would be one too many on the
 * way. One that waits is watched, is decided anew before it is sent, as policy and sessions may
 * have changed, and has a deadline. Flows that are not handed over notice nothing of all this. */
#ifndef POSTERN_DAEMON_RELAY_HAND_H
#define POSTERN_DAEMON_RELAY_HAND_H

#include "daemon/base/channel.h"
#include "lib/ipc/hand.h"
#include "lib/record/ending.h"

struct flow;
struct relay;
struct session;

/* A flow waits so long for a process, and so long for its turn. */
#define HAND_PROCESS_MS 2000
#define HAND_TURN_MS    10000

struct hand {
	void (*again)(struct flow *flow);
	struct channel *pair;  /* NULL: no smtp process of this place runs */
	struct ipc_hand *hand; /* HAND_BYTES_MAX, the one at hand */
	struct flow *sent[HAND_IN_FLIGHT_MAX];
	unsigned nsent;
	struct flow *first, **last; /* they wait */
	struct loop_timer retry;    /* the kernel took no more descriptors */
};

/* again: decides about one that waits anew, and hands it over or not. 0 or -ENOMEM. */
int hand_init(struct relay *relay, void (*again)(struct flow *flow));
void hand_fini(struct relay *relay);
/* The smtp process of this place started. fd is taken over. */
void hand_on_pair(struct relay *relay, int fd);
/* Another policy is in force: those that wait may need no hand-over any more. */
void hand_follow_policy(struct relay *relay);

/* The flow is to be read at message level: sends it, or has it wait. session: borrowed; NULL: none.
 */
void hand_flow(struct flow *flow, const struct session *session);
void hand_on_deadline(struct flow *flow);
/* It is ended here; it waits. */
void hand_forget(struct flow *flow);
/* The same for one that was sent: the order follows it. */
void hand_kill(struct flow *flow, enum ending why);
/* This process ends: the flow was sent, and whoever takes it has it. */
void hand_leave(struct flow *flow);

#endif
