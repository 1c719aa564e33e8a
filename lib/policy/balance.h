/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the turn among hosts of one preference: smooth weighted round robin. */
#ifndef POSTERN_LIB_POLICY_BALANCE_H
#define POSTERN_LIB_POLICY_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One host's place in the round. current belongs to balance_pick() and starts at 0. */
struct balance_item {
	uint32_t weight; /* at most 65535; 0: never picked */
	int64_t current;
	bool usable; /* asked anew at each pick */
};

/* Picks the next: over the sum of the weights of picks each usable item is picked as often as its
 * weight says, spread as evenly as can be. Index, or -1 when none is usable with a weight. */
ptrdiff_t balance_pick(struct balance_item *items, size_t n);

#endif
