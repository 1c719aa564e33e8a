/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is done of a request that is whole, step by step, as answers of others come. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_STEPS_H
#define POSTERN_DAEMON_WEB_PORTAL_STEPS_H

#include "daemon/web/portal/visit.h"

struct ipc_auth_verdict;

/* At once, or when it is the guest's turn. */
void steps_wait(struct visit *visit);
void steps_shown(struct visit *visit, const struct ipc_portal_shown *shown);     /* NULL: nobody */
void steps_verdict(struct visit *visit, const struct ipc_auth_verdict *verdict); /* NULL: none */
void steps_done(struct visit *visit, int status); /* of an order to control */
/* A visit's time. */
void steps_on_time(struct loop_timer *timer, uint64_t now_ms);

#endif
