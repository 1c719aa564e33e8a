/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns `posternd -t`: is the file good? */
#ifndef POSTERN_DAEMON_START_CHECK_H
#define POSTERN_DAEMON_START_CHECK_H

#include "daemon/process/process.h"

/* Messages go to stderr. The exit status: 0 good, also with warnings; 1 bad. */
int check_main(const struct process_options *options);

#endif
