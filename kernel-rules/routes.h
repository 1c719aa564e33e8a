/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the policy route: what brings steered packets to the relay's sockets.
 *
 * Three ip rules a family, whatever the interfaces, behind one another:
 *
 *	iif lo fwmark RELAY/MASK goto END
 *	fwmark RELAY/MASK lookup T
 *	END: nop
 *
 * and in table T `local default dev lo`. The first keeps the second from what the machine sends
 * itself, which may carry the mark, too. They stand in front of every other program's rule that
 * could take a steered packet, and follow when one is put in front of them, unless the plan names
 * their place. Ours are known by the plan's protocol number; nothing else is touched. */
#ifndef POSTERN_KERNEL_RULES_ROUTES_H
#define POSTERN_KERNEL_RULES_ROUTES_H

#include "kernel-rules/plan.h"

struct routes;

int routes_open(struct routes **routes);
/* Leaves the kernel as it is. NULL is allowed. */
void routes_close(struct routes *routes);
int routes_fd(const struct routes *routes);

/* Adds what is missing, moves what does not stand in front, removes what is too much. A bare plan
 * wants nothing, and one without zones nothing anew: flows of zones before it may still run. A
 * family that the machine does not have, or has switched off, is no error. 0 or the first -errno.
 */
int routes_apply(struct routes *routes, const struct plan *plan);
enum {
	ROUTES_HARMED =
		1,      /* another program took a rule or route of ours away, or events were lost */
	ROUTES_CHANGED, /* others' rules changed, and may stand in front now */
};
/* Call when the descriptor is readable. Above 0: routes_apply() puts it right. 0: nothing that
 * concerns us. -errno. */
int routes_read(struct routes *routes);

#define ROUTES_FAMILIES 2
/* How the rules of one family stood after the last apply. */
struct routes_standing {
	bool off;          /* the machine does not have the family */
	uint32_t priority; /* of the first of the three; 0: there are none */
	bool is_behind;    /* another's rule takes what we steer first: the one of this priority */
	uint32_t behind;
	bool contested; /* moving stopped for a minute: another program moves, too */
	bool moved;     /* by the last apply */
};
const struct routes_standing *routes_standing(const struct routes *routes, enum addr_family family);
/* Is it time for another try at a contested place? */
bool routes_are_due(const struct routes *routes);

/* An interface over which an address is reached; 0: none, or the address is the gateway's own. */
uint32_t routes_find_way(struct routes *routes, const struct addr *addr);
/* Removes all of ours. */
int routes_remove(struct routes *routes, const struct plan *plan);

#endif
