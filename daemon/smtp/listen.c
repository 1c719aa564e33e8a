/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/listen.h"

#include "daemon/base/log.h"
#include "daemon/flow/ids.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/talk.h"
#include "daemon/tls/contexts.h"
#include "lib/base/container.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Taken from a socket for one event; the rest of the backlog comes with the next one. */
#define ACCEPTS_A_ROUND 64
/* Taken from one that goes: more than a backlog has. */
#define ACCEPTS_AT_LAST 8192

static void on_shortage(struct shortage *shortage);

void listen_init(struct smtp *smtp)
{
	struct listen *listen = &smtp->listen;

	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++)
		listen->sockets[i].watch.fd = -1;
	shortage_init(&listen->shortage, smtp->loop, on_shortage);
}

/* ---- one client ---- */

static void begin(
	struct smtp *smtp, const struct endpoint *client, const struct endpoint *at, int fd)
{
	struct listen *listen = &smtp->listen;
	struct smtp_flow *flow = smtp_flow_new(smtp, fd);

	if (!flow) {
		take_turn_away(smtp, ids_take(&smtp->ways), fd, ENDING_TABLE_FULL);
		return;
	}
	way_init_under(&flow->way, &smtp->ways, listen->policy);
	if (listen->contexts)
		flow->contexts = tls_contexts_hold(listen->contexts);
	flow->way.id = ids_take(&smtp->ways);
	flow->way.client = *client;
	flow->way.original = *at;
	flow->way.listener = (int32_t)policy_find_listener_at(listen->policy, at);
	flow->start_ms = loop_now_ms(smtp->loop);
	flow->rule = -1;
	talk_begin(flow);
}

static void take_client(
	struct smtp *smtp, const struct sockaddr_storage *peer, socklen_t len, int fd)
{
	struct sockaddr_storage local;
	socklen_t local_len = sizeof(local);
	struct endpoint client, at;

	smtp_count(smtp, COUNTER_LISTENERS_ACCEPTED);
	if (endpoint_decode((const struct sockaddr *)peer, len, &client) < 0 ||
		getsockname(fd, (struct sockaddr *)&local, &local_len) < 0 ||
		endpoint_decode((struct sockaddr *)&local, local_len, &at) < 0) {
		close(fd); /* it is gone again */
		return;
	}
	if (smtp->child.draining)
		take_turn_away(smtp, ids_take(&smtp->ways), fd, ENDING_DRAINING);
	else
		begin(smtp, &client, &at, fd);
}

/* ---- a shortage ---- */

static void watch(struct listen_socket *socket, bool on)
{
	if (socket->watched == on)
		return;
	socket->watched = on && loop_add(socket->smtp->loop, &socket->watch, EPOLLIN) == 0;
	if (!on)
		loop_del(socket->smtp->loop, &socket->watch);
}

static bool is_wanted(const struct listen *listen, const struct listen_socket *socket)
{
	return socket->watch.fd >= 0 && listen->policy && !listen->shortage.paused &&
	       policy_find_listener_at(listen->policy, &socket->at) >= 0;
}

static void watch_wanted(struct listen *listen)
{
	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++)
		watch(&listen->sockets[i], is_wanted(listen, &listen->sockets[i]));
}

static void on_shortage(struct shortage *shortage)
{
	watch_wanted(container_of(shortage, struct listen, shortage));
}

static void pause_accepting(struct smtp *smtp, int fd, int error)
{
	struct shortage *shortage = &smtp->listen.shortage;

	if (shortage_pause(shortage, fd, error))
		smtp_count(smtp, counter_of_ending(ENDING_NO_DESCRIPTOR));
	smtp_count(smtp, COUNTER_ACCEPT_PAUSED);
	if (shortage_is_news(shortage))
		log_warning("accepting at listeners pauses with %u flows: %s",
			smtp_flow_count(&smtp->table), strerror(error));
}

void listen_resume(struct smtp *smtp)
{
	shortage_end(&smtp->listen.shortage);
}

/* ---- a socket ---- */

static void take_waiting(struct listen_socket *socket, unsigned most)
{
	struct smtp *smtp = socket->smtp;

	for (unsigned i = 0; i < most; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(socket->watch.fd, (struct sockaddr *)&peer, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_client(smtp, &peer, len, fd);
			continue;
		}
		int error = errno;
		if (shortage_is(error))
			pause_accepting(smtp, socket->watch.fd, error);
		if (error != ECONNABORTED && error != EINTR && error != EPROTO)
			return;
	}
}

static void on_socket(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	take_waiting((struct listen_socket *)watch, ACCEPTS_A_ROUND);
}

static void close_socket(struct listen_socket *socket)
{
	watch(socket, false);
	if (socket->watch.fd >= 0)
		close(socket->watch.fd);
	socket->watch.fd = -1;
}

static struct listen_socket *find(struct listen *listen, const struct endpoint *at)
{
	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++) {
		struct listen_socket *socket = &listen->sockets[i];
		if (socket->watch.fd >= 0 && socket->at.port == at->port &&
			addr_equal(&socket->at.addr, &at->addr))
			return socket;
	}
	return NULL;
}

static struct listen_socket *find_free(struct listen *listen)
{
	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++)
		if (listen->sockets[i].watch.fd < 0)
			return &listen->sockets[i];
	return NULL;
}

void listen_put(struct smtp *smtp, const struct ipc_endpoint *ipc, int fd)
{
	struct listen *listen = &smtp->listen;
	struct listen_socket *socket = find_free(listen);

	if (fd < 0)
		return;
	if (find(listen, &ipc->at) || !socket) { /* it was handed out before */
		close(fd);
		return;
	}
	/* inherited: what a client says first is acknowledged by our answer */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
	*socket = (struct listen_socket){
		.watch = {.fd = fd, .on_event = on_socket}, .smtp = smtp, .at = ipc->at};
	watch(socket, is_wanted(listen, socket));
}

void listen_gone(struct smtp *smtp, const struct ipc_endpoint *ipc)
{
	struct listen *listen = &smtp->listen;
	struct listen_socket *one = find(listen, &ipc->at);

	if (one && ipc->empty)
		take_waiting(one, ACCEPTS_AT_LAST);
	if (one)
		close_socket(one);
	for (size_t i = 0; ipc->at.addr.family == ADDR_NONE && i < LISTEN_SOCKETS_MAX; i++)
		close_socket(&listen->sockets[i]);
}

/* What the new policy has no listener for is taken under the one that had it. */
static void take_what_goes(struct listen *listen, const struct policy *now)
{
	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++) {
		struct listen_socket *socket = &listen->sockets[i];
		if (socket->watched && policy_find_listener_at(now, &socket->at) < 0)
			take_waiting(socket, ACCEPTS_AT_LAST);
	}
}

void listen_follow(struct smtp *smtp)
{
	struct listen *listen = &smtp->listen;
	const struct picture *picture = smtp_picture(smtp);

	if (!smtp->picture_known)
		return;
	if (listen->policy)
		take_what_goes(listen, picture->policy);
	policy_unref(listen->policy);
	tls_contexts_free(listen->contexts);
	listen->policy = policy_ref(picture->policy);
	listen->contexts = picture->contexts ? tls_contexts_hold(picture->contexts) : NULL;
	watch_wanted(listen);
}

void listen_end(struct smtp *smtp)
{
	struct listen *listen = &smtp->listen;

	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++)
		if (listen->sockets[i].watched)
			take_waiting(&listen->sockets[i], ACCEPTS_AT_LAST);
}

void listen_fini(struct smtp *smtp)
{
	struct listen *listen = &smtp->listen;

	for (size_t i = 0; i < LISTEN_SOCKETS_MAX; i++)
		close_socket(&listen->sockets[i]);
	shortage_fini(&listen->shortage);
	policy_unref(listen->policy);
	tls_contexts_free(listen->contexts);
	listen->policy = NULL;
	listen->contexts = NULL;
}
