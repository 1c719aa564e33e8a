/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/report.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/record.h"
#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

static const char *block_text_of(const struct flow *flow)
{
	const struct block *block = blocks_match(relay_picture(flow->relay)->blocks,
		flow->way.policy->zones[flow->way.zone].name.text,
		*flow->way.user ? flow->way.user : NULL, way_user_source(&flow->way),
		&flow->way.mac, &flow->way.client.addr, flow->start_ms);
	return block ? block->text : NULL;
}

/* The operator's words that the client was answered with; NULL: none. */
static const char *words_of(const struct flow *flow)
{
	const struct policy *policy = flow->way.policy;
	if (flow->way.zone < 0 || flow->verdict != POLICY_VERDICT_ANSWER)
		return NULL;
	switch ((enum decide_reason)flow->reason) {
	case DECIDE_RULE:
		return flow->way.rule < 0 ? NULL : policy->rules[flow->way.rule].act.text.text;
	case DECIDE_UNAUTHENTICATED:
		return policy->zones[flow->way.zone].unauthenticated.text.text;
	case DECIDE_UNMATCHED:
		return policy->zones[flow->way.zone].unmatched.text.text;
	case DECIDE_BLOCKED:
		return block_text_of(flow);
	case DECIDE_NEEDS_ENVELOPE:
	case DECIDE_NOT_ACCEPTED: /* these never of what is redirected */
	case DECIDE_NO_RECIPIENT:
	case DECIDE_TLS:
	case DECIDE_NEEDS_NAME:
		break;
	}
	return NULL;
}

static void add_left_off(uint32_t left_off, struct ipc_flow *told)
{
	size_t len = strlen(told->detail);
	snprintf(told->detail + len, sizeof(told->detail) - len,
		"%s(%u more attempts before the last one)", len > 0 ? " " : "", left_off);
}

/* Why, in words: the server's last ones, the operator's, or what the ending means. */
static void fill_detail(const struct flow *flow, struct ipc_flow *told)
{
	const struct attempts *attempts = flow->way.attempts;
	const char *words = words_of(flow);

	if (flow->way.connected_ms == 0 && *attempts_why(attempts))
		record_text(told->detail, sizeof(told->detail), attempts_why(attempts));
	else if (words && ending_class_of(flow->ending) == ENDING_CLASS_REFUSED)
		record_text(told->detail, sizeof(told->detail), words);
	else if (flow->ending != ENDING_NONE && flow->state == FLOW_DONE)
		record_text(told->detail, sizeof(told->detail), ending_meanings[flow->ending]);
	if (attempts && attempts->left_off > 0)
		add_left_off(attempts->left_off, told);
}

static void fill_names(const struct flow *flow, struct ipc_flow *told)
{
	record_text(told->state, sizeof(told->state), flow_state_names[flow->state]);
	if (flow->way.rule >= 0)
		record_text(told->rule, sizeof(told->rule),
			flow->way.policy->rules[flow->way.rule].name.text);
	if (flow->said)
		record_text(told->reply, sizeof(told->reply), flow->said->text);
}

static void fill(const struct flow *flow, struct ipc_flow *told)
{
	/* attempts are whole, and as many as are said; the TLS behind them is never any here */
	memset(told, 0, offsetof(struct ipc_flow, attempts));
	record_fill_way(told, &flow->way);
	told->start_ms = record_wall_ms(&flow->way, flow->start_ms);
	told->from_client_bytes = flow->up.bytes;
	told->from_server_bytes = flow->down.bytes;
	told->messages = flow->watch.messages;
	told->seen = flow->watch.seen;
	told->verdict = flow->verdict;
	told->ending = flow->ending;
	told->reason = flow->reason;
	told->audit = flow->way.rule < 0 || flow->way.policy->rules[flow->way.rule].audit;
	fill_names(flow, told);
	fill_detail(flow, told);
	if (flow->state == FLOW_DONE)
		told->end_ms = loop_wall_ms(flow->relay->loop);
}

int report_live(struct flow *flow, const struct ipc_header *request)
{
	struct ipc_flow *live = &flow->relay->built;
	_Alignas(struct ipc_header) uint8_t bytes[sizeof(struct ipc_flow_row) + IPC_FLOW_BYTES_MAX];
	struct ipc_flow_row *row = (struct ipc_flow_row *)bytes;

	fill(flow, live);
	ipc_init(row, IPC_FLOW, sizeof(*row));
	row->header.bytes += (uint32_t)ipc_flow_encode(live, row->data);
	row->header.seq = request->seq;
	return relay_send(flow->relay, row);
}

void report_started(struct flow *flow)
{
	struct ipc_start start = {.flow = flow->way.id,
		.session = flow->way.session,
		.at_ms = record_wall_ms(&flow->way, flow->start_ms)};

	if (flow->way.rule >= 0)
		record_text(start.rule, sizeof(start.rule),
			flow->way.policy->rules[flow->way.rule].name.text);
	record_start(&flow->relay->ways.records, &start);
}

void report_end(struct flow *flow)
{
	struct relay *relay = flow->relay;
	struct ipc_flow *record = &relay->built;
	uint8_t bytes[IPC_FLOW_BYTES_MAX];

	relay_count(relay, counter_of_ending(flow->ending));
	fill(flow, record);
	if (flow->verdict == POLICY_VERDICT_REDIRECT)
		histogram_add(&relay->child.histograms[HISTOGRAM_FLOW], HISTOGRAM_FLOW,
			record->end_ms > record->start_ms
				? (record->end_ms - record->start_ms) * 1000
				: 0);
	record_put(&relay->ways.records, IPC_RECORD_FLOW, bytes, ipc_flow_encode(record, bytes));
}
