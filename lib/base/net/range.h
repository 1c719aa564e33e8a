/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a range of addresses is, its text, and the networks that it falls into. */
#ifndef POSTERN_LIB_BASE_NET_RANGE_H
#define POSTERN_LIB_BASE_NET_RANGE_H

#include "lib/base/addr.h"

/* Both of one family, first not above last; both belong to it. */
struct range {
	struct addr first, last;
};

#define RANGE_TEXT_SIZE (2 * ADDR_TEXT_SIZE) /* with NUL */
#define RANGE_PARTS_MAX 254                  /* networks: all but two of 128 lengths twice */

/* "192.0.2.10-192.0.2.20". 0; -EINVAL: no such text; -ERANGE: of two families, or it ends before it
 * begins. */
int range_parse(const char *text, size_t len, struct range *range);
const char *range_format(const struct range *range, char buf[static RANGE_TEXT_SIZE]);
bool range_is_good(const struct range *range);
bool range_contains(const struct range *range, const struct addr *addr);
struct range range_of(const struct prefix *prefix);
/* The fewest networks that hold its addresses and no other, in order. Returns how many. */
unsigned range_split(const struct range *range, struct prefix parts[static RANGE_PARTS_MAX]);

#endif
