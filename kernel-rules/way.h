/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is asked of the machine about its ways, without privileges: which interface leads to an
 * address, and which is only a part of another. */
#ifndef POSTERN_KERNEL_RULES_WAY_H
#define POSTERN_KERNEL_RULES_WAY_H

#include "lib/base/addr.h"

struct netlink;

/* An interface over which an address is reached; 0: none, or the address is the machine's own. */
uint32_t way_find(struct netlink *nl, const struct addr *addr);

struct ways;

/* As the machine is now. NULL: it cannot be read. */
struct ways *ways_open(void);
void ways_close(struct ways *ways); /* NULL is allowed */
/* The interface to an address; NULL: none. Names are borrowed until ways_close(). */
const char *ways_to(struct ways *ways, const struct addr *addr);
/* That of the default route. */
const char *ways_uplink(struct ways *ways, enum addr_family family);
/* The bridge that some interface of this name, which may be a wildcard, is a port of; NULL: none.
 * *port: that interface. */
const char *ways_bridge(const struct ways *ways, const char *pattern, const char **port);

#endif
