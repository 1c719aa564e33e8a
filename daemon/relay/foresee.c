#include "daemon/relay/foresee.h"

#include "daemon/flow/charge.h"
#include "daemon/flow/dial.h"
#include "daemon/relay/connect.h"
#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

/* Of several hosts that may not be used, the first one's reason. */
static enum ending foresee_hosts(struct flow *flow, char text[IPC_TEXT_SIZE])
{
	const struct choose_table *table = &flow->relay->choose;
	const struct choose_list *list =
		table->policy == flow->policy ? table->v[flow->server_index] : NULL;
	enum ending ending = ENDING_NONE;

	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target *target = &list->v[i];
		bool may = choice_may(target, flow->client_end.addr.family);
		if (may && !charge_host_is_full(flow, target))
			return ENDING_NONE;
		if (ending == ENDING_NONE)
			snprintf(text, IPC_TEXT_SIZE, "host %.120s: %.120s", target->name,
				may ? "over its limit flows"
				    : choice_refusal(target, flow->client_end.addr.family));
		if (ending != ENDING_HOST_UNFIT)
			ending = may ? ENDING_OVER_FLOWS_SERVER : ENDING_HOST_UNFIT;
	}
	if (list && list->n > 0)
		return ending;
	snprintf(text, IPC_TEXT_SIZE, "no host of it is known");
	return ENDING_NO_SERVER;
}

enum ending foresee(struct relay *relay, const struct ipc_foresee *ipc, char text[IPC_TEXT_SIZE])
{
	struct policy *policy = relay_picture(relay)->policy;
	struct flow flow = {.relay = relay, .policy = policy};
	bool to_original = strcmp(ipc->server, "original") == 0;

	text[0] = '\0';
	if (!policy)
		return ENDING_NO_POLICY;
	flow.zone = (int32_t)policy_find_zone(policy, ipc->zone);
	flow.server_index = to_original ? -1 : (int32_t)policy_find_server(policy, ipc->server);
	if (flow.zone < 0 || (!to_original && flow.server_index < 0))
		return ENDING_NO_POLICY; /* it has just changed */
	flow.mac = ipc->mac;
	flow.client_end.addr = ipc->client;
	memcpy(flow.user, ipc->user, sizeof(flow.user));
	enum ending over = charge_foresee(&flow, text);
	if (over != ENDING_NONE)
		return over;
	if (to_original && ipc->original.addr.family == ADDR_NONE)
		return ENDING_NONE;
	if (!to_original)
		return foresee_hosts(&flow, text);
	const char *refusal = dial_original_refusal(&ipc->original.addr);
	if (!refusal)
		return ENDING_NONE;
	snprintf(text, IPC_TEXT_SIZE, "the original is %s", refusal);
	return ENDING_HOST_UNFIT;
}
