/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/radius_peer.h"

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/control/accounting/accounts.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/peer_policy.h"
#include "daemon/control/policy/wanted.h"
#include "lib/base/container.h"
#include "lib/ipc/replica.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What is known of one radius of the policy. */
struct known {
	struct ipc_radius_state state;
	bool told;                  /* by the process that runs */
	struct radius_counts ended; /* before what `state` counts */
};

/* Answers that go together. */
union done_ipc {
	struct ipc_radius_done ipc;
	uint8_t room[sizeof(struct ipc_radius_done) + IPC_RADIUS_DONE_MAX * sizeof(uint64_t)];
};

struct radius_peer {
	struct peer peer; /* first */
	struct known *known;
	size_t n;
	struct ipc_radius_sender *senders;
	size_t nsenders;
	struct loop_timer flush;
	union done_ipc done; /* last: what it holds is of variable size */
};

#define RADIUS(pointer) ((struct radius_peer *)(pointer))

static void on_open(struct peer *opened)
{
	struct ipc_plain done;

	if (!opened->control->policy)
		return;
	peer_policy_send(opened);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	peer_send(opened, &done);
}

/* ---- what it tells ---- */

static bool is_of(const struct policy *policy, const char *name)
{
	return policy && policy_find_radius(policy, name) >= 0;
}

static struct known *find(const struct radius_peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->n; i++)
		if (strcmp(peer->known[i].state.radius, name) == 0)
			return &peer->known[i];
	return NULL;
}

static struct known *add(struct radius_peer *peer)
{
	struct known *more = realloc(peer->known, (peer->n + 1) * sizeof(*peer->known));

	if (!more)
		return NULL;
	peer->known = more;
	memset(&more[peer->n], 0, sizeof(*more));
	return &more[peer->n++];
}

static void sum_all(uint64_t *all, const uint64_t *more, size_t n)
{
	for (size_t i = 0; i < n; i++)
		all[i] += more[i];
}

static void sum(struct radius_counts *all, const struct radius_counts *more)
{
	all->packets += more->packets;
	all->unlisted += more->unlisted;
	sum_all(all->verdicts, more->verdicts, RADIUS_VERDICTS);
	sum_all(all->statuses, more->statuses, RADIUS_STATUSES);
	sum_all(all->unused, more->unused, RADIUS_UNUSEDS);
	all->answered += more->answered;
	all->duplicates += more->duplicates;
	all->limited += more->limited;
	all->crowded += more->crowded;
	all->bad += more->bad;
}

static void take_state(struct radius_peer *peer, const struct ipc_radius_state *ipc)
{
	struct known *known = find(peer, ipc->radius);

	if (!known && is_of(peer->peer.control->policy, ipc->radius))
		known = add(peer);
	if (!known)
		return;
	if (known->state.begun_ms != ipc->begun_ms)
		sum(&known->ended, &known->state.counts);
	known->state = *ipc;
	known->told = true;
}

static uint64_t last_of(const struct ipc_radius_sender *sender)
{
	return sender->heard_ms > sender->refused_ms ? sender->heard_ms : sender->refused_ms;
}

/* Whoever was not heard for longest gives way. */
static struct ipc_radius_sender *sender_place(
	struct radius_peer *peer, const struct ipc_radius_sender *ipc)
{
	struct ipc_radius_sender *oldest = NULL;

	for (size_t i = 0; i < peer->nsenders; i++) {
		struct ipc_radius_sender *sender = &peer->senders[i];
		if (addr_equal(&sender->source, &ipc->source) &&
			strcmp(sender->radius, ipc->radius) == 0)
			return sender;
		if (!oldest || last_of(sender) < last_of(oldest))
			oldest = sender;
	}
	if (peer->nsenders == RADIUS_SENDERS_MAX)
		return oldest;
	struct ipc_radius_sender *more =
		realloc(peer->senders, (peer->nsenders + 1) * sizeof(*more));
	if (!more)
		return oldest;
	peer->senders = more;
	return &more[peer->nsenders++];
}

static void take_sender(struct radius_peer *peer, const struct ipc_radius_sender *ipc)
{
	struct ipc_radius_sender *place = sender_place(peer, ipc);

	if (place)
		*place = *ipc;
}

/* ---- what came of it ---- */

static void flush(struct radius_peer *peer)
{
	union done_ipc *done = &peer->done;
	const uint32_t n = done->ipc.n, failed = done->ipc.failed;

	if (n == 0)
		return;
	ipc_init(&done->ipc, IPC_RADIUS_DONE, sizeof(done->ipc));
	done->ipc.header.bytes += n * (uint32_t)sizeof(uint64_t);
	done->ipc.n = n;
	done->ipc.failed = failed;
	peer_send(&peer->peer, done);
	done->ipc.n = 0;
}

static void on_flush(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	flush(container_of(timer, struct radius_peer, flush));
}

/* Those of one turn go together. */
static void on_done(void *context, uint64_t id, bool failed)
{
	struct radius_peer *peer = context;
	union done_ipc *done = &peer->done;

	if (done->ipc.n == IPC_RADIUS_DONE_MAX || done->ipc.failed != failed)
		flush(peer);
	done->ipc.failed = failed;
	done->ipc.ids[done->ipc.n++] = id;
	loop_timer_set(
		peer->peer.control->loop, &peer->flush, loop_now_ms(peer->peer.control->loop));
}

static bool on_ipc(struct peer *told, const struct ipc_header *ipc)
{
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_RADIUS_EVENT:
		accounts_take(told->control->accounts, m, on_done, told);
		return true;
	case IPC_RADIUS_STATE:
		take_state(RADIUS(told), m);
		return true;
	case IPC_RADIUS_SENDER:
		take_sender(RADIUS(told), m);
		return true;
	case IPC_REPLY:
		if (((const struct ipc_reply *)m)->status < 0)
			log_error("radius refused what control sent: %s",
				((const struct ipc_reply *)m)->text);
		return true;
	default:
		return false;
	}
}

static void on_gone(struct peer *gone)
{
	if (!gone->control->stopping && wanted_is(gone->control->wanted, PROCESS_RADIUS))
		log_warning("radius is gone");
	peer_hang_up(gone);
	RADIUS(gone)->done.ipc.n = 0;
	for (size_t i = 0; i < RADIUS(gone)->n; i++)
		RADIUS(gone)->known[i].told = false;
}

/* ---- its life ---- */

static const struct peer_face face = {.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone};

struct radius_peer *radius_peer_new(struct control *control)
{
	struct radius_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer_init(&peer->peer, control, &face, PROCESS_RADIUS, 0);
	peer->flush.on_time = on_flush;
	flow_peers_put(control->flow_peers, &peer->peer);
	return peer;
}

void radius_peer_close(struct radius_peer *peer)
{
	peer_hang_up(&peer->peer);
}

void radius_peer_free(struct radius_peer *peer)
{
	if (!peer)
		return;
	radius_peer_close(peer);
	loop_timer_clear(peer->peer.control->loop, &peer->flush);
	free(peer->known);
	free(peer->senders);
	free(peer);
}

/* Of what the policy no longer has nothing is told. */
static void drop_old(struct radius_peer *peer)
{
	const struct policy *policy = peer->peer.control->policy;
	size_t kept = 0;

	for (size_t i = 0; i < peer->n; i++)
		if (is_of(policy, peer->known[i].state.radius))
			peer->known[kept++] = peer->known[i];
	peer->n = kept;
	kept = 0;
	for (size_t i = 0; i < peer->nsenders; i++)
		if (is_of(policy, peer->senders[i].radius))
			peer->senders[kept++] = peer->senders[i];
	peer->nsenders = kept;
}

void radius_peer_follow(struct radius_peer *peer)
{
	drop_old(peer);
	peer_policy_send(&peer->peer);
}

const struct ipc_radius_state *radius_peer_state(const struct radius_peer *peer, const char *name)
{
	const struct known *known = find(peer, name);

	return known && known->told ? &known->state : NULL;
}

bool radius_peer_counts(
	const struct radius_peer *peer, const char *name, struct radius_counts *counts)
{
	const struct known *known = find(peer, name);

	if (!known)
		return false;
	*counts = known->ended;
	sum(counts, &known->state.counts);
	return true;
}

const struct ipc_radius_sender *radius_peer_senders(const struct radius_peer *peer, size_t *n)
{
	*n = peer->nsenders;
	return peer->senders;
}
