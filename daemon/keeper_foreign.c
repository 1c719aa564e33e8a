/* What other programs' nftables rules would do with our packets, told as facts for `doctor`:
 *
 *   chain FAMILY TABLE CHAIN TYPE HOOK PRIORITY accept|drop     each base chain
 *   iptables-nft FAMILY TABLE                                   it is iptables-nft's
 *   accepts FAMILY TABLE CHAIN HANDLE mark|ct-mark|established  a rule that lets ours through, then
 *                                                               all|some IIFNAME|* as below
 *   takes FAMILY TABLE CHAIN HANDLE WHAT all|some IIFNAME|*     a rule that takes TCP/25 away
 *   closes FAMILY TABLE CHAIN HANDLE WHAT all IIFNAME|*         a rule that lets nothing go on
 *
 * WHAT is drop, reject, nat, tproxy or queue; `some` stands where the rule has more conditions than
 * the port and the interface. The facts of a chain come in the order of its rules.
 * A rule is read as the row of expressions that nft and iptables-nft make; a condition that is not
 * understood makes it say less, never more. */
#include "daemon/keeper.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdio.h>
#include <string.h>

#define SMTP_PORT         25
#define STATE_ESTABLISHED 2u  /* bit of `ct state`, and of the xtables match */
#define RULES_MAX         256 /* facts about rules: who has more has read enough */

struct telling {
	void (*tell)(void *context, const char *text);
	void *context;
	uint32_t mark_mask, relay; /* relay: the mark of steered packets */
	unsigned rules;
};

/* What the expressions so far have left in a register for the next to compare. */
enum loaded {
	LOADED_OTHER,
	LOADED_HARMLESS,
	LOADED_INTERFACE,
	LOADED_PORT,
	LOADED_MARK,
	LOADED_CT_MARK,
	LOADED_STATE
};

struct reading {
	const struct telling *telling;
	uint32_t family;
	const char *table;
	enum loaded loaded;
	uint32_t masked;            /* the mask that a loaded state went through */
	bool port_hit, port_missed; /* a port condition that 25 meets; one that it does not */
	bool mark, ct_mark, established;
	bool narrowed;      /* a condition on something else */
	char interface[64]; /* it must come from; empty: from any */
	const char *act;    /* NULL: nothing final */
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
	default:
		return NULL; /* bridge, netdev, arp: not on our way */
	}
}

static const char *hook_name(uint32_t hook)
{
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
	const char *family = family_name(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY));
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
	if (!family || !table || !name ||
		is_ours(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY), table))
		goto done;
	snprintf(text, sizeof(text), "chain %s %s %s %s %s %" PRId32 " %s", family, table, name,
		type ? type : "filter", hook_name(nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM)),
		nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
		nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP ? "drop" : "accept");
	telling->tell(telling->context, text);
	if (is_iptables(table, name)) {
		snprintf(text, sizeof(text), "iptables-nft %s %s", family, table);
		telling->tell(telling->context, text);
	}
done:
	nftnl_chain_free(chain);
	return 0;
}

/* ---- ports in a set ---- */

struct port_search {
	bool interval;
	int below; /* the greatest key at or below 25; -1: none */
	bool below_ends;
	const char *act; /* of a verdict map's element 25 */
};

static const char *verdict_name(uint32_t verdict)
{
	return verdict == NF_DROP ? "drop" : verdict == NF_ACCEPT ? "accept" : NULL;
}

static int on_element(struct nftnl_set_elem *elem, void *context)
{
	struct port_search *search = context;
	uint32_t len = 0;
	const uint8_t *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);

	if (!key || len < 2)
		return 0;
	int port = key[0] << 8 | key[1];
	bool ends =
		nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_FLAGS) &&
		(nftnl_set_elem_get_u32(elem, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END);
	search->interval |= ends;
	/* an interval may end where the next begins */
	if (port <= SMTP_PORT && (port > search->below || (port == search->below && !ends))) {
		search->below = port;
		search->below_ends = ends;
		search->act =
			nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_VERDICT)
				? verdict_name(nftnl_set_elem_get_u32(elem, NFTNL_SET_ELEM_VERDICT))
				: NULL;
	}
	return 0;
}

static int on_elements(void *context, const struct nlmsghdr *nlh)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!set)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) >= 0)
		nftnl_set_elem_foreach(set, on_element, context);
	nftnl_set_free(set);
	return 0;
}

/* Is port 25 in the set? On a connection of its own: the rules are being read on another. */
static bool has_smtp(const struct reading *reading, const char *set, struct port_search *search)
{
	struct netlink nl;
	struct netlink_request request;

	*search = (struct port_search){.below = -1};
	if (netlink_open(&nl, NETLINK_NETFILTER, 0) < 0)
		return false;
	struct nlmsghdr *nlh =
		netlink_begin_nf(&nl, &request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM,
			NLM_F_DUMP, (uint8_t)reading->family, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, reading->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	netlink_ask(&nl, nlh, on_elements, search);
	netlink_close(&nl);
	return search->below >= 0 &&
	       (search->interval ? !search->below_ends : search->below == SMTP_PORT);
}

/* ---- one rule ---- */

static void take_port(struct reading *reading, bool hit)
{
	*(hit ? &reading->port_hit : &reading->port_missed) = true;
}

static void read_meta(struct reading *reading, const struct nftnl_expr *expr)
{
	if (!nftnl_expr_is_set(expr, NFTNL_EXPR_META_DREG)) {
		reading->loaded = LOADED_HARMLESS; /* sets a mark or a priority */
		return;
	}
	switch (nftnl_expr_get_u32(expr, NFTNL_EXPR_META_KEY)) {
	case NFT_META_MARK:
		reading->loaded = LOADED_MARK;
		break;
	case NFT_META_L4PROTO:
	case NFT_META_NFPROTO:
	case NFT_META_PROTOCOL:
		reading->loaded = LOADED_HARMLESS;
		break;
	case NFT_META_IIFNAME:
		reading->loaded = LOADED_INTERFACE;
		break;
	default:
		reading->loaded = LOADED_OTHER;
	}
}

/* A name, or with fewer bytes than names have the beginning of one, as nft writes `wlan*`. */
static void take_interface(struct reading *reading, uint32_t op, const char *data, uint32_t len)
{
	if (!data || op != NFT_CMP_EQ || len >= sizeof(reading->interface)) {
		reading->narrowed = true;
		return;
	}
	bool whole = len && data[len - 1] == 0;
	snprintf(reading->interface, sizeof(reading->interface), "%.*s%s", (int)len, data,
		whole ? "" : "*");
	if (strpbrk(reading->interface, " \n"))
		reading->narrowed = true;
}

static void read_ct(struct reading *reading, const struct nftnl_expr *expr)
{
	uint32_t key = nftnl_expr_get_u32(expr, NFTNL_EXPR_CT_KEY);
	reading->loaded = key == NFT_CT_STATE  ? LOADED_STATE
			  : key == NFT_CT_MARK ? LOADED_CT_MARK
					       : LOADED_OTHER;
	reading->masked = 0;
}

static void read_payload(struct reading *reading, const struct nftnl_expr *expr)
{
	uint32_t base = nftnl_expr_get_u32(expr, NFTNL_EXPR_PAYLOAD_BASE);
	uint32_t offset = nftnl_expr_get_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET);
	uint32_t len = nftnl_expr_get_u32(expr, NFTNL_EXPR_PAYLOAD_LEN);
	bool port = base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && len == 2;
	reading->loaded = port ? LOADED_PORT : LOADED_OTHER;
}

static void read_bitwise(struct reading *reading, const struct nftnl_expr *expr)
{
	uint32_t len = 0, mask = 0;
	const void *data = nftnl_expr_get(expr, NFTNL_EXPR_BITWISE_MASK, &len);
	if (data && len == sizeof(mask))
		memcpy(&mask, data, sizeof(mask));
	reading->masked = mask;
}

static bool compare_port(uint32_t op, const uint8_t port[2])
{
	int other = port[0] << 8 | port[1];
	switch (op) {
	case NFT_CMP_EQ:
		return other == SMTP_PORT;
	case NFT_CMP_NEQ:
		return other != SMTP_PORT;
	case NFT_CMP_LT:
		return SMTP_PORT < other;
	case NFT_CMP_LTE:
		return SMTP_PORT <= other;
	case NFT_CMP_GT:
		return SMTP_PORT > other;
	case NFT_CMP_GTE:
		return SMTP_PORT >= other;
	default:
		return false;
	}
}

static void read_cmp(struct reading *reading, const struct nftnl_expr *expr)
{
	uint32_t len = 0, op = nftnl_expr_get_u32(expr, NFTNL_EXPR_CMP_OP);
	const uint8_t *data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &len);
	const uint32_t relay = reading->telling->relay;
	bool ours = data && op == NFT_CMP_EQ && len == sizeof(relay) &&
		    memcmp(data, &relay, sizeof(relay)) == 0;

	switch (reading->loaded) {
	case LOADED_PORT:
		take_port(reading, data && len == 2 && compare_port(op, data));
		break;
	case LOADED_MARK:
		*(ours ? &reading->mark : &reading->narrowed) = true;
		break;
	case LOADED_CT_MARK:
		*(ours ? &reading->ct_mark : &reading->narrowed) = true;
		break;
	case LOADED_STATE:
		if (op == NFT_CMP_NEQ && (reading->masked & STATE_ESTABLISHED))
			reading->established = true;
		else
			reading->narrowed = true;
		break;
	case LOADED_HARMLESS:
		/* another protocol than TCP, or its family alone */
		if (data && len == 1 && data[0] != IPPROTO_TCP && data[0] != NFPROTO_IPV4 &&
			data[0] != NFPROTO_IPV6)
			reading->port_missed = true;
		break;
	case LOADED_INTERFACE:
		take_interface(reading, op, (const char *)data, len);
		break;
	case LOADED_OTHER:
		reading->narrowed = true;
		break;
	}
}

static void read_range(struct reading *reading, const struct nftnl_expr *expr)
{
	uint32_t len = 0;
	const uint8_t *from = nftnl_expr_get(expr, NFTNL_EXPR_RANGE_FROM_DATA, &len);
	const uint8_t *to = nftnl_expr_get(expr, NFTNL_EXPR_RANGE_TO_DATA, &len);
	bool outside = nftnl_expr_get_u32(expr, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ;
	if (reading->loaded != LOADED_PORT || !from || !to || len != 2)
		reading->narrowed = true;
	else
		take_port(reading, (compare_port(NFT_CMP_GTE, from) &&
					   compare_port(NFT_CMP_LTE, to)) != outside);
}

static void read_lookup(struct reading *reading, const struct nftnl_expr *expr)
{
	const char *set = nftnl_expr_get_str(expr, NFTNL_EXPR_LOOKUP_SET);
	bool map = nftnl_expr_is_set(expr, NFTNL_EXPR_LOOKUP_DREG);
	bool inverted = nftnl_expr_is_set(expr, NFTNL_EXPR_LOOKUP_FLAGS) &&
			(nftnl_expr_get_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV);
	struct port_search search;

	if (reading->loaded == LOADED_PORT && set) {
		bool found = has_smtp(reading, set, &search);
		take_port(reading, found != inverted);
		if (map)
			reading->act = found ? search.act : NULL;
	} else if (reading->loaded == LOADED_STATE && map) {
		/* `ct state vmap { established : accept, ... }` as every ruleset has it */
		reading->established = true;
		reading->act = "accept";
	} else {
		reading->narrowed = true;
	}
}

static void read_immediate(struct reading *reading, const struct nftnl_expr *expr)
{
	if (!nftnl_expr_is_set(expr, NFTNL_EXPR_IMM_VERDICT))
		return;
	reading->act = verdict_name(nftnl_expr_get_u32(expr, NFTNL_EXPR_IMM_VERDICT));
}

static void read_nat(struct reading *reading, const struct nftnl_expr *expr)
{
	if (nftnl_expr_get_u32(expr, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT)
		reading->act = "nat";
}

/* A match of xtables. Its bytes are the kernel's, of the size that the name has. */
static void read_match(struct reading *reading, const struct nftnl_expr *expr)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_MT_NAME);
	uint32_t len = 0, revision = nftnl_expr_get_u32(expr, NFTNL_EXPR_MT_REV);
	const void *info = nftnl_expr_get(expr, NFTNL_EXPR_MT_INFO, &len);

	if (info && strcmp(name, "tcp") == 0 && len >= sizeof(struct xt_tcp)) {
		const struct xt_tcp *tcp = info;
		bool in = tcp->dpts[0] <= SMTP_PORT && SMTP_PORT <= tcp->dpts[1];
		take_port(reading, in != !!(tcp->invflags & XT_TCP_INV_DSTPT));
	} else if (info && strcmp(name, "multiport") == 0 && revision == 1 &&
		   len >= sizeof(struct xt_multiport_v1)) {
		const struct xt_multiport_v1 *ports = info;
		bool in = false;
		for (unsigned i = 0; i < ports->count && i < XT_MULTI_PORTS; i++) {
			bool range = ports->pflags[i] && i + 1 < XT_MULTI_PORTS;
			in |= ports->ports[i] <= SMTP_PORT &&
			      SMTP_PORT <= ports->ports[i + (range ? 1 : 0)];
			i += range;
		}
		if (ports->flags == XT_MULTIPORT_SOURCE)
			reading->narrowed = true;
		else
			take_port(reading, in != !!ports->invert);
	} else if (info && strcmp(name, "conntrack") == 0 && revision >= 2 &&
		   len >= sizeof(struct xt_conntrack_mtinfo3)) {
		const struct xt_conntrack_mtinfo3 *ct = info;
		if (ct->match_flags == XT_CONNTRACK_STATE && !ct->invert_flags &&
			(ct->state_mask & STATE_ESTABLISHED))
			reading->established = true;
		else
			reading->narrowed = true;
	} else if (info && strcmp(name, "mark") == 0 && len >= sizeof(struct xt_mark_mtinfo1)) {
		const struct xt_mark_mtinfo1 *mark = info;
		bool ours = mark->mark == reading->telling->relay && !mark->invert;
		*(ours ? &reading->mark : &reading->narrowed) = true;
	} else if (info && strcmp(name, "connmark") == 0 &&
		   len >= sizeof(struct xt_connmark_mtinfo1)) {
		const struct xt_connmark_mtinfo1 *mark = info;
		bool ours = mark->mark == reading->telling->relay && !mark->invert;
		*(ours ? &reading->ct_mark : &reading->narrowed) = true;
	} else if (strcmp(name, "comment") != 0) {
		reading->narrowed = true;
	}
}

static void read_target(struct reading *reading, const struct nftnl_expr *expr)
{
	static const struct {
		const char *name, *act;
	} targets[] = {{"REJECT", "reject"}, {"DROP", "drop"}, {"DNAT", "nat"}, {"REDIRECT", "nat"},
		{"TPROXY", "tproxy"}, {"NFQUEUE", "queue"}};
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_TG_NAME);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(name, targets[i].name) == 0)
			reading->act = targets[i].act;
}

static void read_reject(struct reading *reading, const struct nftnl_expr *expr)
{
	(void)expr;
	reading->act = "reject";
}

static void read_redirect(struct reading *reading, const struct nftnl_expr *expr)
{
	(void)expr;
	reading->act = "nat";
}

static void read_tproxy(struct reading *reading, const struct nftnl_expr *expr)
{
	(void)expr;
	reading->act = "tproxy";
}

static void read_queue(struct reading *reading, const struct nftnl_expr *expr)
{
	(void)expr;
	reading->act = "queue";
}

static void read_nothing(struct reading *reading, const struct nftnl_expr *expr)
{
	(void)reading, (void)expr;
}

static void read_expr(struct reading *reading, const struct nftnl_expr *expr)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *reading, const struct nftnl_expr *expr);
	} readers[] = {{"meta", read_meta}, {"ct", read_ct}, {"payload", read_payload},
		{"bitwise", read_bitwise}, {"cmp", read_cmp}, {"range", read_range},
		{"lookup", read_lookup}, {"immediate", read_immediate}, {"nat", read_nat},
		{"match", read_match}, {"target", read_target}, {"reject", read_reject},
		{"redir", read_redirect}, {"tproxy", read_tproxy}, {"queue", read_queue},
		{"counter", read_nothing}, {"log", read_nothing}, {"objref", read_nothing}};
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(name, readers[i].name) == 0) {
			readers[i].read(reading, expr);
			return;
		}
	reading->narrowed = true; /* limit, fib, socket and what is yet to come */
}

static bool is_refusal(const char *act)
{
	return strcmp(act, "drop") == 0 || strcmp(act, "reject") == 0;
}

/* The fact that a whole rule amounts to; false: none. */
static bool sum_up(const struct reading *reading, const char **fact, const char **what)
{
	bool marked = reading->mark || reading->ct_mark || reading->established;
	*what = reading->act;
	if (!reading->act || reading->port_missed)
		return false;
	if (strcmp(reading->act, "accept") == 0) {
		*fact = "accepts";
		*what = reading->mark ? "mark" : reading->ct_mark ? "ct-mark" : "established";
		return marked && !reading->narrowed;
	}
	*fact = "takes";
	if (marked)
		return false;
	if (reading->port_hit)
		return true;
	if (is_refusal(reading->act))
		*fact = "closes";
	return !reading->narrowed;
}

static int on_rule(void *context, const struct nlmsghdr *nlh)
{
	struct telling *telling = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr_iter *iter = NULL;
	const char *fact, *what;
	char text[512];

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0)
		goto done;
	struct reading reading = {.telling = telling,
		.family = nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
		.table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE)};
	const char *chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
	const char *family = family_name(reading.family);
	if (!reading.table || !chain || !family || is_ours(reading.family, reading.table) ||
		telling->rules >= RULES_MAX)
		goto done;
	iter = nftnl_expr_iter_create(rule);
	for (struct nftnl_expr *expr; iter && (expr = nftnl_expr_iter_next(iter));)
		read_expr(&reading, expr);
	if (sum_up(&reading, &fact, &what)) {
		snprintf(text, sizeof(text), "%s %s %s %s %" PRIu64 " %s %s %s", fact, family,
			reading.table, chain, nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE), what,
			reading.narrowed ? "some" : "all",
			*reading.interface ? reading.interface : "*");
		telling->tell(telling->context, text);
		telling->rules++;
	}
done:
	if (iter)
		nftnl_expr_iter_destroy(iter);
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
