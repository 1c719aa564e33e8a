#include "kernel-rules/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "kernel-rules/set.h"
#include "kernel-rules/word.h"

/* Generous: a busy mail server behind a new address opens a few dozen connections at once. */
#define CLIENT_RATE  50
#define CLIENT_BURST 100
#define TOTAL_RATE   5000
#define TOTAL_BURST  10000

#define STATE_INVALID     (1u << 0)
#define STATE_ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)

const struct ruleset_base ruleset_bases[RULESET_BASES] = {
	{"admit", NF_INET_PRE_ROUTING, -150, false},
	{"steer", NF_INET_PRE_ROUTING, -149, true},
	{"input", NF_INET_LOCAL_IN, 0, false},
};

const char *const ruleset_counters[RULESET_COUNTERS] = {"arrived", "steered", "queued", "limited",
	"posture-reset", "posture-passed", "bypassed", "stray-reset", "refused", "dropped",
	"killed", "shielded"};

/* One ruleset being written. */
struct writer {
	struct batch *batch;
	const struct plan *plan;
	enum table_queue queue;
	uint32_t queue_seq;
	/* the rule at hand */
	struct words rule;
	struct nlmsghdr *nlh;
};

static void add_chain(struct writer *w, const char *name)
{
	struct nlmsghdr *nlh = batch_begin(w->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	batch_end(w->batch, nlh);
}

/* Begins a rule at the end of a chain. */
static struct words *begin(struct writer *w, const char *chain)
{
	w->rule = (struct words){.nftnl = nftnl_rule_alloc()};
	w->nlh = batch_begin(w->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	w->rule.failed = !w->rule.nftnl;
	if (w->rule.nftnl) {
		nftnl_rule_set_str(w->rule.nftnl, NFTNL_RULE_TABLE, TABLE_NAME);
		nftnl_rule_set_str(w->rule.nftnl, NFTNL_RULE_CHAIN, chain);
		nftnl_rule_set_u32(w->rule.nftnl, NFTNL_RULE_FAMILY, NFPROTO_INET);
	}
	return &w->rule;
}

static void end(struct writer *w)
{
	if (w->rule.failed)
		batch_fail(w->batch, -ENOMEM);
	else if (w->nlh) {
		nftnl_rule_nlmsg_build_payload(w->nlh, w->rule.nftnl);
		batch_end(w->batch, w->nlh);
	}
	if (w->rule.nftnl)
		nftnl_rule_free(w->rule.nftnl);
}

static uint32_t bits(const struct writer *w, enum plan_mark mark)
{
	return plan_mark_bits(w->plan->mark_mask, mark);
}

static void set_mark(struct writer *w, struct words *r, enum word_mark which, enum plan_mark mark)
{
	word_mark_set(r, which, w->plan->mark_mask, bits(w, mark));
}

/* Rules of one shape: chain, what it says, where it goes. */
static void rule_goto(struct writer *w, const char *chain, const char *target)
{
	word_goto(begin(w, chain), target);
	end(w);
}

static void rule_count_goto(
	struct writer *w, const char *chain, const char *counter, const char *target)
{
	struct words *r = begin(w, chain);
	word_count(r, counter);
	word_goto(r, target);
	end(w);
}

/* target NULL: accept */
static void rule_mark_goto(struct writer *w, const char *chain, enum word_mark which,
	enum plan_mark mark, const char *target)
{
	struct words *r = begin(w, chain);
	word_mark_is(r, which, w->plan->mark_mask, bits(w, mark), false);
	if (target)
		word_goto(r, target);
	else
		word_accept(r);
	end(w);
}

/* ---- admit ---- */

static void write_known_sets(struct writer *w, const char *chain, bool has_mac)
{
	static const char *const targets[PLAN_MARKS] = {[PLAN_MARK_RELAY] = "known-relay",
		[PLAN_MARK_PASS] = "known-pass",
		[PLAN_MARK_REJECT] = "known-reject",
		[PLAN_MARK_DROP] = "known-drop"};
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		const struct set_client *set = &set_clients[i];
		if (set->has_mac != has_mac)
			continue;
		struct words *r = begin(w, chain);
		word_client(r, has_mac, set->family);
		word_client_in(r, set->name);
		word_goto(r, targets[set->mark]);
		end(w);
	}
}

static void write_rate(
	struct writer *w, const char *chain, const char *set, bool has_mac, enum addr_family family)
{
	struct words *r = begin(w, chain);
	word_client(r, has_mac, family);
	word_client_rate(r, set, CLIENT_RATE, CLIENT_BURST);
	word_goto(r, "limited");
	end(w);
}

static void write_mark_accept(
	struct writer *w, const char *chain, enum word_mark which, enum plan_mark mark)
{
	struct words *r = begin(w, chain);
	set_mark(w, r, which, mark);
	word_accept(r);
	end(w);
}

static void write_ask(struct writer *w)
{
	struct words *r = begin(w, RULESET_ASK);
	word_rate(r, TOTAL_RATE, TOTAL_BURST);
	word_goto(r, "limited");
	end(w);

	r = begin(w, RULESET_ASK);
	word_count(r, "queued");
	if (w->queue == TABLE_QUEUE_COMPAT)
		word_queue_compat(r, w->plan->queue);
	else
		word_queue(r, w->plan->queue);
	end(w);
	w->queue_seq = w->batch->seq;
}

static void write_admit_shared(struct writer *w)
{
	struct words *r = begin(w, "limited");
	word_count(r, "limited");
	set_mark(w, r, WORD_META_MARK, PLAN_MARK_LIMITED);
	word_accept(r);
	end(w);

	write_ask(w);
	write_mark_accept(w, "known-relay", WORD_META_MARK, PLAN_MARK_RELAY);
	write_mark_accept(w, "known-pass", WORD_META_MARK, PLAN_MARK_PASS);
	write_mark_accept(w, "known-reject", WORD_META_MARK, PLAN_MARK_REJECT);
	write_mark_accept(w, "known-drop", WORD_META_MARK, PLAN_MARK_DROP);

	write_known_sets(w, "known-mac", true);
	write_rate(w, "known-mac", SET_RATE_MAC, true, ADDR_NONE);
	rule_goto(w, "known-mac", RULESET_ASK);

	write_known_sets(w, "known-address", false);
	write_rate(w, "known-address", SET_RATE_IP4, false, ADDR_IP4);
	write_rate(w, "known-address", SET_RATE_IP6, false, ADDR_IP6);
	rule_goto(w, "known-address", RULESET_ASK);
}

/* ---- steer ---- */

static void write_ends(struct writer *w)
{
	word_reset(begin(w, "send-reset"));
	end(w);
	rule_count_goto(w, "refused", "refused", "send-reset");
	rule_count_goto(w, "killed", "killed", "send-reset");

	struct words *r = begin(w, "dropped");
	word_count(r, "dropped");
	word_drop(r);
	end(w);

	/* the packet's mark too: with the relay's on it, it would be routed to the relay */
	r = begin(w, "pass");
	set_mark(w, r, WORD_META_MARK, PLAN_MARK_PASS);
	end(w);
	write_mark_accept(w, "pass", WORD_CT_MARK, PLAN_MARK_PASS);
	rule_count_goto(w, "bypassed", "bypassed", "pass");
	rule_count_goto(w, "posture-closed", "posture-reset", "send-reset");
	rule_count_goto(w, "posture-open", "posture-passed", "pass");
}

static void write_relay(struct writer *w, const char *chain, bool open)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

	struct words *r = begin(w, chain);
	set_mark(w, r, WORD_CT_MARK, PLAN_MARK_RELAY);
	end(w);
	for (size_t i = 0; i < 2; i++) {
		r = begin(w, chain);
		word_tproxy(r, families[i], w->plan->relay_port);
		set_mark(w, r, WORD_META_MARK, PLAN_MARK_RELAY);
		word_count(r, "steered");
		word_accept(r);
		end(w);
	}
	if (open) {
		r = begin(w, chain);
		word_first(r, false);
		word_goto(r, "posture-open");
		end(w);
	}
	rule_goto(w, chain, "posture-closed");
}

static void write_decided(struct writer *w, const char *chain, const char *relay)
{
	rule_mark_goto(w, chain, WORD_CT_MARK, PLAN_MARK_RELAY, relay);
	rule_mark_goto(w, chain, WORD_CT_MARK, PLAN_MARK_PASS, NULL);
	rule_mark_goto(w, chain, WORD_CT_MARK, PLAN_MARK_DROP, "dropped");
	rule_mark_goto(w, chain, WORD_CT_MARK, PLAN_MARK_KILL, "killed");
	rule_goto(w, chain, "refused");
}

static void write_fresh(struct writer *w, const char *chain, const char *relay, const char *posture)
{
	rule_mark_goto(w, chain, WORD_META_MARK, PLAN_MARK_RELAY, relay);
	rule_mark_goto(w, chain, WORD_META_MARK, PLAN_MARK_PASS, "pass");
	rule_mark_goto(w, chain, WORD_META_MARK, PLAN_MARK_REJECT, "refused");
	rule_mark_goto(w, chain, WORD_META_MARK, PLAN_MARK_DROP, "dropped");
	rule_mark_goto(w, chain, WORD_META_MARK, PLAN_MARK_LIMITED, "send-reset");
	rule_goto(w, chain, posture);
}

static void write_stray(struct writer *w)
{
	struct words *r = begin(w, "stray");
	word_socket_transparent(r);
	/* the connection's too: a flushed conntrack begins it anew, and without the mark it would
	 * be an older, established one once the relay's socket is gone */
	set_mark(w, r, WORD_CT_MARK, PLAN_MARK_RELAY);
	set_mark(w, r, WORD_META_MARK, PLAN_MARK_RELAY);
	word_count(r, "steered");
	word_accept(r);
	end(w);

	r = begin(w, "stray");
	word_state(r, STATE_ESTABLISHED);
	word_accept(r);
	end(w);

	r = begin(w, "stray");
	word_state(r, STATE_INVALID);
	word_drop(r);
	end(w);
	rule_count_goto(w, "stray", "stray-reset", "send-reset");
}

static void write_steer_shared(struct writer *w)
{
	write_ends(w);
	if (w->plan->mode == PLAN_RUNNING) {
		write_relay(w, "relay-closed", false);
		write_relay(w, "relay-open", true);
		write_decided(w, "decided-closed", "relay-closed");
		write_decided(w, "decided-open", "relay-open");
		write_fresh(w, "fresh-closed", "relay-closed", "posture-closed");
		write_fresh(w, "fresh-open", "relay-open", "posture-open");
	} else {
		/* Nobody relays: what was relayed is reset, what was passed goes on. */
		write_decided(w, "decided-closed", "posture-closed");
		rule_goto(w, "fresh-closed", "posture-closed");
	}
	write_stray(w);
}

/* ---- zones ---- */

struct zone_names {
	char admit[SET_NAME_SIZE], steer[SET_NAME_SIZE], arrived[SET_NAME_SIZE];
	char port[SET_NAME_SIZE], bypass[SET_NAME_SIZE], net4[SET_NAME_SIZE], net6[SET_NAME_SIZE];
};

static void name_zone(const struct plan_zone *zone, struct zone_names *names)
{
	snprintf(names->admit, SET_NAME_SIZE, RULESET_ADMIT_OF "%s", zone->name);
	snprintf(names->steer, SET_NAME_SIZE, RULESET_STEER_OF "%s", zone->name);
	snprintf(names->arrived, SET_NAME_SIZE, RULESET_ARRIVED_OF "%s", zone->name);
	snprintf(names->port, SET_NAME_SIZE, SET_PORT_OF "%s", zone->name);
	snprintf(names->bypass, SET_NAME_SIZE, SET_BYPASS_OF "%s", zone->name);
	snprintf(names->net4, SET_NAME_SIZE, SET_NET4_OF "%s", zone->name);
	snprintf(names->net6, SET_NAME_SIZE, SET_NET6_OF "%s", zone->name);
}

static void write_admit_zone(
	struct writer *w, const struct plan_zone *zone, const struct zone_names *names)
{
	struct words *r = begin(w, names->admit);
	word_dport_in(r, names->bypass, false);
	word_accept(r);
	end(w);

	/* a mark from elsewhere is no decision */
	r = begin(w, names->admit);
	set_mark(w, r, WORD_META_MARK, PLAN_MARK_NONE);
	end(w);
	rule_goto(w, names->admit, zone->has_mac ? "known-mac" : "known-address");
}

static void write_steer_zone(
	struct writer *w, const struct plan_zone *zone, const struct zone_names *names)
{
	struct words *r = begin(w, names->steer);
	word_mark_is(r, WORD_CT_MARK, w->plan->mark_mask, 0, true);
	word_goto(r, zone->open ? "decided-open" : "decided-closed");
	end(w);

	r = begin(w, names->steer);
	word_to_gateway(r);
	word_accept(r);
	end(w);

	r = begin(w, names->steer);
	word_first(r, true);
	word_goto(r, "stray");
	end(w);

	r = begin(w, names->steer);
	word_count(r, "arrived");
	word_count(r, names->arrived);
	end(w);

	r = begin(w, names->steer);
	word_dport_in(r, names->bypass, false);
	word_goto(r, "bypassed");
	end(w);
	rule_goto(w, names->steer, zone->open ? "fresh-open" : "fresh-closed");
}

static bool has_network(const struct plan_zone *zone, enum addr_family family)
{
	for (size_t i = 0; i < zone->nnetworks; i++) {
		if (zone->networks[i].addr.family == family)
			return true;
	}
	return false;
}

/* From a base chain to the zone's: by interface, port, and network if it has any. */
static void write_dispatch(struct writer *w, const char *base, const char *target,
	const struct plan_zone *zone, const struct zone_names *names)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};
	for (size_t i = 0; i < zone->ninterfaces; i++) {
		for (size_t f = 0; f < 2; f++) {
			if (zone->nnetworks == 0 ? f > 0 : !has_network(zone, families[f]))
				continue;
			struct words *r = begin(w, base);
			word_iifname(r, zone->interfaces[i]);
			word_dport_in(r, names->port, false);
			if (zone->nnetworks)
				word_saddr_in(r, families[f], f ? names->net6 : names->net4);
			word_goto(r, target);
			end(w);
		}
	}
}

/* ---- base chains ---- */

static void write_tcp_only(struct writer *w, const char *base)
{
	struct words *r = begin(w, base);
	word_not_tcp(r);
	word_accept(r);
	end(w);
}

static void write_ports_only(struct writer *w, const char *base)
{
	struct words *r = begin(w, base);
	word_dport_in(r, SET_PORTS, true);
	word_accept(r);
	end(w);
}

static void write_admit_base(struct writer *w)
{
	write_tcp_only(w, "admit");
	write_ports_only(w, "admit");

	struct words *r = begin(w, "admit");
	word_first(r, true);
	word_accept(r);
	end(w);

	r = begin(w, "admit");
	word_mark_is(r, WORD_CT_MARK, w->plan->mark_mask, 0, true);
	word_accept(r);
	end(w);

	r = begin(w, "admit");
	word_to_gateway(r);
	word_accept(r);
	end(w);
}

static void write_steer_base(struct writer *w)
{
	write_tcp_only(w, "steer");

	struct words *r = begin(w, "steer");
	word_mark_is(r, WORD_CT_MARK, w->plan->mark_mask, bits(w, PLAN_MARK_KILL), false);
	word_reply(r);
	word_goto(r, "killed");
	end(w);
	write_ports_only(w, "steer");
}

static void write_input_base(struct writer *w)
{
	struct words *r = begin(w, "input");
	word_dport_is(r, w->plan->relay_port);
	word_count(r, "shielded");
	word_drop(r);
	end(w);
}

/* ---- all of it ---- */

static void add_chains(struct writer *w)
{
	static const struct {
		const char *name;
		bool bare;
	} chains[] = {{"limited", false}, {RULESET_ASK, false}, {"known-relay", false},
		{"known-pass", false}, {"known-reject", false}, {"known-drop", false},
		{"known-mac", false}, {"known-address", false}, {"send-reset", true},
		{"refused", true}, {"killed", true}, {"dropped", true}, {"pass", true},
		{"bypassed", true}, {"posture-closed", true}, {"posture-open", true},
		{"relay-closed", false}, {"relay-open", false}, {"decided-closed", true},
		{"decided-open", false}, {"fresh-closed", true}, {"fresh-open", false},
		{"stray", true}};
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		if (chains[i].bare || w->plan->mode == PLAN_RUNNING)
			add_chain(w, chains[i].name);
	}
}

bool ruleset_has_zone(const struct plan *plan, const struct plan_zone *zone)
{
	return plan->mode == PLAN_RUNNING || !zone->open;
}

void ruleset_put(
	struct batch *batch, const struct plan *plan, enum table_queue queue, uint32_t *queue_seq)
{
	struct writer w = {.batch = batch, .plan = plan, .queue = queue};
	bool running = plan->mode == PLAN_RUNNING;
	struct zone_names names;

	add_chains(&w);
	if (running)
		write_admit_shared(&w);
	write_steer_shared(&w);
	if (running) {
		write_admit_base(&w);
		write_input_base(&w);
	}
	write_steer_base(&w);
	for (size_t i = 0; i < plan->nzones; i++) {
		const struct plan_zone *zone = &plan->zones[i];
		if (!ruleset_has_zone(plan, zone))
			continue;
		name_zone(zone, &names);
		if (running) {
			add_chain(&w, names.admit);
			write_admit_zone(&w, zone, &names);
			write_dispatch(&w, "admit", names.admit, zone, &names);
		}
		add_chain(&w, names.steer);
		write_steer_zone(&w, zone, &names);
		write_dispatch(&w, "steer", names.steer, zone, &names);
	}
	*queue_seq = w.queue_seq;
}
