/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/carry/carry.h"

#include "daemon/flow/dial.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/relay.h"
#include "lib/smtp/smtp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define KEEPALIVE_S       120
#define KEEPALIVE_EVERY_S 30
#define KEEPALIVE_PROBES  4
#define UNACKED_MS        240000

void carry_keep_alive(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_EVERY_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVE_PROBES}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){UNACKED_MS}, sizeof(int));
}

static void on_client_bytes(void *context, const uint8_t *bytes, size_t len)
{
	struct flow *flow = context;
	if (bytes)
		smtp_watch_client(&flow->watch, bytes, len);
	else
		smtp_watch_skip(&flow->watch, len);
}

static void on_server_bytes(void *context, const uint8_t *bytes, size_t len)
{
	struct flow *flow = context;
	if (!bytes)
		return;
	if (!flow->said && smtp_watch_awaits(&flow->watch)) {
		flow->said = pool_take(&flow->relay->table.said);
		if (flow->said)
			memset(flow->said, 0, sizeof(*flow->said));
	}
	smtp_watch_server(&flow->watch, bytes, len, flow->said);
}

static void count(struct flow *flow, uint64_t up, uint64_t down, uint32_t messages)
{
	uint64_t *counters = flow->relay->child.counters;
	if (flow->up.bytes == up && flow->down.bytes == down)
		return;
	flow->active_ms = loop_now_ms(flow->relay->loop);
	counters[COUNTER_BYTES_FROM_CLIENT] += flow->up.bytes - up;
	counters[COUNTER_BYTES_FROM_SERVER] += flow->down.bytes - down;
	counters[COUNTER_MESSAGES] += flow->watch.messages - messages;
}

/* A side broke: the other one is reset, as if there was no relay between them. */
static void break_off(struct flow *flow, bool client, int error)
{
	enum ending ending = ENDING_FAILED;
	if (error == ECONNRESET || error == EPIPE)
		ending = smtp_watch_ending(&flow->watch, client, true);
	else if (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH)
		ending = client ? ENDING_CLIENT_LOST : ENDING_SERVER_LOST;
	flow_end(flow, ending, true);
}

/* One FIN is passed on by itself; the second one goes with closing. */
static void go_on(struct flow *flow, enum copy_result up, enum copy_result down)
{
	int rc = 0;
	if (up == COPY_ENDED)
		rc = copy_pass_end(&flow->up, flow->server.fd);
	else if (down == COPY_ENDED)
		rc = copy_pass_end(&flow->down, flow->client.fd);
	if (rc < 0)
		break_off(flow, down == COPY_ENDED, -rc);
	else if (up == COPY_MORE || down == COPY_MORE)
		flow_run_again(flow);
}

/* Up first when both can move: a command goes before the reply to the one before it. */
void carry_run(struct flow *flow)
{
	struct copy_tools *tools = &flow->relay->tools;
	uint64_t up_bytes = flow->up.bytes, down_bytes = flow->down.bytes;
	uint32_t messages = flow->watch.messages;
	bool blind = smtp_watch_blind(&flow->watch);
	int up_error = 0, down_error = 0;

	enum copy_result up = copy_run(tools, &flow->up, flow->client.fd, flow->server.fd,
		blind ? NULL : on_client_bytes, flow, &up_error);
	if (flow->up.ended && !flow->down.ended)
		flow->client_first = true;
	/* a server that no longer takes anything may have said why */
	if (up == COPY_SINK_FAILED)
		flow->down.readable = flow->down.hangup = true;
	enum copy_result down = copy_run(tools, &flow->down, flow->server.fd, flow->client.fd,
		blind ? NULL : on_server_bytes, flow, &down_error);
	count(flow, up_bytes, down_bytes, messages);

	if (up == COPY_SOURCE_FAILED)
		break_off(flow, true, up_error);
	else if (down == COPY_SOURCE_FAILED)
		break_off(flow, false, down_error);
	else if (up == COPY_SINK_FAILED)
		break_off(flow, false, up_error);
	else if (down == COPY_SINK_FAILED)
		break_off(flow, true, down_error);
	else if (up == COPY_ENDED && down == COPY_ENDED)
		flow_end(flow, smtp_watch_ending(&flow->watch, flow->client_first, false), false);
	else
		go_on(flow, up, down);
}

/* The timer is not moved for every byte: when it fires, it looks when the last one was. */
void carry_on_deadline(struct flow *flow, uint64_t now_ms)
{
	uint64_t idle_ms = dial_deadlines_of(&flow->way).idle_ms;
	if (now_ms >= flow->active_ms + idle_ms) {
		flow_end(flow, ENDING_IDLE, true);
		return;
	}
	if (!flow->kept_alive) {
		flow->kept_alive = true;
		carry_keep_alive(flow->server.fd);
	}
	loop_timer_set(flow->relay->loop, &flow->deadline, flow->active_ms + idle_ms);
}
