/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/orders.h"

#include "daemon/base/log.h"
#include "daemon/flow/load.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/foresee.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#define PIECES_KEPT 64

#define RELAY_OF(pointer) ((struct relay *)(pointer))
_Static_assert(offsetof(struct relay, child) == 0, "a relay begins with its child");

void orders_stop_when_drained(struct relay *relay)
{
	if (!relay->child.draining || flow_count(&relay->table) > 0)
		return;
	child_send_counters(&relay->child);
	if (record_may_leave(&relay->ways.records))
		loop_stop(relay->loop);
}

/* What one flow gets when the time to drain is over: it hears so, if it has heard nothing yet. */
static bool cut(struct flow *flow, void *context)
{
	(void)context;
	bool running = flow->state == FLOW_RELAY;
	if (flow_is_sent(flow)) {
		hand_leave(flow);
		return true;
	}
	if (!running && flow->state != FLOW_ANSWER)
		answer_short(flow, ENDING_DRAINING);
	flow_end(flow, running ? ENDING_DRAIN_OVER : flow->ending, running);
	return true;
}

static void on_drain_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct relay *relay = container_of(timer, struct relay, drain_end);
	(void)now_ms;
	uint32_t n = flow_each(&relay->table, cut, NULL);
	log_info("the drain time is over: %u flows ended", n);
}

static void drain(struct child *child, uint32_t seconds)
{
	struct relay *relay = RELAY_OF(child);
	uint64_t end_ms = loop_now_ms(relay->loop) + (uint64_t)seconds * 1000;
	if (!relay->child.draining)
		log_info("draining %u flows, for %u s at most", flow_count(&relay->table), seconds);
	relay->child.draining = true;
	accept_stop(relay);
	loop_timer_set(relay->loop, &relay->drain_end, end_ms);
	orders_stop_when_drained(relay);
}

/* One that was sent may be another process's: the order follows it there. */
static void end_now(struct flow *flow, enum ending why)
{
	if (flow_is_sent(flow))
		hand_kill(flow, why);
	else
		flow_end(flow, why, true);
}

static bool kill_flow(struct flow *flow, void *context)
{
	const struct ipc_kill *kill = context;

	if (!way_is_meant(&flow->way, kill))
		return false;
	end_now(flow, kill->ending);
	return true;
}

/* Does a block hold for the flow's client? One that hears its refusal already hears it out. */
static bool end_blocked(struct flow *flow, void *context)
{
	const struct blocks *blocks = context;

	if (flow->state == FLOW_ANSWER || flow->way.zone < 0 ||
		!blocks_match(blocks, flow->way.policy->zones[flow->way.zone].name.text,
			*flow->way.user ? flow->way.user : NULL, way_user_source(&flow->way),
			&flow->way.mac, &flow->way.client.addr, loop_now_ms(flow->relay->loop)))
		return false;
	end_now(flow, ENDING_KILLED_BLOCK);
	return true;
}

static void end_all_blocked(struct relay *relay)
{
	struct blocks *blocks = relay->replica.now->blocks;

	if (blocks_count(blocks) > 0)
		flow_each(&relay->table, end_blocked, blocks);
}

static bool send_flow(struct flow *flow, void *context)
{
	return report_live(flow, context) == 0;
}

static bool add_load(struct flow *flow, void *context)
{
	return load_add(context, &flow->way);
}

static uint32_t tell_loads(struct relay *relay, const struct ipc_header *request)
{
	struct load load;
	load_begin(&load, &relay->ways, request);
	flow_each(&relay->table, add_load, &load);
	return load_end(&load);
}

static void on_policy(struct relay *relay)
{
	stock_fill(&relay->ways, relay->table.states[FLOW_BIND] > 0);
	hand_follow_policy(relay);
}

/* The keeper tells the interfaces and control the rest, each by its own socket: a flow that came in
 * between would be one of no zone. */
static void start_accepting(struct relay *relay)
{
	if (relay->links_known && relay->picture_known)
		accept_start(relay);
}

static void on_complete(struct relay *relay)
{
	relay->picture_known = true;
	on_policy(relay);
	end_all_blocked(relay);
	record_flush(&relay->ways.records);
	start_accepting(relay);
}

static void on_change(struct child *child, enum replica_change change)
{
	switch (change) {
	case REPLICA_CHANGED:
	case REPLICA_RENEWED:
	case REPLICA_INQUIRY: /* seen when the next flow looks at what is known of a host */
		break;
	case REPLICA_BLOCKED:
		end_all_blocked(RELAY_OF(child));
		break;
	case REPLICA_POLICY:
		on_policy(RELAY_OF(child));
		break;
	case REPLICA_COMPLETE:
		on_complete(RELAY_OF(child));
		break;
	}
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct relay *relay = RELAY_OF(child);
	const void *m = ipc;
	char text[IPC_TEXT_SIZE];
	uint32_t n;

	if (replica_take(child, &relay->replica, ipc, fd))
		return true;
	switch (ipc->type) {
	case IPC_FLOW_IDS:
		ids_put(&relay->ways.ids, m);
		break;
	case IPC_KILL:
		n = flow_each(&relay->table, kill_flow, (void *)(uintptr_t)m);
		child_reply(child, ipc, 0, n, "");
		break;
	case IPC_FLOWS_GET:
		record_flush(&relay->ways.records); /* who is shown was told of */
		n = flow_each(&relay->table, send_flow, (void *)(uintptr_t)m);
		child_reply(child, ipc, 0, n, "");
		break;
	case IPC_LOADS_GET:
		n = tell_loads(relay, ipc);
		child_reply(child, ipc, 0, n, "");
		break;
	case IPC_FORESEE:
		n = foresee(&relay->ways, m, text);
		child_reply(child, ipc, 0, n, text);
		break;
	default:
		return false;
	}
	return true;
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct relay *relay = RELAY_OF(child);
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_SOCKET:
		if (stock_put(&relay->ways, m, *fd))
			connect_on_socket(relay);
		*fd = -1;
		break;
	case IPC_LINK:
		if (link_put(&relay->ways.links, m) < 0)
			log_error("no memory for an interface");
		break;
	case IPC_UNLINK:
		link_del(&relay->ways.links, ((const struct ipc_link *)m)->ifindex);
		break;
	case IPC_LINKS_DONE:
		relay->links_known = true;
		start_accepting(relay);
		break;
	default:
		return false;
	}
	return true;
}

/* The picture stays as it is, records wait, and flows go on. */
static void on_control_gone(struct child *child)
{
	ids_on_control_gone(&RELAY_OF(child)->ways.ids);
}

static void on_new_control(struct child *child)
{
	if (replica_begin(&RELAY_OF(child)->replica) < 0)
		log_error("no memory for what a new control tells");
}

static void on_hand_over(struct child *child)
{
	record_flush(&RELAY_OF(child)->ways.records);
}

static void on_tick(struct child *child)
{
	struct relay *relay = RELAY_OF(child);

	record_flush(&relay->ways.records);
	stock_fill(&relay->ways, relay->table.states[FLOW_BIND] > 0);
	pool_trim(&relay->tools.stuck, PIECES_KEPT);
	orders_stop_when_drained(relay);
}

static void fill_counters(struct child *child)
{
	struct relay *relay = RELAY_OF(child);

	child->counters[COUNTER_FLOWS_LIVE] = flow_count(&relay->table);
	child->counters[COUNTER_BYTES_SPLICED] = relay->tools.spliced_bytes;
	child->counters[COUNTER_PIPES_SHORT] = relay->tools.pipes_short;
}

static void on_pair(struct child *child, enum process_role role, int fd)
{
	if (role == PROCESS_SMTP)
		hand_on_pair(RELAY_OF(child), fd);
	else
		close(fd);
}

int orders_open(struct relay *relay)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_control_gone = on_control_gone,
		.on_new_control = on_new_control,
		.on_pair = on_pair,
		.on_hand_over = on_hand_over,
		.on_drain = drain,
		.on_tick = on_tick,
		.fill_counters = fill_counters};

	relay->drain_end.on_time = on_drain_end;
	int error = child_open(&relay->child, relay->start, &face);
	relay->loop = relay->child.loop;
	if (!error)
		error = replica_init(&relay->replica, relay->start->options.relay_port, on_change);
	return error;
}
