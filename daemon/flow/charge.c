/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/charge.h"

#include "daemon/flow/choose.h"
#include "daemon/flow/way.h"
#include "lib/language/language.h"
#include "lib/limit/limit.h"
#include "lib/limit/limit_of.h"
#include "lib/policy/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(LIMIT_FLOWS_HOST == WAY_HOLDS - 1, "one hold for each kind of limit on flows");

#define HOST_SIZE (TARGET_NAME_SIZE + 8)

/* What is counted: of a client its MAC where the zone knows clients by it, else its address. */
struct subject {
	const char *zone;
	const void *bytes;
	size_t len;
};

void charge_init(struct way *way)
{
	for (unsigned i = 0; i < WAY_HOLDS; i++)
		way->holds[i] = LIMIT_NONE;
}

static uint64_t now_us(const struct way *way)
{
	return way_now_ms(way) * 1000;
}

/* True: over the limit. */
static bool over(struct way *way, enum limit_verdict verdict)
{
	if (verdict == LIMIT_FULL)
		way_count(way, COUNTER_LIMITS_FULL);
	return verdict == LIMIT_OVER;
}

static uint64_t key_of(const struct way *way, enum limit_kind kind, const struct subject *subject)
{
	return limit_key(
		&way->process->limit, kind, subject->zone, subject->bytes, subject->len, 0, 0);
}

static bool take(struct way *way, enum limit_kind kind, const struct subject *subject, uint32_t max)
{
	struct way_host *process = way->process;
	uint64_t key = key_of(way, kind, subject);
	return over(way, limit_take(&process->limit, process->column, key, max, now_us(way),
				 &way->holds[kind]));
}

static uint64_t rate_key_of(const struct way *way, enum limit_kind kind,
	const struct subject *subject, const struct policy_limit *limit)
{
	return limit_key(&way->process->limit, kind, subject->zone, subject->bytes, subject->len,
		limit->count, limit->per_seconds);
}

static bool take_rate(struct way *way, enum limit_kind kind, const struct subject *subject,
	const struct policy_limit *limit)
{
	struct way_host *process = way->process;
	uint64_t key = rate_key_of(way, kind, subject, limit);
	return over(way, limit_rate(&process->limit, process->column, key, limit->count,
				 limit->per_seconds, now_us(way)));
}

/* scope: for as long as the subject. */
static struct subject subject_of(
	const struct way *way, const struct limit_of *limit, char scope[static LIMIT_OF_SCOPE_SIZE])
{
	const struct limit_place place = way_place(way);
	const struct limit_who who = {
		.mac = &way->mac, .addr = &way->client.addr, .user = way->user};
	struct limit_subject subject =
		limit_of_subject(way->policy, place, limit->limit->per, &who);

	return (struct subject){limit_of_scope(way->policy, place, way->rule, limit, scope),
		subject.bytes, subject.len};
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

/* Control decides whether it becomes a block, and every process with flows hears of it. */
void charge_block(const struct way *way, const struct policy_limit *limit)
{
	const struct limit_who who = {
		.mac = &way->mac, .addr = &way->client.addr, .user = way->user};
	struct ipc_block ipc;
	struct block *block = &ipc.block;

	ipc_init(&ipc, IPC_BLOCK, sizeof(ipc));
	ipc.add = 1;
	limit_of_block(way->policy, way_place(way), limit, &who, way->session, block);
	block->code = 421;
	block->flow = way->id;
	block->since_ms = way_now_ms(way);
	block->until_ms = block->since_ms + limit->block_s * 1000ull;
	language_format_limit(limit, block->limit);
	child_send(way->process->child, &ipc);
}

/* What a way's limits are. */
struct limits {
	struct limit_of v[LIMIT_OF_MAX];
	size_t n;
};

static void limits_of(const struct way *way, struct limits *limits)
{
	limits->n = limit_of(way->policy, way_place(way), way->rule, limits->v);
}

/* A listener's client has no user before he logs in: what is per user counts from then on. */
static bool is_due(const struct way *way, const struct policy_limit *limit, bool of_user)
{
	return of_user ? limit->per == POLICY_PER_USER
		       : limit->per != POLICY_PER_USER || way->listener < 0;
}

/* Rates first: a flow that is refused for its rate holds nothing. */
static enum ending charge_rates(struct way *way, const struct limits *limits, bool of_user)
{
	char scope[LIMIT_OF_SCOPE_SIZE];

	for (size_t i = 0; i < limits->n; i++) {
		const struct policy_limit *limit = limits->v[i].limit;
		if (limit->kind != POLICY_LIMIT_RATE || !is_due(way, limit, of_user))
			continue;
		struct subject subject = subject_of(way, &limits->v[i], scope);
		if (!take_rate(way, kinds[limit->per].rate, &subject, limit))
			continue;
		if (limit->block_s)
			charge_block(way, limit);
		return kinds[limit->per].over_rate;
	}
	return ENDING_NONE;
}

static enum ending charge_flows(struct way *way, const struct limits *limits, bool of_user)
{
	char scope[LIMIT_OF_SCOPE_SIZE];

	for (size_t i = 0; i < limits->n; i++) {
		const struct policy_limit *limit = limits->v[i].limit;
		if (limit->kind != POLICY_LIMIT_FLOWS || !is_due(way, limit, of_user))
			continue;
		struct subject subject = subject_of(way, &limits->v[i], scope);
		if (take(way, kinds[limit->per].flows, &subject, limit->count))
			return kinds[limit->per].over_flows;
	}
	return ENDING_NONE;
}

enum ending charge_server(struct way *way)
{
	const struct policy_server *server = way_server(way);
	if (!server)
		return ENDING_NONE;
	struct subject subject = {.bytes = server->name.text, .len = server->name.len};
	if (server->limit_flows == 0)
		return ENDING_NONE;
	return take(way, LIMIT_FLOWS_SERVER, &subject, server->limit_flows)
		       ? ENDING_OVER_FLOWS_SERVER
		       : ENDING_NONE;
}

enum ending charge_flow(struct way *way)
{
	static const struct subject all;
	struct limits limits;

	limits_of(way, &limits);
	enum ending ending = charge_rates(way, &limits, false);
	if (ending == ENDING_NONE && take(way, LIMIT_FLOWS_TOTAL, &all, way->policy->limit_flows))
		ending = ENDING_OVER_FLOWS_TOTAL;
	if (ending == ENDING_NONE)
		ending = charge_flows(way, &limits, false);
	if (ending == ENDING_NONE)
		ending = charge_server(way);
	return ending;
}

enum ending charge_user(struct way *way)
{
	struct limits limits;

	limits_of(way, &limits);
	enum ending ending = charge_rates(way, &limits, true);
	return ending == ENDING_NONE ? charge_flows(way, &limits, true) : ending;
}

/* By its name and port: its addresses are one host. */
static struct subject host_of_server(
	const struct way *way, const struct ipc_target *target, char name[HOST_SIZE])
{
	int n = snprintf(name, HOST_SIZE, "%s %u", target->name, target->port);

	return (struct subject){
		.zone = way_server(way)->name.text, .bytes = name, .len = (size_t)n};
}

enum ending charge_host(struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	char name[HOST_SIZE];
	if (!target || target->limit_flows == 0)
		return ENDING_NONE;
	struct subject subject = host_of_server(way, target, name);
	return take(way, LIMIT_FLOWS_HOST, &subject, target->limit_flows) ? ENDING_OVER_FLOWS_SERVER
									  : ENDING_NONE;
}

static bool is_full(
	const struct way *way, enum limit_kind kind, const struct subject *subject, uint32_t max)
{
	uint32_t n = limit_count(&way->process->limit, key_of(way, kind, subject));

	return n >= max && n != UINT32_MAX;
}

bool charge_host_is_full(const struct way *way, const struct ipc_target *target)
{
	char name[HOST_SIZE];

	if (target->limit_flows == 0)
		return false;
	struct subject subject = host_of_server(way, target, name);
	return is_full(way, LIMIT_FLOWS_HOST, &subject, target->limit_flows);
}

static enum ending foresee_kind(
	const struct way *way, enum policy_limit_kind kind, char text[IPC_TEXT_SIZE])
{
	struct limits limits;
	char limit_text[LANGUAGE_LIMIT_SIZE], scope[LIMIT_OF_SCOPE_SIZE];
	bool rates = kind == POLICY_LIMIT_RATE;

	limits_of(way, &limits);
	for (size_t i = 0; i < limits.n; i++) {
		const struct limit_of *of = &limits.v[i];
		const struct policy_limit *limit = of->limit;
		if (limit->kind != kind)
			continue;
		struct subject subject = subject_of(way, of, scope);
		bool full =
			rates ? limit_rate_is_over(&way->process->limit,
					rate_key_of(way, kinds[limit->per].rate, &subject, limit),
					limit->count, limit->per_seconds, now_us(way))
			      : is_full(way, kinds[limit->per].flows, &subject, limit->count);
		if (!full)
			continue;
		snprintf(text, IPC_TEXT_SIZE, "%s of %s %s",
			language_format_limit(limit, limit_text),
			of->of_rule          ? "rule"
			: way->listener >= 0 ? "listener"
					     : "zone",
			of->of_rule ? way->policy->rules[way->rule].name.text
				    : limit_place_name(way->policy, way_place(way))->text);
		return rates ? kinds[limit->per].over_rate : kinds[limit->per].over_flows;
	}
	return ENDING_NONE;
}

static enum ending foresee_total(const struct way *way, char text[IPC_TEXT_SIZE])
{
	static const struct subject all;
	uint32_t total = way->policy->limit_flows;

	if (!is_full(way, LIMIT_FLOWS_TOTAL, &all, total))
		return ENDING_NONE;
	snprintf(text, IPC_TEXT_SIZE, "limit flows %u of the gateway", total);
	return ENDING_OVER_FLOWS_TOTAL;
}

static enum ending foresee_server(const struct way *way, char text[IPC_TEXT_SIZE])
{
	const struct policy_server *server = way_server(way);

	if (!server || server->limit_flows == 0)
		return ENDING_NONE;
	struct subject subject = {.bytes = server->name.text, .len = server->name.len};
	if (!is_full(way, LIMIT_FLOWS_SERVER, &subject, server->limit_flows))
		return ENDING_NONE;
	snprintf(text, IPC_TEXT_SIZE, "limit flows %u of server %s", server->limit_flows,
		server->name.text);
	return ENDING_OVER_FLOWS_SERVER;
}

/* In the order of charge_flow(). */
enum ending charge_foresee(const struct way *way, char text[IPC_TEXT_SIZE])
{
	enum ending ending = foresee_kind(way, POLICY_LIMIT_RATE, text);

	if (ending == ENDING_NONE)
		ending = foresee_total(way, text);
	if (ending == ENDING_NONE)
		ending = foresee_kind(way, POLICY_LIMIT_FLOWS, text);
	return ending == ENDING_NONE ? foresee_server(way, text) : ending;
}

static void drop(struct way *way, unsigned kind)
{
	struct way_host *process = way->process;
	if (way->holds[kind] != LIMIT_NONE)
		limit_drop(&process->limit, process->column, way->holds[kind]);
	way->holds[kind] = LIMIT_NONE;
}

void charge_drop_host(struct way *way)
{
	drop(way, LIMIT_FLOWS_HOST);
}

void charge_drop_server(struct way *way)
{
	drop(way, LIMIT_FLOWS_SERVER);
}

void charge_drop(struct way *way)
{
	for (unsigned i = 0; i < WAY_HOLDS; i++)
		drop(way, i);
}
