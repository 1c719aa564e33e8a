/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/bytes.h"

#include "kernel-rules/nftables/table.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

const struct nlmsghdr *foreign_next(const struct foreign_dump *dump, size_t *at, uint32_t *family)
{
	while (*at < dump->len && dump->len - *at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *message = (const void *)(dump->bytes + *at);
		if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > dump->len - *at)
			break;
		*at += MNL_ALIGN(message->nlmsg_len);
		if (message->nlmsg_len < sizeof(*message) + sizeof(struct nfgenmsg) ||
			message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
			continue;
		const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(message);
		*family = nfg->nfgen_family;
		return message;
	}
	*at = dump->len;
	return NULL;
}

static void take(const struct nlattr *attr, struct foreign_attrs *attrs)
{
	if (mnl_attr_get_type(attr) < FOREIGN_ATTRS)
		attrs->v[mnl_attr_get_type(attr)] = attr;
}

void foreign_read(const struct nlmsghdr *message, struct foreign_attrs *attrs)
{
	const struct nlattr *attr;

	*attrs = (struct foreign_attrs){{NULL}};
	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg)) take(attr, attrs);
}

void foreign_nested(const struct nlattr *nest, struct foreign_attrs *attrs)
{
	const struct nlattr *attr;

	*attrs = (struct foreign_attrs){{NULL}};
	if (nest)
		mnl_attr_for_each_nested(attr, nest) take(attr, attrs);
}

const void *foreign_data(const struct foreign_attrs *attrs, unsigned type, uint32_t *len)
{
	const struct nlattr *attr = attrs->v[type];

	*len = attr ? mnl_attr_get_payload_len(attr) : 0;
	return attr ? mnl_attr_get_payload(attr) : NULL;
}

uint32_t foreign_u32(const struct foreign_attrs *attrs, unsigned type)
{
	uint32_t len, value;
	const void *data = foreign_data(attrs, type, &len);

	if (len < sizeof(value))
		return 0;
	memcpy(&value, data, sizeof(value));
	return ntohl(value);
}

uint64_t foreign_u64(const struct foreign_attrs *attrs, unsigned type)
{
	uint64_t value;
	uint32_t len;
	const void *data = foreign_data(attrs, type, &len);

	if (len < sizeof(value))
		return 0;
	memcpy(&value, data, sizeof(value));
	return be64toh(value);
}

const char *foreign_text(const struct foreign_attrs *attrs, unsigned type)
{
	uint32_t len;
	const char *text = foreign_data(attrs, type, &len);

	return text && memchr(text, 0, len) ? text : NULL;
}

const void *foreign_value(const struct foreign_attrs *attrs, unsigned type, uint32_t *len)
{
	struct foreign_attrs data;

	foreign_nested(attrs->v[type], &data);
	return foreign_data(&data, NFTA_DATA_VALUE, len);
}

bool foreign_verdict(
	const struct foreign_attrs *attrs, unsigned type, uint32_t *verdict, const char **chain)
{
	struct foreign_attrs data, parts;

	foreign_nested(attrs->v[type], &data);
	foreign_nested(data.v[NFTA_DATA_VERDICT], &parts);
	*verdict = foreign_u32(&parts, NFTA_VERDICT_CODE);
	*chain = foreign_text(&parts, NFTA_VERDICT_CHAIN);
	return parts.v[NFTA_VERDICT_CODE] != NULL;
}

const char *foreign_family(uint32_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return NULL; /* bridge, arp: not on our way */
	}
}

bool foreign_is_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && strcmp(table, TABLE_NAME) == 0;
}

struct foreign_word foreign_word(const char *name)
{
	struct foreign_word word;

	snprintf(word.text, sizeof(word.text), "%s", name ? name : "");
	for (char *p = word.text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			*p = '?';
	return word;
}
