/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every noun with its verbs' functions, and the way of a request to one of them. */
#include "daemon/control/commands/nouns.h"

#include "daemon/control/control.h"

#include <string.h>

const struct command_noun *const command_nouns[] = {&command_status, &command_policy, &command_rule,
	&command_zone, &command_server, &command_certificate, &command_auth, &command_scan,
	&command_radius, &command_portal, &command_listener, &command_domain, &command_device,
	&command_list, &command_session, &command_block, &command_client, &command_flow,
	&command_explain, &command_audit, &command_message, &command_monitor, &command_bypass,
	&command_counters, &command_log_noun, &command_doctor, NULL};

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
	if (command->intake.body_len || command_option(command, "--allow-empty"))
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

static void run(void *context)
{
	struct command *command = context;
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

const struct control_socket_face command_face = {
	.make = command_new, .run = run, .more = command_more, .left = command_abandon};
