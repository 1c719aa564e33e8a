/* Owns the question to the neighbour table: which MAC has this address? */
#ifndef POSTERN_NEIGHBOUR_H
#define POSTERN_NEIGHBOUR_H

#include "lib/addr.h"

/* On one interface; on others anybody may have taken the address. Nothing is sent to the network.
 * 0, -ENOENT (not known, or without a MAC) or -errno. */
int neighbour_find(uint32_t ifindex, const struct addr *addr, struct mac *mac);

#endif
