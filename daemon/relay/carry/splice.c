/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/carry/splice.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void splice_init(struct splice_pool *pool, int max)
{
	memset(pool, 0, sizeof(*pool));
	if (max > SPLICE_PIPES_MAX)
		max = SPLICE_PIPES_MAX;
	while (max > 0)
		pool->closed[pool->nclosed++] = --max;
}

static void close_pipe(struct splice_pipe *pipe)
{
	close(pipe->read_fd);
	close(pipe->write_fd);
}

void splice_fini(struct splice_pool *pool)
{
	while (pool->nfree > 0)
		close_pipe(&pool->pipes[pool->free[--pool->nfree]]);
	pool->nclosed = 0;
}

/* A user over the kernel's limit for pipes gets pipes of a page or two, which are slower than a
 * copy: such a one is not taken. */
static int open_pipe(struct splice_pipe *pipe)
{
	int fds[2];
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	if (fcntl(fds[1], F_SETPIPE_SZ, SPLICE_PIPE_BYTES) >= 0 ||
		fcntl(fds[1], F_GETPIPE_SZ) >= (int)(64u << 10))
		return 0;
	close_pipe(pipe);
	return -1;
}

int splice_take(struct splice_pool *pool)
{
	if (pool->nfree > 0)
		return pool->free[--pool->nfree];
	if (pool->nclosed == 0)
		return -1;
	int number = pool->closed[pool->nclosed - 1];
	if (open_pipe(&pool->pipes[number]) < 0)
		return -1;
	pool->nclosed--;
	return number;
}

void splice_give(struct splice_pool *pool, int number)
{
	pool->free[pool->nfree++] = number;
}

void splice_drop(struct splice_pool *pool, int number)
{
	close_pipe(&pool->pipes[number]);
	pool->closed[pool->nclosed++] = number;
}
