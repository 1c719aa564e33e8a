/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sockets for flows whose server sees the client's own address (`bind client`).
 *
 * Only the keeper may make such a socket (keeper/socket.c), so whoever has flows keeps a small
 * stock of each family and has it filled up when half of it is used. A flow that finds it empty
 * waits. */
#ifndef POSTERN_DAEMON_FLOW_STOCK_H
#define POSTERN_DAEMON_FLOW_STOCK_H

#include "lib/ipc/flow.h"

struct way;
struct way_host;

#define STOCK_SIZE 32 /* of each family */

struct stock_shelf {
	int fds[STOCK_SIZE];
	unsigned n;
	unsigned asked; /* and not come yet */
	int error;      /* why the last ones did not come; 0: they did */
};

struct stock {
	struct stock_shelf shelves[2]; /* IPv4, IPv6 */
};

void stock_fini(struct stock *stock);
/* Asks for what is missing, if the policy in force has a server with `bind client`: when that came,
 * and once a second for what did not come. waited: ways wait for a socket, which may have begun
 * under a policy before. */
void stock_fill(struct way_host *process, bool waited);
/* The keeper's answer. fd is taken over; -1: none. True: there is one for a way that waits. */
bool stock_put(struct way_host *process, const struct ipc_socket *ipc, int fd);

/* A socket that connects to way->host from the client's address, with the client's port if that is
 * free; -EAGAIN: none is in stock, stock_put() brings one; -EAFNOSUPPORT: the host is of
 * another family than the client; other -errno. */
int stock_connect(const struct way *way);
/* Why a flow waits for a socket, in words. */
const char *stock_words(const struct way *way);

#endif
