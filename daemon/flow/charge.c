#include "daemon/flow/charge.h"

#include "daemon/relay/relay.h"
#include "lib/language.h"
#include "lib/limit.h"
#include "lib/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(LIMIT_FLOWS_HOST == FLOW_HOLDS - 1, "one hold for each kind of limit on flows");

#define HOST_SIZE (TARGET_NAME_SIZE + 8)

/* What is counted: of a client its MAC where the zone knows clients by it, else its address. */
struct subject {
	const char *zone;
	const void *bytes;
	size_t len;
};

void charge_init(struct flow *flow)
{
	for (unsigned i = 0; i < FLOW_HOLDS; i++)
		flow->holds[i] = LIMIT_NONE;
}

static uint64_t now_us(const struct flow *flow)
{
	return loop_now_ms(flow->relay->loop) * 1000;
}

/* True: over the limit. */
static bool over(struct flow *flow, enum limit_verdict verdict)
{
	if (verdict == LIMIT_FULL)
		relay_count(flow->relay, COUNTER_LIMITS_FULL);
	return verdict == LIMIT_OVER;
}

static uint64_t key_of(const struct flow *flow, enum limit_kind kind, const struct subject *subject)
{
	return limit_key(
		&flow->relay->limit, kind, subject->zone, subject->bytes, subject->len, 0, 0);
}

static bool take(
	struct flow *flow, enum limit_kind kind, const struct subject *subject, uint32_t max)
{
	struct relay *relay = flow->relay;
	uint64_t key = key_of(flow, kind, subject);
	return over(flow, limit_take(&relay->limit, relay->start->number, key, max, now_us(flow),
				  &flow->holds[kind]));
}

static uint64_t rate_key_of(const struct flow *flow, enum limit_kind kind,
	const struct subject *subject, const struct policy_limit *limit)
{
	return limit_key(&flow->relay->limit, kind, subject->zone, subject->bytes, subject->len,
		limit->count, limit->per_seconds);
}

static bool take_rate(struct flow *flow, enum limit_kind kind, const struct subject *subject,
	const struct policy_limit *limit)
{
	struct relay *relay = flow->relay;
	uint64_t key = rate_key_of(flow, kind, subject, limit);
	return over(flow, limit_rate(&relay->limit, relay->start->number, key, limit->count,
				  limit->per_seconds, now_us(flow)));
}

static struct subject subject_of(const struct flow *flow, enum policy_per per)
{
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	struct subject subject = {.zone = zone->name.text};

	switch (per) {
	case POLICY_PER_ALL:
	case POLICY_PER_SENDER: /* of messages: not counted here */
	case POLICY_PER_FLOW:
	case POLICY_PER_MESSAGE:
		break;
	case POLICY_PER_USER:
		subject.bytes = flow->user;
		subject.len = strlen(flow->user);
		break;
	case POLICY_PER_CLIENT:
		if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(&flow->mac)) {
			subject.bytes = flow->mac.bytes;
			subject.len = sizeof(flow->mac.bytes);
		} else {
			subject.bytes = &flow->client_end.addr;
			subject.len = sizeof(flow->client_end.addr);
		}
		break;
	}
	return subject;
}

static const struct {
	enum limit_kind flows, rate;
	enum ending over_flows, over_rate;
} kinds[] = {
	[POLICY_PER_ALL] = {LIMIT_FLOWS_ZONE, LIMIT_RATE_ZONE, ENDING_OVER_FLOWS_ZONE,
		ENDING_OVER_RATE_ZONE},
	[POLICY_PER_CLIENT] = {LIMIT_FLOWS_CLIENT, LIMIT_RATE_CLIENT, ENDING_OVER_FLOWS_CLIENT,
		ENDING_OVER_RATE_CLIENT},
	[POLICY_PER_USER] = {LIMIT_FLOWS_USER, LIMIT_RATE_USER, ENDING_OVER_FLOWS_USER,
		ENDING_OVER_RATE_USER},
};

/* A device's user may stand for many hosts: there it is the one that was counted. */
static void name_subject(const struct flow *flow, enum policy_per per, struct block *block)
{
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	bool person = *flow->user && !(flow->session & SESSION_DEVICE_ID);

	if (person || per == POLICY_PER_USER) {
		block->kind = BLOCK_USER;
		memcpy(block->user, flow->user, sizeof(block->user));
	} else if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(&flow->mac)) {
		block->kind = BLOCK_MAC;
		block->mac = flow->mac;
	} else {
		block->kind = BLOCK_ADDRESS;
		block->prefix = prefix_of(&flow->client_end.addr);
	}
}

/* Control decides whether it becomes a block, and every relay hears of it. */
static void ask_block(const struct flow *flow, const struct policy_limit *limit)
{
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	struct ipc_block ipc;
	struct block *block = &ipc.block;

	ipc_init(&ipc, IPC_BLOCK, sizeof(ipc));
	ipc.add = 1;
	name_subject(flow, limit->per, block);
	memcpy(block->zone, zone->name.text, zone->name.len);
	block->code = 421;
	block->flow = flow->id;
	block->since_ms = loop_now_ms(flow->relay->loop);
	block->until_ms = block->since_ms + limit->block_s * 1000ull;
	language_format_limit(limit, block->limit);
	relay_send(flow->relay, &ipc);
}

/* Rates first: a flow that is refused for its rate holds nothing. */
static enum ending charge_rates(struct flow *flow)
{
	const struct policy_limits *limits = &flow->policy->zones[flow->zone].limits;
	for (size_t i = 0; i < limits->n; i++) {
		const struct policy_limit *limit = &limits->v[i];
		if (limit->kind != POLICY_LIMIT_RATE)
			continue;
		struct subject subject = subject_of(flow, limit->per);
		if (!take_rate(flow, kinds[limit->per].rate, &subject, limit))
			continue;
		if (limit->block_s)
			ask_block(flow, limit);
		return kinds[limit->per].over_rate;
	}
	return ENDING_NONE;
}

/* The smallest of several limits of one kind is the one that counts. */
static enum ending charge_zone(struct flow *flow, enum policy_per per)
{
	const struct policy_limits *limits = &flow->policy->zones[flow->zone].limits;
	uint32_t max = UINT32_MAX;

	for (size_t i = 0; i < limits->n; i++) {
		const struct policy_limit *limit = &limits->v[i];
		if (limit->kind == POLICY_LIMIT_FLOWS && limit->per == per && limit->count < max)
			max = limit->count;
	}
	if (max == UINT32_MAX)
		return ENDING_NONE;
	struct subject subject = subject_of(flow, per);
	return take(flow, kinds[per].flows, &subject, max) ? kinds[per].over_flows : ENDING_NONE;
}

static enum ending charge_server(struct flow *flow)
{
	if (flow->server_index < 0)
		return ENDING_NONE;
	const struct policy_server *server = &flow->policy->servers[flow->server_index];
	struct subject subject = {.bytes = server->name.text, .len = server->name.len};
	if (server->limit_flows == 0)
		return ENDING_NONE;
	return take(flow, LIMIT_FLOWS_SERVER, &subject, server->limit_flows)
		       ? ENDING_OVER_FLOWS_SERVER
		       : ENDING_NONE;
}

enum ending charge_flow(struct flow *flow)
{
	static const struct subject all;
	enum ending ending = charge_rates(flow);
	if (ending == ENDING_NONE && take(flow, LIMIT_FLOWS_TOTAL, &all, flow->policy->limit_flows))
		ending = ENDING_OVER_FLOWS_TOTAL;
	if (ending == ENDING_NONE)
		ending = charge_zone(flow, POLICY_PER_ALL);
	if (ending == ENDING_NONE)
		ending = charge_zone(flow, POLICY_PER_CLIENT);
	if (ending == ENDING_NONE)
		ending = charge_zone(flow, POLICY_PER_USER);
	if (ending == ENDING_NONE)
		ending = charge_server(flow);
	return ending;
}

/* By its name and port: its addresses are one host. */
static struct subject host_of_server(
	const struct flow *flow, const struct ipc_target *target, char name[HOST_SIZE])
{
	int n = snprintf(name, HOST_SIZE, "%s %u", target->name, target->port);

	return (struct subject){.zone = flow->policy->servers[flow->server_index].name.text,
		.bytes = name,
		.len = (size_t)n};
}

enum ending charge_host(struct flow *flow)
{
	const struct ipc_target *target = choose_target(flow);
	char name[HOST_SIZE];
	if (!target || target->limit_flows == 0)
		return ENDING_NONE;
	struct subject subject = host_of_server(flow, target, name);
	return take(flow, LIMIT_FLOWS_HOST, &subject, target->limit_flows)
		       ? ENDING_OVER_FLOWS_SERVER
		       : ENDING_NONE;
}

static bool is_full(
	const struct flow *flow, enum limit_kind kind, const struct subject *subject, uint32_t max)
{
	uint32_t n = limit_count(&flow->relay->limit, key_of(flow, kind, subject));

	return n >= max && n != UINT32_MAX;
}

bool charge_host_is_full(const struct flow *flow, const struct ipc_target *target)
{
	char name[HOST_SIZE];
	struct subject subject = host_of_server(flow, target, name);

	return target->limit_flows &&
	       is_full(flow, LIMIT_FLOWS_HOST, &subject, target->limit_flows);
}

/* Of the zone's limits, in the order in which a flow is charged: rates, then those of flows. */
static enum ending foresee_zone(const struct flow *flow, char text[IPC_TEXT_SIZE])
{
	static const enum policy_limit_kind order[] = {POLICY_LIMIT_RATE, POLICY_LIMIT_FLOWS};
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	char limit_text[LANGUAGE_LIMIT_SIZE];

	for (size_t i = 0; i < 2 * zone->limits.n; i++) {
		const struct policy_limit *limit = &zone->limits.v[i % zone->limits.n];
		bool rates = i < zone->limits.n;
		if (limit->kind != order[!rates])
			continue;
		struct subject subject = subject_of(flow, limit->per);
		bool full =
			rates ? limit_rate_is_over(&flow->relay->limit,
					rate_key_of(flow, kinds[limit->per].rate, &subject, limit),
					limit->count, limit->per_seconds, now_us(flow))
			      : is_full(flow, kinds[limit->per].flows, &subject, limit->count);
		if (!full)
			continue;
		snprintf(text, IPC_TEXT_SIZE, "%s of zone %s",
			language_format_limit(limit, limit_text), zone->name.text);
		return rates ? kinds[limit->per].over_rate : kinds[limit->per].over_flows;
	}
	return ENDING_NONE;
}

enum ending charge_foresee(const struct flow *flow, char text[IPC_TEXT_SIZE])
{
	static const struct subject all;
	uint32_t total = flow->policy->limit_flows;
	enum ending ending = foresee_zone(flow, text);

	if (ending != ENDING_NONE)
		return ending;
	if (is_full(flow, LIMIT_FLOWS_TOTAL, &all, total)) {
		snprintf(text, IPC_TEXT_SIZE, "limit flows %u of the gateway", total);
		return ENDING_OVER_FLOWS_TOTAL;
	}
	if (flow->server_index < 0)
		return ENDING_NONE;
	const struct policy_server *server = &flow->policy->servers[flow->server_index];
	struct subject subject = {.bytes = server->name.text, .len = server->name.len};
	if (!server->limit_flows ||
		!is_full(flow, LIMIT_FLOWS_SERVER, &subject, server->limit_flows))
		return ENDING_NONE;
	snprintf(text, IPC_TEXT_SIZE, "limit flows %u of server %s", server->limit_flows,
		server->name.text);
	return ENDING_OVER_FLOWS_SERVER;
}

static void drop(struct flow *flow, unsigned kind)
{
	struct relay *relay = flow->relay;
	if (flow->holds[kind] != LIMIT_NONE)
		limit_drop(&relay->limit, relay->start->number, flow->holds[kind]);
	flow->holds[kind] = LIMIT_NONE;
}

void charge_drop_host(struct flow *flow)
{
	drop(flow, LIMIT_FLOWS_HOST);
}

void charge_drop_server(struct flow *flow)
{
	drop(flow, LIMIT_FLOWS_SERVER);
}

void charge_drop(struct flow *flow)
{
	for (unsigned i = 0; i < FLOW_HOLDS; i++)
		drop(flow, i);
}
