/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the question which MAC has an address, asked of the interfaces of one zone: what a neighbour
 * table says of another network's interface is no word about this zone's client. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_NEIGHBOUR_H
#define POSTERN_DAEMON_CONTROL_KERNEL_NEIGHBOUR_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#include <stddef.h>

struct control;

struct neighbour {
	struct mac mac; /* not set: no interface asked knows the address */
	char ifname[POLICY_IFNAME_SIZE];
	/* set: another interface knows it with another MAC, and nobody can say who is meant */
	struct mac other_mac;
	char other_ifname[POLICY_IFNAME_SIZE];
	bool failed; /* the keeper did not answer */
};

typedef void neighbour_done(void *context, const struct neighbour *found);

#define NEIGHBOUR_OF_ALL   (-1) /* every interface is asked */
#define NEIGHBOUR_OF_ZONES (-2) /* each where the address would be a client of a zone */

/* zone: its number in the running policy, or one of these. done is called once, perhaps before the
 * return. */
void neighbour_ask(struct control *control, ptrdiff_t zone, const struct addr *addr,
	neighbour_done *done, void *context);

#endif
