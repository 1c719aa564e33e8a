/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the pipes through which bulk is spliced: few, made when first needed, shared by all flows
 * of a relay. A flow holds one only while bytes are stuck in it. */
#ifndef POSTERN_DAEMON_RELAY_CARRY_SPLICE_H
#define POSTERN_DAEMON_RELAY_CARRY_SPLICE_H

#define SPLICE_PIPES_MAX 32
/* Unprivileged users have 64 MiB of pipe in all (fs.pipe-user-pages-soft), for all relays: four of
 * them get theirs. */
#define SPLICE_PIPE_BYTES (512u << 10)

struct splice_pipe {
	int read_fd, write_fd;
};

struct splice_pool {
	struct splice_pipe pipes[SPLICE_PIPES_MAX];
	int free[SPLICE_PIPES_MAX]; /* numbers of open pipes that nobody holds */
	int nfree;
	int closed[SPLICE_PIPES_MAX]; /* numbers without a pipe */
	int nclosed;
};

/* max: how many pipes at most, up to SPLICE_PIPES_MAX. */
void splice_init(struct splice_pool *pool, int max);
void splice_fini(struct splice_pool *pool);
/* The number of an empty pipe, or -1: none to be had. */
int splice_take(struct splice_pool *pool);
/* Gives an empty pipe back. */
void splice_give(struct splice_pool *pool, int number);
/* Gives a pipe back that still holds bytes: they are lost with it. */
void splice_drop(struct splice_pool *pool, int number);

#endif
