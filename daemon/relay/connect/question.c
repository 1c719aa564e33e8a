/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/connect/question.h"

#include "daemon/base/log.h"
#include "daemon/flow/dial.h"
#include "daemon/relay/connect/announce.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* For the server's 221; without a QUIT its log would complain. */
#define QUIT_MS       5000
#define SAID_EVERY_MS 60000

void question_stop(struct host *host)
{
	if (host->step == HOST_QUIET)
		return;
	loop_timer_clear(host->relay->loop, &host->deadline);
	if (host->watch.fd >= 0) {
		loop_del(host->relay->loop, &host->watch);
		close(host->watch.fd);
	}
	if (host->talk)
		pool_give(&host->relay->tools.stuck, host->talk);
	host->talk = NULL;
	host->watch.fd = -1;
	host->step = HOST_QUIET;
	host->asking = false;
}

/* The one writer of the step; also sets its deadline. */
static void set_step(struct host *host, enum host_step step, uint32_t within_ms)
{
	struct loop *loop = host->relay->loop;
	host->step = (uint8_t)step;
	loop_timer_set(loop, &host->deadline, loop_now_ms(loop) + within_ms);
}

static void say_why_not(struct host *host, enum ending ending, const char *words)
{
	uint64_t now_ms = loop_now_ms(host->relay->loop);
	char end[ENDPOINT_TEXT_SIZE];

	if (host->said_ms != 0 && now_ms < host->said_ms + SAID_EVERY_MS)
		return;
	host->said_ms = now_ms;
	log_warning("server %s host %s cannot be asked: %s%s%s", host->server,
		endpoint_format(&host->end, end), ending_name(ending), *words ? ": " : "", words);
}

/* No answer: the flows that wait take it as a failed attempt; the next flow asks again. The host
 * may be asked anew, or be another, when this returns. */
static void fail(struct host *host, enum ending ending, const char *words)
{
	struct relay *relay = host->relay;
	bool about_client = host->talk && host->talk->dialogue.about_client;
	struct endpoint client;
	char text[TARGET_TEXT_SIZE]; /* the words go with the talk */

	snprintf(text, sizeof(text), "%s", words);
	if (about_client)
		client = host->talk->setup.client;
	question_stop(host);
	say_why_not(host, ending, text);
	connect_on_host(relay, host, ending, text, about_client ? &client : NULL);
}

static void tell_control(struct host *host)
{
	struct ipc_host ipc;
	ipc_init(&ipc, IPC_HOST, sizeof(ipc));
	ipc.inquiry = host->inquiry;
	ipc.host = host->end;
	ipc.kind = IPC_HOST_ASKED;
	ipc.usable = host->answer == HOST_GOOD;
	snprintf(ipc.server, sizeof(ipc.server), "%s", host->server);
	snprintf(ipc.text, sizeof(ipc.text), "%s", host->text);
	relay_send(host->relay, &ipc);
}

/* ENDING_NONE: it may be used. Last of all: the host may be asked anew when this returns. */
static void answer(struct host *host, enum ending ending, const char *words)
{
	struct relay *relay = host->relay;
	char end[ENDPOINT_TEXT_SIZE];

	host->asked_ms = loop_now_ms(relay->loop);
	host->asking = false;
	host->answer = ending == ENDING_NONE ? HOST_GOOD : HOST_REFUSED;
	host->refusal = (uint8_t)ending;
	snprintf(host->text, sizeof(host->text), "%s", words);
	if (ending != ENDING_NONE) {
		relay_count(relay, COUNTER_HOSTS_REFUSED);
		log_warning("server %s host %s %s and is not used", host->server,
			endpoint_format(&host->end, end), host->text);
	}
	tell_control(host);
	connect_on_host(relay, host, ending, host->text, NULL);
}

static bool say(struct host *host, const void *bytes, size_t len)
{
	return send(host->watch.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static void leave(struct host *host)
{
	if (say(host, "QUIT\r\n", 6))
		set_step(host, HOST_QUIT, QUIT_MS);
	else
		question_stop(host);
}

/* The dialogue is over. */
static void conclude(struct host *host)
{
	const struct dialogue *dialogue = &host->talk->dialogue;
	char text[TARGET_TEXT_SIZE]; /* the words go with the talk */

	if (dialogue->outcome == TARGET_WORKED) {
		question_stop(host);
		answer(host, ENDING_NONE, "");
	} else if (dialogue->outcome == TARGET_REFUSED && !dialogue->about_client) {
		enum ending ending = announce_ending(dialogue);
		memcpy(text, dialogue->text, sizeof(text));
		leave(host);
		answer(host, ending, text);
	} else {
		fail(host, announce_ending(dialogue), dialogue->text);
	}
}

/* Says what is to be said. Without a PROXY header all is known when the EHLO was answered well. */
static void go_on(struct host *host, enum dialogue_step before)
{
	const struct dialogue *dialogue = &host->talk->dialogue;

	if (dialogue->step == DIALOGUE_OVER) {
		conclude(host);
	} else if (dialogue->step == DIALOGUE_QUIT && host->announce == POLICY_ANNOUNCE_NONE) {
		leave(host);
		answer(host, ENDING_NONE, "");
	} else if (dialogue->out_len > 0 && !say(host, dialogue->out, dialogue->out_len)) {
		fail(host, ENDING_GREETING_CLOSED, "");
	} else if (dialogue->step != before) {
		set_step(host, HOST_TALKING, host->greeting_ms);
	}
}

static void on_connected(struct host *host)
{
	loop_change(host->relay->loop, &host->watch, EPOLLIN);
	set_step(host, HOST_TALKING, host->greeting_ms);
	host->connected_ms = loop_now_ms(host->relay->loop);
	dialogue_begin(&host->talk->dialogue, &host->talk->setup);
	go_on(host, DIALOGUE_GREETING);
}

/* The host's 221, or its end. It is read, or closing would reset the connection. */
static void read_farewell(struct host *host)
{
	uint8_t bytes[2048];
	recv(host->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	question_stop(host);
}

/* One read an event: afterwards the question may be over. */
static void read_host(struct host *host)
{
	struct dialogue *dialogue = &host->talk->dialogue;
	enum dialogue_step before = (enum dialogue_step)dialogue->step;
	uint8_t bytes[2048];
	ssize_t n = recv(host->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(host, ENDING_GREETING_CLOSED, n < 0 ? strerror(errno) : "");
		return;
	}
	dialogue_feed(
		dialogue, bytes, (size_t)n, loop_now_ms(host->relay->loop) - host->connected_ms);
	go_on(host, before);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct host *host = container_of(watch, struct host, watch);
	int error;

	switch ((enum host_step)host->step) {
	case HOST_CONNECTING:
		error = events & (EPOLLERR | EPOLLHUP) ? dial_error(watch->fd) : 0;
		if (error)
			fail(host, dial_ending(error), strerror(error));
		else if (events & EPOLLOUT)
			on_connected(host);
		break;
	case HOST_TALKING:
		read_host(host);
		break;
	case HOST_QUIT:
		read_farewell(host);
		break;
	case HOST_QUIET:
		break;
	}
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct host *host = container_of(timer, struct host, deadline);
	(void)now_ms;
	switch ((enum host_step)host->step) {
	case HOST_CONNECTING:
		if (host->error)
			fail(host, dial_ending(host->error), strerror(host->error));
		else
			fail(host, ENDING_CONNECT_TIMEOUT, "");
		break;
	case HOST_TALKING:
		fail(host, ENDING_GREETING_TIMEOUT, "");
		break;
	case HOST_QUIT:
		question_stop(host);
		break;
	case HOST_QUIET:
		break;
	}
}

/* 0 or errno. */
static int dial(struct host *host, const struct flow *flow)
{
	host->talk = announce_new_talk(flow, false);
	if (!host->talk)
		return ENOMEM;
	int fd = dial_socket(&host->end, &flow->way.policy->servers[flow->way.server]);
	if (fd < 0)
		return -fd;
	host->watch.fd = fd;
	return -loop_add(host->relay->loop, &host->watch, EPOLLIN | EPOLLOUT);
}

void question_begin(struct flow *flow, struct host *host, uint32_t connect_ms, uint32_t greeting_ms)
{
	const uint64_t inquiry = relay_picture(flow->relay)->inquiry;

	/* flows that wait for the answer to one of an inquiry before get that to this one */
	if (host->asking && host->inquiry == inquiry)
		return;
	question_stop(host);
	if (host->inquiry != inquiry)
		host->answer = HOST_UNKNOWN;
	host->inquiry = inquiry;
	host->relay = flow->relay;
	host->watch.on_event = on_event;
	host->deadline.on_time = on_deadline;
	host->greeting_ms = greeting_ms;
	snprintf(host->server, sizeof(host->server), "%s",
		flow->way.policy->servers[flow->way.server].name.text);
	relay_count(flow->relay, COUNTER_HOSTS_ASKED);
	host->asking = true;
	host->error = dial(host, flow);
	/* an error is told by the deadline: never from within this call */
	set_step(host, HOST_CONNECTING, host->error ? 0 : connect_ms);
}
