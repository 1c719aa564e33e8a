/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the page of all metrics as control knows them. Labels are names of the policy and of
 * servers' hosts, and words of ours: never a client, never a user. */
#ifndef POSTERN_DAEMON_WEB_METRICS_H
#define POSTERN_DAEMON_WEB_METRICS_H

#include "kernel-rules/plan.h"
#include "lib/ipc/kernel.h"

struct control;

/* So many rules have metrics of their own: the first ones. */
#define METRICS_RULES_MAX 1000

/* What only the keeper knows. */
struct metrics_kernel {
	bool answered;
	struct ipc_kernel_counters counters; /* the last ones, if it did not answer */
	struct {
		char zone[POLICY_NAME_SIZE];
		uint64_t packets;
	} arrived[PLAN_ZONES_MAX];
	size_t narrived;
};

/* A sealed memfd, or -errno. */
int metrics_make(struct control *control, const struct metrics_kernel *kernel);

#endif
