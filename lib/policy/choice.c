/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/choice.h"

/* Less is no attempt: a lost SYN is sent again after a second. */
#define CONNECT_MS_MIN 1200

static bool takes(const struct ipc_target *target, enum addr_family client)
{
	unsigned bit = client == ADDR_IP6 ? TARGET_CLIENTS_IP6 : TARGET_CLIENTS_IP4;
	return target->client_families & bit;
}

static bool is_meant(const struct ipc_target *target, enum addr_family client)
{
	return target->state != TARGET_NEVER && !target->drained && target->weight > 0 &&
	       takes(target, client);
}

bool choice_may(const struct ipc_target *target, enum addr_family client)
{
	return target->naddresses > 0 && is_meant(target, client);
}

bool choice_may_serve(const struct ipc_target *target, enum addr_family client)
{
	return (target->naddresses > 0 || target->pending) && target->state != TARGET_DOWN &&
	       is_meant(target, client);
}

const char *choice_refusal(const struct ipc_target *target, enum addr_family client)
{
	if (target->drained)
		return "drained by the operator";
	if (target->weight == 0)
		return "weight 0: takes no new flows";
	if (target->text[0])
		return target->text;
	if (target->state == TARGET_NEVER)
		return "must not be used";
	if (target->pending)
		return "is not looked up yet";
	if (target->naddresses == 0)
		return "has no address";
	return client == ADDR_IP6 ? "takes no IPv6 clients" : "takes no IPv4 clients";
}

/* What decides before the turn does: the smaller is better. */
static uint32_t rank(const struct ipc_target *target)
{
	return (uint32_t)(target->state == TARGET_DOWN) << 24 | (uint32_t)target->preference << 8 |
	       target->depth;
}

static bool is_left(
	const struct ipc_target *target, size_t at, uint64_t tried, enum addr_family client)
{
	return !(tried >> at & 1) && choice_may(target, client);
}

ptrdiff_t choice_pick(const struct ipc_target *targets, size_t n, uint64_t tried,
	enum addr_family client, struct balance_item *turns)
{
	uint32_t best = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (is_left(&targets[i], i, tried, client) && rank(&targets[i]) < best)
			best = rank(&targets[i]);
	for (size_t i = 0; i < n; i++) {
		turns[i].weight = targets[i].weight;
		turns[i].usable =
			is_left(&targets[i], i, tried, client) && rank(&targets[i]) == best;
	}
	return balance_pick(turns, n);
}

size_t choice_left(
	const struct ipc_target *targets, size_t n, uint64_t tried, enum addr_family client)
{
	size_t left = 0;
	for (size_t i = 0; i < n; i++)
		if (is_left(&targets[i], i, tried, client))
			left += targets[i].naddresses;
	return left;
}

uint32_t choice_connect_ms(uint64_t left_ms, size_t others, uint32_t connect_ms)
{
	uint64_t share = left_ms / (others + 1);
	if (share < CONNECT_MS_MIN)
		share = CONNECT_MS_MIN;
	if (share > left_ms)
		share = left_ms;
	return share < connect_ms ? (uint32_t)share : connect_ms;
}

uint32_t choice_greeting_ms(uint64_t left_ms, size_t others, uint32_t greeting_ms)
{
	uint64_t most = others > 0 ? left_ms - left_ms / 3 : left_ms;
	return most < greeting_ms ? (uint32_t)most : greeting_ms;
}
