/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where passwords are checked, as the policy has it and as it fares, and a user's as a test. */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/auth_peer.h"
#include "daemon/control/request/json_row.h"
#include "lib/auth/sasl.h"
#include "lib/policy/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- show ---- */

/* The listeners whose clients log in there. */
static json_t *used_by(const struct policy *policy, const struct policy_auth *auth)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->nlisteners; i++)
		for (size_t j = 0; j < policy->listeners[i].auth_names.n; j++)
			if (policy_string_equal(&policy->listeners[i].auth_names.v[j], &auth->name))
				json_array_append_new(
					array, json_row_string(&policy->listeners[i].name));
	return array;
}

static json_t *where_of(const struct policy_auth *auth)
{
	switch (auth->kind) {
	case POLICY_AUTH_LDAP:
		return json_row_strings(auth->ldap.urls.v, auth->ldap.urls.n);
	case POLICY_AUTH_FORWARD:
		return json_row_strings(&auth->server_name, 1);
	case POLICY_AUTH_DOVECOT:
	case POLICY_AUTH_FILE:
		return json_row_strings(&auth->path, 1);
	}
	return json_array();
}

/* Those that its clients may use, as it told; else those that are written, or PLAIN and LOGIN,
 * which are everybody's but Dovecot's. */
static json_t *mechanisms_of(const struct policy_auth *auth, const struct ipc_auth_state *state)
{
	char words[AUTH_MECHANISMS_SIZE], *rest = words, *word;

	if (!state && auth->mechanisms.n > 0)
		return json_row_strings(auth->mechanisms.v, auth->mechanisms.n);
	if (!state && auth->kind != POLICY_AUTH_DOVECOT)
		snprintf(words, sizeof(words), "PLAIN LOGIN");
	else
		snprintf(words, sizeof(words), "%s", state ? state->mechanisms : "");
	json_t *array = json_array();
	while ((word = strtok_r(rest, " ", &rest)) != NULL)
		json_array_append_new(array, json_row_text(word));
	return array;
}

/* "up", "down", "unused" by any listener, or "opens": nothing is told of it yet. */
static const char *state_of(const json_t *users, const struct ipc_auth_state *state)
{
	if (json_array_size(users) == 0)
		return "unused";
	if (!state)
		return "opens";
	return state->up ? "up" : "down";
}

static json_t *time_of(uint64_t ms)
{
	return ms ? json_row_time(ms) : json_null();
}

static void show_auth(struct command *command, const struct policy_auth *auth)
{
	static const struct ipc_auth_state none;
	const struct control *control = command->control;
	const struct ipc_auth_state *told = auth_peer_state(control->auth, auth->name.text);
	const struct ipc_auth_state *state = told ? told : &none;
	const struct auth_counts *n = &state->counts;
	json_t *users = used_by(control->policy, auth);
	const char *word = state_of(users, told);

	command_row(command,
		json_pack("{s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, "
			  "s:o, s:o}",
			"auth", json_row_string(&auth->name), "kind",
			policy_auth_kind_names[auth->kind], "where", where_of(auth), "mechanisms",
			mechanisms_of(auth, told), "used_by", users, "state", word, "since_at",
			time_of(state->since_ms), "why",
			state->text[0] ? json_row_text(state->text) : json_null(), "asked",
			(json_int_t)n->asked, "passed", (json_int_t)n->passed, "refused",
			(json_int_t)n->refused, "later", (json_int_t)n->later, "limited",
			(json_int_t)n->limited, "slow", (json_int_t)n->slow, "counted_at",
			time_of(state->begun_ms), "comment", json_row_string(&auth->comment)));
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_AUTH, &i, &end))
		return;
	for (; i < end; i++)
		show_auth(command, &policy->auths[i]);
	command_ok(command);
}

/* ---- test ---- */

struct testing {
	struct question ask; /* first */
	struct command *command;
	enum auth_verdict verdict;
	bool told;
	char text[IPC_TEXT_SIZE];
};

/* Who it is, as rules will see it. */
static void show_who(struct command *command, const struct ipc_auth_verdict *said)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;

	if (storage && session_decode(said->session, said->session_bytes, &session, storage) > 0)
		command_row(command,
			json_pack("{s:s, s:o, s:o, s:o}", "auth", said->auth, "user",
				json_row_string(&session.user), "groups",
				json_row_strings(session.groups, session.ngroups), "addresses",
				json_row_strings(session.mails, session.nmails)));
	free(storage);
}

static void take_verdict(struct testing *testing, const struct ipc_auth_verdict *said)
{
	testing->told = true;
	testing->verdict = (enum auth_verdict)said->verdict;
	snprintf(testing->text, sizeof(testing->text), "%s", said->text);
	if (said->verdict == AUTH_OK)
		show_who(testing->command, said);
}

static void end_test(struct testing *testing)
{
	struct command *command = testing->command;
	const char *name = command_value(command, "NAME"), *text = testing->text;

	switch (testing->verdict) {
	case AUTH_OK:
		command_ok(command);
		break;
	case AUTH_REFUSED:
		command_done(command, OUTCOME_REFUSED,
			"auth %s: refused: no such user, or another password%s%s", name,
			*text ? ": " : "", text);
		break;
	case AUTH_LATER:
	case AUTH_LIMITED:
	case AUTH_MALFORMED:
	case AUTH_NO_MECHANISM:
		command_done(command, OUTCOME_REFUSED, "auth %s: it could not be found out: %s",
			name, *text ? text : auth_verdict_names[testing->verdict]);
		break;
	}
}

static void on_tested(struct question *ask, const struct ipc_header *ipc)
{
	struct testing *testing = (struct testing *)ask;
	struct command *command = testing->command;
	const void *m = ipc;
	const struct ipc_reply *reply = m;

	if (ipc && ipc->type == IPC_AUTH_TESTED)
		take_verdict(testing, m);
	else if (!ipc)
		command_done(command, OUTCOME_REFUSED,
			ask->late ? "it was not found out in time"
				  : "the process that checks passwords is not there: it runs while "
				    "a listener has `auth`");
	else if (ipc->type == IPC_REPLY && (reply->status || !testing->told))
		command_done(command, OUTCOME_REFUSED, "auth %s: %s",
			command_value(command, "NAME"),
			reply->status ? reply->text : "nothing was told");
	else if (ipc->type == IPC_REPLY)
		end_test(testing);
}

static bool is_password(const char *text, size_t len)
{
	return len <= SASL_PASSWORD_MAX && !memchr(text, '\0', len) && !memchr(text, '\r', len) &&
	       !memchr(text, '\n', len);
}

/* The password stands in the body of the request alone, which is wiped, as the ipc is: it is no
 * word, and so in no log. */
static void run_test(struct command *command)
{
	const struct control *control = command->control;
	const char *name = command_value(command, "NAME"), *password = command->intake.body;
	size_t len = command->intake.body_len;
	union {
		struct ipc_auth_test test;
		uint8_t room[sizeof(struct ipc_auth_test) + SASL_PASSWORD_MAX];
	} ipc;

	if (policy_find_auth(control->policy, name) < 0) {
		command_no_such(command, POLICY_KIND_AUTH, name);
		return;
	}
	if (!is_password(password, len)) {
		command_done(command, OUTCOME_REFUSED,
			"a password of 1 to %d bytes in one line is expected", SASL_PASSWORD_MAX);
		return;
	}
	struct testing *testing = command_new_state(command, sizeof(*testing));
	if (!testing)
		return;
	testing->command = command;
	testing->ask.on_answer = on_tested;
	ipc_init(&ipc, IPC_AUTH_TEST, sizeof(ipc.test));
	snprintf(ipc.test.auth, sizeof(ipc.test.auth), "%s", name);
	snprintf(ipc.test.user, sizeof(ipc.test.user), "%s", command_value(command, "user"));
	ipc.test.password_bytes = (uint32_t)len;
	memcpy(ipc.test.password, password, len);
	ipc.test.header.bytes += (uint32_t)len;
	auth_peer_ask(control->auth, &testing->ask, &ipc);
	explicit_bzero(&ipc, sizeof(ipc));
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{"test", run_test},
	{NULL, NULL},
};

const struct command_noun command_auth = {"auth", verbs};
