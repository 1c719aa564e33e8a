/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the connections that no process of ours carries (passed ones, and those of paths in the
 * kernel), by their mark, and their ending: the mark becomes KILL, and our table resets both sides
 * at their next packet. */
#ifndef POSTERN_KERNEL_RULES_CONNTRACK_H
#define POSTERN_KERNEL_RULES_CONNTRACK_H

#include "kernel-rules/plan.h"

/* Marks the passed connections that come from an address of source and went to one of the ports
 * (nports 0: to any port). Other bits of the mark are kept. Returns how many were marked, or
 * -errno. Those of a path are conntrack_kill_flows()'s: an address does not say whose they are.
 * Reads the connection table: call it for a logout, not per packet. */
int conntrack_kill(
	uint32_t mask, const struct prefix *source, const uint16_t *ports, size_t nports);

/* Calls visit for every passed connection that is not over, with the seconds since its last packet.
 * 0 or -errno. Reads the whole connection table. */
typedef void conntrack_visit(void *context, const struct addr *source, uint32_t unused_s);
int conntrack_each_passed(uint32_t mask, conntrack_visit *visit, void *context);

/* A TCP connection as its opener has it. */
struct conntrack_tuple {
	struct endpoint source, destination;
};

/* One connection as the kernel tells it, for conntrack_message_parse(); len 0: there is none. */
typedef void conntrack_on_raw(void *context, size_t index, const void *bytes, size_t len);
/* Asks for each connection by itself; index is the tuple's. 0 or -errno. */
int conntrack_get(
	const struct conntrack_tuple *tuples, size_t n, conntrack_on_raw *on_raw, void *context);
/* All connections with the mark, those that are over included; index is 0. The kernel picks them,
 * and walks its whole table for that. 0 or -errno. */
int conntrack_dump(uint32_t mask, enum mark mark, conntrack_on_raw *on_raw, void *context);
/* Marks these connections, if they have the mark KERNEL still. Returns how many were marked, or
 * -errno. */
int conntrack_kill_flows(uint32_t mask, const struct conntrack_tuple *tuples, size_t n);

#endif
