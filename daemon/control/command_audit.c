#include "daemon/control/command.h"

#include "daemon/control/audit.h"
#include "daemon/control/audit/messages.h"
#include "daemon/control/audit_query.h"
#include "daemon/control/command_history.h"
#include "daemon/control/control.h"
#include "daemon/control/known.h"
#include "lib/flowid.h"
#include "lib/language.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_NAMED 100 /* of a flow; `message show flow ID` has all */
#define PAGE_ROWS      500 /* asked for at a time: they wait in memory for who reads them */

struct showing {
	struct command *command;
	struct audit_filter filter;
	const char *flow; /* the only one wanted; NULL: those that match */
	uint64_t left;    /* rows; UINT64_MAX: all */
	uint64_t shown, last;
	size_t doubted;   /* of `names`: nobody knows it but perhaps a record */
	bool found;       /* such a record */
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
	command_row(showing->command, row);
}

static void on_row(void *context, const char *json, uint64_t key)
{
	struct showing *showing = context;
	showing->shown++;
	showing->last = key;
	if (json_array_size(showing->messages))
		show_with_messages(showing, json);
	else
		command_json(showing->command, json);
}

static void forget(struct command *command)
{
	json_decref(((struct showing *)command->state)->messages);
}

static void doubt(struct showing *showing, size_t from);

static void end(struct showing *showing, bool more)
{
	struct command *command = showing->command;
	if (showing->flow && !showing->shown)
		command_done(command, OUTCOME_ABSENT,
			"no record of flow %s (posternctl flow show knows live ones)",
			showing->flow);
	else if (more)
		history_more(command, showing->shown);
	else
		command_ok(command);
}

static void next_page(struct command *command);

static void on_done(void *context, int status, bool more)
{
	struct showing *showing = context;
	if (status)
		command_done(showing->command, OUTCOME_REFUSED, "the audit cannot be read: %s",
			strerror(-status));
	else if (!more || showing->shown >= showing->left)
		showing->shown || showing->flow ? end(showing, more) : doubt(showing, 0);
	else
		command_stream(showing->command, next_page);
}

/* More only when the rows before are read: an answer of any length waits in little memory. */
static void next_page(struct command *command)
{
	struct showing *showing = command->state;
	uint64_t left = showing->left - showing->shown;
	command->more = NULL;
	showing->filter.limit = left < PAGE_ROWS ? (unsigned)left : PAGE_ROWS;
	showing->filter.before = showing->last;
	if (!audit_query(command->control->audit, &showing->filter, on_row, on_done, showing))
		command_done(command, OUTCOME_REFUSED, "the audit is busy or not there");
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
	struct showing *showing = context;
	(void)status; /* the flow's own record is worth showing all the same */
	(void)more;
	next_page(showing->command);
}

static void look_for_messages(struct showing *showing)
{
	struct command *command = showing->command;
	const struct message_filter filter = {.flow = showing->filter.id, .limit = MESSAGES_NAMED};
	showing->messages = json_array();
	if (!messages_query(command->control->messages, &filter, on_message, on_messages, showing))
		command_done(command, OUTCOME_REFUSED, "out of memory");
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
		command_done(showing->command, OUTCOME_REFUSED, "the audit cannot be read: %s",
			strerror(-status));
	else if (!showing->found)
		known_refuse(showing->command, names[showing->doubted], ", and no record, either");
	else
		doubt(showing, showing->doubted + 1);
}

/* Nothing matched. Is each name one at all? */
static void doubt(struct showing *showing, size_t from)
{
	struct command *command = showing->command;
	struct audit_filter filter;
	char *const room[] = {
		filter.user, filter.zone, filter.listener, filter.rule, filter.server};
	while (from < NAMES && known_given(command, names[from]))
		from++;
	if (from == NAMES) {
		end(showing, false);
		return;
	}
	showing->doubted = from;
	showing->found = false;
	audit_filter_init(&filter);
	strcpy(room[from], command_value(command, names[from])); /* it fitted before */
	filter.limit = 1;
	if (!audit_query(command->control->audit, &filter, on_named, on_looked, showing))
		command_done(command, OUTCOME_REFUSED, "the audit is busy or not there");
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
	const char *word = command_value(command, "end");
	if (word && ending_parse(word, &ending) == 0)
		filter->ending = ending;
}

static bool fill_filter(struct command *command, struct audit_filter *filter)
{
	const char *address = command_value(command, "address"),
		   *original = command_value(command, "original"),
		   *mac = command_value(command, "mac"),
		   *session = command_value(command, "session"),
		   *port = command_value(command, "gateway-port");
	if (!take_text(command, "user", filter->user, sizeof(filter->user)) ||
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
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	command->forget = forget;
	showing->command = command;
	showing->flow = command_value(command, "ID");
	audit_filter_init(&showing->filter);
	if (showing->flow)
		flowid_parse(showing->flow, strlen(showing->flow), &showing->filter.id);
	showing->filter.whole = showing->flow || command_given(command, "--whole");
	showing->left = history_limit(command);
	if (!fill_filter(command, &showing->filter))
		return;
	if (showing->flow)
		look_for_messages(showing);
	else
		next_page(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_audit = {"audit", verbs};
