/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/ruleset_path.h"

#include <stdio.h>

#include <linux/netfilter/nf_conntrack_common.h>

#include "kernel-rules/flow_log.h"
#include "kernel-rules/nftables/ruleset.h"
#include "kernel-rules/nftables/ruleset_zone.h"

/* More ends than control could follow flows; one that is not told of is found by its next look at
 * all of them. */
#define ENDS_RATE  20000
#define ENDS_BURST 20000

#define STATE_ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)

static const struct {
	enum addr_family family;
	const char *hosts, *servers, *ends;
} families[] = {
	{ADDR_IP4, SET_PATH_IP4, SET_PATH_SERVER_IP4, SET_PATH_END_IP4},
	{ADDR_IP6, SET_PATH_IP6, SET_PATH_SERVER_IP6, SET_PATH_END_IP6},
};

static bool is_running(const struct rule_writer *w)
{
	return w->plan->mode == PLAN_RUNNING;
}

/* The bits of numbers that the plan's paths have. */
static uint32_t used_bits(const struct rule_writer *w)
{
	uint16_t highest = plan_highest_number(w->plan);
	uint32_t bits = highest ? (2u << (31 - __builtin_clz(highest))) - 1 : 0;
	return plan_number_bits(w->plan->server_mask, (uint16_t)bits);
}

/* Each bit of a number by itself: until Linux 6.13 no word puts one register's bits into another's,
 * and a whole mark would be written over others' bits. */
#define FOR_EACH_BIT(bit, bits) \
	for (uint32_t left = (bits), bit = left & -left; left; left &= left - 1, bit = left & -left)

static void put_log(struct rule_writer *w, struct expr_rule *r, enum flow_log_kind kind)
{
	expr_log(r, flow_log_prefixes[kind], w->plan->queue, FLOW_LOG_BYTES, FLOW_LOG_BATCH);
}

/* Anybody may send last packets of one connection without end. */
static void put_end_log(struct rule_writer *w, struct expr_rule *r, enum flow_log_kind kind)
{
	expr_last(r);
	expr_rate_within(r, ENDS_RATE, ENDS_BURST);
	put_log(w, r, kind);
}

/* ---- admit ---- */

/* As fast as to a relay: control is told of each connection, and has room for so many. */
static void write_busy(struct rule_writer *w, const char *chain, const struct set_client *map)
{
	bool ip4 = map->family == ADDR_IP4;
	struct expr_rule *r = rule_begin(w, chain);

	expr_client(r, map->has_mac, map->has_mac ? ADDR_NONE : map->family);
	expr_client_rate(r,
		map->has_mac ? SET_BUSY_MAC
		: ip4        ? SET_BUSY_IP4
			     : SET_BUSY_IP6,
		RULESET_BUSY_RATE, RULESET_BUSY_BURST);
	expr_goto(r, "limited");
	rule_end(w);
}

/* Its mark's bits are copied, and whom nobody watches over any more is an unknown client. */
static void write_known(struct rule_writer *w, const struct set_client *map)
{
	char chain[SET_NAME_SIZE];

	snprintf(chain, sizeof(chain), "known-%s", map->name);
	struct expr_rule *r = rule_begin(w, chain);
	expr_protocol_in(r, SET_ALIVE, true);
	expr_goto(r, "ask");
	rule_end(w);
	write_busy(w, chain, map);
	FOR_EACH_BIT(bit, used_bits(w))
	{
		r = rule_begin(w, chain);
		expr_client(r, map->has_mac, map->family);
		expr_client_mark(r, map->name);
		expr_loaded(r, bit);
		expr_mark_set(r, EXPR_META_MARK, bit, bit);
		rule_end(w);
	}
	r = rule_begin(w, chain);
	rule_set_mark(w, r, EXPR_META_MARK, MARK_KERNEL);
	expr_accept(r);
	rule_end(w);
}

void ruleset_path_put_known(struct rule_writer *w, const char *chain, const struct set_client *map)
{
	char target[SET_NAME_SIZE];

	snprintf(target, sizeof(target), "known-%s", map->name);
	struct expr_rule *r = rule_begin(w, chain);
	expr_client(r, map->has_mac, map->family);
	expr_client_mark(r, map->name);
	expr_goto(r, target);
	rule_end(w);
}

/* ---- steer ---- */

void ruleset_path_put_between(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), false);
	expr_between(r);
	expr_state(r, STATE_ESTABLISHED);
	expr_status(r, IPS_CONFIRMED | IPS_DST_NAT);
	expr_accept(r);
	rule_end(w);
}

void ruleset_path_put_led(struct rule_writer *w, const char *chain)
{
	static const enum mark marks[] = {MARK_KERNEL, MARK_KILL};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		struct expr_rule *r = rule_begin(w, chain);
		expr_mark_is(
			r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, marks[i]), false);
		expr_status(r, IPS_CONFIRMED | IPS_DST_NAT);
		expr_accept(r);
		rule_end(w);
	}
}

/* Conntrack has led it already, so no other decision can be carried out on it: a relay would get a
 * connection to the server that it was on its way to. A foreign mark has not led it. Where both
 * sides have spoken it is no first packet that comes again: whoever has that address now is another
 * client on the connection of the one before, and conntrack would make it his. */
void ruleset_path_put_again(struct rule_writer *w, const char *chain)
{
	static const struct {
		enum mark mark;
		uint32_t status;
		const char *to;
	} ways[] = {
		{MARK_KERNEL, IPS_CONFIRMED | IPS_DST_NAT | IPS_ASSURED, "killed"},
		{MARK_KERNEL, IPS_CONFIRMED | IPS_DST_NAT, "path-again"},
		{MARK_KILL, IPS_CONFIRMED | IPS_DST_NAT, "killed"},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct expr_rule *r = rule_begin(w, chain);
		expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, ways[i].mark),
			false);
		expr_status(r, ways[i].status);
		expr_goto(r, ways[i].to);
		rule_end(w);
	}
}

/* What is not established is a stray, whatever its mark is. */
void ruleset_path_put_own(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), false);
	expr_state(r, STATE_ESTABLISHED);
	expr_status(r, IPS_CONFIRMED | IPS_DST_NAT);
	expr_goto(r, "path-later");
	rule_end(w);
}

void ruleset_path_put_later(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), false);
	expr_state(r, STATE_ESTABLISHED);
	if (is_running(w))
		expr_goto(r, "path-later");
	else
		expr_accept(r);
	rule_end(w);
}

static void write_limit(struct rule_writer *w, const char *chain, const char *way, uint32_t flows,
	bool has_mac, enum addr_family family)
{
	char numbers[SET_NAME_SIZE], count[SET_NAME_SIZE];

	snprintf(numbers, sizeof(numbers), SET_PATH_LIMIT_OF "%u", flows);
	snprintf(count, sizeof(count), SET_PATH_COUNT_OF "%u-%s", flows, way);
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_in(r, EXPR_META_MARK, w->plan->server_mask, numbers);
	expr_client(r, has_mac, family);
	expr_client_count(r, count, flows);
	expr_goto(r, "refused");
	rule_end(w);
}

static void write_limits(struct rule_writer *w)
{
	for (size_t i = 0; i < w->plan->npaths; i++) {
		uint32_t flows = w->plan->paths[i].flows;
		if (!plan_is_new_limit(w->plan, i))
			continue;
		write_limit(w, RULESET_PATH_MAC, "m", flows, true, ADDR_NONE);
		write_limit(w, RULESET_PATH_ADDRESS, "4", flows, false, ADDR_IP4);
		write_limit(w, RULESET_PATH_ADDRESS, "6", flows, false, ADDR_IP6);
	}
	rule_put_goto(w, RULESET_PATH_MAC, "path");
	rule_put_goto(w, RULESET_PATH_ADDRESS, "path");
}

/* The connection gets mark and number; the packet keeps the mark, and the number leaves it, which
 * other programs' rules know nothing of. */
static void write_path(struct rule_writer *w)
{
	uint32_t bits = used_bits(w), unused = w->plan->server_mask & ~bits;
	struct expr_rule *r = rule_begin(w, "path");

	/* a number that no path has, from a plan that was another one */
	if (unused) {
		expr_mark_is(r, EXPR_META_MARK, unused, 0, true);
		expr_goto(r, "path-lost");
		rule_end(w);
		r = rule_begin(w, "path");
	}
	expr_mark_set(r, EXPR_CT_MARK, w->plan->mark_mask | w->plan->server_mask,
		rule_mark_bits(w, MARK_KERNEL));
	rule_end(w);
	FOR_EACH_BIT(bit, bits)
	{
		r = rule_begin(w, "path");
		expr_mark_is(r, EXPR_META_MARK, bit, bit, false);
		expr_mark_set(r, EXPR_CT_MARK, bit, bit);
		rule_end(w);
	}
	r = rule_begin(w, "path");
	expr_remember_interface(r, SET_PATH_SAME);
	rule_end(w);
	r = rule_begin(w, "path");
	expr_count(r, "path-begun");
	put_log(w, r, FLOW_LOG_BEGIN);
	rule_end(w);
	r = rule_begin(w, "path");
	expr_mark_set(r, EXPR_META_MARK, w->plan->server_mask, 0);
	expr_accept(r);
	rule_end(w);
}

/* A client may end as many as it may begin: else flows that are over would fill control's table. */
static void write_later(struct rule_writer *w)
{
	struct expr_rule *r;

	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, "path-later");
		expr_last(r);
		expr_client(r, false, families[i].family);
		expr_client_rate(r, families[i].ends, RULESET_BUSY_RATE, RULESET_BUSY_BURST);
		expr_accept(r);
		rule_end(w);
	}
	r = rule_begin(w, "path-later");
	put_end_log(w, r, FLOW_LOG_END);
	rule_end(w);
	expr_accept(rule_begin(w, "path-later"));
	rule_end(w);
}

/* ---- nat ---- */

/* Connections of others, with whatever marks, are of no zone or have no such packet mark. */
static void write_nat(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, RULESET_PATH_NAT);
	expr_mark_is(r, EXPR_META_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), true);
	expr_accept(r);
	rule_end(w);
	for (size_t i = 0; i < w->plan->nzones; i++)
		ruleset_put_from(
			w, RULESET_PATH_NAT, "path-lead", &w->plan->zones[i], RULESET_PORT_PACKET);

	rule_put_to_gateway(w, "path-lead");
	r = rule_begin(w, "path-lead");
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), true);
	expr_accept(r);
	rule_end(w);
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, "path-lead");
		expr_dnat(r, families[i].family, w->plan->server_mask, families[i].servers);
		rule_end(w);
	}
}

static void write_source(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, RULESET_PATH_SOURCE);
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), true);
	expr_accept(r);
	rule_end(w);
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, RULESET_PATH_SOURCE);
		expr_destination_end_in(r, families[i].family, families[i].hosts);
		expr_goto(r, "path-from");
		rule_end(w);
	}
	for (size_t i = 0; i < w->plan->nzones; i++)
		ruleset_put_from(w, "path-from", "path-masquerade", &w->plan->zones[i],
			RULESET_PORT_ORIGINAL);

	r = rule_begin(w, "path-masquerade");
	expr_mark_in(r, EXPR_CT_MARK, w->plan->server_mask, SET_PATH_GATEWAY);
	expr_masquerade(r);
	rule_end(w);
	/* the server stands on the client's own network, and its answer would go there directly */
	r = rule_begin(w, "path-masquerade");
	expr_interfaces_in(r, SET_PATH_SAME);
	expr_masquerade(r);
	rule_end(w);
}

/* ---- the guard ---- */

/* What goes back to a client: here the destination is the client again, whatever nat made of it. A
 * connection of others may have our mark for a killed one. */
static void write_answers(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "path-answer");
	expr_mark_is(r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KILL), false);
	expr_sport_in(r, SET_PORTS);
	expr_original_dport_in(r, SET_PORTS);
	expr_goto(r, "path-kill");
	rule_end(w);
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, "path-answer");
		expr_mark_is(
			r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KILL), false);
		expr_source_end_in(r, families[i].family, families[i].hosts);
		expr_original_dport_in(r, SET_PORTS);
		expr_goto(r, "path-kill");
		rule_end(w);
	}
	for (size_t i = 0; is_running(w) && i < 2; i++) {
		r = rule_begin(w, "path-answer");
		expr_mark_is(
			r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KERNEL), false);
		expr_source_end_in(r, families[i].family, families[i].hosts);
		put_end_log(w, r, FLOW_LOG_ANSWER);
		rule_end(w);
	}
	/* that is what it was to get: a zone without rules of its own has it from nobody else */
	r = rule_begin(w, "path-kill");
	expr_is_reset(r);
	expr_accept(r);
	rule_end(w);
	for (size_t i = 0; i < w->plan->nzones; i++)
		ruleset_put_towards(w, "path-kill", "killed", &w->plan->zones[i]);
}

/* Says what is to be true of a first packet that took a path: it goes to a host of one. What made
 * it go elsewhere does not matter: a number that leads nowhere, nat of others' in front of ours, a
 * mark of theirs in between. */
static void write_check(struct rule_writer *w)
{
	struct expr_rule *r;

	rule_put_mark_goto(w, "path-check", EXPR_META_MARK, MARK_RELAY, NULL);
	rule_put_mark_goto(w, "path-check", EXPR_META_MARK, MARK_PASS, NULL);
	rule_put_to_gateway(w, "path-check");
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, "path-check");
		expr_destination_end_in(r, families[i].family, families[i].hosts);
		expr_accept(r);
		rule_end(w);
	}
	for (size_t i = 0; i < w->plan->nzones; i++) {
		if (ruleset_has_zone(w->plan, &w->plan->zones[i]))
			ruleset_put_from(w, "path-check", "path-lost", &w->plan->zones[i],
				RULESET_PORT_ORIGINAL);
	}
	rule_put_count_goto(w, "path-lost", "path-lost", "send-reset");
}

static void write_guard(struct rule_writer *w)
{
	struct expr_rule *r;

	rule_put_tcp_only(w, RULESET_PATH_GUARD);
	ruleset_path_put_between(w, RULESET_PATH_GUARD);
	r = rule_begin(w, RULESET_PATH_GUARD);
	expr_reply(r);
	expr_goto(r, "path-answer");
	rule_end(w);
	r = rule_begin(w, RULESET_PATH_GUARD);
	expr_first(r, true);
	expr_accept(r);
	rule_end(w);
	rule_put_mark_goto(w, RULESET_PATH_GUARD, EXPR_CT_MARK, MARK_KERNEL, "path-check");
	rule_put_mark_goto(w, RULESET_PATH_GUARD, EXPR_META_MARK, MARK_KERNEL, "path-check");
	write_answers(w);
	write_check(w);
}

/* ---- all of it ---- */

void ruleset_path_add_chains(struct rule_writer *w)
{
	static const struct {
		const char *name;
		bool bare;
	} chains[] = {{RULESET_PATH_MAC, false}, {RULESET_PATH_ADDRESS, false}, {"path", false},
		{"path-later", false}, {"path-lead", false}, {"path-from", false},
		{"path-masquerade", false}, {"path-counted", false}, {"path-again", true},
		{"path-answer", true}, {"path-kill", true}, {"path-check", true},
		{"path-lost", true}};
	char known[SET_NAME_SIZE];

	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		if (chains[i].bare || is_running(w))
			rule_add_chain(w, chains[i].name);
	}
	for (size_t i = 0; is_running(w) && i < SET_CLIENTS; i++) {
		snprintf(known, sizeof(known), "known-%s", set_clients[i].name);
		if (set_clients[i].mark == MARK_KERNEL)
			rule_add_chain(w, known);
	}
}

void ruleset_path_put(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "path-again");
	rule_set_mark(w, r, EXPR_META_MARK, MARK_KERNEL);
	expr_accept(r);
	rule_end(w);
	write_guard(w);
	if (!is_running(w))
		return;
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		if (set_clients[i].mark == MARK_KERNEL)
			write_known(w, &set_clients[i]);
	}
	write_limits(w);
	write_path(w);
	write_later(w);
	write_nat(w);
	write_source(w);
	expr_counted(rule_begin(w, "path-counted"));
	rule_end(w);
}
