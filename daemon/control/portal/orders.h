/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what login pages order: a session for the client of a connection, its renewal and its end,
 * and what that client is shown of it. Web says which client it has; that the zone is the portal's,
 * and that somebody has a session there, is looked at here. */
#ifndef POSTERN_DAEMON_CONTROL_PORTAL_ORDERS_H
#define POSTERN_DAEMON_CONTROL_PORTAL_ORDERS_H

#include "lib/ipc/web.h"

struct control;
struct peer;

/* A login was refused there: for the audit. */
void portal_wrong(struct peer *web, const struct ipc_portal_wrong *ipc);
/* Each is answered, perhaps before the return. */
void portal_login(struct peer *web, const struct ipc_portal_login *ipc);
void portal_renew(struct peer *web, const struct ipc_portal_client *ipc);
void portal_logout(struct peer *web, const struct ipc_portal_client *ipc);
void portal_show(struct peer *web, const struct ipc_portal_client *ipc);

#endif
