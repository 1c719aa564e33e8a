/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/marked.h"

#include "daemon/control/doctor/foreign/rule.h"
#include "lib/policy/mark.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where ours stand (kernel-rules/nftables/ruleset.c). At the same priority either may come first.
 */
#define ADMIT_PRIORITY    (-149)
#define STEER_PRIORITY    (-148)
#define NAT_TYPE_PRIORITY (-101)
#define GUARD_PRIORITY    (-90)

/* What looking at one rule costs, reading it included, and how much is spent. */
#define SKIP_COST      1
#define READ_COST      400
#define COST_MAX       20000000
#define RULES_TOLD_MAX 64

const char *const foreign_effect_names[FOREIGN_EFFECTS] = {
	[FOREIGN_NO_EFFECT] = "none",
	[FOREIGN_UNNUMBERED] = "unnumbered",
	[FOREIGN_LOST] = "lost",
	[FOREIGN_BROKEN] = "broken",
	[FOREIGN_MISLED] = "misled",
	[FOREIGN_RESET] = "reset",
	[FOREIGN_UNGUARDED] = "unguarded",
	[FOREIGN_OUT] = "out",
};
static_assert(FOREIGN_OUT + 1 == FOREIGN_EFFECTS, "each has a word");

/* What a rule was found to do. */
struct found {
	enum foreign_effect effect;
	bool surely;
	const struct foreign_chain *base;
	struct foreign_marks marks; /* as it leaves them */
	bool packet, ct;            /* which of them it has written */
};

struct foreign_marked {
	const struct foreign_chains *chains;
	uint32_t mark_mask, server_mask;
	const struct foreign_chain **order; /* as packets meet them */
	bool *touches;                      /* by rule: it may write our bits */
	struct found *found;                /* by rule */
	bool any;
	unsigned cost;
};

/* ---- the order of chains ---- */

/* The kernel goes through all of a hook's chains of type nat at one place, in their own order. */
static int32_t place_of(const struct foreign_chain *chain)
{
	if (strcmp(chain->type, "nat") != 0)
		return chain->priority;
	return chain->hook == NF_INET_PRE_ROUTING ? NF_IP_PRI_NAT_DST : NF_IP_PRI_NAT_SRC;
}

static int compare(const void *a, const void *b)
{
	const struct foreign_chain *const *one = a, *const *other = b;
	const int32_t place = place_of(*one), other_place = place_of(*other);

	if ((*one)->hook != (*other)->hook)
		return (*one)->hook < (*other)->hook ? -1 : 1;
	if (place != other_place)
		return place < other_place ? -1 : 1;
	return ((*one)->priority > (*other)->priority) - ((*one)->priority < (*other)->priority);
}

static bool is_before_nat(const struct foreign_chain *chain)
{
	return chain->hook == NF_INET_PRE_ROUTING &&
	       (strcmp(chain->type, "nat") == 0 ? chain->priority <= NAT_TYPE_PRIORITY
						: chain->priority <= NF_IP_PRI_NAT_DST);
}

static bool is_before_guard(const struct foreign_chain *chain)
{
	return chain->hook == NF_INET_PRE_ROUTING && place_of(chain) <= GUARD_PRIORITY;
}

/* ---- what a rule does ---- */

static uint32_t nibble(const struct foreign_marked *marked, enum mark mark)
{
	return mark * (marked->mark_mask & -marked->mark_mask);
}

static bool may_be(const struct foreign_marked *marked, struct foreign_mark mark, enum mark want)
{
	return foreign_mark_may_be(mark, marked->mark_mask, nibble(marked, want));
}

static bool is_mark(const struct foreign_marked *marked, struct foreign_mark mark, enum mark want)
{
	return foreign_mark_is(mark, marked->mark_mask, nibble(marked, want));
}

/* The guard takes a first packet for a passed one, or for nobody's. One with a relay's mark is
 * routed to the gateway itself. */
static bool is_unguarded(const struct foreign_marked *marked, const struct foreign_marks *marks)
{
	return !is_mark(marked, marks->packet, MARK_KERNEL) &&
	       !is_mark(marked, marks->packet, MARK_RELAY) &&
	       (may_be(marked, marks->packet, MARK_PASS) ||
		       !is_mark(marked, marks->ct, MARK_KERNEL));
}

struct walk {
	struct foreign_marked *marked;
	const struct foreign_chain *chain;
	const struct foreign_packet *packet;
	uint16_t port;
	enum mark mark; /* the connection's */
	struct foreign_marks marks;
	bool unsure; /* a rule before may have ended it */
};

static enum foreign_effect effect_of(
	const struct walk *walk, const struct foreign_marks *after, bool packet, bool ct)
{
	const struct foreign_marked *marked = walk->marked;
	const struct foreign_chain *chain = walk->chain;
	const bool first = !walk->packet->established;
	const bool lost = ct && !is_mark(marked, after->ct, walk->mark);

	if (first && (packet || lost) && is_before_guard(chain) && is_unguarded(marked, after))
		return is_before_nat(chain) ? FOREIGN_OUT : FOREIGN_UNGUARDED;
	if (first && is_before_nat(chain))
		return packet || lost ? FOREIGN_RESET : ct ? FOREIGN_MISLED : FOREIGN_NO_EFFECT;
	if (packet && walk->mark == MARK_KERNEL && chain->hook == NF_INET_PRE_ROUTING &&
		may_be(marked, after->packet, MARK_RELAY))
		return FOREIGN_BROKEN;
	return lost ? FOREIGN_LOST : ct ? FOREIGN_UNNUMBERED : FOREIGN_NO_EFFECT;
}

static void note(const struct walk *walk, size_t rule, const struct foreign_marks *after, bool met)
{
	struct foreign_marked *marked = walk->marked;
	const uint32_t ours = marked->mark_mask;
	const bool packet = !foreign_mark_equal(walk->marks.packet, after->packet, ours);
	const bool ct = !foreign_mark_equal(walk->marks.ct, after->ct, ours | marked->server_mask);
	const enum foreign_effect effect = effect_of(walk, after, packet, ct);
	struct found *found = &marked->found[rule];
	const bool surely = met && !walk->unsure &&
			    (!packet || (after->packet.known & ours) == ours) &&
			    (!ct || (after->ct.known & ours) == ours);

	if (effect == FOREIGN_NO_EFFECT || effect < found->effect)
		return;
	if (effect > found->effect)
		*found = (struct found){.effect = effect, .base = walk->chain, .marks = *after};
	found->surely |= surely;
	found->packet |= packet;
	found->ct |= ct;
}

static struct foreign_rule reading_of(
	const struct foreign_marked *marked, size_t rule, struct foreign_marks *marks)
{
	const struct foreign_chain_rule *from = &marked->chains->rules[rule];

	return (struct foreign_rule){.dump = &marked->chains->dump,
		.family = from->family,
		.table = from->table,
		.mark_mask = marked->mark_mask,
		.relay = nibble(marked, MARK_KERNEL),
		.marks = marks};
}

/* ---- one packet through one chain ---- */

enum fate {
	FATE_GOES_ON,
	FATE_RETURNS,
	FATE_ENDS, /* of this base chain */
	FATE_GONE,
};

static enum fate walk_chain(struct walk *walk, const char *name, unsigned depth);

static enum fate act_on(struct walk *walk, const struct foreign_act *act, unsigned depth)
{
	if (!act->name)
		return act->returns ? FATE_RETURNS : FATE_GOES_ON;
	if (strcmp(act->name, "drop") == 0 || strcmp(act->name, "reject") == 0)
		return FATE_GONE;
	if (strcmp(act->name, "jump") != 0)
		return FATE_ENDS;
	if (depth == FOREIGN_DEPTH_MAX)
		return FATE_GOES_ON;
	enum fate fate = walk_chain(walk, act->chain, depth + 1);
	return fate == FATE_GOES_ON && act->stays ? FATE_RETURNS : fate;
}

static void join(struct walk *walk, const struct foreign_marks *other)
{
	walk->marks.packet = foreign_mark_join(walk->marks.packet, other->packet);
	walk->marks.ct = foreign_mark_join(walk->marks.ct, other->ct);
}

/* What it does may be done: what comes behind it meets marks of which less is known. */
static void act_perhaps(struct walk *walk, const struct foreign_act *act, unsigned depth)
{
	const struct foreign_marks before = walk->marks;
	const bool unsure = walk->unsure;

	walk->unsure = true;
	const bool goes_on = act_on(walk, act, depth) == FATE_GOES_ON;
	walk->unsure = unsure || !goes_on;
	join(walk, &before);
}

struct perhaps {
	struct walk *walk;
	unsigned depth;
};

static void on_chain(void *context, const struct foreign_act *act)
{
	const struct perhaps *perhaps = context;

	act_perhaps(perhaps->walk, act, perhaps->depth);
}

static enum fate meet(struct walk *walk, size_t rule, unsigned depth)
{
	const struct foreign_marks before = walk->marks;
	struct foreign_marks after = before;
	struct foreign_rule reading = reading_of(walk->marked, rule, &after);
	struct perhaps perhaps = {walk, depth};

	reading.to = walk->port;
	reading.packet = walk->packet;
	foreign_rule_read(&reading, walk->marked->chains->rules[rule].expressions);
	const enum foreign_hit hit = reading_hit(&reading);
	if (hit == FOREIGN_MISSED)
		return FATE_GOES_ON;
	if (walk->marked->touches[rule])
		note(walk, rule, &after, hit == FOREIGN_HIT);
	walk->marks = after;
	if (hit == FOREIGN_HIT)
		return act_on(walk, &reading.act, depth);
	act_perhaps(walk, &reading.act, depth);
	if (reading.unfound) {
		const struct foreign_set set = {.dump = reading.dump,
			.family = reading.family,
			.table = reading.table,
			.name = reading.unfound};
		foreign_set_each_chain(&set, on_chain, &perhaps);
	}
	join(walk, &before);
	return FATE_GOES_ON;
}

static enum fate walk_chain(struct walk *walk, const char *name, unsigned depth)
{
	const struct foreign_chains *chains = walk->marked->chains;

	for (size_t i = 0; i < chains->nrules; i++) {
		const struct foreign_chain_rule *rule = &chains->rules[i];
		if (walk->marked->cost >= COST_MAX)
			return FATE_GONE;
		walk->marked->cost += SKIP_COST;
		if (rule->family != walk->chain->family || strcmp(rule->chain, name) != 0 ||
			strcmp(rule->table, walk->chain->table) != 0)
			continue;
		walk->marked->cost += READ_COST;
		enum fate fate = meet(walk, i, depth);
		if (fate == FATE_RETURNS)
			break;
		if (fate != FATE_GOES_ON)
			return fate;
	}
	return FATE_GOES_ON;
}

/* ---- one packet through all chains ---- */

/* By the first packet's admission ours are written anew; what came before is of later ones. */
static bool is_met(const struct foreign_chain *chain, const struct foreign_packet *packet)
{
	if (!foreign_chain_sees(chain, packet->family))
		return false;
	if (strcmp(chain->type, "filter") != 0 &&
		(strcmp(chain->type, "nat") != 0 || packet->established))
		return false;
	if (chain->hook == NF_INET_PRE_ROUTING)
		return chain->priority >=
		       (packet->established ? NF_IP_PRI_CONNTRACK : ADMIT_PRIORITY);
	return chain->hook == NF_INET_FORWARD || chain->hook == NF_INET_POST_ROUTING;
}

/* A killed connection's packets are reset by steer; what the server sends, by the guard. */
static bool is_over(const struct walk *walk, bool back)
{
	return walk->mark == MARK_KILL &&
	       (walk->chain->hook != NF_INET_PRE_ROUTING ||
		       place_of(walk->chain) > (back ? GUARD_PRIORITY : STEER_PRIORITY));
}

/* to: the port behind prerouting, and the address, where that rewrites it. */
static void follow(struct foreign_marked *marked, struct foreign_packet *packet, uint16_t port,
	const struct endpoint *to, enum mark mark)
{
	const uint32_t ours = marked->mark_mask | marked->server_mask;
	/* the number has left the packet, and later ones have no mark of ours at all */
	struct walk walk = {.marked = marked,
		.packet = packet,
		.port = port,
		.mark = mark,
		.marks = {.packet = {.known = ours},
			.ct = {.kept = ours,
				.known = marked->mark_mask,
				.bits = nibble(marked, mark)}}};

	if (!packet->established) {
		walk.marks.packet.kept = marked->mark_mask;
		walk.marks.packet.bits = nibble(marked, mark);
	}
	for (size_t i = 0; i < marked->chains->nchains; i++) {
		walk.chain = marked->order[i];
		if (!is_met(walk.chain, packet) || is_over(&walk, !to))
			continue;
		if (walk.chain->hook != NF_INET_PRE_ROUTING && to) {
			walk.port = to->port;
			packet->destination = to->addr;
		}
		if (walk_chain(&walk, walk.chain->name, 0) == FATE_GONE)
			return;
	}
}

void foreign_marked_follow(
	struct foreign_marked *marked, const struct foreign_forwarded *forwarded, uint16_t port)
{
	/* any client's, to anywhere */
	struct foreign_packet there = {.in = forwarded->zone,
		.out = forwarded->server,
		.family = (enum addr_family)forwarded->host.addr.family,
		.source = {.family = ADDR_NONE},
		.destination = {.family = ADDR_NONE}};
	struct foreign_packet later = there, back = there;

	if (!marked->any)
		return;
	later.established = back.established = true;
	back.in = forwarded->server;
	back.out = forwarded->zone;
	back.source = forwarded->host.addr;
	follow(marked, &there, port, &forwarded->host, MARK_KERNEL);
	for (size_t i = 0; i < 2; i++) {
		const enum mark mark = i ? MARK_KILL : MARK_KERNEL;
		later.destination.family = ADDR_NONE;
		follow(marked, &later, port, &forwarded->host, mark);
		follow(marked, &back, FOREIGN_ANSWERING_PORT, NULL, mark);
	}
}

/* ---- all of it ---- */

/* Whoever's packet it is. */
static bool touches(const struct foreign_marked *marked, size_t rule)
{
	const uint32_t ours = marked->mark_mask, all = ours | marked->server_mask;
	struct foreign_marks marks = {.packet = {.kept = ours}, .ct = {.kept = all}};
	struct foreign_rule reading = reading_of(marked, rule, &marks);

	foreign_rule_read(&reading, marked->chains->rules[rule].expressions);
	return (marks.packet.kept & ours) != ours || (marks.ct.kept & all) != all;
}

struct foreign_marked *foreign_marked_new(
	const struct foreign_chains *chains, uint32_t mark_mask, uint32_t server_mask)
{
	struct foreign_marked *marked = calloc(1, sizeof(*marked));

	if (!marked)
		return NULL;
	*marked = (struct foreign_marked){.chains = chains,
		.mark_mask = mark_mask,
		.server_mask = server_mask,
		.order = calloc(chains->nchains + 1, sizeof(const struct foreign_chain *)),
		.touches = calloc(chains->nrules + 1, sizeof(bool)),
		.found = calloc(chains->nrules + 1, sizeof(struct found))};
	if (!marked->order || !marked->touches || !marked->found) {
		foreign_marked_free(marked);
		return NULL;
	}
	for (size_t i = 0; i < chains->nchains; i++)
		marked->order[i] = &chains->chains[i];
	qsort(marked->order, chains->nchains, sizeof(*marked->order), compare);
	for (size_t i = 0; i < chains->nrules; i++)
		marked->any |= marked->touches[i] = touches(marked, i);
	return marked;
}

void foreign_marked_free(struct foreign_marked *marked)
{
	if (!marked)
		return;
	free(marked->order);
	free(marked->touches);
	free(marked->found);
	free(marked);
}

/* As a rule would write it that keeps `kept`: a value, "*" where it is not always the same, or "-"
 * where it does not write. */
static void put_value(char text[static 12], bool written, struct foreign_mark mark, uint32_t kept)
{
	if (!written)
		snprintf(text, 12, "-");
	else if ((mark.known | kept) != UINT32_MAX)
		snprintf(text, 12, "*");
	else
		snprintf(text, 12, "0x%08" PRIx32, mark.bits & ~kept);
}

void foreign_marked_tell(const struct foreign_marked *marked,
	void (*tell)(void *context, const char *text), void *context)
{
	unsigned told = 0;

	if (marked->cost >= COST_MAX)
		tell(context, "marks-unread rules");
	for (size_t i = 0; i < marked->chains->nrules && told < RULES_TOLD_MAX; i++) {
		const struct foreign_chain_rule *rule = &marked->chains->rules[i];
		const struct found *found = &marked->found[i];
		if (found->effect == FOREIGN_NO_EFFECT)
			continue;
		const struct foreign_word table = foreign_word(rule->table),
					  chain = foreign_word(rule->chain),
					  base = foreign_word(found->base->name);
		char packet[12], ct[12], text[768];
		put_value(packet, found->packet, found->marks.packet, marked->mark_mask);
		put_value(ct, found->ct, found->marks.ct, marked->mark_mask | marked->server_mask);
		snprintf(text, sizeof(text), "marks %s %s %s %" PRIu64 " %s %s %s %s %s",
			foreign_family(rule->family), table.text, chain.text, rule->handle,
			base.text, foreign_effect_names[found->effect],
			found->surely ? "all" : "some", packet, ct);
		tell(context, text);
		told++;
	}
}
