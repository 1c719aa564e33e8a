/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/dispatch.h"

#include "daemon/flow/dial.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/carry/carry.h"
#include "daemon/relay/connect/announce.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/connect/greeting.h"
#include "daemon/relay/hand.h"
#include "daemon/relay/orders.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#define LOST   (EPOLLHUP | EPOLLERR)
#define HANGUP (EPOLLRDHUP | LOST)

/* Before the greeting the client is not read. Is it gone? A FIN behind early bytes is no reason:
 * what it has to say may be all there. */
static bool client_left(const struct flow *flow, uint32_t events)
{
	char byte;
	if (events & LOST)
		return true;
	return events & EPOLLRDHUP && recv(flow->client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void on_client(struct loop_watch *watch, uint32_t events)
{
	struct flow *flow = container_of(watch, struct flow, client);
	if (events & (EPOLLIN | HANGUP))
		flow->up.readable = true;
	if (events & HANGUP)
		flow->up.hangup = true;
	if (events & (EPOLLOUT | LOST))
		flow->down.writable = true;

	switch ((enum flow_state)flow->state) {
	case FLOW_HAND:
	case FLOW_ASK:
	case FLOW_BIND:
	case FLOW_CONNECT:
	case FLOW_ANNOUNCE:
	case FLOW_GREETING:
		if (client_left(flow, events))
			flow_end(flow, ENDING_LEFT_BEFORE_GREETING, true);
		break;
	case FLOW_RELAY:
		carry_run(flow);
		break;
	case FLOW_ANSWER:
		answer_run(flow);
		break;
	case FLOW_FREE:
	case FLOW_DONE:
		break;
	}
}

static void on_server(struct loop_watch *watch, uint32_t events)
{
	struct flow *flow = container_of(watch, struct flow, server);
	if (watch->fd < 0)
		return;
	if (events & (EPOLLIN | HANGUP))
		flow->down.readable = true;
	if (events & HANGUP)
		flow->down.hangup = true;
	if (events & (EPOLLOUT | LOST))
		flow->up.writable = true;

	switch ((enum flow_state)flow->state) {
	case FLOW_CONNECT:
		connect_on_server(flow, events);
		break;
	case FLOW_ANNOUNCE:
		announce_run(flow);
		break;
	case FLOW_GREETING:
		greeting_run(flow);
		break;
	case FLOW_RELAY:
		carry_run(flow);
		break;
	case FLOW_FREE:
	case FLOW_HAND:
	case FLOW_ASK:
	case FLOW_BIND:
	case FLOW_ANSWER:
	case FLOW_DONE:
		break;
	}
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct flow *flow = container_of(timer, struct flow, deadline);
	switch ((enum flow_state)flow->state) {
	case FLOW_HAND:
		hand_on_deadline(flow);
		break;
	case FLOW_ASK:
	case FLOW_BIND:
	case FLOW_CONNECT:
		connect_on_deadline(flow);
		break;
	case FLOW_ANNOUNCE:
		announce_on_deadline(flow);
		break;
	case FLOW_GREETING:
		greeting_on_deadline(flow);
		break;
	case FLOW_RELAY:
		carry_on_deadline(flow, now_ms);
		break;
	case FLOW_ANSWER:
		answer_on_deadline(flow);
		break;
	case FLOW_FREE:
	case FLOW_DONE:
		break;
	}
}

static uint64_t deadline_of(const struct flow *flow, enum flow_state state)
{
	uint64_t now_ms = loop_now_ms(flow->relay->loop), idle_ms;

	switch (state) {
	case FLOW_HAND:
		return now_ms + HAND_PROCESS_MS;
	case FLOW_ASK:
	case FLOW_ANNOUNCE:
	case FLOW_GREETING:
		return now_ms + dial_may_greet_ms(&flow->way);
	case FLOW_BIND:
	case FLOW_CONNECT:
		return now_ms + dial_may_connect_ms(&flow->way);
	case FLOW_RELAY:
		idle_ms = dial_deadlines_of(&flow->way).idle_ms;
		return now_ms + (idle_ms < CARRY_SETTLED_MS ? idle_ms : CARRY_SETTLED_MS);
	case FLOW_ANSWER:
		return now_ms + ANSWER_MS;
	case FLOW_FREE:
	case FLOW_DONE:
		break;
	}
	return now_ms;
}

static void on_end(struct flow *flow)
{
	if (flow->state == FLOW_HAND)
		hand_forget(flow);
}

static void on_freed(struct relay *relay)
{
	accept_resume(relay);
	/* at rest the counters are right at once; under load once a second is enough */
	if (flow_count(&relay->table) == 0)
		record_rest(&relay->ways.records);
	orders_stop_when_drained(relay);
}

const struct flow_face dispatch_face = {.on_client = on_client,
	.on_server = on_server,
	.on_deadline = on_deadline,
	.deadline_of = deadline_of,
	.on_again = carry_run,
	.on_end = on_end,
	.on_free = report_end,
	.on_freed = on_freed};
