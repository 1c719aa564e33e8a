/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/names/host_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_names_fini(struct host_names *names)
{
	free(names->v);
	*names = (struct host_names){0};
}

static size_t find(const struct host_names *names, const char *name)
{
	size_t i = 0;

	while (i < names->n && !dns_same_name(names->v[i].told.name, name))
		i++;
	return i;
}

void host_names_ask(struct host_names *names, const struct ipc_resolve *ipc)
{
	struct host_name asked = {.owed = true};
	size_t at = find(names, ipc->name);

	if (!names->v && !(names->v = calloc(HOST_NAMES_MAX, sizeof(*names->v))))
		return;
	if (at < names->n)
		asked.told = names->v[at].told;
	else
		ipc_init(&asked.told, IPC_RESOLVED, sizeof(asked.told));
	snprintf(asked.told.name, sizeof(asked.told.name), "%s", ipc->name);
	if (at == names->n && names->n == HOST_NAMES_MAX)
		at = 0;
	if (at < names->n)
		memmove(names->v + at, names->v + at + 1, (--names->n - at) * sizeof(*names->v));
	names->v[names->n] = asked;
	names->v[names->n++].owed = true;
}

static enum dns_status status_of(const struct target_addresses *found)
{
	switch (found->known) {
	case TARGET_NO_NAME:
		return DNS_NO_NAME;
	case TARGET_FAILED:
		return found->why;
	case TARGET_PENDING:
	case TARGET_GOOD:
	case TARGET_NO_DATA:
		break;
	}
	return DNS_NO_DATA;
}

/* As many of each family as there is room for, if one has too many. */
static void write_addresses(const struct target_addresses *found, struct ipc_resolved *ipc)
{
	memset(ipc->addresses, 0, sizeof(ipc->addresses));
	ipc->n = 0;
	for (size_t i = 0; i < found->n && ipc->n < RESOLVED_MAX; i++)
		ipc->addresses[ipc->n++] = found->v[i];
	ipc->status = ipc->n > 0 ? DNS_GOOD : status_of(found);
}

void host_names_tell(struct host_names *names, struct resolve_cache *cache,
	void (*send)(void *context, const void *ipc), void *context)
{
	struct target_addresses found;

	for (size_t i = 0; i < names->n; i++) {
		struct host_name *name = &names->v[i];
		struct ipc_resolved now = name->told;
		resolve_cache_addresses(cache, now.name, &found);
		if (found.known == TARGET_PENDING)
			continue;
		write_addresses(&found, &now);
		if (!name->owed && memcmp(&now, &name->told, sizeof(now)) == 0)
			continue;
		name->told = now;
		name->owed = false;
		send(context, &now);
	}
}
