/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/proof/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MOST 8 /* of a zone, of each kind */

/* Addresses of one family, first and last. */
struct stretch {
	uint8_t first[16], last[16];
};

struct ranges {
	struct stretch *v;
	size_t n;
	bool all;
};

struct looking {
	const struct policy *coming;
	const struct policy_zone *zone; /* of the running policy */
	opening_say *say;
	void *context;
	size_t said[3];
	bool *gone_networks, whole_gone[2], *gone_ports;
	size_t *around,
		*before; /* zones of the coming policy that steer the same; of the last look */
	size_t naround, nbefore;
};

enum kind { INTERFACE, PORT, NETWORK };

static void say(struct looking *looking, enum kind kind, const char *word, const char *what)
{
	char text[128];
	if (looking->said[kind]++ < SAID_MOST) {
		snprintf(text, sizeof(text), "%s %s is no longer redirected", word, what);
		looking->say(looking->context, looking->zone->name.text, text);
	}
}

/* Does one pattern take every interface that the other takes? */
static bool covers(const char *pattern, const char *other)
{
	size_t len = strlen(pattern);
	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, other, len - 1) == 0;
	return strcmp(pattern, other) == 0;
}

static bool has_interface(const struct policy_zone *zone, const char *name)
{
	for (size_t i = 0; i < zone->interfaces.n; i++)
		if (covers(zone->interfaces.v[i].text, name))
			return true;
	return false;
}

/* ---- networks ---- */

static struct stretch stretch_of(const struct prefix *prefix)
{
	struct stretch range;
	memcpy(range.first, prefix->addr.bytes, 16);
	memcpy(range.last, prefix->addr.bytes, 16);
	for (unsigned bit = prefix->len; bit < 128; bit++)
		range.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return range;
}

static int compare_ranges(const void *a, const void *b)
{
	return memcmp(((const struct stretch *)a)->first, ((const struct stretch *)b)->first, 16);
}

/* Is it the address right behind? */
static bool follows(const uint8_t first[16], const uint8_t last[16])
{
	uint8_t next[16];
	memcpy(next, last, 16);
	for (unsigned i = 16; i-- > 0 && ++next[i] == 0;)
		;
	return memcmp(first, next, 16) == 0;
}

static void merge(struct ranges *ranges)
{
	size_t kept = 0;
	if (ranges->n)
		qsort(ranges->v, ranges->n, sizeof(*ranges->v), compare_ranges);
	for (size_t i = 0; i < ranges->n; i++) {
		struct stretch *last = kept ? &ranges->v[kept - 1] : NULL;
		const struct stretch *range = &ranges->v[i];
		if (!last || (memcmp(range->first, last->last, 16) > 0 &&
				     !follows(range->first, last->last)))
			ranges->v[kept++] = *range;
		else if (memcmp(range->last, last->last, 16) > 0)
			memcpy(last->last, range->last, 16);
	}
	ranges->n = kept;
}

/* The addresses of a family that the zones around steer. false: no memory. */
static bool collect(const struct looking *looking, enum addr_family family, struct ranges *ranges)
{
	size_t room = 0;
	*ranges = (struct ranges){0};
	for (size_t i = 0; i < looking->naround; i++) {
		const struct policy_zone *zone = &looking->coming->zones[looking->around[i]];
		ranges->all = ranges->all || zone->networks.n == 0;
		room += zone->networks.n;
	}
	ranges->v = calloc(room + 1, sizeof(*ranges->v));
	if (!ranges->v)
		return false;
	for (size_t i = 0; i < looking->naround; i++) {
		const struct policy_zone *zone = &looking->coming->zones[looking->around[i]];
		for (size_t j = 0; j < zone->networks.n; j++)
			if (zone->networks.v[j].addr.family == family)
				ranges->v[ranges->n++] = stretch_of(&zone->networks.v[j]);
	}
	merge(ranges);
	return true;
}

static bool holds(const struct ranges *ranges, const struct prefix *prefix)
{
	const struct stretch wanted = stretch_of(prefix);
	size_t low = 0, high = ranges->n;
	if (ranges->all)
		return true;
	while (low < high) { /* the last that begins at or before it */
		size_t middle = (low + high) / 2;
		if (memcmp(ranges->v[middle].first, wanted.first, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	/* of IPv4 only the first bytes count, and the rest is filled alike on both sides */
	return memcmp(ranges->v[low - 1].last, wanted.last, 16) >= 0;
}

static void look_at_family(struct looking *looking, enum addr_family family)
{
	static const struct prefix all[2] = {{.addr.family = ADDR_IP4}, {.addr.family = ADDR_IP6}};
	const struct policy_zone *zone = looking->zone;
	char text[PREFIX_TEXT_SIZE];
	struct ranges ranges;
	if (!collect(looking, family, &ranges)) {
		say(looking, NETWORK, "network", "(out of memory)");
		return;
	}
	for (size_t i = 0; i < zone->networks.n; i++) {
		const struct prefix *network = &zone->networks.v[i];
		if (network->addr.family != family || looking->gone_networks[i] ||
			holds(&ranges, network))
			continue;
		looking->gone_networks[i] = true;
		say(looking, NETWORK, "network", prefix_format(network, text));
	}
	bool *gone = &looking->whole_gone[family == ADDR_IP6];
	if (zone->networks.n == 0 && !*gone && !holds(&ranges, &all[family == ADDR_IP6])) {
		*gone = true;
		say(looking, NETWORK, family == ADDR_IP6 ? "IPv6" : "IPv4", "outside of networks");
	}
	free(ranges.v);
}

/* ---- one zone ---- */

/* Most interfaces and ports of a zone are steered by the same zones: one look is enough. */
static void look_at_networks(struct looking *looking)
{
	if (looking->nbefore == looking->naround &&
		memcmp(looking->before, looking->around,
			looking->naround * sizeof(*looking->around)) == 0)
		return;
	memcpy(looking->before, looking->around, looking->naround * sizeof(*looking->around));
	looking->nbefore = looking->naround;
	look_at_family(looking, ADDR_IP4);
	look_at_family(looking, ADDR_IP6);
}

static void look_at_port(struct looking *looking, size_t port, const size_t *near, size_t nnear)
{
	char text[16];
	looking->naround = 0;
	for (size_t i = 0; i < nnear; i++)
		if (policy_zone_has_port(
			    &looking->coming->zones[near[i]], looking->zone->ports.v[port]))
			looking->around[looking->naround++] = near[i];
	if (looking->naround) {
		look_at_networks(looking);
	} else if (!looking->gone_ports[port]) {
		looking->gone_ports[port] = true;
		snprintf(text, sizeof(text), "%u", looking->zone->ports.v[port]);
		say(looking, PORT, "port", text);
	}
}

static void look_at_zone(struct looking *looking, size_t *near)
{
	const struct policy_zone *zone = looking->zone;
	for (size_t i = 0; i < zone->interfaces.n; i++) {
		size_t nnear = 0;
		for (size_t j = 0; j < looking->coming->nzones; j++)
			if (has_interface(&looking->coming->zones[j], zone->interfaces.v[i].text))
				near[nnear++] = j;
		if (!nnear)
			say(looking, INTERFACE, "interface", zone->interfaces.v[i].text);
		for (size_t port = 0; nnear && port < zone->ports.n; port++)
			look_at_port(looking, port, near, nnear);
	}
}

/* What nearly every zone is in nearly every change. */
static bool is_as_it_was(const struct policy_zone *zone, const struct policy *coming)
{
	ptrdiff_t at = policy_find_zone(coming, zone->name.text);
	const struct policy_zone *now = at < 0 ? NULL : &coming->zones[at];
	if (!now || !policy_strings_equal(&zone->interfaces, &now->interfaces) ||
		zone->networks.n != now->networks.n || zone->ports.n != now->ports.n ||
		memcmp(zone->ports.v, now->ports.v, zone->ports.n * sizeof(*zone->ports.v)) != 0)
		return false;
	for (size_t i = 0; i < zone->networks.n; i++)
		if (zone->networks.v[i].len != now->networks.v[i].len ||
			!addr_equal(&zone->networks.v[i].addr, &now->networks.v[i].addr))
			return false;
	return true;
}

void opening_steering(
	const struct policy *running, const struct policy *coming, opening_say *tell, void *context)
{
	for (size_t i = 0; i < running->nzones; i++) {
		const struct policy_zone *zone = &running->zones[i];
		if (is_as_it_was(zone, coming))
			continue;
		struct looking looking = {.coming = coming,
			.zone = zone,
			.say = tell,
			.context = context,
			.gone_networks = calloc(zone->networks.n + 1, sizeof(bool)),
			.gone_ports = calloc(zone->ports.n + 1, sizeof(bool)),
			.around = calloc(coming->nzones + 1, sizeof(size_t)),
			.before = calloc(coming->nzones + 1, sizeof(size_t)),
			.nbefore = SIZE_MAX};
		size_t *near = calloc(coming->nzones + 1, sizeof(*near));
		if (looking.gone_networks && looking.gone_ports && looking.around &&
			looking.before && near)
			look_at_zone(&looking, near);
		else
			tell(context, zone->name.text, "out of memory");
		free(looking.gone_networks);
		free(looking.gone_ports);
		free(looking.around);
		free(looking.before);
		free(near);
	}
}
