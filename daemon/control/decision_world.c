/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/decision_world.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/health/health_peer.h"

#include <time.h>

static bool is_host(void *context, size_t server, const struct addr *addr)
{
	const struct control *control = context;
	const struct ipc_targets *targets = health_peer_targets(control->health, server);

	for (uint32_t i = 0; targets && i < targets->n; i++)
		for (unsigned a = 0; a < targets->v[i].naddresses; a++)
			if (addr_equal(&targets->v[i].addresses[a], addr))
				return true;
	return false;
}

struct decide_world decision_world(const struct control *control)
{
	return (struct decide_world){.policy = control->policy,
		.lists = control->lists,
		.sessions = control->table,
		.local = localtime_r,
		.calendar_ahead_ms = clock_ahead_ms(control),
		.blocks = control->blocks,
		.is_host = is_host,
		.is_host_context = (void *)(uintptr_t)control};
}
