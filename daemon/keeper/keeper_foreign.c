/* What other programs' nftables rules would do with our packets, told as facts for `doctor`:
 *
 *   chain FAMILY TABLE CHAIN TYPE HOOK PRIORITY accept|drop DEVICE|*  each base chain
 *   iptables-nft FAMILY TABLE                                it is iptables-nft's
 *   accepts FAMILY TABLE CHAIN HANDLE WHICH all FROM         a rule that lets ours through
 *   takes FAMILY TABLE CHAIN HANDLE WHAT all|some FROM       a rule that takes TCP/25 away
 *   closes FAMILY TABLE CHAIN HANDLE WHAT all FROM           a rule that lets nothing go on
 *   jumps FAMILY TABLE CHAIN HANDLE CHAIN all FROM           a rule by which ours go there
 *
 * WHICH is mark, ct-mark, established, or smtp: whatever goes to port 25. WHAT is drop, reject,
 * nat, tproxy, queue, or what breaks steering: notrack, mark (our bits of it are overwritten). FROM
 * is an interface, which may end in a star; with ! in front all others; * is any. `some` stands
 * where the rule has more conditions than port and interface. A chain's facts come in the order of
 * its rules. */
#include "daemon/control/foreign_rule.h"
#include "daemon/keeper/keeper.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#define RULES_MAX 256 /* facts about rules: who has more has read enough */

struct telling {
	void (*tell)(void *context, const char *text);
	void *context;
	uint32_t mark_mask, relay; /* relay: the mark of steered packets */
	unsigned rules;
};

static const char *family_name(uint32_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return NULL; /* bridge, arp: not on our way */
	}
}

static const char *hook_name(uint32_t family, uint32_t hook)
{
	if (family == NFPROTO_NETDEV)
		return hook == NF_NETDEV_INGRESS ? "ingress" : "other";
	static const char *const names[] = {
		"prerouting", "input", "forward", "output", "postrouting", "ingress"};
	return hook < sizeof(names) / sizeof(names[0]) ? names[hook] : "other";
}

static bool is_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && strcmp(table, TABLE_NAME) == 0;
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

static int on_chain(void *context, const struct nlmsghdr *nlh)
{
	const struct telling *telling = context;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	char text[512];

	if (!chain)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, chain) < 0 ||
		!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		goto done;
	uint32_t protocol = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	const char *family = family_name(protocol);
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
	const char *device = nftnl_chain_get_str(chain, NFTNL_CHAIN_DEV);
	if (!family || !table || !name || is_ours(protocol, table))
		goto done;
	snprintf(text, sizeof(text), "chain %s %s %s %s %s %" PRId32 " %s %s", family, table, name,
		type ? type : "filter",
		hook_name(protocol, nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM)),
		nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
		nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP ? "drop" : "accept",
		device && *device ? device : "*");
	telling->tell(telling->context, text);
	if (is_iptables(table, name)) {
		snprintf(text, sizeof(text), "iptables-nft %s %s", family, table);
		telling->tell(telling->context, text);
	}
done:
	nftnl_chain_free(chain);
	return 0;
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

static void tell_fact(
	const struct place *place, const char *fact, const char *what, bool some, const char *from)
{
	char text[640];

	snprintf(text, sizeof(text), "%s %s %s %s %" PRIu64 " %s %s %s", fact, place->family,
		place->table, place->chain, place->handle, what, some ? "some" : "all",
		*from ? from : "*");
	place->telling->tell(place->telling->context, text);
	place->telling->rules++;
}

static void tell_accept(
	const struct place *place, const struct foreign_rule *reading, const char *from)
{
	if (reading->narrowed)
		return;
	if (reading->mark || reading->ct_mark)
		tell_fact(place, "accepts", reading->mark ? "mark" : "ct-mark", false, from);
	else if (!reading->stateful || (reading->states & FOREIGN_NEW))
		tell_fact(place, "accepts", "smtp", false, from);
	/* the servers' answers go to another port, and come by another interface than the clients'
	 */
	if (!reading->mark && !reading->ct_mark && !reading->port_hit &&
		(reading->stateful ? (reading->states & FOREIGN_ESTABLISHED) != 0 : !*from))
		tell_fact(place, "accepts", "established", false, from);
}

/* The facts that a whole rule amounts to, for packets from there. */
static void tell_act(const struct place *place, const struct foreign_rule *reading,
	const struct foreign_act *act, const char *from)
{
	bool some = reading->narrowed || (reading->stateful && !(reading->states & FOREIGN_NEW));

	if (reading->port_missed)
		return;
	if (act->name && strcmp(act->name, "accept") == 0) {
		tell_accept(place, reading, from);
		return;
	}
	if (reading->mark || reading->ct_mark)
		return;
	if (reading->overwrites && !some)
		tell_fact(place, "takes", "mark", false, from);
	if (!act->name || (some && reading->stateful))
		return;
	if (strcmp(act->name, "jump") == 0) {
		if (!some)
			tell_fact(place, "jumps", act->chain, false, from);
	} else if (reading->port_hit) {
		tell_fact(place, "takes", act->name, some, from);
	} else if (!some) {
		tell_fact(
			place, is_refusal(act->name) ? "closes" : "takes", act->name, false, from);
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

static int on_rule(void *context, const struct nlmsghdr *nlh)
{
	struct telling *telling = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0)
		goto done;
	struct foreign_rule reading = {.mark_mask = telling->mark_mask,
		.relay = telling->relay,
		.family = nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
		.table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE)};
	const struct place place = {telling, family_name(reading.family), reading.table,
		nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN),
		nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE)};
	if (!place.table || !place.chain || !place.family ||
		is_ours(reading.family, reading.table) || telling->rules >= RULES_MAX)
		goto done;
	foreign_rule_read(&reading, rule);
	tell_rule(&place, &reading);
done:
	nftnl_rule_free(rule);
	return 0;
}

void keeper_foreign_tell(
	uint32_t mark_mask, void (*tell)(void *context, const char *text), void *context)
{
	static const struct {
		uint16_t type;
		netlink_on_answer *on_answer;
	} dumps[] = {{NFT_MSG_GETCHAIN, on_chain}, {NFT_MSG_GETRULE, on_rule}};
	struct telling telling = {tell, context, mark_mask, mark_mask & -mark_mask, 0};
	struct netlink nl;

	if (netlink_open(&nl, NETLINK_NETFILTER, 0) < 0)
		return;
	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		struct netlink_request request;
		struct nlmsghdr *nlh = netlink_begin_nf(&nl, &request,
			(uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | dumps[i].type), NLM_F_DUMP,
			NFPROTO_UNSPEC, 0);
		netlink_ask(&nl, nlh, dumps[i].on_answer, &telling);
	}
	netlink_close(&nl);
}
