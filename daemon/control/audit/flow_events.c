/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/flow_events.h"
#include "daemon/control/audit/text.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/message/message_text.h"
#include "daemon/control/audit/message/messages.h"
#include "daemon/control/audit/totals.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/session/source_watch.h"
#include "lib/base/copy.h"
#include "lib/record/flowid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 60

struct flow_events {
	uint64_t second[SECONDS]; /* which second each slot is of */
	uint32_t counts[SECONDS][FLOW_EVENTS_REASONS];
};

struct flow_events *flow_events_new(void)
{
	return calloc(1, sizeof(struct flow_events));
}

void flow_events_free(struct flow_events *flow_events)
{
	free(flow_events);
}

static void count_refusal(struct flow_events *flow_events, uint64_t now_ms, unsigned reason)
{
	uint64_t second = now_ms / 1000;
	size_t slot = second % SECONDS;
	if (flow_events->second[slot] != second) {
		flow_events->second[slot] = second;
		memset(flow_events->counts[slot], 0, sizeof(flow_events->counts[slot]));
	}
	flow_events->counts[slot][reason]++;
}

const char *flow_events_reason_name(unsigned reason)
{
	if (reason < FLOW_EVENTS_MESSAGES)
		return ending_name(reason);
	if (reason < FLOW_EVENTS_RECIPIENTS)
		return message_ending_name(reason - FLOW_EVENTS_MESSAGES);
	return counter_name(COUNTER_ENDING + reason);
}

void flow_events_last_minute(const struct flow_events *flow_events, uint64_t now_ms,
	uint64_t counts[static FLOW_EVENTS_REASONS])
{
	uint64_t second = now_ms / 1000;
	memset(counts, 0, FLOW_EVENTS_REASONS * sizeof(counts[0]));
	for (size_t slot = 0; slot < SECONDS; slot++)
		if (flow_events->second[slot] + SECONDS > second)
			for (unsigned i = 0; i < FLOW_EVENTS_REASONS; i++)
				counts[i] += flow_events->counts[slot][i];
}

static bool is_refusal(enum ending ending)
{
	switch (ending_class_of(ending)) {
	case ENDING_CLASS_REFUSED:
	case ENDING_CLASS_SERVER:
		return true;
	case ENDING_CLASS_NORMAL:
	case ENDING_CLASS_LEFT:
	case ENDING_CLASS_LOST:
	case ENDING_CLASS_ENDED:
		break;
	}
	return false;
}

void flow_events_on_begin(struct control *control, const struct ipc_start *start)
{
	if (!monitor_wanted(control, MONITOR_FLOW))
		return;
	char id[FLOWID_TEXT_SIZE];
	const struct session *session = session_table_find(control->table, start->session);
	monitor_publish(control, MONITOR_FLOW,
		json_pack("{s:s, s:s, s:o, s:o}", "event", "started", "flow",
			flowid_format(start->flow, id), "user",
			session ? json_row_string(&session->user) : json_null(), "rule",
			json_row_text(start->rule)));
}

static void publish(struct control *control, const struct ipc_flow *flow)
{
	bool refusal = is_refusal((enum ending)flow->ending);
	enum monitor_topic topic = refusal ? MONITOR_REFUSAL : MONITOR_FLOW;
	if (!monitor_wanted(control, topic))
		return;
	char *text = audit_json(flow, false);
	monitor_publish_row(control, topic, refusal ? "refused" : "ended",
		text ? json_loads(text, 0, NULL) : NULL);
	free(text);
}

static_assert(IPC_FLOW_SOURCE_SIZE == SESSION_SOURCE_TEXT_SIZE, "a source has room");

static void note(struct control *control, struct ipc_flow *flow)
{
	source_of_session(control, flow->session, flow->source);
	totals_flow(control->totals, flow);
	if (is_refusal((enum ending)flow->ending))
		count_refusal(control->flow_events, clock_now_ms(control), flow->ending);
	publish(control, flow);
}

void flow_events_on_end(struct control *control, const struct ipc_flow *flow)
{
	struct ipc_flow told = *flow;

	note(control, &told);
	audit_record(control->audit, &told);
}

static void publish_message(struct control *control, const struct message_record *record)
{
	if (monitor_wanted(control, MONITOR_MESSAGE))
		monitor_publish_row(
			control, MONITOR_MESSAGE, "ended", message_text_json(record, false));
}

/* Somebody said no, or it could not be taken to its server. */
static bool is_message_refusal(enum message_ending ending)
{
	return message_outcome_of(ending) == MESSAGE_REFUSED || ending == MESSAGE_NO_SERVER ||
	       ending == MESSAGE_SCAN_FAILED || ending == MESSAGE_FAILED;
}

static void count_recipients(
	struct control *control, const struct message_record *record, uint64_t now_ms)
{
	struct message_recipient recipient;

	for (size_t at = 0; message_recipient_next(record, &at, &recipient);) {
		bool taken = recipient.reply.len > 0 && recipient.reply.at[0] == '2';
		if (taken && recipient.direction == MESSAGE_DIRECTION_INCOMING)
			control->counters[COUNTER_RECIPIENTS_INCOMING]++;
		if (taken && recipient.direction == MESSAGE_DIRECTION_OUTGOING)
			control->counters[COUNTER_RECIPIENTS_OUTGOING]++;
		if (taken || recipient.by >= MESSAGE_BYS)
			continue;
		control->counters[COUNTER_RECIPIENT_BY + recipient.by]++;
		count_refusal(control->flow_events, now_ms, FLOW_EVENTS_RECIPIENTS + recipient.by);
	}
}

void flow_events_on_message(struct control *control, const struct message_record *record,
	const uint8_t *bytes, size_t len)
{
	const uint64_t now_ms = clock_now_ms(control);

	if (record->ending < MESSAGE_ENDINGS) {
		control->counters[COUNTER_MESSAGE_ENDING + record->ending]++;
		if (is_message_refusal((enum message_ending)record->ending))
			count_refusal(control->flow_events, now_ms,
				FLOW_EVENTS_MESSAGES + record->ending);
	}
	count_recipients(control, record, now_ms);
	publish_message(control, record);
	messages_record(control->messages, record, bytes, len);
}

void flow_events_on_lost(struct control *control, const struct live_flow *live)
{
	struct ipc_flow flow;
	const struct session *session = session_table_find(control->table, live->session);
	memset(&flow, 0, sizeof(flow));
	flow.id = live->id;
	flow.session = live->session;
	flow.start_ms = live->start_ms;
	flow.end_ms = loop_wall_ms(control->loop);
	if (flow.start_ms > flow.end_ms) /* the clock was set back */
		flow.start_ms = flow.end_ms;
	flow.verdict = POLICY_VERDICT_REDIRECT;
	flow.ending = ENDING_RELAY_DIED;
	flow.audit = 1;
	flow.relay = live->relay;
	copy_text(flow.rule, sizeof(flow.rule), live->rule);
	if (session) {
		copy_text(flow.user, sizeof(flow.user), session->user.text);
		copy_text(flow.zone, sizeof(flow.zone), session->zone.text);
		flow.mac = session->mac;
	}
	flow_events_on_end(control, &flow);
}

void flow_events_on_refused(struct control *control, const struct ipc_admit *admit,
	const struct decision *decision, size_t zone)
{
	struct ipc_flow flow;
	memset(&flow, 0, sizeof(flow));
	flow.start_ms = flow.end_ms = loop_wall_ms(control->loop);
	flow.verdict = (uint16_t)decision->verdict;
	flow.ending = decision->verdict == POLICY_VERDICT_DROP ? ENDING_DROPPED : ENDING_REJECTED;
	flow.reason = (uint16_t)decision->reason;
	flow.audit = decision->rule < 0 || control->policy->rules[decision->rule].audit;
	flow.client = admit->source;
	flow.original = admit->original;
	flow.mac = admit->mac;
	memcpy(flow.ifname, admit->ifname, sizeof(flow.ifname));
	copy_text(flow.zone, sizeof(flow.zone), control->policy->zones[zone].name.text);
	if (decision->rule >= 0)
		copy_text(flow.rule, sizeof(flow.rule),
			control->policy->rules[decision->rule].name.text);
	if (decision->session) {
		flow.session = decision->session->id;
		copy_text(flow.user, sizeof(flow.user), decision->session->user.text);
	}
	note(control, &flow);
	audit_refused(control->audit, &flow);
}
