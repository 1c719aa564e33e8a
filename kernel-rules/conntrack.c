/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/conntrack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "kernel-rules/netlink.h"

/* A connection by its original direction. */
struct tuple {
	struct endpoint source, destination;
	uint8_t protocol;
	/* An operator's zone, of both directions or of the original one alone. */
	uint16_t zone, original_zone;
	bool has_zone, has_original_zone;
	uint8_t state;   /* TCP_CONNTRACK_* */
	uint32_t left_s; /* until the kernel forgets it */
};

struct search {
	const struct prefix *source;
	const uint16_t *ports;
	size_t nports;
	struct tuple *v;
	size_t n;
};

static void parse_ip(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		size_t len = mnl_attr_get_payload_len(attr);
		const void *bytes = mnl_attr_get_payload(attr);
		uint16_t type = mnl_attr_get_type(attr);
		bool ip4 = type == CTA_IP_V4_SRC || type == CTA_IP_V4_DST;
		if (len != (ip4 ? 4 : 16))
			continue;
		struct addr *addr = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC
					    ? &tuple->source.addr
					    : &tuple->destination.addr;
		addr->family = ip4 ? ADDR_IP4 : ADDR_IP6;
		memcpy(addr->bytes, bytes, len);
	}
}

static void parse_ports(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		size_t len = mnl_attr_get_payload_len(attr);
		uint16_t type = mnl_attr_get_type(attr);
		if (type == CTA_PROTO_NUM && len >= 1)
			tuple->protocol = mnl_attr_get_u8(attr);
		else if (type == CTA_PROTO_SRC_PORT && len >= 2)
			tuple->source.port = ntohs(mnl_attr_get_u16(attr));
		else if (type == CTA_PROTO_DST_PORT && len >= 2)
			tuple->destination.port = ntohs(mnl_attr_get_u16(attr));
	}
}

static void parse_tuple(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			parse_ip(attr, tuple);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			parse_ports(attr, tuple);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_ZONE &&
			 mnl_attr_get_payload_len(attr) >= 2) {
			tuple->original_zone = ntohs(mnl_attr_get_u16(attr));
			tuple->has_original_zone = true;
		}
	}
}

static void parse_state(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attr, *tcp;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) != CTA_PROTOINFO_TCP)
			continue;
		mnl_attr_for_each_nested(tcp, attr)
		{
			if (mnl_attr_get_type(tcp) == CTA_PROTOINFO_TCP_STATE &&
				mnl_attr_get_payload_len(tcp) >= 1)
				tuple->state = mnl_attr_get_u8(tcp);
		}
	}
}

static bool is_over(const struct tuple *tuple)
{
	return tuple->state >= TCP_CONNTRACK_TIME_WAIT; /* only a memory of it is left */
}

static void parse_connection(const struct nlmsghdr *nlh, struct tuple *tuple)
{
	const struct nlattr *attr;

	memset(tuple, 0, sizeof(*tuple));
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		size_t len = mnl_attr_get_payload_len(attr);
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG) {
			parse_tuple(attr, tuple);
		} else if (mnl_attr_get_type(attr) == CTA_PROTOINFO) {
			parse_state(attr, tuple);
		} else if (mnl_attr_get_type(attr) == CTA_TIMEOUT && len >= 4) {
			tuple->left_s = ntohl(mnl_attr_get_u32(attr));
		} else if (mnl_attr_get_type(attr) == CTA_ZONE && len >= 2) {
			tuple->zone = ntohs(mnl_attr_get_u16(attr));
			tuple->has_zone = true;
		}
	}
}

static bool is_searched(const struct search *search, const struct tuple *tuple)
{
	bool port = search->nports == 0;
	for (size_t i = 0; i < search->nports; i++)
		port = port || search->ports[i] == tuple->destination.port;
	return port && !is_over(tuple) && tuple->protocol == IPPROTO_TCP &&
	       prefix_contains(search->source, &tuple->source.addr);
}

static int on_connection(void *context, const struct nlmsghdr *nlh)
{
	struct search *search = context;
	struct tuple tuple;

	parse_connection(nlh, &tuple);
	if (!is_searched(search, &tuple))
		return 0;
	if (search->n % 64 == 0) {
		struct tuple *v = realloc(search->v, (search->n + 64) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		search->v = v;
	}
	search->v[search->n++] = tuple;
	return 0;
}

static uint8_t family_of(const struct addr *addr)
{
	return addr->family == ADDR_IP4 ? AF_INET : AF_INET6;
}

static struct nlmsghdr *begin(struct netlink *nl, struct netlink_request *request, uint16_t type,
	uint16_t flags, uint8_t family)
{
	return netlink_begin_nf(
		nl, request, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags, family, 0);
}

/* The kernel picks the connections with the pass mark. */
static int list_passed(struct netlink *nl, uint32_t mask, uint8_t family,
	int (*on_one)(void *context, const struct nlmsghdr *nlh), void *context)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(nl, &request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(plan_mark_bits(mask, MARK_PASS)));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	int status = netlink_ask(nl, nlh, on_one, context);
	return status == -EINTR ? 0 : status;
}

static void put_tuple(struct nlmsghdr *nlh, const struct tuple *tuple)
{
	bool ip4 = tuple->source.addr.family == ADDR_IP4;
	size_t len = ip4 ? 4 : 16;
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, ip4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, len, tuple->source.addr.bytes);
	mnl_attr_put(nlh, ip4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, len, tuple->destination.addr.bytes);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, tuple->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(tuple->source.port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(tuple->destination.port));
	mnl_attr_nest_end(nlh, proto);
	if (tuple->has_original_zone)
		mnl_attr_put_u16(nlh, CTA_TUPLE_ZONE, htons(tuple->original_zone));
	mnl_attr_nest_end(nlh, nest);
	if (tuple->has_zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(tuple->zone));
}

static int mark_killed(struct netlink *nl, uint32_t mask, const struct tuple *tuple)
{
	struct netlink_request request;
	struct nlmsghdr *nlh =
		begin(nl, &request, IPCTNL_MSG_CT_NEW, NLM_F_ACK, family_of(&tuple->source.addr));
	put_tuple(nlh, tuple);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(plan_mark_bits(mask, MARK_KILL)));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	return netlink_ask(nl, nlh, NULL, NULL);
}

int conntrack_kill(uint32_t mask, const struct prefix *source, const uint16_t *ports, size_t nports)
{
	struct search search = {.source = source, .ports = ports, .nports = nports};
	struct netlink nl;
	int marked = 0;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	status = list_passed(&nl, mask, family_of(&source->addr), on_connection, &search);
	for (size_t i = 0; status == 0 && i < search.n; i++) {
		status = mark_killed(&nl, mask, &search.v[i]);
		if (status == 0)
			marked++;
		else if (status == -ENOENT)
			status = 0; /* it ended meanwhile */
	}
	free(search.v);
	netlink_close(&nl);
	return status ? status : marked;
}

/* A connection whose data is not acknowledged is forgotten sooner. */
struct walk {
	conntrack_visit *visit;
	void *context;
	uint32_t established_s, unacknowledged_s; /* 0: not known */
};

static uint32_t read_seconds(const char *name)
{
	char path[96], text[16];
	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (uint32_t)strtoul(text, NULL, 10);
}

/* Each packet sets the time that is left anew. What is not known counts as in use. */
static uint32_t unused_of(const struct walk *walk, const struct tuple *tuple)
{
	if (tuple->state != TCP_CONNTRACK_ESTABLISHED)
		return 0;
	uint32_t least_s = walk->unacknowledged_s < walk->established_s ? walk->unacknowledged_s
									: walk->established_s;
	uint32_t whole_s = tuple->left_s <= least_s ? least_s : walk->established_s;
	return whole_s > tuple->left_s ? whole_s - tuple->left_s : 0;
}

static int on_passed(void *context, const struct nlmsghdr *nlh)
{
	struct walk *walk = context;
	struct tuple tuple;

	parse_connection(nlh, &tuple);
	if (tuple.protocol == IPPROTO_TCP && !is_over(&tuple) &&
		tuple.source.addr.family != ADDR_NONE)
		walk->visit(walk->context, &tuple.source.addr, unused_of(walk, &tuple));
	return 0;
}

int conntrack_each_passed(uint32_t mask, conntrack_visit *visit, void *context)
{
	struct walk walk = {.visit = visit,
		.context = context,
		.established_s = read_seconds("established"),
		.unacknowledged_s = read_seconds("unacknowledged")};
	struct netlink nl;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	status = list_passed(&nl, mask, AF_INET, on_passed, &walk);
	if (!status)
		status = list_passed(&nl, mask, AF_INET6, on_passed, &walk);
	netlink_close(&nl);
	return status;
}
