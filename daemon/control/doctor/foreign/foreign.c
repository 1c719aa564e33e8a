/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other programs' nftables rules would do with our packets, told as facts for `doctor`:
 *
 *   chain FAMILY TABLE CHAIN TYPE HOOK PRIORITY accept|drop DEVICE|*  each base chain
 *   iptables-nft FAMILY TABLE                                it is iptables-nft's
 *   accepts FAMILY TABLE CHAIN HANDLE WHICH all FROM         a rule that lets ours through
 *   takes FAMILY TABLE CHAIN HANDLE WHAT all|some FROM       a rule that takes TCP/25 away
 *   closes FAMILY TABLE CHAIN HANDLE WHAT all FROM           a rule that lets nothing go on
 *   picks FAMILY TABLE CHAIN HANDLE WHAT some FROM           the first that takes some, of any port
 *   jumps FAMILY TABLE CHAIN HANDLE CHAIN all|port FROM      a rule by which ours go there
 *   offloads FAMILY TABLE CHAIN HANDLE flowtable all|some FROM   by a flowtable past all rules
 *
 * WHICH is mark, ct-mark, established, or smtp: whatever goes to the port. WHAT is drop, reject,
 * nat, tproxy, queue, or what breaks steering: notrack, mark and ct-mark (our bits are
 * overwritten). FROM is an interface, which may end in a star; with ! in front all others; * is
 * any. `some` stands where the rule has more conditions than port and interface, `port` where it
 * has one on the port. A chain's facts come in the order of its rules. In a name a question mark
 * stands for what would be taken for the end of a word.
 *
 * Of packets to another port than 25, which come to a listener, the kinds behind
 * `iptables-nft` stand with the port in front: 587:closes ... Of those of UDP, of which nothing is
 * steered, too: 1813/udp:closes ...
 *
 * Of forwarded.c:
 *
 *   refused FAMILY TABLE CHAIN ADDRESS PORT IN OUT there|back   a base chain lets no such packet
 *   hides FAMILY TABLE CHAIN HANDLE ADDRESS PORT IN OUT masquerade|snat   its source becomes ours
 *
 * Of marked.c, of connections that the kernel leads to a server:
 *
 *   marks-unread rules    there are too many rules to follow a packet through all
 *   marks FAMILY TABLE CHAIN HANDLE BASE EFFECT all|some MARK CT-MARK   a rule writes to our bits
 *
 * BASE is the base chain that leads to it; EFFECT is what comes of it (marked.h), surely with
 * `all`. MARK and CT-MARK are what the rule writes beside our bits; * is not always the same, -
 * nothing.
 */
#include "daemon/control/doctor/foreign/foreign.h"

#include "daemon/control/doctor/foreign/rule.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define RULES_MAX 256 /* facts about rules: who has more has read enough */

struct telling {
	const struct foreign_dump *dump;
	void (*tell)(void *context, const char *text);
	void *context;
	uint32_t mark_mask, relay; /* relay: the mark of steered packets */
	uint16_t port;
	bool udp;
	unsigned rules;
	char picking[300]; /* the chain of the last `picks`: lists of addresses have thousands */
};

static const char *hook_name(uint32_t family, uint32_t hook)
{
	if (family == NFPROTO_NETDEV)
		return hook == NF_NETDEV_INGRESS ? "ingress" : "other";
	static const char *const names[] = {
		"prerouting", "input", "forward", "output", "postrouting", "ingress"};
	return hook < sizeof(names) / sizeof(names[0]) ? names[hook] : "other";
}

/* The tables that iptables-nft makes have base chains in capital letters. */
static bool is_iptables(const char *table, const char *chain)
{
	static const char *const tables[] = {"filter", "nat", "mangle", "raw", "security"};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strcmp(table, tables[i]) == 0)
			return chain[0] >= 'A' && chain[0] <= 'Z';
	return false;
}

static void tell_chain(
	const struct telling *telling, const struct nlmsghdr *message, uint32_t protocol)
{
	const char *family = foreign_family(protocol);
	struct foreign_attrs attrs, hook;
	char text[768];

	foreign_read(message, &attrs);
	foreign_nested(attrs.v[NFTA_CHAIN_HOOK], &hook);
	const struct foreign_word table = foreign_word(foreign_text(&attrs, NFTA_CHAIN_TABLE));
	const struct foreign_word name = foreign_word(foreign_text(&attrs, NFTA_CHAIN_NAME));
	const struct foreign_word type = foreign_word(foreign_text(&attrs, NFTA_CHAIN_TYPE));
	const struct foreign_word device = foreign_word(foreign_text(&hook, NFTA_HOOK_DEV));
	if (!hook.v[NFTA_HOOK_HOOKNUM] || !family || !*table.text || !*name.text ||
		foreign_is_ours(protocol, table.text))
		return;
	snprintf(text, sizeof(text), "chain %s %s %s %s %s %" PRId32 " %s %s", family, table.text,
		name.text, *type.text ? type.text : "filter",
		hook_name(protocol, foreign_u32(&hook, NFTA_HOOK_HOOKNUM)),
		(int32_t)foreign_u32(&hook, NFTA_HOOK_PRIORITY),
		attrs.v[NFTA_CHAIN_POLICY] && foreign_u32(&attrs, NFTA_CHAIN_POLICY) == NF_DROP
			? "drop"
			: "accept",
		*device.text ? device.text : "*");
	telling->tell(telling->context, text);
	if (is_iptables(table.text, name.text)) {
		snprintf(text, sizeof(text), "iptables-nft %s %s", family, table.text);
		telling->tell(telling->context, text);
	}
}

static bool is_refusal(const char *act)
{
	return strcmp(act, "drop") == 0 || strcmp(act, "reject") == 0;
}

/* Where a rule stands, and what its facts begin with. */
struct place {
	struct telling *telling;
	const char *family, *table, *chain;
	uint64_t handle;
};

static void tell_fact(const struct place *place, const char *fact, const char *what,
	const char *extent, const char *from)
{
	const struct foreign_word act = foreign_word(what), interface = foreign_word(from);
	char text[648], port[12] = "";

	if (place->telling->udp || place->telling->port != FOREIGN_SMTP_PORT)
		snprintf(port, sizeof(port), "%u%s:", place->telling->port,
			place->telling->udp ? "/udp" : "");
	snprintf(text, sizeof(text), "%s%s %s %s %s %" PRIu64 " %s %s %s", port, fact,
		place->family, place->table, place->chain, place->handle,
		*act.text ? act.text : "?", extent, *interface.text ? interface.text : "*");
	place->telling->tell(place->telling->context, text);
	place->telling->rules++;
}

static void tell_accept(
	const struct place *place, const struct foreign_rule *reading, const char *from)
{
	/* to one of the gateway's addresses, for one: enough for who comes to a listener */
	if (reading->narrowed && reading->port_hit &&
		(!reading->stateful || (reading->states & FOREIGN_NEW)))
		tell_fact(place, "accepts", "listener", "some", from);
	if (reading->narrowed)
		return;
	if (reading->mark || reading->ct_mark)
		tell_fact(place, "accepts", reading->mark ? "mark" : "ct-mark", "all", from);
	else if (!reading->stateful || (reading->states & FOREIGN_NEW))
		tell_fact(place, "accepts", "smtp", "all", from);
	/* the servers' answers go to another port, and come by another interface than the clients'
	 */
	if (!reading->mark && !reading->ct_mark && !reading->port_hit &&
		(reading->stateful ? (reading->states & FOREIGN_ESTABLISHED) != 0 : !*from))
		tell_fact(place, "accepts", "established", "all", from);
}

static void tell_pick(const struct place *place, const char *what, const char *from)
{
	char chain[sizeof(place->telling->picking)];

	snprintf(chain, sizeof(chain), "%s %s %s", place->family, place->table, place->chain);
	if (strcmp(chain, place->telling->picking) == 0)
		return;
	strcpy(place->telling->picking, chain);
	tell_fact(place, "picks", what, "some", from);
}

/* The facts that a whole rule amounts to, for packets from there. */
static void tell_act(const struct place *place, const struct foreign_rule *reading,
	const struct foreign_act *act, const char *from)
{
	bool some = reading->narrowed || (reading->stateful && !(reading->states & FOREIGN_NEW));
	const char *extent = some ? "some" : "all";

	if (reading->port_missed)
		return;
	if (act->name && strcmp(act->name, "accept") == 0) {
		tell_accept(place, reading, from);
		return;
	}
	if (reading->mark || reading->ct_mark)
		return;
	if (reading->offloads && !reading->spares)
		tell_fact(place, "offloads", "flowtable", reading->narrowed ? "some" : "all", from);
	if (reading->overwrites)
		tell_fact(place, "takes", "mark", extent, from);
	if (reading->overwrites_ct)
		tell_fact(place, "takes", "ct-mark", "some", from);
	if (!act->name || (some && reading->stateful))
		return;
	if (strcmp(act->name, "jump") == 0) {
		if (!some)
			tell_fact(place, "jumps", act->chain, reading->port_hit ? "port" : "all",
				from);
	} else if (reading->port_hit) {
		tell_fact(place, "takes", act->name, extent, from);
	} else if (!some) {
		tell_fact(
			place, is_refusal(act->name) ? "closes" : "takes", act->name, "all", from);
	} else if (is_refusal(act->name)) {
		tell_pick(place, act->name, from);
	}
}

static void tell_rule(const struct place *place, const struct foreign_rule *reading)
{
	if (!reading->listed) {
		tell_act(place, reading, &reading->act, reading->interface);
		return;
	}
	for (size_t i = 0; i < reading->interfaces.n; i++) {
		const struct foreign_interface *interface = &reading->interfaces.v[i];
		tell_act(place, reading, interface->act.name ? &interface->act : &reading->act,
			interface->name);
	}
}

static void tell_rule_of(struct telling *telling, const struct nlmsghdr *message, uint32_t family)
{
	struct foreign_attrs attrs;

	foreign_read(message, &attrs);
	const struct foreign_word table = foreign_word(foreign_text(&attrs, NFTA_RULE_TABLE));
	const struct foreign_word chain = foreign_word(foreign_text(&attrs, NFTA_RULE_CHAIN));
	struct foreign_rule reading = {.dump = telling->dump,
		.to = telling->port,
		.udp = telling->udp,
		.family = family,
		.table = foreign_text(&attrs, NFTA_RULE_TABLE),
		.mark_mask = telling->mark_mask,
		.relay = telling->relay};
	const struct place place = {telling, foreign_family(family), table.text, chain.text,
		foreign_u64(&attrs, NFTA_RULE_HANDLE)};
	if (!*table.text || !*chain.text || !place.family || foreign_is_ours(family, table.text) ||
		telling->rules >= RULES_MAX)
		return;
	foreign_rule_read(&reading, attrs.v[NFTA_RULE_EXPRESSIONS]);
	tell_rule(&place, &reading);
}

void foreign_tell(const struct foreign_dump *dump, uint32_t mark_mask, uint16_t port, bool udp,
	void (*tell)(void *context, const char *text), void *context)
{
	struct telling telling = {.dump = dump,
		.tell = tell,
		.context = context,
		.mark_mask = mark_mask,
		.relay = mark_mask & -mark_mask,
		.port = port,
		.udp = udp};
	const struct nlmsghdr *message;
	const bool steered = !udp && port == FOREIGN_SMTP_PORT;
	uint32_t family;

	for (size_t at = 0; (message = foreign_next(dump, &at, &family));)
		if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN && steered)
			tell_chain(&telling, message, family);
		else if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWRULE)
			tell_rule_of(&telling, message, family);
}
