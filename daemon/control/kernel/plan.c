/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/plan.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/peers/health/health_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int add_targets(struct plan *plan, const struct ipc_targets *targets)
{
	int error = 0;
	for (uint32_t i = 0; i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		for (unsigned a = 0; !error && a < ipc_target_addresses(target); a++) {
			struct endpoint host = {.addr = target->addresses[a], .port = target->port};
			error = plan_add_host(plan, &host);
		}
	}
	return error;
}

int kernel_plan_add_hosts(struct control *control, const struct policy *policy, struct plan *plan)
{
	int error = 0;
	for (size_t i = 0; control->policy && !error && i < policy->nservers; i++) {
		const struct policy_server *server = &policy->servers[i];
		ptrdiff_t at = policy_find_server(control->policy, server->name.text);
		if (server->bind != POLICY_BIND_CLIENT || at < 0)
			continue;
		const struct ipc_targets *targets =
			health_peer_targets(control->health, (size_t)at);
		error = targets ? add_targets(plan, targets) : -ENOMEM;
	}
	return error;
}

int kernel_plan_encode(struct control *control, const struct policy *policy, enum plan_mode mode,
	uint8_t **bytes, size_t *len)
{
	struct plan_options options;
	struct plan plan;
	plan_options_init(&options);
	options.mark_mask = control->start.options.mark_mask;
	options.server_mask = control->start.options.server_mask;
	options.relay_port = control->start.options.relay_port;
	options.queue = control->start.options.queue;
	options.route_table = control->start.options.route_table;
	options.rule_priority = control->start.options.rule_priority;
	options.user = getuid();
	int error = plan_from_policy(policy, &options, mode, &plan);
	if (error)
		return error;
	if (mode == PLAN_RUNNING)
		error = kernel_plan_add_hosts(control, policy, &plan);
	/* the policy's own hosts are within the limit: more addresses than expected are behind
	 * its names, and as many as fit are used */
	if (error == -E2BIG)
		error = 0;
	if (!error && mode == PLAN_RUNNING)
		error = paths_plan(control->paths, policy, &plan);
	if (!error)
		error = plan_encode(&plan, bytes, len);
	plan_fini(&plan);
	return error;
}

int kernel_plan_send(struct control *control, const struct policy *policy, enum plan_mode mode,
	bool lenient, struct gather *gather)
{
	uint8_t *bytes;
	size_t len;
	int error = kernel_plan_encode(control, policy, mode, &bytes, &len);
	if (error)
		return error;
	int fd = channel_memfd("plan", bytes, len);
	free(bytes);
	if (fd < 0)
		return fd;
	struct ipc_plan ipc;
	ipc_init(&ipc, IPC_PLAN, sizeof(ipc));
	ipc.lenient = lenient;
	if (gather) {
		ipc.begin_ms = loop_now_ms(control->loop) + QUESTION_BEGIN_MS;
		gather_send(gather, &control->keeper_asks, &ipc, fd);
	} else {
		error = channel_send(control->keeper, &ipc, fd);
	}
	close(fd);
	return error;
}

void kernel_plan_settled(struct control *control)
{
	struct ipc_plain ipc;

	ipc_init(&ipc, IPC_SETTLED, sizeof(ipc));
	channel_send(control->keeper, &ipc, -1);
}
