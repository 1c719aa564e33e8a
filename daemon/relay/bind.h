/* Owns the sockets for flows whose server sees the client's own address (`bind client`).
 *
 * Only the keeper may make such a socket (keeper_socket.c), so a relay keeps a small stock of each
 * family and has it filled up when half of it is used. A flow that finds it empty waits. */
#ifndef POSTERN_BIND_H
#define POSTERN_BIND_H

#include "lib/ipc/ipc.h"

struct flow;
struct relay;

#define BIND_STOCK 32 /* of each family */

struct bind_shelf {
	int fds[BIND_STOCK];
	unsigned n;
	unsigned asked; /* and not come yet */
	int error;      /* why the last ones did not come; 0: they did */
};

struct bind_stock {
	struct bind_shelf shelves[2]; /* IPv4, IPv6 */
	bool wanted;                  /* the policy in force has a server with `bind client` */
};

void bind_fini(struct bind_stock *stock);
/* A policy came in force. */
void bind_follow_policy(struct relay *relay);
/* Asks again for what did not come; once a second. */
void bind_tick(struct relay *relay);
/* The keeper's answer. fd is taken over; -1: none. */
void bind_on_socket(struct relay *relay, const struct ipc_socket *message, int fd);

/* A socket that connects to flow->host from the client's address, with the client's port if that is
 * free; -EAGAIN: none is in stock, bind_on_socket() brings one; -EAFNOSUPPORT: the host is of
 * another family than the client; other -errno. */
int bind_connect(const struct flow *flow);
/* Why a flow waits for a socket, in words. */
const char *bind_words(const struct flow *flow);

#endif
