/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/accounting/accounts.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/name_check.h"
#include "daemon/control/request/selection.h"
#include "daemon/control/session/login.h"
#include "daemon/control/session/sessions.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- show ---- */

struct showing {
	struct selection selection;
	size_t at;
};

static json_t *shown(const struct control *control, const struct session *session)
{
	const struct radius_entry *account = accounts_of_session(control->accounts, session->id);
	json_t *row = json_row_session(control, session);

	if (account) {
		json_object_set_new(row, "start_seen", json_boolean(account->started));
		json_object_set_new(row, "event_at", json_row_time(account->event_ms));
	}
	return row;
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	struct control *control = command->control;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN; i++) {
		if (showing->at == showing->selection.n) {
			free(showing->selection.ids);
			showing->selection.ids = NULL;
			command_ok(command);
			return;
		}
		struct session *session =
			session_table_find(control->table, showing->selection.ids[showing->at++]);
		if (session)
			command_row(command, shown(control, session));
	}
	control_socket_continue(command->client);
}

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	free(showing->selection.ids);
}

static void run_show(struct command *command)
{
	struct showing *showing = command_new_state(command, sizeof(*showing));
	if (!showing)
		return;
	showing->selection.devices = true;
	selection_take(command, &showing->selection);
	command->forget = forget_showing;
	selection_find(command->control, &showing->selection);
	const struct selection *selection = &showing->selection;
	if (!selection->n && (selection->id || !name_check_given(command, "zone"))) {
		selection_refuse(command, selection);
		return;
	}
	if (!selection->n && !name_check_given(command, "user")) {
		name_check_refuse(command, "user", "");
		return;
	}
	command_stream(command, show_more);
}

/* ---- login, renew ---- */

static void on_login(
	void *context, enum login_outcome outcome, uint64_t session_id, const char *text)
{
	struct command *command = context;
	static const char *const words[] = {
		[LOGIN_NEW] = "new", [LOGIN_RENEWED] = "renewed", [LOGIN_REPLACED] = "replaced"};
	if (outcome >= LOGIN_REFUSED) {
		command_done(command, OUTCOME_REFUSED, "%s", text);
		return;
	}
	const struct control *control = command->control;
	const struct session *session = session_table_find(control->table, session_id);
	command_log(command);
	if (session) {
		json_t *row = json_row_session(control, session);
		json_object_set_new(row, "outcome", json_string(words[outcome]));
		command_row(command, row);
	}
	command_ok(command);
}

static bool take_addresses(struct command *command, struct login_order *order, const char *value)
{
	for (size_t len; *value; value += len + (value[len] == ',')) {
		len = strcspn(value, ",");
		if (order->naddresses == SESSION_ADDRESSES_MAX) {
			command_usage(command, "more than %d addresses", SESSION_ADDRESSES_MAX);
			return false;
		}
		prefix_parse(value, len, &order->addresses[order->naddresses++]);
	}
	return true;
}

static bool take_groups(struct command *command, struct login_order *order, const char *value)
{
	order->groups_given = true;
	while (*value) {
		size_t len = strcspn(value, ",");
		if (order->ngroups == SESSION_GROUPS_MAX || len == 0 || len >= POLICY_USER_SIZE) {
			command_usage(command,
				"a group's name has 1 to %d bytes, and a session at "
				"most %d groups",
				POLICY_USER_SIZE - 1, SESSION_GROUPS_MAX);
			return false;
		}
		memcpy(order->groups[order->ngroups++], value, len);
		value += len + (value[len] == ',');
	}
	return true;
}

/* A lease or an idle time; NULL: not given. */
static bool take_time(struct command *command, const char *what, bool *given, uint64_t *ms)
{
	const char *value = command_value(command, what);
	*given = value != NULL;
	*ms = 0;
	if (!value || strcmp(value, "none") == 0)
		return true;
	if (language_parse_duration(value, ms) == 0 && *ms >= 1000 && *ms / 1000 <= UINT32_MAX)
		return true;
	command_usage(
		command, "\"%s\" is not expected here, but a %s of 1s to 136 years", value, what);
	return false;
}

static bool take_name(
	struct command *command, const char *what, const char *value, char *to, size_t room)
{
	size_t len = strlen(value);
	if (len >= room) {
		command_usage(command, "a %s has at most %zu bytes", what, room - 1);
		return false;
	}
	memcpy(to, value, len + 1);
	return true;
}

static bool take_mac(struct command *command, struct login_order *order)
{
	const char *mac = command_value(command, "mac");
	if (!mac)
		return true;
	mac_parse(mac, strlen(mac), &order->mac);
	if (!mac_is_group(&order->mac))
		return true;
	command_usage(command, "\"%s\" is no host's MAC", mac);
	return false;
}

static bool fill_order(struct command *command, struct login_order *order)
{
	size_t n;
	const char *const *addresses = command_values(command, "address", &n);
	const char *groups = command_value(command, "group");
	if (!take_name(command, "user's name", command_value(command, "USER"), order->user,
		    sizeof(order->user)) ||
		!take_name(command, "zone's name", command_value(command, "zone"), order->zone,
			sizeof(order->zone)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!take_addresses(command, order, addresses[i]))
			return false;
	return take_mac(command, order) && (!groups || take_groups(command, order, groups)) &&
	       take_time(command, "lease", &order->lease_given, &order->lease_ms) &&
	       take_time(command, "idle", &order->idle_given, &order->idle_ms);
}

static void run_login(struct command *command)
{
	struct login_order *order = command_new_state(command, sizeof(*order));
	if (!order)
		return;
	if (!fill_order(command, order))
		return;
	order->uid = command->uid;
	order->source = command->came_by == CONTROL_SOCKET_SESSION ? SESSION_SOURCE_HOOK
								   : SESSION_SOURCE_CLI;
	login_begin(command->control, order, on_login, command);
}

/* Several sessions may be renewed: their answers come one by one. */
struct renewing {
	struct command *command;
	size_t missing, renewed;
	char text[256];
};

static void on_renewed(
	void *context, enum login_outcome outcome, uint64_t session, const char *text)
{
	struct renewing *renewing = context;
	struct command *command = renewing->command;
	const struct session *renewed = session_table_find(command->control->table, session);
	if (outcome >= LOGIN_REFUSED) {
		snprintf(renewing->text, sizeof(renewing->text), "%s", text);
	} else {
		renewing->renewed++;
		if (renewed)
			command_row(command, json_row_session(command->control, renewed));
	}
	if (--renewing->missing)
		return;
	if (*renewing->text)
		command_done(command, OUTCOME_REFUSED, "%s", renewing->text);
	else
		command_ok(command);
}

static void run_renew(struct command *command)
{
	struct selection selection = {.changes = true};
	struct renewing *renewing = command_new_state(command, sizeof(*renewing));
	bool lease_given;
	uint64_t lease_ms;
	if (!renewing)
		return;
	if (!take_time(command, "lease", &lease_given, &lease_ms))
		return;
	selection_take(command, &selection);
	selection_find(command->control, &selection);
	if (!selection.n || selection_is_ambiguous(command->control, &selection)) {
		selection_refuse(command, &selection);
		free(selection.ids);
		return;
	}
	command_log(command);
	renewing->command = command;
	renewing->missing = selection.n;
	for (size_t i = 0; i < selection.n; i++)
		login_renew(command->control, selection.ids[i], lease_given, lease_ms, on_renewed,
			renewing);
	free(selection.ids);
}

/* ---- logout ---- */

struct logout {
	struct gather gather; /* first */
	struct command *command;
	enum { AS_THE_ZONE_SAYS, KEEP_FLOWS, KILL_FLOWS } flows;
	struct session **ended; /* copies */
	size_t n;
	char why_not[IPC_TEXT_SIZE];
};

static void forget_ended(struct logout *logout)
{
	for (size_t i = 0; i < logout->n; i++)
		free(logout->ended[i]);
	free(logout->ended);
	sessions_arm(logout->command->control->sessions);
}

static void on_put_back(struct gather *gather)
{
	struct logout *logout = (struct logout *)gather;
	if (gather->status)
		log_warning("a logout was refused, and the sessions could not be stored again: %s",
			gather->text);
	command_done(logout->command, OUTCOME_REFUSED, "not logged out: %s", logout->why_not);
}

/* There again, on the disk, too, before the refusal is said, which a crash does not turn. */
static void put_back(struct logout *logout)
{
	struct sessions *sessions = logout->command->control->sessions;
	memcpy(logout->why_not, logout->gather.text, sizeof(logout->why_not));
	gather_init(&logout->gather, on_put_back);
	for (size_t i = 0; i < logout->n; i++)
		sessions_put_back(sessions, logout->ended[i], &logout->gather);
	forget_ended(logout);
	gather_end(&logout->gather, 0, NULL);
}

static void on_logged_out(struct gather *gather)
{
	struct logout *logout = (struct logout *)gather;
	struct command *command = logout->command;
	struct control *control = command->control;
	if (gather->status) {
		put_back(logout);
		return;
	}
	for (size_t i = 0; i < logout->n; i++) {
		const struct session *session = logout->ended[i];
		bool keep = logout->flows == KEEP_FLOWS ||
			    (logout->flows == AS_THE_ZONE_SAYS &&
				    sessions_keep_flows(control->sessions, session));
		if (!keep)
			sessions_kill_flows(control->sessions, session, ENDING_KILLED_LOGOUT);
		control->counters[COUNTER_LOGOUTS]++;
	}
	forget_ended(logout);
	command_row(command, json_pack("{s:I}", "ended", (json_int_t)logout->n));
	command_ok(command);
}

static void log_out(struct command *command, struct logout *logout, struct selection *selection)
{
	struct control *control = command->control;
	logout->ended = calloc(selection->n, sizeof(*logout->ended));
	if (!logout->ended) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	command_log(command);
	logout->command = command;
	gather_init(&logout->gather, on_logged_out);
	for (size_t i = 0; i < selection->n; i++) {
		struct session *session = session_table_find(control->table, selection->ids[i]);
		struct session *copy = session ? sessions_copy(session) : NULL;
		if (!copy)
			continue;
		logout->ended[logout->n++] = copy;
		sessions_del(control->sessions, session, ENDING_KILLED_LOGOUT, &logout->gather);
	}
	gather_end(&logout->gather, 0, NULL);
}

static void run_logout(struct command *command)
{
	struct selection selection = {.changes = true};
	struct logout *logout = command_new_state(command, sizeof(*logout));
	if (!logout)
		return;
	selection_take(command, &selection);
	if (command_given(command, "--keep-flows"))
		logout->flows = KEEP_FLOWS;
	else if (command_given(command, "--kill-flows"))
		logout->flows = KILL_FLOWS;
	if (selection.id & SESSION_DEVICE_ID) {
		command_done(command, OUTCOME_REFUSED,
			"a device is not logged in: posternctl device delete NAME takes it out");
		return;
	}
	selection_find(command->control, &selection);
	if (selection.n && !selection_is_ambiguous(command->control, &selection))
		log_out(command, logout, &selection);
	else
		selection_refuse(command, &selection);
	free(selection.ids);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"login", run_login},
	{"renew", run_renew},
	{"logout", run_logout},
	{NULL, NULL},
};

const struct command_noun command_session = {"session", verbs};
