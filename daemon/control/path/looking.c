/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/looking.h"

/* What is to be asked within so long is asked together. */
#define TOGETHER_MS 100

void looking_arm(struct kernel_path *path)
{
	struct loop *loop = path->control->loop;
	const struct kernel_flow *next = kernel_flows_next_look(path->flows);

	if (path->closed || path->ask.asks)
		return;
	if (kernel_flows_any_cut(path->flows) || path->nunfollowed)
		loop_timer_set(loop, &path->look, loop_now_ms(loop));
	else if (next)
		loop_timer_set(loop, &path->look, next->look.at);
	else
		loop_timer_clear(loop, &path->look);
}

void looking_at(struct kernel_path *path, struct kernel_flow *flow, uint64_t in_ms)
{
	uint64_t at_ms = loop_now_ms(path->control->loop) + in_ms;

	kernel_flows_look_at(
		path->flows, flow, (at_ms + TOGETHER_MS - 1) / TOGETHER_MS * TOGETHER_MS);
	looking_arm(path);
}

void looking_whole(struct kernel_path *path, uint64_t in_ms)
{
	struct loop *loop = path->control->loop;
	uint64_t at_ms = loop_now_ms(loop) + in_ms;

	if (!path->closed && (!path->whole.slot || path->whole.at_ms > at_ms))
		loop_timer_set(loop, &path->whole, at_ms);
}

void looking_cut_unfollowed(struct kernel_path *path, const struct ipc_tuple *tuple)
{
	if (path->nunfollowed < PATH_UNFOLLOWED_MAX)
		path->unfollowed[path->nunfollowed++] = *tuple;
	looking_arm(path);
}
