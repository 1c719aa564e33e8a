/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/policy/edit/edit_make.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/session/live_flows.h"

#include <stdlib.h>
#include <string.h>

static json_t *one_line(char *text)
{
	json_t *string = text ? json_row_text(edit_one_line(text)) : json_null();
	free(text);
	return string;
}

static void show_rule(struct command *command, size_t index)
{
	const struct control *control = command->control;
	const struct policy_rule *rule = &control->policy->rules[index];
	struct live_rule live = live_flows_rule_of(control->live_flows, rule->name.text);
	struct level_cause cause = level_cause_of_rule(control->policy, index);
	command_row(command,
		json_pack("{s:i, s:o, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "position",
			(int)index + 1, "rule", json_row_string(&rule->name), "state",
			rule->disabled ? "disabled" : "enabled", "hits", (json_int_t)live.hits,
			"flows", (json_int_t)live.flows, "last_hit_at", json_row_time(live.last_ms),
			"level", json_row_level(&cause), "level_by",
			json_row_level_cause(control->policy, &cause), "statement",
			one_line(language_print_rule(
				control->policy, index, LANGUAGE_PRINT_CANONICAL))));
}

struct showing {
	size_t at;
	struct policy *policy; /* that the answer began with */
};

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	policy_unref(showing->policy);
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN; i++) {
		/* an apply in between ends the answer: positions would be of two policies */
		if (showing->policy != command->control->policy ||
			showing->at == showing->policy->nrules) {
			command_ok(command);
			return;
		}
		show_rule(command, showing->at++);
	}
	control_socket_continue(command->client);
}

static void run_show(struct command *command)
{
	const char *name = command_value(command, "NAME");
	struct control *control = command->control;
	if (name) {
		ptrdiff_t index = policy_find_rule(control->policy, name);
		if (index < 0) {
			command_no_such(command, POLICY_KIND_RULE, name);
			return;
		}
		show_rule(command, (size_t)index);
		command_ok(command);
		return;
	}
	struct showing *showing = command_new_state(command, sizeof(*showing));
	if (!showing)
		return;
	showing->policy = policy_ref(control->policy);
	command->forget = forget_showing;
	command_stream(command, show_more);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{"move", command_edit},
	{"enable", command_edit},
	{"disable", command_edit},
	{NULL, NULL},
};

const struct command_noun command_rule = {"rule", verbs};
