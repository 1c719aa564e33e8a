/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/audit/message/messages.h"
#include "daemon/control/control.h"
#include "daemon/control/request/command_history.h"
#include "daemon/control/request/name_check.h"
#include "lib/record/flowid.h"
#include "lib/smtp/path.h"

#include <stdlib.h>
#include <string.h>

struct showing {
	struct history history; /* first */
	struct message_filter filter;
};

static void show(struct history *history, const char *json)
{
	command_json(history->command, json);
}

static void absent(struct history *history)
{
	command_done(history->command, OUTCOME_ABSENT,
		"no record of message %s (posternctl audit show knows flows)", history->id);
}

static void query(struct history *history, const struct message_filter *filter, audit_row *row,
	audit_done *done)
{
	struct command *command = history->command;
	if (!messages_query(command->control->messages, filter, row, done, history))
		command_done(command, OUTCOME_REFUSED, "out of memory");
}

static void ask(struct history *history, unsigned rows)
{
	struct message_filter *filter = &((struct showing *)history)->filter;
	filter->limit = rows;
	filter->before = history->last;
	query(history, filter, history_on_row, history_on_done);
}

static void on_looked(void *context, int status, bool more)
{
	struct history *history = context;
	(void)more;
	if (status)
		history_refuse(history, status);
	else if (!history->found)
		name_check_refuse(history->command, "user", ", and no message, either");
	else
		history_end(history, false);
}

/* Is the user one at all? */
static void doubt(struct history *history)
{
	const struct message_filter filter = {
		.user = ((struct showing *)history)->filter.user, .limit = 1};
	if (name_check_given(history->command, "user"))
		history_end(history, false);
	else
		query(history, &filter, history_on_named, on_looked);
}

/* Addresses and Message-IDs may stand in their brackets; what is longer than any is none. */
static bool take_word(struct command *command, const char *what, bool brackets, const char *word,
	struct message_wanted *wanted)
{
	size_t len = strlen(word);
	if (brackets && len >= 2 && word[0] == '<' && word[len - 1] == '>') {
		word++;
		len -= 2;
	}
	if (message_wanted_set(wanted, word, len))
		return true;
	command_usage(command, "the %s is too long", what);
	return false;
}

static bool take_text(
	struct command *command, const char *what, bool brackets, struct message_wanted *wanted)
{
	const char *word = command_value(command, what);
	return !word || take_word(command, what, brackets, word, wanted);
}

static bool take_user(struct command *command, struct message_filter *filter)
{
	const char *word = command_value(command, "user");

	if (!word)
		return true;
	filter->sources = policy_user_sources(&word);
	if (filter->sources == POLICY_SOURCES_ALL)
		filter->sources = 0;
	return take_word(command, "user", false, word, &filter->user);
}

/* As the records have it, however it is written here: the domain in A-labels, no quotes that it can
 * do without. What was no address stands there as it was said. */
static bool take_address(
	struct command *command, const char *what, unsigned way, struct message_wanted *wanted)
{
	const char *word = command_value(command, what);
	char text[SMTP_PATH_TEXT_MAX + 1];
	struct smtp_path path;
	size_t used;
	if (!word)
		return true;
	if (*word == '@') {
		command_usage(command,
			"the %s is looked for as a whole, \"anna@hotel.example\": not by its "
			"domain",
			what);
		return false;
	}
	if (smtp_path_parse(&path, way | SMTP_PATH_BARE, word, strlen(word), &used) !=
			SMTP_PATH_GOOD ||
		word[used])
		return take_word(command, what, true, word, wanted);
	text[smtp_path_format(&path, text)] = '\0';
	return take_word(command, what, true, text, wanted);
}

/* By the id of a message, or of all of a flow. */
static bool take_ids(struct command *command, struct message_filter *filter)
{
	const char *id = command_value(command, "ID"), *flow = command_value(command, "flow");
	uint64_t of_flow = 0;
	if (id)
		message_name_parse(id, strlen(id), &filter->flow, &filter->number);
	if (flow)
		flowid_parse(flow, strlen(flow), &of_flow);
	if (id && flow && of_flow != filter->flow) {
		command_usage(command, "%s is no message of flow %s", id, flow);
		return false;
	}
	if (flow)
		filter->flow = of_flow;
	return true;
}

static void take_end(struct command *command, struct message_filter *filter)
{
	enum message_ending ending;
	const char *word = command_value(command, "end");
	if (word && message_ending_parse(word, &ending) == 0)
		filter->ending = (uint16_t)(1 + ending);
}

static void run_show(struct command *command)
{
	static const struct history_kind kind = {
		.what = "messages", .ask = ask, .show = show, .absent = absent, .doubt = doubt};
	struct showing *showing = history_new(command, &kind, sizeof(*showing));
	if (!showing)
		return;
	struct message_filter *filter = &showing->filter;
	filter->whole = showing->history.id || command_given(command, "--whole");
	take_end(command, filter);
	if (take_ids(command, filter) && take_address(command, "sender", 0, &filter->sender) &&
		take_address(command, "recipient", SMTP_PATH_RECIPIENT, &filter->recipient) &&
		take_user(command, filter) &&
		take_text(command, "queue", false, &filter->queue_id) &&
		take_text(command, "message-id", true, &filter->message_id) &&
		history_times(command, &filter->since_ms, &filter->until_ms))
		history_begin(&showing->history);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_message = {"message", verbs};
