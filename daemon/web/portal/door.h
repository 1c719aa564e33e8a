/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who comes in to a login page: accepted, seen where he comes from, and counted. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_DOOR_H
#define POSTERN_DAEMON_WEB_PORTAL_DOOR_H

#include "daemon/web/portal/portal.h"

/* Whoever waits at the socket. */
void door_open(struct portal_socket *socket);

#endif
