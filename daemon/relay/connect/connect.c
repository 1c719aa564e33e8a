/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/connect/connect.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/choose.h"
#include "daemon/flow/dial.h"
#include "daemon/flow/stock.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/connect/announce.h"
#include "daemon/relay/connect/greeting.h"
#include "daemon/relay/connect/question.h"
#include "daemon/relay/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Of an original there is no other host that might take the mail: what it says in place of a
 * greeting is as final for the client as it means it. */
static void pass_refusal_on(struct flow *flow, const char *words)
{
	unsigned long code = strtoul(words, NULL, 10);
	char text[IPC_TEXT_SIZE];

	snprintf(text, sizeof(text), "the mail server refuses: %s", words);
	answer_begin(flow, ENDING_GREETING_REFUSED, (unsigned)code, code < 500 ? "4.3.2" : "5.3.2",
		text);
}

/* No host is left: the client hears why, in the words of the last server that said any. */
static void give_up(struct flow *flow)
{
	char text[IPC_TEXT_SIZE];
	enum ending ending = dial_give_up(&flow->way);
	const char *words = attempts_reply(flow->way.attempts);
	const struct ending_reply *reply = ending_reply_of(ending);

	if (words && flow->way.to_original) {
		pass_refusal_on(flow, words);
		return;
	}
	if (!reply)
		reply = ending_reply_of(ENDING_NO_SERVER);
	attempts_text(flow->way.attempts, ending, text);
	answer_begin(flow, ending, reply->code, reply->enhanced, text);
}

/* Hosts of `server original` are not asked for XCLIENT: an Internet host has no reason to trust
 * this gateway, and asking each would double the connections it sees. With `announce xclient` every
 * flow asks for itself. */
static enum host_answers_standing standing(struct flow *flow)
{
	const struct policy_server *server = way_server(&flow->way);
	if (!server || server->announce == POLICY_ANNOUNCE_XCLIENT || choose_was_asked(&flow->way))
		return HOST_USE;
	uint64_t now_ms = loop_now_ms(flow->relay->loop);
	struct host *host = host_answers_of(&flow->relay->hosts, server, &flow->way.host);
	if (!host)
		return HOST_NEVER;
	flow->host_asked = host;
	enum host_answers_standing standing =
		host_answers_standing(host, relay_picture(flow->relay)->inquiry, now_ms);
	if (standing == HOST_ASK_FIRST || host_answers_due(host, now_ms))
		question_begin(flow, host, dial_may_connect_ms(&flow->way),
			dial_deadlines_of(&flow->way).greeting_ms);
	return standing;
}

/* Connects to the host at hand, or waits for a socket to do it with. False: the next one, please.
 */
static bool dial(struct flow *flow)
{
	int fd = dial_connect(&flow->way);
	if (fd == -EAGAIN && flow->state != FLOW_BIND)
		flow_set(flow, FLOW_BIND);
	if (fd < 0)
		return fd == -EAGAIN;
	int error = flow_watch_server(flow, fd);
	if (error < 0) {
		close(fd);
		flow->server.fd = -1;
		dial_failed(&flow->way, dial_ending(-error), strerror(-error));
		return false;
	}
	flow_set(flow, FLOW_CONNECT);
	return true;
}

/* The host at hand. False: it could not even be tried. */
static bool ask_or_dial(struct flow *flow)
{
	flow->host_asked = NULL;
	switch (standing(flow)) {
	case HOST_ASK_FIRST:
		flow_set(flow, FLOW_ASK);
		return true;
	case HOST_NEVER:
		if (flow->host_asked)
			dial_pass_over(&flow->way, (enum ending)flow->host_asked->refusal,
				flow->host_asked->text);
		else
			dial_pass_over(&flow->way, ENDING_HOST_UNFIT, "too many hosts");
		return false;
	case HOST_USE:
		break;
	}
	return dial(flow);
}

static void try_next(struct flow *flow)
{
	while (dial_next(&flow->way))
		if (ask_or_dial(flow))
			return;
	give_up(flow);
}

void connect_begin(struct flow *flow)
{
	dial_first(&flow->way);
	try_next(flow);
}

void connect_failed(struct flow *flow, enum ending ending, const char *words)
{
	flow_drop_server(flow);
	dial_failed(&flow->way, ending, words);
	try_next(flow);
}

void connect_on_server(struct flow *flow, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		int error = dial_error(flow->server.fd);
		/* no error: it connected and was closed at once, which reading will tell */
		if (error) {
			connect_failed(flow, dial_ending(error), strerror(error));
			return;
		}
	} else if (!(events & EPOLLOUT)) {
		return;
	}
	dial_connected(&flow->way, flow->server.fd);
	announce_begin(flow);
	if (flow->state == FLOW_GREETING && flow->down.readable)
		greeting_run(flow);
	else if (flow->state == FLOW_ANNOUNCE)
		announce_run(flow);
}

void connect_on_deadline(struct flow *flow)
{
	if (flow->state == FLOW_BIND) {
		dial_pass_over(&flow->way, ENDING_HOST_UNFIT, stock_words(&flow->way));
		try_next(flow);
		return;
	}
	bool connected = flow->state == FLOW_ASK && flow->host_asked->step != HOST_CONNECTING;
	connect_failed(flow, connected ? ENDING_GREETING_TIMEOUT : ENDING_CONNECT_TIMEOUT,
		flow->state == FLOW_ASK ? "the host could not be asked in time" : "");
}

struct answered {
	const struct host *host;
	enum ending ending;
	const char *words;
	const struct endpoint *client;
};

static bool go_on(struct flow *flow, void *context)
{
	const struct answered *answered = context;
	const struct endpoint *client = answered->client;
	bool other = client && !(client->port == flow->way.client.port &&
				       addr_equal(&client->addr, &flow->way.client.addr));

	if (flow->state != FLOW_ASK || flow->host_asked != answered->host)
		return false;
	if (answered->ending != ENDING_NONE && !other)
		connect_failed(flow, answered->ending, answered->words);
	else if (!ask_or_dial(flow)) /* another inquiry may have begun meanwhile */
		try_next(flow);
	return true;
}

void connect_on_host(struct relay *relay, const struct host *host, enum ending ending,
	const char *words, const struct endpoint *client)
{
	struct answered answered = {host, ending, words, client};
	flow_each(&relay->table, go_on, &answered);
}

static bool dial_again(struct flow *flow, void *context)
{
	(void)context;
	if (flow->state != FLOW_BIND)
		return false;
	if (!dial(flow))
		try_next(flow);
	return true;
}

void connect_on_socket(struct relay *relay)
{
	if (relay->table.states[FLOW_BIND] > 0)
		flow_each(&relay->table, dial_again, NULL);
}
