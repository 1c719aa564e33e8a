/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how many addresses some networks and ranges hold together, each counted once. */
#ifndef POSTERN_LIB_BASE_NET_WIDTH_H
#define POSTERN_LIB_BASE_NET_WIDTH_H

#include "lib/policy/policy.h"

struct width {
	struct range *v;
	size_t n, room;
	bool failed; /* out of memory */
};

/* MACs and names hold no addresses. */
void width_add(struct width *width, const struct policy_elem *elem);
void width_add_all(struct width *width, const struct policy_elems *elems);
/* More than a /8 of IPv4, or than a /19 of IPv6? Also where it could not be counted. Orders them.
 */
bool width_is_too_wide(struct width *width);
void width_fini(struct width *width);

#endif
