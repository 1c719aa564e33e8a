/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/ruleset_bind.h"

#include <stdio.h>

#include <linux/netfilter/nf_conntrack_common.h>

#include "kernel-rules/nftables/set.h"

#define STATE_INVALID (1u << 0)
#define STATE_NEW     NF_CT_STATE_BIT(IP_CT_NEW)
/* of a flow whose socket went between this table's two looks for it */
#define STATE_UNTRACKED NF_CT_STATE_UNTRACKED_BIT

static const struct {
	enum addr_family family;
	const char *set, *networks_of;
} families[] = {
	{ADDR_IP4, SET_BIND_IP4, SET_NET4_OF},
	{ADDR_IP6, SET_BIND_IP6, SET_NET6_OF},
};

/* A client may have a connection of its own to the host, from the same port: conntrack would take
 * both for one. */
static void write_untracked(struct rule_writer *w)
{
	struct expr_rule *r;
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, RULESET_BIND_IN);
		expr_source_end_in(r, families[i].family, families[i].set);
		expr_socket_transparent(r);
		expr_notrack(r);
		rule_end(w);
	}
	/* to conntrack errors about packets that it does not know are invalid, and many drop those
	 */
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, RULESET_BIND_IN);
		expr_icmp(r, families[i].family);
		expr_socket_transparent(r);
		expr_notrack(r);
		rule_end(w);
	}
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, RULESET_BIND_OUT);
		expr_destination_end_in(r, families[i].family, families[i].set);
		expr_not_from_gateway(r);
		expr_notrack(r);
		rule_end(w);
	}
}

/* An answer without a socket, and of no connection that conntrack knows. networks NULL: to any
 * address behind the interface. */
static void write_unclaimed(
	struct rule_writer *w, const char *interface, const char *networks, enum addr_family family)
{
	struct expr_rule *r = rule_begin(w, "bound");
	expr_first(r, true);
	expr_state(r, STATE_NEW | STATE_INVALID | STATE_UNTRACKED);
	expr_towards(r, interface);
	if (networks)
		expr_daddr_in(r, family, networks);
	expr_count(r, "unclaimed");
	expr_drop(r);
	rule_end(w);
}

static void write_unclaimed_zone(struct rule_writer *w, const struct plan_zone *zone)
{
	char name[SET_NAME_SIZE];
	for (size_t i = 0; i < zone->ninterfaces; i++) {
		if (zone->nnetworks == 0)
			write_unclaimed(w, zone->interfaces[i], NULL, ADDR_NONE);
		for (size_t f = 0; zone->nnetworks && f < 2; f++) {
			snprintf(name, sizeof(name), "%s%s", families[f].networks_of, zone->name);
			write_unclaimed(w, zone->interfaces[i], name, families[f].family);
		}
	}
}

void ruleset_bind_put(struct rule_writer *w)
{
	write_untracked(w);

	rule_add_chain(w, "bound");
	struct expr_rule *r = rule_begin(w, "bound");
	expr_first(r, true);
	expr_socket_transparent(r);
	rule_set_mark(w, r, EXPR_META_MARK, MARK_RELAY);
	expr_count(r, "bound");
	expr_accept(r);
	rule_end(w);
	for (size_t i = 0; i < w->plan->nzones; i++)
		write_unclaimed_zone(w, &w->plan->zones[i]);

	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, "steer");
		expr_source_end_in(r, families[i].family, families[i].set);
		expr_jump(r, "bound");
		rule_end(w);
	}
}
