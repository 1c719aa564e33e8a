#include "daemon/control/command.h"

#include "daemon/control/audit.h"
#include "daemon/control/control.h"
#include "daemon/control/when.h"
#include "lib/flowid.h"
#include "lib/language.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 100000

struct showing {
	struct command *command;
	const char *flow; /* the only one wanted; NULL: those that match */
	bool found;
};

static void on_row(void *context, const char *json, uint64_t key)
{
	struct showing *showing = context;
	(void)key;
	showing->found = true;
	command_json(showing->command, json);
}

static void on_done(void *context, int status, bool more)
{
	const struct showing *showing = context;
	struct command *command = showing->command;
	(void)more;
	if (status)
		command_done(command, OUTCOME_REFUSED, "the audit cannot be read: %s",
			strerror(-status));
	else if (showing->flow && !showing->found)
		command_done(command, OUTCOME_ABSENT,
			"no record of flow %s (posternctl flow show knows live ones)",
			showing->flow);
	else
		command_ok(command);
}

/* What is longer than any name matches nothing: so it is no name. */
static bool take_text(struct command *command, const char *what, char *to, size_t room)
{
	const char *word = command_value(command, what);
	if (word && strlen(word) >= room) {
		command_usage(command, "the %s is too long", what);
		return false;
	}
	if (word)
		strcpy(to, word);
	return true;
}

static bool take_time(struct command *command, const char *what, uint64_t *at_ms)
{
	const char *word = command_value(command, what);
	if (!word || when_parse_past(word, loop_wall_ms(command->control->loop), at_ms) == 0)
		return true;
	command_usage(command, "\"%s\" is no time: 1h, 08:00 or 2030-01-31 08:00", word);
	return false;
}

static void take_verdict(struct command *command, struct audit_filter *filter)
{
	const char *word = command_value(command, "verdict");
	for (int i = 0; word && i < POLICY_VERDICTS; i++)
		if (strcmp(word, policy_verdict_names[i]) == 0)
			filter->verdict = i;
}

static void take_end(struct command *command, struct audit_filter *filter)
{
	enum ending ending;
	const char *word = command_value(command, "end");
	if (word && ending_parse(word, &ending) == 0)
		filter->ending = ending;
}

static bool fill_filter(struct command *command, struct audit_filter *filter)
{
	const char *address = command_value(command, "address"),
		   *mac = command_value(command, "mac");
	const char *session = command_value(command, "session");
	const char *limit = command_value(command, "limit");
	if (!take_text(command, "user", filter->user, sizeof(filter->user)) ||
		!take_text(command, "zone", filter->zone, sizeof(filter->zone)) ||
		!take_text(command, "rule", filter->rule, sizeof(filter->rule)) ||
		!take_text(command, "server", filter->server, sizeof(filter->server)) ||
		!take_time(command, "since", &filter->since_ms) ||
		!take_time(command, "until", &filter->until_ms))
		return false;
	take_verdict(command, filter);
	take_end(command, filter);
	if (address)
		prefix_parse(address, strlen(address), &filter->client);
	if (mac)
		mac_parse(mac, strlen(mac), &filter->mac);
	if (session)
		filter->session = strtoull(session, NULL, 10);
	if (!limit)
		return true;
	uint64_t rows = strtoull(limit, NULL, 10);
	if (rows > LIMIT_MAX) {
		command_usage(command, "at most %d rows are shown at once", LIMIT_MAX);
		return false;
	}
	filter->limit = (unsigned)rows;
	return true;
}

static void run_show(struct command *command)
{
	struct audit_filter filter;
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	showing->command = command;
	showing->flow = command_value(command, "ID");
	audit_filter_init(&filter);
	if (showing->flow) {
		flowid_parse(showing->flow, strlen(showing->flow), &filter.id);
		filter.whole = true;
	}
	if (!fill_filter(command, &filter))
		return;
	if (!audit_query(command->control->audit, &filter, on_row, on_done, showing))
		command_done(command, OUTCOME_REFUSED, "the audit is busy or not there");
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_audit = {"audit", verbs};
