#include "daemon/control/command_history.h"

#include "daemon/control/control.h"
#include "daemon/control/when.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool take_time(struct command *command, const char *what, uint64_t *at_ms)
{
	const char *word = command_value(command, what);
	if (!word || when_parse_past(word, loop_wall_ms(command->control->loop), at_ms) == 0)
		return true;
	command_usage(command, "\"%s\" is no time: " WHEN_PAST, word);
	return false;
}

bool history_times(struct command *command, uint64_t *since_ms, uint64_t *until_ms)
{
	if (!take_time(command, "since", since_ms) || !take_time(command, "until", until_ms))
		return false;
	if (!*until_ms || *since_ms < *until_ms)
		return true;
	command_usage(command, "until %s is not after since %s: nothing lies between",
		command_value(command, "until"), command_value(command, "since"));
	return false;
}

uint64_t history_limit(const struct command *command)
{
	const char *word = command_value(command, "limit");
	if (!word)
		return HISTORY_ROWS;
	return strcmp(word, "all") == 0 ? UINT64_MAX : strtoull(word, NULL, 10);
}

void history_more(struct command *command, uint64_t shown)
{
	command_done(command, OUTCOME_DONE,
		"the newest %" PRIu64 " are shown, and there are more: limit %" PRIu64
		", or limit all",
		shown, 10 * shown);
}
