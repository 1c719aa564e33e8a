/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the question to the neighbour table: which MAC has this address, and which addresses has a
 * MAC? */
#ifndef POSTERN_KERNEL_RULES_NEIGHBOUR_H
#define POSTERN_KERNEL_RULES_NEIGHBOUR_H

#include "lib/base/addr.h"

/* On one interface; on others anybody may have taken the address. Nothing is sent to the network.
 * 0, -ENOENT (not known, or without a MAC) or -errno. */
int neighbour_find(uint32_t ifindex, const struct addr *addr, struct mac *mac);
/* The addresses of both families that have the MAC now, on any interface; the first `room` of them
 * are put into v. How many there are, or -errno. */
int neighbour_addresses(const struct mac *mac, struct addr *v, size_t room);

#endif
