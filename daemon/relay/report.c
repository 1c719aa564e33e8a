#include "daemon/relay/report.h"

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
		flow->policy->zones[flow->zone].name.text, *flow->user ? flow->user : NULL,
		&flow->mac, &flow->client_end.addr, flow->start_ms);
	return block ? block->text : NULL;
}

/* The operator's words that the client was answered with; NULL: none. */
static const char *words_of(const struct flow *flow)
{
	const struct policy *policy = flow->policy;
	if (flow->zone < 0 || flow->verdict != POLICY_VERDICT_ANSWER)
		return NULL;
	switch ((enum decide_reason)flow->reason) {
	case DECIDE_RULE:
		return flow->rule < 0 ? NULL : policy->rules[flow->rule].act.text.text;
	case DECIDE_UNAUTHENTICATED:
		return policy->zones[flow->zone].unauthenticated.text.text;
	case DECIDE_UNMATCHED:
		return policy->zones[flow->zone].unmatched.text.text;
	case DECIDE_BLOCKED:
		return block_text_of(flow);
	case DECIDE_NEEDS_ENVELOPE:
		break;
	}
	return NULL;
}

static void add_left_off(uint32_t left_off, struct ipc_flow *message)
{
	size_t len = strlen(message->detail);
	snprintf(message->detail + len, sizeof(message->detail) - len,
		"%s(%u more attempts before the last one)", len > 0 ? " " : "", left_off);
}

/* Why, in words: the server's last ones, the operator's, or what the ending means. */
static void fill_detail(const struct flow *flow, struct ipc_flow *message)
{
	const struct attempts *attempts = flow->attempts;
	const char *words = words_of(flow);

	if (flow->connected_ms == 0 && *attempts_why(attempts))
		put(message->detail, sizeof(message->detail), attempts_why(attempts));
	else if (words && ending_class_of(flow->ending) == ENDING_CLASS_REFUSED)
		put(message->detail, sizeof(message->detail), words);
	else if (flow->ending != ENDING_NONE && flow->state == FLOW_DONE)
		put(message->detail, sizeof(message->detail), ending_meanings[flow->ending]);
	if (attempts && attempts->left_off > 0)
		add_left_off(attempts->left_off, message);
}

static void fill_attempts(const struct flow *flow, struct ipc_flow *message)
{
	if (flow->attempts) {
		message->nattempts = flow->attempts->n;
		memcpy(message->attempts, flow->attempts->v,
			sizeof(message->attempts[0]) * flow->attempts->n);
	}
	if (flow->connected_ms == 0)
		return;
	uint32_t at =
		message->nattempts < IPC_ATTEMPTS_MAX ? message->nattempts++ : IPC_ATTEMPTS_MAX - 1;
	message->attempts[at] = (struct ipc_attempt){
		.host = flow->host, .ms = flow->connect_ms, .ending = ENDING_NONE};
}

static void fill_names(const struct flow *flow, struct ipc_flow *message)
{
	const struct policy *policy = flow->policy;
	put(message->ifname, sizeof(message->ifname), flow->ifname);
	put(message->user, sizeof(message->user), flow->user);
	put(message->state, sizeof(message->state), flow_state_names[flow->state]);
	if (flow->zone >= 0)
		put(message->zone, sizeof(message->zone), policy->zones[flow->zone].name.text);
	if (flow->rule >= 0)
		put(message->rule, sizeof(message->rule), policy->rules[flow->rule].name.text);
	if (flow->to_original)
		put(message->server, sizeof(message->server), "original");
	else if (flow->server_index >= 0)
		put(message->server, sizeof(message->server),
			policy->servers[flow->server_index].name.text);
}

/* As the wall clock stands now: what lasted a minute is told so, even if that was set meanwhile. */
static uint64_t to_wall(const struct flow *flow, uint64_t at_ms)
{
	const struct loop *loop = flow->relay->loop;
	return at_ms ? loop_wall_ms(loop) - (loop_now_ms(loop) - at_ms) : 0;
}

static void fill(const struct flow *flow, struct ipc_flow *message)
{
	memset(message, 0, sizeof(*message));
	message->id = flow->id;
	message->session = flow->session;
	message->start_ms = to_wall(flow, flow->start_ms);
	message->connected_ms = to_wall(flow, flow->connected_ms);
	message->from_client_bytes = flow->up.bytes;
	message->from_server_bytes = flow->down.bytes;
	message->messages = flow->watch.messages;
	message->seen = flow->watch.seen;
	message->verdict = flow->verdict;
	message->ending = flow->ending;
	message->reason = flow->reason;
	message->audit = flow->rule < 0 || flow->policy->rules[flow->rule].audit;
	message->client = flow->client_end;
	message->original = flow->original;
	message->host = flow->host;
	message->mac = flow->mac;
	message->relay = flow->relay->start->number;
	if (flow->said)
		put(message->reply, sizeof(message->reply), flow->said->text);
	message->gateway = flow->gateway;
	fill_names(flow, message);
	fill_attempts(flow, message);
	fill_detail(flow, message);
	if (flow->state == FLOW_DONE)
		message->end_ms = loop_wall_ms(flow->relay->loop);
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
	struct ipc_started message;
	ipc_init(&message, IPC_STARTED, sizeof(message));
	message.flow = flow->id;
	message.session = flow->session;
	message.at_ms = to_wall(flow, flow->start_ms);
	if (flow->rule >= 0)
		put(message.rule, sizeof(message.rule), flow->policy->rules[flow->rule].name.text);
	relay_send(flow->relay, &message);
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
	record_put(&relay->records, &relay->child, IPC_RECORD_FLOW, bytes,
		ipc_flow_encode(record, bytes));
}
