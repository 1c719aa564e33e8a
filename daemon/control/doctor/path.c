/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of servers of `path kernel`: their connections are forwarded, so that what
 * forwards, routes and rewrites must let them through, and the server must answer by way of us. */
#include "daemon/control/doctor/path.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/advice.h"
#include "daemon/control/doctor/chain.h"
#include "daemon/control/doctor/foreign/marked.h"
#include "daemon/control/doctor/foreign/set.h"
#include "daemon/control/doctor/setting.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/peers/health/health_peer.h"
#include "kernel-rules/way.h"
#include "lib/policy/mark.h"

#include <assert.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ADMIT_PRIORITY (-149)
#define STEER_PRIORITY (-148)
#define GUARD_PRIORITY (-90)

#define PAIRS_MAX 32 /* of an interface and a host: enough to see what is wrong */

bool path_is_used(const struct control *control)
{
	for (size_t s = 0; s < control->policy->nservers; s++)
		if (control->policy->servers[s].path == POLICY_PATH_KERNEL)
			return true;
	return false;
}

/* May the kernel lead clients of the zone to the server? */
static bool leads(const struct policy *policy, size_t zone, size_t server)
{
	for (size_t r = 0; r < policy->nrules; r++) {
		const struct policy_rule *rule = &policy->rules[r];
		bool of_zone = rule->zone_names.n == 0;
		if (rule->disabled || rule->listens || !rule->to_server || rule->to_original ||
			rule->to_protected || rule->server != server)
			continue;
		for (size_t z = 0; z < rule->zone_names.n; z++)
			of_zone |= rule->zones[z] == zone;
		if (of_zone)
			return true;
	}
	return false;
}

/* ---- pairs of a zone's interface and a host ---- */

struct pair {
	const char *zone, *server; /* the interfaces */
	size_t zone_index, server_index;
	struct endpoint host;
};

struct pairs {
	struct ways *ways;
	size_t n;
	struct pair v[PAIRS_MAX];
};

static void put_hosts(struct pairs *pairs, const struct control *control, size_t zone,
	const char *interface, size_t server)
{
	const struct ipc_targets *targets = health_peer_targets(control->health, server);

	for (uint32_t i = 0; targets && i < targets->n; i++)
		for (unsigned a = 0; a < ipc_target_addresses(&targets->v[i]); a++) {
			const struct addr *addr = &targets->v[i].addresses[a];
			const char *way = ways_to(pairs->ways, addr);
			if (way && pairs->n < PAIRS_MAX)
				pairs->v[pairs->n++] = (struct pair){
					interface, way, zone, server, {*addr, targets->v[i].port}};
		}
}

static void put_servers(
	struct pairs *pairs, const struct control *control, size_t zone, const char *interface)
{
	const struct policy *policy = control->policy;

	for (size_t s = 0; s < policy->nservers; s++)
		if (policy->servers[s].path == POLICY_PATH_KERNEL && leads(policy, zone, s))
			put_hosts(pairs, control, zone, interface, s);
}

/* Of a pattern the first interface that is there stands for all. */
static void put_zone(struct pairs *pairs, const struct control *control, size_t zone)
{
	const struct policy_strings *interfaces = &control->policy->zones[zone].interfaces;

	for (size_t i = 0; i < interfaces->n; i++)
		for (size_t l = 0; l < control->nlinks; l++) {
			const char *name = control->links[l].name;
			if (!policy_interface_match(interfaces->v[i].text, name))
				continue;
			put_servers(pairs, control, zone, name);
			break;
		}
}

/* false: the machine's routes cannot be read. */
static bool pairs_init(struct pairs *pairs, const struct control *control)
{
	pairs->n = 0;
	pairs->ways = ways_open();
	for (size_t z = 0; pairs->ways && z < control->policy->nzones; z++)
		put_zone(pairs, control, z);
	return pairs->ways;
}

static void pairs_fini(struct pairs *pairs)
{
	ways_close(pairs->ways);
}

/* ---- facts ---- */

/* An address as the zone's clients have: of its network, or the gateway's own beside them. */
static struct addr client_of(const struct policy_zone *zone, const char *interface,
	const struct ifaddrs *own, enum addr_family family)
{
	for (size_t i = 0; i < zone->networks.n; i++)
		if (zone->networks.v[i].addr.family == family)
			return zone->networks.v[i].addr;
	for (; own; own = own->ifa_next) {
		struct endpoint end;
		if (!own->ifa_addr || strcmp(own->ifa_name, interface) != 0 ||
			own->ifa_addr->sa_family != (family == ADDR_IP4 ? AF_INET : AF_INET6))
			continue;
		if (endpoint_decode(own->ifa_addr, sizeof(struct sockaddr_storage), &end) == 0 &&
			!addr_is_link_local(&end.addr))
			return end.addr;
	}
	return (struct addr){.family = ADDR_NONE};
}

void path_tell(const struct control *control, const struct foreign_dump *dump,
	void (*tell)(void *context, const char *text), void *context)
{
	const uint32_t mask = control->start.options.mark_mask, mark = MARK_KERNEL * (mask & -mask);
	struct foreign_chains *chains = NULL;
	struct foreign_marked *marked = NULL;
	struct ifaddrs *own = NULL;
	struct pairs pairs;

	if (!path_is_used(control) || !pairs_init(&pairs, control))
		return;
	chains = foreign_chains_new(dump);
	if (chains)
		marked = foreign_marked_new(chains, mask, control->start.options.server_mask);
	if (getifaddrs(&own) < 0)
		own = NULL;
	for (size_t i = 0; chains && i < pairs.n; i++) {
		const struct pair *pair = &pairs.v[i];
		const struct policy_zone *zone = &control->policy->zones[pair->zone_index];
		const struct policy_server *server = &control->policy->servers[pair->server_index];
		const struct foreign_forwarded forwarded = {pair->zone, pair->server,
			client_of(zone, pair->zone, own, (enum addr_family)pair->host.addr.family),
			pair->host,
			server->bind == POLICY_BIND_GATEWAY ||
				strcmp(pair->zone, pair->server) == 0};
		foreign_forwarded_tell(chains, mask, mark, &forwarded, tell, context);
		for (size_t p = 0; marked && p < zone->ports.n; p++)
			foreign_marked_follow(marked, &forwarded, zone->ports.v[p]);
	}
	if (marked)
		foreign_marked_tell(marked, tell, context);
	if (own)
		freeifaddrs(own);
	foreign_marked_free(marked);
	foreign_chains_free(chains);
	pairs_fini(&pairs);
}

/* ---- findings ---- */

static void check_accounting(const struct examination *exam)
{
	long on = setting_read("/proc/sys/net/netfilter/nf_conntrack_acct");

	examination_find(exam, "accounting", on == 0 ? DOCTOR_WARNING : DOCTOR_OK,
		"sysctl -w net.netfilter.nf_conntrack_acct=1 # somebody set it back: look into "
		"/etc/sysctl.d",
		"net.netfilter.nf_conntrack_acct is %ld%s", on,
		on == 0 ? ": records of `path kernel` have no bytes" : "");
}

static void check_forwarding(const struct examination *exam, const struct pair *pair)
{
	const bool ip6 = pair->host.addr.family == ADDR_IP6;
	const char *const names[] = {pair->zone, pair->server};

	for (size_t i = 0; i < 2; i++) {
		char path[96], advice[128];
		snprintf(path, sizeof(path), "net/ipv%d/conf/%s/forwarding", ip6 ? 6 : 4, names[i]);
		snprintf(advice, sizeof(advice), "sysctl -w %s=1", path);
		char file[128];
		snprintf(file, sizeof(file), "/proc/sys/%s", path);
		if (setting_read(file) == 0)
			examination_find(exam, "path-forwarding", DOCTOR_ERROR, advice,
				"%s is 0: what goes by `path kernel` from %s to %s does not pass",
				path, pair->zone, pair->server);
	}
}

/* Of each pair: the server must answer by way of us. */
static void check_return(const struct examination *exam, const struct pair *pair)
{
	const struct policy *policy = exam->control->policy;
	const struct policy_server *server = &policy->servers[pair->server_index];
	char host[ADDR_TEXT_SIZE];

	addr_format(&pair->host.addr, host);
	if (strcmp(pair->zone, pair->server) == 0)
		examination_find(exam, "server-return", DOCTOR_WARNING,
			"give the server a network of its own: its limits of a client hit all at "
			"once here, and its log knows no client",
			"%s of server %s (path kernel) is behind %s, as clients of zone %s are: "
			"they come to it from the gateway's own address",
			host, server->name.text, pair->server,
			policy->zones[pair->zone_index].name.text);
	else if (server->bind != POLICY_BIND_GATEWAY)
		examination_find(exam, "server-return", DOCTOR_OK, "",
			"%s of server %s (path kernel) answers by %s, if it routes the clients of "
			"zone %s to this gateway",
			host, server->name.text, pair->server,
			policy->zones[pair->zone_index].name.text);
}

/* What another program's source NAT does: "FAMILY TABLE CHAIN HANDLE ADDRESS PORT IN OUT HOW". */
static void check_hiding(const struct examination *exam)
{
	size_t at = 0;

	for (const char *fact; (fact = examination_fact(exam->facts, "hides", &at));) {
		struct advice_chain chain = {.hook = "postrouting"};
		struct advice lines = {.len = 0};
		char host[ADDR_TEXT_SIZE], in[64], out[64], how[32];
		uint64_t handle;
		unsigned port;
		if (sscanf(fact, "%15s %179s %179s %" SCNu64 " %45s %u %63s %63s %31s",
			    chain.family, chain.table, chain.name, &handle, host, &port, in, out,
			    how) != 9)
			continue;
		advice_put_mark(&lines, exam, &chain, MARK_KERNEL, "ct mark", "connmark");
		examination_find(exam, "server-source", DOCTOR_WARNING, lines.text,
			"chain %s %s %s has a rule, handle %" PRIu64
			", by which clients from %s come to %s port %u from another address (%s): "
			"its limits of a client hit all at once",
			chain.family, chain.table, chain.name, handle, in, host, port, how);
	}
}

static const struct {
	const char *name, *text;
	bool always_warning;
} effects[] = {
	{"out",
		"a client's first packet leaves without being led to its server (path kernel), and "
		"mail "
		"goes out past all servers",
		false},
	{"unguarded",
		"a client's first packet that nothing has led to its server (path kernel) is not "
		"held "
		"back, and mail can go out past all servers",
		true},
	{"reset", "connections by `path kernel` are reset", false},
	{"misled", "connections by `path kernel` go to another server, or are reset", false},
	{"broken",
		"packets by `path kernel` are taken for a relay's, and their connections hang or "
		"are "
		"reset",
		false},
	{"lost",
		"connections by `path kernel` go on unknown: no logout, kill or block ends them, "
		"and "
		"their records end early",
		true},
	{"unnumbered",
		"connections by `path kernel` lose the number of their server: `bind gateway` does "
		"not "
		"hold for them, and after a restart they are not known",
		true},
};
static_assert(sizeof(effects) / sizeof(effects[0]) + 1 == FOREIGN_EFFECTS, "each has a text");

/* The connection's mark is there as soon as steer has seen the first packet. */
static void put_marks(struct advice *lines, const struct examination *exam,
	const struct advice_chain *chain, const char *packet, const char *ct)
{
	const struct process_options *options = &exam->control->start.options;
	const bool early = strcmp(chain->hook, "prerouting") == 0;

	if (advice_knows_marks(exam, chain)) {
		advice_put_mark(lines, exam, chain, MARK_KERNEL, "ct mark", "connmark");
		if (early && chain->priority >= ADMIT_PRIORITY && chain->priority <= STEER_PRIORITY)
			advice_put_mark(lines, exam, chain, MARK_KERNEL, "meta mark", "mark");
		/* a kill stands in the mark, too, until both sides have sent something */
		if (early && chain->priority <= GUARD_PRIORITY && *ct != '-')
			advice_put_mark(lines, exam, chain, MARK_KILL, "ct mark", "connmark");
	}
	if (*packet != '-')
		advice_put_kept(
			lines, exam, chain, "meta mark", "MARK", options->mark_mask, packet);
	if (*ct != '-')
		advice_put_kept(lines, exam, chain, "ct mark", "CONNMARK",
			options->mark_mask | options->server_mask, ct);
}

/* "FAMILY TABLE CHAIN HANDLE BASE EFFECT all|some MARK CT-MARK". */
static void check_marks(const struct examination *exam)
{
	unsigned found = 0;
	size_t at = 0;

	for (const char *fact; (fact = examination_fact(exam->facts, "marks", &at));) {
		struct chain_rule rule, base;
		struct advice_chain chain;
		struct advice lines = {.len = 0};
		char effect[16], packet[16], ct[16];
		size_t e = 0;
		if (sscanf(fact, "%15s %179s %179s %" SCNu64 " %179s %15s %7s %15s %15s",
			    rule.family, rule.table, rule.chain, &rule.handle, rule.what, effect,
			    rule.extent, packet, ct) != 9)
			continue;
		base = rule;
		memcpy(base.chain, rule.what, sizeof(base.chain));
		while (e < sizeof(effects) / sizeof(effects[0]) &&
			strcmp(effects[e].name, effect) != 0)
			e++;
		if (e == sizeof(effects) / sizeof(effects[0]) ||
			!chain_find_base(exam, FOREIGN_SMTP_PORT, &base, &chain, 0))
			continue;
		const bool all = strcmp(rule.extent, "all") == 0;
		put_marks(&lines, exam, &chain, packet, ct);
		examination_find(exam, "path-mark",
			all && !effects[e].always_warning ? DOCTOR_ERROR : DOCTOR_WARNING,
			lines.text,
			"chain %s %s %s (%s, %s, priority %d) has a rule, handle %" PRIu64
			", that %s over our bits of %s: %s",
			rule.family, rule.table, rule.chain, chain.type, chain.hook, chain.priority,
			rule.handle, all ? "writes" : "may write",
			*ct == '-'       ? "the packet's mark"
			: *packet == '-' ? "the connection's mark"
					 : "the packet's mark and the connection's",
			effects[e].text);
		found++;
	}
	at = 0;
	if (examination_fact(exam->facts, "marks-unread", &at))
		examination_find(exam, "path-mark", DOCTOR_WARNING,
			"# look for `mark set`, MARK and CONNMARK: nft list ruleset",
			"there are too many rules of others to tell whether more of them write "
			"over the marks of `path kernel`");
	else if (!found)
		examination_find(exam, "path-mark", DOCTOR_OK, "",
			"no other rule writes over the marks of `path kernel`");
}

void examination_of_paths(const struct examination *exam)
{
	struct pairs pairs;

	if (!path_is_used(exam->control))
		return;
	check_accounting(exam);
	check_hiding(exam);
	check_marks(exam);
	if (!pairs_init(&pairs, exam->control))
		return;
	for (size_t i = 0; i < pairs.n; i++) {
		check_forwarding(exam, &pairs.v[i]);
		check_return(exam, &pairs.v[i]);
	}
	pairs_fini(&pairs);
}
