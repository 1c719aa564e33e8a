/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <string.h>

/* Does the zone take in whoever comes by this interface? With networks it takes its clients alone.
 */
static const struct language_span *taken_in(
	const struct policy_zone *zone, const struct language_zone_note *note, const char *ifname)
{
	for (size_t i = 0; zone->networks.n == 0 && i < zone->interfaces.n; i++)
		if (policy_interface_match(zone->interfaces.v[i].text, ifname))
			return &note->interfaces.v[i];
	return NULL;
}

static bool in_any_zone(const struct policy *policy, const char *ifname)
{
	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++)
			if (policy_interface_match(policy->zones[z].interfaces.v[i].text, ifname))
				return true;
	return false;
}

/* What comes in by a bridge's port is seen on the bridge. */
static void check_ports_of_bridges(
	struct language *l, const struct policy_zone *zone, const struct language_zone_note *note)
{
	for (size_t i = 0; l->world->bridge && i < zone->interfaces.n; i++) {
		const char *port, *bridge = l->world->bridge(
					  l->world->context, zone->interfaces.v[i].text, &port);
		if (bridge && !in_any_zone(l->policy, bridge))
			language_warn(l, &note->interfaces.v[i],
				"%s is a port of bridge %s: its clients are seen on %s, expected "
				"\"%s\"",
				port, bridge, bridge, bridge);
	}
}

static void check_uplink(
	struct language *l, const struct policy_zone *zone, const struct language_zone_note *note)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

	for (size_t i = 0; l->world->uplink && i < 2; i++) {
		const char *uplink = l->world->uplink(l->world->context, families[i]);
		const struct language_span *span = uplink ? taken_in(zone, note, uplink) : NULL;
		if (!span)
			continue;
		language_warn(l, span,
			"the default route leaves by %s: zone %s takes in what comes from there, "
			"expected other interfaces or its clients as `network`",
			uplink, zone->name.text);
		return;
	}
}

bool language_is_device(const struct policy *policy, size_t zone, const struct addr *addr)
{
	for (size_t i = 0; i < policy->ndevices; i++) {
		const struct policy_device *device = &policy->devices[i];
		for (size_t j = 0; device->zone == zone && j < device->addresses.n; j++)
			if (prefix_contains(&device->addresses.v[j], addr))
				return true;
	}
	return false;
}

static void check_host(struct language *l, const struct policy_server *server, size_t i)
{
	const struct policy_host *host = &server->hosts[i];
	const struct language_zone_note *notes = l->zone_notes.v;
	const char *way = host->addr.family == ADDR_NONE
				  ? NULL
				  : l->world->way(l->world->context, &host->addr);

	for (size_t z = 0; way && z < l->policy->nzones; z++) {
		const struct policy_zone *zone = &l->policy->zones[z];
		const struct language_span *span = taken_in(zone, &notes[z], way);
		if (span && !language_is_device(l->policy, z, &host->addr))
			language_warn(l, span,
				"host %s of server %s is behind %s: zone %s takes its own mail in, "
				"expected a device for it, or the clients as `network`",
				host->name.text, server->name.text, way, zone->name.text);
	}
}

void language_check_ways(struct language *l)
{
	const struct language_zone_note *notes = l->zone_notes.v;
	const struct policy *policy = l->policy;

	for (size_t z = 0; z < policy->nzones && !l->stopped; z++) {
		check_ports_of_bridges(l, &policy->zones[z], &notes[z]);
		check_uplink(l, &policy->zones[z], &notes[z]);
	}
	for (size_t s = 0; l->world->way && s < policy->nservers && !l->stopped; s++)
		for (size_t i = 0; i < policy->servers[s].nhosts; i++)
			check_host(l, &policy->servers[s], i);
}
