/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns that nothing leaves by a visit's TLS connection but what we say. Of a request that is none,
 * or too much of one, libmicrohttpd says so itself, in a page without the fields that each of ours
 * has, and asks nobody: instead of that the connection is closed. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_GATE_H
#define POSTERN_DAEMON_WEB_PORTAL_GATE_H

#include "daemon/web/portal/visit.h"

/* Of a connection that begins. */
void gate_put(struct visit *visit);

#endif
