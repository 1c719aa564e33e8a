#include "daemon/control/command.h"

#include "daemon/control/monitor.h"

#include <string.h>

static void run_monitor(struct command *command)
{
	static const struct {
		const char *word;
		enum monitor_topic topic;
	} words[] = {{"flow", MONITOR_FLOW}, {"session", MONITOR_SESSION},
		{"server", MONITOR_SERVER}, {"policy", MONITOR_POLICY},
		{"refusal", MONITOR_REFUSAL}};
	const char *word;
	unsigned topics = 0;
	while ((word = command_word(command))) {
		unsigned topic = 0;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (strcmp(words[i].word, word) == 0)
				topic = words[i].topic;
		if (!topic) {
			command_usage(command, "\"%s\" is nothing to be monitored", word);
			return;
		}
		topics |= topic;
	}
	command_watch(command, topics ? topics : MONITOR_ALL);
}

static const struct command_verb verbs[] = {
	{"", "[flow|session|server|policy|refusal]", false, run_monitor},
	{NULL, NULL, false, NULL},
};

const struct command_noun command_monitor = {"monitor", verbs};
