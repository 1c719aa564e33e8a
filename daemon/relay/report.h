/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 8, audit, on the relay's side: what a flow tells of itself, live or finished. */
#ifndef POSTERN_DAEMON_RELAY_REPORT_H
#define POSTERN_DAEMON_RELAY_REPORT_H

#include "lib/ipc/flow.h"

struct flow;
struct relay;

/* Tells the flow as it is now, to a request. 0 or -errno. */
int report_live(struct flow *flow, const struct ipc_header *request);
/* A flow was redirected: tells control. */
void report_started(struct flow *flow);
/* A flow ended: counts the ending; the audit record waits for record_flush(). */
void report_end(struct flow *flow);

#endif
