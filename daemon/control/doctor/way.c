/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of the zones' interfaces: that none leads to the Internet or to a server, and
 * that none is only a bridge's port. */
#include "daemon/control/doctor/examination.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/peers/health/health_peer.h"
#include "kernel-rules/way.h"
#include "lib/language/language.h"

#include <string.h>

/* The zone that takes in whoever comes by this interface; -1: none, or its clients alone. */
static ptrdiff_t zone_taking(const struct policy *policy, const char *ifname)
{
	for (size_t z = 0; ifname && z < policy->nzones; z++)
		for (size_t i = 0;
			policy->zones[z].networks.n == 0 && i < policy->zones[z].interfaces.n; i++)
			if (policy_interface_match(policy->zones[z].interfaces.v[i].text, ifname))
				return (ptrdiff_t)z;
	return -1;
}

static unsigned check_bridges(const struct examination *exam, const struct ways *ways)
{
	const struct policy *policy = exam->control->policy;
	unsigned found = 0;

	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++) {
			const char *port, *bridge = ways_bridge(ways,
						  policy->zones[z].interfaces.v[i].text, &port);
			if (!bridge || interfaces_zone_of(policy, bridge))
				continue;
			found++;
			examination_find(exam, "zone-interface", DOCTOR_ERROR,
				"give the zone the bridge in its place: by its port nobody is seen",
				"zone %s: %s is a port of bridge %s", policy->zones[z].name.text,
				port, bridge);
		}
	return found;
}

static unsigned check_uplinks(const struct examination *exam, struct ways *ways)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};
	const struct policy *policy = exam->control->policy;
	unsigned found = 0;

	for (size_t i = 0; i < 2; i++) {
		const char *uplink = ways_uplink(ways, families[i]);
		ptrdiff_t zone = zone_taking(policy, uplink);
		if (zone < 0)
			continue;
		found++;
		examination_find(exam, "zone-interface", DOCTOR_WARNING,
			"give the zone other interfaces, or its clients as network: else the "
			"Internet is taken for clients, and what comes from there is redirected",
			"zone %s: the %s default route leaves by its %s",
			policy->zones[zone].name.text, families[i] == ADDR_IP4 ? "IPv4" : "IPv6",
			uplink);
	}
	return found;
}

static unsigned check_hosts(const struct examination *exam, struct ways *ways, size_t server)
{
	const struct ipc_targets *targets = health_peer_targets(exam->control->health, server);
	const struct policy *policy = exam->control->policy;
	unsigned found = 0;

	for (uint32_t i = 0; targets && i < targets->n; i++)
		for (unsigned j = 0; j < ipc_target_addresses(&targets->v[i]); j++) {
			const struct addr *addr = &targets->v[i].addresses[j];
			const char *way = ways_to(ways, addr);
			ptrdiff_t zone = zone_taking(policy, way);
			char text[ADDR_TEXT_SIZE];
			if (zone < 0 || language_is_device(policy, (size_t)zone, addr))
				continue;
			found++;
			examination_find(exam, "zone-interface", DOCTOR_WARNING,
				"make it a device of the zone, or give the zone its clients as "
				"network: else its own mail is taken for a client's",
				"zone %s: %s of server %s is behind its %s",
				policy->zones[zone].name.text, addr_format(addr, text),
				policy->servers[server].name.text, way);
		}
	return found;
}

void examination_of_ways(const struct examination *exam)
{
	struct ways *ways = ways_open();
	unsigned found;

	if (!ways)
		return;
	found = check_bridges(exam, ways) + check_uplinks(exam, ways);
	for (size_t i = 0; i < exam->control->policy->nservers; i++)
		found += check_hosts(exam, ways, i);
	if (!found)
		examination_find(exam, "zone-interface", DOCTOR_OK, "",
			"no zone's interface leads to the Internet, to a server, or is a bridge's "
			"port");
	ways_close(ways);
}
