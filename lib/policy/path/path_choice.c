/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/path/path_choice.h"

#include "lib/base/hash.h"
#include "lib/policy/choice.h"

#include <string.h>

/* Without probes nothing is known of a host but what flows saw of it. */
static bool is_up(const struct policy_server *server, const struct ipc_target *target)
{
	if (server->probe)
		return target->state == TARGET_UP;
	return target->state != TARGET_DOWN && !target->failing;
}

/* A name may have any address; these the kernel forwards nothing to. */
static bool is_routed(const struct addr *addr)
{
	return !addr_is_loopback(addr) && !addr_is_link_local(addr) && !addr_is_unspecified(addr) &&
	       !addr_is_multicast(addr);
}

const struct addr *path_choice_address(
	const struct path_hosts *hosts, size_t at, enum addr_family client)
{
	const struct ipc_target *target = &hosts->targets->v[at];

	if (hosts->targets->inquiry != hosts->inquiry || !choice_may(target, client) ||
		!is_up(hosts->server, target))
		return NULL;
	for (unsigned i = 0; i < target->naddresses; i++)
		if (target->addresses[i].family == client &&
			(target->asked & ~target->lost) >> i & 1 &&
			is_routed(&target->addresses[i]))
			return &target->addresses[i];
	return NULL;
}

static uint32_t rank(const struct ipc_target *target)
{
	return (uint32_t)target->preference << 8 | target->depth;
}

static uint32_t best_rank(const struct path_hosts *hosts, enum addr_family client)
{
	uint32_t best = UINT32_MAX;

	for (size_t i = 0; i < hosts->targets->n; i++)
		if (path_choice_address(hosts, i, client) && rank(&hosts->targets->v[i]) < best)
			best = rank(&hosts->targets->v[i]);
	return best;
}

bool path_choice_is_best(const struct path_hosts *hosts, size_t at, enum addr_family client)
{
	return path_choice_address(hosts, at, client) &&
	       rank(&hosts->targets->v[at]) == best_rank(hosts, client);
}

/* -log2 of what a number is of 2^32, in units of 2^-20: 1 to 32 << 20. */
static uint64_t minus_log2(uint32_t number)
{
	uint64_t x = number ? number : 1, log = 0;
	unsigned whole = 63 - (unsigned)__builtin_clzll(x);

	/* x between 1 and 2, with 31 bits behind the point: each squaring gives one bit more */
	x <<= 31 - whole;
	for (unsigned i = 0; i < 20; i++) {
		x = x * x >> 31;
		log <<= 1;
		if (x >> 32) {
			x >>= 1;
			log |= 1;
		}
	}
	return ((uint64_t)32 << 20) - ((uint64_t)whole << 20 | log);
}

/* Client and host make a number of their own, and the host that wins has the least -log(number) /
 * weight (weighted rendezvous): each wins as often as its weight says, and what the others win does
 * not depend on it. */
static uint64_t score(const struct ipc_target *target, uint32_t seed)
{
	struct {
		uint32_t seed, port;
		char name[TARGET_NAME_SIZE];
	} key = {.seed = seed, .port = target->port};

	memcpy(key.name, target->name, strnlen(target->name, sizeof(key.name)));
	uint64_t mixed = hash_bytes(&key, sizeof(key)) + 0x9e3779b97f4a7c15ull * (seed + 1ull);
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ull;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebull;
	return (minus_log2((uint32_t)(mixed >> 32)) << 24) / target->weight;
}

ptrdiff_t path_choice_pick(const struct path_hosts *hosts, enum addr_family client, uint32_t seed)
{
	const struct ipc_target *v = hosts->targets->v;
	uint32_t best = best_rank(hosts, client);
	uint64_t least = UINT64_MAX;
	ptrdiff_t picked = -1;

	for (size_t i = 0; i < hosts->targets->n; i++) {
		if (rank(&v[i]) != best || !path_choice_address(hosts, i, client))
			continue;
		uint64_t own = score(&v[i], seed);
		if (picked < 0 || own < least) {
			picked = (ptrdiff_t)i;
			least = own;
		}
	}
	return picked;
}
