/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "kernel-rules/netlink.h"
#include "lib/base/vector.h"

#define READS_MOST 64
#define TRIES      8

struct entry {
	struct link link;
	bool seen; /* in the reading of all that is going on */
};

struct links {
	struct netlink events, questions;
	links_on_change *on_change;
	void *context;
	struct entry *v;
	size_t n, room;
};

static struct entry *find(const struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->n; i++) {
		if (links->v[i].link.ifindex == ifindex)
			return &links->v[i];
	}
	return NULL;
}

static int came(struct links *links, const struct link *link)
{
	struct entry *v = vector_grow(links->v, links->n, &links->room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	links->v = v;
	links->v[links->n++] = (struct entry){.link = *link, .seen = true};
	links->on_change(links->context, LINK_CAME, NULL, link);
	return 0;
}

static void went(struct links *links, struct entry *entry)
{
	struct link old = entry->link;
	*entry = links->v[--links->n];
	links->on_change(links->context, LINK_WENT, &old, &old);
}

static bool is_bridge(const struct nlattr *kind)
{
	return mnl_attr_get_payload_len(kind) >= sizeof("bridge") - 1 &&
	       strncmp(mnl_attr_get_payload(kind), "bridge", mnl_attr_get_payload_len(kind)) == 0;
}

static bool is_on(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 1 && mnl_attr_get_u8(attr) != 0;
}

static void take_bridge(struct link *link, const struct nlattr *data)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == IFLA_BR_NF_CALL_IPTABLES)
			link->calls_ip4 = is_on(attr);
		else if (mnl_attr_get_type(attr) == IFLA_BR_NF_CALL_IP6TABLES)
			link->calls_ip6 = is_on(attr);
	}
}

/* The kind stands before what is said in its terms. */
static void take_info(struct link *link, const struct nlattr *info)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			link->is_bridge = is_bridge(attr);
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && link->is_bridge)
			take_bridge(link, attr);
	}
}

/* The state of one interface as the kernel says it. */
static bool parse(const struct nlmsghdr *nlh, struct link *link)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC)
		return false; /* a bridge tells of its ports with a family of its own */
	*link = (struct link){.ifindex = (uint32_t)ifi->ifi_index,
		.has_mac = ifi->ifi_type == ARPHRD_ETHER,
		.up = ifi->ifi_flags & IFF_UP,
		.running = ifi->ifi_flags & IFF_UP && ifi->ifi_flags & IFF_RUNNING};
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
			mnl_attr_get_payload_len(attr) <= sizeof(link->name))
			memcpy(link->name, mnl_attr_get_payload(attr),
				strnlen(mnl_attr_get_payload(attr),
					mnl_attr_get_payload_len(attr)));
		else if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			take_info(link, attr);
		else if (mnl_attr_get_type(attr) == IFLA_MASTER &&
			 mnl_attr_get_payload_len(attr) >= 4)
			link->master = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_CARRIER_DOWN_COUNT &&
			 mnl_attr_get_payload_len(attr) >= 4)
			link->carrier_downs = mnl_attr_get_u32(attr);
	}
	link->name[sizeof(link->name) - 1] = 0;
	return link->ifindex && link->name[0];
}

static int on_link(void *context, const struct nlmsghdr *nlh)
{
	struct links *links = context;
	struct link link;

	if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
		!parse(nlh, &link))
		return 0;
	struct entry *entry = find(links, link.ifindex);
	if (nlh->nlmsg_type == RTM_DELLINK) {
		if (entry)
			went(links, entry);
		return 0;
	}
	if (!entry)
		return came(links, &link);
	entry->seen = true;
	struct link old = entry->link;
	entry->link = link;
	if (strcmp(old.name, link.name) != 0 || old.up != link.up || old.has_mac != link.has_mac ||
		old.running != link.running || old.carrier_downs != link.carrier_downs ||
		old.master != link.master)
		links->on_change(links->context, LINK_CHANGED, &old, &link);
	return 0;
}

/* Reads all; what is no longer there went. */
static int read_all(struct links *links)
{
	struct netlink_request request;
	int status = -EINTR;

	for (unsigned tries = 0; status == -EINTR && tries < TRIES; tries++) {
		for (size_t i = 0; i < links->n; i++)
			links->v[i].seen = false;
		struct nlmsghdr *nlh =
			netlink_begin(&links->questions, &request, RTM_GETLINK, NLM_F_DUMP);
		struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
		ifi->ifi_family = AF_UNSPEC;
		status = netlink_ask(&links->questions, nlh, on_link, links);
	}
	for (size_t i = links->n; status == 0 && i-- > 0;) {
		if (!links->v[i].seen)
			went(links, &links->v[i]);
	}
	return status;
}

int links_open(struct links **out, links_on_change *on_change, void *context)
{
	struct links *links = calloc(1, sizeof(*links));
	if (!links)
		return -ENOMEM;
	links->on_change = on_change;
	links->context = context;
	links->questions.fd = -1;
	/* listen first, so that nothing falls between reading and listening */
	int status = netlink_open(&links->events, NETLINK_ROUTE, RTMGRP_LINK);
	if (status == 0)
		status = netlink_open(&links->questions, NETLINK_ROUTE, 0);
	if (status == 0) {
		netlink_set_buffer(&links->events, 1 << 20);
		status = read_all(links);
	}
	if (status) {
		links_close(links);
		return status;
	}
	*out = links;
	return 0;
}

void links_close(struct links *links)
{
	if (!links)
		return;
	netlink_close(&links->events);
	netlink_close(&links->questions);
	free(links->v);
	free(links);
}

int links_fd(const struct links *links)
{
	return links->events.fd;
}

int links_read(struct links *links)
{
	int status = netlink_read_events(&links->events, READS_MOST, on_link, links);
	return status == -ENOBUFS ? read_all(links) : status;
}

const struct link *links_find(const struct links *links, uint32_t ifindex)
{
	const struct entry *entry = find(links, ifindex);
	return entry ? &entry->link : NULL;
}

size_t links_count(const struct links *links)
{
	return links->n;
}

const struct link *links_at(const struct links *links, size_t at)
{
	return &links->v[at].link;
}
