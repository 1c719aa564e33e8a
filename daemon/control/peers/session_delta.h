/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one session as processes with flows are told of it: that it is there or has changed, that it
 * is gone. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_SESSION_DELTA_H
#define POSTERN_DAEMON_CONTROL_PEERS_SESSION_DELTA_H

#include "lib/policy/session.h"

struct control;

/* Its lease on the clock that processes share. 0: no room. */
size_t session_delta_encode(
	const struct control *control, const struct session *session, uint8_t *bytes, size_t room);
/* To all of them. */
void session_delta_send(struct control *control, const struct session *session);
void session_delta_send_gone(struct control *control, uint64_t id);

#endif
