/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control is told of flows: what records say of a flow's way, those that wait while
 * control is away, in a ring, and when all of it is told.
 *
 * What comes when nothing was told for RECORD_PACE_MS goes when its batch of events is over, and so
 * does the record of the last flow. The rest gathers until that time is over again: each telling
 * costs as much as a packet. A process that dies under load takes what it saw in that time along.
 */
#ifndef POSTERN_DAEMON_FLOW_RECORD_H
#define POSTERN_DAEMON_FLOW_RECORD_H

#include "daemon/base/loop.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/record.h"
#include "lib/record/message_record.h"

#include <stdbool.h>

struct child;
struct way;

/* Of records that wait; older ones are lost first, and counted. */
#define RECORDS_WAITING_BYTES (8u << 20)
/* A control that reads this slowly is treated as away. */
#define RECORD_QUEUE_BYTES_MAX (32u << 20)
/* A process that is done waits so long for a control to tell them to. */
#define RECORD_LEAVE_MS 2000

#define RECORD_PACE_MS 5
/* Of flows that began, at once; when there is no room they are told. */
#define RECORD_STARTS_MAX 64

struct record_ring {
	struct child *child;
	struct ipc_backlog waiting;
	struct ipc_started *started; /* with nstarts of them */
	uint32_t nstarts;
	bool at_rest; /* the counters are to be told, too */
	uint64_t told_ms;
	struct loop_timer pace;
	uint64_t leave_ms; /* until then its process waits to be rid of them; 0: it does not */
};

/* 0 or -ENOMEM. */
int record_init(struct record_ring *ring, struct child *child);
void record_fini(struct record_ring *ring);
/* It waits for its round. */
void record_put(
	struct record_ring *ring, enum ipc_record_kind kind, const uint8_t *bytes, size_t len);
/* Likewise; while control is away nobody is told. */
void record_start(struct record_ring *ring, const struct ipc_start *start);
/* No flow is left: the counters go with what waits, or alone. */
void record_rest(struct record_ring *ring);
/* Behind each batch of events: sends what waits if its time has come. */
void record_round(struct record_ring *ring);
/* Sends what waits, many to one ipc, if control takes it. */
void record_flush(struct record_ring *ring);
/* Its process is done: may it end? Not while control has not been told all, unless there is none
 * for too long. To be asked again every second. */
bool record_may_leave(struct record_ring *ring);

/* Where the way's user is from; none: it has none. */
enum message_source record_source(const struct way *way);
/* A text of a record, which was zero before; cut to its room. NULL: none. */
void record_text(char *to, size_t room, const char *from);
/* What the record of a flow says of its way: whose it is, its ends, its attempts. The record was
 * zero before, and the rest stays so. */
void record_fill_way(struct ipc_flow *record, const struct way *way);
/* A monotonic time as the wall clock stands now: what lasted a minute is told so, even if that was
 * set meanwhile. 0: none. */
uint64_t record_wall_ms(const struct way *way, uint64_t at_ms);

#endif
