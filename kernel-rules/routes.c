/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "kernel-rules/iprule.h"
#include "kernel-rules/netlink.h"
#include "kernel-rules/way.h"

#define READS_MOST 64
#define TRIES      8
#define PRIORITY   4025 /* where nothing stands in front */
#define MOVES_MOST 10   /* in MOVES_MS: then another program wants the same place */
#define MOVES_MS   60000
#define EVENTS_WANTED                                                    \
	(1u << (RTNLGRP_IPV4_RULE - 1) | 1u << (RTNLGRP_IPV6_RULE - 1) | \
		1u << (RTNLGRP_IPV4_ROUTE - 1) | 1u << (RTNLGRP_IPV6_ROUTE - 1))

static const uint8_t families[ROUTES_FAMILIES] = {AF_INET, AF_INET6};

/* Behind one another; the first leaps over the second, to the third, which does nothing. */
enum place {
	PLACE_OWN,    /* what the machine itself sends: a relay's answers may carry the mark, too */
	PLACE_LOOKUP, /* what we steered */
	PLACE_END,
};
#define PLACES 3

/* Of one family: who fights for the place in one keeps the other where it is. */
struct moves {
	uint64_t since_ms;
	unsigned n;
};

struct routes {
	struct netlink events, questions;
	/* What the last apply wanted, so that events can be judged. */
	uint32_t table, protocol;
	struct routes_standing standing[ROUTES_FAMILIES];
	struct moves moves[ROUTES_FAMILIES];
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void keep_first(int *status, int next)
{
	if (*status == 0)
		*status = next;
}

/* ---- the route ---- */

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

/* The kernel has no such family, or it is switched off on lo: no packet of it can be steered. */
static bool is_off(uint8_t family, int status)
{
	return status == -EAFNOSUPPORT || status == -EOPNOTSUPP ||
	       (family == AF_INET6 && (status == -EACCES || status == -ENODEV));
}

/* ---- ip rules ---- */

struct listing {
	const struct routes *routes;
	uint32_t mask, bits;
	struct iprule *v; /* ours */
	size_t n;
	uint32_t first; /* priority of the first other rule that can take what we steer */
};

static int list(void *context, const struct iprule *rule)
{
	struct listing *listing = context;
	if (rule->protocol != listing->routes->protocol) {
		if (rule->priority < listing->first &&
			iprule_may_take(rule, listing->mask, listing->bits))
			listing->first = rule->priority;
		return 0;
	}
	if (listing->n % 64 == 0) {
		struct iprule *v = realloc(listing->v, (listing->n + 64) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		listing->v = v;
	}
	listing->v[listing->n++] = *rule;
	return 0;
}

static int list_rules(
	struct routes *routes, const struct plan *plan, uint8_t family, struct listing *listing)
{
	int status = -EINTR;

	*listing = (struct listing){.routes = routes,
		.mask = plan->mark_mask,
		.bits = plan_mark_bits(plan->mark_mask, MARK_RELAY)};
	for (unsigned tries = 0; status == -EINTR && tries < TRIES; tries++) {
		listing->n = 0;
		listing->first = UINT32_MAX;
		free(listing->v);
		listing->v = NULL;
		status = iprule_each(&routes->questions, family, list, listing);
	}
	return status;
}

static struct iprule rule_for(
	const struct plan *plan, uint8_t family, enum place place, uint32_t priority)
{
	struct iprule rule = {.family = family,
		.protocol = (uint8_t)plan->route_protocol,
		.priority = priority + (uint32_t)place,
		.action = FR_ACT_NOP};
	if (place == PLACE_END)
		return rule;
	rule.mark = plan_mark_bits(plan->mark_mask, MARK_RELAY);
	rule.mask = plan->mark_mask;
	if (place == PLACE_LOOKUP) {
		rule.action = FR_ACT_TO_TBL;
		rule.table = plan->route_table;
	} else {
		rule.action = FR_ACT_GOTO;
		rule.target = priority + PLACE_END;
		strcpy(rule.iif, "lo");
	}
	return rule;
}

/* Takes all that are equal out of the listing, but keeps one of them. */
static bool use_up(struct listing *listing, const struct iprule *rule)
{
	for (size_t i = 0; i < listing->n; i++) {
		if (!iprule_equal(&listing->v[i], rule))
			continue;
		listing->v[i] = listing->v[--listing->n];
		return true;
	}
	return false;
}

static bool may_move(struct moves *moves)
{
	uint64_t now = now_ms();
	if (now - moves->since_ms >= MOVES_MS)
		*moves = (struct moves){.since_ms = now};
	return moves->n < MOVES_MOST;
}

/* Another's rule of the same priority that was there before stays in front: where the third stands
 * beside one is no matter. */
static uint32_t place_before(uint32_t first)
{
	if (first > PRIORITY + PLACE_END)
		return PRIORITY;
	return first > PLACES ? first - PLACES : 1;
}

/* Where the three are to stand. */
static uint32_t choose_place(const struct plan *plan, const struct listing *listing,
	struct routes_standing *standing, struct moves *moved)
{
	uint32_t before = standing->priority, wanted = plan->rule_priority;

	/* to the end of its minute, whatever comes and goes in it */
	standing->contested = standing->contested && !wanted && !may_move(moved);
	if (!wanted) {
		wanted = place_before(listing->first);
		bool moves = before && wanted != before;
		if (moves && !may_move(moved)) {
			standing->contested = true;
			wanted = before;
		} else if (moves) {
			moved->n++;
			standing->moved = true;
		}
	}
	standing->priority = wanted;
	standing->behind = listing->first <= wanted + PLACE_LOOKUP ? listing->first : 0;
	standing->is_behind = listing->first <= wanted + PLACE_LOOKUP;
	return wanted;
}

static int apply_family(struct routes *routes, const struct plan *plan, uint8_t family,
	struct routes_standing *standing)
{
	/* what is leapt to before the leap */
	static const enum place order[PLACES] = {PLACE_END, PLACE_OWN, PLACE_LOOKUP};
	struct listing listing;

	standing->moved = false;
	int status = list_rules(routes, plan, family, &listing);
	/* The route first: a rule without it would send packets on to the next rule. */
	if (status == 0)
		status =
			change_route(routes, true, family, plan->route_table, plan->route_protocol);
	standing->off = is_off(family, status);
	if (status)
		goto out;
	uint32_t priority =
		choose_place(plan, &listing, standing, &routes->moves[family == AF_INET6]);
	for (size_t i = 0; i < PLACES; i++) {
		struct iprule rule = rule_for(plan, family, order[i], priority);
		if (!use_up(&listing, &rule))
			keep_first(&status, iprule_change(&routes->questions, true, &rule));
	}
	for (size_t i = 0; i < listing.n; i++)
		keep_first(&status, iprule_change(&routes->questions, false, &listing.v[i]));
out:
	free(listing.v);
	return standing->off ? 0 : status;
}

int routes_apply(struct routes *routes, const struct plan *plan)
{
	int status = 0;
	/* flows that began in the last zone end after it has gone */
	if (plan->mode == PLAN_BARE || (!plan->nzones && !routes->table))
		return routes_remove(routes, plan);
	if (routes->table && routes->table != plan->route_table) {
		for (size_t i = 0; i < ROUTES_FAMILIES; i++)
			change_route(routes, false, families[i], routes->table, routes->protocol);
	}
	routes->table = plan->route_table;
	routes->protocol = plan->route_protocol;
	for (size_t i = 0; i < ROUTES_FAMILIES; i++)
		keep_first(&status, apply_family(routes, plan, families[i], &routes->standing[i]));
	return status;
}

int routes_remove(struct routes *routes, const struct plan *plan)
{
	int status = 0;
	routes->protocol = plan->route_protocol;
	for (size_t i = 0; i < ROUTES_FAMILIES; i++) {
		struct listing listing;
		int family_status = list_rules(routes, plan, families[i], &listing);
		for (size_t n = 0; n < listing.n; n++)
			keep_first(&family_status,
				iprule_change(&routes->questions, false, &listing.v[n]));
		free(listing.v);
		keep_first(&family_status, change_route(routes, false, families[i],
						   plan->route_table, plan->route_protocol));
		if (!is_off(families[i], family_status))
			keep_first(&status, family_status);
		routes->standing[i] = (struct routes_standing){.priority = 0};
	}
	routes->table = 0;
	return status;
}

const struct routes_standing *routes_standing(const struct routes *routes, enum addr_family family)
{
	return &routes->standing[family == ADDR_IP6];
}

bool routes_are_due(const struct routes *routes)
{
	for (size_t i = 0; i < ROUTES_FAMILIES; i++)
		if (routes->standing[i].contested &&
			now_ms() - routes->moves[i].since_ms >= MOVES_MS)
			return true;
	return false;
}

/* ---- the way to an address ---- */

uint32_t routes_find_way(struct routes *routes, const struct addr *addr)
{
	return way_find(&routes->questions, addr);
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
	bool harmed, changed;
};

static void hear_rule(struct hearing *hearing, const struct nlmsghdr *nlh)
{
	struct iprule rule;
	if (!iprule_parse(nlh, &rule))
		return;
	if (rule.protocol != hearing->routes->protocol)
		hearing->changed = true;
	else if (nlh->nlmsg_type == RTM_DELRULE)
		hearing->harmed = true;
}

static void hear_route(struct hearing *hearing, const struct nlmsghdr *nlh)
{
	const struct routes *routes = hearing->routes;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return;
	/* a family that comes back begins with a route of its own */
	if (rtm->rtm_family == AF_INET6 && routes->standing[1].off)
		hearing->changed = true;
	if (nlh->nlmsg_type != RTM_DELROUTE || rtm->rtm_protocol != routes->protocol)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_TABLE && mnl_attr_get_payload_len(attr) >= 4 &&
			mnl_attr_get_u32(attr) == routes->table)
			hearing->harmed = true;
	}
}

static int on_event(void *context, const struct nlmsghdr *nlh)
{
	struct hearing *hearing = context;

	if (!hearing->routes->table || nlh->nlmsg_pid == hearing->routes->questions.port)
		return 0;
	if (nlh->nlmsg_type == RTM_NEWRULE || nlh->nlmsg_type == RTM_DELRULE)
		hear_rule(hearing, nlh);
	else
		hear_route(hearing, nlh);
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
	return hearing.harmed ? ROUTES_HARMED : hearing.changed ? ROUTES_CHANGED : 0;
}
