/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what another health process told before this one took its place, until it is used. */
#ifndef POSTERN_DAEMON_HEALTH_SEEDS_H
#define POSTERN_DAEMON_HEALTH_SEEDS_H

#include "lib/ipc/replica.h"
#include "lib/policy/target.h"

struct policy;
struct resolve_cache;
struct watched_target;

struct seeds {
	struct ipc_targets *v[TARGETS_MAX];
	size_t n;
};

/* True: it is kept until it is used. Where the names in it lead is known to the cache from here
 * on. */
bool seeds_take(struct seeds *seeds, struct resolve_cache *cache, const struct ipc_targets *ipc);
/* Tells the cache the MX records that they show, under the policy of that number. */
void seeds_use_records(const struct seeds *seeds, struct resolve_cache *cache,
	const struct policy *policy, uint64_t number);
/* Tells a server's hosts, a list, what was said of them. */
void seeds_use(const struct seeds *seeds, const char *server, struct watched_target *hosts);
void seeds_drop(struct seeds *seeds);

#endif
