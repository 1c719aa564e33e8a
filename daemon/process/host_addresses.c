/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/host_addresses.h"

#include "daemon/process/child.h"
#include "lib/base/vector.h"
#include "lib/ipc/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A policy has far fewer: those that none names any more are pushed out. */
#define HOSTS_MAX 256

static struct ipc_resolved *find(struct host_addresses *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->n; i++)
		if (dns_same_name(hosts->v[i].name, name))
			return &hosts->v[i];
	return NULL;
}

static void ask(struct child *child, const char *name)
{
	struct ipc_resolve ipc;

	ipc_init(&ipc, IPC_RESOLVE, sizeof(ipc));
	snprintf(ipc.name, sizeof(ipc.name), "%s", name);
	child_send(child, &ipc);
}

const struct ipc_resolved *host_addresses_find(
	struct host_addresses *hosts, struct child *child, const char *name, struct host_wait *wait)
{
	const struct ipc_resolved *known = find(hosts, name);

	ask(child, name);
	if (known)
		return known;
	host_addresses_give_up(hosts, wait);
	wait->name = name;
	wait->next = hosts->waiting;
	hosts->waiting = wait;
	return NULL;
}

void host_addresses_give_up(struct host_addresses *hosts, struct host_wait *wait)
{
	struct host_wait **at = &hosts->waiting;

	while (*at && *at != wait)
		at = &(*at)->next;
	if (*at)
		*at = wait->next;
	wait->name = NULL;
}

void host_addresses_prefer(struct host_addresses *hosts, const char *name, const struct addr *addr)
{
	struct ipc_resolved *known = find(hosts, name);

	for (size_t i = 1; known && i < known->n; i++)
		if (addr_equal(&known->addresses[i], addr)) {
			memmove(known->addresses + 1, known->addresses,
				i * sizeof(known->addresses[0]));
			known->addresses[0] = *addr;
		}
}

const struct ipc_resolved *host_addresses_known(struct host_addresses *hosts, const char *name)
{
	return find(hosts, name);
}

static struct ipc_resolved *add(struct host_addresses *hosts)
{
	if (hosts->n == HOSTS_MAX) {
		memmove(hosts->v, hosts->v + 1, (HOSTS_MAX - 1) * sizeof(*hosts->v));
		return &hosts->v[HOSTS_MAX - 1];
	}
	struct ipc_resolved *v = vector_grow(hosts->v, hosts->n, &hosts->room, sizeof(*v));
	if (!v)
		return NULL;
	hosts->v = v;
	return &hosts->v[hosts->n++];
}

static struct host_wait *waiting_for(const struct host_addresses *hosts, const char *name)
{
	struct host_wait *wait = hosts->waiting;

	while (wait && !dns_same_name(wait->name, name))
		wait = wait->next;
	return wait;
}

void host_addresses_take(struct host_addresses *hosts, const struct ipc_resolved *ipc)
{
	struct ipc_resolved *known = find(hosts, ipc->name);
	struct host_wait *wait;

	if (!known)
		known = add(hosts);
	if (!known)
		return;
	*known = *ipc;
	while ((wait = waiting_for(hosts, ipc->name))) {
		host_addresses_give_up(hosts, wait);
		wait->on_host(wait);
	}
}

void host_addresses_fini(struct host_addresses *hosts)
{
	free(hosts->v);
	*hosts = (struct host_addresses){0};
}
