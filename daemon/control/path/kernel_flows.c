/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/kernel_flows.h"

#include "lib/base/container.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_BUCKETS 16384

struct kernel_flows {
	struct hash by_id, by_client;
	struct heap looks;
	struct kernel_flow *sessions[SESSION_BUCKETS];
	struct kernel_flow *cut, **cut_end;
	size_t most;
};

static uint32_t hash_number(uint64_t number)
{
	return hash_bytes(&number, sizeof(number));
}

static uint32_t hash_client(const struct endpoint *client)
{
	return hash_bytes(&client->addr, sizeof(client->addr)) ^ client->port * 2654435761u;
}

static struct kernel_flow *of_id(struct hash_link *link)
{
	return link ? container_of(link, struct kernel_flow, by_id) : NULL;
}

static struct kernel_flow *of_client(struct hash_link *link)
{
	return link ? container_of(link, struct kernel_flow, by_client) : NULL;
}

static bool is_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

struct kernel_flows *kernel_flows_new(size_t most)
{
	struct kernel_flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->most = most;
	flows->cut_end = &flows->cut;
	if (hash_reserve(&flows->by_id) == 0 && hash_reserve(&flows->by_client) == 0)
		return flows;
	kernel_flows_free(flows);
	return NULL;
}

void kernel_flows_free(struct kernel_flows *flows)
{
	struct hash_walk walk = {0};

	if (!flows)
		return;
	for (struct kernel_flow *flow; (flow = kernel_flows_step(flows, &walk));)
		kernel_flows_del(flows, flow);
	hash_fini(&flows->by_id);
	hash_fini(&flows->by_client);
	heap_fini(&flows->looks);
	free(flows);
}

size_t kernel_flows_count(const struct kernel_flows *flows)
{
	return flows->by_id.n;
}

static void put_in_session(struct kernel_flows *flows, struct kernel_flow *flow)
{
	struct kernel_flow **bucket =
		&flows->sessions[hash_number(flow->session) % SESSION_BUCKETS];

	flow->session_next = *bucket;
	flow->session_back = bucket;
	if (flow->session_next)
		flow->session_next->session_back = &flow->session_next;
	*bucket = flow;
}

struct kernel_flow *kernel_flows_add(
	struct kernel_flows *flows, uint64_t id, const struct ipc_tuple *tuple, uint64_t session)
{
	if (flows->by_id.n >= flows->most)
		return NULL;
	struct kernel_flow *flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->id = id;
	flow->session = session;
	flow->tuple = *tuple;
	flow->zone = flow->rule = flow->server = -1;
	hash_add(&flows->by_id, &flow->by_id, hash_number(id));
	hash_add(&flows->by_client, &flow->by_client, hash_client(&tuple->client));
	put_in_session(flows, flow);
	return flow;
}

static void leave_cut(struct kernel_flows *flows, struct kernel_flow *flow)
{
	if (!flow->back)
		return;
	*flow->back = flow->next;
	if (flow->next)
		flow->next->back = flow->back;
	else
		flows->cut_end = flow->back;
	flow->next = NULL;
	flow->back = NULL;
}

void kernel_flows_del(struct kernel_flows *flows, struct kernel_flow *flow)
{
	hash_del(&flows->by_id, &flow->by_id);
	hash_del(&flows->by_client, &flow->by_client);
	heap_clear(&flows->looks, &flow->look);
	leave_cut(flows, flow);
	*flow->session_back = flow->session_next;
	if (flow->session_next)
		flow->session_next->session_back = flow->session_back;
	policy_unref(flow->policy);
	free(flow);
}

struct kernel_flow *kernel_flows_find(const struct kernel_flows *flows, uint64_t id)
{
	struct kernel_flow *flow = of_id(hash_find(&flows->by_id, hash_number(id)));

	while (flow && flow->id != id)
		flow = of_id(hash_next(&flow->by_id));
	return flow;
}

struct kernel_flow *kernel_flows_of_client(const struct kernel_flows *flows,
	const struct endpoint *client, const struct kernel_flow *before)
{
	struct kernel_flow *flow =
		of_client(before ? hash_next(&before->by_client)
				 : hash_find(&flows->by_client, hash_client(client)));

	while (flow && !is_endpoint(&flow->tuple.client, client))
		flow = of_client(hash_next(&flow->by_client));
	return flow;
}

struct kernel_flow *kernel_flows_find_tuple(
	const struct kernel_flows *flows, const struct ipc_tuple *tuple)
{
	struct kernel_flow *flow = kernel_flows_of_client(flows, &tuple->client, NULL);

	while (flow && !is_endpoint(&flow->tuple.original, &tuple->original))
		flow = kernel_flows_of_client(flows, &tuple->client, flow);
	return flow;
}

struct kernel_flow *kernel_flows_of_session(
	const struct kernel_flows *flows, uint64_t session, const struct kernel_flow *before)
{
	struct kernel_flow *flow = before ? before->session_next
					  : flows->sessions[hash_number(session) % SESSION_BUCKETS];

	while (flow && flow->session != session)
		flow = flow->session_next;
	return flow;
}

struct kernel_flow *kernel_flows_step(const struct kernel_flows *flows, struct hash_walk *walk)
{
	return of_id(hash_step(&flows->by_id, walk));
}

/* Whoever began it, ended it: what comes behind is its echo. */
void kernel_flows_close(struct kernel_flow *flow, enum ending ending)
{
	if (flow->state != KERNEL_FLOW_LIVE)
		return;
	flow->state = KERNEL_FLOW_CLOSING;
	flow->ending = ending;
}

bool kernel_flows_cut(struct kernel_flows *flows, struct kernel_flow *flow, enum ending ending)
{
	if (flow->state == KERNEL_FLOW_CUT)
		return false;
	flow->state = KERNEL_FLOW_CUT;
	flow->ending = ending;
	heap_clear(&flows->looks, &flow->look);
	flow->back = flows->cut_end;
	*flows->cut_end = flow;
	flows->cut_end = &flow->next;
	return true;
}

struct kernel_flow *kernel_flows_take_cut(struct kernel_flows *flows)
{
	struct kernel_flow *flow = flows->cut;

	if (flow)
		leave_cut(flows, flow);
	return flow;
}

bool kernel_flows_any_cut(const struct kernel_flows *flows)
{
	return flows->cut != NULL;
}

void kernel_flows_look_at(struct kernel_flows *flows, struct kernel_flow *flow, uint64_t at_ms)
{
	if (!at_ms || flow->state == KERNEL_FLOW_CUT)
		heap_clear(&flows->looks, &flow->look);
	else if (flow->look.slot || heap_reserve(&flows->looks) == 0)
		heap_set(&flows->looks, &flow->look, at_ms);
}

struct kernel_flow *kernel_flows_next_look(const struct kernel_flows *flows)
{
	struct heap_item *first = heap_first(&flows->looks);

	return first ? container_of(first, struct kernel_flow, look) : NULL;
}
