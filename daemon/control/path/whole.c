/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/whole.h"

#include "daemon/base/log.h"
#include "daemon/control/kernel/neighbour.h"
#include "daemon/control/path/asking.h"
#include "daemon/control/path/looking.h"
#include "daemon/control/path/opening.h"
#include "daemon/control/path/reading.h"
#include "kernel-rules/plan.h"
#include "lib/base/container.h"
#include "lib/base/vector.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The kernel keeps what it logs to itself for FLOW_LOG_FLUSH. */
#define SETTLE_MS 300

static void begin(struct kernel_path *path);

static void tell_waits(struct whole_wait **waits)
{
	struct whole_wait *next, *wait = *waits;

	*waits = NULL;
	for (; wait; wait = next) {
		next = wait->next;
		wait->done(wait);
	}
}

static int compare(const void *a, const void *b)
{
	const struct conntrack_one *one = a, *other = b;

	return addr_compare(&one->source.addr, &other->source.addr);
}

/* ---- whom the log did not tell of: who has their addresses now is asked ---- */

static void ask_stranger(struct kernel_path *path);

static void forget_strangers(struct kernel_path *path)
{
	free(path->strangers.v);
	free(path->begun);
	path->strangers = (struct path_strangers){0};
	path->begun = NULL;
	path->nbegun = path->begun_room = path->nsorted = 0;
}

static int compare_begun(const void *a, const void *b)
{
	const struct ipc_tuple *one = a, *other = b;
	int order = addr_compare(&one->client.addr, &other->client.addr);

	if (!order)
		order = addr_compare(&one->original.addr, &other->original.addr);
	if (!order)
		order = one->client.port - other->client.port;
	return order ? order : one->original.port - other->original.port;
}

static bool has_begun(const struct kernel_path *path, const struct conntrack_one *one)
{
	const struct ipc_tuple tuple = {.client = one->source, .original = one->destination};

	return path->nsorted &&
	       bsearch(&tuple, path->begun, path->nsorted, sizeof(tuple), compare_begun);
}

/* Those of one address stand together. */
static void on_neighbour(void *context, const struct neighbour *found)
{
	struct kernel_path *path = context;
	struct path_strangers *strangers = &path->strangers;
	static const struct mac none;
	bool known = mac_is_set(&found->mac) && !mac_is_set(&found->other_mac);

	if (path->closed)
		return;
	struct addr addr = strangers->v[strangers->at].source.addr;
	for (; strangers->at < strangers->n &&
		addr_equal(&strangers->v[strangers->at].source.addr, &addr);
		strangers->at++)
		if (!has_begun(path, &strangers->v[strangers->at]))
			opening_late(path, &strangers->v[strangers->at], known ? found->ifname : "",
				known ? &found->mac : &none);
	strangers->answered = true;
	if (!strangers->asking)
		ask_stranger(path);
}

static void finish(struct kernel_path *path)
{
	forget_strangers(path);
	path->dumping = false;
	if (path->again || path->waits)
		begin(path);
	else if (kernel_flows_count(path->flows))
		looking_whole(path, LOOKING_WHOLE_MS);
}

/* Where no interface can be asked of an address, the answer comes from within the question. */
static void ask_stranger(struct kernel_path *path)
{
	struct path_strangers *strangers = &path->strangers;

	while (strangers->at < strangers->n) {
		strangers->answered = false;
		strangers->asking = true;
		neighbour_ask(path->control, NEIGHBOUR_OF_ZONES,
			&strangers->v[strangers->at].source.addr, on_neighbour, path);
		strangers->asking = false;
		if (!strangers->answered)
			return;
	}
	finish(path);
}

/* ---- the walk ---- */

/* Another program's mark may have our bits by chance: ours has a number beside it. */
static bool is_path(const struct kernel_path *path, const struct conntrack_one *one)
{
	const struct process_options *options = &path->control->start.options;
	uint32_t mask = options->mark_mask;

	return (one->mark & mask) == plan_mark_bits(mask, MARK_KERNEL) &&
	       plan_number_of(options->server_mask, one->mark) != 0;
}

static void note_stranger(struct kernel_path *path, const struct conntrack_one *one)
{
	struct path_strangers *strangers = &path->strangers;

	if (conntrack_is_over(one) || !is_path(path, one) || strangers->n >= KERNEL_FLOWS_MAX)
		return;
	struct conntrack_one *v =
		vector_grow(strangers->v, strangers->n, &strangers->room, sizeof(*v));
	if (!v)
		return;
	strangers->v = v;
	strangers->v[strangers->n++] = *one;
}

static void take_row(struct kernel_path *path, const struct ipc_connection *row)
{
	struct conntrack_one one;

	if (conntrack_message_parse(row + 1, row->len, &one) < 0 || one.protocol != IPPROTO_TCP)
		return;
	struct ipc_tuple tuple = {.client = one.source, .original = one.destination};
	struct kernel_flow *flow = kernel_flows_find_tuple(path->flows, &tuple);
	if (!flow) {
		note_stranger(path, &one);
		return;
	}
	flow->asked = path->dump;
	asking_told(path, flow, &one);
}

/* A walk may miss what moves while it goes: so the kernel is asked of each by itself. */
static void look_at_missed(struct kernel_path *path)
{
	struct hash_walk walk = {0};

	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));)
		if (flow->asked != path->dump && flow->start_ms < path->dump_wall_ms)
			looking_at(path, flow, 0);
}

static void on_answer(struct question *question, const struct ipc_header *ipc)
{
	struct kernel_path *path = container_of(question, struct kernel_path, ask_whole);
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
	const struct ipc_connection *row;

	if (ipc && ipc->type == IPC_CONNECTIONS) {
		const struct ipc_connections *rows = (const struct ipc_connections *)ipc;
		for (size_t at = 0; (row = ipc_connections_next(rows, &at));)
			take_row(path, row);
		return;
	}
	bool walked = ipc && ipc->type == IPC_REPLY && reply->status == 0;
	if (ipc && !walked)
		log_warning("the flows of the kernel path could not be looked at: %s",
			ipc->type == IPC_REPLY ? reply->text : "no answer");
	if (!walked)
		forget_strangers(path);
	else
		look_at_missed(path);
	tell_waits(&path->waits_now);
	if (path->strangers.n)
		loop_timer_set(path->control->loop, &path->settle,
			loop_now_ms(path->control->loop) + SETTLE_MS);
	else
		finish(path);
}

/* Of those that began meanwhile the log has told by now. */
static void on_settled(struct loop_timer *timer, uint64_t now_ms)
{
	struct kernel_path *path = container_of(timer, struct kernel_path, settle);

	(void)now_ms;
	reading_drain(path);
	qsort(path->strangers.v, path->strangers.n, sizeof(*path->strangers.v), compare);
	if (path->nbegun)
		qsort(path->begun, path->nbegun, sizeof(*path->begun), compare_begun);
	path->nsorted = path->nbegun;
	ask_stranger(path);
}

static void begin(struct kernel_path *path)
{
	struct loop *loop = path->control->loop;
	struct ipc_plain ipc;

	if (path->dumping) {
		path->again = true;
		return;
	}
	loop_timer_clear(loop, &path->whole);
	path->again = false;
	path->dumping = true;
	path->dump++;
	path->dump_wall_ms = loop_wall_ms(loop);
	path->waits_now = path->waits;
	path->waits = NULL;
	ipc_init(&ipc, IPC_FLOWS_ALL, sizeof(ipc));
	question_send(&path->control->keeper_asks, &path->ask_whole, &ipc, -1);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	begin(container_of(timer, struct kernel_path, whole));
}

void whole_wait(struct kernel_path *path, struct whole_wait *wait)
{
	if (path->closed) {
		wait->done(wait);
		return;
	}
	wait->next = path->waits;
	path->waits = wait;
	if (!path->dumping)
		begin(path);
}

void whole_init(struct kernel_path *path)
{
	path->ask_whole.on_answer = on_answer;
	path->settle.on_time = on_settled;
	path->whole.on_time = on_time;
}

void whole_close(struct kernel_path *path)
{
	question_cancel(&path->ask_whole);
	loop_timer_clear(path->control->loop, &path->whole);
	loop_timer_clear(path->control->loop, &path->settle);
	forget_strangers(path);
	tell_waits(&path->waits_now);
	tell_waits(&path->waits);
}
