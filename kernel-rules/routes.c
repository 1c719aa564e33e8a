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
#define WAYS_MAX   256 /* interfaces towards hosts of `bind client` */
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
	struct prefix destination; /* of a route */
};

struct routes {
	struct netlink events, questions;
	/* What the last apply wanted, so that events can be judged. */
	uint32_t table, protocol;
	struct addr *hosts;
	size_t nhosts;
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
		.is_local_default = rtm->rtm_type == RTN_LOCAL && rtm->rtm_dst_len == 0,
		.destination.addr.family = rtm->rtm_family == AF_INET ? ADDR_IP4 : ADDR_IP6,
		.destination.len = rtm->rtm_dst_len};
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		size_t len = mnl_attr_get_payload_len(attr);
		if (mnl_attr_get_type(attr) == RTA_TABLE)
			found->table = attr_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_DST &&
			len <= sizeof(found->destination.addr.bytes))
			memcpy(found->destination.addr.bytes, mnl_attr_get_payload(attr), len);
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

static void keep_first(int *status, int next)
{
	if (*status == 0)
		*status = next;
}

/* Interfaces by their numbers. */
struct ways {
	uint32_t v[WAYS_MAX];
	size_t n;
};

static void add_way(struct ways *ways, uint32_t ifindex)
{
	for (size_t i = 0; i < ways->n; i++) {
		if (ways->v[i] == ifindex)
			return;
	}
	if (ways->n < WAYS_MAX)
		ways->v[ways->n++] = ifindex;
}

static bool has_way(const struct ways *ways, uint32_t ifindex)
{
	for (size_t i = 0; i < ways->n; i++) {
		if (ways->v[i] == ifindex)
			return true;
	}
	return false;
}

/* The interfaces of a route with several next hops. */
static void add_next_hops(struct ways *ways, const struct nlattr *attr)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = (int)mnl_attr_get_payload_len(attr);
	for (; RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		add_way(ways, (uint32_t)hop->rtnh_ifindex);
		left -= (int)NLMSG_ALIGN(hop->rtnh_len);
	}
}

static int on_way(void *context, const struct nlmsghdr *nlh)
{
	struct ways *ways = context;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	/* a host of the gateway itself answers over no interface */
	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) ||
		rtm->rtm_type != RTN_UNICAST)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF)
			add_way(ways, attr_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			add_next_hops(ways, attr);
	}
	return 0;
}

/* Where packets of a host come from: from where those to it go. */
static int find_way(struct routes *routes, const struct addr *host, struct ways *ways)
{
	struct netlink_request request;
	bool ip4 = host->family == ADDR_IP4;
	struct nlmsghdr *nlh = netlink_begin(&routes->questions, &request, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = ip4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = ip4 ? 32 : 128;
	rtm->rtm_flags = RTM_F_FIB_MATCH; /* the route as it stands, with all its next hops */
	mnl_attr_put(nlh, RTA_DST, ip4 ? 4 : 16, host->bytes);
	int status = netlink_ask(&routes->questions, nlh, on_way, ways);
	/* no route now: an event tells when there is one */
	return status == -ENETUNREACH || status == -EHOSTUNREACH || status == -EACCES ||
			       status == -EINVAL || status == -EAFNOSUPPORT
		       ? 0
		       : status;
}

uint32_t routes_find_way(struct routes *routes, const struct addr *addr)
{
	struct ways ways = {0};
	return find_way(routes, addr, &ways) == 0 && ways.n > 0 ? ways.v[0] : 0;
}

static int find_ways(struct routes *routes, uint8_t family, struct ways *ways)
{
	enum addr_family wanted = family == AF_INET ? ADDR_IP4 : ADDR_IP6;
	int status = 0;
	for (size_t i = 0; i < routes->nhosts; i++) {
		if (routes->hosts[i].family == wanted)
			keep_first(&status, find_way(routes, &routes->hosts[i], ways));
	}
	return status;
}

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

static int apply_family(
	struct routes *routes, const struct plan *plan, const struct links *links, uint8_t family)
{
	struct listing listing;
	struct ways ways = {0};
	int status = list_rules(routes, family, &listing);

	if (status)
		goto out;
	status = find_ways(routes, family, &ways);
	/* The route first: a rule without it would send packets on to the next rule. */
	keep_first(&status,
		change_route(routes, true, family, plan->route_table, plan->route_protocol));
	for (size_t i = 0; i < links_count(links); i++) {
		const struct link *link = links_at(links, i);
		bool there = false;
		if (!is_wanted(plan, link->name) && !has_way(&ways, link->ifindex))
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

/* Each address once, for events. */
static int take_hosts(struct routes *routes, const struct plan *plan)
{
	struct addr *hosts = calloc(plan->nhosts + 1, sizeof(*hosts));
	size_t n = 0;
	if (!hosts)
		return -ENOMEM;
	for (size_t i = 0; i < plan->nhosts; i++) {
		size_t at = 0;
		while (at < n && !addr_equal(&hosts[at], &plan->hosts[i].addr))
			at++;
		if (at == n)
			hosts[n++] = plan->hosts[i].addr;
	}
	free(routes->hosts);
	routes->hosts = hosts;
	routes->nhosts = n;
	return 0;
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
	keep_first(&status, take_hosts(routes, plan));
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
	routes->nhosts = 0;
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
	free(routes->hosts);
	free(routes);
}

int routes_fd(const struct routes *routes)
{
	return routes->events.fd;
}

struct hearing {
	const struct routes *routes;
	bool ours, moved;
};

static bool leads_to_host(const struct routes *routes, const struct prefix *destination)
{
	for (size_t i = 0; i < routes->nhosts; i++) {
		if (prefix_contains(destination, &routes->hosts[i]))
			return true;
	}
	return false;
}

static int on_event(void *context, const struct nlmsghdr *nlh)
{
	struct hearing *hearing = context;
	const struct routes *routes = hearing->routes;
	struct found found;

	if (!routes->table || nlh->nlmsg_pid == routes->questions.port)
		return 0;
	bool is_rule = nlh->nlmsg_type == RTM_NEWRULE || nlh->nlmsg_type == RTM_DELRULE;
	bool is_gone = nlh->nlmsg_type == RTM_DELRULE || nlh->nlmsg_type == RTM_DELROUTE;
	if (is_rule ? !parse_rule(nlh, &found) : !parse_route(nlh, &found))
		return 0;
	if (found.table == routes->table && found.protocol == routes->protocol)
		hearing->ours = hearing->ours || is_gone;
	else if (is_rule ? routes->nhosts > 0 : leads_to_host(routes, &found.destination))
		hearing->moved = true;
	return 0;
}

int routes_read(struct routes *routes)
{
	struct hearing hearing = {.routes = routes};
	int status = netlink_read_events(&routes->events, READS_MOST, on_event, &hearing);
	if (status == -ENOBUFS)
		return ROUTES_HARMED;
	if (status)
		return status;
	return hearing.ours ? ROUTES_HARMED : hearing.moved ? ROUTES_MOVED : 0;
}
