/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the lookup of an address or MAC in many networks: longest prefix, never a scan. */
#ifndef POSTERN_LIB_BASE_NET_LPM_H
#define POSTERN_LIB_BASE_NET_LPM_H

#include "lib/base/addr.h"

struct lpm;

struct lpm *lpm_new(void);
void lpm_free(struct lpm *lpm);
/* Adds or replaces the value of a prefix or MAC. 0 or -ENOMEM. value is the caller's, not NULL. */
int lpm_add(struct lpm *lpm, const struct prefix *prefix, void *value);
int lpm_add_mac(struct lpm *lpm, const struct mac *mac, void *value);
/* Returns the removed value or NULL. */
void *lpm_del(struct lpm *lpm, const struct prefix *prefix);
void *lpm_del_mac(struct lpm *lpm, const struct mac *mac);
/* The value of the longest prefix that holds addr; matched may be NULL. NULL: none. */
void *lpm_find(const struct lpm *lpm, const struct addr *addr, struct prefix *matched);
/* The values of all prefixes that hold addr, the shortest first. How many. */
#define LPM_DEPTH 129 /* prefixes of one address: lengths 0 to 128 */
unsigned lpm_find_all(
	const struct lpm *lpm, const struct addr *addr, void *values[static LPM_DEPTH]);
void *lpm_find_exact(const struct lpm *lpm, const struct prefix *prefix);
void *lpm_find_mac(const struct lpm *lpm, const struct mac *mac);
size_t lpm_count(const struct lpm *lpm);
bool lpm_has_macs(const struct lpm *lpm);
/* In order; stops when visit returns non-zero and returns that. Exactly one of prefix, mac set. */
int lpm_each(const struct lpm *lpm,
	int (*visit)(
		void *context, const struct prefix *prefix, const struct mac *mac, void *value),
	void *context);

#endif
