/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/auth_peer.h"

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/peer_policy.h"
#include "daemon/control/policy/wanted.h"
#include "lib/ipc/health.h"

#include <stdlib.h>
#include <string.h>

/* What is known of one backend of the policy. */
struct known {
	struct ipc_auth_state state;
	bool told;                /* by the process that runs */
	struct auth_counts ended; /* of its name, before what `state` counts */
};

struct auth_peer {
	struct peer peer; /* first */
	struct known *known;
	size_t n;
	uint8_t key[AFFIRM_KEY_SIZE];
	bool has_key;
};

#define AUTH(pointer) ((struct auth_peer *)(pointer))

static void on_open(struct peer *opened)
{
	struct ipc_plain done;

	if (!opened->control->policy)
		return;
	peer_policy_send(opened);
	health_peer_tell(opened->control->health, opened->channel);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	peer_send(opened, &done);
}

static bool is_of(const struct policy *policy, const char *name)
{
	return policy && policy_find_auth(policy, name) >= 0;
}

/* Of what the policy no longer has nothing is told. */
static void drop_old(struct auth_peer *peer)
{
	size_t kept = 0;

	for (size_t i = 0; i < peer->n; i++)
		if (is_of(peer->peer.control->policy, peer->known[i].state.auth))
			peer->known[kept++] = peer->known[i];
	peer->n = kept;
}

static struct known *find(const struct auth_peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->n; i++)
		if (strcmp(peer->known[i].state.auth, name) == 0)
			return &peer->known[i];
	return NULL;
}

static struct known *add(struct auth_peer *peer)
{
	struct known *more = realloc(peer->known, (peer->n + 1) * sizeof(*peer->known));

	if (!more)
		return NULL;
	peer->known = more;
	memset(&more[peer->n], 0, sizeof(*more));
	return &more[peer->n++];
}

static void sum(struct auth_counts *all, const struct auth_counts *more)
{
	all->asked += more->asked;
	all->passed += more->passed;
	all->refused += more->refused;
	all->later += more->later;
	all->limited += more->limited;
	all->slow += more->slow;
}

static void take_state(struct auth_peer *peer, const struct ipc_auth_state *ipc)
{
	struct known *known = find(peer, ipc->auth);

	if (!known && is_of(peer->peer.control->policy, ipc->auth))
		known = add(peer);
	if (!known)
		return;
	if (known->state.begun_ms != ipc->begun_ms)
		sum(&known->ended, &known->state.counts);
	known->state = *ipc;
	known->told = true;
}

static bool on_ipc(struct peer *told, const struct ipc_header *ipc)
{
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_AUTH_STATE:
		take_state(AUTH(told), m);
		return true;
	case IPC_RESOLVE: /* without a health process it is not answered, and asked again */
		health_peer_send(told->control->health, ipc);
		return true;
	case IPC_AUTH_KEY:
		memcpy(AUTH(told)->key, ((const struct ipc_auth_key *)m)->key, AFFIRM_KEY_SIZE);
		AUTH(told)->has_key = true;
		return true;
	case IPC_AUTH_TESTED: /* of a question that was given up */
		return true;
	case IPC_REPLY:
		if (((const struct ipc_reply *)m)->status < 0)
			log_error("auth refused what control sent: %s",
				((const struct ipc_reply *)m)->text);
		return true;
	default:
		return false;
	}
}

static void on_gone(struct peer *gone)
{
	if (!gone->control->stopping && wanted_is(gone->control->wanted, PROCESS_AUTH))
		log_warning("auth is gone");
	peer_hang_up(gone);
	for (size_t i = 0; i < AUTH(gone)->n; i++)
		AUTH(gone)->known[i].told = false;
}

static const struct peer_face face = {.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone};

struct auth_peer *auth_peer_new(struct control *control)
{
	struct auth_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer_init(&peer->peer, control, &face, PROCESS_AUTH, 0);
	flow_peers_put(control->flow_peers, &peer->peer);
	return peer;
}

void auth_peer_close(struct auth_peer *peer)
{
	peer_hang_up(&peer->peer);
}

void auth_peer_free(struct auth_peer *peer)
{
	if (!peer)
		return;
	auth_peer_close(peer);
	explicit_bzero(peer->key, sizeof(peer->key));
	free(peer->known);
	free(peer);
}

void auth_peer_follow(struct auth_peer *peer)
{
	drop_old(peer);
	peer_policy_send(&peer->peer);
}

bool auth_peer_affirms(
	const struct auth_peer *peer, const struct affirmed *affirmed, const struct affirm *affirm)
{
	return peer->has_key &&
	       affirm_check(peer->key, affirmed, loop_now_ms(peer->peer.control->loop), affirm);
}

const struct ipc_auth_state *auth_peer_state(const struct auth_peer *peer, const char *name)
{
	const struct known *known = find(peer, name);

	return known && known->told ? &known->state : NULL;
}

bool auth_peer_counts(const struct auth_peer *peer, const char *name, struct auth_counts *counts)
{
	const struct known *known = find(peer, name);

	if (!known)
		return false;
	*counts = known->ended;
	sum(counts, &known->state.counts);
	return true;
}

void auth_peer_ask(struct auth_peer *peer, struct question *ask, void *ipc)
{
	question_send(&peer->peer.asks, ask, ipc, -1);
}
