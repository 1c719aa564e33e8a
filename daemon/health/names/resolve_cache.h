/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the names that are wanted and what DNS last said of each: asked once for all who want them,
 * asked again before the answer's time is over, and held over while DNS is down. */
#ifndef POSTERN_DAEMON_HEALTH_NAMES_RESOLVE_CACHE_H
#define POSTERN_DAEMON_HEALTH_NAMES_RESOLVE_CACHE_H

#include "daemon/base/loop.h"
#include "lib/policy/target.h"

struct resolve_cache;

/* An answer's time is held within these, so that it neither floods DNS nor outlives a change. */
#define RESOLVE_TTL_FLOOR_S    5
#define RESOLVE_TTL_CEILING_S  3600
#define RESOLVE_NEGATIVE_S     30  /* without an SOA record */
#define RESOLVE_NEGATIVE_MAX_S 300 /* a name that was missing is soon seen */

/* on_change: something that somebody wanted was learned; not called from within a call of ours but
 * resolve_cache_run(). 0 or -errno. */
int resolve_cache_open(struct loop *loop, uint64_t *counters, void (*on_change)(void *context),
	void *context, struct resolve_cache **out);
void resolve_cache_close(struct resolve_cache *cache);

/* What is known of a name; makes it wanted. */
void resolve_cache_addresses(
	struct resolve_cache *cache, const char *name, struct target_addresses *found);
void resolve_cache_mx(struct resolve_cache *cache, const char *domain, struct target_mx *found);

/* From here on wanted names are marked; the sweep drops all that were not. */
void resolve_cache_begin(struct resolve_cache *cache);
void resolve_cache_sweep(struct resolve_cache *cache);
/* Asks what is due. After the batch of events, and after a sweep. */
void resolve_cache_run(struct resolve_cache *cache);

/* What another process learned before: held over as a stale answer until DNS has answered. Names
 * that are known already stay. */
void resolve_cache_seed_addresses(
	struct resolve_cache *cache, const char *name, const struct addr *addresses, size_t n);
void resolve_cache_seed_mx(
	struct resolve_cache *cache, const char *domain, const struct dns_mx *records, size_t n);
/* A name of the hosts file: never asked, never stale. */
void resolve_cache_fix(struct resolve_cache *cache, const char *name, const struct addr *address);

#endif
