/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the page of all metrics as control knows them. Labels are names of the policy and of
 * servers' hosts, and words of ours: never a client, never a user. */
#ifndef POSTERN_DAEMON_CONTROL_METRICS_METRICS_H
#define POSTERN_DAEMON_CONTROL_METRICS_METRICS_H

#include "daemon/control/peers/web_peer.h"

struct control;

/* So many rules have metrics of their own: the first ones. */
#define METRICS_RULES_MAX 1000

/* A sealed memfd, or -errno. */
int metrics_make(struct control *control, const struct web_peer_kernel *kernel);

#endif
