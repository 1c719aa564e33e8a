/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a process that starts is told of clients: sessions, dynamic lists, blocks. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_PEER_CLIENTS_H
#define POSTERN_DAEMON_CONTROL_PEERS_PEER_CLIENTS_H

#include "lib/policy/session.h"

struct control;
struct peer;

/* As much of it as its role is told. */
void peer_clients_tell(struct peer *peer);

#endif
