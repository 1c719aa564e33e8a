/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/asking.h"

#include "daemon/base/log.h"
#include "daemon/control/path/closing.h"
#include "daemon/control/path/looking.h"
#include "daemon/control/path/opening.h"
#include "kernel-rules/plan.h"
#include "lib/base/container.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <string.h>

/* A flow that is closing, or opening, is asked for again, ever more seldom. */
#define AGAIN_MS      200
#define AGAIN_MOST_MS 30000
#define FAILED_MS     1000 /* the keeper did not say */

static uint64_t again_ms(struct kernel_flow *flow)
{
	uint64_t in_ms = (uint64_t)AGAIN_MS << (flow->looks < 16 ? flow->looks : 16);

	flow->looks++;
	return in_ms < AGAIN_MOST_MS ? in_ms : AGAIN_MOST_MS;
}

/* The same ends may be another connection's by now. */
static bool is_ours(const struct kernel_path *path, const struct conntrack_one *one)
{
	uint32_t mask = path->control->start.options.mark_mask, mark = one->mark & mask;

	return mark == plan_mark_bits(mask, MARK_KERNEL) || mark == plan_mark_bits(mask, MARK_KILL);
}

static bool is_killed(const struct kernel_path *path, const struct conntrack_one *one)
{
	uint32_t mask = path->control->start.options.mark_mask;

	return (one->mark & mask) == plan_mark_bits(mask, MARK_KILL);
}

/* It has ended unseen, and its ends are another's: who that is says its own first packet. */
static void succeed(struct kernel_path *path, struct kernel_flow *flow)
{
	const struct ipc_tuple tuple = flow->tuple;
	const struct kernel_flow_opening opening = flow->again;

	closing_end(path, flow, closing_ending(flow, true));
	opening_take(path, &tuple, &opening);
}

static void look_again(struct kernel_path *path, struct kernel_flow *flow)
{
	if (flow->state == KERNEL_FLOW_CLOSING || flow->last.state < TCP_CONNTRACK_ESTABLISHED)
		looking_at(path, flow, again_ms(flow));
	else
		kernel_flows_look_at(path->flows, flow, 0);
}

void asking_told(
	struct kernel_path *path, struct kernel_flow *flow, const struct conntrack_one *one)
{
	if (!one || !is_ours(path, one)) {
		closing_end(path, flow, closing_ending(flow, true));
		return;
	}
	if (flow->opened_again && one->sent_packets < flow->last.sent_packets) {
		succeed(path, flow);
		return;
	}
	flow->opened_again = false;
	closing_told(path, flow, one);
	if (flow->state == KERNEL_FLOW_CUT)
		return;
	if (conntrack_is_over(one))
		closing_end(path, flow, closing_ending(flow, false));
	else if (is_killed(path, one)) /* with whom it was blocked, or by a control before */
		closing_end(path, flow, ENDING_KILLED_POLICY);
	else
		look_again(path, flow);
}

/* ---- a question ---- */

static void put(struct kernel_path *path, struct ipc_tuples *ipc, const struct kernel_flow *flow)
{
	path->asked[ipc->n] = flow->id;
	ipc->v[ipc->n++] = flow->tuple;
}

static void fill_cut(struct kernel_path *path, struct ipc_tuples *ipc)
{
	struct kernel_flow *flow;

	while (ipc->n < IPC_TUPLES_MAX && (flow = kernel_flows_take_cut(path->flows)))
		put(path, ipc, flow);
	for (; ipc->n < IPC_TUPLES_MAX && path->nunfollowed; ipc->n++) {
		path->asked[ipc->n] = 0;
		ipc->v[ipc->n] = path->unfollowed[--path->nunfollowed];
	}
}

static void fill_look(struct kernel_path *path, struct ipc_tuples *ipc)
{
	uint64_t now_ms = loop_now_ms(path->control->loop);
	struct kernel_flow *flow;

	while (ipc->n < IPC_TUPLES_MAX && (flow = kernel_flows_next_look(path->flows)) &&
		flow->look.at <= now_ms) {
		kernel_flows_look_at(path->flows, flow, 0);
		put(path, ipc, flow);
	}
}

static void ask(struct kernel_path *path)
{
	static _Alignas(struct ipc_tuples)
		uint8_t room[sizeof(struct ipc_tuples) + IPC_TUPLES_MAX * sizeof(struct ipc_tuple)];
	struct ipc_tuples *ipc = (struct ipc_tuples *)room;

	if (path->closed || path->ask.asks)
		return;
	/* not always first: those that are over make room */
	path->cutting = kernel_flows_any_cut(path->flows) || (path->nunfollowed && !path->cutting);
	ipc_init(ipc, path->cutting ? IPC_FLOWS_CUT : IPC_FLOWS_LOOK, sizeof(*ipc));
	if (path->cutting)
		fill_cut(path, ipc);
	else
		fill_look(path, ipc);
	path->nasked = ipc->n;
	if (!ipc->n) {
		looking_arm(path);
		return;
	}
	ipc->header.bytes = (uint32_t)(sizeof(*ipc) + ipc->n * sizeof(ipc->v[0]));
	question_send(&path->control->keeper_asks, &path->ask, ipc, -1);
}

/* The flow that the keeper was asked of, once; it may be gone meanwhile. */
static struct kernel_flow *take_asked(struct kernel_path *path, uint32_t index)
{
	uint64_t id = index < path->nasked ? path->asked[index] : 0;

	if (!id)
		return NULL;
	path->asked[index] = 0;
	return kernel_flows_find(path->flows, id);
}

static void take_rows(struct kernel_path *path, const struct ipc_connections *ipc)
{
	const struct ipc_connection *row;
	struct conntrack_one one;

	for (size_t at = 0; (row = ipc_connections_next(ipc, &at));) {
		struct kernel_flow *flow = take_asked(path, row->index);
		bool cut = flow && flow->state == KERNEL_FLOW_CUT && path->cutting;
		bool told = row->len && conntrack_message_parse(row + 1, row->len, &one) == 0;
		if (!flow)
			continue;
		if (cut && told && is_ours(path, &one))
			closing_told(path, flow, &one);
		if (cut)
			closing_end(path, flow, flow->ending);
		else
			asking_told(path, flow, told ? &one : NULL);
	}
}

/* What the keeper did not come to: a flow that is cut is over all the same. */
static void take_rest(struct kernel_path *path)
{
	for (uint32_t i = 0; i < path->nasked; i++) {
		struct kernel_flow *flow = take_asked(path, i);
		if (!flow)
			continue;
		if (path->cutting && flow->state == KERNEL_FLOW_CUT)
			closing_end(path, flow, flow->ending);
		else
			looking_at(path, flow, FAILED_MS);
	}
	path->nasked = 0;
}

static void on_answer(struct question *question, const struct ipc_header *ipc)
{
	struct kernel_path *path = container_of(question, struct kernel_path, ask);
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;

	if (ipc && ipc->type == IPC_CONNECTIONS) {
		take_rows(path, (const struct ipc_connections *)ipc);
		return;
	}
	if (ipc && ipc->type == IPC_REPLY && reply->status)
		log_warning("the kernel could not be asked of its flows: %s", reply->text);
	take_rest(path);
	looking_arm(path);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	ask(container_of(timer, struct kernel_path, look));
}

void asking_init(struct kernel_path *path)
{
	path->ask.on_answer = on_answer;
	path->look.on_time = on_time;
}

void asking_close(struct kernel_path *path)
{
	question_cancel(&path->ask);
	loop_timer_clear(path->control->loop, &path->look);
	path->nasked = 0;
	path->nunfollowed = 0;
}
