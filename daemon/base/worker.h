/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a thread of its own for what waits for a disk, so that the loop never does. */
#ifndef POSTERN_DAEMON_BASE_WORKER_H
#define POSTERN_DAEMON_BASE_WORKER_H

#include "daemon/base/loop.h"

#include <stdbool.h>

struct worker;

struct worker_job {
	struct worker_job *next;
	int status; /* what run returned */
	/* In the thread: may wait, must not touch what the loop owns. 0 or -errno. */
	int (*run)(struct worker_job *job);
	/* In the loop, later. May free the job. */
	void (*done)(struct worker_job *job);
};

/* Starts the thread; before the process gives up its privileges. NULL: out of memory. */
struct worker *worker_open(struct loop *loop);
/* Waits for all jobs and calls their done(), those included that a done() submits. Were there any?
 */
bool worker_settle(struct worker *worker);
/* The same, and ends the thread. NULL is allowed. */
void worker_close(struct worker *worker);
/* Jobs run one after the other, in order. */
void worker_submit(struct worker *worker, struct worker_job *job);

#endif
