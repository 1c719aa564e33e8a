/* Owns what is done when a flow began or ended, a message ended or an admission was refused: audit,
 * live events, and the refusals of the last minute by reason. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_ENDED_H
#define POSTERN_DAEMON_CONTROL_AUDIT_ENDED_H

#include "daemon/control/session/live.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/kernel.h"
#include "lib/metrics/counter.h"
#include "lib/policy/decide/decide.h"
#include "lib/record/message_record.h"

struct control;
struct ended;

struct ended *ended_new(void);
void ended_free(struct ended *ended);

void ended_began(struct control *control, const struct ipc_start *start);
/* A relay's audit record. */
void ended_flow(struct control *control, const struct ipc_flow *flow);
/* A finished message: its record, and the len bytes it was decoded from. */
void ended_message(struct control *control, const struct message_record *record,
	const uint8_t *bytes, size_t len);
/* A flow whose relay died: what control knows of it. */
void ended_lost(struct control *control, const struct live_flow *flow);
/* An admission with verdict reject or drop. */
void ended_refused(struct control *control, const struct ipc_admit *admit,
	const struct decision *decision, size_t zone);

/* Why somebody was refused: how a flow ended, then how a message did, then who refused a recipient,
 * by the numbers of counters from COUNTER_ENDING on. */
#define ENDED_REASONS    (COUNTERS - COUNTER_ENDING)
#define ENDED_MESSAGES   (COUNTER_MESSAGE_ENDING - COUNTER_ENDING) /* the first of them */
#define ENDED_RECIPIENTS (COUNTER_RECIPIENT_BY - COUNTER_ENDING)
/* As log and records name it; "recipient-by-limit" of a recipient. */
const char *ended_reason_name(unsigned reason);
/* Refusals of the last minute, by reason. */
void ended_last_minute(
	const struct ended *ended, uint64_t now_ms, uint64_t counts[static ENDED_REASONS]);

#endif
