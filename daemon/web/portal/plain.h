/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns HTTP, where there is the way to HTTPS and nothing else: whatever is said up to an empty line
 * has that answer, and nothing of it is looked at. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_PLAIN_H
#define POSTERN_DAEMON_WEB_PORTAL_PLAIN_H

#include "daemon/web/portal/visit.h"

/* It is the turn of a visit that comes. */
void plain_take(struct visit *visit);

#endif
