/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/flow_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include "kernel-rules/netlink.h"
#include "kernel-rules/packet.h"

#define BUFFER_BYTES   (8 << 20)
#define DATAGRAM_BYTES 65536
/* The kernel gathers a batch in as much, in four pages with what it notes beside it: about 220
 * bytes are told of a packet. */
#define BATCH_BYTES (16384 - 512)
#define READS_MOST  64

const char *const flow_log_prefixes[FLOW_LOG_KINDS] = {
	[FLOW_LOG_BEGIN] = "begin", [FLOW_LOG_END] = "end", [FLOW_LOG_ANSWER] = "answer"};

static struct nlmsghdr *begin(struct netlink *nl, struct netlink_request *request, uint16_t group)
{
	return netlink_begin_nf(nl, request, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK,
		AF_UNSPEC, group);
}

static int configure(struct netlink *nl, uint16_t group)
{
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(FLOW_LOG_BYTES), .copy_mode = NFULNL_COPY_PACKET};
	struct netlink_request request;

	struct nlmsghdr *nlh = begin(nl, &request, group);
	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(bind), &bind);
	int status = netlink_ask(nl, nlh, NULL, NULL);
	if (status)
		return status;
	nlh = begin(nl, &request, group);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_TIMEOUT, htonl(FLOW_LOG_FLUSH));
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(FLOW_LOG_BATCH));
	mnl_attr_put_u32(nlh, NFULA_CFG_NLBUFSIZ, htonl(BATCH_BYTES));
	return netlink_ask(nl, nlh, NULL, NULL);
}

int flow_log_open(uint16_t group)
{
	struct netlink nl;

	int status = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (status)
		return status;
	netlink_set_buffer(&nl, BUFFER_BYTES);
	status = configure(&nl, group);
	if (status) {
		netlink_close(&nl);
		return status;
	}
	return nl.fd;
}

/* ---- reading ---- */

static uint32_t get_be32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static void take_mac(const struct nlattr *attr, struct mac *mac)
{
	struct nfulnl_msg_packet_hw hw;
	if (mnl_attr_get_payload_len(attr) < sizeof(hw))
		return;
	memcpy(&hw, mnl_attr_get_payload(attr), sizeof(hw));
	if (ntohs(hw.hw_addrlen) == sizeof(mac->bytes))
		memcpy(mac->bytes, hw.hw_addr, sizeof(mac->bytes));
}

static bool take_kind(const struct nlattr *attr, enum flow_log_kind *kind)
{
	for (int i = 0; i < FLOW_LOG_KINDS; i++) {
		size_t len = strlen(flow_log_prefixes[i]) + 1;
		if (mnl_attr_get_payload_len(attr) != len ||
			memcmp(mnl_attr_get_payload(attr), flow_log_prefixes[i], len) != 0)
			continue;
		*kind = (enum flow_log_kind)i;
		return true;
	}
	return false;
}

static bool take_packet(const struct nlattr *attr, struct flow_log_entry *entry)
{
	struct packet packet;
	if (packet_parse(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), &packet))
		return false;
	entry->source = packet.source;
	entry->destination = packet.destination;
	entry->is_reset = packet.is_reset;
	entry->is_refusal = packet.is_reset && packet.sequence == 0;
	return true;
}

static bool parse_entry(const struct nlmsghdr *nlh, struct flow_log_entry *entry)
{
	const struct nlattr *attr;
	bool kind = false, packet = false;

	*entry = (struct flow_log_entry){0};
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFULA_PREFIX:
			kind = take_kind(attr, &entry->kind);
			break;
		case NFULA_MARK:
			entry->mark = get_be32(attr);
			break;
		case NFULA_IFINDEX_INDEV:
			entry->ifindex = get_be32(attr);
			break;
		case NFULA_HWADDR:
			take_mac(attr, &entry->mac);
			break;
		case NFULA_PAYLOAD:
			packet = take_packet(attr, entry);
			break;
		default:
			break;
		}
	}
	return kind && packet;
}

static void parse(const struct nlmsghdr *nlh, int len, flow_log_on_entry *on_entry, void *context)
{
	struct flow_log_entry entry;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) &&
			mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct nfgenmsg) &&
			parse_entry(nlh, &entry))
			on_entry(context, &entry);
	}
}

union datagram {
	char bytes[DATAGRAM_BYTES];
	struct nlmsghdr header;
};

void flow_log_parse(const void *bytes, size_t len, flow_log_on_entry *on_entry, void *context)
{
	union datagram datagram;

	if (len > sizeof(datagram.bytes))
		return;
	memcpy(datagram.bytes, bytes, len);
	parse(&datagram.header, (int)len, on_entry, context);
}

int flow_log_read(int fd, flow_log_on_entry *on_entry, void *context)
{
	union datagram datagram;
	int status = 0;

	for (unsigned reads = 0; reads < READS_MOST; reads++) {
		struct sockaddr_nl from = {0};
		socklen_t size = sizeof(from);
		ssize_t len = recvfrom(fd, datagram.bytes, sizeof(datagram.bytes), MSG_DONTWAIT,
			(struct sockaddr *)&from, &size);
		if (len < 0 && errno == EAGAIN)
			break;
		if (len < 0 && errno == ENOBUFS)
			status = -ENOBUFS;
		else if (len < 0 && errno != EINTR)
			return -errno;
		/* only the kernel is believed */
		if (len >= 0 && from.nl_pid == 0)
			parse(&datagram.header, (int)len, on_entry, context);
	}
	return status;
}
