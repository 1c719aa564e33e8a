/* Owns stage 8, audit, on the relay's side: a flow as a message, live or finished, and the records
 * that wait for a control that is away. */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include "lib/ipc/ipc.h"

struct flow;
struct relay;

/* So many wait; older ones are lost first, and counted. */
#define RECORDS_WAITING_MAX 4096
/* A control that reads this slowly is treated as away. */
#define RECORD_QUEUE_BYTES_MAX (32u << 20)

struct report {
	struct ipc_flow *waiting; /* a ring of RECORDS_WAITING_MAX */
	uint32_t first, n;
	struct ipc_flow built; /* the one at hand */
};

/* 0 or -ENOMEM. */
int report_init(struct report *report);
void report_fini(struct report *report);
/* The flow as it is now. */
void report_fill(const struct flow *flow, enum ipc_type type, struct ipc_flow *message);
/* A flow was redirected: tells control. */
void report_started(struct flow *flow);
/* A flow ended: counts the ending and sends the audit record. */
void report_end(struct flow *flow);
/* Sends what waits, if control takes it. */
void report_flush(struct relay *relay);

#endif
