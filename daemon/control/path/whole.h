/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the look at all flows that the kernel carries, by the mark of their connections: for what
 * the log did not tell, as it was lost, or as control or the table is new; for flows that ended by
 * time alone; and for who wants to see them as they are. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_WHOLE_H
#define POSTERN_DAEMON_CONTROL_PATH_WHOLE_H

#include "daemon/control/path/path.h"

void whole_init(struct kernel_path *path);
/* Whoever waits is told. */
void whole_close(struct kernel_path *path);
/* One is begun now, and when it is over its waiter is told. */
void whole_wait(struct kernel_path *path, struct whole_wait *wait);

#endif
