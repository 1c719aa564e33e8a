/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/conntrack_message.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

/* One direction. */
struct direction {
	struct endpoint source, destination;
	uint8_t protocol;
	uint16_t zone;
	bool has_zone;
};

static void parse_ip(const struct nlattr *nest, struct direction *direction)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		size_t len = mnl_attr_get_payload_len(attr);
		const void *bytes = mnl_attr_get_payload(attr);
		uint16_t type = mnl_attr_get_type(attr);
		bool ip4 = type == CTA_IP_V4_SRC || type == CTA_IP_V4_DST;
		bool ip6 = type == CTA_IP_V6_SRC || type == CTA_IP_V6_DST;
		if ((!ip4 && !ip6) || len != (ip4 ? 4 : 16))
			continue;
		struct addr *addr = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC
					    ? &direction->source.addr
					    : &direction->destination.addr;
		*addr = (struct addr){.family = ip4 ? ADDR_IP4 : ADDR_IP6};
		memcpy(addr->bytes, bytes, len);
	}
}

static void parse_ports(const struct nlattr *nest, struct direction *direction)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		size_t len = mnl_attr_get_payload_len(attr);
		uint16_t type = mnl_attr_get_type(attr);
		if (type == CTA_PROTO_NUM && len >= 1)
			direction->protocol = mnl_attr_get_u8(attr);
		else if (type == CTA_PROTO_SRC_PORT && len >= 2)
			direction->source.port = ntohs(mnl_attr_get_u16(attr));
		else if (type == CTA_PROTO_DST_PORT && len >= 2)
			direction->destination.port = ntohs(mnl_attr_get_u16(attr));
	}
}

static struct direction parse_direction(const struct nlattr *nest)
{
	struct direction direction = {0};
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			parse_ip(attr, &direction);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			parse_ports(attr, &direction);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_ZONE &&
			 mnl_attr_get_payload_len(attr) >= 2) {
			direction.zone = ntohs(mnl_attr_get_u16(attr));
			direction.has_zone = true;
		}
	}
	return direction;
}

static void parse_original(const struct nlattr *nest, struct conntrack_one *one)
{
	struct direction direction = parse_direction(nest);

	one->source = direction.source;
	one->destination = direction.destination;
	one->protocol = direction.protocol;
	one->original_zone = direction.zone;
	one->has_original_zone = direction.has_zone;
}

static void parse_answer(const struct nlattr *nest, struct conntrack_one *one)
{
	struct direction direction = parse_direction(nest);

	one->answerer = direction.source;
	one->answered_to = direction.destination;
}

static void parse_state(const struct nlattr *nest, struct conntrack_one *one)
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
				one->state = mnl_attr_get_u8(tcp);
		}
	}
}

static void parse_counters(const struct nlattr *nest, uint64_t *packets, uint64_t *bytes)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		uint16_t type = mnl_attr_get_type(attr);
		if (mnl_attr_get_payload_len(attr) < sizeof(uint64_t))
			continue;
		if (type == CTA_COUNTERS_PACKETS)
			*packets = be64toh(mnl_attr_get_u64(attr));
		else if (type == CTA_COUNTERS_BYTES)
			*bytes = be64toh(mnl_attr_get_u64(attr));
	}
}

bool conntrack_is_over(const struct conntrack_one *one)
{
	return one->state >= TCP_CONNTRACK_TIME_WAIT;
}

static void parse_attribute(const struct nlattr *attr, struct conntrack_one *one)
{
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		parse_original(attr, one);
		break;
	case CTA_TUPLE_REPLY:
		parse_answer(attr, one);
		break;
	case CTA_PROTOINFO:
		parse_state(attr, one);
		break;
	case CTA_COUNTERS_ORIG:
		parse_counters(attr, &one->sent_packets, &one->sent_bytes);
		break;
	case CTA_COUNTERS_REPLY:
		parse_counters(attr, &one->answered_packets, &one->answered_bytes);
		break;
	case CTA_TIMEOUT:
		if (len >= 4)
			one->left_s = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_MARK:
		if (len >= 4)
			one->mark = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_ZONE:
		if (len >= 2) {
			one->zone = ntohs(mnl_attr_get_u16(attr));
			one->has_zone = true;
		}
		break;
	default:
		break;
	}
}

int conntrack_message_parse(const void *bytes, size_t len, struct conntrack_one *one)
{
	union {
		char bytes[CONNTRACK_MESSAGE_MAX];
		struct nlmsghdr header;
	} message;
	const struct nlattr *attr;

	*one = (struct conntrack_one){0};
	if (len < sizeof(message.header) + sizeof(struct nfgenmsg) || len > sizeof(message.bytes))
		return -EBADMSG;
	memcpy(message.bytes, bytes, len);
	if (!mnl_nlmsg_ok(&message.header, (int)len) ||
		mnl_nlmsg_get_payload_len(&message.header) < sizeof(struct nfgenmsg) ||
		message.header.nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		return -EBADMSG;
	mnl_attr_for_each(attr, &message.header, sizeof(struct nfgenmsg))
		parse_attribute(attr, one);
	return one->source.addr.family == ADDR_NONE ||
			       one->source.addr.family != one->destination.addr.family
		       ? -EBADMSG
		       : 0;
}
