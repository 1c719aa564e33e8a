/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/carry/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int copy_tools_init(struct copy_tools *tools, uint32_t flows, int pipes)
{
	memset(tools, 0, sizeof(*tools));
	tools->shared = malloc(COPY_PIECE_BYTES);
	if (!tools->shared)
		return -ENOMEM;
	/* one a direction: a piece is always to be had */
	if (pool_init(&tools->stuck, COPY_PIECE_BYTES, 2 * flows) < 0) {
		free(tools->shared);
		return -ENOMEM;
	}
	splice_init(&tools->pipes, pipes);
	return 0;
}

void copy_tools_fini(struct copy_tools *tools)
{
	splice_fini(&tools->pipes);
	pool_fini(&tools->stuck);
	free(tools->shared);
}

void copy_init(struct copy *copy)
{
	memset(copy, 0, sizeof(*copy));
	copy->pipe = -1;
}

static void give_piece(struct copy_tools *tools, struct copy *copy)
{
	if (copy->piece)
		pool_give(&tools->stuck, copy->piece);
	copy->piece = NULL;
}

void copy_fini(struct copy_tools *tools, struct copy *copy)
{
	give_piece(tools, copy);
	if (copy->pipe >= 0)
		splice_drop(&tools->pipes, copy->pipe);
	copy->pipe = -1;
	copy->held = 0;
}

/* How much the sink took; less than len: it takes no more now. */
static ssize_t write_sink(struct copy *copy, int to, const uint8_t *bytes, size_t len, int flags)
{
	ssize_t n;
	do {
		n = send(to, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT | flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n < 0)
		n = 0;
	if ((size_t)n < len)
		copy->writable = false;
	copy->bytes += (size_t)n;
	return n;
}

static int put(struct copy_tools *tools, struct copy *copy, int to, const void *bytes, size_t len,
	int flags)
{
	ssize_t n = write_sink(copy, to, bytes, len, flags);
	if (n < 0)
		return (int)n;
	if ((size_t)n == len)
		return 0;
	copy->piece = pool_take(&tools->stuck);
	if (!copy->piece)
		return -ENOMEM;
	copy->at = 0;
	copy->held = (uint32_t)(len - (size_t)n);
	memcpy(copy->piece, (const uint8_t *)bytes + n, copy->held);
	return 0;
}

int copy_put(struct copy_tools *tools, struct copy *copy, int to, const void *bytes, size_t len)
{
	return put(tools, copy, to, bytes, len, 0);
}

static int flush_piece(struct copy_tools *tools, struct copy *copy, int to)
{
	ssize_t n = write_sink(copy, to, copy->piece + copy->at, copy->held, 0);
	if (n < 0)
		return (int)n;
	copy->at += (uint32_t)n;
	copy->held -= (uint32_t)n;
	if (copy->held == 0)
		give_piece(tools, copy);
	return 0;
}

static int flush_pipe(struct copy_tools *tools, struct copy *copy, int to)
{
	int pipe = tools->pipes.pipes[copy->pipe].read_fd;
	while (copy->held > 0) {
		ssize_t n =
			splice(pipe, NULL, to, NULL, copy->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			copy->writable = false;
			return 0;
		}
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		copy->held -= (uint32_t)n;
		copy->bytes += (uint64_t)n;
		tools->spliced_bytes += (uint64_t)n;
	}
	return 0;
}

static void give_pipe(struct copy_tools *tools, struct copy *copy)
{
	splice_give(&tools->pipes, copy->pipe);
	copy->pipe = -1;
}

/* One read of the source, and what follows from its length. */
static ssize_t read_source(struct copy_tools *tools, struct copy *copy, int from)
{
	ssize_t n;
	do {
		n = recv(from, tools->shared, COPY_PIECE_BYTES, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN)
			return -errno;
		copy->readable = false;
		return 0;
	}
	if (n == 0) {
		copy->ended = true;
		copy->readable = false;
	} else if (n < (ssize_t)COPY_PIECE_BYTES) {
		/* the socket is empty: the next byte, or the end, makes a new edge */
		if (!copy->hangup)
			copy->readable = false;
		copy->streak = 0;
		copy->bulk = false;
	} else if (copy->streak < COPY_STREAK && ++copy->streak == COPY_STREAK) {
		copy->bulk = true;
	}
	return n;
}

/* One splice of the source into the direction's pipe. An EAGAIN says that the source is empty,
 * because the pipe is whenever this is called. */
static ssize_t splice_source(struct copy_tools *tools, struct copy *copy, int from)
{
	ssize_t n;
	do {
		n = splice(from, NULL, tools->pipes.pipes[copy->pipe].write_fd, NULL,
			SPLICE_PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN)
			return -errno;
		copy->readable = false;
		return 0;
	}
	if (n == 0) {
		copy->ended = true;
		copy->readable = false;
	} else if (n < (ssize_t)COPY_PIECE_BYTES) {
		copy->streak = 0;
		copy->bulk = false;
	}
	copy->held = (uint32_t)n;
	return n;
}

static bool take_pipe(struct copy_tools *tools, struct copy *copy)
{
	if (copy->pipe >= 0)
		return true;
	copy->pipe = (int16_t)splice_take(&tools->pipes);
	if (copy->pipe < 0)
		tools->pipes_short++;
	return copy->pipe >= 0;
}

static enum copy_result fail(enum copy_result side, ssize_t n, int *error)
{
	*error = (int)-n;
	return side;
}

/* Takes the next bytes from the source and hands them to the sink. *moved: how many. */
static enum copy_result move(struct copy_tools *tools, struct copy *copy, int from, int to,
	copy_seen *seen, void *context, size_t *moved, int *error)
{
	ssize_t n;
	bool spliced = copy->bulk && take_pipe(tools, copy);

	if (spliced)
		n = splice_source(tools, copy, from);
	else
		n = read_source(tools, copy, from);
	if (n < 0)
		return fail(COPY_SOURCE_FAILED, n, error);
	*moved = (size_t)n;
	if (n == 0)
		return COPY_WAIT;
	if (seen)
		seen(context, spliced ? NULL : tools->shared, (size_t)n);
	/* the end is read right behind these bytes: both go out in one packet */
	int flags = copy->hangup ? MSG_MORE : 0;
	int rc = spliced ? flush_pipe(tools, copy, to)
			 : put(tools, copy, to, tools->shared, (size_t)n, flags);
	return rc < 0 ? fail(COPY_SINK_FAILED, rc, error) : COPY_MORE;
}

int copy_flush(struct copy_tools *tools, struct copy *copy, int to)
{
	if (copy->held == 0 || !copy->writable)
		return 0;
	return copy->piece ? flush_piece(tools, copy, to) : flush_pipe(tools, copy, to);
}

static enum copy_result run(struct copy_tools *tools, struct copy *copy, int from, int to,
	copy_seen *seen, void *context, int *error)
{
	size_t round = 0, moved = 0;
	/* what an earlier round left over goes first */
	int rc = copy_flush(tools, copy, to);
	if (rc < 0)
		return fail(COPY_SINK_FAILED, rc, error);

	while (copy->held == 0 && copy->readable && copy->writable) {
		if (round >= COPY_ROUND_BYTES)
			return COPY_MORE;
		enum copy_result result = move(tools, copy, from, to, seen, context, &moved, error);
		if (result == COPY_SOURCE_FAILED || result == COPY_SINK_FAILED)
			return result;
		round += moved;
	}
	return copy->held == 0 && copy->ended ? COPY_ENDED : COPY_WAIT;
}

enum copy_result copy_run(struct copy_tools *tools, struct copy *copy, int from, int to,
	copy_seen *seen, void *context, int *error)
{
	enum copy_result result = run(tools, copy, from, to, seen, context, error);
	if (copy->pipe >= 0 && copy->held == 0)
		give_pipe(tools, copy);
	return result;
}

int copy_pass_end(struct copy *copy, int to)
{
	if (copy->passed)
		return 0;
	copy->passed = true;
	return shutdown(to, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}
