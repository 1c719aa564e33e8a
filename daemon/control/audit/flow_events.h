/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is done when a flow began or ended, a message ended or an admission was refused: audit,
 * live events, and the refusals of the last minute by reason. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_FLOW_EVENTS_H
#define POSTERN_DAEMON_CONTROL_AUDIT_FLOW_EVENTS_H

#include "daemon/control/session/live_flows.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/kernel.h"
#include "lib/metrics/counter.h"
#include "lib/policy/decide/decide.h"
#include "lib/record/message_record.h"

struct control;
struct flow_events;

struct flow_events *flow_events_new(void);
void flow_events_free(struct flow_events *flow_events);

void flow_events_on_begin(struct control *control, const struct ipc_start *start);
/* A relay's audit record. */
void flow_events_on_end(struct control *control, const struct ipc_flow *flow);
/* A finished message: its record, and the len bytes it was decoded from. */
void flow_events_on_message(struct control *control, const struct message_record *record,
	const uint8_t *bytes, size_t len);
/* A flow whose relay died: what control knows of it. */
void flow_events_on_lost(struct control *control, const struct live_flow *flow);
/* An admission with verdict reject or drop. */
void flow_events_on_refused(struct control *control, const struct ipc_admit *admit,
	const struct decision *decision, size_t zone);

/* Why somebody was refused: how a flow ended, then how a message did, then who refused a recipient,
 * by the numbers of counters from COUNTER_ENDING on. */
#define FLOW_EVENTS_REASONS    (COUNTERS - COUNTER_ENDING)
#define FLOW_EVENTS_MESSAGES   (COUNTER_MESSAGE_ENDING - COUNTER_ENDING) /* the first of them */
#define FLOW_EVENTS_RECIPIENTS (COUNTER_RECIPIENT_BY - COUNTER_ENDING)
/* As log and records name it; "recipient-by-limit" of a recipient. */
const char *flow_events_reason_name(unsigned reason);
/* Refusals of the last minute, by reason. */
void flow_events_last_minute(const struct flow_events *flow_events, uint64_t now_ms,
	uint64_t counts[static FLOW_EVENTS_REASONS]);

#endif
