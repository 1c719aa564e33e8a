/* Facts for `doctor` that only the privileged side can see. Each is one line of words; the first
 * word says what it is about:
 *
 *   queue native|compat|none
 *   table owned|shared
 *   plan none|running ZONES|bare ZONES
 *   routes ok|failing
 *   bound ADDRESS PORT INTERFACE|-        a host of a server with `bind client`, and the way to it
 *   bypass ZONE SECONDS|no-end            ZONE is "*" for all; only where it is on
 *   arrived ZONE PACKETS                  first packets of connections from a zone
 *   listener RELAY ip4|ip6 open|closed
 *   relay RELAY pid PID generation N
 *   nfqueue NUMBER PORT WAITING DROPPED USER-DROPPED
 *   chain FAMILY TABLE CHAIN TYPE HOOK PRIORITY accept|drop   base chains of others
 *   iptables-nft FAMILY TABLE             the table is managed by iptables-nft
 *   takes25 FAMILY TABLE CHAIN HANDLE     a rule of another that looks for TCP port 25
 *   marked FAMILY TABLE CHAIN             a rule of another that accepts what carries our mark */
#include "daemon/keeper.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct telling {
	void (*tell)(void *context, const char *text);
	void *context;
	uint32_t mark_mask;
};

static void say(const struct telling *telling, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct telling *telling, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	telling->tell(telling->context, text);
}

static const char *family_name(uint32_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_ARP:
		return "arp";
	default:
		return "other";
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
	return family == NFPROTO_INET && table && strcmp(table, TABLE_NAME) == 0;
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

	if (!chain)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, chain) < 0 ||
		!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		goto done;
	uint32_t family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
	if (!table || !name || is_ours(family, table))
		goto done;
	say(telling, "chain %s %s %s %s %s %" PRId32 " %s", family_name(family), table, name,
		type ? type : "filter", hook_name(nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM)),
		nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
		nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP ? "drop" : "accept");
	if (is_iptables(table, name))
		say(telling, "iptables-nft %s %s", family_name(family), table);
done:
	nftnl_chain_free(chain);
	return 0;
}

/* "tcp dport 25" as nft writes it, and as the xtables match `tcp` carries it (source ports, then
 * destination ports, each a range). */
static bool looks_for_25(const struct nftnl_expr *expr)
{
	static const uint8_t port[2] = {0, 25};
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	uint32_t len = 0;

	if (strcmp(name, "cmp") == 0) {
		const void *data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &len);
		return data && len == sizeof(port) && memcmp(data, port, sizeof(port)) == 0;
	}
	if (strcmp(name, "match") == 0) {
		const char *match = nftnl_expr_get_str(expr, NFTNL_EXPR_MT_NAME);
		const uint8_t *data = nftnl_expr_get(expr, NFTNL_EXPR_MT_INFO, &len);
		uint16_t ports[4];
		if (!match || strcmp(match, "tcp") != 0 || !data || len < sizeof(ports))
			return false;
		memcpy(ports, data, sizeof(ports));
		return ports[2] == 25 && ports[3] == 25;
	}
	return false;
}

/* One expression of a rule that may be the operator's `meta mark & M == RELAY accept`. */
struct mark_rule {
	bool reads_mark, compares, accepts;
};

static void look_for_mark(struct mark_rule *found, const struct nftnl_expr *expr, uint32_t mask)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	const uint32_t relay = mask & -mask; /* 1 in the nibble */
	uint32_t len = 0;

	if (strcmp(name, "meta") == 0 && nftnl_expr_is_set(expr, NFTNL_EXPR_META_DREG)) {
		found->reads_mark |= nftnl_expr_get_u32(expr, NFTNL_EXPR_META_KEY) == NFT_META_MARK;
	} else if (strcmp(name, "cmp") == 0 && found->reads_mark) {
		const void *data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &len);
		found->compares |=
			data && len == sizeof(relay) && memcmp(data, &relay, sizeof(relay)) == 0;
	} else if (strcmp(name, "immediate") == 0 &&
		   nftnl_expr_is_set(expr, NFTNL_EXPR_IMM_VERDICT)) {
		found->accepts |= nftnl_expr_get_u32(expr, NFTNL_EXPR_IMM_VERDICT) == NF_ACCEPT;
	}
}

static int on_rule(void *context, const struct nlmsghdr *nlh)
{
	const struct telling *telling = context;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr_iter *iter = NULL;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) < 0)
		goto done;
	uint32_t family = nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY);
	const char *table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE);
	const char *chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
	if (!table || !chain || is_ours(family, table))
		goto done;
	iter = nftnl_expr_iter_create(rule);
	bool takes25 = false;
	struct mark_rule mark = {0};
	for (struct nftnl_expr *expr; iter && (expr = nftnl_expr_iter_next(iter));) {
		takes25 |= looks_for_25(expr);
		look_for_mark(&mark, expr, telling->mark_mask);
	}
	if (takes25)
		say(telling, "takes25 %s %s %s %" PRIu64, family_name(family), table, chain,
			nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE));
	if (mark.compares && mark.accepts)
		say(telling, "marked %s %s %s", family_name(family), table, chain);
done:
	if (iter)
		nftnl_expr_iter_destroy(iter);
	nftnl_rule_free(rule);
	return 0;
}

static void tell_foreign(const struct telling *telling)
{
	static const struct {
		uint16_t type;
		netlink_on_answer *on_answer;
	} dumps[] = {{NFT_MSG_GETCHAIN, on_chain}, {NFT_MSG_GETRULE, on_rule}};
	struct netlink nl;

	if (netlink_open(&nl, NETLINK_NETFILTER, 0) < 0)
		return;
	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		struct netlink_request request;
		struct nlmsghdr *nlh = netlink_begin_nf(&nl, &request,
			(uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | dumps[i].type), NLM_F_DUMP,
			NFPROTO_UNSPEC, 0);
		netlink_ask(&nl, nlh, dumps[i].on_answer, (void *)(uintptr_t)telling);
	}
	netlink_close(&nl);
}

/* The kernel's own words: number, port of the reader, waiting, copy mode, copy range, dropped for
 * a full queue, dropped for a slow reader, last id. */
static void tell_queue(const struct keeper *keeper, const struct telling *telling)
{
	char text[4096];
	unsigned number, port, waiting, mode, range, dropped, user_dropped;

	if (keeper->queue_stats < 0)
		return;
	ssize_t len = pread(keeper->queue_stats, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (sscanf(line, "%u %u %u %u %u %u %u", &number, &port, &waiting, &mode, &range,
			    &dropped, &user_dropped) == 7 &&
			number == keeper->options.queue)
			say(telling, "nfqueue %u %u %u %u %u", number, port, waiting, dropped,
				user_dropped);
	}
}

static void tell_bypass(
	const struct keeper *keeper, const struct telling *telling, const char *zone)
{
	int64_t left = table_bypass_left(keeper->table, zone);

	if (left == UINT32_MAX)
		say(telling, "bypass %s no-end", zone ? zone : "*");
	else if (left > 0)
		say(telling, "bypass %s %" PRId64, zone ? zone : "*", left);
}

static void tell_bound(const struct keeper *keeper, const struct telling *telling)
{
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; keeper->has_plan && i < keeper->hosts_now; i++) {
		const struct endpoint *host = &keeper->plan.hosts[i];
		const struct link *link =
			links_find(keeper->links, routes_find_way(keeper->routes, &host->addr));
		say(telling, "bound %s %u %s", addr_format(&host->addr, text), host->port,
			link ? link->name : "-");
	}
}

static void tell_arrived(
	const struct keeper *keeper, const struct telling *telling, const char *zone)
{
	uint64_t packets;

	if (table_zone_arrived(keeper->table, zone, &packets) == 0)
		say(telling, "arrived %s %" PRIu64, zone, packets);
}

static void tell_own(const struct keeper *keeper, const struct telling *telling)
{
	static const char *const queues[] = {[TABLE_QUEUE_NONE] = "none",
		[TABLE_QUEUE_NATIVE] = "native",
		[TABLE_QUEUE_COMPAT] = "compat"};

	say(telling, "queue %s", queues[table_queue(keeper->table)]);
	say(telling, "table %s", table_is_owned(keeper->table) ? "owned" : "shared");
	if (keeper->has_plan)
		say(telling, "plan %s %zu", keeper->plan.mode == PLAN_BARE ? "bare" : "running",
			keeper->plan.nzones);
	else
		say(telling, "plan none");
	say(telling, "routes %s", keeper->heal_routes ? "failing" : "ok");
	tell_bound(keeper, telling);
	tell_bypass(keeper, telling, NULL);
	for (size_t i = 0; keeper->has_plan && i < keeper->plan.nzones; i++) {
		tell_bypass(keeper, telling, keeper->plan.zones[i].name);
		tell_arrived(keeper, telling, keeper->plan.zones[i].name);
	}
	for (unsigned i = 0; i < keeper->options.relays; i++) {
		const struct keeper_child *relay = &keeper->relays[i];
		say(telling, "listener %u ip4 %s", i, relay->listener4 >= 0 ? "open" : "closed");
		say(telling, "listener %u ip6 %s", i, relay->listener6 >= 0 ? "open" : "closed");
		say(telling, "relay %u pid %d generation %" PRIu32, i, (int)relay->pid,
			relay->generation);
	}
}

void keeper_facts_tell(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context)
{
	const struct telling telling = {tell, context, keeper->options.mark_mask};

	tell_own(keeper, &telling);
	tell_queue(keeper, &telling);
	tell_foreign(&telling);
}

void keeper_facts_tell_arrived(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context)
{
	const struct telling telling = {tell, context, keeper->options.mark_mask};

	for (size_t i = 0; keeper->has_plan && i < keeper->plan.nzones; i++)
		tell_arrived(keeper, &telling, keeper->plan.zones[i].name);
}
