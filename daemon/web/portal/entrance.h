/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sockets of the login pages, which the keeper makes and hands over. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_ENTRANCE_H
#define POSTERN_DAEMON_WEB_PORTAL_ENTRANCE_H

#include "daemon/web/portal/portal.h"

/* It listens; fd is taken over. */
void entrance_put(struct web *web, const struct endpoint *at, int fd);
/* And takes none any more; port 0: all of them. */
void entrance_gone(struct web *web, const struct endpoint *at);
/* Now that it is known who comes in. */
void entrance_watch(struct portals *portals);

#endif
