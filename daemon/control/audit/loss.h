/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is said of records that could not be stored: each is counted, the loss is logged once a
 * minute until it ends, and then that it did. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_LOSS_H
#define POSTERN_DAEMON_CONTROL_AUDIT_LOSS_H

#include "lib/metrics/counter.h"

#include <stdint.h>

struct loss {
	const char *what; /* "records", as the log calls them */
	uint64_t *counters;
	uint64_t lost;    /* since it was last said */
	uint64_t said_ms; /* monotonic; 0: nothing is lost */
};

/* why: -errno; -ENOBUFS: the disk does not keep up. */
void loss_lost(struct loss *loss, uint64_t now_ms, int why);
void loss_written(struct loss *loss);

#endif
