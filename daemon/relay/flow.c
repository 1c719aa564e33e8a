/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/flow.h"

#include "daemon/base/log.h"
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

#define EDGES (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void on_again(struct loop_timer *timer, uint64_t now_ms);

int flow_table_init(struct flow_table *table, uint32_t flows, const struct flow_face *face)
{
	memset(table, 0, sizeof(*table));
	int rc = pool_init(&table->flows, sizeof(struct flow), flows);
	if (rc < 0)
		return rc;
	rc = pool_init(&table->said, sizeof(struct smtp_said), flows);
	if (rc < 0)
		pool_fini(&table->flows);
	table->face = face;
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

struct flow *flow_new(struct relay *relay, int client)
{
	struct flow_table *table = &relay->table;
	struct flow *flow = pool_take(&table->flows);
	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->relay = relay;
	flow->client.fd = client;
	flow->client.on_event = table->face->on_client;
	flow->server.fd = -1;
	flow->server.on_event = table->face->on_server;
	flow->deadline.on_time = table->face->on_deadline;
	copy_init(&flow->up);
	copy_init(&flow->down);
	flow->down.writable = true;
	table->states[FLOW_FREE]++;
	way_init(&flow->way, &relay->ways);
	flow->way.id = ids_take(&relay->ways);
	flow->start_ms = loop_now_ms(relay->loop);
	return flow;
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
	loop_timer_set(flow->relay->loop, &flow->deadline, table->face->deadline_of(flow, state));
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
	relay->table.face->on_end(flow);
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
			table->face->on_again(flow);
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
		table->face->on_free(flow);
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
	relay->table.face->on_freed(relay);
}
