/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/ruleset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "kernel-rules/nftables/rule.h"
#include "kernel-rules/nftables/ruleset_bind.h"
#include "kernel-rules/nftables/ruleset_path.h"
#include "kernel-rules/nftables/ruleset_zone.h"
#include "kernel-rules/nftables/set.h"
#include "kernel-rules/queue.h"

/* Generous: a busy mail server behind a new address opens a few dozen connections at once. */
#define CLIENT_RATE  50
#define CLIENT_BURST 100
#define TOTAL_RATE   5000
#define TOTAL_BURST  1000
/* With less room a flood would fill the queue, and the posture would be a way round the limit. */
static_assert(TOTAL_BURST + TOTAL_RATE * QUEUE_PAUSE_MS / 1000 <= QUEUE_LENGTH,
	"what may come fits into the queue");
static_assert(TOTAL_RATE + RULESET_BUSY_RATE == RULESET_STEERED_RATE &&
		      TOTAL_BURST + RULESET_BUSY_BURST == RULESET_STEERED_BURST,
	"what the header says");

#define STATE_INVALID     (1u << 0)
#define STATE_ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)

const struct ruleset_base ruleset_bases[RULESET_BASES] = {
	{"admit", NF_INET_PRE_ROUTING, -149, false, NULL, false}, /* behind mangle */
	{"steer", NF_INET_PRE_ROUTING, -148, true, NULL, false},
	{"input", NF_INET_LOCAL_IN, 300, false, NULL, false}, /* what others drop, they drop */
	{RULESET_BIND_IN, NF_INET_PRE_ROUTING, -300, false, plan_binds, false},
	{RULESET_BIND_OUT, NF_INET_LOCAL_OUT, -300, false, plan_binds, false},
	{RULESET_LOGIN, NF_INET_LOCAL_OUT, 300, true, plan_logs_in, false}, /* behind every nat */
	/* in front of other nat; while one is there, conntrack goes on with what it had */
	{RULESET_PATH_NAT, NF_INET_PRE_ROUTING, -101, true, plan_has_paths, true},
	{RULESET_PATH_GUARD, NF_INET_PRE_ROUTING, -90, true, plan_has_paths, false},
	{RULESET_PATH_SOURCE, NF_INET_POST_ROUTING, 99, true, plan_has_paths, true},
};

const char *const ruleset_counters[RULESET_COUNTERS] = {"arrived", "steered", "queued", "limited",
	"posture-reset", "posture-passed", "bypassed", "stray-reset", "refused", "dropped",
	"killed", "shielded", "bound", "unclaimed", "path-begun", "path-lost", "login-refused"};

/* target NULL: accept */
static void put_bypassed(
	struct rule_writer *w, const char *chain, const char *set, const char *target)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_protocol_in(r, set, false);
	if (target)
		expr_goto(r, target);
	else
		expr_accept(r);
	rule_end(w);
}

/* ---- admit ---- */

static void write_known_sets(struct rule_writer *w, const char *chain, bool has_mac)
{
	const char *const targets[MARKS] = {[MARK_RELAY] = has_mac ? "busy-mac" : "busy-address",
		[MARK_PASS] = "known-pass",
		[MARK_REJECT] = "known-reject",
		[MARK_DROP] = "known-drop"};
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		const struct set_client *set = &set_clients[i];
		if (set->has_mac != has_mac || !set_client_wanted(set, w->plan))
			continue;
		if (set->mark == MARK_KERNEL) {
			ruleset_path_put_known(w, chain, set);
			continue;
		}
		struct expr_rule *r = rule_begin(w, chain);
		expr_client(r, has_mac, set->family);
		expr_client_in(r, set->name);
		expr_goto(r, targets[set->mark]);
		rule_end(w);
	}
}

static void write_rate(struct rule_writer *w, const char *chain, const char *set, bool has_mac,
	enum addr_family family, bool known)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_client(r, has_mac, family);
	expr_client_rate(r, set, known ? RULESET_BUSY_RATE : CLIENT_RATE,
		known ? RULESET_BUSY_BURST : CLIENT_BURST);
	expr_goto(r, "limited");
	rule_end(w);
}

static void write_mark_accept(
	struct rule_writer *w, const char *chain, enum expr_mark which, enum mark mark)
{
	struct expr_rule *r = rule_begin(w, chain);
	rule_set_mark(w, r, which, mark);
	expr_accept(r);
	rule_end(w);
}

static void write_ask(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, RULESET_ASK);
	expr_rate(r, TOTAL_RATE, TOTAL_BURST);
	expr_goto(r, "limited");
	rule_end(w);

	r = rule_begin(w, RULESET_ASK);
	expr_count(r, "queued");
	if (w->queue == TABLE_QUEUE_COMPAT)
		expr_queue_compat(r, w->plan->queue);
	else
		expr_queue(r, w->plan->queue);
	rule_end(w);
	w->queue_seq = w->batch->seq;
}

/* Whom nobody watches over any more is an unknown client. */
static void write_known_pass(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "known-pass");
	expr_protocol_in(r, SET_ALIVE, false);
	rule_set_mark(w, r, EXPR_META_MARK, MARK_PASS);
	expr_accept(r);
	rule_end(w);
	rule_put_goto(w, "known-pass", RULESET_ASK);
}

static void write_admit_shared(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "limited");
	expr_count(r, "limited");
	rule_set_mark(w, r, EXPR_META_MARK, MARK_LIMITED);
	expr_accept(r);
	rule_end(w);

	write_ask(w);
	write_mark_accept(w, "known-relay", EXPR_META_MARK, MARK_RELAY);
	write_known_pass(w);
	write_mark_accept(w, "known-reject", EXPR_META_MARK, MARK_REJECT);
	write_mark_accept(w, "known-drop", EXPR_META_MARK, MARK_DROP);

	write_rate(w, "busy-mac", SET_BUSY_MAC, true, ADDR_NONE, true);
	rule_put_goto(w, "busy-mac", "known-relay");
	write_rate(w, "busy-address", SET_BUSY_IP4, false, ADDR_IP4, true);
	write_rate(w, "busy-address", SET_BUSY_IP6, false, ADDR_IP6, true);
	rule_put_goto(w, "busy-address", "known-relay");

	write_known_sets(w, "known-mac", true);
	write_rate(w, "known-mac", SET_RATE_MAC, true, ADDR_NONE, false);
	rule_put_goto(w, "known-mac", RULESET_ASK);

	write_known_sets(w, "known-address", false);
	write_rate(w, "known-address", SET_RATE_IP4, false, ADDR_IP4, false);
	write_rate(w, "known-address", SET_RATE_IP6, false, ADDR_IP6, false);
	rule_put_goto(w, "known-address", RULESET_ASK);
}

/* ---- steer ---- */

static void write_ends(struct rule_writer *w)
{
	expr_reset(rule_begin(w, "send-reset"));
	rule_end(w);
	rule_put_count_goto(w, "refused", "refused", "send-reset");
	rule_put_count_goto(w, "killed", "killed", "send-reset");

	struct expr_rule *r = rule_begin(w, "dropped");
	expr_count(r, "dropped");
	expr_drop(r);
	rule_end(w);

	/* the packet's mark too: with the relay's on it, it would be routed to the relay */
	r = rule_begin(w, "pass");
	rule_set_mark(w, r, EXPR_META_MARK, MARK_PASS);
	rule_end(w);
	write_mark_accept(w, "pass", EXPR_CT_MARK, MARK_PASS);
	rule_put_count_goto(w, "bypassed", "bypassed", "pass");
	rule_put_count_goto(w, "posture-closed", "posture-reset", "send-reset");
	rule_put_count_goto(w, "posture-open", "posture-passed", "pass");
}

static void write_relay(struct rule_writer *w, const char *chain, bool open)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

	struct expr_rule *r = rule_begin(w, chain);
	rule_set_mark(w, r, EXPR_CT_MARK, MARK_RELAY);
	rule_end(w);
	for (size_t i = 0; i < 2; i++) {
		r = rule_begin(w, chain);
		expr_tproxy(r, families[i], w->plan->relay_port);
		rule_set_mark(w, r, EXPR_META_MARK, MARK_RELAY);
		expr_accept(r);
		rule_end(w);
	}
	if (open) {
		r = rule_begin(w, chain);
		expr_first(r, false);
		expr_goto(r, "posture-open");
		rule_end(w);
	}
	rule_put_goto(w, chain, "posture-closed");
}

/* What belongs to a socket of a relay is the relay's, whatever another program made of the mark. */
static void put_claimed(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_socket_transparent(r);
	expr_goto(r, "relay-closed");
	rule_end(w);
}

/* Refused and dropped connections have no later packets. */
static void write_later(struct rule_writer *w)
{
	bool running = w->plan->mode == PLAN_RUNNING;

	rule_put_mark_goto(
		w, "later", EXPR_CT_MARK, MARK_RELAY, running ? "relay-closed" : "posture-closed");
	if (running && plan_has_paths(w->plan))
		ruleset_path_put_own(w, "later");
	if (running)
		put_claimed(w, "later");
	rule_put_mark_goto(w, "later", EXPR_CT_MARK, MARK_PASS, NULL);
	if (plan_has_paths(w->plan))
		ruleset_path_put_later(w, "later");
	/* a killed connection is none to the gateway itself: the mark is another program's */
	rule_put_to_gateway(w, "later");
	rule_put_mark_goto(w, "later", EXPR_CT_MARK, MARK_KILL, "killed");

	struct expr_rule *r = rule_begin(w, "later");
	expr_state(r, STATE_ESTABLISHED);
	expr_accept(r);
	rule_end(w);

	r = rule_begin(w, "later");
	expr_state(r, STATE_INVALID);
	expr_drop(r);
	rule_end(w);
	rule_put_count_goto(w, "later", "stray-reset", "send-reset");
}

static void write_fresh(
	struct rule_writer *w, const char *chain, const char *relay, const char *posture)
{
	/* beside it stands how many the relays took: what is between was dropped on the way */
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_is(r, EXPR_META_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_RELAY), false);
	expr_count(r, "steered");
	expr_goto(r, relay);
	rule_end(w);
	rule_put_mark_goto(w, chain, EXPR_META_MARK, MARK_PASS, "pass");
	rule_put_mark_goto(w, chain, EXPR_META_MARK, MARK_REJECT, "refused");
	rule_put_mark_goto(w, chain, EXPR_META_MARK, MARK_DROP, "dropped");
	rule_put_mark_goto(w, chain, EXPR_META_MARK, MARK_LIMITED, "send-reset");
	rule_put_goto(w, chain, posture);
}

/* Errors about a packet of a relay's, of either side: its socket lowers its packets' size by them,
 * or tries no longer. The address that they are sent to is another's. */
static void write_errors(struct rule_writer *w)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};
	for (size_t i = 0; i < 2; i++) {
		struct expr_rule *r = rule_begin(w, "errors");
		expr_icmp(r, families[i]);
		expr_socket_transparent(r);
		rule_set_mark(w, r, EXPR_META_MARK, MARK_RELAY);
		expr_accept(r);
		rule_end(w);
	}
}

static void write_steer_shared(struct rule_writer *w)
{
	write_ends(w);
	if (w->plan->mode == PLAN_RUNNING) {
		write_errors(w);
		write_relay(w, "relay-closed", false);
		write_relay(w, "relay-open", true);
		write_fresh(w, "fresh-closed", "relay-closed", "posture-closed");
		write_fresh(w, "fresh-open", "relay-open", "posture-open");
	} else {
		/* nobody relays: what was relayed is reset, what was passed goes on */
		rule_put_goto(w, "fresh-closed", "posture-closed");
	}
	write_later(w);
}

/* ---- zones ---- */

static void write_admit_zone(
	struct rule_writer *w, const struct plan_zone *zone, const struct ruleset_zone *names)
{
	/* a mark from elsewhere is no decision */
	struct expr_rule *r = rule_begin(w, names->admit);
	expr_mark_set(r, EXPR_META_MARK,
		w->plan->mark_mask | (plan_has_paths(w->plan) ? w->plan->server_mask : 0),
		rule_mark_bits(w, MARK_NONE));
	rule_end(w);

	put_bypassed(w, names->admit, SET_BYPASS, NULL);
	put_bypassed(w, names->admit, names->bypass, NULL);
	rule_put_goto(w, names->admit, zone->has_mac ? "known-mac" : "known-address");
}

static void write_steer_zone(
	struct rule_writer *w, const struct plan_zone *zone, const struct ruleset_zone *names)
{
	struct expr_rule *r = rule_begin(w, names->steer);
	expr_first(r, true);
	expr_goto(r, "later");
	rule_end(w);
	rule_put_to_gateway(w, names->steer);
	if (plan_has_paths(w->plan))
		ruleset_path_put_again(w, names->steer);

	r = rule_begin(w, names->steer);
	expr_count(r, "arrived");
	expr_count(r, names->arrived);
	rule_end(w);

	put_bypassed(w, names->steer, SET_BYPASS, "bypassed");
	put_bypassed(w, names->steer, names->bypass, "bypassed");
	if (w->plan->mode == PLAN_RUNNING && plan_has_paths(w->plan))
		rule_put_mark_goto(w, names->steer, EXPR_META_MARK, MARK_KERNEL,
			zone->has_mac ? RULESET_PATH_MAC : RULESET_PATH_ADDRESS);
	rule_put_goto(w, names->steer, zone->open ? "fresh-open" : "fresh-closed");
}

/* ---- base chains ---- */

static void write_ports_only(struct rule_writer *w, const char *base)
{
	struct expr_rule *r = rule_begin(w, base);
	expr_dport_in(r, SET_PORTS, true);
	expr_accept(r);
	rule_end(w);
}

static void write_admit_base(struct rule_writer *w)
{
	rule_put_tcp_only(w, "admit");

	struct expr_rule *r = rule_begin(w, "admit");
	expr_first(r, true);
	expr_accept(r);
	rule_end(w);

	write_ports_only(w, "admit");
	rule_put_to_gateway(w, "admit");
	if (plan_has_paths(w->plan))
		ruleset_path_put_led(w, "admit");
}

static void write_steer_base(struct rule_writer *w)
{
	struct expr_rule *r;

	if (w->plan->mode == PLAN_RUNNING) {
		r = rule_begin(w, "steer");
		expr_not_tcp(r);
		expr_goto(r, "errors");
		rule_end(w);
	} else {
		rule_put_tcp_only(w, "steer");
	}

	if (plan_has_paths(w->plan))
		ruleset_path_put_between(w, "steer");
	/* with paths their guard does it, which knows a zone's connection from others' */
	if (!plan_has_paths(w->plan)) {
		r = rule_begin(w, "steer");
		expr_mark_is(
			r, EXPR_CT_MARK, w->plan->mark_mask, rule_mark_bits(w, MARK_KILL), false);
		expr_sport_in(r, SET_PORTS);
		expr_reply(r);
		expr_goto(r, "killed");
		rule_end(w);
	}
	if (w->plan->mode == PLAN_RUNNING && plan_binds(w->plan))
		ruleset_bind_put(w);
	write_ports_only(w, "steer");
}

/* A flow that began in a zone goes on when an apply has taken its network, interface or port out.
 */
static void write_of_no_zone(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "steer");
	expr_first(r, true);
	expr_socket_transparent(r);
	expr_goto(r, "relay-closed");
	rule_end(w);
}

static void write_input_base(struct rule_writer *w)
{
	struct expr_rule *r = rule_begin(w, "input");
	expr_dport_is(r, w->plan->relay_port);
	expr_count(r, "shielded");
	expr_goto(r, "send-reset");
	rule_end(w);
}

/* A server on the gateway itself that takes a login at our word would take it at any local user's.
 * What has no socket any more, an orphan's last packets, belongs to a connection that was let
 * through. */
static void write_login_base(struct rule_writer *w)
{
	static const struct {
		enum addr_family family;
		const char *set;
	} families[] = {{ADDR_IP4, SET_LOGIN_IP4}, {ADDR_IP6, SET_LOGIN_IP6}};

	for (size_t i = 0; i < 2; i++) {
		struct expr_rule *r = rule_begin(w, RULESET_LOGIN);
		expr_out_loopback(r);
		expr_destination_end_in(r, families[i].family, families[i].set);
		expr_not_user(r, 0);
		expr_not_user(r, w->plan->user);
		expr_count(r, "login-refused");
		expr_goto(r, "send-reset");
		rule_end(w);
	}
}

/* ---- all of it ---- */

static void add_chains(struct rule_writer *w)
{
	static const struct {
		const char *name;
		bool bare;
	} chains[] = {{"limited", false}, {RULESET_ASK, false}, {"known-relay", false},
		{"known-pass", false}, {"known-reject", false}, {"known-drop", false},
		{"busy-mac", false}, {"busy-address", false}, {"known-mac", false},
		{"known-address", false}, {"send-reset", true}, {"refused", true}, {"killed", true},
		{"dropped", true}, {"pass", true}, {"bypassed", true}, {"posture-closed", true},
		{"posture-open", true}, {"relay-closed", false}, {"relay-open", false},
		{"errors", false}, {"later", true}, {"fresh-closed", true}, {"fresh-open", false}};
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		if (chains[i].bare || w->plan->mode == PLAN_RUNNING)
			rule_add_chain(w, chains[i].name);
	}
}

bool ruleset_has_base(const struct plan *plan, const struct ruleset_base *base)
{
	if (base->wanted && !base->wanted(plan))
		return false;
	return base->bare || plan->mode == PLAN_RUNNING;
}

bool ruleset_is_wanted(const struct plan *plan)
{
	if (plan->mode == PLAN_RUNNING || plan_logs_in(plan) || plan_has_paths(plan))
		return true;
	for (size_t i = 0; i < plan->nzones; i++) {
		if (ruleset_has_zone(plan, &plan->zones[i]))
			return true;
	}
	return false;
}

void ruleset_put(
	struct batch *batch, const struct plan *plan, enum table_queue queue, uint32_t *queue_seq)
{
	struct rule_writer w = {.batch = batch, .plan = plan, .queue = queue};
	bool running = plan->mode == PLAN_RUNNING;
	struct ruleset_zone names;

	add_chains(&w);
	if (plan_has_paths(plan))
		ruleset_path_add_chains(&w);
	if (running)
		write_admit_shared(&w);
	write_steer_shared(&w);
	if (running) {
		write_admit_base(&w);
		write_input_base(&w);
	}
	write_steer_base(&w);
	if (plan_logs_in(plan))
		write_login_base(&w);
	if (plan_has_paths(plan))
		ruleset_path_put(&w);
	for (size_t i = 0; i < plan->nzones; i++) {
		const struct plan_zone *zone = &plan->zones[i];
		if (!ruleset_has_zone(plan, zone))
			continue;
		ruleset_name_zone(zone, &names);
		if (running) {
			rule_add_chain(&w, names.admit);
			write_admit_zone(&w, zone, &names);
			ruleset_put_from(&w, "admit", names.admit, zone, RULESET_PORT_PACKET);
		}
		rule_add_chain(&w, names.steer);
		write_steer_zone(&w, zone, &names);
		ruleset_put_from(&w, "steer", names.steer, zone, RULESET_PORT_PACKET);
	}
	if (running)
		write_of_no_zone(&w);
	*queue_seq = w.queue_seq;
}
