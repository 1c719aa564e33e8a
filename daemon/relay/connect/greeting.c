/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/connect/greeting.h"

#include "daemon/flow/dial.h"
#include "daemon/relay/carry/carry.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/relay.h"
#include "lib/smtp/smtp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A greeting that did not come in one read. It stands in the direction's piece, its bytes first,
 * so that in the end they go to the client from there. */
struct partial {
	uint8_t bytes[SMTP_REPLY_BYTES_MAX];
	struct smtp_reply reply;
};
static_assert(sizeof(struct partial) <= COPY_PIECE_BYTES, "fits in a piece");

/* Where the server knows the client, a 5xx says that it does not take this one, whoever asks. */
static bool is_of_client(const struct flow *flow, const struct smtp_reply *reply)
{
	if (flow->way.server < 0 || reply->code < 500)
		return false;
	const struct policy_server *server = &flow->way.policy->servers[flow->way.server];
	return server->announce != POLICY_ANNOUNCE_NONE || server->bind == POLICY_BIND_CLIENT;
}

static void bad_greeting(struct flow *flow, const struct smtp_reply *reply)
{
	char words[SMTP_REPLY_WORDS_SIZE];
	switch ((enum smtp_reply_status)reply->status) {
	case SMTP_REPLY_DONE:
		smtp_reply_words(reply, words);
		connect_failed(flow,
			reply->code < 400           ? ENDING_GREETING_MALFORMED
			: is_of_client(flow, reply) ? ENDING_IDENTITY_REFUSED
						    : ENDING_GREETING_REFUSED,
			words);
		break;
	case SMTP_REPLY_TOO_LONG:
		connect_failed(flow, ENDING_GREETING_MALFORMED, "the greeting is too long");
		break;
	case SMTP_REPLY_MORE:
	case SMTP_REPLY_MALFORMED:
		connect_failed(flow, ENDING_GREETING_MALFORMED, "the greeting is not SMTP");
		break;
	}
}

/* The good 220. From now on this is the flow's server and no other. */
static void take_server(struct flow *flow)
{
	dial_taken(&flow->way, flow->server.fd);
	flow->active_ms = flow->way.connected_ms;
	relay_count(flow->relay, COUNTER_FLOWS_SERVED);
	flow_set(flow, FLOW_RELAY);
}

/* bytes: what was read last; behind the greeting's own there may be more. */
static void on_greeting(struct flow *flow, const struct smtp_reply *reply, const uint8_t *bytes,
	size_t len, size_t used)
{
	struct copy *down = &flow->down;
	if (reply->status != SMTP_REPLY_DONE || reply->code != 220) {
		bad_greeting(flow, reply);
		return;
	}
	take_server(flow);
	if (used < len)
		smtp_watch_server(&flow->watch, bytes + used, len - used, NULL);
	if (!down->piece && copy_put(&flow->relay->tools, down, flow->client.fd, bytes, len) < 0) {
		flow_end(flow, ENDING_CLIENT_RESET, true);
		return;
	}
	carry_run(flow);
}

/* Keeps what was read and is not yet a greeting. */
static bool keep(struct flow *flow, const struct smtp_reply *reply, size_t len)
{
	struct copy_tools *tools = &flow->relay->tools;
	struct copy *down = &flow->down;
	down->piece = pool_take(&tools->stuck);
	if (!down->piece)
		return false;
	struct partial *partial = (void *)down->piece;
	memcpy(partial->bytes, tools->shared, len);
	partial->reply = *reply;
	down->at = 0;
	down->held = (uint32_t)len;
	return true;
}

static void on_bytes(struct flow *flow, uint8_t *bytes, size_t len)
{
	struct partial *partial = (void *)flow->down.piece;
	struct smtp_reply fresh;
	struct smtp_reply *reply = partial ? &partial->reply : &fresh;
	size_t used = 0;

	if (partial)
		flow->down.held += (uint32_t)len;
	else
		smtp_reply_init(reply);
	if (smtp_reply_feed(reply, bytes, len, &used) != SMTP_REPLY_MORE) {
		struct smtp_reply whole = *reply; /* the piece may go */
		on_greeting(flow, &whole, bytes, len, used);
	} else if (!partial && !keep(flow, reply, len)) {
		connect_failed(flow, ENDING_NO_MEMORY, "");
	}
}

static ssize_t read_server(struct flow *flow, uint8_t **bytes)
{
	struct copy *down = &flow->down;
	struct partial *partial = (void *)down->piece;
	size_t at = partial ? down->held : 0;
	ssize_t n;

	*bytes = partial ? partial->bytes + at : flow->relay->tools.shared;
	do {
		n = recv(flow->server.fd, *bytes, SMTP_REPLY_BYTES_MAX - at, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		down->readable = false;
	if (n > 0 && (size_t)n < SMTP_REPLY_BYTES_MAX - at && !down->hangup)
		down->readable = false;
	return n;
}

void greeting_run(struct flow *flow)
{
	while (flow->state == FLOW_GREETING && flow->down.readable) {
		uint8_t *bytes;
		if (flow->down.held >= SMTP_REPLY_BYTES_MAX) {
			connect_failed(flow, ENDING_GREETING_MALFORMED, "the greeting is too long");
			return;
		}
		ssize_t n = read_server(flow, &bytes);
		if (n > 0)
			on_bytes(flow, bytes, (size_t)n);
		else if (n == 0)
			connect_failed(flow, ENDING_GREETING_CLOSED, "");
		else if (errno != EAGAIN)
			connect_failed(flow, ENDING_GREETING_CLOSED, strerror(errno));
	}
}

void greeting_on_deadline(struct flow *flow)
{
	connect_failed(flow, ENDING_GREETING_TIMEOUT, "");
}
