/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one end of a socket pair between two processes: ipcs out in order, ipcs in checked,
 * descriptors with them. */
#ifndef POSTERN_DAEMON_BASE_CHANNEL_H
#define POSTERN_DAEMON_BASE_CHANNEL_H

#include "daemon/base/loop.h"
#include "lib/ipc/core.h"

struct channel;

struct channel_handler {
	/* ipc has passed ipc_check(); fd is -1 or taken over by the handler. */
	void (*on_ipc)(void *context, const struct ipc_header *ipc, int fd);
	/* The other end is gone. The channel is closed; the handler may channel_free() it. */
	void (*on_gone)(void *context);
};

/* Takes fd over. NULL: out of memory. */
struct channel *channel_open(
	struct loop *loop, int fd, const struct channel_handler *handler, void *context);
void channel_free(struct channel *channel);
/* Hangs up: nothing is heard any more and every send is -EPIPE, on_gone() is not called. For those
 * that may still be sent to while they end. */
void channel_close(struct channel *channel);
/* Sends now, or queues in order when the other end is slow (up to 256 MiB: then -ENOBUFS and the
 * channel counts as gone). fd, if not -1, is duplicated. 0 or -errno. */
int channel_send(struct channel *channel, const void *ipc, int fd);
/* Handles everything that already waits on the socket, now, without going back to the loop. How
 * many ipcs. A relay does so before it believes that an identity is missing. */
unsigned channel_drain(struct channel *channel);
/* From now on, what comes is read together, once in so many ms: the other end's sends wake this
 * process that often and no more. For ipcs that nobody waits for; 0: all is read as it comes. */
void channel_set_pace(struct channel *channel, unsigned pace_ms);
size_t channel_queued_bytes(const struct channel *channel);
int channel_fd(const struct channel *channel);      /* borrowed; -1: closed */
uint32_t channel_next_seq(struct channel *channel); /* for requests; never 0 */

/* A sealed memfd with these bytes, for POLICY and PLAN; -errno. */
int channel_memfd(const char *name, const void *bytes, size_t len);
/* Maps such a descriptor, after checking the seals, and closes it. *bytes is released with
 * munmap(). 0 or -errno. */
int channel_map(int fd, void **bytes, size_t *len);

#endif
