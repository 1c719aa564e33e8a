/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/peer.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"

#include <string.h>
#include <unistd.h>

void peer_init(struct peer *peer, struct control *control, const struct peer_face *face,
	enum process_role role, uint32_t number)
{
	*peer = (struct peer){.control = control, .face = face, .role = role, .number = number};
}

void peer_hang_up(struct peer *peer)
{
	if (!peer->channel)
		return;
	if (peer->face->on_hang_up)
		peer->face->on_hang_up(peer);
	channel_free(peer->channel);
	peer->channel = NULL;
	questions_fini(&peer->asks);
	for (unsigned i = 0; i < COUNTERS; i++)
		if (counter_kind_of(i) == COUNTER_KIND_TOTAL)
			peer->dead[i] += peer->last[i];
	memset(peer->last, 0, sizeof(peer->last));
	for (unsigned i = 0; i < HISTOGRAMS; i++)
		histogram_sum(&peer->dead_times[i], &peer->last_times[i]);
	memset(peer->last_times, 0, sizeof(peer->last_times));
}

static void take_counters(struct peer *peer, const struct ipc_counters *ipc)
{
	memcpy(peer->last, ipc->v, sizeof(peer->last));
	memcpy(peer->last_times, ipc->histograms, sizeof(peer->last_times));
	if (peer->face->on_counters)
		peer->face->on_counters(peer);
}

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct peer *peer = context;
	char name[16];

	if (fd >= 0)
		close(fd);
	peer->control->counters[COUNTER_IPC_RECEIVED]++;
	if (questions_on_ipc(&peer->asks, ipc))
		return;
	if (ipc->type == IPC_COUNTERS) {
		take_counters(peer, (const struct ipc_counters *)ipc);
	} else if (!peer->face->on_ipc || !peer->face->on_ipc(peer, ipc)) {
		peer->control->counters[COUNTER_IPC_BAD]++;
		log_warning("%s sent %s, which it may not send: ignored",
			roles_title(peer->role, peer->number, name), ipc_name(ipc->type));
	}
}

static void on_gone(void *context)
{
	struct peer *peer = context;

	if (peer->face->on_gone)
		peer->face->on_gone(peer);
	else
		peer_hang_up(peer);
}

static const struct channel_handler handler = {.on_ipc = on_ipc, .on_gone = on_gone};

void peer_add(struct peer *peer, const struct ipc_peer *ipc, int fd)
{
	struct ipc_log_level level;

	if (fd < 0)
		return;
	if (peer->channel)
		on_gone(peer);
	peer->channel = channel_open(peer->control->loop, fd, &handler, peer);
	if (!peer->channel) {
		close(fd);
		return;
	}
	peer->generation = ipc->generation;
	peer->draining = ipc->draining;
	memcpy(peer->version, ipc->version, sizeof(peer->version));
	questions_init(&peer->asks, peer->control->loop, peer->channel);
	ipc_init(&level, IPC_LOG_LEVEL, sizeof(level));
	level.level = peer->control->log_level;
	peer_send(peer, &level);
	if (peer->face->on_open)
		peer->face->on_open(peer);
}

void peer_gone(struct peer *peer, uint32_t generation)
{
	/* what it said last may still wait in its socket */
	if (peer->channel && peer->generation == generation)
		channel_drain(peer->channel);
	if (peer->channel && peer->generation == generation)
		on_gone(peer);
}

void peer_send(struct peer *peer, const void *ipc)
{
	if (peer->channel)
		channel_send(peer->channel, ipc, -1);
}

void peer_sum_counters(const struct peer *peer, uint64_t sum[static COUNTERS])
{
	counter_sum(sum, peer->dead);
	counter_sum(sum, peer->last);
}
