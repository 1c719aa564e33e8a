#include "daemon/control/kernel/bound.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/peers/health_peer.h"
#include "daemon/control/policy/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bound {
	struct control *control;
	void (*known)(void *context);
	void *context;
	struct plan in_kernel, sent; /* hosts alone: what the keeper has, and what it was sent */
	struct gather gather;
	bool asking, again;
};

static void ask(void *context);

struct bound *bound_new(struct control *control, void (*known)(void *context), void *context)
{
	struct bound *bound = calloc(1, sizeof(*bound));
	if (!bound)
		return NULL;
	bound->control = control;
	bound->known = known;
	bound->context = context;
	return bound;
}

void bound_free(struct bound *bound)
{
	if (!bound)
		return;
	plan_fini(&bound->in_kernel);
	plan_fini(&bound->sent);
	free(bound);
}

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

int bound_add_hosts(struct control *control, const struct policy *policy, struct plan *plan)
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

static bool is_in_kernel(const struct bound *bound, const struct endpoint *host)
{
	for (size_t i = 0; i < bound->in_kernel.nhosts; i++) {
		if (bound->in_kernel.hosts[i].port == host->port &&
			addr_equal(&bound->in_kernel.hosts[i].addr, &host->addr))
			return true;
	}
	return false;
}

static void on_answer(struct gather *gather)
{
	struct bound *bound =
		(struct bound *)(void *)((char *)gather - offsetof(struct bound, gather));
	bound->asking = false;
	if (gather->status)
		log_error("the addresses of servers with `bind client` are not used yet: %s",
			gather->text[0] ? gather->text : strerror(-gather->status));
	else
		plan_keep_hosts(&bound->in_kernel, &bound->sent);
	if (bound->again)
		ask(bound);
	else if (!gather->status)
		bound->known(bound->context);
}

static void ask(void *context)
{
	struct bound *bound = context;
	struct control *control = bound->control;

	bound->asking = true;
	bound->again = false;
	plan_fini(&bound->sent);
	gather_init(&bound->gather, on_answer);
	int error = bound_add_hosts(control, control->policy, &bound->sent);
	if (!error)
		error = kernel_plan_send(
			control, control->policy, PLAN_RUNNING, true, &bound->gather);
	gather_end(&bound->gather, error, NULL);
}

bool bound_pass(struct bound *bound, const struct ipc_targets *targets)
{
	const struct policy *policy = bound->control->policy;
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
				   !is_in_kernel(bound, &host);
		}
	}
	if (!missing)
		return true;
	if (bound->asking) {
		bound->again = true;
		return false;
	}
	/* not beside an apply, whose plan may be another policy's */
	bound->asking = true;
	apply_when_free(bound->control->apply, ask, bound);
	return false;
}
