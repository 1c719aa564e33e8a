/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sockets that packets come to: the keeper's, of which this process has a descriptor of
 * its own. They are read while there is a policy and a control that hears; else what comes waits.
 */
#ifndef POSTERN_DAEMON_RADIUS_SOCKETS_H
#define POSTERN_DAEMON_RADIUS_SOCKETS_H

#include "daemon/base/loop.h"
#include "lib/base/addr.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

struct ipc_endpoint;
struct radius;

#define SOCKETS_MAX 128

struct radius_socket {
	struct loop_watch watch; /* first; fd -1: free */
	struct radius *radius;
	struct endpoint at;
	bool watched;
};

struct sockets {
	struct radius_socket v[SOCKETS_MAX];
};

/* Where one packet came from, and to which of our addresses, that its answer goes from. */
struct way_back {
	struct endpoint at; /* of the socket */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	struct addr local; /* ADDR_NONE: the socket's own */
	uint32_t interface;
};

void sockets_init(struct sockets *sockets);
void sockets_close(struct radius *radius);
/* fd is taken over. */
void sockets_put(struct radius *radius, const struct ipc_endpoint *ipc, int fd);
/* family ADDR_NONE: all. */
void sockets_gone(struct radius *radius, const struct ipc_endpoint *ipc);
/* What is wanted may have changed. */
void sockets_watch(struct radius *radius);
/* Lost if there is no room, or the socket is gone: it is asked for again. */
void sockets_send(
	struct radius *radius, const struct way_back *back, const uint8_t *bytes, size_t len);

#endif
