/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/accept.h"

#include "daemon/base/log.h"
#include "daemon/flow/origin.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/carry/carry.h"
#include "daemon/relay/match.h"
#include "daemon/relay/relay.h"
#include "lib/base/container.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Taken from a listener for one event; the rest of the backlog comes with the next one. */
#define ACCEPTS_A_ROUND 64

static void on_listener(struct loop_watch *watch, uint32_t events);

static void init_listener(struct relay *relay, int fd)
{
	struct accept_listener *listener = &relay->accept.listeners[relay->accept.nlisteners++];
	listener->relay = relay;
	listener->watch.fd = fd;
	listener->watch.on_event = on_listener;
	/* inherited by every client's socket, which saves five calls for each */
	carry_keep_alive(fd);
	/* what a client says first is answered soon, too: its acknowledgement goes with that */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
}

static void watch_listeners(struct relay *relay, bool on)
{
	struct accept *accept = &relay->accept;
	if (accept->watched == on)
		return;
	accept->watched = on;
	for (size_t i = 0; i < accept->nlisteners; i++) {
		struct loop_watch *watch = &accept->listeners[i].watch;
		if (watch->fd >= 0 && on)
			loop_add(relay->loop, watch, EPOLLIN);
		else if (watch->fd >= 0)
			loop_del(relay->loop, watch);
	}
}

static void on_shortage(struct shortage *shortage)
{
	struct accept *accept = container_of(shortage, struct accept, shortage);

	accept_start(accept->listeners[0].relay);
}

void accept_init(struct relay *relay)
{
	shortage_init(&relay->accept.shortage, relay->loop, on_shortage);
	relay->accept.nlisteners = 0;
	for (size_t i = 0; i < relay->start->nlisteners; i++)
		init_listener(relay, relay->start->listeners[i]);
}

void accept_start(struct relay *relay)
{
	watch_listeners(relay, !relay->child.draining && !relay->accept.shortage.paused);
}

void accept_stop(struct relay *relay)
{
	shortage_end(&relay->accept.shortage);
	watch_listeners(relay, false);
}

void accept_fini(struct relay *relay)
{
	accept_stop(relay);
	for (size_t i = 0; i < relay->accept.nlisteners; i++) {
		struct loop_watch *watch = &relay->accept.listeners[i].watch;
		if (watch->fd >= 0)
			close(watch->fd);
		watch->fd = -1;
	}
	shortage_fini(&relay->accept.shortage);
}

void accept_resume(struct relay *relay)
{
	shortage_end(&relay->accept.shortage);
}

static void say_shortage(struct relay *relay, const char *what)
{
	if (shortage_is_news(&relay->accept.shortage))
		log_warning("accepting pauses with %u flows: %s", flow_count(&relay->table), what);
}

static void pause_accepting(struct relay *relay, int listener, int error)
{
	if (shortage_pause(&relay->accept.shortage, listener, error))
		relay_count(relay, counter_of_ending(ENDING_NO_DESCRIPTOR));
	say_shortage(relay, strerror(error));
	relay_count(relay, COUNTER_ACCEPT_PAUSED);
}

/* Full: the client hears it, if its socket takes the line at once, and is gone. */
static void turn_away(struct relay *relay, int fd)
{
	const struct ending_reply *reply = ending_reply_of(ENDING_TABLE_FULL);
	const struct linger soft = {.l_onoff = 0};
	char line[SMTP_LINE_SIZE];

	size_t len = smtp_reply_format(line, reply->code, reply->enhanced, relay_name(relay),
		reply->text, ids_take(&relay->ways));
	if (send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &soft, sizeof(soft));
	close(fd);
	relay_count(relay, counter_of_ending(ENDING_TABLE_FULL));
	say_shortage(relay, "the table of flows is full");
}

static void take_client(struct relay *relay, int fd, const void *peer, size_t peer_len)
{
	struct origin origin;

	relay_count(relay, COUNTER_FLOWS_ACCEPTED);
	if (origin_ask(fd, peer, peer_len, &origin) < 0) {
		close(fd); /* it is gone again */
		return;
	}
	struct flow *flow = flow_new(relay, fd);
	if (!flow) {
		turn_away(relay, fd);
		return;
	}
	flow->way.client = origin.client;
	flow->way.original = origin.original;
	/* The listener itself was spoken to: not steered by our table, and never a relay. */
	if (origin.original.port == relay->start->options.relay_port)
		flow_end(flow, ENDING_LOOP, true);
	else
		match_flow(flow, &origin);
	/* what was sent to another process at once was never watched here */
	bool stays = flow->state != FLOW_DONE && (flow->state != FLOW_HAND || flow->waits);
	if (stays && flow_watch_client(flow) < 0)
		flow_end(flow, ENDING_NO_MEMORY, true);
}

static void on_listener(struct loop_watch *watch, uint32_t events)
{
	struct relay *relay = ((struct accept_listener *)watch)->relay;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_A_ROUND; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(
			watch->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_client(relay, fd, &peer, len);
			continue;
		}
		int error = errno;
		if (shortage_is(error))
			pause_accepting(relay, watch->fd, error);
		if (error != ECONNABORTED && error != EINTR && error != EPROTO)
			return;
	}
}
