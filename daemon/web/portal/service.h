/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what connections of a portal are served by: for HTTPS a libmicrohttpd with the certificates
 * of one moment, for HTTP what only says where HTTPS is. With other certificates there is another
 * one, and the old one ends with its last connection. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_SERVICE_H
#define POSTERN_DAEMON_WEB_PORTAL_SERVICE_H

#include "daemon/web/portal/visit.h"

/* shown: taken over, whatever comes of it; NULL: for HTTP. NULL: it could not be started. */
struct service *service_new(struct portal *portal, struct shown *shown);
/* With its connections. */
void service_free(struct service *service);
/* It is the turn of a visit that comes. */
void service_take(struct visit *visit);

#endif
