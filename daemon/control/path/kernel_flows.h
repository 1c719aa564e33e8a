/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the table of the flows that the kernel carries alone: each once, found by its id, by its
 * ends, by its client's end alone and by its session, and when the kernel is to be asked of it
 * next.
 *
 * | state  | it holds                          | what moves it on                               |
 * |--------|-----------------------------------|------------------------------------------------|
 * | LIVE   | as far as is known, it goes on    | a FIN or RST: CLOSING. An order: CUT           |
 * | CLOSING| the kernel is asked soon          | it is over there: it goes. An order: CUT       |
 * | CUT    | the keeper is told to end it      | the keeper's answer: it goes                   |
 */
#ifndef POSTERN_DAEMON_CONTROL_PATH_KERNEL_FLOWS_H
#define POSTERN_DAEMON_CONTROL_PATH_KERNEL_FLOWS_H

#include "kernel-rules/conntrack_message.h"
#include "lib/base/hash.h"
#include "lib/base/heap.h"
#include "lib/ipc/kernel.h"
#include "lib/policy/policy.h"
#include "lib/record/ending.h"

#define KERNEL_FLOWS_MAX 200000

enum kernel_flow_state {
	KERNEL_FLOW_LIVE,
	KERNEL_FLOW_CLOSING,
	KERNEL_FLOW_CUT,
};

/* What the log says of a first packet, that a decision needs. */
struct kernel_flow_opening {
	uint32_t ifindex, mark;
	struct mac mac;
};

struct kernel_flow {
	/* the table's own */
	struct hash_link by_id, by_tuple;
	struct kernel_flow *client_next, **client_back;
	struct kernel_flow *session_next, **session_back;
	struct kernel_flow *next, **back; /* of those that are to be cut */
	struct heap_item look;            /* at: when the kernel is asked of it, monotonic */
	enum kernel_flow_state state;

	uint64_t id, session;
	struct ipc_tuple tuple;
	uint64_t start_ms; /* wall clock */
	bool late;         /* its beginning was not seen: start_ms is when it was met */
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
	struct policy *policy; /* that it was decided by, and whose members these are; owned */
	ptrdiff_t zone, rule, server; /* -1: none */
	enum policy_source source;
	enum ending ending; /* as far as the log tells; of a CUT one the order's */
	uint32_t looks;     /* how often the kernel was asked, which grows rarer */
	uint64_t asked;     /* by which dump it was met last */
	bool known; /* what follows is what the kernel said last; else who answered, if any */
	struct conntrack_one last;
	bool opened_again; /* a first packet came though it had not ended, as far as known */
	struct kernel_flow_opening again;
	char user[POLICY_USER_SIZE];
};

struct kernel_flows;

/* most: how many there may be. NULL: out of memory. */
struct kernel_flows *kernel_flows_new(size_t most);
void kernel_flows_free(struct kernel_flows *flows); /* NULL is allowed */
size_t kernel_flows_count(const struct kernel_flows *flows);

/* A new one: id, tuple and session are set for good, the rest is the caller's to fill in. NULL:
 * the table is full, or no memory is left. */
struct kernel_flow *kernel_flows_add(
	struct kernel_flows *flows, uint64_t id, const struct ipc_tuple *tuple, uint64_t session);
void kernel_flows_del(struct kernel_flows *flows, struct kernel_flow *flow);

struct kernel_flow *kernel_flows_find(const struct kernel_flows *flows, uint64_t id);
struct kernel_flow *kernel_flows_find_tuple(
	const struct kernel_flows *flows, const struct ipc_tuple *tuple);
/* Those of this end of a client, one after the other: start with NULL. NULL: no more. */
struct kernel_flow *kernel_flows_of_client(const struct kernel_flows *flows,
	const struct endpoint *client, const struct kernel_flow *before);
/* Those of no session that come from that address; as before. */
struct kernel_flow *kernel_flows_of_address(const struct kernel_flows *flows,
	const struct addr *addr, const struct kernel_flow *before);
/* Those of a session, which is not 0; the next may be taken before this one goes. */
struct kernel_flow *kernel_flows_of_session(
	const struct kernel_flows *flows, uint64_t session, const struct kernel_flow *before);
/* Each; the one at hand may go meanwhile, and none may come. */
struct kernel_flow *kernel_flows_step(const struct kernel_flows *flows, struct hash_walk *walk);

/* The only writers of a flow's state. */
void kernel_flows_close(struct kernel_flow *flow, enum ending ending);
/* false: it is told to end already, and for that reason. */
bool kernel_flows_cut(struct kernel_flows *flows, struct kernel_flow *flow, enum ending ending);
/* The oldest that waits to be cut, which waits no longer; NULL: none does. */
struct kernel_flow *kernel_flows_take_cut(struct kernel_flows *flows);
bool kernel_flows_any_cut(const struct kernel_flows *flows);

/* When the kernel is asked of it; 0, and without memory: not by itself. */
void kernel_flows_look_at(struct kernel_flows *flows, struct kernel_flow *flow, uint64_t at_ms);
/* The next, without taking it out; NULL: none. */
struct kernel_flow *kernel_flows_next_look(const struct kernel_flows *flows);

#endif
