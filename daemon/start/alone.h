/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what can be known of Postern where no daemon answers: `posternctl doctor` asks for it. */
#ifndef POSTERN_DAEMON_START_ALONE_H
#define POSTERN_DAEMON_START_ALONE_H

#include "daemon/process/process.h"

/* Writes findings to stdout, one line of JSON each, with the members of doctor's. Changes nothing.
 * Returns the exit status. */
int alone_main(const struct process_options *options);

#endif
