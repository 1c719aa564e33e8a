/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/identify.h"

#include "daemon/flow/way.h"

#include <assert.h>
#include <string.h>

static_assert(
	sizeof(((struct way *)0)->ifname) == sizeof(((struct link *)0)->name), "copied whole");

/* The keeper tells of an interface before a packet of it can be steered; an ipc may still wait.
 */
static const struct link *link_of(struct way_host *process, uint32_t ifindex)
{
	const struct link *link = link_find(&process->links, ifindex);
	if (!link && process->child->keeper && channel_drain(process->child->keeper) > 0)
		link = link_find(&process->links, ifindex);
	return link;
}

static void take_policy(struct way *way)
{
	struct policy *policy = way_host_picture(way->process)->policy;
	if (way->policy == policy)
		return;
	policy_unref(way->policy);
	way->policy = policy_ref(policy);
}

enum ending identify_client(const struct policy *policy, const struct link *link,
	const struct origin *origin, struct identified *who)
{
	*who = (struct identified){.zone = -1};
	if (!link)
		return ENDING_NO_ZONE;
	if (link->has_mac)
		who->mac = origin->mac;
	who->zone = (int32_t)policy_find_zone_of(policy, link->name, &origin->client.addr);
	if (who->zone < 0)
		return ENDING_NO_ZONE;
	/* Without the SYN (cookies) nothing says whose MAC it was; guessing would book one client's
	 * mail on another. An interface without MACs has none to lose. */
	if (policy->zones[who->zone].identity != POLICY_IDENTITY_ADDRESS && link->has_mac &&
		!mac_is_set(&origin->mac))
		return ENDING_NO_MAC;
	return ENDING_NONE;
}

enum ending identify_flow(struct way *way, const struct origin *origin)
{
	const struct link *link = link_of(way->process, origin->ifindex);
	struct identified who;

	take_policy(way);
	enum ending ending = identify_client(way->policy, link, origin, &who);
	if (link)
		memcpy(way->ifname, link->name, sizeof(way->ifname));
	if (mac_is_set(&who.mac))
		way->mac = who.mac;
	way->zone = who.zone;
	return ending;
}
