/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/path/path_way.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void path_ways_fini(struct path_ways *ways)
{
	for (size_t i = 0; i < ways->n; i++)
		free(ways->v[i].places);
	free(ways->v);
	*ways = (struct path_ways){0};
}

int path_ways_read(struct path_ways *ways, const struct policy *policy)
{
	struct path_leg *legs;
	size_t n;

	path_ways_fini(ways);
	if (path_number_legs(policy, &legs, &n) < 0)
		return -ENOMEM;
	ways->v = calloc(n + 1, sizeof(*ways->v));
	for (; ways->v && ways->n < n; ways->n++) {
		struct path_way *way = &ways->v[ways->n];
		way->leg = legs[ways->n];
		way->nplaces = path_number_places(&policy->servers[way->leg.server]);
		way->places = calloc(way->nplaces, sizeof(*way->places));
		if (!way->places)
			break;
	}
	free(legs);
	if (ways->v && ways->n == n)
		return 0;
	path_ways_fini(ways);
	return -ENOMEM;
}

bool path_ways_number(
	struct path_ways *ways, const struct policy *policy, const struct path_table *table)
{
	bool some = false;

	for (size_t i = 0; i < ways->n; i++) {
		struct path_way *way = &ways->v[i];
		const char *server = policy->servers[way->leg.server].name.text;
		for (unsigned place = 0; place < way->nplaces; place++) {
			struct path_key key = path_key_of(server, way->leg.flows, place);
			if (way->places[place].number)
				continue;
			way->places[place].number = path_table_find(table, &key);
			some |= way->places[place].number != 0;
		}
	}
	return some;
}

bool path_ways_are_numbered(const struct path_ways *ways)
{
	for (size_t i = 0; i < ways->n; i++)
		for (unsigned place = 0; place < ways->v[i].nplaces; place++)
			if (!ways->v[i].places[place].number)
				return false;
	return true;
}

void path_ways_want(const struct path_ways *ways, struct path_table *table)
{
	for (size_t i = 0; i < ways->n; i++)
		for (unsigned place = 0; place < ways->v[i].nplaces; place++) {
			struct path_slot *slot =
				path_table_slot(table, ways->v[i].places[place].number);
			if (slot)
				slot->wanted = true;
		}
}

/* The first whose server is not below it. */
static size_t first_of(const struct path_ways *ways, size_t server)
{
	size_t low = 0, high = ways->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ways->v[middle].leg.server < server)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct path_way *path_ways_of(const struct path_ways *ways, size_t server, size_t *n)
{
	size_t first = first_of(ways, server);

	for (*n = 0; first + *n < ways->n && ways->v[first + *n].leg.server == server;)
		++*n;
	return ways->v + first;
}

struct path_way *path_ways_find(const struct path_ways *ways, size_t server, uint32_t flows)
{
	size_t n;
	struct path_way *way = path_ways_of(ways, server, &n);

	for (size_t i = 0; i < n; i++)
		if (way[i].leg.flows == flows)
			return &way[i];
	return NULL;
}

/* Never 0. */
static uint64_t host_of(const struct ipc_target *target)
{
	static const uint8_t no_secret[SIPHASH_SECRET_SIZE];
	struct siphash hash;
	struct {
		char name[TARGET_NAME_SIZE];
		uint16_t port;
	} host = {.port = target->port};

	for (size_t i = 0; i < sizeof(host.name) && target->name[i]; i++)
		host.name[i] = target->name[i] >= 'A' && target->name[i] <= 'Z'
				       ? (char)(target->name[i] | 0x20)
				       : target->name[i];
	siphash_begin(&hash, no_secret);
	siphash_bytes(&hash, &host, sizeof(host));
	return siphash_end(&hash) | 1;
}

ptrdiff_t path_way_host(
	const struct path_way *way, unsigned place, const struct ipc_targets *targets)
{
	for (size_t i = 0; i < targets->n; i++)
		if (host_of(&targets->v[i]) == way->places[place].host)
			return (ptrdiff_t)i;
	return -1;
}

static struct path_place *place_of(const struct path_way *way, uint64_t host)
{
	for (unsigned place = 0; place < way->nplaces; place++)
		if (way->places[place].host == host)
			return &way->places[place];
	return NULL;
}

void path_way_assign(struct path_way *way, const struct ipc_targets *targets)
{
	for (unsigned place = 0; place < way->nplaces; place++)
		if (path_way_host(way, place, targets) < 0)
			way->places[place].host = 0;
	for (size_t i = 0; i < targets->n; i++) {
		uint64_t host = host_of(&targets->v[i]);
		struct path_place *place = place_of(way, host) ? NULL : place_of(way, 0);
		if (place)
			place->host = host;
	}
}

bool path_way_lead(const struct path_way *way, unsigned place, const struct path_hosts *hosts,
	enum addr_family family, struct endpoint *at)
{
	ptrdiff_t target = path_way_host(way, place, hosts->targets);

	*at = (struct endpoint){0};
	if (target < 0 || !path_choice_is_best(hosts, (size_t)target, family))
		target = path_choice_pick(hosts, family, (uint32_t)place * 0x9e3779b1u);
	if (target < 0)
		return false;
	at->addr = *path_choice_address(hosts, (size_t)target, family);
	at->port = hosts->targets->v[target].port;
	return true;
}

uint16_t path_way_pick(
	const struct path_way *way, const struct path_hosts *hosts, const struct addr *client)
{
	uint32_t seed = hash_bytes(client, sizeof(*client));
	ptrdiff_t target = path_choice_pick(hosts, client->family, seed);

	if (target < 0 || !way->nplaces)
		return 0;
	const struct path_place *place = place_of(way, host_of(&hosts->targets->v[target]));
	/* more hosts than places: it is taken in turn by those that have one */
	return place ? place->number : way->places[seed % way->nplaces].number;
}
