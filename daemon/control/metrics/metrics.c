/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/metrics/metrics.h"

#include "daemon/base/channel.h"
#include "daemon/control/audit/totals.h"
#include "daemon/control/clock.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/metrics/portal.h"
#include "daemon/control/metrics/radius.h"
#include "daemon/control/peers/auth_peer.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/health/host_tls.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/peers/web_peer.h"
#include "daemon/control/policy/file.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/session/live_flows.h"
#include "lib/metrics/exposition.h"
#include "lib/version.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GAUGE COUNTER_KIND_GAUGE
#define TOTAL COUNTER_KIND_TOTAL

static void put_one(struct exposition *page, const char *name, const char *help, uint64_t value)
{
	exposition_begin(page, name, GAUGE, help);
	exposition_add(page, value, NULL);
}

static void put_policy(struct exposition *page, struct control *control)
{
	const struct policy_current *current = policy_store_current(control->history);
	const char *why;

	exposition_begin(page, "build-info", GAUGE, "always 1; the label has the version");
	exposition_add(page, 1, "version", POSTERN_VERSION, NULL);
	exposition_begin(page, "start-time-seconds", GAUGE, "when control started, since 1970");
	exposition_add_us(page, clock_to_wall(control, control->started_ms) * 1000, NULL);
	put_one(page, "policy-number", "number of the policy in force", control->policy_number);
	put_one(page, "policy-file-differs", "1: the file says something else than what runs",
		policy_file_differs(control, &why));
	put_one(page, "policy-unconfirmed", "1: the policy in force waits for policy confirm",
		current->confirm_until_ms != 0);
}

/* How many of a kind run and take what is new. */
static uint64_t count_running(struct control *control, enum process_role role)
{
	uint64_t n = role == PROCESS_CONTROL;
	unsigned at = 0;

	for (const struct peer *peer; (peer = flow_peers_next(control->flow_peers, &at)) != NULL;)
		n += peer->role == role && !peer->draining;
	return n;
}

static uint64_t count_wanted(const struct control *control, enum process_role role)
{
	if (!wanted_is(control->wanted, role))
		return 0;
	return roles[role].many ? control->start.options.relays : 1;
}

static void put_processes(
	struct exposition *page, struct control *control, const struct web_peer_kernel *kernel)
{
	static const char label[] = "process";

	exposition_begin(page, "processes", GAUGE, "processes that run and answer control");
	exposition_add(page, kernel->answered, label, "keeper", NULL);
	for (enum process_role role = 0; role < PROCESS_ROLES; role++)
		exposition_add(page, count_running(control, role), label, roles[role].name, NULL);
	exposition_begin(page, "processes-wanted", GAUGE, "processes that there should be");
	exposition_add(page, 1, label, "keeper", NULL);
	for (enum process_role role = 0; role < PROCESS_ROLES; role++)
		exposition_add(page, count_wanted(control, role), label, roles[role].name, NULL);
}

static bool is_bypassed(struct control *control, const char *zone)
{
	size_t n;
	const struct bypass_line *lines = bypass_lines(control->bypass, &n);

	for (size_t i = 0; i < n; i++)
		if (!*lines[i].zone || strcmp(lines[i].zone, zone) == 0)
			return true;
	return false;
}

static size_t interfaces_of(const struct control *control, const struct policy_zone *zone)
{
	size_t n = 0;

	for (size_t i = 0; i < control->nlinks; i++)
		for (size_t j = 0; j < zone->interfaces.n; j++)
			if (policy_interface_match(
				    zone->interfaces.v[j].text, control->links[i].name)) {
				n++;
				break;
			}
	return n;
}

/* Only endings that there were: all of them for each zone would be thousands of lines of zeros.
 * The sum over everything, postern_flows_ended_total, has them all. */
static void put_endings(struct exposition *page, const struct totals_line *line, const char *label,
	const char *name)
{
	for (unsigned i = ENDING_NONE + 1; line && i < ENDINGS; i++)
		if (line->endings[i])
			exposition_add(page, line->endings[i], label, name, "ending",
				ending_names[i], "class",
				ending_class_names[ending_class_of((enum ending)i)], NULL);
}

/* The names of a kind that the policy has, and for servers "original" behind them. */
static const char *name_of(const struct policy *policy, enum totals_kind kind, size_t i)
{
	if (kind == TOTALS_ZONE)
		return i < policy->nzones ? policy->zones[i].name.text : NULL;
	if (kind == TOTALS_LISTENER)
		return i < policy->nlisteners ? policy->listeners[i].name.text : NULL;
	return i < policy->nservers    ? policy->servers[i].name.text
	       : i == policy->nservers ? "original"
				       : NULL;
}

static void put_tally(struct exposition *page, const struct control *control, enum totals_kind kind)
{
	static const char *const labels[TOTALS_KINDS] = {"zone", "listener", "server"};
	const char *label = labels[kind], *name;
	static const struct totals_line none;
	char metric[32];

	snprintf(metric, sizeof(metric), "%s-flows-ended", label);
	exposition_begin(page, metric, TOTAL, "flows that ended, by how, since control started");
	for (size_t i = 0; (name = name_of(control->policy, kind, i)); i++)
		put_endings(page, totals_find(control->totals, kind, name), label, name);
	snprintf(metric, sizeof(metric), "%s-messages", label);
	exposition_begin(page, metric, TOTAL, "messages that servers took in flows that ended");
	for (size_t i = 0; (name = name_of(control->policy, kind, i)); i++) {
		const struct totals_line *line = totals_find(control->totals, kind, name);
		exposition_add(page, line ? line->messages : 0, label, name, NULL);
	}
	snprintf(metric, sizeof(metric), "%s-bytes", label);
	exposition_begin(page, metric, TOTAL, "bytes relayed in flows that ended");
	for (size_t i = 0; (name = name_of(control->policy, kind, i)); i++) {
		const struct totals_line *line = totals_find(control->totals, kind, name);
		line = line ? line : &none;
		exposition_add(page, line->from_client_bytes, label, name, "from", "client", NULL);
		exposition_add(page, line->from_server_bytes, label, name, "from", "server", NULL);
	}
}

static void put_zones(
	struct exposition *page, struct control *control, const struct web_peer_kernel *kernel)
{
	const struct policy *policy = control->policy;

	exposition_begin(page, "zone-sessions", GAUGE, "sessions of a zone, without devices");
	for (size_t i = 0; i < policy->nzones; i++) {
		const char *zone = policy->zones[i].name.text;
		exposition_add(
			page, session_table_count_zone(control->table, zone), "zone", zone, NULL);
	}
	exposition_begin(page, "zone-interfaces", GAUGE, "interfaces of a zone that are present");
	for (size_t i = 0; i < policy->nzones; i++)
		exposition_add(page, interfaces_of(control, &policy->zones[i]), "zone",
			policy->zones[i].name.text, NULL);
	exposition_begin(page, "zone-open", GAUGE,
		"1: on-failure open, what is undecided passes; 0: closed, it is reset");
	for (size_t i = 0; i < policy->nzones; i++)
		exposition_add(page, policy->zones[i].on_failure == POLICY_POSTURE_OPEN, "zone",
			policy->zones[i].name.text, NULL);
	exposition_begin(page, "zone-bypass", GAUGE, "1: bypass is on, nothing is redirected");
	for (size_t i = 0; i < policy->nzones; i++) {
		const char *zone = policy->zones[i].name.text;
		exposition_add(page, is_bypassed(control, zone), "zone", zone, NULL);
	}
	exposition_begin(page, "zone-arrived", COUNTER_KIND_TABLE,
		"first packets of connections from a zone, by the table in force");
	for (size_t i = 0; i < kernel->narrived; i++) {
		const char *zone = kernel->arrived[i].zone;
		if (policy_find_zone(policy, zone) >= 0)
			exposition_add(page, kernel->arrived[i].packets, "zone", zone, NULL);
	}
	put_tally(page, control, TOTALS_ZONE);
}

static void put_server_flows(struct exposition *page, const struct control *control)
{
	const struct policy *policy = control->policy;
	uint64_t *flows = calloc(policy->nservers + 1, sizeof(*flows)); /* "original" is the last */
	const char *name;

	exposition_begin(page, "server-flows", GAUGE, "flows now, by the server of their rule");
	for (size_t i = 0; flows && i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		size_t server = rule->to_original ? policy->nservers : rule->server;
		if (rule->to_server)
			flows[server] +=
				live_flows_rule_of(control->live_flows, rule->name.text).flows;
	}
	for (size_t i = 0; flows && (name = name_of(policy, TOTALS_SERVER, i)); i++)
		exposition_add(page, flows[i], "server", name, NULL);
	free(flows);
}

/* Of two that have all labels in common the better one is shown. */
static bool is_shown(const struct ipc_targets *targets, uint32_t at)
{
	const struct ipc_target *target = &targets->v[at];
	uint32_t k = 0;

	while (k < at && (targets->v[k].port != target->port ||
				 strcasecmp(targets->v[k].name, target->name) != 0))
		k++;
	return k == at;
}

/* Calls put for each host. */
static void each_host(struct exposition *page, const struct control *control,
	void (*put)(struct exposition *page, const char *server, const char *port,
		const struct ipc_target *target))
{
	char port[8];

	for (size_t i = 0; i < control->policy->nservers; i++) {
		const struct ipc_targets *targets = health_peer_targets(control->health, i);
		for (uint32_t j = 0; targets && j < targets->n; j++) {
			struct ipc_target views[2];
			ipc_target_views(targets->flows, &targets->v[j], views);
			snprintf(port, sizeof(port), "%u", targets->v[j].port);
			if (is_shown(targets, j))
				put(page, targets->server, port, &views[0]);
		}
	}
}

/* Of its addresses the one whose certificate ends first; 0: none is known by one. */
static int64_t certificate_end(
	const struct control *control, size_t server, const struct ipc_target *target)
{
	int64_t ends = 0, days;

	for (unsigned i = 0; i < ipc_target_addresses(target); i++) {
		const struct ipc_host_tls *seen =
			health_peer_tls(control->health, server, target, &target->addresses[i]);
		if (seen && host_tls_days(control, seen, &days) && (!ends || seen->tls.ends < ends))
			ends = seen->tls.ends;
	}
	return ends;
}

static void put_host_certificates(struct exposition *page, const struct control *control)
{
	char port[8];

	exposition_begin(page, "host-certificate-end-seconds", GAUGE,
		"when the certificate by which the host is verified ends, since 1970");
	for (size_t i = 0; i < control->policy->nservers; i++) {
		const struct ipc_targets *targets = health_peer_targets(control->health, i);
		for (uint32_t j = 0; targets && j < targets->n; j++) {
			const struct ipc_target *target = &targets->v[j];
			int64_t ends =
				is_shown(targets, j) ? certificate_end(control, i, target) : 0;
			snprintf(port, sizeof(port), "%u", target->port);
			if (ends > 0)
				exposition_add_us(page, (uint64_t)ends * 1000000, "server",
					targets->server, "host", target->name, "port", port, NULL);
		}
	}
}

static void put_up(struct exposition *page, const char *server, const char *port,
	const struct ipc_target *target)
{
	bool up = target->state == TARGET_UP || target->state == TARGET_UNKNOWN;
	exposition_add(page, up, "server", server, "host", target->name, "port", port, NULL);
}

static void put_state(struct exposition *page, const char *server, const char *port,
	const struct ipc_target *target)
{
	exposition_add(page, 1, "server", server, "host", target->name, "port", port, "state",
		target_state_names[target->state], NULL);
}

static void put_drained(struct exposition *page, const char *server, const char *port,
	const struct ipc_target *target)
{
	exposition_add(
		page, target->drained, "server", server, "host", target->name, "port", port, NULL);
}

static void put_latency(struct exposition *page, const char *server, const char *port,
	const struct ipc_target *target)
{
	if (target->latency_us)
		exposition_add_us(page, target->latency_us, "server", server, "host", target->name,
			"port", port, NULL);
}

static void put_servers(struct exposition *page, const struct control *control)
{
	put_server_flows(page, control);
	put_tally(page, control, TOTALS_LISTENER);
	put_tally(page, control, TOTALS_SERVER);
	exposition_begin(page, "host-up", GAUGE, "0: the host is down or never to be used");
	each_host(page, control, put_up);
	exposition_begin(page, "host-state", GAUGE, "always 1; the label has the host's state");
	each_host(page, control, put_state);
	exposition_begin(page, "host-drained", GAUGE, "1: the operator wants no new flows there");
	each_host(page, control, put_drained);
	exposition_begin(page, "host-latency-seconds", GAUGE,
		"from connecting to the end of the greeting, in the last probe");
	each_host(page, control, put_latency);
	put_host_certificates(page, control);
}

static void put_rules(struct exposition *page, const struct control *control)
{
	const struct policy *policy = control->policy;
	size_t n = policy->nrules < METRICS_RULES_MAX ? policy->nrules : METRICS_RULES_MAX;

	put_one(page, "rules", "rules of the policy in force", policy->nrules);
	exposition_begin(page, "rule-hits", TOTAL, "flows that a rule matched");
	for (size_t i = 0; i < n; i++) {
		const char *rule = policy->rules[i].name.text;
		exposition_add(page, live_flows_rule_of(control->live_flows, rule).hits, "rule",
			rule, NULL);
	}
	exposition_begin(page, "rule-flows", GAUGE, "flows now that a rule matched");
	for (size_t i = 0; i < n; i++) {
		const char *rule = policy->rules[i].name.text;
		exposition_add(page, live_flows_rule_of(control->live_flows, rule).flows, "rule",
			rule, NULL);
	}
}

static void put_certificates(struct exposition *page, const struct control *control)
{
	static const char label[] = "certificate";
	size_t n;
	const struct credential_now *now = credentials_now(control->credentials, &n);

	exposition_begin(page, "certificate-end-seconds", GAUGE,
		"when the certificate, or one of its chain, ends, since 1970");
	for (size_t i = 0; i < n; i++)
		if (now[i].what.kind == CREDENTIAL_CERTIFICATE && now[i].loaded)
			exposition_add_us(page, (uint64_t)now[i].facts.ends * 1000000, label,
				now[i].what.name, NULL);
	exposition_begin(page, "certificate-bad", GAUGE,
		"1: its files are bad, and what was loaded before goes on");
	for (size_t i = 0; i < n; i++)
		if (now[i].what.kind == CREDENTIAL_CERTIFICATE)
			exposition_add(
				page, now[i].trouble[0] != '\0', label, now[i].what.name, NULL);
}

/* Figures of each place where passwords are checked; of those that nobody asks nothing is known. */
static void each_auth(struct exposition *page, const struct control *control,
	void (*put)(struct exposition *page, const char *auth, const struct auth_counts *counts))
{
	const struct policy *policy = control->policy;
	struct auth_counts counts;

	for (size_t i = 0; i < policy->nauths; i++) {
		const char *auth = policy->auths[i].name.text;
		if (auth_peer_counts(control->auth, auth, &counts))
			put(page, auth, &counts);
	}
}

static void put_auth_logins(
	struct exposition *page, const char *auth, const struct auth_counts *counts)
{
	const struct {
		const char *verdict;
		uint64_t n;
	} of[] = {{"passed", counts->passed}, {"refused", counts->refused},
		{"later", counts->later}, {"limited", counts->limited}};

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		exposition_add(page, of[i].n, "auth", auth, "verdict", of[i].verdict, NULL);
}

static void put_auth_asked(
	struct exposition *page, const char *auth, const struct auth_counts *counts)
{
	exposition_add(page, counts->asked, "auth", auth, NULL);
}

static void put_auth_slow(
	struct exposition *page, const char *auth, const struct auth_counts *counts)
{
	exposition_add(page, counts->slow, "auth", auth, NULL);
}

static void put_auth_up(struct exposition *page, const struct control *control)
{
	const struct policy *policy = control->policy;

	for (size_t i = 0; i < policy->nauths; i++) {
		const char *auth = policy->auths[i].name.text;
		const struct ipc_auth_state *state = auth_peer_state(control->auth, auth);
		if (state)
			exposition_add(page, state->up, "auth", auth, NULL);
	}
}

static void put_auths(struct exposition *page, const struct control *control)
{
	exposition_begin(page, "auth-logins", TOTAL,
		"logins by what came of them where passwords are checked");
	each_auth(page, control, put_auth_logins);
	exposition_begin(page, "auth-asked", TOTAL, "how often it was asked there");
	each_auth(page, control, put_auth_asked);
	exposition_begin(page, "auth-slow", TOTAL, "answers but a no that took 2 seconds or more");
	each_auth(page, control, put_auth_slow);
	exposition_begin(page, "auth-up", GAUGE,
		"1: it answers; 0: the last that it was asked it could not find out");
	put_auth_up(page, control);
}

/* A figure of each scan, since control started: what processes counted before an apply stays. */
static void each_scan(struct exposition *page, const struct control *control, const char *name,
	enum counter_kind kind, const char *help,
	void (*put)(struct exposition *page, const struct ipc_scan_state *sum))
{
	const struct policy *policy = control->policy;
	struct ipc_scan_state sum;

	exposition_begin(page, name, kind, help);
	for (size_t i = 0; i < policy->nscans; i++) {
		scan_states_sum(control->scans, &policy->scans[i], &sum);
		put(page, &sum);
	}
}

static void put_scan_verdicts(struct exposition *page, const struct ipc_scan_state *sum)
{
	exposition_add(page, sum->passed, "scan", sum->scan, "verdict", "passed", NULL);
	exposition_add(page, sum->refused, "scan", sum->scan, "verdict", "refused", NULL);
	exposition_add(page, sum->failed, "scan", sum->scan, "verdict", "failed", NULL);
}

#define SCAN_FIGURE(field)                                                                      \
	static void put_scan_##field(struct exposition *page, const struct ipc_scan_state *sum) \
	{                                                                                       \
		exposition_add(page, sum->field, "scan", sum->scan, NULL);                      \
	}
SCAN_FIGURE(asked)
SCAN_FIGURE(unscanned)
SCAN_FIGURE(shed)
SCAN_FIGURE(crowded)
SCAN_FIGURE(slow)
SCAN_FIGURE(changes)
SCAN_FIGURE(dropped)
SCAN_FIGURE(open)
SCAN_FIGURE(under_way)
SCAN_FIGURE(waiting)
#undef SCAN_FIGURE

/* Of one that was never asked nothing is known. */
static void put_scan_up(struct exposition *page, const struct ipc_scan_state *sum)
{
	if (sum->since_ms)
		exposition_add(page, sum->up, "scan", sum->scan, NULL);
}

static void put_scans(struct exposition *page, const struct control *control)
{
	each_scan(page, control, "scan-verdicts", TOTAL,
		"what scans said of messages, or that they failed", put_scan_verdicts);
	each_scan(page, control, "scan-asked", TOTAL, "messages that a scan was to judge",
		put_scan_asked);
	each_scan(page, control, "scan-unscanned", TOTAL,
		"messages that went on unscanned: on-failure accept", put_scan_unscanned);
	each_scan(page, control, "scan-shed", TOTAL,
		"messages for which a scan was not tried, as it had failed five times in a row",
		put_scan_shed);
	each_scan(page, control, "scan-crowded", TOTAL,
		"messages for which no place was free in time", put_scan_crowded);
	each_scan(page, control, "scan-slow", TOTAL, "verdicts that took longer than 10 seconds",
		put_scan_slow);
	each_scan(page, control, "scan-headers-changed", TOTAL, "header changes that were made",
		put_scan_changes);
	each_scan(page, control, "scan-changes-dropped", TOTAL,
		"header changes that were not made, as the scan's mode is stream",
		put_scan_dropped);
	each_scan(page, control, "scan-up", GAUGE,
		"1: it judged the last message; 0: the last time that it was asked it failed",
		put_scan_up);
	each_scan(page, control, "scan-circuits-open", GAUGE,
		"processes that do not try it now, as it failed five times in a row",
		put_scan_open);
	each_scan(page, control, "scan-under-way", GAUGE, "messages that it judges now",
		put_scan_under_way);
	each_scan(page, control, "scan-waiting", GAUGE, "messages that wait for a place",
		put_scan_waiting);
}

static void put_audit(struct exposition *page, const struct control *control)
{
	static const char *const files[] = {"audit.db", "audit.db-wal"};
	uint64_t bytes = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[PATH_MAX];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", control->start.options.state_dir, files[i]);
		if (stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	}
	put_one(page, "audit-store-bytes", "size of the audit's database on disk", bytes);
}

static void put_kernel(struct exposition *page, const struct web_peer_kernel *kernel)
{
	put_one(page, "queue-native", "1: nft queue; 0: the xtables target behind nft_compat",
		kernel->counters.native_queue);
	put_one(page, "table-owned", "1: no foreign flush can touch the table",
		kernel->counters.table_owned);
}

static void put_histograms(struct exposition *page, const struct control *control,
	const struct web_peer_kernel *kernel)
{
	struct histogram sums[HISTOGRAMS] = {0};

	flow_peers_sum_histograms(control->flow_peers, sums);
	sums[HISTOGRAM_ADMISSION] = kernel->counters.admission;
	for (unsigned i = 0; i < HISTOGRAMS; i++)
		exposition_put_histogram(page, (enum histogram_kind)i, &sums[i]);
}

static void put_counters(
	struct exposition *page, struct control *control, const struct web_peer_kernel *kernel)
{
	const struct facts facts = {.counters = kernel->counters,
		.counters_known = kernel->counters.header.type == IPC_KERNEL_COUNTERS};
	uint64_t sum[COUNTERS];

	command_counters_sum(control, &facts, sum);
	exposition_put_counters(page, sum);
}

int metrics_make(struct control *control, const struct web_peer_kernel *kernel)
{
	struct exposition page = {0};

	put_policy(&page, control);
	put_processes(&page, control, kernel);
	put_counters(&page, control, kernel);
	put_histograms(&page, control, kernel);
	put_zones(&page, control, kernel);
	put_servers(&page, control);
	put_certificates(&page, control);
	put_auths(&page, control);
	put_scans(&page, control);
	metrics_put_radiuses(&page, control);
	metrics_put_portals(&page, control);
	put_rules(&page, control);
	put_audit(&page, control);
	put_kernel(&page, kernel);
	int fd = page.failed ? -ENOMEM : channel_memfd("metrics", page.text, page.len);
	exposition_fini(&page);
	return fd;
}
