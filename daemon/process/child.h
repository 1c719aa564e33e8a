/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what all processes of the table but control have in common: their channels to keeper and
 * control, heartbeat, log level, counters, drain, hand-over, replies. A process embeds it and gives
 * it a face: what is its own. */
#ifndef POSTERN_DAEMON_PROCESS_CHILD_H
#define POSTERN_DAEMON_PROCESS_CHILD_H

#include "daemon/base/channel.h"
#include "daemon/base/loop.h"
#include "daemon/process/process.h"
#include "lib/metrics/counter.h"
#include "lib/metrics/histogram.h"

#define CHILD_MACHINE_SIZE 256

struct child;

/* All but on_control and on_keeper may be NULL. */
struct child_face {
	/* Ipcs that are not the skeleton's. False: it is not for this process, which is then
	 * said. *fd is closed afterwards: who keeps it sets it to -1. */
	bool (*on_control)(struct child *child, const struct ipc_header *ipc, int *fd);
	bool (*on_keeper)(struct child *child, const struct ipc_header *ipc, int *fd);
	/* Nothing is sent to it any more: it ended, hands over, or another one is coming. */
	void (*on_control_gone)(struct child *child);
	/* Another one came, to which nothing was said yet. */
	void (*on_new_control)(struct child *child);
	/* One end of a pair with another process of this version; fd is taken over. */
	void (*on_pair)(struct child *child, enum process_role role, int fd);
	/* Its last words to this control. */
	void (*on_hand_over)(struct child *child);
	/* Sets `draining`, and ends the loop when it is done. NULL: it ends at once. */
	void (*on_drain)(struct child *child, uint32_t seconds);
	/* Once a second, before the counters are told. */
	void (*on_tick)(struct child *child);
	/* The counters are about to be told: gauges. */
	void (*fill_counters)(struct child *child);
};

struct child {
	const struct process_start *start;
	const struct child_face *face;
	struct loop *loop;
	struct channel *keeper;
	struct channel *control; /* NULL: gone; a new one comes */
	bool leaving;            /* control hands over: nothing new goes to it */
	bool draining;           /* the keeper, or its own end, was asked for */
	struct loop_timer tick, leave;
	uint64_t counters[COUNTERS];
	uint64_t counters_sent[COUNTERS];
	struct histogram histograms[HISTOGRAMS];
	char machine[CHILD_MACHINE_SIZE]; /* the machine's own name */
};

static inline void child_count(struct child *child, unsigned counter)
{
	child->counters[counter]++;
}

/* The loop and the channels that start names; reads what later can not be opened. 0 or -errno. */
int child_open(
	struct child *child, const struct process_start *start, const struct child_face *face);
/* Gives up what the role may not and waits until the end; or, with an error from setting up, says
 * that. Returns the exit status. */
int child_run(struct child *child, int error);
/* What was opened. The child itself is the process's. */
void child_fini(struct child *child);
/* The process ends with status 0. */
void child_end(struct child *child);

/* Is there a control that may be told more? */
bool child_hears(const struct child *child);
/* To control, if there is one. 0 or -errno. */
int child_send(struct child *child, const void *ipc);
/* To a request of control that wants an answer; text may be several lines, ipcs hold none. */
void child_reply(struct child *child, const struct ipc_header *request, int status, uint32_t value,
	const char *text);
/* All counters, if one of them changed since they were told. */
void child_send_counters(struct child *child);
/* The answer to a heartbeat, for control as well. */
void child_pong(struct channel *keeper, const struct ipc_header *ping);

#endif
