/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/neighbour.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel-rules/netlink.h"

/* The kernel has resolved it at some time; a failed or unfinished entry has no MAC. */
#define STATES_WITH_MAC \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

/* Where a neighbour with address and MAC is; 0: it is none. */
static uint32_t read_neighbour(const struct nlmsghdr *nlh, struct addr *addr, struct mac *mac)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	*addr = (struct addr){.family = ADDR_NONE};
	*mac = (struct mac){0};
	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) ||
		!(ndm->ndm_state & STATES_WITH_MAC))
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
	{
		size_t have = mnl_attr_get_payload_len(attr);
		const void *bytes = mnl_attr_get_payload(attr);
		if (mnl_attr_get_type(attr) == NDA_DST && (have == 4 || have == 16)) {
			addr->family = have == 4 ? ADDR_IP4 : ADDR_IP6;
			memcpy(addr->bytes, bytes, have);
		}
		if (mnl_attr_get_type(attr) == NDA_LLADDR && have == sizeof(mac->bytes))
			memcpy(mac->bytes, bytes, sizeof(mac->bytes));
	}
	return addr->family != ADDR_NONE && mac_is_set(mac) ? (uint32_t)ndm->ndm_ifindex : 0;
}

struct question {
	const struct addr *addr;
	struct mac mac; /* not set: not found */
};

static int on_neighbour(void *context, const struct nlmsghdr *nlh)
{
	struct question *question = context;
	struct addr addr;
	struct mac mac;
	uint32_t ifindex = read_neighbour(nlh, &addr, &mac);

	if (ifindex && addr_equal(&addr, question->addr))
		question->mac = mac;
	return 0;
}

static int ask(struct netlink *nl, uint32_t ifindex, struct question *question)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = netlink_begin(nl, &request, RTM_GETNEIGH, NLM_F_ACK);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	bool ip4 = question->addr->family == ADDR_IP4;

	ndm->ndm_family = ip4 ? AF_INET : AF_INET6;
	ndm->ndm_ifindex = (int)ifindex;
	mnl_attr_put(nlh, NDA_DST, ip4 ? 4 : 16, question->addr->bytes);
	return netlink_ask(nl, nlh, on_neighbour, question);
}

int neighbour_find(uint32_t ifindex, const struct addr *addr, struct mac *mac)
{
	struct question question = {.addr = addr};
	struct netlink nl;

	if (addr->family != ADDR_IP4 && addr->family != ADDR_IP6)
		return -EAFNOSUPPORT;
	int status = netlink_open(&nl, NETLINK_ROUTE, 0);
	if (status)
		return status;
	status = ask(&nl, ifindex, &question);
	netlink_close(&nl);
	if (status)
		return status;
	if (!mac_is_set(&question.mac))
		return -ENOENT;
	*mac = question.mac;
	return 0;
}

struct search {
	const struct mac *mac;
	struct addr *v;
	size_t n, room;
};

static int on_any_neighbour(void *context, const struct nlmsghdr *nlh)
{
	struct search *search = context;
	struct addr addr;
	struct mac mac;

	if (!read_neighbour(nlh, &addr, &mac) || !mac_equal(&mac, search->mac))
		return 0;
	if (search->n < search->room)
		search->v[search->n] = addr;
	search->n++;
	return 0;
}

int neighbour_addresses(const struct mac *mac, struct addr *v, size_t room)
{
	struct search search = {.mac = mac, .v = v, .room = room};
	struct netlink_request request;
	struct netlink nl;

	int status = netlink_open(&nl, NETLINK_ROUTE, 0);
	if (status)
		return status;
	/* of no family: the tables of both */
	struct nlmsghdr *nlh = netlink_begin(&nl, &request, RTM_GETNEIGH, NLM_F_DUMP);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	status = netlink_ask(&nl, nlh, on_any_neighbour, &search);
	netlink_close(&nl);
	return status && status != -EINTR ? status : (int)search.n;
}
