/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how many of a process's flows are at each host of the servers, counted when control asks:
 * `server show` wants a number for each host, not each flow. */
#ifndef POSTERN_DAEMON_FLOW_LOAD_H
#define POSTERN_DAEMON_FLOW_LOAD_H

#include "lib/ipc/core.h"

struct way;
struct way_host;

#define LOAD_SLOTS 1024

struct load_slot {
	const struct policy_string *server; /* NULL: free; the way's policy holds it */
	struct endpoint host;
	uint32_t flows;
};

/* One count. Large: for the stack of a handler. */
struct load {
	struct way_host *process;
	uint32_t seq;
	uint32_t rows;
	uint32_t used;
	struct load_slot v[LOAD_SLOTS];
};

/* Begins to answer IPC_LOADS_GET with rows; the reply is the caller's. */
void load_begin(struct load *load, struct way_host *process, const struct ipc_header *request);
/* Counts one. A host may be in several rows, which are to be added up. True: it is at a host. */
bool load_add(struct load *load, const struct way *way);
/* How many rows there were. */
uint32_t load_end(struct load *load);

#endif
