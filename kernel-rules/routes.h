/* Owns the policy route: what brings steered packets to the relay's sockets.
 *
 * For each interface of a zone, and each towards a host of a server with `bind client`, and each
 * family `ip rule iif IF fwmark RELAY/MASK lookup T`, and in
 * table T `local default dev lo`. The iif keeps the rule from the relay's own answers. Ours are
 * known by the plan's protocol number; nothing else is touched. */
#ifndef POSTERN_ROUTES_H
#define POSTERN_ROUTES_H

#include "kernel-rules/links.h"
#include "kernel-rules/plan.h"

struct routes;

int routes_open(struct routes **routes);
/* Leaves the kernel as it is. NULL is allowed. */
void routes_close(struct routes *routes);
int routes_fd(const struct routes *routes);

/* Adds what is missing and removes what is too much. Call it with every new plan and at every
 * change of links. A bare plan wants nothing. 0 or the first -errno. */
int routes_apply(struct routes *routes, const struct plan *plan, const struct links *links);
enum {
	ROUTES_HARMED =
		1,    /* another program touched rules or routes of ours, or events were lost */
	ROUTES_MOVED, /* the way to a host of `bind client` may be another one now */
};
/* Call when the descriptor is readable. Above 0: routes_apply() puts it right. 0: nothing that
 * concerns us. -errno. */
int routes_read(struct routes *routes);
/* An interface over which an address is reached; 0: none, or the address is the gateway's own. */
uint32_t routes_find_way(struct routes *routes, const struct addr *addr);
/* Removes all of ours. */
int routes_remove(struct routes *routes, const struct plan *plan);

#endif
