#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/control/entries.h"
#include "daemon/control/login.h"
#include "daemon/control/peers.h"
#include "daemon/control/row.h"
#include "daemon/control/selection.h"
#include "daemon/control/sessions.h"
#include "lib/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- show ---- */

struct showing {
	struct selection selection;
	size_t at;
};

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	struct control *control = command->control;
	uint64_t now_ms = loop_wall_ms(control->loop);
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
			command_row(command, row_session(session, now_ms));
	}
	server_continue(command->client);
}

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	free(showing->selection.ids);
}

static void run_show(struct command *command)
{
	struct showing *showing = calloc(1, sizeof(*showing));
	command->state = showing;
	if (!showing) {
		command_done(command, COMMAND_REFUSED, "out of memory");
		return;
	}
	showing->selection.devices = true;
	while (command_peek(command))
		if (!selection_take(command, &showing->selection))
			return;
	command->forget = forget_showing;
	selection_find(command->control, &showing->selection);
	const struct selection *selection = &showing->selection;
	bool unknown_zone =
		selection->zone && policy_find_zone(command->control->policy, selection->zone) < 0;
	if (!selection->n && (selection->id || unknown_zone)) {
		selection_refuse(command, selection);
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
	if (outcome == LOGIN_REFUSED) {
		command_done(command, COMMAND_REFUSED, "%s", text);
		return;
	}
	const struct control *control = command->control;
	const struct session *session = session_table_find(control->table, session_id);
	command_log(command);
	if (session) {
		json_t *row = row_session(session, loop_wall_ms(control->loop));
		json_object_set_new(row, "outcome", json_string(words[outcome]));
		command_row(command, row);
	}
	command_ok(command);
}

static bool take_addresses(struct command *command, struct login_order *order, const char *value)
{
	while (*value) {
		size_t len = strcspn(value, ",");
		if (order->naddresses == SESSION_ADDRESSES_MAX) {
			command_usage(command, "more than %d addresses", SESSION_ADDRESSES_MAX);
			return false;
		}
		if (prefix_parse(value, len, &order->addresses[order->naddresses]) < 0) {
			command_usage(
				command, "\"%.*s\" is no address or network", (int)len, value);
			return false;
		}
		order->naddresses++;
		value += len + (value[len] == ',');
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

static bool take_time(struct command *command, const char *what, const char *value, uint64_t *ms)
{
	if (strcmp(value, "none") == 0) {
		*ms = 0;
		return true;
	}
	if (language_parse_duration(value, ms) == 0 && *ms >= 1000 && *ms / 1000 <= UINT32_MAX)
		return true;
	command_usage(command, "\"%s\" is no %s: 30m, 8h, 7d or none is expected", value, what);
	return false;
}

static bool take_name(
	struct command *command, const char *what, const char *value, char *to, size_t room)
{
	size_t len = strlen(value);
	if (len == 0 || len >= room) {
		command_usage(command, "a %s has 1 to %zu bytes", what, room - 1);
		return false;
	}
	memcpy(to, value, len + 1);
	return true;
}

/* Only addresses may be given several times. */
static bool given_twice(const struct login_order *order, const char *word)
{
	return (strcmp(word, "zone") == 0 && *order->zone) ||
	       (strcmp(word, "mac") == 0 && mac_is_set(&order->mac)) ||
	       (strcmp(word, "group") == 0 && order->groups_given) ||
	       (strcmp(word, "lease") == 0 && order->lease_given) ||
	       (strcmp(word, "idle") == 0 && order->idle_given);
}

static bool take_login_option(
	struct command *command, struct login_order *order, const char *word, const char *value)
{
	if (given_twice(order, word)) {
		command_usage(command, "%s is given twice", word);
		return false;
	}
	if (strcmp(word, "zone") == 0)
		return take_name(command, "zone's name", value, order->zone, sizeof(order->zone));
	if (strcmp(word, "address") == 0)
		return take_addresses(command, order, value);
	if (strcmp(word, "group") == 0)
		return take_groups(command, order, value);
	if (strcmp(word, "mac") == 0) {
		if (mac_parse(value, strlen(value), &order->mac) == 0 && mac_is_set(&order->mac) &&
			!mac_is_group(&order->mac))
			return true;
		command_usage(command, "\"%s\" is no host's MAC", value);
		return false;
	}
	if (strcmp(word, "lease") == 0) {
		order->lease_given = true;
		return take_time(command, "lease", value, &order->lease_ms);
	}
	if (strcmp(word, "idle") == 0) {
		order->idle_given = true;
		return take_time(command, "idle time", value, &order->idle_ms);
	}
	command_usage(command, "\"%s\" is not expected here", word);
	return false;
}

static void run_login(struct command *command)
{
	struct login_order *order = calloc(1, sizeof(*order));
	const char *word = command_word(command);
	command->state = order;
	if (!order) {
		command_done(command, COMMAND_REFUSED, "out of memory");
		return;
	}
	if (!word) {
		command_usage(command, "the user is missing");
		return;
	}
	if (!take_name(command, "user's name", word, order->user, sizeof(order->user)))
		return;
	while ((word = command_word(command))) {
		const char *value = command_word(command);
		if (!value) {
			command_usage(command, "a value is expected behind %s", word);
			return;
		}
		if (!take_login_option(command, order, word, value))
			return;
	}
	if (!*order->zone) {
		command_usage(command, "the zone is missing");
		return;
	}
	order->uid = command->uid;
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
	if (outcome == LOGIN_REFUSED) {
		snprintf(renewing->text, sizeof(renewing->text), "%s", text);
	} else {
		renewing->renewed++;
		if (renewed)
			command_row(command,
				row_session(renewed, loop_wall_ms(command->control->loop)));
	}
	if (--renewing->missing)
		return;
	if (*renewing->text)
		command_done(command, COMMAND_REFUSED, "%s", renewing->text);
	else
		command_ok(command);
}

static void run_renew(struct command *command)
{
	struct selection selection = {.changes = true};
	struct renewing *renewing = calloc(1, sizeof(*renewing));
	bool lease_given = false;
	uint64_t lease_ms = 0;
	command->state = renewing;
	if (!renewing || !command_peek(command)) {
		command_usage(command, "which session?");
		return;
	}
	do {
		if (!selection_take(command, &selection))
			return;
	} while (command_peek(command) && strcmp(command_peek(command), "lease") != 0);
	if (command_take(command, "lease")) {
		const char *value = command_word(command);
		lease_given = true;
		if (!value)
			command_usage(command, "a value is expected behind lease");
		if (!value || !take_time(command, "lease", value, &lease_ms))
			return;
	}
	if (!command_at_end(command))
		return;
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
};

static void on_logged_out(struct gather *gather)
{
	struct logout *logout = (struct logout *)gather;
	struct command *command = logout->command;
	struct control *control = command->control;
	for (size_t i = 0; i < logout->n; i++) {
		struct session *session = logout->ended[i];
		bool keep = logout->flows == KEEP_FLOWS ||
			    (logout->flows == AS_THE_ZONE_SAYS &&
				    sessions_keep_flows(control->sessions, session));
		if (gather->status)
			sessions_put_back(control->sessions, session);
		else if (!keep)
			sessions_kill_flows(control->sessions, session, ENDING_KILLED_LOGOUT);
		if (!gather->status)
			control->counters[COUNTER_LOGOUTS]++;
		free(session);
	}
	free(logout->ended);
	sessions_arm(control->sessions);
	if (gather->status) {
		command_done(command, COMMAND_REFUSED, "not logged out: %s", gather->text);
		return;
	}
	command_row(command, json_pack("{s:I}", "ended", (json_int_t)logout->n));
	command_ok(command);
}

static void log_out(struct command *command, struct logout *logout, struct selection *selection)
{
	struct control *control = command->control;
	logout->ended = calloc(selection->n, sizeof(*logout->ended));
	if (!logout->ended) {
		command_done(command, COMMAND_REFUSED, "out of memory");
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
	struct logout *logout = calloc(1, sizeof(*logout));
	command->state = logout;
	if (!logout || !command_peek(command)) {
		command_usage(command, "which session?");
		return;
	}
	while (command_peek(command)) {
		bool keep = command_take(command, "--keep-flows");
		if (!keep && !command_take(command, "--kill-flows")) {
			if (!selection_take(command, &selection))
				return;
			continue;
		}
		if (logout->flows) {
			command_usage(command, "--keep-flows or --kill-flows, once");
			return;
		}
		logout->flows = keep ? KEEP_FLOWS : KILL_FLOWS;
	}
	/* nobody means everybody by saying nothing */
	if (!selection_is_any(&selection) && !selection.zone) {
		command_usage(command, "which session?");
		return;
	}
	if (selection.id & SESSION_DEVICE_ID) {
		command_done(command, COMMAND_REFUSED,
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
	{"show", "[user U|address A|mac M|zone Z|ID]", true, run_show},
	{"login", "USER zone Z address A [address P] [mac M] [group G,...] [lease 8h] [idle 30m]",
		true, run_login},
	{"renew", "ID|user U|address A|mac M [lease 8h]", true, run_renew},
	{"logout", "ID|user U|address A|mac M|zone Z [--keep-flows|--kill-flows]", true,
		run_logout},
	{NULL, NULL, false, NULL},
};

const struct command_noun command_session = {"session", verbs};
