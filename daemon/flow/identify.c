#include "daemon/flow/identify.h"

#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

/* The keeper tells of an interface before a packet of it can be steered; an ipc may still wait.
 */
static const struct link *link_of(struct relay *relay, uint32_t ifindex)
{
	const struct link *link = link_find(&relay->links, ifindex);
	if (!link && relay->child.keeper && channel_drain(relay->child.keeper) > 0)
		link = link_find(&relay->links, ifindex);
	return link;
}

static void take_policy(struct flow *flow)
{
	struct policy *policy = relay_picture(flow->relay)->policy;
	if (flow->policy == policy)
		return;
	policy_unref(flow->policy);
	flow->policy = policy_ref(policy);
}

enum ending identify_flow(struct flow *flow, const struct origin *origin)
{
	const struct link *link = link_of(flow->relay, origin->ifindex);

	take_policy(flow);
	flow->zone = -1;
	if (!link)
		return ENDING_NO_ZONE;
	snprintf(flow->ifname, sizeof(flow->ifname), "%s", link->name);
	if (link->has_mac)
		flow->mac = origin->mac;
	flow->zone = (int32_t)policy_find_zone_of(flow->policy, link->name, &origin->client.addr);
	if (flow->zone < 0)
		return ENDING_NO_ZONE;
	/* Without the SYN (cookies) nothing says whose MAC it was; guessing would book one client's
	 * mail on another. An interface without MACs has none to lose. */
	if (flow->policy->zones[flow->zone].identity != POLICY_IDENTITY_ADDRESS && link->has_mac &&
		!mac_is_set(&origin->mac))
		return ENDING_NO_MAC;
	return ENDING_NONE;
}
