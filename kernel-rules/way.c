/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/way.h"

#include "kernel-rules/links.h"
#include "kernel-rules/netlink.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

struct ways {
	struct netlink questions;
	struct links *links;
};

static int on_way(void *context, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	uint32_t *way = context;

	/* a host of the gateway itself answers over no interface */
	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
		rtm->rtm_type != RTN_UNICAST)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) >= 4)
			*way = mnl_attr_get_u32(attr);
	}
	return 0;
}

uint32_t way_find(struct netlink *nl, const struct addr *addr)
{
	struct netlink_request request;
	bool ip4 = addr->family == ADDR_IP4;
	uint32_t way = 0;
	struct nlmsghdr *nlh = netlink_begin(nl, &request, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = ip4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = ip4 ? 32 : 128;
	mnl_attr_put(nlh, RTA_DST, ip4 ? 4 : 16, addr->bytes);
	return netlink_ask(nl, nlh, on_way, &way) == 0 ? way : 0;
}

static void on_link(
	void *context, enum link_change change, const struct link *old, const struct link *link)
{
	(void)context;
	(void)change;
	(void)old;
	(void)link;
}

struct ways *ways_open(void)
{
	struct ways *ways = calloc(1, sizeof(*ways));
	if (!ways)
		return NULL;
	ways->questions.fd = -1;
	if (netlink_open(&ways->questions, NETLINK_ROUTE, 0) == 0 &&
		links_open(&ways->links, on_link, NULL) == 0)
		return ways;
	ways_close(ways);
	return NULL;
}

void ways_close(struct ways *ways)
{
	if (!ways)
		return;
	links_close(ways->links);
	netlink_close(&ways->questions);
	free(ways);
}

const char *ways_to(struct ways *ways, const struct addr *addr)
{
	uint32_t ifindex = way_find(&ways->questions, addr);
	const struct link *link = ifindex ? links_find(ways->links, ifindex) : NULL;
	return link ? link->name : NULL;
}

/* Addresses that nobody has, so that no narrower route leads to them; the second one lies within
 * 2000::/3, which some write as their default. */
const char *ways_uplink(struct ways *ways, enum addr_family family)
{
	static const struct addr far4 = {{240, 0, 0, 1}, ADDR_IP4};
	static const struct addr far6 = {{0x3f, 0xfe, [15] = 1}, ADDR_IP6};
	return ways_to(ways, family == ADDR_IP4 ? &far4 : &far6);
}

const char *ways_bridge(const struct ways *ways, const char *pattern, const char **port)
{
	for (size_t i = 0; i < links_count(ways->links); i++) {
		const struct link *link = links_at(ways->links, i);
		const struct link *master =
			link->master && policy_interface_match(pattern, link->name)
				? links_find(ways->links, link->master)
				: NULL;
		if (!master || !master->is_bridge)
			continue;
		*port = link->name;
		return master->name;
	}
	return NULL;
}
