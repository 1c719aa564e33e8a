/* What judges messages, as the policy has it. */
#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/control/row.h"

/* The rules whose messages it judges. */
static json_t *used_by(const struct policy *policy, size_t scan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled && policy_rule_scans(&policy->rules[i]) & 1u << scan)
			json_array_append_new(array, row_string(&policy->rules[i].name));
	return array;
}

static void show_scan(struct command *command, size_t index)
{
	const struct policy *policy = command->control->policy;
	const struct policy_scan *scan = &policy->scans[index];
	bool milter = scan->kind == POLICY_SCAN_MILTER;

	command_row(command,
		json_pack("{s:o, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:o}", "scan",
			row_string(&scan->name), "kind", policy_scan_kind_names[scan->kind],
			"where", row_string(&scan->address), "mode",
			policy_scan_mode_names[scan->mode], "on_failure",
			policy_scan_failure_names[scan->on_failure], "deadline_ms",
			(json_int_t)scan->deadline_ms, "quarantine",
			milter ? json_string(policy_scan_failure_names[scan->quarantine])
			       : json_null(),
			"used_by", used_by(policy, index), "comment", row_string(&scan->comment)));
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
	{NULL, NULL},
};

const struct command_noun command_scan = {"scan", verbs};
