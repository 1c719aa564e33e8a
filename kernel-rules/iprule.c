/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/iprule.h"

#include "lib/base/copy.h"

#include <errno.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

static uint8_t attr_u8(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 1 ? mnl_attr_get_u8(attr) : 0;
}

static void take_attr(struct iprule *rule, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_TABLE:
		rule->table = attr_u32(attr);
		break;
	case FRA_PRIORITY:
		rule->priority = attr_u32(attr);
		break;
	case FRA_GOTO:
		rule->target = attr_u32(attr);
		break;
	case FRA_FWMARK:
		rule->mark = attr_u32(attr);
		break;
	case FRA_FWMASK:
		rule->mask = attr_u32(attr);
		break;
	case FRA_PROTOCOL:
		rule->protocol = attr_u8(attr);
		break;
	case FRA_IP_PROTO:
		rule->ip_protocol = attr_u8(attr);
		break;
	case FRA_OIFNAME:
		rule->has_oif = true;
		break;
	case FRA_IIFNAME:
		copy_text(rule->iif, sizeof(rule->iif), mnl_attr_get_str(attr));
		break;
	default:
		break;
	}
}

bool iprule_parse(const struct nlmsghdr *nlh, struct iprule *rule)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if ((nlh->nlmsg_type != RTM_NEWRULE && nlh->nlmsg_type != RTM_DELRULE) ||
		mnl_nlmsg_get_payload_len(nlh) < sizeof(*frh))
		return false;
	*rule = (struct iprule){.family = frh->family,
		.action = frh->action,
		.table = frh->table,
		.inverted = frh->flags & FIB_RULE_INVERT};
	mnl_attr_for_each(attr, nlh, sizeof(*frh)) take_attr(rule, attr);
	return true;
}

bool iprule_equal(const struct iprule *a, const struct iprule *b)
{
	return a->action == b->action && a->priority == b->priority && a->target == b->target &&
	       a->table == b->table && a->mark == b->mark && a->mask == b->mask &&
	       strcmp(a->iif, b->iif) == 0;
}

int iprule_change(struct netlink *nl, bool add, const struct iprule *rule)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = netlink_begin(nl, &request, add ? RTM_NEWRULE : RTM_DELRULE,
		(uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)));
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = rule->family;
	frh->action = rule->action;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, rule->protocol);
	if (rule->table)
		mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	if (rule->target)
		mnl_attr_put_u32(nlh, FRA_GOTO, rule->target);
	if (rule->mask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, rule->mask);
	}
	if (rule->iif[0])
		mnl_attr_put_strz(nlh, FRA_IIFNAME, rule->iif);
	int status = netlink_ask(nl, nlh, NULL, NULL);
	return status == (add ? -EEXIST : -ENOENT) ? 0 : status;
}

struct visiting {
	iprule_visit *visit;
	void *context;
};

static int on_rule(void *context, const struct nlmsghdr *nlh)
{
	const struct visiting *visiting = context;
	struct iprule rule;
	return iprule_parse(nlh, &rule) ? visiting->visit(visiting->context, &rule) : 0;
}

int iprule_each(struct netlink *nl, uint8_t family, iprule_visit *visit, void *context)
{
	struct visiting visiting = {visit, context};
	struct netlink_request request;
	struct nlmsghdr *nlh = netlink_begin(nl, &request, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = family;
	return netlink_ask(nl, nlh, on_rule, &visiting);
}

bool iprule_may_take(const struct iprule *rule, uint32_t mask, uint32_t bits)
{
	if (rule->action == FR_ACT_NOP)
		return false;
	/* no address of the machine's own is in it for us */
	if (rule->action == FR_ACT_TO_TBL && rule->table == RT_TABLE_LOCAL)
		return false;
	if (rule->inverted)
		return true;
	if (strcmp(rule->iif, "lo") == 0 || rule->has_oif)
		return false;
	if (rule->ip_protocol && rule->ip_protocol != IPPROTO_TCP &&
		rule->ip_protocol != IPPROTO_ICMP && rule->ip_protocol != IPPROTO_ICMPV6)
		return false;
	/* of the bits that it asks for, those that are ours must fit */
	return ((rule->mark ^ bits) & rule->mask & mask) == 0;
}
