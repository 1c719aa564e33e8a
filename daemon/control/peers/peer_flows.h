/* Owns what control hears of one process's flows: that they began, what became of them and of their
 * messages, and, asked for, which there are. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_PEER_FLOWS_H
#define POSTERN_DAEMON_CONTROL_PEERS_PEER_FLOWS_H

#include "daemon/control/peers/peers.h"
#include "lib/ipc/record.h"

void peer_flows_started(struct peer *peer, const struct ipc_started *started);
/* The assembly is the process's: a record may come in parts. */
void peer_flows_records(
	struct peer *peer, struct ipc_assembly *assembly, const struct ipc_records *records);
/* It says no more: what has not come whole is lost. */
void peer_flows_end(struct peer *peer, struct ipc_assembly *assembly);
/* It is gone, and its flows with it. */
void peer_flows_lost(struct peer *peer);

/* Whoever asks begins, asks one or more, and ends the gather. */
void peer_flows_begin(struct peers_flows *flows);
void peer_flows_ask(struct peer *peer, struct peers_flows *flows);
/* Of its flows from before a crash of control. */
void peer_flows_ask_old(struct peer *peer);

#endif
