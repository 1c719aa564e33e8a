/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the kernel is asked of single flows, many at once: what became of them, and, before
 * they are cut, what they carried. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_ASKING_H
#define POSTERN_DAEMON_CONTROL_PATH_ASKING_H

#include "daemon/control/path/path.h"

void asking_init(struct kernel_path *path);
void asking_close(struct kernel_path *path);
/* What the kernel says of it now, by whatever way it came; NULL: it has no such connection. The
 * flow may be over, and gone. */
void asking_told(
	struct kernel_path *path, struct kernel_flow *flow, const struct conntrack_one *one);

#endif
