/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/flow.h"

#include "daemon/base/log.h"
#include "daemon/flow/dial.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/carry/carry.h"
#include "daemon/relay/connect/announce.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/connect/greeting.h"
#include "daemon/relay/hand.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"
#include "lib/record/flowid.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const flow_state_names[] = {
	[FLOW_FREE] = "free",
	[FLOW_HAND] = "hand",
	[FLOW_ASK] = "ask",
	[FLOW_BIND] = "bind",
	[FLOW_CONNECT] = "connect",
	[FLOW_ANNOUNCE] = "announce",
	[FLOW_GREETING] = "greeting",
	[FLOW_RELAY] = "relay",
	[FLOW_ANSWER] = "answer",
	[FLOW_DONE] = "done",
};
static_assert(sizeof(flow_state_names) / sizeof(flow_state_names[0]) == FLOW_STATES, "a name each");

#define EDGES  (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define LOST   (EPOLLHUP | EPOLLERR)
#define HANGUP (EPOLLRDHUP | LOST)

static void on_again(struct loop_timer *timer, uint64_t now_ms);

int flow_table_init(struct flow_table *table, uint32_t flows)
{
	memset(table, 0, sizeof(*table));
	int rc = pool_init(&table->flows, sizeof(struct flow), flows);
	if (rc < 0)
		return rc;
	rc = pool_init(&table->said, sizeof(struct smtp_said), flows);
	if (rc < 0)
		pool_fini(&table->flows);
	table->again_last = &table->again;
	table->again_timer.on_time = on_again;
	return rc;
}

void flow_table_fini(struct flow_table *table)
{
	pool_fini(&table->said);
	pool_fini(&table->flows);
}

uint32_t flow_count(const struct flow_table *table)
{
	return pool_taken(&table->flows);
}

uint32_t flow_each(struct flow_table *table, flow_visit *visit, void *context)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < table->flows.fresh; i++) {
		struct flow *flow = pool_piece(&table->flows, i);
		if (flow->state != FLOW_FREE && flow->state != FLOW_DONE)
			n += visit(flow, context);
	}
	return n;
}

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

struct flow *flow_new(struct relay *relay, int client)
{
	struct flow_table *table = &relay->table;
	struct flow *flow = pool_take(&table->flows);
	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->relay = relay;
	flow->client.fd = client;
	flow->client.on_event = on_client;
	flow->server.fd = -1;
	flow->server.on_event = on_server;
	flow->deadline.on_time = on_deadline;
	copy_init(&flow->up);
	copy_init(&flow->down);
	flow->down.writable = true;
	table->states[FLOW_FREE]++;
	way_init(&flow->way, &relay->ways);
	flow->way.id = ids_take(&relay->ways);
	flow->start_ms = loop_now_ms(relay->loop);
	return flow;
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

void flow_set(struct flow *flow, enum flow_state state)
{
	char id[FLOWID_TEXT_SIZE];
	struct flow_table *table = &flow->relay->table;

	assert(state != FLOW_DONE && state != FLOW_FREE && flow->state != FLOW_DONE);
	if (log_wants(POLICY_LOG_DEBUG))
		log_event(POLICY_LOG_DEBUG, LOG_ID_NONE,
			LOG_FIELDS({LOG_FIELD_FLOW, flowid_format(flow->way.id, id)},
				{LOG_FIELD_STATE, flow_state_names[state]}),
			"%s %s -> %s", id, flow_state_names[flow->state], flow_state_names[state]);
	table->states[flow->state]--;
	table->states[state]++;
	flow->state = state;
	loop_timer_set(flow->relay->loop, &flow->deadline, deadline_of(flow, state));
}

int flow_watch_client(struct flow *flow)
{
	int error = flow->watched ? 0 : loop_add(flow->relay->loop, &flow->client, EDGES);

	flow->watched = !error;
	return error;
}

int flow_watch_server(struct flow *flow, int fd)
{
	flow->server.fd = fd;
	return loop_add(flow->relay->loop, &flow->server, EDGES);
}

void flow_drop_server(struct flow *flow)
{
	if (flow->server.fd < 0)
		return;
	loop_del(flow->relay->loop, &flow->server);
	close(flow->server.fd);
	flow->server.fd = -1;
	copy_fini(&flow->relay->tools, &flow->down);
	flow->up.writable = flow->down.readable = flow->down.hangup = false;
}

void flow_end(struct flow *flow, enum ending ending, bool reset)
{
	struct relay *relay = flow->relay;
	char id[FLOWID_TEXT_SIZE];

	if (flow->state == FLOW_DONE)
		return;
	if (flow->state == FLOW_HAND)
		hand_forget(flow);
	if (log_wants(POLICY_LOG_DEBUG))
		log_event(POLICY_LOG_DEBUG, LOG_ID_NONE,
			LOG_FIELDS({LOG_FIELD_FLOW, flowid_format(flow->way.id, id)},
				{LOG_FIELD_STATE, flow_state_names[FLOW_DONE]},
				{LOG_FIELD_ENDING, ending_name(ending)}),
			"%s %s -> done: %s", id, flow_state_names[flow->state],
			ending_name(ending));
	relay->table.states[flow->state]--;
	relay->table.states[FLOW_DONE]++;
	flow->state = FLOW_DONE;
	flow->ending = (uint8_t)ending;
	flow->reset = reset;
	loop_timer_clear(relay->loop, &flow->deadline);
	flow->next = relay->table.done;
	relay->table.done = flow;
}

void flow_run_again(struct flow *flow)
{
	struct flow_table *table = &flow->relay->table;
	if (flow->is_again)
		return;
	flow->is_again = true;
	flow->again = NULL;
	*table->again_last = flow;
	table->again_last = &flow->again;
	if (!table->again_timer.slot)
		loop_timer_set(flow->relay->loop, &table->again_timer, 0);
}

/* A round for each flow in the list as it is now; who needs one more comes behind the next batch
 * of events. */
static void on_again(struct loop_timer *timer, uint64_t now_ms)
{
	struct flow_table *table = container_of(timer, struct flow_table, again_timer);
	struct flow *flow = table->again;
	(void)now_ms;

	table->again = NULL;
	table->again_last = &table->again;
	while (flow) {
		struct flow *next = flow->again;
		flow->is_again = false;
		if (flow->state == FLOW_RELAY)
			carry_run(flow);
		flow = next;
	}
}

/* The client's socket has SO_LINGER {1, 0} from the listener, so that a relay that dies resets its
 * clients (doc/kernel.md); an orderly end takes it off first. The server's socket has none: a FIN
 * in the middle of a message makes no server take it. */
static void close_sides(struct flow *flow)
{
	const struct linger hard = {.l_onoff = 1, .l_linger = 0};
	const struct linger soft = {.l_onoff = 0};

	if (!flow->reset)
		setsockopt(flow->client.fd, SOL_SOCKET, SO_LINGER, &soft, sizeof(soft));
	close(flow->client.fd);
	if (flow->server.fd < 0)
		return;
	if (flow->reset)
		setsockopt(flow->server.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(flow->server.fd);
}

static void unlink_again(struct flow_table *table, struct flow *flow)
{
	struct flow **at = &table->again;
	if (!flow->is_again)
		return;
	while (*at != flow)
		at = &(*at)->again;
	*at = flow->again;
	if (table->again_last == &flow->again)
		table->again_last = at;
}

static void free_flow(struct relay *relay, struct flow *flow)
{
	struct flow_table *table = &relay->table;

	/* closing takes a descriptor out of epoll, and no batch is running */
	if (flow->taken)
		close(flow->client.fd);
	else
		close_sides(flow);
	copy_fini(&relay->tools, &flow->up);
	copy_fini(&relay->tools, &flow->down);
	if (!flow->taken)
		report_end(flow);
	way_fini(&flow->way);
	if (flow->said)
		pool_give(&table->said, flow->said);
	unlink_again(table, flow);
	table->states[FLOW_DONE]--;
	flow->state = FLOW_FREE;
	pool_give(&table->flows, flow);
}

void flow_sweep(struct relay *relay)
{
	struct flow *flow = relay->table.done;
	if (!flow)
		return;
	relay->table.done = NULL;
	while (flow) {
		struct flow *next = flow->next;
		free_flow(relay, flow);
		flow = next;
	}
	relay_on_freed(relay);
}
