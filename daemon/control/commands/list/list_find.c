/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list that a command names. */
#include "daemon/control/commands/parts.h"
#include "daemon/control/control.h"
#include "daemon/control/request/command.h"

const struct policy_list *list_find(struct command *command)
{
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = policy_find_list(command->control->policy, name);
	if (index < 0) {
		command_no_such(command, POLICY_KIND_LIST, name);
		return NULL;
	}
	return &command->control->policy->lists[index];
}

const struct policy_list *list_find_dynamic(struct command *command)
{
	const struct policy_list *list = list_find(command);
	if (!list || list->kind == POLICY_LIST_DYNAMIC)
		return list;
	command_done(command, OUTCOME_REFUSED,
		"list %s is %s, so it changes with %s; only a dynamic list changes by command",
		list->name.text,
		list->kind == POLICY_LIST_FILE ? "read from a file" : "written in the policy",
		list->kind == POLICY_LIST_FILE ? "the file and list reload" : "the policy");
	return NULL;
}
