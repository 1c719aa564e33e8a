/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer of a command: rows and text as they come, and the end. */
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/request/json_row.h"
#include "lib/command/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

void command_row(struct command *command, json_t *row)
{
	if (command->client && row) {
		char *text = json_dumps(row, JSON_COMPACT);
		if (text)
			control_socket_send(command->client, REQUEST_ROW, text, strlen(text));
		free(text);
	}
	json_decref(row);
}

void command_json(struct command *command, const char *json)
{
	if (command->client && json)
		control_socket_send(command->client, REQUEST_ROW, json, strlen(json));
}

void command_text(struct command *command, const char *text, size_t len)
{
	while (len && command->client) {
		size_t n = len < REQUEST_FRAME_MAX / 2 ? len : REQUEST_FRAME_MAX / 2;
		control_socket_send(command->client, REQUEST_TEXT, text, n);
		text += n;
		len -= n;
	}
}

static void append(json_t **array, const char *text)
{
	if (!*array)
		*array = json_array();
	json_array_append_new(*array, json_row_text(text));
}

void command_removed(struct command *command, const char *text)
{
	append(&command->removed, text);
}

void command_warning(struct command *command, const char *text)
{
	append(&command->warnings, text);
}

static bool begins_warning(const char *line)
{
	const char *at = strstr(line, ": warning: ");
	return at && at < line + strcspn(line, "\n");
}

void command_warnings(struct command *command, const char *text)
{
	while (*text) {
		bool warning = begins_warning(text);
		size_t len = 0;
		do
			len += strcspn(text + len, "\n") +
			       (text[len + strcspn(text + len, "\n")] != 0);
		while (text[len] && !begins_warning(text + len));
		char *one = strndup(text, warning && text[len - 1] == '\n' ? len - 1 : len);
		if (one && warning)
			command_warning(command, one);
		else if (one)
			command_text(command, one, len);
		free(one);
		text += len;
	}
}

void command_unchanged(struct command *command)
{
	command->unchanged = true;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_row_text(text) : json_null();
}

void command_place(struct command *command, const char *file, unsigned line, unsigned column,
	const char *expected, const char *near)
{
	json_decref(command->place);
	command->place = json_pack("{s:o, s:o, s:o, s:o, s:o}", "file", text_or_null(file), "line",
		line ? json_integer(line) : json_null(), "column",
		column ? json_integer(column) : json_null(), "expected", text_or_null(expected),
		"near", text_or_null(near));
}

static void free_command(struct command *command)
{
	if (command->forget)
		command->forget(command);
	json_decref(command->removed);
	json_decref(command->warnings);
	json_decref(command->place);
	if (command->given.verb)
		verb_words_fini(&command->given);
	free(command->words);
	intake_drop(&command->intake);
	free(command->state);
	free(command);
}

static json_t *array_or_empty(json_t *array)
{
	return array ? json_incref(array) : json_array();
}

/* What JSON says of the end: always the same members, so that nobody has to ask which there are. */
static char *outcome_json(struct command *command, enum outcome outcome, const char *text)
{
	bool changes = command->verb && (command->verb->traits & VERB_CHANGES);
	bool changed = changes && outcome == OUTCOME_DONE && !command->unchanged;
	if (!command->place)
		command_place(command, NULL, 0, 0, NULL, NULL);
	json_t *object = json_pack("{s:i, s:s, s:o}", "status", outcome_status(outcome), "code",
		outcome_word(outcome), "message", json_row_text(text));
	json_object_update(object, command->place);
	json_object_set_new(object, "changed", json_boolean(changed));
	json_object_set_new(object, "removed", array_or_empty(command->removed));
	json_object_set_new(object, "warnings", array_or_empty(command->warnings));
	json_object_set_new(
		object, "policy", json_integer((json_int_t)command->control->policy_number));
	char *json = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return json;
}

/* The status, the text, and behind a NUL the JSON. */
static void send_end(struct command *command, enum outcome outcome, const char *text)
{
	char *json = outcome_json(command, outcome, text);
	size_t text_len = strlen(text), json_len = json ? strlen(json) : 0;
	char *payload = malloc(text_len + json_len + 2);
	if (payload) {
		payload[0] = (char)outcome_status(outcome);
		memcpy(payload + 1, text, text_len + 1);
		if (json_len)
			memcpy(payload + text_len + 2, json, json_len);
		control_socket_send(
			command->client, REQUEST_DONE, payload, text_len + json_len + 2);
	}
	free(payload);
	free(json);
	control_socket_end(command->client);
}

static void end(struct command *command, enum outcome outcome, const char *text)
{
	if (outcome_status(outcome) != 0)
		command->control->counters[COUNTER_REQUESTS_REFUSED]++;
	if (command->client)
		send_end(command, outcome, text);
	free_command(command);
}

void command_done(struct command *command, enum outcome outcome, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	end(command, outcome, text);
}

void command_on_outcome(void *context, enum outcome outcome, const char *text)
{
	command_done(context, outcome, "%s", outcome == OUTCOME_DONE ? "" : text);
}

void command_usage(struct command *command, const char *format, ...)
{
	char text[2048], usage[VERB_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	command_done(command, OUTCOME_USAGE, "%s\nusage: posternctl %s", text,
		verb_usage(command->noun, command->verb, usage));
}

void command_no_such(struct command *command, enum policy_kind kind, const char *name)
{
	char text[LANGUAGE_NO_SUCH_SIZE];
	command_place(command, NULL, 0, 0, NULL,
		language_near_name(command->control->policy, kind, name));
	language_no_such_text(command->control->policy, kind, name, strlen(name), text);
	command_done(command, OUTCOME_ABSENT, "%s", text);
}

void command_syntax(struct command *command, const struct language_diagnosis *diagnosis)
{
	char *text = policy_parse_messages(diagnosis, LANGUAGE_ERROR);
	for (size_t i = 0; i < diagnosis->n; i++) {
		const struct language_message *message = &diagnosis->v[i];
		if (message->severity != LANGUAGE_ERROR)
			continue;
		command_place(command, message->file, message->place.line, message->place.column,
			message->expected, message->near);
		break;
	}
	command_done(command, OUTCOME_SYNTAX, "%s", text ? text : "out of memory");
	free(text);
}

void command_stream(struct command *command, void (*more)(struct command *command))
{
	command->more = more;
	if (command->client)
		control_socket_continue(command->client);
	else
		command_ok(command);
}

void command_more(void *context)
{
	struct command *command = context;

	if (command->more)
		command->more(command);
}

void command_abandon(void *context)
{
	struct command *command = context;

	command->client = NULL;
	if (command->more) /* nothing but its client calls it */
		free_command(command);
}

void command_watch(struct command *command, unsigned topics)
{
	struct control_socket_client *client = command->client;
	if (client) {
		control_socket_watch(client, topics);
		control_socket_end(client);
	}
	free_command(command);
}
