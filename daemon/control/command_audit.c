#include "daemon/control/command.h"

#include "daemon/control/audit.h"
#include "daemon/control/control.h"
#include "daemon/control/when.h"
#include "lib/flowid.h"
#include "lib/language.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 100000

/* The words of a filter, as typed. */
struct words {
	const char *user, *zone, *rule, *server, *verdict, *end, *address, *mac, *since, *until,
		*limit, *session;
};

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
		command_done(command, COMMAND_REFUSED, "the audit cannot be read: %s",
			strerror(-status));
	else if (showing->flow && !showing->found)
		command_done(command, COMMAND_REFUSED,
			"no record of flow %s (posternctl flow show knows live ones)",
			showing->flow);
	else
		command_ok(command);
}

static bool take_text(
	struct command *command, const char *what, const char *word, char *to, size_t room)
{
	if (!word)
		return true;
	if (strlen(word) < room) {
		strcpy(to, word);
		return true;
	}
	command_usage(command, "the %s is too long", what);
	return false;
}

static bool take_verdict(struct command *command, const char *word, struct audit_filter *filter)
{
	for (int i = 0; i < POLICY_VERDICTS; i++)
		if (strcmp(word, policy_verdict_names[i]) == 0)
			filter->verdict = i;
	if (filter->verdict >= 0)
		return true;
	command_usage(command,
		"\"%s\" is no verdict: redirect, answer, pass, reject or drop is expected", word);
	return false;
}

static bool take_end(struct command *command, const char *word, struct audit_filter *filter)
{
	enum ending ending;
	if (ending_parse(word, &ending) == 0) {
		filter->ending = ending;
		return true;
	}
	const char *near = language_near(word, ending_names, ENDINGS);
	command_usage(command, "no flow ends by \"%s\"%s%s%s", word,
		near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

static bool take_number(
	struct command *command, const char *what, const char *word, uint64_t max, uint64_t *number)
{
	char *rest;
	*number = strtoull(word, &rest, 10);
	if (*word >= '0' && *word <= '9' && !*rest && *number && *number <= max)
		return true;
	command_usage(command, "\"%s\" is no %s", word, what);
	return false;
}

static bool fill_filter(
	struct command *command, const struct words *words, struct audit_filter *filter)
{
	uint64_t now_ms = loop_wall_ms(command->control->loop), number;
	if (!take_text(command, "user", words->user, filter->user, sizeof(filter->user)) ||
		!take_text(command, "zone", words->zone, filter->zone, sizeof(filter->zone)) ||
		!take_text(command, "rule", words->rule, filter->rule, sizeof(filter->rule)) ||
		!take_text(
			command, "server", words->server, filter->server, sizeof(filter->server)))
		return false;
	if (words->verdict && !take_verdict(command, words->verdict, filter))
		return false;
	if (words->end && !take_end(command, words->end, filter))
		return false;
	if (words->address &&
		prefix_parse(words->address, strlen(words->address), &filter->client) < 0) {
		command_usage(command, "\"%s\" is no address or network", words->address);
		return false;
	}
	if (words->mac && mac_parse(words->mac, strlen(words->mac), &filter->mac) < 0) {
		command_usage(command, "\"%s\" is no MAC", words->mac);
		return false;
	}
	if (words->since && when_parse_past(words->since, now_ms, &filter->since_ms) < 0) {
		command_usage(
			command, "\"%s\" is no time: 1h, 08:00 or 2030-01-31 08:00", words->since);
		return false;
	}
	if (words->until && when_parse_past(words->until, now_ms, &filter->until_ms) < 0) {
		command_usage(
			command, "\"%s\" is no time: 1h, 08:00 or 2030-01-31 08:00", words->until);
		return false;
	}
	if (words->session &&
		!take_number(command, "session", words->session, UINT64_MAX / 2, &filter->session))
		return false;
	if (words->limit) {
		if (!take_number(command, "number of rows", words->limit, LIMIT_MAX, &number))
			return false;
		filter->limit = (unsigned)number;
	}
	return true;
}

static void run_show(struct command *command)
{
	struct words words = {0};
	struct audit_filter filter;
	const struct command_option options[] = {{"user", &words.user}, {"zone", &words.zone},
		{"rule", &words.rule}, {"server", &words.server}, {"verdict", &words.verdict},
		{"end", &words.end}, {"address", &words.address}, {"mac", &words.mac},
		{"since", &words.since}, {"until", &words.until}, {"limit", &words.limit},
		{"session", &words.session}};
	const char *word = command_peek(command);
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, COMMAND_REFUSED, "out of memory");
		return;
	}
	showing->command = command;
	audit_filter_init(&filter);
	if (word && strncmp(word, "f-", 2) == 0) {
		if (flowid_parse(word, strlen(word), &filter.id) < 0 || !filter.id) {
			command_usage(command, "\"%s\" is no flow's id", word);
			return;
		}
		filter.whole = true;
		showing->flow = command_word(command);
	}
	if (!command_options(command, options, sizeof(options) / sizeof(*options)) ||
		!fill_filter(command, &words, &filter))
		return;
	if (!audit_query(command->control->audit, &filter, on_row, on_done, showing))
		command_done(command, COMMAND_REFUSED, "the audit is busy or not there");
}

static const struct command_verb verbs[] = {
	{"show",
		"[ID] [user U] [zone Z] [rule R] [server S] [verdict V] [end E] [address A] "
		"[mac M] [session N] [since 1h] [until T] [limit N]",
		false, run_show},
	{NULL, NULL, false, NULL},
};

const struct command_noun command_audit = {"audit", verbs};
