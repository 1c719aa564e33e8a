/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how health connects to a host: from where routing decides, from an address of the gateway's,
 * or from a client's address, as the flows of a server with `bind client` do.
 *
 * Only the keeper may make the socket for a client's address (keeper/socket.c): one is asked of it
 * for each connection. */
#ifndef POSTERN_DAEMON_HEALTH_DIAL_H
#define POSTERN_DAEMON_HEALTH_DIAL_H

#include "daemon/base/loop.h"
#include "lib/ipc/flow.h"

struct channel;

struct dials {
	struct loop *loop;
	struct channel *keeper; /* NULL: none yet */
	struct dial *first;     /* those that wait, in the order of their questions */
	struct loop_timer again;
};

/* One connection that may have to wait for its socket. Whoever wants it embeds it. */
struct dial {
	struct dial *next;
	struct dials *dials; /* where it waits; NULL: nowhere */
	struct endpoint host;
	struct addr from;
	bool asked; /* of the keeper, and not answered yet */
	int error;  /* what the keeper answered last; 0: nothing */
	/* The socket came: fd connects and is taken over, or -errno. The dial waits no more. */
	void (*on_socket)(struct dial *dial, int fd);
};

void dial_init(struct dials *dials, struct loop *loop);
void dial_fini(struct dials *dials);
/* Begins to connect. From: ADDR_NONE: routing decides. Foreign: it is a client's address. The
 * socket, which connects; -EAGAIN: on_socket() brings it; other -errno. */
int dial_begin(struct dials *dials, struct dial *dial, const struct endpoint *host,
	const struct addr *from, bool foreign);
/* Waits no more; one that does not wait is allowed. */
void dial_cancel(struct dial *dial);
/* The keeper's answer. fd is taken over; -1: none. */
void dial_on_socket(struct dials *dials, const struct ipc_socket *ipc, int fd);

#endif
