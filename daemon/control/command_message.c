#include "daemon/control/command.h"

#include "daemon/control/audit/messages.h"
#include "daemon/control/command_history.h"
#include "daemon/control/control.h"
#include "daemon/control/known.h"
#include "lib/flowid.h"
#include "lib/smtp/path.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 500 /* asked for at a time: they wait in memory for who reads them */

struct showing {
	struct command *command;
	struct message_filter filter;
	const char *id; /* the only one wanted; NULL: those that match */
	uint64_t left;  /* rows; UINT64_MAX: all */
	uint64_t shown, last;
	bool found; /* a message of a user whom nobody else knows */
};

static void on_row(void *context, const char *json, uint64_t key)
{
	struct showing *showing = context;
	showing->shown++;
	showing->last = key;
	command_json(showing->command, json);
}

static void refuse(struct showing *showing, int status)
{
	command_done(showing->command, OUTCOME_REFUSED, "the messages cannot be read: %s",
		strerror(-status));
}

static void end(struct showing *showing, bool more)
{
	struct command *command = showing->command;
	if (showing->id && !showing->shown)
		command_done(command, OUTCOME_ABSENT,
			"no record of message %s (posternctl audit show knows flows)", showing->id);
	else if (more)
		history_more(command, showing->shown);
	else
		command_ok(command);
}

static void on_named(void *context, const char *json, uint64_t key)
{
	(void)json;
	(void)key;
	((struct showing *)context)->found = true;
}

static void on_looked(void *context, int status, bool more)
{
	struct showing *showing = context;
	(void)more;
	if (status)
		refuse(showing, status);
	else if (!showing->found)
		known_refuse(showing->command, "user", ", and no message, either");
	else
		end(showing, false);
}

static void ask(struct showing *showing, const struct message_filter *filter, audit_row *row,
	audit_done *done)
{
	struct command *command = showing->command;
	if (!messages_query(command->control->messages, filter, row, done, showing))
		command_done(command, OUTCOME_REFUSED, "out of memory");
}

/* Nothing matched. Is the user one at all? */
static void doubt(struct showing *showing)
{
	struct message_filter filter = {.user = showing->filter.user, .limit = 1};
	if (known_given(showing->command, "user"))
		end(showing, false);
	else
		ask(showing, &filter, on_named, on_looked);
}

static void next_page(struct command *command);

static void on_done(void *context, int status, bool more)
{
	struct showing *showing = context;
	if (status)
		refuse(showing, status);
	else if (more && showing->shown < showing->left)
		command_stream(showing->command, next_page);
	else if (showing->shown || showing->id)
		end(showing, more);
	else
		doubt(showing);
}

/* More only when the rows before are read: an answer of any length waits in little memory. */
static void next_page(struct command *command)
{
	struct showing *showing = command->state;
	uint64_t left = showing->left - showing->shown;
	command->more = NULL;
	showing->filter.limit = left < PAGE_ROWS ? (unsigned)left : PAGE_ROWS;
	showing->filter.before = showing->last;
	ask(showing, &showing->filter, on_row, on_done);
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
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	struct message_filter *filter = &showing->filter;
	showing->command = command;
	showing->id = command_value(command, "ID");
	filter->whole = showing->id || command_given(command, "--whole");
	showing->left = history_limit(command);
	take_end(command, filter);
	if (take_ids(command, filter) && take_address(command, "sender", 0, &filter->sender) &&
		take_address(command, "recipient", SMTP_PATH_RECIPIENT, &filter->recipient) &&
		take_text(command, "user", false, &filter->user) &&
		take_text(command, "queue", false, &filter->queue_id) &&
		take_text(command, "message-id", true, &filter->message_id) &&
		history_times(command, &filter->since_ms, &filter->until_ms))
		next_page(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_message = {"message", verbs};
