/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the beginning of a flow of the kernel path: whose it is, by a decision of its own. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_OPENING_H
#define POSTERN_DAEMON_CONTROL_PATH_OPENING_H

#include "daemon/control/path/path.h"

/* A first packet, which may have come before. now_ms: monotonic. */
void opening_take(struct kernel_path *path, const struct ipc_tuple *tuple,
	const struct kernel_flow_opening *opening);
/* One whose first packet nobody told of: where its client is, as far as it is known. */
void opening_late(struct kernel_path *path, const struct conntrack_one *one, const char *ifname,
	const struct mac *mac);

#endif
