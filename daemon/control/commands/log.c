/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/log_level.h"

#include <string.h>

static const char *const levels[] = {[POLICY_LOG_ERROR] = "error",
	[POLICY_LOG_WARNING] = "warning",
	[POLICY_LOG_INFO] = "info",
	[POLICY_LOG_DEBUG] = "debug"};

static void run_show(struct command *command)
{
	command_row(command, json_pack("{s:s, s:s}", "level", levels[command->control->log_level],
				     "policy", levels[command->control->policy->log_level]));
	command_ok(command);
}

static void run_level(struct command *command)
{
	const char *word = command_value(command, "error|warning|info|debug");
	size_t i = 0;
	while (strcmp(levels[i], word) != 0)
		i++;
	if (command->control->log_level == (enum policy_log_level)i)
		command_unchanged(command);
	command_log(command);
	log_level_set(command->control, (enum policy_log_level)i);
	command_ok(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"level", run_level},
	{NULL, NULL},
};

const struct command_noun command_log_noun = {"log", verbs};
