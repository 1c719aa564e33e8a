/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What judges messages, as the policy has it and as it fares. */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/request/json_row.h"

/* The rules whose messages it judges. */
static json_t *used_by(const struct policy *policy, size_t scan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled && policy_rule_scans(&policy->rules[i]) & 1u << scan)
			json_array_append_new(array, json_row_string(&policy->rules[i].name));
	return array;
}

static json_t *time_of(uint64_t wall_ms)
{
	return wall_ms ? json_row_time(wall_ms) : json_null();
}

/* What it was told in all smtp processes, put behind what the policy says. */
static void add_state(json_t *row, const struct ipc_scan_state *sum, bool used)
{
	json_t *told = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
				 "s:I, s:I, s:I, s:o, s:I, s:I, s:I}",
		"state", scan_states_word(sum, used), "since_at", time_of(sum->since_ms), "why",
		sum->text[0] ? json_row_text(sum->text) : json_null(), "fault_at",
		time_of(sum->fault_ms), "circuits_open", (json_int_t)sum->open, "asked",
		(json_int_t)sum->asked, "passed", (json_int_t)sum->passed, "refused",
		(json_int_t)sum->refused, "failed", (json_int_t)sum->failed, "shed",
		(json_int_t)sum->shed, "crowded", (json_int_t)sum->crowded, "slow",
		(json_int_t)sum->slow, "headers_changed", (json_int_t)sum->changes,
		"changes_dropped", (json_int_t)sum->dropped, "unscanned",
		(json_int_t)sum->unscanned, "last_unscanned_at", time_of(sum->unscanned_ms),
		"under_way", (json_int_t)sum->under_way, "places", (json_int_t)sum->places,
		"waiting", (json_int_t)sum->waiting);

	json_object_update(row, told);
	json_decref(told);
}

static void show_scan(struct command *command, size_t index)
{
	const struct policy *policy = command->control->policy;
	const struct policy_scan *scan = &policy->scans[index];
	bool milter = scan->kind == POLICY_SCAN_MILTER;

	json_t *row = json_pack("{s:o, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:o}", "scan",
		json_row_string(&scan->name), "kind", policy_scan_kind_names[scan->kind], "where",
		json_row_string(&scan->address), "mode", policy_scan_mode_names[scan->mode],
		"on_failure", policy_scan_failure_names[scan->on_failure], "deadline_ms",
		(json_int_t)scan->deadline_ms, "quarantine",
		milter ? json_string(policy_scan_failure_names[scan->quarantine]) : json_null(),
		"used_by", used_by(policy, index), "comment", json_row_string(&scan->comment));
	struct ipc_scan_state sum;

	scan_states_sum(command->control->scans, scan, &sum);
	add_state(row, &sum, scan_states_used(policy) & 1u << index);
	command_row(command, row);
}

static void run_show(struct command *command)
{
	size_t i, end;

	if (!command_named(command, POLICY_KIND_SCAN, &i, &end))
		return;
	for (; i < end; i++)
		show_scan(command, i);
	command_ok(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{"test", scan_test},
	{NULL, NULL},
};

const struct command_noun command_scan = {"scan", verbs};
