/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/order.h"

#include "daemon/smtp/envelope/blocked.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/talk.h"

static bool kill_one(struct smtp_flow *flow, void *context)
{
	const struct ipc_kill *order = context;

	if (!way_is_meant(&flow->way, order))
		return false;
	talk_order_end(flow, (enum ending)order->ending);
	return true;
}

uint32_t order_kill(struct smtp *smtp, const struct ipc_kill *order)
{
	return smtp_flow_each(&smtp->table, kill_one, (void *)(uintptr_t)order);
}

static bool end_blocked(struct smtp_flow *flow, void *context)
{
	(void)context;
	if (!way_has_place(&flow->way) || !blocked_is(flow))
		return false;
	talk_order_end(flow, ENDING_KILLED_BLOCK);
	return true;
}

uint32_t order_end_blocked(struct smtp *smtp)
{
	return blocks_count(smtp_picture(smtp)->blocks)
		       ? smtp_flow_each(&smtp->table, end_blocked, NULL)
		       : 0;
}

/* A guest's mail program that has just come may say its one message; whoever sends to a listener
 * knows how to come again. */
static bool drain_one(struct smtp_flow *flow, void *context)
{
	(void)context;
	if (flow->engine.message == 0 && flow->way.listener < 0)
		return false;
	talk_order_end(flow, ENDING_DRAINING);
	return true;
}

void order_drain(struct smtp *smtp)
{
	smtp_flow_each(&smtp->table, drain_one, NULL);
}

static bool end_one(struct smtp_flow *flow, void *context)
{
	(void)context;
	talk_order_end(flow, ENDING_DRAIN_OVER);
	return true;
}

uint32_t order_end_all(struct smtp *smtp)
{
	return smtp_flow_each(&smtp->table, end_one, NULL);
}
