/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/request/monitor.h"

static void run_monitor(struct command *command)
{
	static const struct {
		const char *word;
		enum monitor_topic topic;
	} words[] = {{"flow", MONITOR_FLOW}, {"session", MONITOR_SESSION},
		{"server", MONITOR_SERVER}, {"policy", MONITOR_POLICY},
		{"refusal", MONITOR_REFUSAL}, {"message", MONITOR_MESSAGE}};
	unsigned topics = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (command_given(command, words[i].word))
			topics |= words[i].topic;
	command_watch(command, topics ? topics : MONITOR_ALL);
}

static const struct command_verb verbs[] = {
	{"", run_monitor},
	{NULL, NULL},
};

const struct command_noun command_monitor = {"monitor", verbs};
