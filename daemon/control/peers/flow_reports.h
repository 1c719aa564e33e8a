/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control hears of one process's flows: that they began, what became of them and of their
 * messages, and, asked for, which there are. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_REPORTS_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_REPORTS_H

#include "daemon/control/peers/flow_peers.h"
#include "lib/ipc/record.h"

void flow_reports_started(struct peer *peer, const struct ipc_started *started);
/* The assembly is the process's: a record may come in parts. */
void flow_reports_records(
	struct peer *peer, struct ipc_assembly *assembly, const struct ipc_records *records);
/* It says no more: what has not come whole is lost. */
void flow_reports_end(struct peer *peer, struct ipc_assembly *assembly);
/* It is gone, and its flows with it. */
void flow_reports_lost(struct peer *peer);

/* Whoever asks begins, asks one or more, and ends the gather. */
void flow_reports_begin(struct flow_gather *flows);
void flow_reports_ask(struct peer *peer, struct flow_gather *flows);
/* Of its flows from before a crash of control. */
void flow_reports_ask_old(struct peer *peer);

#endif
