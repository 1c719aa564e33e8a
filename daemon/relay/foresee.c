/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/foresee.h"

#include "daemon/flow/charge.h"
#include "daemon/flow/dial.h"
#include "lib/policy/choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What stands in the way at the hosts of a server: how often each, and the first one's words. */
struct obstacles {
	size_t down, full, unfit;
	char down_text[IPC_TEXT_SIZE], full_text[IPC_TEXT_SIZE], unfit_text[IPC_TEXT_SIZE];
};

static void meet(const struct way *way, const struct ipc_target *target, struct obstacles *met)
{
	const char *said = *target->text ? target->text : "it does not answer";

	if (!choice_may(target, way->client.addr.family)) {
		if (met->unfit++ == 0)
			snprintf(met->unfit_text, IPC_TEXT_SIZE, "host %.120s: %.120s",
				target->name, choice_refusal(target, way->client.addr.family));
	} else if (charge_host_is_full(way, target)) {
		if (met->full++ == 0)
			snprintf(met->full_text, IPC_TEXT_SIZE, "host %.120s: over its limit flows",
				target->name);
	} else if (met->down++ == 0) {
		snprintf(met->down_text, IPC_TEXT_SIZE, "host %.120s: down: %.110s", target->name,
			said);
	}
}

/* As the flow ends that meets them all: what is down is tried all the same, and what may not be
 * tried is not told of beside what is full. */
static enum ending ending_at(const struct obstacles *met, char text[IPC_TEXT_SIZE])
{
	const char *first = met->down   ? met->down_text
			    : met->full ? met->full_text
					: met->unfit_text;

	memcpy(text, first, IPC_TEXT_SIZE);
	if (met->down || (!met->full && met->unfit > 1))
		return ENDING_NO_SERVER;
	return met->full ? ENDING_OVER_FLOWS_SERVER : ENDING_HOST_UNFIT;
}

static enum ending foresee_hosts(const struct way *way, bool read, char text[IPC_TEXT_SIZE])
{
	const struct replica_server *list =
		replica_targets_of(&way->process->replica->targets, way->policy, way->server);
	struct obstacles met = {0};

	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target target = ipc_target_seen(&list->v[i], read);
		if (target.state != TARGET_DOWN && choice_may(&target, way->client.addr.family) &&
			!charge_host_is_full(way, &target))
			return ENDING_NONE;
		meet(way, &target, &met);
	}
	if (list && list->n > 0)
		return ending_at(&met, text);
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
