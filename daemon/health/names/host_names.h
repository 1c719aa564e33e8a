/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the names of hosts that are no server's: whoever asked for one is told its addresses, and
 * again whenever they change. */
#ifndef POSTERN_DAEMON_HEALTH_NAMES_HOST_NAMES_H
#define POSTERN_DAEMON_HEALTH_NAMES_HOST_NAMES_H

#include "daemon/health/names/resolve_cache.h"
#include "lib/ipc/health.h"

/* A policy has far fewer. More push out the one that was not asked for the longest time. */
#define HOST_NAMES_MAX 128

struct host_name {
	struct ipc_resolved told;
	bool owed; /* an answer, whatever was told before */
};

/* Begins as {0}. */
struct host_names {
	struct host_name *v; /* the one that was asked for last at the end */
	size_t n;
};

void host_names_fini(struct host_names *names);
void host_names_ask(struct host_names *names, const struct ipc_resolve *ipc);
/* Looks them up, which makes them wanted, and sends what is owed and what changed. */
void host_names_tell(struct host_names *names, struct resolve_cache *cache,
	void (*send)(void *context, const void *ipc), void *context);

#endif
