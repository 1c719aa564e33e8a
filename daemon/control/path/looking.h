/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns when the kernel is asked: of one flow, and of all of them. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_LOOKING_H
#define POSTERN_DAEMON_CONTROL_PATH_LOOKING_H

#include "daemon/control/path/path.h"

/* While there are flows. The walk costs the keeper 30 ms with 50,000 connections in the table. */
#define LOOKING_WHOLE_MS 120000

/* The kernel is asked of it in so long, or a little later; of one that is to be cut, now. */
void looking_at(struct kernel_path *path, struct kernel_flow *flow, uint64_t in_ms);
/* Nothing is asked now: the next is waited for. */
void looking_arm(struct kernel_path *path);
/* A look at all of them is begun within so long. */
void looking_whole(struct kernel_path *path, uint64_t in_ms);
/* A connection that there is no room for is cut, whosever it is; of too many at once, those that
 * the next look at all meets. */
void looking_cut_unfollowed(struct kernel_path *path, const struct ipc_tuple *tuple);

#endif
