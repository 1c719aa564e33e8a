/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of other programs' rules. A steered packet keeps its port 25 and passes the
 * input hook of every table; the relay's answers and its own connections pass output. */
#include "daemon/control/doctor/chain.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/foreign/set.h"
#include "daemon/control/doctor/path.h"
#include "daemon/control/doctor/saved_tables.h"
#include "daemon/control/doctor/zone_port.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/peers/health/health_peer.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ADMIT_PRIORITY     (-149)
#define CONNTRACK_PRIORITY (-200)
/* ---- lines to paste ---- */

/* The way to every host; to anywhere for `server original`. */
static void put_hosts(
	struct advice *lines, const struct examination *exam, const struct advice_chain *chain)
{
	const struct policy *policy = exam->control->policy;
	for (size_t s = 0; s < policy->nservers; s++) {
		const struct ipc_targets *targets = health_peer_targets(exam->control->health, s);
		for (uint32_t i = 0; targets && i < targets->n; i++)
			for (unsigned a = 0; a < ipc_target_addresses(&targets->v[i]); a++)
				advice_put_host(lines, exam, chain, &targets->v[i].addresses[a],
					targets->v[i].port);
	}
	for (size_t r = 0; r < policy->nrules; r++)
		if (policy->rules[r].to_original) {
			char words[64], options[64];
			snprintf(words, sizeof(words), "meta skuid %u tcp dport 25",
				(unsigned)geteuid());
			snprintf(options, sizeof(options),
				"-p tcp --dport 25 -m owner --uid-owner %u", (unsigned)geteuid());
			advice_put_accept(lines, exam, chain, words, options);
			return;
		}
}

/* ---- the hooks, in the order in which packets meet them ---- */

static void check_input(const struct examination *exam, const struct advice_chain *chain)
{
	struct advice lines = {.len = 0};
	size_t end;
	bool closed = chain_is_closed(exam, chain, &end);
	bool refused =
		chain_refuses_steered(exam, chain) && !chain_accepts(exam, chain, "mark", end);
	if (refused)
		advice_put_mark(&lines, exam, chain, MARK_RELAY, "meta mark", "mark");
	/* what the server answers */
	if (closed && !chain_accepts(exam, chain, "established", end))
		advice_put_accept(&lines, exam, chain, "ct state established",
			"-m conntrack --ctstate ESTABLISHED");
	examination_find(exam, "input", lines.len ? DOCTOR_ERROR : DOCTOR_OK, lines.text,
		"chain %s %s %s %s%s", chain->family, chain->table, chain->name,
		closed ? "lets in only what it names" : "lets in what it does not name",
		refused     ? ", and not all steered packets: they pass the input hook of every "
			      "table, with their port 25"
		: lines.len ? ", and not the servers' answers"
			    : "");
}

static bool sees(const struct advice_chain *chain, enum addr_family family)
{
	return strcmp(chain->family, family == ADDR_IP6 ? "ip" : "ip6") != 0;
}

/* Where a listener is, in the words of nft and of iptables. */
static void put_listener(struct advice *lines, const struct examination *exam,
	const struct advice_chain *chain, const struct endpoint *at, bool udp)
{
	const char *protocol = udp ? "udp" : "tcp";
	char words[160], options[160], addr[ADDR_TEXT_SIZE];

	addr_format(&at->addr, addr);
	if (addr_is_unspecified(&at->addr)) {
		snprintf(words, sizeof(words), "%s dport %u", protocol, at->port);
		snprintf(options, sizeof(options), "-p %s --dport %u", protocol, at->port);
	} else {
		snprintf(words, sizeof(words), "%s daddr %s %s dport %u",
			at->addr.family == ADDR_IP6 ? "ip6" : "ip", addr, protocol, at->port);
		snprintf(options, sizeof(options), "-d %s -p %s --dport %u", addr, protocol,
			at->port);
	}
	advice_put_accept(lines, exam, chain, words, options);
}

static void check_input_of_listeners(
	const struct examination *exam, const struct advice_chain *chain, uint16_t port, bool udp)
{
	const struct listening *listening = exam->control->listening;
	struct advice lines = {.len = 0};
	char at[ENDPOINT_TEXT_SIZE] = "";
	const char *kind = "";

	for (size_t i = 0; i < listening->n; i++) {
		const struct endpoint *one = &listening->v[i].at;
		if (one->port != port || !sees(chain, one->addr.family) ||
			(listening->v[i].taker == POLICY_TAKER_RADIUS) != udp)
			continue;
		endpoint_format(one, at);
		kind = policy_taker_names[listening->v[i].taker];
		put_listener(&lines, exam, chain, one, udp);
	}
	if (*at && chain_refuses_all(exam, chain, port, udp))
		examination_find(exam, "input", DOCTOR_ERROR, lines.text,
			"chain %s %s %s lets in only what it names, and nobody to the %s at %s%s",
			chain->family, chain->table, chain->name, kind, at, udp ? ", by UDP" : "");
}

/* Is there a host that the gateway has heard of and cannot use? */
static bool is_host_down(const struct examination *exam)
{
	for (size_t s = 0; s < exam->control->policy->nservers; s++) {
		const struct ipc_targets *targets = health_peer_targets(exam->control->health, s);
		for (uint32_t i = 0; targets && i < targets->n; i++) {
			struct ipc_target views[2];
			unsigned n = ipc_target_views(targets->flows, &targets->v[i], views);
			for (unsigned v = 0; v < n; v++)
				if (views[v].state == TARGET_DOWN || views[v].failing)
					return true;
		}
	}
	return false;
}

static void check_output(const struct examination *exam, const struct advice_chain *chain)
{
	struct advice lines = {.len = 0};
	size_t end;
	bool closed = chain_is_closed(exam, chain, &end);
	bool answers = !closed || chain_accepts(exam, chain, "established", end) ||
		       chain_accepts(exam, chain, "ct-mark", end);
	bool hosts = !closed || !is_host_down(exam);
	if (!answers)
		advice_put_mark(&lines, exam, chain, MARK_RELAY, "ct mark", "connmark");
	if (!answers || !hosts)
		put_hosts(&lines, exam, chain);
	examination_find(exam, "output",
		!answers ? DOCTOR_ERROR
		: hosts  ? DOCTOR_OK
			 : DOCTOR_WARNING,
		lines.text, "chain %s %s %s %s%s", chain->family, chain->table, chain->name,
		closed ? "lets out only what it names" : "lets out what it does not name",
		!answers ? ", and not our answers to the clients"
		: hosts  ? ""
			 : ", and a host does not answer: may connections to it go out?");
}

/* Which connections of `path kernel` the chain refuses, in words; false: none that is known of. The
 * facts are "FAMILY TABLE CHAIN ADDRESS PORT IN OUT there|back". */
static bool refuses_path(
	const struct examination *exam, const struct advice_chain *chain, char *text, size_t size)
{
	size_t at = 0;
	for (const char *fact; (fact = examination_fact(exam->facts, "refused", &at));) {
		struct advice_chain of;
		char host[ADDR_TEXT_SIZE], in[64], out[64], way[8];
		unsigned port;
		if (sscanf(fact, "%15s %179s %179s %45s %u %63s %63s %7s", of.family, of.table,
			    of.name, host, &port, in, out, way) != 8 ||
			strcmp(of.family, chain->family) != 0 ||
			strcmp(of.table, chain->table) != 0 || strcmp(of.name, chain->name) != 0)
			continue;
		snprintf(text, size,
			strcmp(way, "back") == 0
				? "what %s port %u (path kernel) answers from %s to %s"
				: "what goes to %s port %u (path kernel) from %s to %s",
			host, port, in, out);
		return true;
	}
	return false;
}

static void check_forward(const struct examination *exam, const struct advice_chain *chain)
{
	struct advice lines = {.len = 0};
	char refused[256];
	size_t end;
	bool closed = chain_is_closed(exam, chain, &end);
	if (refuses_path(exam, chain, refused, sizeof(refused))) {
		advice_put_mark(&lines, exam, chain, MARK_KERNEL, "ct mark", "connmark");
		examination_find(exam, "forward", DOCTOR_ERROR, lines.text,
			"chain %s %s %s does not forward %s", chain->family, chain->table,
			chain->name, refused);
		return;
	}
	examination_find(exam, "forward", DOCTOR_OK, "", "chain %s %s %s %s", chain->family,
		chain->table, chain->name,
		closed ? "forwards only what it names: steered packets are never forwarded, what "
			 "is to pass needs a line of yours"
		       : "forwards what it does not name");
}

static void check_input_of_ports(
	const struct examination *exam, const struct advice_chain *chain, bool udp)
{
	const struct listening *listening = exam->control->listening;

	for (uint16_t port = 0; (port = listening_next_port(listening, port, udp));)
		check_input_of_listeners(exam, chain, port, udp);
}

static void check_chains(const struct examination *exam)
{
	size_t at = 0;
	struct advice_chain chain;
	for (const char *fact; (fact = examination_fact(exam->facts, "chain", &at));) {
		if (!chain_read(fact, &chain))
			continue;
		if (strcmp(chain.hook, "input") == 0) {
			check_input(exam, &chain);
			check_input_of_ports(exam, &chain, false);
			check_input_of_ports(exam, &chain, true);
		} else if (strcmp(chain.hook, "output") == 0) {
			check_output(exam, &chain);
		} else if (strcmp(chain.hook, "forward") == 0) {
			check_forward(exam, &chain);
		}
	}
}

/* Lets through what goes to the port, and before tracking what comes from it. */
static void put_port(struct advice *lines, const struct examination *exam,
	const struct advice_chain *chain, uint16_t port, bool back)
{
	char words[32], options[32];
	snprintf(words, sizeof(words), "tcp %cport %u", back ? 's' : 'd', port);
	snprintf(options, sizeof(options), "-p tcp --%cport %u", back ? 's' : 'd', port);
	advice_put_accept(lines, exam, chain, words, options);
}

/* What to do about a rule that takes TCP to a port in this chain; false: it is not on our way. */
static bool advise(const struct examination *exam, uint16_t port, const struct chain_rule *rule,
	const struct advice_chain *chain, size_t at, struct advice *lines)
{
	if (strcmp(rule->what, "mark") == 0) {
		advice_put_mark(lines, exam, chain, MARK_RELAY, "meta mark", "mark");
		return strcmp(chain->hook, "prerouting") == 0 &&
		       chain->priority >= ADMIT_PRIORITY &&
		       chain_is_from_zone(exam, rule->interface) &&
		       !chain_never_meets(exam, port, chain, at - 1);
	}
	/* a flow that passes is known by it, and cut by it at a logout */
	if (strcmp(rule->what, "ct-mark") == 0) {
		put_port(lines, exam, chain, port, false);
		return chain_is_from_zone(exam, rule->interface) &&
		       !chain_never_meets(exam, port, chain, at - 1);
	}
	if (strcmp(rule->what, "notrack") == 0) {
		put_port(lines, exam, chain, port, false);
		put_port(lines, exam, chain, port, true);
		return strcmp(chain->hook, "prerouting") == 0 &&
		       chain->priority < CONNTRACK_PRIORITY &&
		       chain_is_from_zone(exam, rule->interface) &&
		       !chain_never_meets(exam, port, chain, at - 1);
	}
	/* iptables' rules, too: -D wants all words of a rule, nft its handle */
	if (strcmp(chain->hook, "ingress") == 0 || strcmp(chain->hook, "prerouting") == 0) {
		advice_put_line(lines, "nft delete rule %s %s %s handle %" PRIu64, rule->family,
			rule->table, rule->chain, rule->handle);
		return chain_is_from_zone(exam, chain->device) &&
		       chain_is_from_zone(exam, rule->interface);
	}
	if (strcmp(chain->hook, "input") == 0) {
		advice_put_mark(lines, exam, chain, MARK_RELAY, "meta mark", "mark");
		return chain_is_from_zone(exam, rule->interface) &&
		       !chain_never_meets(exam, port, chain, at - 1);
	}
	if (strcmp(chain->hook, "output") == 0) {
		put_hosts(lines, exam, chain);
		return !chain_accepts(exam, chain, "ct-mark", at) && is_host_down(exam);
	}
	return false;
}

/* Does a jump for the port lead to the rule's chain? Other chains pick from all that comes. */
static bool is_for_port(const struct examination *exam, uint16_t port,
	const struct chain_rule *rule, unsigned depth)
{
	size_t at = 0;
	struct chain_rule jump;
	for (const char *fact; depth && (fact = chain_fact(exam, port, "jumps", &at));)
		if (chain_read_rule(fact, &jump) && strcmp(jump.family, rule->family) == 0 &&
			strcmp(jump.table, rule->table) == 0 &&
			strcmp(jump.what, rule->chain) == 0 &&
			(strcmp(jump.extent, "port") == 0 ||
				is_for_port(exam, port, &jump, depth - 1)))
			return true;
	return false;
}

/* Is the same told of packets to port 25? A rule that asks for no port would be found once a port.
 */
static bool is_known(
	const struct examination *exam, uint16_t port, const char *word, const char *fact)
{
	size_t at = 0;
	for (const char *other;
		port != FOREIGN_SMTP_PORT && (other = examination_fact(exam->facts, word, &at));)
		if (strcmp(other, fact) == 0)
			return true;
	return false;
}

/* A packet that we steered keeps its port to the end, so a rule of another on that port takes it
 * before us or behind us. Returns how many were found. */
static unsigned check_takers(const struct examination *exam, uint16_t port)
{
	static const char *const words[] = {"takes", "closes", "picks"};
	unsigned found = 0;
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t at = 0;
		struct chain_rule rule;
		struct advice_chain chain;
		for (const char *fact; (fact = chain_fact(exam, port, words[w], &at));) {
			struct advice lines = {.len = 0};
			if (is_known(exam, port, words[w], fact) || !chain_read_rule(fact, &rule) ||
				!chain_find_base(exam, port, &rule, &chain, CHAIN_JUMPS_MAX) ||
				!advise(exam, port, &rule, &chain, at, &lines) ||
				(w == 2 &&
					(strcmp(chain.hook, "input") != 0 ||
						!is_for_port(exam, port, &rule, CHAIN_JUMPS_MAX))))
				continue;
			/* of a closed chain behind prerouting its own finding tells */
			if (w == 1 && (strcmp(chain.hook, "input") == 0 ||
					      strcmp(chain.hook, "output") == 0))
				continue;
			bool all = strcmp(rule.extent, "all") == 0;
			examination_find(exam, "foreign-rule", all ? DOCTOR_ERROR : DOCTOR_WARNING,
				lines.text,
				"chain %s %s %s (%s, %s, priority %d) has a rule, handle %" PRIu64
				", that %s TCP port %u: %s",
				rule.family, rule.table, rule.chain, chain.type, chain.hook,
				chain.priority, rule.handle, all ? "takes" : "may take", port,
				rule.what);
			found++;
		}
	}
	return found;
}

static void check_all_takers(const struct examination *exam)
{
	unsigned found = check_takers(exam, FOREIGN_SMTP_PORT);
	for (uint16_t port = 0; (port = zone_port_after(exam->control->policy, port));)
		if (port != FOREIGN_SMTP_PORT)
			found += check_takers(exam, port);
	if (!found)
		examination_find(
			exam, "foreign-rule", DOCTOR_OK, "", "no other rule takes TCP port 25");
}

/* Do connections of zones go on through the kernel, by our rules or past them? */
static bool is_forwarding(const struct control *control)
{
	const struct policy *policy = control->policy;
	for (size_t z = 0; z < policy->nzones; z++)
		if (policy->zones[z].unauthenticated.verdict == POLICY_VERDICT_PASS ||
			policy->zones[z].unmatched.verdict == POLICY_VERDICT_PASS)
			return true;
	for (size_t r = 0; r < policy->nrules; r++)
		if (!policy->rules[r].to_server && !policy->rules[r].disabled &&
			policy->rules[r].act.verdict == POLICY_VERDICT_PASS)
			return true;
	return path_is_used(control);
}

/* What a flowtable took meets no chain any more: neither ours, which ends a flow at its next
 * packet, nor one that counts. */
static void check_flowtables(const struct examination *exam)
{
	const uint32_t mask = exam->control->start.options.mark_mask;
	size_t at = 0;
	struct chain_rule rule;
	for (const char *fact; (fact = examination_fact(exam->facts, "offloads", &at));) {
		struct advice lines = {.len = 0};
		if (!chain_read_rule(fact, &rule) || !is_forwarding(exam->control))
			continue;
		advice_put_line(&lines,
			"# write `ct mark & 0x%08" PRIx32 " == 0` in front of `flow add` in that "
			"rule",
			mask);
		examination_find(exam, "flowtable",
			strcmp(rule.extent, "all") == 0 ? DOCTOR_ERROR : DOCTOR_WARNING, lines.text,
			"chain %s %s %s has a rule, handle %" PRIu64
			", that puts connections into a flowtable: those that pass or go by `path "
			"kernel` are then not ended by a logout, a kill or a block",
			rule.family, rule.table, rule.chain, rule.handle);
	}
}

/* Rules of iptables-legacy do not stand in nftables, and only root may read them. */
static void check_legacy(const struct examination *exam)
{
	static const struct {
		const char *path, *command;
	} kinds[] = {{"/proc/net/ip_tables_names", "iptables-legacy"},
		{"/proc/net/ip6_tables_names", "ip6tables-legacy"}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (access(kinds[i].path, F_OK) == 0)
			examination_find(exam, "iptables-legacy", DOCTOR_OK, "",
				"%s is in the kernel; what it holds only root can tell: %s -S",
				kinds[i].command, kinds[i].command);
}

/* Nothing of a file that holds our table can be loaded, at the next boot or now. */
static void check_saved(const struct examination *exam)
{
	char path[PATH_MAX];
	const char *file = saved_find(path, sizeof(path));
	if (file)
		examination_find(exam, "saved-ruleset", DOCTOR_ERROR,
			"take the block `table inet postern { ... }` out of that file, and save "
			"your own tables alone: nft list table FAMILY NAME",
			"%s holds a copy of our table: nft loads neither it nor any of your own "
			"rules from that file",
			file);
	else
		examination_find(exam, "saved-ruleset", DOCTOR_OK, "",
			"no file that nft loads at boot holds a copy of our table");
}

void examination_of_foreign(const struct examination *exam)
{
	check_chains(exam);
	check_all_takers(exam);
	check_flowtables(exam);
	check_legacy(exam);
	check_saved(exam);
}
