/* Owns the records that are to reach control: those that wait while it is away, in a ring. */
#ifndef POSTERN_RECORD_H
#define POSTERN_RECORD_H

#include "lib/ipc/ipc.h"

struct relay;

/* So many wait; older ones are lost first, and counted. */
#define RECORDS_WAITING_MAX 4096
/* A control that reads this slowly is treated as away. */
#define RECORD_QUEUE_BYTES_MAX (32u << 20)

struct record_ring {
	struct ipc_flow *waiting; /* RECORDS_WAITING_MAX of them */
	uint32_t first, n;
};

/* 0 or -ENOMEM. */
int record_init(struct record_ring *ring);
void record_fini(struct record_ring *ring);
/* Sends the record, behind those that wait; if control does not take it, it waits, too. */
void record_send(struct relay *relay, const struct ipc_flow *message);
/* Sends what waits, if control takes it. */
void record_flush(struct relay *relay);

#endif
