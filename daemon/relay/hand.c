/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/hand.h"

#include "daemon/base/log.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MS 20
/* What was taken is mostly just to be let go, together with others. */
#define PACE_MS 5

static void on_retry(struct loop_timer *timer, uint64_t now_ms);

int hand_init(struct relay *relay, void (*again)(struct flow *flow))
{
	struct hand *hand = &relay->hand;

	hand->again = again;
	hand->last = &hand->first;
	hand->retry.on_time = on_retry;
	hand->hand = malloc(HAND_BYTES_MAX);
	return hand->hand ? 0 : -ENOMEM;
}

void hand_fini(struct relay *relay)
{
	channel_free(relay->hand.pair);
	free(relay->hand.hand);
	memset(&relay->hand, 0, sizeof(relay->hand));
}

/* ---- who waits ---- */

static uint64_t wait_ms(const struct flow *flow)
{
	return flow->relay->hand.pair && !flow->returned ? HAND_TURN_MS : HAND_PROCESS_MS;
}

/* Who waits does so for others to be taken. */
static void follow_waiting(struct hand *hand)
{
	if (hand->pair)
		channel_set_pace(hand->pair, hand->first ? 0 : PACE_MS);
}

static void wait(struct flow *flow)
{
	struct hand *hand = &flow->relay->hand;
	const struct loop *loop = flow->relay->loop;

	if (flow->state != FLOW_HAND) {
		flow->active_ms = loop_now_ms(loop); /* it waits since */
		flow_set(flow, FLOW_HAND);
	}
	flow->waits = true;
	flow->next = NULL;
	*hand->last = flow;
	hand->last = &flow->next;
	follow_waiting(hand);
	loop_timer_set(flow->relay->loop, &flow->deadline, flow->active_ms + wait_ms(flow));
}

void hand_forget(struct flow *flow)
{
	struct hand *hand = &flow->relay->hand;
	struct flow **at = &hand->first;

	if (!flow->waits)
		return;
	flow->waits = false;
	while (*at != flow)
		at = &(*at)->next;
	*at = flow->next;
	if (hand->last == &flow->next)
		hand->last = at;
}

void hand_on_deadline(struct flow *flow)
{
	struct loop *loop = flow->relay->loop;
	uint64_t end_ms = flow->active_ms + wait_ms(flow);

	/* what is on its way is the other process's to answer; one that does not is killed */
	if (!flow->waits)
		return;
	if (loop_now_ms(loop) < end_ms) {
		loop_timer_set(loop, &flow->deadline, end_ms);
		return;
	}
	hand_forget(flow);
	answer_short(flow, ENDING_NOT_TAKEN);
}

/* ---- on the way ---- */

static bool has_room(const struct hand *hand)
{
	return hand->pair && hand->nsent < HAND_IN_FLIGHT_MAX && !hand->retry.slot &&
	       channel_queued_bytes(hand->pair) == 0;
}

static bool fill(const struct flow *flow, const struct session *session, struct ipc_hand *ipc)
{
	const struct way *way = &flow->way;

	ipc_init(ipc, IPC_HAND, sizeof(*ipc));
	ipc->flow = way->id;
	ipc->start_ms = flow->start_ms;
	ipc->policy = relay_picture(flow->relay)->number;
	ipc->client = way->client;
	ipc->original = way->original;
	ipc->mac = way->mac;
	memcpy(ipc->ifname, way->ifname, sizeof(ipc->ifname));
	memcpy(ipc->zone, way->policy->zones[way->zone].name.text,
		way->policy->zones[way->zone].name.len);
	return hand_put_session(ipc, session);
}

/* It is in no epoll when it is sent: closing would not take it out while another process holds
 * it. Mostly it never was. */
static void send_flow(struct flow *flow, const struct session *session)
{
	struct relay *relay = flow->relay;
	struct hand *hand = &relay->hand;

	if (!fill(flow, session, hand->hand)) {
		answer_short(flow, ENDING_NO_MEMORY);
		return;
	}
	if (flow->watched)
		loop_del(relay->loop, &flow->client);
	flow->watched = false;
	int error = channel_send(hand->pair, hand->hand, flow->client.fd);
	if (error == 0) {
		if (flow->state != FLOW_HAND)
			flow_set(flow, FLOW_HAND);
		loop_timer_clear(relay->loop, &flow->deadline);
		hand->sent[hand->nsent++] = flow;
		relay_count(
			relay, flow->returned ? COUNTER_FLOWS_HANDED_AGAIN : COUNTER_FLOWS_HANDED);
		return;
	}
	/* too many descriptors on their way of all of the user's processes; or the pair ends */
	loop_timer_set(relay->loop, &hand->retry, loop_now_ms(relay->loop) + RETRY_MS);
	if (flow_watch_client(flow) < 0)
		flow_end(flow, ENDING_NO_MEMORY, true);
	else
		wait(flow);
}

void hand_flow(struct flow *flow, const struct session *session)
{
	if (has_room(&flow->relay->hand))
		send_flow(flow, session);
	else
		wait(flow);
}

/* The first that waits is decided anew: it is sent, or needs that no more. */
static void send_waiting(struct relay *relay)
{
	struct hand *hand = &relay->hand;

	while (hand->first && has_room(hand)) {
		struct flow *flow = hand->first;
		hand_forget(flow);
		hand->again(flow);
	}
	follow_waiting(hand);
}

static void on_retry(struct loop_timer *timer, uint64_t now_ms)
{
	struct hand *hand = container_of(timer, struct hand, retry);

	(void)now_ms;
	send_waiting(container_of(hand, struct relay, hand));
}

void hand_follow_policy(struct relay *relay)
{
	struct hand *hand = &relay->hand;
	struct flow *flow = hand->first;

	hand->first = NULL;
	hand->last = &hand->first;
	while (flow) {
		struct flow *next = flow->next;
		flow->waits = false;
		hand->again(flow);
		flow = next;
	}
}

/* ---- what the other process says ---- */

/* -1: it is not on its way. */
static int find_sent(const struct hand *hand, uint64_t id)
{
	for (unsigned i = 0; i < hand->nsent; i++)
		if (hand->sent[i]->way.id == id)
			return (int)i;
	return -1;
}

/* Neither reset nor shut down nor recorded: it lives on elsewhere. */
static void let_go(struct flow *flow)
{
	flow->taken = true;
	flow_end(flow, ENDING_NONE, false);
}

static void on_taken(struct relay *relay, uint64_t id)
{
	struct hand *hand = &relay->hand;
	int at = find_sent(hand, id);

	if (at < 0) {
		log_error("the smtp process took a flow that it was not handed");
		return;
	}
	struct flow *flow = hand->sent[at];
	hand->sent[at] = hand->sent[--hand->nsent];
	let_go(flow);
	send_waiting(relay);
}

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct relay *relay = context;

	child_count(&relay->child, COUNTER_IPC_RECEIVED);
	if (fd >= 0)
		close(fd);
	if (ipc->type == IPC_TAKEN) {
		on_taken(relay, ((const struct ipc_taken *)ipc)->flow);
		return;
	}
	child_count(&relay->child, COUNTER_IPC_BAD);
	log_warning(
		"the smtp process sent %s, which it may not send: ignored", ipc_name(ipc->type));
}

/* Nobody has spoken to them. */
static void take_back(struct relay *relay)
{
	struct hand *hand = &relay->hand;
	unsigned n = hand->nsent;

	hand->nsent = 0;
	for (unsigned i = 0; i < n; i++) {
		struct flow *flow = hand->sent[i];
		if (!flow->returned)
			flow->active_ms = loop_now_ms(relay->loop);
		flow->returned = true;
		if (flow_watch_client(flow) < 0)
			flow_end(flow, ENDING_NO_MEMORY, true);
		else
			wait(flow);
	}
}

static void on_gone(void *context)
{
	struct relay *relay = context;

	channel_free(relay->hand.pair);
	relay->hand.pair = NULL;
	take_back(relay);
	/* they may need none under the policy of now */
	hand_follow_policy(relay);
}

static const struct channel_handler handler = {on_ipc, on_gone};

/* The process before is dead: what it said last is read first, behind which its end is heard. */
void hand_on_pair(struct relay *relay, int fd)
{
	struct hand *hand = &relay->hand;

	if (hand->pair)
		channel_drain(hand->pair);
	if (hand->pair)
		on_gone(relay);
	hand->pair = channel_open(relay->loop, fd, &handler, relay);
	if (!hand->pair) {
		log_error("no memory for the smtp process's channel");
		close(fd);
		return;
	}
	send_waiting(relay);
}

/* ---- its end ---- */

void hand_kill(struct flow *flow, enum ending why)
{
	struct ipc_kill order;

	if (!flow->relay->hand.pair)
		return;
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.flow = flow->way.id;
	order.ending = why;
	channel_send(flow->relay->hand.pair, &order, -1);
}

void hand_leave(struct flow *flow)
{
	struct hand *hand = &flow->relay->hand;
	int at = find_sent(hand, flow->way.id);

	assert(at >= 0);
	hand->sent[at] = hand->sent[--hand->nsent];
	let_go(flow);
}
