/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/closing.h"

#include "daemon/control/audit/flow_events.h"
#include "daemon/control/session/live_flows.h"
#include "lib/base/copy.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdio.h>
#include <string.h>

static const char *state_of(const struct kernel_flow *flow)
{
	switch (flow->state) {
	case KERNEL_FLOW_CLOSING:
		return "closing";
	case KERNEL_FLOW_CUT:
		return "ending";
	case KERNEL_FLOW_LIVE:
		break;
	}
	if (!flow->known)
		return "opening";
	return flow->last.state < TCP_CONNTRACK_ESTABLISHED ? "opening" : "established";
}

static void fill_names(const struct kernel_flow *flow, struct ipc_flow *row)
{
	const struct policy *policy = flow->policy;

	copy_text(row->ifname, sizeof(row->ifname), flow->ifname);
	copy_text(row->user, sizeof(row->user), flow->user);
	if (flow->zone >= 0)
		copy_text(row->zone, sizeof(row->zone), policy->zones[flow->zone].name.text);
	if (flow->rule >= 0)
		copy_text(row->rule, sizeof(row->rule), policy->rules[flow->rule].name.text);
	if (flow->server >= 0)
		copy_text(
			row->server, sizeof(row->server), policy->servers[flow->server].name.text);
	copy_text(row->state, sizeof(row->state), state_of(flow));
}

void closing_fill(const struct kernel_flow *flow, struct ipc_flow *row)
{
	const struct conntrack_one *last = &flow->last;

	memset(row, 0, sizeof(*row));
	row->id = flow->id;
	row->session = flow->session;
	row->start_ms = flow->start_ms;
	row->from_client_bytes = last->sent_bytes;
	row->from_server_bytes = last->answered_bytes;
	row->verdict = POLICY_VERDICT_REDIRECT;
	row->reason = DECIDE_RULE;
	row->path = POLICY_PATH_KERNEL;
	row->audit = flow->rule < 0 || flow->policy->rules[flow->rule].audit;
	row->client = flow->tuple.client;
	row->original = flow->tuple.original;
	row->mac = flow->mac;
	row->host = last->answerer;
	if (flow->known) {
		/* its own address, unless the server stands on the client's network */
		if (!addr_equal(&last->answered_to.addr, &flow->tuple.client.addr))
			row->gateway = last->answered_to;
	}
	fill_names(flow, row);
}

static void count_more(uint64_t *counter, uint64_t now, uint64_t before)
{
	if (now > before)
		*counter += now - before;
}

void closing_told(
	struct kernel_path *path, struct kernel_flow *flow, const struct conntrack_one *one)
{
	uint64_t *counters = path->control->counters;

	count_more(&counters[COUNTER_BYTES_FROM_CLIENT], one->sent_bytes, flow->last.sent_bytes);
	count_more(&counters[COUNTER_BYTES_FROM_SERVER], one->answered_bytes,
		flow->last.answered_bytes);
	flow->last = *one;
	flow->known = true;
}

/* The kernel's own word where the log had none: it was lost, or nothing was there to be logged. */
static enum ending ending_unseen(const struct kernel_flow *flow, bool gone)
{
	const struct conntrack_one *last = &flow->last;

	if (flow->known && last->answered_packets == 0 && last->sent_packets > 0)
		return ENDING_CONNECT_TIMEOUT;
	/* its first packet was dropped behind us: conntrack keeps only what leaves */
	if (gone && !flow->known)
		return ENDING_CONNECT_FAILED;
	if (gone)
		return ENDING_IDLE;
	if (last->state == TCP_CONNTRACK_CLOSE)
		return last->answered_packets <= 1 ? ENDING_CONNECT_REFUSED : ENDING_SERVER_RESET;
	return ENDING_CLIENT_CLOSED;
}

enum ending closing_ending(const struct kernel_flow *flow, bool gone)
{
	const struct conntrack_one *last = &flow->last;
	bool counted = flow->known && last->sent_packets > 0;

	if (flow->state == KERNEL_FLOW_CUT)
		return flow->ending;
	if (flow->state == KERNEL_FLOW_LIVE)
		return ending_unseen(flow, gone);
	/* where the client has several from one port, it was another that was refused */
	if (flow->ending == ENDING_CONNECT_REFUSED && counted && last->answered_packets > 1)
		return ENDING_SERVER_RESET;
	/* the answer to its first packet was all */
	if (flow->ending == ENDING_SERVER_RESET && counted && last->answered_packets <= 1)
		return ENDING_CONNECT_REFUSED;
	if (flow->ending == ENDING_CLIENT_RESET && counted && last->answered_packets == 0)
		return ENDING_LEFT_BEFORE_GREETING;
	return flow->ending;
}

static void fill_detail(const struct kernel_flow *flow, struct ipc_flow *record)
{
	const char *late = flow->late ? "; its beginning was not seen" : "";
	bool carried =
		record->ending != ENDING_CONNECT_REFUSED && record->ending != ENDING_CONNECT_FAILED;
	const char *unknown = flow->known || !carried ? "" : "; what it carried is not known";

	snprintf(record->detail, sizeof(record->detail), "%s%s%s", ending_meanings[record->ending],
		late, unknown);
}

void closing_end(struct kernel_path *path, struct kernel_flow *flow, enum ending ending)
{
	struct control *control = path->control;
	struct ipc_flow record;

	closing_fill(flow, &record);
	record.ending = (uint16_t)ending;
	record.end_ms = loop_wall_ms(control->loop);
	if (record.start_ms > record.end_ms) /* the clock was set back */
		record.start_ms = record.end_ms;
	fill_detail(flow, &record);
	control->counters[counter_of_ending(ending)]++;
	kernel_flows_del(path->flows, flow);
	control->counters[COUNTER_FLOWS_LIVE] = kernel_flows_count(path->flows);
	live_flows_del(control->live_flows, record.id);
	path->face->on_closed(control, record.session);
	flow_events_on_end(control, &record);
}
