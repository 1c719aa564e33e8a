/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns moving the bytes of one direction of a flow: copied for dialogue, spliced for bulk.
 *
 * The sockets are watched edge-triggered, so a direction remembers what it last knew of them:
 * `readable` and `writable` are set by whoever hears the edge and cleared here, when a call said
 * so. Nothing is read that could not be written on at once: what the other side does not take
 * stays in the kernel's socket buffers, which is all the backpressure there is. What one write left
 * over is held in a piece of the pool (copied) or in its pipe (spliced) until it is gone.
 *
 * A direction begins by copying. After COPY_STREAK full reads in a row it is bulk and is spliced,
 * as long as a pipe is to be had, until the source runs dry within less than a piece. */
#ifndef POSTERN_DAEMON_RELAY_CARRY_COPY_H
#define POSTERN_DAEMON_RELAY_CARRY_COPY_H

#include "daemon/base/pool.h"
#include "daemon/relay/carry/splice.h"

#define COPY_PIECE_BYTES (16u << 10)
#define COPY_STREAK      2
/* A direction's share of one round, so that one fast flow does not hold up the others. */
#define COPY_ROUND_BYTES (1u << 20)

/* What all directions of a relay share. */
struct copy_tools {
	uint8_t *shared; /* COPY_PIECE_BYTES, for the read at hand */
	struct pool stuck;
	struct splice_pool pipes;
	uint64_t spliced_bytes;
	uint64_t pipes_short; /* times that bulk was copied for want of a pipe */
};

struct copy {
	uint64_t bytes; /* passed on */
	uint8_t *piece; /* holds `held` bytes from `at`; NULL: none, or in the pipe */
	uint32_t held, at;
	int16_t pipe; /* -1: none */
	uint8_t streak;
	bool bulk : 1;
	bool readable : 1;
	bool writable : 1;
	bool hangup : 1; /* the source's end is known to be there: a short read is not the last */
	bool ended : 1;  /* the source's FIN was read */
	bool passed : 1; /* and passed on */
};

enum copy_result {
	COPY_WAIT,          /* for the next edge of either socket */
	COPY_MORE,          /* its share of this round is used up */
	COPY_ENDED,         /* the source's FIN was read, and all before it was passed on */
	COPY_SOURCE_FAILED, /* *error says how */
	COPY_SINK_FAILED,
};

/* What the bytes are, in order, before they are written on; bytes NULL: so many were spliced. */
typedef void copy_seen(void *context, const uint8_t *bytes, size_t len);

/* flows: how many there can be. 0 or -ENOMEM. */
int copy_tools_init(struct copy_tools *tools, uint32_t flows, int pipes);
void copy_tools_fini(struct copy_tools *tools);

void copy_init(struct copy *copy);
/* Gives back what is held; those bytes are lost. */
void copy_fini(struct copy_tools *tools, struct copy *copy);
/* Moves what can be moved now. seen may be NULL. *error: errno, with the two failures. */
enum copy_result copy_run(struct copy_tools *tools, struct copy *copy, int from, int to,
	copy_seen *seen, void *context, int *error);
/* Sends bytes of our own, at most COPY_PIECE_BYTES, in front of whatever comes; nothing may be
 * held. 0 or -errno. */
int copy_put(struct copy_tools *tools, struct copy *copy, int to, const void *bytes, size_t len);

/* Passes the source's FIN on, once. 0 or -errno. */
int copy_pass_end(struct copy *copy, int to);
/* Sends what is held, as far as the sink takes it. 0 or -errno. */
int copy_flush(struct copy_tools *tools, struct copy *copy, int to);

#endif
