/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/request/json_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of the interfaces that a zone has now. */
static json_t *present_of(const struct control *control, const struct policy_zone *zone)
{
	json_t *array = json_array();
	for (size_t i = 0; i < control->nlinks; i++)
		for (size_t j = 0; j < zone->interfaces.n; j++)
			if (policy_interface_match(
				    zone->interfaces.v[j].text, control->links[i].name)) {
				json_array_append_new(array, json_string(control->links[i].name));
				break;
			}
	return array;
}

#define FOLDED_FROM 5

static json_t *meeting(
	const struct control *control, const struct policy_zone *zone, size_t pattern)
{
	json_t *names = json_array();
	for (size_t i = 0; i < control->nlinks; i++) {
		const char *name = control->links[i].name;
		size_t first = 0;
		while (first < pattern &&
			!policy_interface_match(zone->interfaces.v[first].text, name))
			first++;
		if (policy_interface_match(zone->interfaces.v[first].text, name) &&
			first == pattern)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

json_t *command_zone_folded(const struct control *control, const struct policy_zone *zone)
{
	json_t *array = json_array();
	for (size_t j = 0; j < zone->interfaces.n; j++) {
		json_t *names = meeting(control, zone, j);
		char text[POLICY_IFNAME_SIZE + 32];
		snprintf(text, sizeof(text), "%s (%zu)", zone->interfaces.v[j].text,
			json_array_size(names));
		if (json_array_size(names) < FOLDED_FROM)
			json_array_extend(array, names);
		else
			json_array_append_new(array, json_string(text));
		json_decref(names);
	}
	return array;
}

/* Patterns that no interface meets. */
json_t *command_zone_missing(const struct control *control, const struct policy_zone *zone)
{
	json_t *array = json_array();
	for (size_t j = 0; j < zone->interfaces.n; j++) {
		bool found = false;
		for (size_t i = 0; i < control->nlinks && !found; i++)
			found = policy_interface_match(
				zone->interfaces.v[j].text, control->links[i].name);
		if (!found)
			json_array_append_new(array, json_row_string(&zone->interfaces.v[j]));
	}
	return array;
}

static json_t *networks_of(const struct policy_zone *zone)
{
	json_t *array = json_array();
	for (size_t i = 0; i < zone->networks.n; i++)
		json_array_append_new(array, json_row_prefix(&zone->networks.v[i]));
	return array;
}

static json_t *arrived_at(const struct facts *facts, const char *zone)
{
	char words[POLICY_NAME_SIZE + 16];
	snprintf(words, sizeof(words), "arrived %s", zone);
	const char *value = facts_find(facts, words, NULL);
	return value ? json_integer((json_int_t)strtoull(value, NULL, 10)) : json_null();
}

static const char *bypass_of(struct control *control, const char *zone)
{
	size_t n;
	const struct bypass_line *lines = bypass_lines(control->bypass, &n);
	for (size_t i = 0; i < n; i++)
		if (!*lines[i].zone || strcmp(lines[i].zone, zone) == 0)
			return "on";
	return "off";
}

static const char *const identities[] = {[POLICY_IDENTITY_MAC] = "mac",
	[POLICY_IDENTITY_ADDRESS] = "address",
	[POLICY_IDENTITY_MAC_ADDRESS] = "mac+address"};

static void show_zone(
	struct command *command, const struct facts *facts, const struct policy_zone *zone)
{
	struct control *control = command->control;
	const struct policy *policy = control->policy;
	struct level_cause cause = level_cause_of_zone(policy, (size_t)(zone - policy->zones));
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:s, s:I, s:o, s:s}",
			"zone", json_row_string(&zone->name), "interfaces",
			present_of(control, zone), "missing", command_zone_missing(control, zone),
			"networks", networks_of(zone), "identity", identities[zone->identity],
			"on_failure", zone->on_failure == POLICY_POSTURE_OPEN ? "open" : "closed",
			"level", json_row_level(&cause), "level_by",
			json_row_level_cause(policy, &cause), "tls",
			policy_tls_names[zone->tls.mode], "certificates",
			json_row_strings(
				zone->tls.certificate_names.v, zone->tls.certificate_names.n),
			"client_certificates", policy_tls_client_names[zone->tls.client],
			"sessions",
			(json_int_t)session_table_count_zone(control->table, zone->name.text),
			"packets", arrived_at(facts, zone->name.text), "bypass",
			bypass_of(control, zone->name.text)));
}

static void on_facts(void *context, const struct facts *facts)
{
	struct command *command = context;
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_ZONE, &i, &end))
		return;
	for (; i < end; i++)
		show_zone(command, facts, &policy->zones[i]);
	command_ok(command);
}

static void run_show(struct command *command)
{
	facts_ask(command->control, on_facts, command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{NULL, NULL},
};

const struct command_noun command_zone = {"zone", verbs};
