/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/doctor.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/request/json_row.h"

struct visiting {
	struct command *command;
	size_t wrong;
};

static void on_finding(void *context, const char *check, enum doctor_state state, const char *found,
	const char *advice)
{
	struct visiting *visiting = context;
	visiting->wrong += state == DOCTOR_ERROR;
	command_row(
		visiting->command, json_pack("{s:s, s:s, s:o, s:o}", "check", check, "state",
					   doctor_state_names[state], "found", json_row_text(found),
					   "advice", json_row_text(advice)));
}

static void on_facts(void *context, const struct facts *facts)
{
	struct visiting visiting = {.command = context};
	const struct control *control = visiting.command->control;
	struct doctor_facts lines = {.n = 0};
	doctor_facts_take(&lines, control, facts);
	doctor_examine(control, &lines, on_finding, &visiting);
	doctor_facts_fini(&lines);
	command_done(context, visiting.wrong ? OUTCOME_TROUBLE : OUTCOME_DONE, "%s", "");
}

static void run_doctor(struct command *command)
{
	facts_ask_all(command->control, on_facts, command);
}

static const struct command_verb verbs[] = {
	{"", run_doctor},
	{NULL, NULL},
};

const struct command_noun command_doctor = {"doctor", verbs};
