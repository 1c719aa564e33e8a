/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the way of one packet: proven, read, told to control, answered. */
#ifndef POSTERN_DAEMON_RADIUS_RECEIVE_H
#define POSTERN_DAEMON_RADIUS_RECEIVE_H

#include "daemon/radius/sockets.h"

struct ipc_radius_done;

void receive_packet(struct radius *radius, const struct way_back *back, const struct endpoint *peer,
	const uint8_t *bytes, size_t len);
/* Control says of some what came of them. */
void receive_done(struct radius *radius, const struct ipc_radius_done *done);

#endif
