/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/seeds.h"

#include "daemon/health/names/resolve_cache.h"
#include "daemon/health/watched_target.h"
#include "lib/policy/policy.h"

#include <stdlib.h>
#include <string.h>

/* Names that the ipc shows; which of them came by MX, the policy will say. */
static void tell_addresses(struct resolve_cache *cache, const struct ipc_targets *ipc)
{
	for (uint32_t i = 0; i < ipc->n; i++) {
		const struct ipc_target *target = &ipc->v[i];
		struct addr addr;
		if (ipc_target_addresses(target) > 0 &&
			addr_parse(target->name, strlen(target->name), &addr) < 0)
			resolve_cache_seed_addresses(cache, target->name, target->addresses,
				ipc_target_addresses(target));
	}
}

bool seeds_take(struct seeds *seeds, struct resolve_cache *cache, const struct ipc_targets *ipc)
{
	struct ipc_targets *copy;

	tell_addresses(cache, ipc);
	if (seeds->n == TARGETS_MAX || !(copy = malloc(ipc->header.bytes)))
		return false;
	memcpy(copy, ipc, ipc->header.bytes);
	seeds->v[seeds->n++] = copy;
	return true;
}

/* The MX records that the names of one `mx` line came from. Where the domain itself stands on the
 * line, it had none. */
static void tell_line(struct resolve_cache *cache, const struct ipc_targets *seed, uint16_t line,
	const char *domain)
{
	static struct dns_mx records[TARGETS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < seed->n; i++) {
		const struct ipc_target *target = &seed->v[i];
		if (target->line != line || dns_same_name(target->name, domain))
			continue;
		records[n].preference = target->depth;
		memcpy(records[n++].name, target->name, sizeof(records[0].name));
	}
	if (n > 0)
		resolve_cache_seed_mx(cache, domain, records, n);
}

/* Only of the same policy: lines of another mean other hosts. */
void seeds_use_records(const struct seeds *seeds, struct resolve_cache *cache,
	const struct policy *policy, uint64_t number)
{
	for (size_t i = 0; i < seeds->n; i++) {
		const struct ipc_targets *seed = seeds->v[i];
		ptrdiff_t at = policy_find_server(policy, seed->server);
		if (at < 0 || seed->number != number)
			continue;
		const struct policy_server *server = &policy->servers[at];
		for (size_t j = 0; j < server->nhosts; j++)
			if (server->hosts[j].is_mx)
				tell_line(cache, seed, (uint16_t)j, server->hosts[j].name.text);
	}
}

void seeds_use(const struct seeds *seeds, const char *server, struct watched_target *hosts)
{
	for (size_t i = 0; i < seeds->n; i++) {
		const struct ipc_targets *seed = seeds->v[i];
		if (strcmp(seed->server, server) != 0)
			continue;
		for (uint32_t j = 0; j < seed->n; j++)
			for (struct watched_target *host = hosts; host; host = host->next)
				if (host->target.port == seed->v[j].port &&
					dns_same_name(host->target.name, seed->v[j].name))
					watched_target_seed(host, &seed->v[j], seed->inquiry);
	}
}

void seeds_drop(struct seeds *seeds)
{
	while (seeds->n > 0)
		free(seeds->v[--seeds->n]);
}
