/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/wanted.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A process that cannot start fails more often than that within this time. */
#define AWAIT_MS 5000

struct wanted {
	struct control *control;
	bool told;
	unsigned roles;        /* as the keeper was told: 1 << role each */
	struct gather *gather; /* waits; or NULL */
	struct loop_timer late;
};

static void on_late(struct loop_timer *timer, uint64_t now_ms);

struct wanted *wanted_new(struct control *control)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted));

	if (!wanted)
		return NULL;
	wanted->control = control;
	wanted->late.on_time = on_late;
	return wanted;
}

void wanted_free(struct wanted *wanted)
{
	if (!wanted)
		return;
	loop_timer_clear(wanted->control->loop, &wanted->late);
	free(wanted);
}

void wanted_policy(struct wanted *wanted, const struct policy *coming)
{
	struct control *control = wanted->control;
	struct ipc_wanted ipc;
	unsigned roles_now = roles_wanted(control->policy) | (coming ? roles_wanted(coming) : 0);

	if (wanted->told && roles_now == wanted->roles)
		return;
	wanted->told = true;
	wanted->roles = roles_now;
	ipc_init(&ipc, IPC_WANTED, sizeof(ipc));
	ipc.roles = roles_now;
	channel_send(control->keeper, &ipc, -1);
}

/* The first that is wanted and of which not all run; PROCESS_ROLES: none. */
static enum process_role missing(const struct wanted *wanted)
{
	const struct control *control = wanted->control;

	for (unsigned role = 0; role < PROCESS_ROLES; role++) {
		size_t n = roles[role].many ? control->start.options.relays : 1;
		if (wanted->roles & roles_with_flows() & 1u << role &&
			flow_peers_count(control->flow_peers, (enum process_role)role) < n)
			return (enum process_role)role;
	}
	return PROCESS_ROLES;
}

bool wanted_all_run(const struct wanted *wanted)
{
	return missing(wanted) == PROCESS_ROLES;
}

static void end(struct wanted *wanted, int status, const char *text)
{
	struct gather *gather = wanted->gather;

	wanted->gather = NULL;
	loop_timer_clear(wanted->control->loop, &wanted->late);
	gather_end(gather, status, text);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	struct wanted *wanted = container_of(timer, struct wanted, late);
	enum process_role role = missing(wanted);
	char text[64];

	(void)now_ms;
	snprintf(text, sizeof(text), "its processes \"%s\" do not come up",
		role == PROCESS_ROLES ? "" : roles[role].name);
	end(wanted, -ETIME, text);
}

void wanted_await(struct wanted *wanted, struct gather *gather)
{
	struct loop *loop = wanted->control->loop;

	gather_add(gather);
	wanted->gather = gather;
	loop_timer_set(loop, &wanted->late, loop_now_ms(loop) + AWAIT_MS);
	wanted_on_peer(wanted);
}

bool wanted_is(const struct wanted *wanted, enum process_role role)
{
	return !roles[role].wanted || wanted->roles & 1u << role;
}

void wanted_on_peer(struct wanted *wanted)
{
	if (wanted->gather && wanted_all_run(wanted))
		end(wanted, 0, NULL);
}
