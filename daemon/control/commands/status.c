/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/request/command.h"

#include "daemon/control/audit/flow_events.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/doctor/saved_tables.h"
#include "daemon/control/doctor/setting.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/lost_flows.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/health/target_words.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/peers/web_peer.h"
#include "daemon/control/policy/file.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/store/state_trouble.h"
#include "daemon/control/trouble/trouble.h"
#include "lib/version.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SAID_MS 600000

/* Said first: nothing else shows it, and mail goes out by itself. */
static void look_at_renamed(const struct control *control, json_t *troubles)
{
	for (size_t i = 0; i < control->nlinks; i++) {
		const struct control_link *link = &control->links[i];
		const struct policy_zone *left = interfaces_left_zone(control, link);
		if (left)
			trouble_add(troubles, "posternctl doctor",
				"interface %s of zone %s is called %s now: its clients are not "
				"redirected",
				link->was, left->name.text, link->name);
	}
}

/* Of the same kind: who becomes a bridge's port is seen by the bridge's name alone. */
static void look_at_ports(
	const struct control *control, const struct facts *facts, json_t *troubles)
{
	char port[64], bridge[64];
	const char *line;
	for (size_t at = 0; (line = facts_find(facts, "port", &at));) {
		if (sscanf(line, "%63s %63s", port, bridge) != 2)
			continue;
		const struct policy_zone *zone = interfaces_zone_of(control->policy, port);
		if (zone)
			trouble_add(troubles, "posternctl doctor",
				"interface %s of zone %s is a port of bridge %s: its clients are "
				"not redirected",
				port, zone->name.text, bridge);
	}
}

static json_t *bypass_part(struct control *control, json_t *troubles)
{
	json_t *array = json_array();
	uint64_t now_ms = clock_now_ms(control);
	size_t n;
	const struct bypass_line *lines = bypass_lines(control->bypass, &n);
	for (size_t i = 0; i < n; i++) {
		const char *zone = *lines[i].zone ? lines[i].zone : "all";
		uint64_t left = (lines[i].until_ms - now_ms + 999) / 1000;
		json_array_append_new(
			array, json_pack("{s:s, s:I}", "zone", zone, "left_s", (json_int_t)left));
		trouble_add(troubles, "posternctl bypass off",
			"bypass is on for %s: mail is not redirected for another %" PRIu64 " %s",
			zone, left > 120 ? left / 60 : left, left > 120 ? "minutes" : "seconds");
	}
	return array;
}

static json_t *zones_part(const struct control *control, json_t *troubles)
{
	json_t *array = json_array();
	for (size_t i = 0; i < control->policy->nzones; i++) {
		const struct policy_zone *zone = &control->policy->zones[i];
		json_t *missing = command_zone_missing(control, zone);
		json_t *present = command_zone_folded(control, zone);
		/* a wildcard may have none for days; a zone without any has no clients */
		if (!json_array_size(present))
			trouble_add(troubles, "posternctl zone show",
				"zone %s: no interface of it is present (%s)", zone->name.text,
				json_string_value(json_array_get(missing, 0)));
		json_array_append_new(array,
			json_pack("{s:o, s:o, s:o, s:I}", "zone", json_row_string(&zone->name),
				"interfaces", present, "missing", missing, "sessions",
				(json_int_t)session_table_count_zone(
					control->table, zone->name.text)));
	}
	return array;
}

static json_t *listeners_part(const struct control *control)
{
	json_t *array = json_array();
	for (size_t i = 0; i < control->policy->nlisteners; i++) {
		const struct policy_listener *listener = &control->policy->listeners[i];
		const struct live_rule live =
			live_flows_listener_of(control->live_flows, listener->name.text);
		json_array_append_new(array,
			json_pack("{s:o, s:o, s:I}", "listener", json_row_string(&listener->name),
				"endpoints", command_listener_endpoints(control, listener), "flows",
				(json_int_t)live.flows));
	}
	return array;
}

static json_t *servers_part(const struct control *control)
{
	json_t *array = json_array();
	for (size_t i = 0; i < control->policy->nservers; i++) {
		const struct ipc_targets *targets = health_peer_targets(control->health, i);
		for (uint32_t j = 0; targets && j < targets->n; j++) {
			const struct ipc_target *target = &targets->v[j];
			json_array_append_new(array, json_pack("{s:o, s:o, s:s}", "server",
							     json_row_text(targets->server), "host",
							     json_row_text(target->name), "state",
							     target_words_state(targets, target)));
		}
	}
	return array;
}

/* Beside its state what becomes of messages without it, so that accept is seen. */
static json_t *scans_part(const struct control *control)
{
	const struct policy *policy = control->policy;
	const unsigned used = scan_states_used(policy);
	json_t *array = json_array();
	struct ipc_scan_state sum;
	for (size_t i = 0; i < policy->nscans; i++) {
		const struct policy_scan *scan = &policy->scans[i];
		scan_states_sum(control->scans, scan, &sum);
		json_array_append_new(array,
			json_pack("{s:o, s:s, s:s, s:I}", "scan", json_row_string(&scan->name),
				"state", scan_states_word(&sum, used & 1u << i), "on_failure",
				policy_scan_failure_names[scan->on_failure], "unscanned",
				(json_int_t)sum.unscanned));
	}
	return array;
}

static json_t *refused_part(const uint64_t counts[static FLOW_EVENTS_REASONS])
{
	json_t *object = json_object();
	for (unsigned i = 0; i < FLOW_EVENTS_REASONS; i++)
		if (counts[i])
			json_object_set_new(object, flow_events_reason_name(i),
				json_integer((json_int_t)counts[i]));
	return object;
}

/* Whom they were of. */
static const char *refused_of(unsigned reason)
{
	if (reason < FLOW_EVENTS_MESSAGES)
		return "connections";
	return reason < FLOW_EVENTS_RECIPIENTS ? "messages" : "recipients";
}

/* The same, each with the command that shows more. */
static json_t *refusals_part(const uint64_t counts[static FLOW_EVENTS_REASONS])
{
	json_t *array = json_array();
	char next[96];
	for (unsigned i = 0; i < FLOW_EVENTS_REASONS; i++)
		if (counts[i])
			json_array_append_new(
				array, json_pack("{s:s, s:s, s:I, s:s}", "reason",
					       flow_events_reason_name(i), "of", refused_of(i),
					       "count", (json_int_t)counts[i], "next",
					       i < FLOW_EVENTS_MESSAGES
						       ? trouble_next_of((enum ending)i, next)
						       : "posternctl message show since 10m"));
	return array;
}

static void look_at_policy(struct control *control, json_t *row, json_t *troubles)
{
	const struct policy_current *current = policy_store_current(control->history);
	const char *why = "";
	char next[512];
	bool differs = policy_file_differs(control, &why);
	json_object_set_new(row, "file", json_string(why));
	if (differs) {
		snprintf(next, sizeof(next), "posternctl policy check %s",
			control->start.options.config);
		trouble_add(troubles, control->file_bad ? next : "posternctl policy diff file",
			"%s: %s; policy %" PRIu64 " runs", control->start.options.config, why,
			control->policy_number);
	}
	if (differs && *control->file_refused)
		trouble_add(troubles, "posternctl policy diff file", "%s was not applied: %s",
			control->start.options.config, control->file_refused);
	if (!control->policy->nzones && !control->policy->nlisteners)
		trouble_add(troubles, "posternctl policy edit",
			"the policy has no zone: no mail is redirected");
	if (*control->policy_fault)
		trouble_add(troubles, "posternctl policy edit",
			"policy %" PRIu64
			" runs with an error that the next change of it meets: %s",
			control->policy_number, control->policy_fault);
	if (*control->plan_trouble)
		trouble_add(troubles, "posternctl policy history", "%s; policy %" PRIu64 " runs",
			control->plan_trouble, control->policy_number);
	if (*policy_store_trouble(control->history))
		trouble_add(troubles, "posternctl policy history", "%s",
			policy_store_trouble(control->history));
	if (current->confirm_until_ms) {
		json_object_set_new(row, "confirm_until_at",
			json_row_time(clock_to_wall(control, current->confirm_until_ms)));
		trouble_add(troubles, "posternctl policy confirm",
			"policy %" PRIu64 " waits to be confirmed", control->policy_number);
	}
}

/* Relays of versions before: no trouble, but they explain a flow that ends at an upgrade's drain
 * time. */
static json_t *draining_part(const struct control *control)
{
	json_t *array = json_array();
	struct flow_peers_draining draining;
	for (unsigned at = 0; flow_peers_next_draining(control->flow_peers, &at, &draining);)
		json_array_append_new(
			array, json_pack("{s:i, s:o, s:I}", "relay", (int)draining.relay, "version",
				       json_row_text(draining.version), "flows",
				       (json_int_t)draining.flows));
	return array;
}

/* A packet that nobody decides is cleared away within a second: that there was one is told for a
 * while, that one stays is trouble now. */
static void look_at_queue(
	const struct control *control, const struct facts *facts, json_t *troubles)
{
	const struct control_events *events = &control->events;
	const uint64_t last_ms = events->last_ms[IPC_EVENT_QUEUE_STUCK];
	unsigned waiting, strange;
	const char *line = facts_find(facts, "nfqueue", NULL);

	if (line && sscanf(line, "%*u %*u %u %*u %*u %u", &waiting, &strange) == 2 && strange)
		trouble_add(troubles, "posternctl doctor",
			"the packet queue does not empty: %u of %u packets in it are nobody's",
			strange, waiting);
	else if (last_ms && clock_now_ms(control) < last_ms + QUEUE_SAID_MS)
		trouble_add(troubles, "posternctl doctor", "the packet queue: %s",
			events->last[IPC_EVENT_QUEUE_STUCK]);
}

/* Another program's ip rule in front of ours, that is not to be got behind. */
static void look_at_rules(const struct facts *facts, json_t *troubles)
{
	unsigned family, priority, behind;
	const char *line;
	for (size_t at = 0; (line = facts_find(facts, "rules", &at));)
		if (sscanf(line, "ip%u %u behind %u", &family, &priority, &behind) == 3)
			trouble_add(troubles, "posternctl doctor",
				"the IPv%u rule %u of another program takes what is steered before "
				"our rule %u",
				family, behind, priority);
}

static void look_at_saved(json_t *troubles)
{
	char path[PATH_MAX];
	const char *file = saved_find(path, sizeof(path));
	if (file)
		trouble_add(troubles, "posternctl doctor",
			"%s holds a copy of our table: nft loads none of your own rules from it",
			file);
}

/* A full table drops new connections, before any rule sees them. */
static void look_at_conntrack(json_t *troubles)
{
	long count, max;

	if (setting_of_conntrack(&count, &max))
		trouble_add(troubles, "posternctl doctor",
			"the kernel follows %ld connections, of %ld that it may: a full table "
			"drops "
			"new ones",
			count, max);
}

/* Seen here, whatever takes them. */
static void look_at_lost(const struct control *control, json_t *troubles)
{
	uint64_t missing, steered;
	if (lost_flows_last_minute(control->lost_flows, &missing, &steered))
		trouble_add(troubles, "posternctl doctor",
			"steered but not accepted: %" PRIu64 " of %" PRIu64
			" connections of the last minute reached no relay",
			missing, steered);
}

static void look_at_processes(struct control *control, const struct facts *facts, json_t *troubles)
{
	char text[256];
	if (web_peer_trouble(control->web, text, sizeof(text)))
		trouble_add(troubles, "posternctl doctor", "%s", text);
	if (flow_peers_count(control->flow_peers, PROCESS_RELAY) == 0)
		trouble_add(troubles, "posternctl doctor", "no relay is running");
	if (!wanted_all_run(control->wanted))
		trouble_add(troubles, "posternctl doctor",
			"not all smtp processes run: who is to be read there hears 421");
	if (!facts->complete || !facts->counters_known)
		trouble_add(troubles, "posternctl doctor", "the keeper does not answer");
	size_t at = 0;
	const char *listener;
	while ((listener = facts_find(facts, "listener", &at)))
		if (strstr(listener, "closed"))
			trouble_add(troubles, "posternctl doctor", "listener %s", listener);
	for (size_t i = 0; i < control->listening->n; i++)
		if (control->listening->v[i].error)
			trouble_add(
				troubles, "posternctl doctor", "%s", control->listening->v[i].text);
	look_at_rules(facts, troubles);
	const char *lacking = facts_find(facts, "lacking", NULL);
	/* the ports of listeners: without one nothing is amiss */
	bool wanted = lacking && (control->policy->nlisteners > 0 ||
					 strcmp(lacking, "CAP_NET_BIND_SERVICE") != 0);
	if (wanted)
		trouble_add(troubles, "systemctl restart postern",
			"restart once: this version wants %s, which an upgrade in place can not "
			"bring",
			lacking);
	const char *routes = facts_find(facts, "routes", NULL);
	if (routes && strcmp(routes, "ok") != 0)
		trouble_add(troubles, "posternctl doctor", "the policy route is %s", routes);
	if (control->counters[COUNTER_AUDIT_LOST])
		trouble_add(troubles, "posternctl counters show",
			"%" PRIu64 " audit records were lost",
			control->counters[COUNTER_AUDIT_LOST]);
}

/* Connections that came from all zones, as the kernel counted their first packets. Beside them
 * stand how many it steered to the relays, and how many these took: what is missing there was
 * dropped on the way, by another program's rule or a full backlog. */
static uint64_t arrived(const struct facts *facts)
{
	uint64_t sum = 0;
	const char *line;
	for (size_t at = 0; (line = facts_find(facts, "arrived", &at));) {
		const char *blank = strchr(line, ' ');
		sum += blank ? strtoull(blank + 1, NULL, 10) : 0;
	}
	return sum;
}

/* How many paths servers have in the kernel, and how many of them lead to a host; and of the table
 * in force how many connections went that way, or were lost on it. Nothing where there are none. */
static void paths_part(const struct control *control, const uint64_t sum[COUNTERS], json_t *row)
{
	size_t all, led;

	paths_count(control->paths, &all, &led);
	if (!all)
		return;
	json_object_set_new(row, "paths",
		json_pack("{s:I, s:I, s:I, s:I}", "all", (json_int_t)all, "led", (json_int_t)led,
			"begun", (json_int_t)sum[COUNTER_PATHS_BEGUN], "lost",
			(json_int_t)sum[COUNTER_PATHS_LOST]));
}

static void look_at_state(const struct control *control, json_t *troubles)
{
	struct state_trouble v[STATE_TROUBLES_MAX];
	size_t n = state_troubles(control, v);
	for (size_t i = 0; i < n; i++)
		trouble_add(troubles, v[i].next, "%s", v[i].text);
}

static void on_facts(void *context, const struct facts *facts)
{
	struct command *command = context;
	struct control *control = command->control;
	uint64_t sum[COUNTERS], refused[FLOW_EVENTS_REASONS];
	uint64_t now_ms = clock_now_ms(control);
	json_t *troubles = json_array(), *row = json_object();
	bypass_follow(control->bypass, facts);
	command_counters_sum(control, facts, sum);
	look_at_renamed(control, troubles);
	look_at_ports(control, facts, troubles);
	json_object_set_new(row, "bypass", bypass_part(control, troubles));
	json_object_set_new(row, "version", json_string(POSTERN_VERSION));
	json_object_set_new(row, "policy", json_integer((json_int_t)control->policy_number));
	look_at_policy(control, row, troubles);
	json_object_set_new(row, "running_s",
		json_integer((json_int_t)((now_ms - control->started_ms) / 1000)));
	json_object_set_new(row, "zones", zones_part(control, troubles));
	json_object_set_new(row, "listeners", listeners_part(control));
	json_object_set_new(row, "servers", servers_part(control));
	if (control->policy->nscans)
		json_object_set_new(row, "scans", scans_part(control));
	json_object_set_new(row, "sessions", json_integer((json_int_t)sessions_in_force(control)));
	json_object_set_new(row, "sessions_aside",
		json_integer((json_int_t)(session_table_count(control->table) -
					  sessions_in_force(control))));
	json_object_set_new(row, "blocks", json_integer((json_int_t)blocks_count(control->blocks)));
	json_object_set_new(
		row, "flows", json_integer((json_int_t)live_flows_count(control->live_flows)));
	json_object_set_new(row, "arrived", json_integer((json_int_t)arrived(facts)));
	json_object_set_new(row, "steered", json_integer((json_int_t)sum[COUNTER_STEERED]));
	json_object_set_new(row, "accepted", json_integer((json_int_t)sum[COUNTER_FLOWS_ACCEPTED]));
	paths_part(control, sum, row);
	json_object_set_new(row, "relays",
		json_integer((json_int_t)flow_peers_count(control->flow_peers, PROCESS_RELAY)));
	json_object_set_new(row, "draining", draining_part(control));
	flow_events_last_minute(control->flow_events, now_ms, refused);
	json_object_set_new(row, "refused_last_minute", refused_part(refused));
	json_object_set_new(row, "refusals", refusals_part(refused));
	trouble_of_servers(control, facts, troubles);
	trouble_of_lists(control, troubles);
	trouble_of_credentials(control, troubles);
	trouble_of_auths(control, troubles);
	trouble_of_radiuses(control, troubles);
	trouble_of_portals(control, troubles);
	trouble_of_scans(control, troubles);
	trouble_of_refusals(refused, troubles);
	look_at_lost(control, troubles);
	look_at_saved(troubles);
	look_at_conntrack(troubles);
	look_at_processes(control, facts, troubles);
	look_at_state(control, troubles);
	look_at_queue(control, facts, troubles);
	bool is_wrong = json_array_size(troubles) != 0;
	json_object_set_new(row, "troubles", troubles);
	command_row(command, row);
	command_done(command, is_wrong ? OUTCOME_TROUBLE : OUTCOME_DONE, "%s", "");
}

static void run_status(struct command *command)
{
	if (trouble_wants_rules(command->control))
		facts_ask_all(command->control, on_facts, command);
	else
		facts_ask(command->control, on_facts, command);
}

static const struct command_verb verbs[] = {
	{"", run_status},
	{NULL, NULL},
};

const struct command_noun command_status = {"status", verbs};
