/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a target is told: to control, which passes it on to who sends flows, and in the log. */
#ifndef POSTERN_DAEMON_HEALTH_TARGET_REPORT_H
#define POSTERN_DAEMON_HEALTH_TARGET_REPORT_H

#include "daemon/health/watched_target.h"
#include "lib/ipc/health.h"

/* As it is now; logs a change of the state. True: the state has changed. */
bool target_report(struct watched_target *watched, struct ipc_target *ipc);
/* What is to be told of its TLS at one address, which then is told. False: nothing more. */
bool target_report_tls(struct watched_target *watched, struct ipc_host_tls *ipc);
/* All of it is to be told again. */
void target_report_tls_again(struct watched_target *watched);
/* As it was last told, to the flows that may come: down, or must not be used. */
bool target_report_is_down(const struct watched_target *watched);

#endif
