/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/bind_client.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/policy/turns.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bind_client {
	struct control *control;
	void (*known)(void *context);
	void *context;
	struct plan in_kernel, sent; /* hosts alone: what the keeper has, and what it was sent */
	struct gather gather;
	bool asking, again;
};

static void ask(void *context);

struct bind_client *bind_client_new(
	struct control *control, void (*known)(void *context), void *context)
{
	struct bind_client *bind_client = calloc(1, sizeof(*bind_client));
	if (!bind_client)
		return NULL;
	bind_client->control = control;
	bind_client->known = known;
	bind_client->context = context;
	return bind_client;
}

void bind_client_free(struct bind_client *bind_client)
{
	if (!bind_client)
		return;
	plan_fini(&bind_client->in_kernel);
	plan_fini(&bind_client->sent);
	free(bind_client);
}

/* Hosts that the policy holds as addresses are in the kernel with the policy. */
static bool is_written(const struct policy_server *server, const struct endpoint *host)
{
	for (size_t i = 0; i < server->nhosts; i++) {
		if (server->hosts[i].port == host->port &&
			addr_equal(&server->hosts[i].addr, &host->addr))
			return true;
	}
	return false;
}

static bool is_in_kernel(const struct bind_client *bind_client, const struct endpoint *host)
{
	for (size_t i = 0; i < bind_client->in_kernel.nhosts; i++) {
		if (bind_client->in_kernel.hosts[i].port == host->port &&
			addr_equal(&bind_client->in_kernel.hosts[i].addr, &host->addr))
			return true;
	}
	return false;
}

static void on_answer(struct gather *gather)
{
	struct bind_client *bind_client = container_of(gather, struct bind_client, gather);
	bind_client->asking = false;
	if (gather->status)
		log_error("the addresses of servers with `bind client` are not used yet: %s",
			gather->text[0] ? gather->text : strerror(-gather->status));
	else
		plan_keep_hosts(&bind_client->in_kernel, &bind_client->sent);
	if (bind_client->again)
		ask(bind_client);
	else if (!gather->status)
		bind_client->known(bind_client->context);
}

static void ask(void *context)
{
	struct bind_client *bind_client = context;
	struct control *control = bind_client->control;

	bind_client->asking = true;
	bind_client->again = false;
	plan_fini(&bind_client->sent);
	gather_init(&bind_client->gather, on_answer);
	int error = kernel_plan_add_hosts(control, control->policy, &bind_client->sent);
	if (!error)
		error = kernel_plan_send(
			control, control->policy, PLAN_RUNNING, true, &bind_client->gather);
	gather_end(&bind_client->gather, error, NULL);
}

bool bind_client_pass(struct bind_client *bind_client, const struct ipc_targets *targets)
{
	const struct policy *policy = bind_client->control->policy;
	ptrdiff_t at = policy_find_server(policy, targets->server);
	bool missing = false;

	if (at < 0 || policy->servers[at].bind != POLICY_BIND_CLIENT)
		return true;
	for (uint32_t i = 0; i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		for (unsigned a = 0; a < ipc_target_addresses(target); a++) {
			const struct endpoint host = {
				.addr = target->addresses[a], .port = target->port};
			missing |= !is_written(&policy->servers[at], &host) &&
				   !is_in_kernel(bind_client, &host);
		}
	}
	if (!missing)
		return true;
	if (bind_client->asking) {
		bind_client->again = true;
		return false;
	}
	/* not beside an apply, whose plan may be another policy's */
	bind_client->asking = true;
	turns_when_free(bind_client->control->turns, ask, bind_client);
	return false;
}
