/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/message/messages.h"
#include "daemon/control/audit/query.h"
#include "daemon/control/control.h"
#include "daemon/control/request/command_history.h"
#include "daemon/control/request/name_check.h"
#include "lib/language/language.h"
#include "lib/record/flowid.h"
#include "lib/record/login_ending.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_NAMED 100 /* of a flow; `message show flow ID` has all */

struct showing {
	struct history history; /* first; ID: a flow */
	struct audit_filter filter;
	size_t doubted;   /* of `names`: nobody knows it but perhaps a record */
	json_t *messages; /* of the only flow: their names, the newest first */
};

/* What may be mistyped. A former name is known by its records. */
static const char *const names[] = {"user", "zone", "listener", "rule", "server"};
#define NAMES (sizeof(names) / sizeof(*names))

/* A flow that was read has records of its messages. */
static void show_with_messages(struct showing *showing, const char *json)
{
	json_t *row = json_loads(json, 0, NULL), *told = json_array();
	for (size_t i = json_array_size(showing->messages); i-- > 0;)
		json_array_append(told, json_array_get(showing->messages, i));
	json_object_set_new(row, "message_records", told);
	command_row(showing->history.command, row);
}

static void show(struct history *history, const char *json)
{
	struct showing *showing = (struct showing *)history;
	if (json_array_size(showing->messages))
		show_with_messages(showing, json);
	else
		command_json(history->command, json);
}

static void forget(struct command *command)
{
	json_decref(((struct showing *)command->state)->messages);
}

static void absent(struct history *history)
{
	command_done(history->command, OUTCOME_ABSENT,
		"no record of flow %s (posternctl flow show knows live ones)", history->id);
}

static void query(struct showing *showing, const struct audit_filter *filter, audit_row *row,
	audit_done *done)
{
	struct command *command = showing->history.command;
	if (!audit_query(command->control->audit, filter, row, done, showing))
		command_done(command, OUTCOME_REFUSED, "the audit is busy or not there");
}

static void ask(struct history *history, unsigned rows)
{
	struct showing *showing = (struct showing *)history;
	showing->filter.limit = rows;
	showing->filter.before = history->last;
	query(showing, &showing->filter, history_on_row, history_on_done);
}

static void on_message(void *context, const char *json, uint64_t key)
{
	struct showing *showing = context;
	json_t *row = json_loads(json, 0, NULL);
	(void)key;
	json_array_append(showing->messages, json_object_get(row, "message"));
	json_decref(row);
}

static void on_messages(void *context, int status, bool more)
{
	(void)status; /* the flow's own record is worth showing all the same */
	(void)more;
	history_begin(context);
}

static void look_for_messages(struct showing *showing)
{
	struct command *command = showing->history.command;
	const struct message_filter filter = {.flow = showing->filter.id, .limit = MESSAGES_NAMED};
	showing->messages = json_array();
	if (!messages_query(command->control->messages, &filter, on_message, on_messages, showing))
		command_done(command, OUTCOME_REFUSED, "out of memory");
}

static void doubt_from(struct showing *showing, size_t from);

static void on_looked(void *context, int status, bool more)
{
	struct showing *showing = context;
	(void)more;
	if (status)
		history_refuse(&showing->history, status);
	else if (!showing->history.found)
		name_check_refuse(showing->history.command, names[showing->doubted],
			", and no record, either");
	else
		doubt_from(showing, showing->doubted + 1);
}

/* Is each name one at all? */
static void doubt_from(struct showing *showing, size_t from)
{
	struct command *command = showing->history.command;
	struct audit_filter filter;
	char *const room[] = {
		filter.user, filter.zone, filter.listener, filter.rule, filter.server};
	while (from < NAMES && name_check_given(command, names[from]))
		from++;
	if (from == NAMES) {
		history_end(&showing->history, false);
		return;
	}
	showing->doubted = from;
	showing->history.found = false;
	audit_filter_init(&filter);
	strcpy(room[from], command_value(command, names[from])); /* it fitted before */
	filter.limit = 1;
	query(showing, &filter, history_on_named, on_looked);
}

static void doubt(struct history *history)
{
	doubt_from((struct showing *)history, 0);
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
	enum login_ending login;
	const char *word = command_value(command, "end");
	if (word && ending_parse(word, &ending) == 0)
		filter->ending = ending_names[ending];
	else if (word && login_ending_parse(word, &login) == 0)
		filter->ending = login_ending_names[login];
}

static bool take_user(struct command *command, struct audit_filter *filter)
{
	const char *name = filter->user;

	if (!take_text(command, "user", filter->user, sizeof(filter->user)))
		return false;
	filter->sources = policy_user_sources(&name);
	memmove(filter->user, name, strlen(name) + 1);
	return true;
}

static bool fill_filter(struct command *command, struct audit_filter *filter)
{
	const char *address = command_value(command, "address"),
		   *original = command_value(command, "original"),
		   *mac = command_value(command, "mac"),
		   *session = command_value(command, "session"),
		   *port = command_value(command, "gateway-port");
	if (!take_user(command, filter) ||
		!take_text(command, "zone", filter->zone, sizeof(filter->zone)) ||
		!take_text(command, "listener", filter->listener, sizeof(filter->listener)) ||
		!take_text(command, "rule", filter->rule, sizeof(filter->rule)) ||
		!take_text(command, "server", filter->server, sizeof(filter->server)) ||
		!take_text(command, "reply", filter->reply, sizeof(filter->reply)) ||
		!history_times(command, &filter->since_ms, &filter->until_ms))
		return false;
	take_verdict(command, filter);
	take_end(command, filter);
	if (address)
		prefix_parse(address, strlen(address), &filter->client);
	if (original)
		prefix_parse(original, strlen(original), &filter->original);
	if (mac)
		mac_parse(mac, strlen(mac), &filter->mac);
	if (session)
		filter->session = strtoull(session, NULL, 10);
	if (port && strtoull(port, NULL, 10) > UINT16_MAX) {
		command_usage(command, "%s is no port", port);
		return false;
	}
	filter->gateway_port = port ? (uint16_t)strtoul(port, NULL, 10) : 0;
	return true;
}

static void run_show(struct command *command)
{
	static const struct history_kind kind = {
		.what = "audit", .ask = ask, .show = show, .absent = absent, .doubt = doubt};
	struct showing *showing = history_new(command, &kind, sizeof(*showing));
	if (!showing)
		return;
	const char *flow = showing->history.id;
	command->forget = forget;
	audit_filter_init(&showing->filter);
	if (flow)
		flowid_parse(flow, strlen(flow), &showing->filter.id);
	showing->filter.whole = flow || command_given(command, "--whole");
	if (!fill_filter(command, &showing->filter))
		return;
	if (flow)
		look_for_messages(showing);
	else
		history_begin(&showing->history);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_audit = {"audit", verbs};
