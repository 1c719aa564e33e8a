/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/forwarded.h"

#include "daemon/control/doctor/foreign/rule.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

/* What becomes of a packet in a chain. */
enum fate {
	FATE_GOES_ON,
	FATE_RETURNS,
	FATE_ACCEPTED,
	FATE_REFUSED,
	FATE_HIDDEN,  /* its source is written anew */
	FATE_UNCLEAR, /* a rule with a condition that is not understood may do otherwise */
};

/* ---- one packet through one chain ---- */

struct walk {
	const struct foreign_chains *chains;
	const struct foreign_chain *chain;
	const struct foreign_packet *packet;
	uint16_t port;
	uint32_t mark_mask, mark;
	const struct foreign_chain_rule *hiding; /* with FATE_HIDDEN, and what it does */
	const char *how;
};

static enum fate walk_chain(struct walk *walk, const char *name, unsigned depth);

static enum fate act_on(struct walk *walk, const struct foreign_chain_rule *rule,
	const struct foreign_act *act, unsigned depth)
{
	enum fate fate;

	if (!act->name)
		return act->returns ? FATE_RETURNS : FATE_GOES_ON;
	if (strcmp(act->name, "accept") == 0)
		return FATE_ACCEPTED;
	if (strcmp(act->name, "drop") == 0 || strcmp(act->name, "reject") == 0)
		return FATE_REFUSED;
	if (strcmp(act->name, "masquerade") == 0 || strcmp(act->name, "snat") == 0) {
		walk->hiding = rule;
		walk->how = act->name;
		return FATE_HIDDEN;
	}
	if (strcmp(act->name, "jump") != 0)
		return FATE_UNCLEAR;
	if (depth == FOREIGN_DEPTH_MAX)
		return FATE_UNCLEAR;
	fate = walk_chain(walk, act->chain, depth + 1);
	return fate == FATE_GOES_ON && act->stays ? FATE_RETURNS : fate;
}

/* A rule that may not be met: what its refusal would be is not said, what else it does may be. */
static enum fate weaken(enum fate fate)
{
	return fate == FATE_GOES_ON || fate == FATE_REFUSED || fate == FATE_HIDDEN ? FATE_GOES_ON
										   : FATE_UNCLEAR;
}

static enum fate meet(struct walk *walk, const struct foreign_chain_rule *rule, unsigned depth)
{
	struct foreign_rule reading = {.dump = &walk->chains->dump,
		.to = walk->port,
		.family = rule->family,
		.table = rule->table,
		.mark_mask = walk->mark_mask,
		.relay = walk->mark,
		.packet = walk->packet};

	foreign_rule_read(&reading, rule->expressions);
	switch (reading_hit(&reading)) {
	case FOREIGN_MISSED:
		break;
	case FOREIGN_MAYBE:
		return weaken(act_on(walk, rule, &reading.act, depth));
	case FOREIGN_HIT:
		return act_on(walk, rule, &reading.act, depth);
	}
	return FATE_GOES_ON;
}

static enum fate walk_chain(struct walk *walk, const char *name, unsigned depth)
{
	bool unclear = false;

	for (size_t i = 0; i < walk->chains->nrules; i++) {
		const struct foreign_chain_rule *rule = &walk->chains->rules[i];
		if (rule->family != walk->chain->family || strcmp(rule->chain, name) != 0 ||
			strcmp(rule->table, walk->chain->table) != 0)
			continue;
		enum fate fate = meet(walk, rule, depth);
		if (fate == FATE_RETURNS)
			break;
		unclear |= fate == FATE_UNCLEAR;
		if (fate != FATE_GOES_ON && fate != FATE_UNCLEAR)
			return unclear ? FATE_UNCLEAR : fate;
	}
	return unclear ? FATE_UNCLEAR : FATE_GOES_ON;
}

static enum fate walk_base(struct walk *walk)
{
	enum fate fate = walk_chain(walk, walk->chain->name, 0);
	return fate == FATE_GOES_ON && walk->chain->drops ? FATE_REFUSED : fate;
}

/* ---- all base chains on its way ---- */

struct way {
	const struct foreign_forwarded *forwarded;
	struct foreign_packet packet;
	uint16_t port;
};

static struct way way_there(const struct foreign_forwarded *forwarded)
{
	return (struct way){forwarded,
		{.in = forwarded->zone,
			.out = forwarded->server,
			.family = (enum addr_family)forwarded->host.addr.family,
			.source = forwarded->client,
			.destination = forwarded->host.addr},
		forwarded->host.port};
}

static struct way way_back(const struct foreign_forwarded *forwarded)
{
	return (struct way){forwarded,
		{.in = forwarded->server,
			.out = forwarded->zone,
			.family = (enum addr_family)forwarded->host.addr.family,
			.source = forwarded->host.addr,
			.destination = forwarded->client,
			.established = true},
		FOREIGN_ANSWERING_PORT};
}

static bool is_on_way(
	const struct foreign_chain *chain, const struct way *way, const char *type, uint32_t hook)
{
	return chain->hook == hook && strcmp(chain->type, type) == 0 &&
	       foreign_chain_sees(chain, way->packet.family);
}

static void tell_refused(const struct walk *walk, const struct way *way,
	void (*tell)(void *context, const char *text), void *context)
{
	const struct foreign_word table = foreign_word(walk->chain->table);
	const struct foreign_word name = foreign_word(walk->chain->name);
	char text[512], host[ADDR_TEXT_SIZE];

	snprintf(text, sizeof(text), "refused %s %s %s %s %u %s %s %s",
		foreign_family(walk->chain->family), table.text, name.text,
		addr_format(&way->forwarded->host.addr, host), way->forwarded->host.port,
		way->packet.in, way->packet.out, way->packet.established ? "back" : "there");
	tell(context, text);
}

static void tell_hiding(const struct walk *walk, const struct way *way,
	void (*tell)(void *context, const char *text), void *context)
{
	const struct foreign_word table = foreign_word(walk->hiding->table);
	const struct foreign_word name = foreign_word(walk->hiding->chain);
	char text[512], host[ADDR_TEXT_SIZE];

	snprintf(text, sizeof(text), "hides %s %s %s %" PRIu64 " %s %u %s %s %s",
		foreign_family(walk->hiding->family), table.text, name.text, walk->hiding->handle,
		addr_format(&way->forwarded->host.addr, host), way->forwarded->host.port,
		way->packet.in, way->packet.out, walk->how);
	tell(context, text);
}

void foreign_forwarded_tell(const struct foreign_chains *chains, uint32_t mark_mask, uint32_t mark,
	const struct foreign_forwarded *forwarded, void (*tell)(void *context, const char *text),
	void *context)
{
	const struct way there = way_there(forwarded), back = way_back(forwarded);

	for (size_t i = 0; i < chains->nchains; i++) {
		struct walk walk = {.chains = chains,
			.chain = &chains->chains[i],
			.packet = &there.packet,
			.port = there.port,
			.mark_mask = mark_mask,
			.mark = mark};
		if (!forwarded->gateway &&
			is_on_way(walk.chain, &there, "nat", NF_INET_POST_ROUTING) &&
			walk_base(&walk) == FATE_HIDDEN)
			tell_hiding(&walk, &there, tell, context);
		if (!is_on_way(walk.chain, &there, "filter", NF_INET_FORWARD))
			continue;
		if (walk_base(&walk) == FATE_REFUSED)
			tell_refused(&walk, &there, tell, context);
		walk.packet = &back.packet;
		walk.port = back.port;
		if (walk_base(&walk) == FATE_REFUSED)
			tell_refused(&walk, &back, tell, context);
	}
}
