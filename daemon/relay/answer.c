/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/answer.h"

#include "daemon/relay/relay.h"
#include "lib/smtp/smtp.h"

#include <errno.h>
#include <sys/socket.h>

/* For the client to take what was said and close; a RST before would take the words with it. */
#define FLUSH_MS       5000
#define PEEK_BYTES     512
#define HEAR_BYTES_MAX 65536

/* All was said: passes our FIN and waits for the client's. */
static void finish(struct flow *flow)
{
	struct loop *loop = flow->relay->loop;
	if (flow->flushing)
		return;
	flow->flushing = true;
	if (flow->down.held == 0)
		shutdown(flow->client.fd, SHUT_WR);
	loop_timer_set(loop, &flow->deadline, loop_now_ms(loop) + FLUSH_MS);
}

static bool say(struct flow *flow, const char *words, size_t len)
{
	return copy_put(&flow->relay->tools, &flow->down, flow->client.fd, words, len) == 0;
}

static void greet(struct flow *flow, enum ending ending, unsigned code, const char *enhanced,
	const char *text)
{
	char line[SMTP_LINE_SIZE];
	size_t len = smtp_reply_format(
		line, code, enhanced, relay_name(flow->relay), text, flow->way.id);

	flow_drop_server(flow);
	flow->ending = (uint8_t)ending;
	bool crowded = flow->relay->table.states[FLOW_ANSWER] >= ANSWERS_MAX;
	if (!say(flow, line, len)) {
		flow_end(flow, ending, true);
		return;
	}
	if (crowded) {
		shutdown(flow->client.fd, SHUT_WR);
		flow_end(flow, ending, false);
		return;
	}
	flow_set(flow, FLOW_ANSWER);
}

void answer_begin(struct flow *flow, enum ending ending, unsigned code, const char *enhanced,
	const char *text)
{
	greet(flow, ending, code, enhanced, text);
	if (flow->state == FLOW_ANSWER)
		answer_run(flow);
}

void answer_short(struct flow *flow, enum ending ending)
{
	const struct ending_reply *reply = ending_reply_of(ending);
	greet(flow, ending, reply->code, reply->enhanced, reply->text);
	if (flow->state == FLOW_ANSWER)
		finish(flow);
}

/* Takes what the client said, as much as can be answered. False: nothing more for now. */
static bool hear(struct flow *flow)
{
	char out[4 * SMTP_ANSWER_ROOM];
	char in[PEEK_BYTES];
	size_t used = 0, out_len = 0;

	ssize_t n = recv(flow->client.fd, in, sizeof(in), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN) {
		flow->up.readable = false;
		return false;
	}
	if (n <= 0) {
		flow_end(flow, flow->ending, n < 0);
		return false;
	}
	bool over = flow->flushing;
	if (over)
		used = (size_t)n;
	else
		over = smtp_answer_feed(&flow->answer, in, (size_t)n, &used,
			relay_name(flow->relay), flow->way.id, out, sizeof(out), &out_len);
	recv(flow->client.fd, in, used, MSG_DONTWAIT);
	flow->up.bytes += used;
	if (flow->up.bytes > HEAR_BYTES_MAX) {
		flow_end(flow, flow->ending, true);
		return false;
	}
	if (out_len > 0 && !say(flow, out, out_len)) {
		flow_end(flow, flow->ending, true);
		return false;
	}
	if (over)
		finish(flow);
	return true;
}

void answer_run(struct flow *flow)
{
	struct copy *down = &flow->down;
	while (flow->state == FLOW_ANSWER) {
		if (down->held > 0) {
			int rc = copy_flush(&flow->relay->tools, down, flow->client.fd);
			if (rc < 0)
				flow_end(flow, flow->ending, true);
			if (rc < 0 || down->held > 0)
				return;
			if (flow->flushing)
				shutdown(flow->client.fd, SHUT_WR);
		}
		if (!flow->up.readable || !hear(flow))
			return;
	}
}

void answer_on_deadline(struct flow *flow)
{
	flow_end(flow, flow->ending, false);
}
