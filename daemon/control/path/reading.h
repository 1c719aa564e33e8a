/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of what the kernel logs of the flows that it carries alone. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_READING_H
#define POSTERN_DAEMON_CONTROL_PATH_READING_H

#include "daemon/control/path/path.h"

void reading_init(struct kernel_path *path);
/* The descriptor is read from now on; taken over. */
void reading_watch(struct kernel_path *path, int fd);
void reading_close(struct kernel_path *path);
/* Reads what waits there now, as far as it was logged before: a bounded amount. */
void reading_drain(struct kernel_path *path);

#endif
