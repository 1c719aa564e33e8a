/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/kernel_flows.h"

#include "lib/base/container.h"
#include "lib/base/siphash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SESSION_BUCKETS 16384
#define CLIENT_BUCKETS  65536

/* Clients choose the ends, so a secret says where they stand; and as one client's end may have any
 * number of flows, those are no chain of a hash, which is walked to take one out. */
struct kernel_flows {
	struct hash by_id, by_tuple;
	uint8_t secret[SIPHASH_SECRET_SIZE];
	struct heap looks;
	struct kernel_flow *clients[CLIENT_BUCKETS];
	struct kernel_flow *sessions[SESSION_BUCKETS];
	struct kernel_flow *cut, **cut_end;
	size_t most;
};

static uint32_t hash_number(uint64_t number)
{
	return hash_bytes(&number, sizeof(number));
}

/* original NULL: of the client's end alone. */
static uint32_t hash_ends(const struct kernel_flows *flows, const struct endpoint *client,
	const struct endpoint *original)
{
	struct siphash hash;

	siphash_begin(&hash, flows->secret);
	siphash_bytes(&hash, &client->addr, sizeof(client->addr));
	siphash_number(&hash, client->port);
	if (original) {
		siphash_bytes(&hash, &original->addr, sizeof(original->addr));
		siphash_number(&hash, original->port);
	}
	return (uint32_t)siphash_end(&hash);
}

static uint32_t hash_tuple(const struct kernel_flows *flows, const struct ipc_tuple *tuple)
{
	return hash_ends(flows, &tuple->client, &tuple->original);
}

static struct kernel_flow *of_id(struct hash_link *link)
{
	return link ? container_of(link, struct kernel_flow, by_id) : NULL;
}

static struct kernel_flow *of_tuple(struct hash_link *link)
{
	return link ? container_of(link, struct kernel_flow, by_tuple) : NULL;
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
	if (getrandom(flows->secret, sizeof(flows->secret), 0) == (ssize_t)sizeof(flows->secret) &&
		hash_reserve(&flows->by_id) == 0 && hash_reserve(&flows->by_tuple) == 0)
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
	hash_fini(&flows->by_tuple);
	heap_fini(&flows->looks);
	free(flows);
}

size_t kernel_flows_count(const struct kernel_flows *flows)
{
	return flows->by_id.n;
}

static struct kernel_flow *first_of_client(
	const struct kernel_flows *flows, const struct endpoint *client)
{
	return flows->clients[hash_ends(flows, client, NULL) % CLIENT_BUCKETS];
}

static void put_at_client(struct kernel_flows *flows, struct kernel_flow *flow)
{
	struct kernel_flow **bucket =
		&flows->clients[hash_ends(flows, &flow->tuple.client, NULL) % CLIENT_BUCKETS];

	flow->client_next = *bucket;
	flow->client_back = bucket;
	if (flow->client_next)
		flow->client_next->client_back = &flow->client_next;
	*bucket = flow;
}

static uint32_t hash_address(const struct kernel_flows *flows, const struct addr *addr)
{
	struct siphash hash;

	siphash_begin(&hash, flows->secret);
	siphash_bytes(&hash, addr, sizeof(*addr));
	return (uint32_t)siphash_end(&hash);
}

/* Those of no session stand by their address. */
static void put_in_session(struct kernel_flows *flows, struct kernel_flow *flow)
{
	uint32_t hash = flow->session ? hash_number(flow->session)
				      : hash_address(flows, &flow->tuple.client.addr);
	struct kernel_flow **bucket = &flows->sessions[hash % SESSION_BUCKETS];

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
	hash_add(&flows->by_tuple, &flow->by_tuple, hash_tuple(flows, tuple));
	put_at_client(flows, flow);
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
	hash_del(&flows->by_tuple, &flow->by_tuple);
	heap_clear(&flows->looks, &flow->look);
	leave_cut(flows, flow);
	*flow->client_back = flow->client_next;
	if (flow->client_next)
		flow->client_next->client_back = flow->client_back;
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
	struct kernel_flow *flow = before ? before->client_next : first_of_client(flows, client);

	while (flow && !is_endpoint(&flow->tuple.client, client))
		flow = flow->client_next;
	return flow;
}

struct kernel_flow *kernel_flows_find_tuple(
	const struct kernel_flows *flows, const struct ipc_tuple *tuple)
{
	struct kernel_flow *flow = of_tuple(hash_find(&flows->by_tuple, hash_tuple(flows, tuple)));

	while (flow && !(is_endpoint(&flow->tuple.client, &tuple->client) &&
			       is_endpoint(&flow->tuple.original, &tuple->original)))
		flow = of_tuple(hash_next(&flow->by_tuple));
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

struct kernel_flow *kernel_flows_of_address(
	const struct kernel_flows *flows, const struct addr *addr, const struct kernel_flow *before)
{
	struct kernel_flow *flow =
		before ? before->session_next
		       : flows->sessions[hash_address(flows, addr) % SESSION_BUCKETS];

	while (flow && (flow->session || !addr_equal(&flow->tuple.client.addr, addr)))
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
