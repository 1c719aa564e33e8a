/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control hears of one process's flows: that they began, what became of them and of their
 * messages, and, asked for, which there are. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_REPORTS_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_REPORTS_H

#include "daemon/control/peers/peer.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/record.h"

void flow_reports_started(struct peer *peer, const struct ipc_started *started);
/* The assembly is the process's: a record may come in parts. */
void flow_reports_records(
	struct peer *peer, struct ipc_assembly *assembly, const struct ipc_records *records);
/* It says no more: what has not come whole is lost. */
void flow_reports_end(struct peer *peer, struct ipc_assembly *assembly);
/* It is gone, and its flows with it. */
void flow_reports_lost(struct peer *peer);

/* Rows of all live flows, of relays and of the kernel path, then done() once; or, where on_load is
 * set, rows of how many are at each host, to be added up. */
struct flow_gather {
	struct gather gather;
	void (*on_flow)(struct flow_gather *flows, const struct ipc_flow *flow);
	void (*on_load)(struct flow_gather *flows, const struct ipc_load *load);
	void (*done)(struct flow_gather *flows);
	void *context;
};
void flow_reports_gather(struct control *control, struct flow_gather *flows);
/* Of its flows from before a crash of control. */
void flow_reports_ask_old(struct peer *peer);

#endif
