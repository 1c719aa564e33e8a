/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the addresses of hosts that are known by name: health asks DNS for them and says so again
 * whenever they change. What was said last holds until then. */
#ifndef POSTERN_DAEMON_PROCESS_HOST_ADDRESSES_H
#define POSTERN_DAEMON_PROCESS_HOST_ADDRESSES_H

#include "lib/base/addr.h"

#include <stddef.h>

struct ipc_resolved;

struct child;

/* Embedded by whoever waits for a name's addresses. */
struct host_wait {
	struct host_wait *next;
	const char *name; /* borrowed while it waits; NULL: it does not */
	/* May give it up or wait again. */
	void (*on_host)(struct host_wait *wait);
};

struct host_addresses {
	struct ipc_resolved *v; /* one for each name */
	size_t n, room;
	struct host_wait *waiting;
};

/* What is known, borrowed until the next call; NULL: it is waited for. Asks in any case. */
const struct ipc_resolved *host_addresses_find(struct host_addresses *hosts, struct child *child,
	const char *name, struct host_wait *wait);
/* What was said of it, without asking; NULL: nothing. */
const struct ipc_resolved *host_addresses_known(struct host_addresses *hosts, const char *name);
/* One that does not wait is allowed. */
void host_addresses_give_up(struct host_addresses *hosts, struct host_wait *wait);
/* This one answered: it comes first from now on, so that one that is dead costs its time once. */
void host_addresses_prefer(struct host_addresses *hosts, const char *name, const struct addr *addr);
/* Others' names come, too. */
void host_addresses_take(struct host_addresses *hosts, const struct ipc_resolved *ipc);
void host_addresses_fini(struct host_addresses *hosts);

#endif
