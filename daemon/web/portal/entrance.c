/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/entrance.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/door.h"
#include "daemon/web/web.h"
#include "lib/base/container.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static void on_socket(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	door_open(container_of(watch, struct portal_socket, watch));
}

/* Not before it is known who comes in. */
void entrance_watch(struct portals *portals)
{
	for (struct portal_socket *socket = portals->sockets; socket; socket = socket->next)
		if (!socket->watched && portals->first)
			socket->watched = loop_add(socket->web->loop, &socket->watch, EPOLLIN) == 0;
}

static void close_socket(struct portal_socket *socket)
{
	if (socket->watched)
		loop_del(socket->web->loop, &socket->watch);
	close(socket->watch.fd);
	free(socket);
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

void entrance_gone(struct web *web, const struct endpoint *at)
{
	for (struct portal_socket **place = &web->portals.sockets; *place;) {
		struct portal_socket *socket = *place;
		if (at->port && !same(&socket->at, at)) {
			place = &socket->next;
			continue;
		}
		*place = socket->next;
		close_socket(socket);
	}
}

void entrance_put(struct web *web, const struct endpoint *at, int fd)
{
	struct portal_socket *socket = calloc(1, sizeof(*socket));

	entrance_gone(web, at);
	if (!socket) {
		log_error("no memory for a socket");
		close(fd);
		return;
	}
	socket->web = web;
	socket->at = *at;
	socket->watch = (struct loop_watch){.fd = fd, .on_event = on_socket};
	socket->next = web->portals.sockets;
	web->portals.sockets = socket;
	entrance_watch(&web->portals);
}
