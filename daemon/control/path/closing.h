/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the end of a flow of the kernel path: how it ended, and its record. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_CLOSING_H
#define POSTERN_DAEMON_CONTROL_PATH_CLOSING_H

#include "daemon/control/path/path.h"

/* As it is now: a live row, or the record's first half. */
void closing_fill(const struct kernel_flow *flow, struct ipc_flow *row);
/* What the kernel tells of it now: bytes are counted. */
void closing_told(
	struct kernel_path *path, struct kernel_flow *flow, const struct conntrack_one *one);
/* How it ended, by the log and by what the kernel said last. gone: the kernel knows it no more. */
enum ending closing_ending(const struct kernel_flow *flow, bool gone);
/* It is over, and goes with its record. */
void closing_end(struct kernel_path *path, struct kernel_flow *flow, enum ending ending);

#endif
