/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the passed connections, by their mark, and their ending: the mark becomes KILL, and our
 * table resets both sides at their next packet. */
#ifndef POSTERN_KERNEL_RULES_CONNTRACK_H
#define POSTERN_KERNEL_RULES_CONNTRACK_H

#include "kernel-rules/plan.h"

/* Marks the passed connections that come from an address of source and go to one of the ports
 * (nports 0: to any port). Other bits of the mark are kept. Returns how many were marked, or
 * -errno. Reads the connection table once: call it for a logout, not per packet. */
int conntrack_kill(
	uint32_t mask, const struct prefix *source, const uint16_t *ports, size_t nports);

/* Calls visit for every passed connection that is not over, with the seconds since its last packet.
 * 0 or -errno. Reads the whole connection table. */
typedef void conntrack_visit(void *context, const struct addr *source, uint32_t unused_s);
int conntrack_each_passed(uint32_t mask, conntrack_visit *visit, void *context);

#endif
