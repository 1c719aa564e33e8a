/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/ruleset_zone.h"

#include <stdio.h>

void ruleset_name_zone(const struct plan_zone *zone, struct ruleset_zone *names)
{
	snprintf(names->admit, SET_NAME_SIZE, RULESET_ADMIT_OF "%s", zone->name);
	snprintf(names->steer, SET_NAME_SIZE, RULESET_STEER_OF "%s", zone->name);
	snprintf(names->arrived, SET_NAME_SIZE, RULESET_ARRIVED_OF "%s", zone->name);
	snprintf(names->port, SET_NAME_SIZE, SET_PORT_OF "%s", zone->name);
	snprintf(names->bypass, SET_NAME_SIZE, SET_BYPASS_OF "%s", zone->name);
	snprintf(names->net4, SET_NAME_SIZE, SET_NET4_OF "%s", zone->name);
	snprintf(names->net6, SET_NAME_SIZE, SET_NET6_OF "%s", zone->name);
}

bool ruleset_has_zone(const struct plan *plan, const struct plan_zone *zone)
{
	return plan->mode == PLAN_RUNNING || !zone->open;
}

static bool has_network(const struct plan_zone *zone, enum addr_family family)
{
	for (size_t i = 0; i < zone->nnetworks; i++) {
		if (zone->networks[i].addr.family == family)
			return true;
	}
	return false;
}

static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

void ruleset_put_from(struct rule_writer *w, const char *chain, const char *target,
	const struct plan_zone *zone, enum ruleset_port port)
{
	struct ruleset_zone names;

	ruleset_name_zone(zone, &names);
	for (size_t i = 0; i < zone->ninterfaces; i++) {
		for (size_t f = 0; f < 2; f++) {
			if (zone->nnetworks == 0 ? f > 0 : !has_network(zone, families[f]))
				continue;
			struct expr_rule *r = rule_begin(w, chain);
			expr_iifname(r, zone->interfaces[i]);
			if (port == RULESET_PORT_PACKET)
				expr_dport_in(r, names.port, false);
			else
				expr_original_dport_in(r, names.port);
			if (zone->nnetworks)
				expr_saddr_in(r, families[f], f ? names.net6 : names.net4);
			expr_goto(r, target);
			rule_end(w);
		}
	}
}

void ruleset_put_towards(
	struct rule_writer *w, const char *chain, const char *target, const struct plan_zone *zone)
{
	bool has_sets = ruleset_has_zone(w->plan, zone) && zone->nnetworks;
	struct ruleset_zone names;

	ruleset_name_zone(zone, &names);
	for (size_t i = 0; i < zone->ninterfaces; i++) {
		for (size_t f = 0; f < 2; f++) {
			if (!has_sets ? f > 0 : !has_network(zone, families[f]))
				continue;
			struct expr_rule *r = rule_begin(w, chain);
			expr_towards(r, zone->interfaces[i]);
			if (has_sets)
				expr_daddr_in(r, families[f], f ? names.net6 : names.net4);
			expr_goto(r, target);
			rule_end(w);
		}
	}
}
