/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/command.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct command_noun *const command_nouns[] = {&command_status, &command_policy, &command_rule,
	&command_zone, &command_server, &command_certificate, &command_auth, &command_scan,
	&command_listener, &command_domain, &command_device, &command_list, &command_session,
	&command_block, &command_client, &command_flow, &command_explain, &command_audit,
	&command_message, &command_monitor, &command_bypass, &command_counters, &command_log_noun,
	&command_doctor, NULL};

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

/* Has the verb this option, and was it given? */
static const char *option_of(const struct command *command, const char *name)
{
	for (const struct verb_part *part = command->verb->parts; part && part->kind; part++)
		if (part->kind == VERB_OPTION && strcmp(part->name, name) == 0)
			return command_value(command, name);
	return NULL;
}

struct guard_pass command_pass(const struct command *command, enum guard_kind kind)
{
	const char *base = option_of(command, "--base");
	return (struct guard_pass){.kind = kind,
		.allow_open = option_of(command, "--allow-open") != NULL,
		.allow_empty = option_of(command, "--allow-empty") != NULL,
		.discard_edits = option_of(command, "--discard-edits") != NULL,
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
	apply_when_free(command->control->apply, run_later, command);
}

void *command_new_state(struct command *command, size_t bytes)
{
	void *state = calloc(1, bytes);

	command->state = state;
	if (!state)
		command_done(command, OUTCOME_REFUSED, "out of memory");
	return state;
}

/* The function of a verb; NULL: posternctl does it by itself. */
static const struct command_verb *find_function(const char *noun, const char *verb)
{
	for (size_t i = 0; command_nouns[i]; i++) {
		if (strcmp(command_nouns[i]->noun, noun) != 0)
			continue;
		for (const struct command_verb *at = command_nouns[i]->verbs; at->verb; at++)
			if (strcmp(at->verb, verb) == 0)
				return at;
	}
	return NULL;
}

/* The noun and verb that the words begin with. false: ended. */
static bool find_verb(struct command *command, size_t *used)
{
	struct verb_error error;
	const char *word = command->nwords ? command->words[0] : "status";
	command->noun = verb_find_noun(word);
	if (!command->noun) {
		verb_no_such_noun(word, &error);
		command_place(command, NULL, 0, 0, error.expected, error.near);
		command_done(command, OUTCOME_USAGE, "%s", error.text);
		return false;
	}
	*used = 1;
	command->verb = command->noun->verbs;
	if (verb_is_noun(command->noun))
		return true;
	word = command->nwords > 1 ? command->words[1] : NULL;
	*used += word != NULL;
	command->verb = verb_find(command->noun, word);
	if (command->verb)
		return true;
	verb_no_such(command->noun, word, &error);
	command_place(command, NULL, 0, 0, error.expected, error.near);
	command_done(command, OUTCOME_USAGE, "%s", error.text);
	return false;
}

/* A verb that takes a file has its bytes, one that takes a password has it, and no other has any.
 * false: ended. */
static bool look_at_body(struct command *command)
{
	if (command->verb->traits & VERB_SECRET) {
		if (!command->intake.body_len)
			command_usage(command, "a password is expected behind the words");
		return command->intake.body_len != 0;
	}
	bool takes = verb_takes(command->verb, VERB_FILE);
	if (!takes && command->intake.body_len) {
		command_usage(command, "no file is expected here");
		return false;
	}
	if (!takes || !command_value(command, "FILE|-"))
		return true;
	if (command->intake.body_len || option_of(command, "--allow-empty"))
		return true;
	command_done(command, OUTCOME_EMPTY, "%s is empty; nothing has changed",
		strcmp(command_value(command, "FILE|-"), "-") ? command_value(command, "FILE|-")
							      : "<standard input>");
	return false;
}

/* false: ended. */
static bool is_taken_here(struct command *command)
{
	switch (command->came_by) {
	case CONTROL_SOCKET_CONTROL:
		return true;
	case CONTROL_SOCKET_SESSION:
		if (command->verb->traits & VERB_AT_SESSION)
			return true;
		command_done(command, OUTCOME_DENIED,
			"session.sock takes only session login, renew, logout and show; "
			"control.sock takes the rest");
		return false;
	case CONTROL_SOCKET_DESK:
		if (command->verb->traits & VERB_AT_DESK)
			return true;
		command_done(command, OUTCOME_DENIED,
			"desk.sock takes only status, session, block, client, flow, explain, "
			"audit, message, "
			"and list show, add and remove; control.sock takes the rest");
		return false;
	}
	return false;
}

void command_run(struct command *command)
{
	struct verb_error error;
	size_t used = 0;
	command->control->counters[COUNTER_REQUESTS]++;
	if (!find_verb(command, &used))
		return;
	if (!is_taken_here(command))
		return;
	const struct command_verb *function =
		find_function(command->noun->name, command->verb->name);
	if (!function) {
		command_done(command, OUTCOME_USAGE, "%s %s is done by posternctl itself",
			command->noun->name, command->verb->name);
		return;
	}
	int result = verb_read(command->verb,
		command->words + (used < command->nwords ? used : command->nwords),
		command->nwords > used ? command->nwords - used : 0, &command->given, &error);
	if (result == 0) {
		if (look_at_body(command))
			function->run(command);
		return;
	}
	if (*error.text) {
		command_place(
			command, NULL, 0, 0, *error.expected ? error.expected : NULL, error.near);
		command_usage(command, "%s", error.text);
	} else {
		command_done(command, OUTCOME_REFUSED, "out of memory");
	}
}
