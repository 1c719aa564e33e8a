#include "kernel-rules/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "kernel-rules/netlink.h"

#define READS_MOST 64
#define TRIES      8
#define EVENTS_WANTED                                                    \
	(1u << (RTNLGRP_IPV4_RULE - 1) | 1u << (RTNLGRP_IPV6_RULE - 1) | \
		1u << (RTNLGRP_IPV4_ROUTE - 1) | 1u << (RTNLGRP_IPV6_ROUTE - 1))

static const uint8_t families[] = {AF_INET, AF_INET6};

/* What of a rule or route we look at. */
struct found {
	uint8_t family;
	uint32_t table, protocol;
	uint32_t priority, mark, mask;
	char iif[POLICY_IFNAME_SIZE];
	bool is_local_default;
};

struct routes {
	struct netlink events, questions;
	/* What the last apply wanted, so that events can be judged. */
	uint32_t table, protocol;
};

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

/* fib_rule_hdr and rtmsg have one shape; a rule is known by its attributes. */
static bool parse_rule(const struct nlmsghdr *nlh, struct found *found)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*frh))
		return false;
	*found = (struct found){.family = frh->family, .table = frh->table};
	mnl_attr_for_each(attr, nlh, sizeof(*frh))
	{
		switch (mnl_attr_get_type(attr)) {
		case FRA_TABLE:
			found->table = attr_u32(attr);
			break;
		case FRA_PRIORITY:
			found->priority = attr_u32(attr);
			break;
		case FRA_FWMARK:
			found->mark = attr_u32(attr);
			break;
		case FRA_FWMASK:
			found->mask = attr_u32(attr);
			break;
		case FRA_PROTOCOL:
			found->protocol = mnl_attr_get_u8(attr);
			break;
		case FRA_IIFNAME:
			strncpy(found->iif, mnl_attr_get_str(attr), sizeof(found->iif) - 1);
			break;
		default:
			break;
		}
	}
	return true;
}

static bool parse_route(const struct nlmsghdr *nlh, struct found *found)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return false;
	*found = (struct found){.family = rtm->rtm_family,
		.table = rtm->rtm_table,
		.protocol = rtm->rtm_protocol,
		.is_local_default = rtm->rtm_type == RTN_LOCAL && rtm->rtm_dst_len == 0};
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_TABLE)
			found->table = attr_u32(attr);
	}
	return true;
}

/* ---- asking ---- */

static int change_rule(struct routes *routes, bool add, const struct found *rule)
{
	struct netlink_request request;
	struct nlmsghdr *nlh =
		netlink_begin(&routes->questions, &request, add ? RTM_NEWRULE : RTM_DELRULE,
			(uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)));
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = rule->family;
	frh->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u32(nlh, FRA_FWMARK, rule->mark);
	mnl_attr_put_u32(nlh, FRA_FWMASK, rule->mask);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, (uint8_t)rule->protocol);
	mnl_attr_put_strz(nlh, FRA_IIFNAME, rule->iif);
	int status = netlink_ask(&routes->questions, nlh, NULL, NULL);
	return status == (add ? -EEXIST : -ENOENT) ? 0 : status;
}

static int change_route(
	struct routes *routes, bool add, uint8_t family, uint32_t table, uint32_t protocol)
{
	struct netlink_request request;
	struct nlmsghdr *nlh =
		netlink_begin(&routes->questions, &request, add ? RTM_NEWROUTE : RTM_DELROUTE,
			(uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)));
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_UNSPEC;
	rtm->rtm_protocol = (uint8_t)protocol;
	rtm->rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_LOCAL;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	mnl_attr_put_u32(nlh, RTA_OIF, 1); /* lo is number 1 in every network namespace */
	int status = netlink_ask(&routes->questions, nlh, NULL, NULL);
	return status == (add ? -EEXIST : -ESRCH) ? 0 : status;
}

struct listing {
	const struct routes *routes;
	struct found *v;
	size_t n;
	int error;
};

static int list(struct listing *listing, const struct found *found)
{
	if (listing->n % 64 == 0) {
		struct found *v = realloc(listing->v, (listing->n + 64) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		listing->v = v;
	}
	listing->v[listing->n++] = *found;
	return 0;
}

static int on_rule(void *context, const struct nlmsghdr *nlh)
{
	struct listing *listing = context;
	struct found found;
	if (nlh->nlmsg_type != RTM_NEWRULE || !parse_rule(nlh, &found) ||
		found.protocol != listing->routes->protocol)
		return 0;
	return list(listing, &found);
}

/* All our rules of one family. */
static int list_rules(struct routes *routes, uint8_t family, struct listing *listing)
{
	struct netlink_request request;
	int status = -EINTR;

	*listing = (struct listing){.routes = routes};
	for (unsigned tries = 0; status == -EINTR && tries < TRIES; tries++) {
		listing->n = 0;
		free(listing->v);
		listing->v = NULL;
		struct nlmsghdr *nlh =
			netlink_begin(&routes->questions, &request, RTM_GETRULE, NLM_F_DUMP);
		struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
		frh->family = family;
		status = netlink_ask(&routes->questions, nlh, on_rule, listing);
	}
	return status;
}

/* ---- what is wanted ---- */

static bool is_wanted(const struct plan *plan, const char *ifname)
{
	for (size_t i = 0; i < plan->nzones; i++) {
		for (size_t n = 0; n < plan->zones[i].ninterfaces; n++) {
			if (policy_interface_match(plan->zones[i].interfaces[n], ifname))
				return true;
		}
	}
	return false;
}

static struct found rule_for(const struct plan *plan, uint8_t family, const char *ifname)
{
	struct found rule = {.family = family,
		.table = plan->route_table,
		.protocol = plan->route_protocol,
		.priority = plan->rule_priority,
		.mark = plan_mark_bits(plan->mark_mask, PLAN_MARK_RELAY),
		.mask = plan->mark_mask};
	snprintf(rule.iif, sizeof(rule.iif), "%s", ifname);
	return rule;
}

static bool is_same_rule(const struct found *a, const struct found *b)
{
	return a->table == b->table && a->priority == b->priority && a->mark == b->mark &&
	       a->mask == b->mask && strcmp(a->iif, b->iif) == 0;
}

static void keep_first(int *status, int next)
{
	if (*status == 0)
		*status = next;
}

static int apply_family(
	struct routes *routes, const struct plan *plan, const struct links *links, uint8_t family)
{
	struct listing listing;
	int status = list_rules(routes, family, &listing);

	if (status)
		goto out;
	/* The route first: a rule without it would send packets on to the next rule. */
	keep_first(&status,
		change_route(routes, true, family, plan->route_table, plan->route_protocol));
	for (size_t i = 0; i < links_count(links); i++) {
		const struct link *link = links_at(links, i);
		bool there = false;
		if (!is_wanted(plan, link->name))
			continue;
		struct found rule = rule_for(plan, family, link->name);
		for (size_t n = 0; n < listing.n; n++) {
			if (listing.v[n].iif[0] && is_same_rule(&listing.v[n], &rule)) {
				there = true;
				listing.v[n].iif[0] = 0; /* used up; a twin is too much */
			}
		}
		if (!there)
			keep_first(&status, change_rule(routes, true, &rule));
	}
	for (size_t n = 0; n < listing.n; n++) {
		if (listing.v[n].iif[0])
			keep_first(&status, change_rule(routes, false, &listing.v[n]));
	}
out:
	free(listing.v);
	return status;
}

int routes_apply(struct routes *routes, const struct plan *plan, const struct links *links)
{
	int status = 0;
	if (plan->mode == PLAN_BARE)
		return routes_remove(routes, plan);
	if (routes->table && routes->table != plan->route_table) {
		for (size_t i = 0; i < 2; i++)
			keep_first(&status, change_route(routes, false, families[i], routes->table,
						    routes->protocol));
	}
	routes->table = plan->route_table;
	routes->protocol = plan->route_protocol;
	for (size_t i = 0; i < 2; i++)
		keep_first(&status, apply_family(routes, plan, links, families[i]));
	return status;
}

int routes_remove(struct routes *routes, const struct plan *plan)
{
	int status = 0;
	routes->protocol = plan->route_protocol;
	for (size_t i = 0; i < 2; i++) {
		struct listing listing;
		keep_first(&status, list_rules(routes, families[i], &listing));
		for (size_t n = 0; n < listing.n; n++)
			keep_first(&status, change_rule(routes, false, &listing.v[n]));
		free(listing.v);
		keep_first(&status, change_route(routes, false, families[i], plan->route_table,
					    plan->route_protocol));
	}
	routes->table = 0;
	return status;
}

/* ---- events ---- */

int routes_open(struct routes **out)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	routes->questions.fd = -1;
	int status = netlink_open(&routes->events, NETLINK_ROUTE, EVENTS_WANTED);
	if (status == 0)
		status = netlink_open(&routes->questions, NETLINK_ROUTE, 0);
	if (status) {
		routes_close(routes);
		return status;
	}
	netlink_set_buffer(&routes->events, 1 << 20);
	*out = routes;
	return 0;
}

void routes_close(struct routes *routes)
{
	if (!routes)
		return;
	netlink_close(&routes->events);
	netlink_close(&routes->questions);
	free(routes);
}

int routes_fd(const struct routes *routes)
{
	return routes->events.fd;
}

struct hearing {
	const struct routes *routes;
	bool ours;
};

static int on_event(void *context, const struct nlmsghdr *nlh)
{
	struct hearing *hearing = context;
	const struct routes *routes = hearing->routes;
	struct found found;

	if (!routes->table || nlh->nlmsg_pid == routes->questions.port)
		return 0;
	if ((nlh->nlmsg_type == RTM_DELRULE && parse_rule(nlh, &found)) ||
		(nlh->nlmsg_type == RTM_DELROUTE && parse_route(nlh, &found)))
		hearing->ours = hearing->ours || (found.table == routes->table &&
							 found.protocol == routes->protocol);
	return 0;
}

int routes_read(struct routes *routes)
{
	struct hearing hearing = {.routes = routes};
	int status = netlink_read_events(&routes->events, READS_MOST, on_event, &hearing);
	if (status == -ENOBUFS)
		return 1;
	return status ? status : hearing.ours;
}
