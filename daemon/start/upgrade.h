/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns `posternd --upgrade`: asking the posternd that runs to upgrade in place, and waiting for
 * what becomes of it. */
#ifndef POSTERN_DAEMON_START_UPGRADE_H
#define POSTERN_DAEMON_START_UPGRADE_H

#include "daemon/process/process.h"

/* By the lock file in the run folder. As root. The exit status: 0 done, or it will be when relays
 * of earlier versions have drained; 1 refused, and the old version goes on; 3 no posternd runs. */
int upgrade_main(const struct process_options *options);

#endif
