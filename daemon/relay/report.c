#include "daemon/relay/report.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/record.h"
#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

/* The rest is zero already. */
static void put(char *to, size_t room, const char *from)
{
	strncpy(to, from ? from : "", room - 1);
}

static const char *block_text_of(const struct flow *flow)
{
	const struct block *block = blocks_match(relay_picture(flow->relay)->blocks,
		flow->way.policy->zones[flow->way.zone].name.text,
		*flow->way.user ? flow->way.user : NULL, &flow->way.mac, &flow->way.client.addr,
		flow->start_ms);
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
		return flow->rule < 0 ? NULL : policy->rules[flow->rule].act.text.text;
	case DECIDE_UNAUTHENTICATED:
		return policy->zones[flow->way.zone].unauthenticated.text.text;
	case DECIDE_UNMATCHED:
		return policy->zones[flow->way.zone].unmatched.text.text;
	case DECIDE_BLOCKED:
		return block_text_of(flow);
	case DECIDE_NEEDS_ENVELOPE:
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
		put(told->detail, sizeof(told->detail), attempts_why(attempts));
	else if (words && ending_class_of(flow->ending) == ENDING_CLASS_REFUSED)
		put(told->detail, sizeof(told->detail), words);
	else if (flow->ending != ENDING_NONE && flow->state == FLOW_DONE)
		put(told->detail, sizeof(told->detail), ending_meanings[flow->ending]);
	if (attempts && attempts->left_off > 0)
		add_left_off(attempts->left_off, told);
}

static void fill_attempts(const struct flow *flow, struct ipc_flow *told)
{
	if (flow->way.attempts) {
		told->nattempts = flow->way.attempts->n;
		memcpy(told->attempts, flow->way.attempts->v,
			sizeof(told->attempts[0]) * flow->way.attempts->n);
	}
	if (flow->way.connected_ms == 0)
		return;
	uint32_t at = told->nattempts < IPC_ATTEMPTS_MAX ? told->nattempts++ : IPC_ATTEMPTS_MAX - 1;
	told->attempts[at] = (struct ipc_attempt){
		.host = flow->way.host, .ms = flow->way.connect_ms, .ending = ENDING_NONE};
}

static void fill_names(const struct flow *flow, struct ipc_flow *told)
{
	const struct policy *policy = flow->way.policy;
	put(told->ifname, sizeof(told->ifname), flow->way.ifname);
	put(told->user, sizeof(told->user), flow->way.user);
	put(told->state, sizeof(told->state), flow_state_names[flow->state]);
	if (flow->way.zone >= 0)
		put(told->zone, sizeof(told->zone), policy->zones[flow->way.zone].name.text);
	if (flow->rule >= 0)
		put(told->rule, sizeof(told->rule), policy->rules[flow->rule].name.text);
	if (flow->way.to_original)
		put(told->server, sizeof(told->server), "original");
	else if (flow->way.server >= 0)
		put(told->server, sizeof(told->server),
			policy->servers[flow->way.server].name.text);
}

/* As the wall clock stands now: what lasted a minute is told so, even if that was set meanwhile. */
static uint64_t to_wall(const struct flow *flow, uint64_t at_ms)
{
	const struct loop *loop = flow->relay->loop;
	return at_ms ? loop_wall_ms(loop) - (loop_now_ms(loop) - at_ms) : 0;
}

static void fill(const struct flow *flow, struct ipc_flow *told)
{
	memset(told, 0, sizeof(*told));
	told->id = flow->way.id;
	told->session = flow->way.session;
	told->start_ms = to_wall(flow, flow->start_ms);
	told->connected_ms = to_wall(flow, flow->way.connected_ms);
	told->from_client_bytes = flow->up.bytes;
	told->from_server_bytes = flow->down.bytes;
	told->messages = flow->watch.messages;
	told->seen = flow->watch.seen;
	told->verdict = flow->verdict;
	told->ending = flow->ending;
	told->reason = flow->reason;
	told->audit = flow->rule < 0 || flow->way.policy->rules[flow->rule].audit;
	told->client = flow->way.client;
	told->original = flow->way.original;
	told->host = flow->way.host;
	told->mac = flow->way.mac;
	told->relay = flow->relay->start->number;
	if (flow->said)
		put(told->reply, sizeof(told->reply), flow->said->text);
	told->gateway = flow->way.gateway;
	fill_names(flow, told);
	fill_attempts(flow, told);
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
	struct ipc_started ipc;
	ipc_init(&ipc, IPC_STARTED, sizeof(ipc));
	ipc.flow = flow->way.id;
	ipc.session = flow->way.session;
	ipc.at_ms = to_wall(flow, flow->start_ms);
	if (flow->rule >= 0)
		put(ipc.rule, sizeof(ipc.rule), flow->way.policy->rules[flow->rule].name.text);
	relay_send(flow->relay, &ipc);
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
	record_put(&relay->ways.records, &relay->child, IPC_RECORD_FLOW, bytes,
		ipc_flow_encode(record, bytes));
}
