/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the numbers of flows: blocks for the relays; no number is ever used twice. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_FLOW_IDS_H
#define POSTERN_DAEMON_CONTROL_STORE_FLOW_IDS_H

#include "daemon/base/worker.h"

struct flow_ids;

/* Reads the state folder and reserves a range there, waiting for the disk. A folder that cannot be
 * read or written is no reason not to start. now_ms: wall clock. NULL: out of memory. */
struct flow_ids *flow_ids_open(const char *state_dir, struct worker *disk, uint64_t now_ms);
void flow_ids_free(struct flow_ids *ids);
/* The next block for a relay. false: none can be had until the disk takes writes again. */
bool flow_ids_take(struct flow_ids *ids, uint64_t *first, uint64_t *last);

#endif
