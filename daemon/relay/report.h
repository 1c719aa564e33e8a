/* Owns stage 8, audit, on the relay's side: a flow as a message, live or finished. */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include "lib/ipc/ipc.h"

struct flow;
struct relay;

/* The flow as it is now. */
void report_fill(const struct flow *flow, enum ipc_type type, struct ipc_flow *message);
/* A flow was redirected: tells control. */
void report_started(struct flow *flow);
/* A flow ended: counts the ending and sends the audit record. */
void report_end(struct flow *flow);

#endif
