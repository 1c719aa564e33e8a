/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next program is handed over an exec: the children that live on, and every descriptor
 * that it is to have, as text. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/notify.h"
#include "lib/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void add_child(struct handover *state, const struct keeper_child *child, int channel)
{
	if (!child->pid || channel < 0 || state->nchildren == HANDOVER_CHILDREN_MAX)
		return;
	struct handover_child *to = &state->children[state->nchildren++];
	*to = (struct handover_child){.number = child->number,
		.generation = child->generation,
		.pid = child->pid,
		.channel = channel,
		.mute = child->mute >= 0,
		.until_ms = child->until_ms};
	snprintf(to->role, sizeof(to->role), "%s", roles[child->role].name);
	snprintf(to->version, sizeof(to->version), "%s",
		child->old ? child->version : POSTERN_VERSION);
}

int keeper_handover_plan(const struct keeper *keeper)
{
	uint8_t *bytes;
	size_t len;

	if (!keeper->has_plan || plan_encode(&keeper->plan, &bytes, &len))
		return -1;
	int fd = channel_memfd("postern-plan", bytes, len);
	free(bytes);
	return fd;
}

static void add_own(struct handover *state, const struct keeper *keeper, int plan)
{
	const struct {
		const char *name;
		int fd;
	} own[] = {
		{HANDOVER_LOCK, keeper->lock},
		{HANDOVER_CONTROL_SOCKET, keeper->control_socket},
		{HANDOVER_SESSION_SOCKET, keeper->session_socket},
		{HANDOVER_DESK_SOCKET, keeper->desk_socket},
		{HANDOVER_LIMIT, keeper->limit_fd},
		{HANDOVER_MESSAGE_LIMIT, keeper->message_limit_fd},
		{HANDOVER_QUEUE_STATS, keeper->queue_stats},
		{HANDOVER_NOTIFY, notify_fd()},
		{HANDOVER_TABLE, table_fd(keeper->table)},
		{HANDOVER_QUEUE, queue_fd(keeper->queue)},
		{HANDOVER_FLOW_LOG, keeper->flow_log},
		{HANDOVER_PLAN, plan},
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		handover_add(state, HANDOVER_OWN, own[i].name, "-", own[i].fd);
}

/* First one of each process, then the next of each. */
static void add_listeners(struct handover *state, const struct keeper *keeper)
{
	for (unsigned j = 0; j < PROCESS_LISTENERS; j++) {
		for (size_t i = 0; i < keeper->nchildren; i++) {
			const struct keeper_child *child = &keeper->children[i];
			const char *name = roles[child->role].name;
			handover_add(
				state, HANDOVER_LISTENER, name, "0.0.0.0", child->listeners[0][j]);
			handover_add(state, HANDOVER_LISTENER, name, "::", child->listeners[1][j]);
		}
	}
}

static void add_endpoints(struct handover *state, const struct keeper *keeper)
{
	char text[ENDPOINT_TEXT_SIZE];

	for (unsigned role = 0; role < PROCESS_ROLES; role++)
		for (size_t i = 0; i < keeper->nendpoints; i++) {
			const struct keeper_endpoint *endpoint = &keeper->endpoints[i];
			const unsigned given = roles_given_for(endpoint->taker);
			for (unsigned place = 0;
				roles[role].given & given && place < PROCESS_RELAYS_MAX; place++)
				handover_add(state, HANDOVER_LISTENER, roles[role].name,
					endpoint_format(&endpoint->at, text), endpoint->fds[place]);
		}
}

void keeper_handover_fill(struct keeper *keeper, int plan, struct handover *state)
{
	unsigned at = 0;

	handover_init(state);
	snprintf(state->version, sizeof(state->version), "%s", POSTERN_VERSION);
	snprintf(state->program, sizeof(state->program), "%s", keeper->path);
	state->protocol = ipc_protocol();
	state->drain_s = keeper->drain_s;
	state->upgrades = keeper->upgrade.asked;
	state->paused_ms = keeper->upgrade.paused_ms;
	state->lacks = table_lacks(keeper->table);
	add_own(state, keeper, plan);
	add_listeners(state, keeper);
	add_endpoints(state, keeper);
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));) {
		if (keeper_child_has_flows(child))
			add_child(state, child,
				child->channel ? channel_fd(child->channel) : child->mute);
		else if (roles[child->role].upgrade == ROLE_REPLACED && child->channel &&
			 !keeper->upgrade.foreign)
			add_child(state, child, channel_fd(child->channel));
	}
}

int keeper_handover_write(const struct handover *state)
{
	static char text[HANDOVER_BYTES_MAX];

	int len = handover_encode(state, text, sizeof(text));
	return len < 0 ? len : channel_memfd("postern-handover", text, (size_t)len);
}

void keeper_handover_close_on_exec(const struct handover *state, bool on)
{
	const int flag = on ? FD_CLOEXEC : 0;

	for (size_t i = 0; i < state->nfds; i++)
		fcntl(state->fds[i].fd, F_SETFD, flag);
	for (size_t i = 0; i < state->nchildren; i++)
		fcntl(state->children[i].channel, F_SETFD, flag);
}
