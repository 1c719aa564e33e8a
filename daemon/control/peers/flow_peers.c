/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_peers.h"

#include "daemon/process/process.h"
#include "lib/ipc/replica.h"

#include <stdlib.h>

struct flow_peers {
	struct control *control;
	void (*on_left)(struct control *control);
	struct flow_peer v[PROCESS_NUMBERS_MAX];
	/* Without flows, of each role: those that control has nothing particular to say to, and in
	 * the place of the first of a role the peer of whoever has. */
	struct peer plain[PROCESS_ROLES][PROCESS_RELAYS_MAX];
	struct peer *own[PROCESS_ROLES];
};
#define PLAIN (PROCESS_ROLES * PROCESS_RELAYS_MAX)

static const struct peer_face plain_face;

static struct peer *plain_at(struct flow_peers *flow_peers, size_t i)
{
	return &flow_peers->plain[i / PROCESS_RELAYS_MAX][i % PROCESS_RELAYS_MAX];
}

/* Each process without flows, one after the other. */
static struct peer *other_at(struct flow_peers *flow_peers, size_t i)
{
	struct peer *own = flow_peers->own[i / PROCESS_RELAYS_MAX];

	return own && i % PROCESS_RELAYS_MAX == 0 ? own : plain_at(flow_peers, i);
}

void flow_peers_put(struct flow_peers *flow_peers, struct peer *peer)
{
	if (flow_peers)
		flow_peers->own[peer->role] = peer;
}

struct flow_peers *flow_peers_new(struct control *control, const struct peer_face *face,
	void (*on_left)(struct control *control))
{
	struct flow_peers *flow_peers = calloc(1, sizeof(*flow_peers));
	if (!flow_peers)
		return NULL;
	flow_peers->control = control;
	flow_peers->on_left = on_left;
	for (uint32_t i = 0; i < PROCESS_NUMBERS_MAX; i++)
		peer_init(&flow_peers->v[i].peer, control, face, PROCESS_RELAY, i);
	for (uint32_t i = 0; i < PLAIN; i++)
		peer_init(plain_at(flow_peers, i), control, &plain_face,
			(enum process_role)(i / PROCESS_RELAYS_MAX), i % PROCESS_RELAYS_MAX);
	return flow_peers;
}

void flow_peers_left(struct flow_peers *flow_peers)
{
	if (flow_peers->on_left)
		flow_peers->on_left(flow_peers->control);
}

void flow_peers_close(struct flow_peers *flow_peers)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct peer *peer = &flow_peers->v[i].peer;
		if (peer->channel)
			channel_drain(peer->channel);
		peer_hang_up(peer);
	}
	for (size_t i = 0; i < PLAIN; i++)
		peer_hang_up(plain_at(flow_peers, i));
}

void flow_peers_free(struct flow_peers *flow_peers)
{
	if (!flow_peers)
		return;
	flow_peers_close(flow_peers);
	free(flow_peers);
}

struct peer *flow_peers_find(struct flow_peers *flow_peers, enum process_role role, uint32_t number)
{
	if (role >= PROCESS_ROLES)
		return NULL;
	if (roles[role].upgrade != ROLE_DRAINS)
		return number < PROCESS_RELAYS_MAX
			       ? other_at(flow_peers, role * PROCESS_RELAYS_MAX + number)
			       : NULL;
	if (number >= PROCESS_NUMBERS_MAX)
		return NULL;
	struct peer *peer = &flow_peers->v[number].peer;
	if (!peer->channel)
		peer->role = role;
	return peer->role == role ? peer : NULL;
}

struct peer *flow_peers_next(struct flow_peers *flow_peers, unsigned *at)
{
	while (*at < PROCESS_NUMBERS_MAX + PLAIN) {
		unsigned i = (*at)++;
		struct peer *peer = i < PROCESS_NUMBERS_MAX
					    ? &flow_peers->v[i].peer
					    : other_at(flow_peers, i - PROCESS_NUMBERS_MAX);
		if (peer->channel)
			return peer;
	}
	return NULL;
}

struct flow_peer *flow_peers_next_flow(struct flow_peers *flow_peers, unsigned *at)
{
	while (*at < PROCESS_NUMBERS_MAX) {
		struct flow_peer *flow = &flow_peers->v[(*at)++];
		if (flow->peer.channel)
			return flow;
	}
	return NULL;
}

/* Does it run, and take new flows? */
static bool serves(const struct peer *peer, enum process_role role)
{
	return peer->channel && !peer->draining && peer->role == role;
}

size_t flow_peers_count(const struct flow_peers *flow_peers, enum process_role role)
{
	size_t n = 0;
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		n += serves(&flow_peers->v[i].peer, role);
	return n;
}

bool flow_peers_any(const struct flow_peers *flow_peers)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.channel)
			return true;
	return false;
}

bool flow_peers_next_draining(
	const struct flow_peers *flow_peers, unsigned *at, struct flow_peers_draining *draining)
{
	for (; *at < PROCESS_NUMBERS_MAX; ++*at) {
		const struct peer *peer = &flow_peers->v[*at].peer;
		if (!peer->channel || !peer->draining)
			continue;
		*draining = (struct flow_peers_draining){.relay = peer->number,
			.flows = peer->last[COUNTER_FLOWS_LIVE],
			.version = peer->version};
		++*at;
		return true;
	}
	return false;
}

/* Is it running, and told ipcs of this kind? */
static bool is_told(const struct peer *peer, const struct ipc_header *ipc)
{
	const unsigned told = roles[peer->role].told;

	switch (ipc->type) {
	case IPC_SESSIONS:
	case IPC_SESSION_GONE:
		return peer->channel && told & TOLD_SESSIONS;
	case IPC_LIST_ENTRIES:
	case IPC_LIST_CLEAR:
	case IPC_BLOCK:
		return peer->channel && told & TOLD_LISTS;
	case IPC_TARGETS:
		return peer->channel && told & TOLD_TARGETS;
	case IPC_INQUIRY:
		return peer->channel && told & TOLD_POLICY;
	default:
		return peer->channel;
	}
}

void flow_peers_send(struct flow_peers *flow_peers, const void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (is_told(&flow_peers->v[i].peer, ipc))
			peer_send(&flow_peers->v[i].peer, ipc);
}

void flow_peers_send_to(struct flow_peers *flow_peers, enum process_role role, const void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.role == role)
			peer_send(&flow_peers->v[i].peer, ipc);
}

void flow_peers_send_all(struct flow_peers *flow_peers, const void *ipc)
{
	flow_peers_send(flow_peers, ipc);
	for (size_t i = 0; i < PLAIN; i++)
		peer_send(other_at(flow_peers, i), ipc);
}

void flow_peers_gather(struct flow_peers *flow_peers, struct gather *gather, void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (is_told(&flow_peers->v[i].peer, ipc))
			gather_try(gather, &flow_peers->v[i].peer.asks, ipc, -1);
}

void flow_peers_gather_from(
	struct flow_peers *flow_peers, enum process_role role, struct gather *gather, void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.role == role && flow_peers->v[i].peer.channel)
			gather_try(gather, &flow_peers->v[i].peer.asks, ipc, -1);
}

bool flow_peers_ask(struct flow_peers *flow_peers, enum process_role role, struct question *ask,
	void *ipc, int fd)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (serves(&flow_peers->v[i].peer, role)) {
			question_send(&flow_peers->v[i].peer.asks, ask, ipc, fd);
			return true;
		}
	return false;
}

void flow_peers_sum_counters(struct flow_peers *flow_peers, uint64_t sum[static COUNTERS])
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		peer_sum_counters(&flow_peers->v[i].peer, sum);
	for (size_t i = 0; i < PLAIN; i++)
		peer_sum_counters(other_at(flow_peers, i), sum);
}

void flow_peers_sum_histograms(
	const struct flow_peers *flow_peers, struct histogram sum[static HISTOGRAMS])
{
	for (unsigned i = 0; i < sizeof(flow_peers->v) / sizeof(flow_peers->v[0]); i++) {
		for (unsigned kind = 0; kind < HISTOGRAMS; kind++) {
			histogram_sum(&sum[kind], &flow_peers->v[i].peer.dead_times[kind]);
			histogram_sum(&sum[kind], &flow_peers->v[i].peer.last_times[kind]);
		}
	}
}
