/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one process as control sees it: its channel, the questions that wait there, its counters
 * over all its lives. What it is for stands in a face of the file that embeds it. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_PEER_H
#define POSTERN_DAEMON_CONTROL_PEERS_PEER_H

#include "daemon/control/peers/question.h"
#include "daemon/process/roles.h"
#include "lib/metrics/counter.h"
#include "lib/metrics/histogram.h"

struct control;
struct peer;

/* Each may be NULL. */
struct peer_face {
	/* The channel is open, and the log level sent. */
	void (*on_open)(struct peer *peer);
	/* Something that is no answer to a question. False: it may not say that. */
	bool (*on_ipc)(struct peer *peer, const struct ipc_header *ipc);
	/* It told its counters. */
	void (*on_counters)(struct peer *peer);
	/* It says no more: its channel is closed right behind this. */
	void (*on_hang_up)(struct peer *peer);
	/* It is gone: peer_hang_up() is to be called. */
	void (*on_gone)(struct peer *peer);
};

struct peer {
	struct control *control;
	const struct peer_face *face;
	enum process_role role;
	uint32_t number, generation;
	struct channel *channel; /* NULL: it does not run */
	struct questions asks;
	bool draining;
	char version[IPC_VERSION_SIZE]; /* of a draining one */
	uint64_t last[COUNTERS];        /* of this generation */
	uint64_t dead[COUNTERS];        /* sum of the generations before */
	struct histogram last_times[HISTOGRAMS], dead_times[HISTOGRAMS];
};

void peer_init(struct peer *peer, struct control *control, const struct peer_face *face,
	enum process_role role, uint32_t number);
/* It started, or met a new control. fd is taken over. */
void peer_add(struct peer *peer, const struct ipc_peer *ipc, int fd);
/* The process that was started so many times has ended: its last words are heard. */
void peer_gone(struct peer *peer, uint32_t generation);
/* Its questions are answered when nothing can be asked of it any more. A dead one's totals stay in
 * the sum; its gauges are nothing any more. */
void peer_hang_up(struct peer *peer);
/* Nothing happens while it does not run: a new one is told at its start. */
void peer_send(struct peer *peer, const void *ipc);
void peer_sum_counters(const struct peer *peer, uint64_t sum[static COUNTERS]);

#endif
