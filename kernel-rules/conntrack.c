/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/conntrack.h"

#include <assert.h>
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

#include "kernel-rules/conntrack_message.h"
#include "kernel-rules/netlink.h"

struct search {
	const struct prefix *source;
	const uint16_t *ports;
	size_t nports;
	struct conntrack_one *v;
	size_t n;
};

static bool is_searched(const struct search *search, const struct conntrack_one *one)
{
	bool port = search->nports == 0;
	for (size_t i = 0; i < search->nports; i++)
		port = port || search->ports[i] == one->destination.port;
	return port && !conntrack_is_over(one) && one->protocol == IPPROTO_TCP &&
	       prefix_contains(search->source, &one->source.addr);
}

static int on_connection(void *context, const struct nlmsghdr *nlh)
{
	struct search *search = context;
	struct conntrack_one one;

	if (conntrack_message_parse(nlh, nlh->nlmsg_len, &one) || !is_searched(search, &one))
		return 0;
	if (search->n % 64 == 0) {
		struct conntrack_one *v = realloc(search->v, (search->n + 64) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		search->v = v;
	}
	search->v[search->n++] = one;
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

/* The kernel picks the connections with the mark. */
static int list_marked(struct netlink *nl, uint32_t mask, enum mark mark, uint8_t family,
	netlink_on_answer *on_one, void *context)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(nl, &request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(plan_mark_bits(mask, mark)));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	int status = netlink_ask(nl, nlh, on_one, context);
	return status == -EINTR ? 0 : status;
}

static void put_tuple(struct nlmsghdr *nlh, const struct conntrack_one *one)
{
	bool ip4 = one->source.addr.family == ADDR_IP4;
	size_t len = ip4 ? 4 : 16;
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, ip4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, len, one->source.addr.bytes);
	mnl_attr_put(nlh, ip4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, len, one->destination.addr.bytes);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, one->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(one->source.port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(one->destination.port));
	mnl_attr_nest_end(nlh, proto);
	if (one->has_original_zone)
		mnl_attr_put_u16(nlh, CTA_TUPLE_ZONE, htons(one->original_zone));
	mnl_attr_nest_end(nlh, nest);
	if (one->has_zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(one->zone));
}

static int mark_killed(struct netlink *nl, uint32_t mask, const struct conntrack_one *one)
{
	struct netlink_request request;
	struct nlmsghdr *nlh =
		begin(nl, &request, IPCTNL_MSG_CT_NEW, NLM_F_ACK, family_of(&one->source.addr));
	put_tuple(nlh, one);
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
	status =
		list_marked(&nl, mask, MARK_PASS, family_of(&source->addr), on_connection, &search);
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
static uint32_t unused_of(const struct walk *walk, const struct conntrack_one *one)
{
	if (one->state != TCP_CONNTRACK_ESTABLISHED)
		return 0;
	uint32_t least_s = walk->unacknowledged_s < walk->established_s ? walk->unacknowledged_s
									: walk->established_s;
	uint32_t whole_s = one->left_s <= least_s ? least_s : walk->established_s;
	return whole_s > one->left_s ? whole_s - one->left_s : 0;
}

static int on_passed(void *context, const struct nlmsghdr *nlh)
{
	struct walk *walk = context;
	struct conntrack_one one;

	if (conntrack_message_parse(nlh, nlh->nlmsg_len, &one) == 0 &&
		one.protocol == IPPROTO_TCP && !conntrack_is_over(&one))
		walk->visit(walk->context, &one.source.addr, unused_of(walk, &one));
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
	status = list_marked(&nl, mask, MARK_PASS, AF_INET, on_passed, &walk);
	if (!status)
		status = list_marked(&nl, mask, MARK_PASS, AF_INET6, on_passed, &walk);
	netlink_close(&nl);
	return status;
}

/* ---- flows that the kernel carries alone ---- */

/* So many are asked for at once, whose answers wait in the socket's buffer. */
#define GET_AT_ONCE  64
#define ANSWER_BYTES (256 << 10)
/* A question by two IPv6 addresses and ports has less than 112. */
#define GET_BYTES 128

struct raw {
	conntrack_on_raw *on_raw;
	void *context;
	size_t index;
	int error; /* the first */
};

static int copy_raw(void *context, const struct nlmsghdr *nlh)
{
	struct raw *raw = context;
	if (nlh->nlmsg_len <= CONNTRACK_MESSAGE_MAX)
		raw->on_raw(raw->context, raw->index, nlh, nlh->nlmsg_len);
	return 0;
}

static struct nlmsghdr *begin_get(struct netlink *nl, struct netlink_request *request,
	const struct conntrack_tuple *tuple, uint16_t flags)
{
	struct conntrack_one one = {.source = tuple->source,
		.destination = tuple->destination,
		.protocol = IPPROTO_TCP};
	struct nlmsghdr *nlh =
		begin(nl, request, IPCTNL_MSG_CT_GET, flags, family_of(&tuple->source.addr));
	put_tuple(nlh, &one);
	return nlh;
}

static int get(struct netlink *nl, const struct conntrack_tuple *tuple,
	netlink_on_answer *on_answer, void *context)
{
	struct netlink_request request;
	const struct nlmsghdr *nlh = begin_get(nl, &request, tuple, NLM_F_ACK);

	return netlink_ask(nl, nlh, on_answer, context);
}

static void tell_one(void *context, size_t index, const struct nlmsghdr *nlh, int error)
{
	struct raw *raw = context;

	if (error == -ENOENT)
		raw->on_raw(raw->context, raw->index + index, NULL, 0);
	else if (nlh && nlh->nlmsg_len <= CONNTRACK_MESSAGE_MAX)
		raw->on_raw(raw->context, raw->index + index, nlh, nlh->nlmsg_len);
	else if (!raw->error)
		raw->error = error;
}

static int get_some(
	struct netlink *nl, const struct conntrack_tuple *tuples, size_t n, struct raw *raw)
{
	union {
		char bytes[GET_AT_ONCE * GET_BYTES];
		struct nlmsghdr align;
	} requests;
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		struct netlink_request request;
		struct nlmsghdr *nlh = begin_get(nl, &request, &tuples[i], 0);
		assert(nlh->nlmsg_len <= GET_BYTES);
		memcpy(requests.bytes + bytes, nlh, nlh->nlmsg_len);
		bytes += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	int status = netlink_ask_each(nl, &requests.align, bytes, n, tell_one, raw);
	return status ? status : raw->error;
}

int conntrack_get(
	const struct conntrack_tuple *tuples, size_t n, conntrack_on_raw *on_raw, void *context)
{
	struct raw raw = {.on_raw = on_raw, .context = context};
	struct netlink nl;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	if (n > 1)
		netlink_set_buffer(&nl, ANSWER_BYTES);
	for (size_t some; status == 0 && raw.index < n; raw.index += some) {
		some = n - raw.index < GET_AT_ONCE ? n - raw.index : GET_AT_ONCE;
		status = get_some(&nl, &tuples[raw.index], some, &raw);
	}
	netlink_close(&nl);
	return status;
}

int conntrack_dump(uint32_t mask, enum mark mark, conntrack_on_raw *on_raw, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct raw raw = {.on_raw = on_raw, .context = context};
	struct netlink nl;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	for (size_t i = 0; status == 0 && i < 2; i++)
		status = list_marked(&nl, mask, mark, families[i], copy_raw, &raw);
	netlink_close(&nl);
	return status;
}

static int take_one(void *context, const struct nlmsghdr *nlh)
{
	return conntrack_message_parse(nlh, nlh->nlmsg_len, context);
}

int conntrack_kill_flows(uint32_t mask, const struct conntrack_tuple *tuples, size_t n)
{
	struct conntrack_one one;
	struct netlink nl;
	int marked = 0;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	for (size_t i = 0; status == 0 && i < n; i++) {
		status = get(&nl, &tuples[i], take_one, &one);
		/* another connection may have its ports by now */
		bool ours = status == 0 && !conntrack_is_over(&one) &&
			    (one.mark & mask) == plan_mark_bits(mask, MARK_KERNEL);
		if (ours)
			status = mark_killed(&nl, mask, &one);
		if (ours && status == 0)
			marked++;
		if (status == -ENOENT)
			status = 0; /* it ended meanwhile */
	}
	netlink_close(&nl);
	return status ? status : marked;
}
