/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_reports.h"

#include "daemon/base/log.h"
#include "daemon/control/audit/flow_events.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_carrier.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/session/sessions.h"

#include <stdlib.h>

/* ---- what it says ---- */

static void take_record(void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	struct peer *peer = context;
	struct control *control = peer->control;
	struct message_record message;
	struct ipc_flow flow;
	char name[16];

	switch (kind) {
	case IPC_RECORD_FLOW:
		if (ipc_flow_decode(bytes, len, &flow) < 0)
			break;
		live_flows_del(control->live_flows, flow.id);
		sessions_active(control->sessions, flow.session);
		flow_events_on_end(control, &flow);
		return;
	case IPC_RECORD_MESSAGE:
		if (message_record_decode(bytes, len, &message) < 0)
			break;
		sessions_active(control->sessions, message.session);
		flow_events_on_message(control, &message, bytes, len);
		return;
	}
	control->counters[COUNTER_IPC_BAD]++;
	control->counters[COUNTER_AUDIT_LOST]++;
	log_warning("%s sent a record that cannot be read",
		roles_title(peer->role, peer->number, name));
}

static void note_dropped(const struct peer *peer, unsigned dropped)
{
	char name[16];

	if (!dropped)
		return;
	peer->control->counters[COUNTER_AUDIT_LOST] += dropped;
	log_warning("%u records of %s are lost: they did not come whole", dropped,
		roles_title(peer->role, peer->number, name));
}

void flow_reports_records(
	struct peer *peer, struct ipc_assembly *assembly, const struct ipc_records *records)
{
	note_dropped(peer, ipc_records_read(assembly, records, take_record, peer));
}

void flow_reports_end(struct peer *peer, struct ipc_assembly *assembly)
{
	note_dropped(peer, ipc_assembly_end(assembly));
}

void flow_reports_started(struct peer *peer, const struct ipc_started *started)
{
	const struct control *control = peer->control;
	size_t n = (started->header.bytes - sizeof(*started)) / sizeof(started->v[0]);

	for (const struct ipc_start *at = started->v; at < started->v + n; at++) {
		live_flows_add(control->live_flows, peer->number, at->flow, at->session, at->at_ms,
			at->rule, at->listener, true);
		sessions_active(control->sessions, at->session);
		flow_events_on_begin(peer->control, at);
	}
}

static void on_lost_flow(void *context, const struct live_flow *flow)
{
	flow_events_on_lost(context, flow);
}

void flow_reports_lost(struct peer *peer)
{
	struct control *control = peer->control;

	live_flows_del_relay(control->live_flows, peer->number, on_lost_flow, control);
}

/* ---- what it is asked ---- */

struct flows_ask {
	struct question ask;
	struct flow_gather *flows;
};

static bool take_row(const struct ipc_header *ipc, struct ipc_flow *flow)
{
	const struct ipc_flow_row *row = (const struct ipc_flow_row *)ipc;

	return ipc_flow_decode(row->data, ipc->bytes - sizeof(*row), flow) == 0;
}

static void on_flow_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct flows_ask *own = (struct flows_ask *)ask;
	struct flow_gather *flows = own->flows;
	struct ipc_flow flow;
	if (ipc && ipc->type == IPC_FLOW && take_row(ipc, &flow))
		flows->on_flow(flows, &flow);
	if (ipc && ipc->type == IPC_LOAD)
		flows->on_load(flows, (const struct ipc_load *)ipc);
	if (ipc && !question_is_last(ipc))
		return;
	free(own);
	gather_end(&flows->gather, 0, NULL);
}

static void ask(struct peer *peer, struct flow_gather *flows)
{
	struct ipc_plain ipc;
	struct flows_ask *own = calloc(1, sizeof(*own));
	if (!own)
		return;
	own->ask.on_answer = on_flow_answer;
	own->flows = flows;
	gather_add(&flows->gather);
	ipc_init(&ipc, flows->on_load ? IPC_LOADS_GET : IPC_FLOWS_GET, sizeof(ipc));
	question_send(&peer->asks, &own->ask, &ipc, -1);
}

static void on_done(struct gather *gather)
{
	struct flow_gather *flows = (struct flow_gather *)gather;
	flows->done(flows);
}

static void begin(struct flow_gather *flows)
{
	gather_init(&flows->gather, on_done);
}

void flow_reports_gather(struct control *control, struct flow_gather *flows)
{
	struct flow_peer *flow;

	begin(flows);
	for (unsigned at = 0; (flow = flow_peers_next_flow(control->flow_peers, &at)) != NULL;)
		ask(&flow->peer, flows);
	control->flow_carrier->face->gather(control->flow_carrier, flows);
	gather_end(&flows->gather, 0, NULL);
}

static void on_old_flow(struct flow_gather *flows, const struct ipc_flow *flow)
{
	struct control *control = flows->context;
	live_flows_add(control->live_flows, flow->relay, flow->id, flow->session, flow->start_ms,
		flow->rule, flow->listener, false);
}

static void on_old_done(struct flow_gather *flows)
{
	free(flows);
}

void flow_reports_ask_old(struct peer *peer)
{
	struct flow_gather *flows = calloc(1, sizeof(*flows));
	if (!flows)
		return;
	flows->on_flow = on_old_flow;
	flows->done = on_old_done;
	flows->context = peer->control;
	begin(flows);
	ask(peer, flows);
	gather_end(&flows->gather, 0, NULL);
}
