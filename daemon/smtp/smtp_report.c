#include "daemon/smtp/smtp_report.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/record.h"
#include "daemon/smtp/smtp.h"
#include "lib/decide.h"

#include <string.h>

/* The rest is zero already. */
static void put(char *to, size_t room, const char *from)
{
	strncpy(to, from ? from : "", room - 1);
}

/* Why, in words: the last server's, the operator's, or what the ending means. */
static const char *why(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	if (way->connected_ms == 0 && *attempts_why(way->attempts))
		return attempts_why(way->attempts);
	if (flow->state != SMTP_FLOW_DONE || flow->ending == ENDING_NONE)
		return NULL;
	return flow->refusal ? flow->refusal : ending_meanings[flow->ending];
}

static void fill(const struct smtp_flow *flow, struct ipc_flow *ipc)
{
	const struct policy_rule *rule =
		flow->rule < 0 ? NULL : &flow->way.policy->rules[flow->rule];

	memset(ipc, 0, sizeof(*ipc));
	record_fill_way(ipc, &flow->way);
	ipc->start_ms = record_wall_ms(&flow->way, flow->start_ms);
	ipc->from_client_bytes = flow->from_client_bytes;
	ipc->from_server_bytes = flow->from_server_bytes;
	ipc->messages = flow->engine.delivered;
	ipc->verdict =
		flow->greeted == ENDING_NONE ? POLICY_VERDICT_REDIRECT : POLICY_VERDICT_ANSWER;
	ipc->reason = flow->greeted == ENDING_BLOCKED ? DECIDE_BLOCKED : DECIDE_NEEDS_ENVELOPE;
	ipc->ending = flow->ending;
	ipc->audit = !rule || rule->audit;
	put(ipc->state, sizeof(ipc->state),
		engine_state_names[flow->state == SMTP_FLOW_TALK ? flow->engine.state
								 : ENGINE_END]);
	if (rule)
		put(ipc->rule, sizeof(ipc->rule), rule->name.text);
	put(ipc->detail, sizeof(ipc->detail), why(flow));
	if (flow->state == SMTP_FLOW_DONE)
		ipc->end_ms = loop_wall_ms(flow->smtp->loop);
}

void smtp_report_started(struct smtp_flow *flow)
{
	struct ipc_started ipc;

	ipc_init(&ipc, IPC_STARTED, sizeof(ipc));
	ipc.flow = flow->way.id;
	ipc.session = flow->way.session;
	ipc.at_ms = record_wall_ms(&flow->way, flow->start_ms);
	smtp_send(flow->smtp, &ipc);
}

int smtp_report_live(struct smtp_flow *flow, const struct ipc_header *request)
{
	_Alignas(struct ipc_header) uint8_t bytes[sizeof(struct ipc_flow_row) + IPC_FLOW_BYTES_MAX];
	struct ipc_flow_row *row = (struct ipc_flow_row *)bytes;
	struct ipc_flow *live = &flow->smtp->built;

	fill(flow, live);
	ipc_init(row, IPC_FLOW, sizeof(*row));
	row->header.bytes += (uint32_t)ipc_flow_encode(live, row->data);
	row->header.seq = request->seq;
	return smtp_send(flow->smtp, row);
}

void smtp_report_end(struct smtp_flow *flow)
{
	struct smtp *smtp = flow->smtp;
	struct ipc_flow *record = &smtp->built;
	uint8_t bytes[IPC_FLOW_BYTES_MAX];

	smtp_count(smtp, counter_of_ending(flow->ending));
	fill(flow, record);
	if (record->verdict == POLICY_VERDICT_REDIRECT)
		histogram_add(&smtp->child.histograms[HISTOGRAM_FLOW], HISTOGRAM_FLOW,
			record->end_ms > record->start_ms
				? (record->end_ms - record->start_ms) * 1000
				: 0);
	record_put(&smtp->ways.records, &smtp->child, IPC_RECORD_FLOW, bytes,
		ipc_flow_encode(record, bytes));
}

/* ---- messages ---- */

void smtp_report_decided(
	struct smtp_flow *flow, const struct smtp_path *recipient, const struct decide_reply *reply)
{
	(void)recipient;
	flow->rule = (int32_t)reply->rule;
}

void smtp_report_recipient(struct smtp_flow *flow, const struct engine_reply *reply)
{
	(void)flow;
	(void)reply;
}

void smtp_report_message(
	struct smtp_flow *flow, enum engine_outcome outcome, const struct engine_reply *reply)
{
	(void)reply;
	if (outcome != ENGINE_OUTCOME_DELIVERED)
		return;
	smtp_count(flow->smtp, COUNTER_MESSAGES);
}
