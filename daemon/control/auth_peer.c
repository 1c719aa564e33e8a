#include "daemon/control/auth_peer.h"

#include "daemon/channel.h"
#include "daemon/control/control.h"
#include "daemon/control/health_peer.h"
#include "daemon/control/peer_policy.h"
#include "daemon/control/peers.h"
#include "daemon/control/want.h"
#include "daemon/log.h"
#include "lib/ipc/health.h"

#include <stdlib.h>
#include <string.h>

struct auth_peer {
	struct peer peer; /* first */
	struct ipc_auth_state *states;
	size_t n;
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
		if (is_of(peer->peer.control->policy, peer->states[i].auth))
			peer->states[kept++] = peer->states[i];
	peer->n = kept;
}

static void take_state(struct auth_peer *peer, const struct ipc_auth_state *ipc)
{
	struct ipc_auth_state *state = (struct ipc_auth_state *)auth_peer_state(peer, ipc->auth);

	if (!state && is_of(peer->peer.control->policy, ipc->auth)) {
		struct ipc_auth_state *more =
			realloc(peer->states, (peer->n + 1) * sizeof(*peer->states));
		if (!more)
			return;
		peer->states = more;
		state = &peer->states[peer->n++];
	}
	if (state)
		*state = *ipc;
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
	case IPC_AUTH_TESTED: /* of a question that was given up */
		return true;
	case IPC_REPLY:
		if (((const struct ipc_reply *)m)->status < 0)
			log_error("auth refuses what it was told: %s",
				((const struct ipc_reply *)m)->text);
		return true;
	default:
		return false;
	}
}

static void on_gone(struct peer *gone)
{
	if (!gone->control->stopping && want_is(gone->control->want, PROCESS_AUTH))
		log_warning("auth is gone");
	peer_hang_up(gone);
	AUTH(gone)->n = 0;
}

static const struct peer_face face = {.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone};

struct auth_peer *auth_peer_new(struct control *control)
{
	struct auth_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer_init(&peer->peer, control, &face, PROCESS_AUTH, 0);
	peers_put(control->peers, &peer->peer);
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
	free(peer->states);
	free(peer);
}

void auth_peer_follow(struct auth_peer *peer)
{
	drop_old(peer);
	peer_policy_send(&peer->peer);
}

void auth_peer_send(struct auth_peer *peer, const void *ipc)
{
	peer_send(&peer->peer, ipc);
}

bool auth_peer_runs(const struct auth_peer *peer)
{
	return peer->peer.channel != NULL;
}

const struct ipc_auth_state *auth_peer_state(const struct auth_peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->n; i++)
		if (strcmp(peer->states[i].auth, name) == 0)
			return &peer->states[i];
	return NULL;
}

void auth_peer_ask(struct auth_peer *peer, struct ask *ask, void *ipc)
{
	ask_send(&peer->peer.asks, ask, ipc, -1);
}
