/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what auth and control answer to the login pages: which visit it is for. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_ANSWER_H
#define POSTERN_DAEMON_WEB_PORTAL_ANSWER_H

#include "daemon/web/portal/visit.h"

/* One end of the pair with auth; fd is taken over. */
void answer_open_auth(struct web *web, int fd);
void answer_close_auth(struct web *web);
/* An answer of control to a visit; false: it is none. */
bool answer_take(struct web *web, const struct ipc_header *ipc);
/* Whoever waits for it is told so. */
void answer_control_gone(struct web *web);

#endif
