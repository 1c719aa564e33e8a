/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is done with what a process with flows says, and what it is told when it starts. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_FACE_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_FACE_H

#include "daemon/control/peers/peer.h"

extern const struct peer_face flow_face;

#endif
