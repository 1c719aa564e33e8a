/* Owns the sockets for flows whose server sees the client's own address (`bind client`).
 *
 * Only the keeper may make such a socket (keeper_socket.c), so a relay keeps a small stock of each
 * family and has it filled up when half of it is used. A flow that finds it empty waits. */
#ifndef POSTERN_STOCK_H
#define POSTERN_STOCK_H

#include "lib/ipc/flow.h"

struct flow;
struct relay;

#define STOCK_SIZE 32 /* of each family */

struct stock_shelf {
	int fds[STOCK_SIZE];
	unsigned n;
	unsigned asked; /* and not come yet */
	int error;      /* why the last ones did not come; 0: they did */
};

struct stock {
	struct stock_shelf shelves[2]; /* IPv4, IPv6 */
	bool wanted;                   /* the policy in force has a server with `bind client` */
};

void stock_fini(struct stock *stock);
/* A policy came in force. */
void stock_follow_policy(struct relay *relay);
/* Asks again for what did not come; once a second. */
void stock_tick(struct relay *relay);
/* The keeper's answer. fd is taken over; -1: none. */
void stock_on_socket(struct relay *relay, const struct ipc_socket *ipc, int fd);

/* A socket that connects to flow->host from the client's address, with the client's port if that is
 * free; -EAGAIN: none is in stock, stock_on_socket() brings one; -EAFNOSUPPORT: the host is of
 * another family than the client; other -errno. */
int stock_connect(const struct flow *flow);
/* Why a flow waits for a socket, in words. */
const char *stock_words(const struct flow *flow);

#endif
