/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns taking everything of Postern out of the kernel: for the day when the package goes.
 *
 * A stopped posternd leaves a small table behind, so that the posture holds until it comes again.
 * When it does not come again, somebody has to take that away. */
#ifndef POSTERN_DAEMON_START_CLEAR_H
#define POSTERN_DAEMON_START_CLEAR_H

#include "daemon/process/process.h"

#define CLEAR_RUNNING 3

/* Removes table, ip rules and route, also those that a killed posternd left. Returns the exit
 * status: 0, 1, or CLEAR_RUNNING: one runs and would put everything back, so nothing was done. */
int clear_main(const struct process_options *options);

#endif
