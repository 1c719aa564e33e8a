#include "daemon/relay/foresee.h"

#include "daemon/flow/charge.h"
#include "daemon/flow/dial.h"
#include "lib/choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of several hosts that may not be used, the first one's reason. */
static enum ending foresee_hosts(const struct way *way, bool read, char text[IPC_TEXT_SIZE])
{
	const struct replica_server *list =
		replica_targets_of(&way->process->replica->targets, way->policy, way->server);
	enum ending ending = ENDING_NONE;

	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target target = ipc_target_seen(&list->v[i], read);
		bool may = choice_may(&target, way->client.addr.family);
		if (may && !charge_host_is_full(way, &target))
			return ENDING_NONE;
		if (ending == ENDING_NONE)
			snprintf(text, IPC_TEXT_SIZE, "host %.120s: %.120s", target.name,
				may ? "over its limit flows"
				    : choice_refusal(&target, way->client.addr.family));
		if (ending != ENDING_HOST_UNFIT)
			ending = may ? ENDING_OVER_FLOWS_SERVER : ENDING_HOST_UNFIT;
	}
	if (list && list->n > 0)
		return ending;
	snprintf(text, IPC_TEXT_SIZE, "no host of it is known");
	return ENDING_NO_SERVER;
}

static enum ending foresee_original(
	const struct way_host *process, const struct addr *original, char text[IPC_TEXT_SIZE])
{
	const char *refusal = dial_original_refusal(original);

	if (refusal) {
		snprintf(text, IPC_TEXT_SIZE, "the original is %s", refusal);
		return ENDING_HOST_UNFIT;
	}
	if (replica_targets_find_server(&process->replica->targets, original) != -EAGAIN)
		return ENDING_NONE;
	snprintf(text, IPC_TEXT_SIZE, "the original may be a host that is not looked up yet");
	return ENDING_NO_SERVER;
}

enum ending foresee(
	struct way_host *process, const struct ipc_foresee *ipc, char text[IPC_TEXT_SIZE])
{
	struct policy *policy = way_host_picture(process)->policy;
	struct way way = {.process = process, .policy = policy};
	const bool to_original = strcmp(ipc->server, "original") == 0;
	const char *server = to_original ? "" : ipc->server;

	text[0] = '\0';
	if (!policy)
		return ENDING_NO_POLICY;
	way.zone = *ipc->zone ? (int32_t)policy_find_zone(policy, ipc->zone) : -1;
	way.listener = *ipc->listener ? (int32_t)policy_find_listener(policy, ipc->listener) : -1;
	way.server = *server ? (int32_t)policy_find_server(policy, server) : -1;
	way.rule = *ipc->rule ? (int32_t)policy_find_rule(policy, ipc->rule) : -1;
	if (!way_has_place(&way) || (*ipc->rule && way.rule < 0) || (*server && way.server < 0))
		return ENDING_NO_POLICY; /* it has just changed */
	way.mac = ipc->mac;
	way.client.addr = ipc->client;
	memcpy(way.user, ipc->user, sizeof(way.user));
	enum ending over = charge_foresee(&way, text);
	if (over != ENDING_NONE)
		return over;
	if (*server)
		return foresee_hosts(&way, ipc->read, text);
	if (!to_original || ipc->original.addr.family == ADDR_NONE)
		return ENDING_NONE;
	return foresee_original(process, &ipc->original.addr, text);
}
