/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/command.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *command_new(struct control *control, const struct control_socket_request *request)
{
	struct command *command = malloc(sizeof(*command));

	if (command)
		*command = (struct command){.control = control,
			.client = request->client,
			.intake = request->intake,
			.words = request->words,
			.nwords = request->nwords,
			.uid = request->uid,
			.came_by = request->came_by};
	return command;
}

const char *command_value(const struct command *command, const char *name)
{
	return verb_value(&command->given, name);
}

const char *const *command_values(const struct command *command, const char *name, size_t *n)
{
	return verb_values(&command->given, name, n);
}

bool command_given(const struct command *command, const char *name)
{
	return verb_value(&command->given, name) != NULL;
}

const char *command_line(const struct command *command, char line[static 256])
{
	size_t used = 0;
	line[0] = '\0';
	for (size_t i = 0; i < command->nwords && used < 255; i++) {
		int n = snprintf(line + used, 256 - used, "%s%s", i ? " " : "", command->words[i]);
		if (n < 0)
			break;
		used += (size_t)n;
	}
	/* a cut must not leave half a character behind */
	for (size_t end = strlen(line); used > 255 && end > 0 && line[end - 1] < 0; end--)
		line[end - 1] = '\0';
	return line;
}

const char *command_option(const struct command *command, const char *name)
{
	for (const struct verb_part *part = command->verb->parts; part && part->kind; part++)
		if (part->kind == VERB_OPTION && strcmp(part->name, name) == 0)
			return command_value(command, name);
	return NULL;
}

struct guard_pass command_pass(const struct command *command, enum guard_kind kind)
{
	const char *base = command_option(command, "--base");
	return (struct guard_pass){.kind = kind,
		.allow_open = command_option(command, "--allow-open") != NULL,
		.allow_empty = command_option(command, "--allow-empty") != NULL,
		.discard_edits = command_option(command, "--discard-edits") != NULL,
		.base = base ? strtoull(base, NULL, 10) : 0};
}

bool command_may_change(struct command *command)
{
	char *text;
	enum outcome outcome = guard_look_at_confirm(command->control, &text);
	if (outcome != OUTCOME_DONE)
		command_done(command, outcome, "%s", text ? text : "out of memory");
	free(text);
	return outcome == OUTCOME_DONE;
}

/* Behind noun and verb anything may name a user or an address, but for a few. */
static bool may_name_persons(const struct command *command)
{
	static const char *const nouns[] = {"policy", "log", "bypass"};
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (strcmp(command->words[0], nouns[i]) == 0)
			return false;
	return true;
}

static void log_as(const struct command *command, enum policy_log_level level, enum log_id id)
{
	char line[256], uid[16];
	command_line(command, line);
	if (log_is_private() && command->nwords > 2 && may_name_persons(command))
		snprintf(line, sizeof(line), "%.60s %.60s %s", command->words[0], command->words[1],
			log_person(""));
	snprintf(uid, sizeof(uid), "%u", (unsigned)command->uid);
	log_event(level, id, LOG_FIELDS({LOG_FIELD_UID, uid}, {LOG_FIELD_COMMAND, line}),
		"uid %s: %s", uid, line);
}

void command_log(const struct command *command)
{
	log_as(command, POLICY_LOG_INFO, LOG_ID_COMMAND);
}

void command_warn(const struct command *command, enum log_id id)
{
	log_as(command, POLICY_LOG_WARNING, id);
}

bool command_is_abandoned(const struct command *command)
{
	return !command->client || control_socket_has_left(command->client);
}

static void run_later(void *context)
{
	struct command *command = context;
	if (!command_is_abandoned(command)) {
		command->later(command);
		return;
	}
	log_warning("a request of uid %u was dropped: its caller is gone", (unsigned)command->uid);
	command_done(command, OUTCOME_REFUSED, "nobody waits for it any more");
}

void command_when_free(struct command *command, void (*run)(struct command *command))
{
	command->later = run;
	turns_when_free(command->control->turns, run_later, command);
}

void *command_new_state(struct command *command, size_t bytes)
{
	void *state = calloc(1, bytes);

	command->state = state;
	if (!state)
		command_done(command, OUTCOME_REFUSED, "out of memory");
	return state;
}

bool command_named(struct command *command, enum policy_kind kind, size_t *at, size_t *end)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = name ? language_find(policy, kind, name) : 0;

	if (index < 0) {
		command_no_such(command, kind, name);
		return false;
	}
	*at = (size_t)index;
	*end = name ? *at + 1 : language_count(policy, kind);
	return true;
}
