/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/text.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_kill.h"
#include "daemon/control/peers/flow_reports.h"
#include "daemon/control/request/name_check.h"
#include "lib/record/flowid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which flows. Empty members: any. */
struct selection {
	uint64_t id;
	const char *user, *server, *zone, *listener;
};

struct showing {
	struct flow_gather flows; /* first */
	struct command *command;
	struct selection selection;
	const char *words; /* as typed, for a refusal */
	bool found;
};

static void take_selection(const struct command *command, struct selection *selection)
{
	const char *id = command_value(command, "ID");
	if (id)
		flowid_parse(id, strlen(id), &selection->id);
	selection->user = command_value(command, "user");
	selection->server = command_value(command, "server");
	selection->zone = command_value(command, "zone");
	selection->listener = command_value(command, "listener");
}

static enum policy_source source_of(const struct ipc_flow *flow)
{
	if (*flow->listener)
		return POLICY_SOURCE_AUTH;
	return flow->session & SESSION_DEVICE_ID ? POLICY_SOURCE_DEVICE : POLICY_SOURCE_SESSION;
}

static bool selected(const struct selection *selection, const struct ipc_flow *flow)
{
	return (!selection->id || selection->id == flow->id) &&
	       (!selection->user || policy_user_is(selection->user, source_of(flow), flow->user)) &&
	       (!selection->server || strcmp(selection->server, flow->server) == 0) &&
	       (!selection->zone || strcmp(selection->zone, flow->zone) == 0) &&
	       (!selection->listener || strcmp(selection->listener, flow->listener) == 0);
}

static void on_flow(struct flow_gather *flows, const struct ipc_flow *flow)
{
	struct showing *showing = (struct showing *)flows;
	if (!showing->command->client || !selected(&showing->selection, flow))
		return;
	char *text = audit_json(
		flow, showing->selection.id != 0 || command_given(showing->command, "--whole"));
	json_t *row = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (!row)
		return;
	uint64_t now_ms = loop_wall_ms(showing->command->control->loop);
	uint64_t age_ms = now_ms > flow->start_ms ? now_ms - flow->start_ms : 0;
	showing->found = true;
	json_object_set_new(row, "age_s", json_integer((json_int_t)(age_ms / 1000)));
	command_row(showing->command, row);
}

/* A name of no flow, which nothing else has either. true: the command has ended. */
static bool refuse_unknown(struct command *command)
{
	static const char *const parts[] = {"zone", "listener", "server", "user"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!name_check_given(command, parts[i])) {
			name_check_refuse(command, parts[i], "");
			return true;
		}
	return false;
}

static void on_done(struct flow_gather *flows)
{
	struct showing *showing = (struct showing *)flows;
	if (!showing->found && refuse_unknown(showing->command))
		return;
	if (showing->selection.id && !showing->found)
		command_done(showing->command, OUTCOME_ABSENT,
			"no such flow: %s (posternctl audit show knows finished ones)",
			showing->words);
	else
		command_ok(showing->command);
}

static void run_show(struct command *command)
{
	struct showing *showing = command_new_state(command, sizeof(*showing));
	if (!showing)
		return;
	take_selection(command, &showing->selection);
	showing->command = command;
	showing->words = command->words[command->nwords - 1];
	showing->flows.on_flow = on_flow;
	showing->flows.done = on_done;
	flow_reports_gather(command->control, &showing->flows);
}

/* ---- kill: only what is there can be ended ---- */

struct killing {
	struct flow_gather flows; /* first */
	struct command *command;
	struct selection selection;
	const char *words; /* as typed, for a refusal */
	json_int_t n;
};

static void on_candidate(struct flow_gather *flows, const struct ipc_flow *flow)
{
	struct killing *killing = (struct killing *)flows;
	killing->n += selected(&killing->selection, flow);
}

static void on_candidates(struct flow_gather *flows)
{
	struct killing *killing = (struct killing *)flows;
	struct command *command = killing->command;
	const struct selection *selection = &killing->selection;
	struct ipc_kill order;
	if (!killing->n) {
		if (!refuse_unknown(command))
			command_done(command, OUTCOME_ABSENT, "no such flow: %s", killing->words);
		return;
	}
	/* what is longer than a name matches no flow, so these fit */
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.flow = selection->id;
	order.ending = ENDING_KILLED_OPERATOR;
	snprintf(order.user, sizeof(order.user), "%s", selection->user ? selection->user : "");
	snprintf(order.server, sizeof(order.server), "%s",
		selection->server ? selection->server : "");
	snprintf(order.zone, sizeof(order.zone), "%s", selection->zone ? selection->zone : "");
	snprintf(order.listener, sizeof(order.listener), "%s",
		selection->listener ? selection->listener : "");
	command_log(command);
	flow_kill(command->control, &order);
	command_row(command, json_pack("{s:I}", "ended", killing->n));
	command_ok(command);
}

static void run_kill(struct command *command)
{
	struct killing *killing = command_new_state(command, sizeof(*killing));
	if (!killing)
		return;
	take_selection(command, &killing->selection);
	killing->command = command;
	killing->words = command->words[command->nwords - 1];
	killing->flows.on_flow = on_candidate;
	killing->flows.done = on_candidates;
	flow_reports_gather(command->control, &killing->flows);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"kill", run_kill},
	{NULL, NULL},
};

const struct command_noun command_flow = {"flow", verbs};
