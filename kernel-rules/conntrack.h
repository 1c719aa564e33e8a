/* Owns the ending of passed connections: their mark becomes KILL, and our table resets both sides
 * at their next packet. */
#ifndef POSTERN_CONNTRACK_H
#define POSTERN_CONNTRACK_H

#include "kernel-rules/plan.h"

/* Marks the passed connections that come from an address of source and go to one of the ports
 * (nports 0: to any port). Other bits of the mark are kept. Returns how many were marked, or
 * -errno. Reads the connection table once: call it for a logout, not per packet. */
int conntrack_kill(
	uint32_t mask, const struct prefix *source, const uint16_t *ports, size_t nports);

#endif
