/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the ids of flows: control deals them out in blocks, so that they are short; without control,
 * chance makes one. */
#ifndef POSTERN_DAEMON_FLOW_IDS_H
#define POSTERN_DAEMON_FLOW_IDS_H

#include "lib/ipc/flow.h"

struct way_host;

struct ids {
	uint64_t next, last;              /* the block in use */
	uint64_t spare_first, spare_last; /* and the next one */
	bool asked;
};

uint64_t ids_take(struct way_host *process);
/* A block came. */
void ids_put(struct ids *ids, const struct ipc_flow_ids *ipc);
/* Control is gone, and with it what was asked of it. */
void ids_on_control_gone(struct ids *ids);

#endif
