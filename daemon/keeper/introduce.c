/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who talks to whom: the socket pairs between a process and control, and between processes of one
 * place, made when one of the two is started, and what control hears of who is gone. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANNEL_BUFFER (4 << 20)

/* Both ends with a large buffer: a slow reader costs memory of the kernel before any of ours. */
int keeper_introduce_open_pair(int pair[2])
{
	const int size = CHANNEL_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return 0;
}

static void fill_peer(const struct keeper_child *child, unsigned type, struct ipc_peer *peer)
{
	_Static_assert(sizeof(peer->version) == sizeof(child->version), "the same text");
	ipc_init(peer, type, sizeof(*peer));
	peer->role = child->role;
	peer->number = child->number;
	peer->generation = child->generation;
	peer->draining = child->old;
	memcpy(peer->version, child->version, sizeof(peer->version));
}

int keeper_introduce(struct keeper_child *child)
{
	struct ipc_peer peer;
	int pair[2];
	int error = keeper_introduce_open_pair(pair);

	if (error)
		return error;
	fill_peer(child, IPC_PEER, &peer);
	keeper_child_send(&child->keeper->control, &peer, pair[0]);
	close(pair[0]);
	return pair[1];
}

static void introduce_again(struct keeper_child *child)
{
	struct ipc_peer peer;
	char name[16];

	if (!child->channel)
		return;
	int end = keeper_introduce(child);
	if (end < 0) {
		log_error("cannot connect %s with control: %s", keeper_child_name(child, name),
			strerror(-end));
		return;
	}
	fill_peer(&child->keeper->control, IPC_PEER, &peer);
	keeper_child_send(child, &peer, end);
	close(end);
}

static bool are_paired(const struct keeper_child *a, const struct keeper_child *b)
{
	bool near = a->place == b->place || !roles[a->role].many || !roles[b->role].many;

	return near &&
	       (roles[a->role].pairs & 1u << b->role || roles[b->role].pairs & 1u << a->role);
}

/* Each gets one end, with the other's role and number. */
static int pair_up(struct keeper_child *a, struct keeper_child *b)
{
	struct ipc_peer peer;
	int pair[2];
	int error = keeper_introduce_open_pair(pair);

	if (error)
		return error;
	fill_peer(b, IPC_PEER, &peer);
	keeper_child_send(a, &peer, pair[0]);
	fill_peer(a, IPC_PEER, &peer);
	keeper_child_send(b, &peer, pair[1]);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

void keeper_introduce_pairs(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;
	char name[16];

	for (size_t i = 0; i < keeper->nchildren; i++) {
		struct keeper_child *other = &keeper->children[i];
		if (other == child || !other->channel || !are_paired(child, other))
			continue;
		int error = pair_up(child, other);
		if (error)
			log_error("cannot pair %s: %s", keeper_child_name(child, name),
				strerror(-error));
	}
}

void keeper_introduce_all(struct keeper *keeper)
{
	unsigned at = 0;

	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));)
		if (roles[child->role].given & GIVEN_CONTROL)
			introduce_again(child);
}

void keeper_introduce_gone(struct keeper_child *child)
{
	struct ipc_peer gone;

	fill_peer(child, IPC_PEER_GONE, &gone);
	keeper_child_send(&child->keeper->control, &gone, -1);
}
