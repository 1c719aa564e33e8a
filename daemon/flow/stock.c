/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/stock.h"

#include "daemon/flow/way.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct stock_shelf *shelf_of(struct way_host *process, bool ip6)
{
	return &process->stock.shelves[ip6];
}

static void fill_up(struct way_host *process, bool ip6)
{
	struct stock_shelf *shelf = shelf_of(process, ip6);
	struct ipc_sockets_get ipc;
	unsigned there = shelf->n + shelf->asked;

	if (there > STOCK_SIZE / 2)
		return;
	ipc_init(&ipc, IPC_SOCKETS_GET, sizeof(ipc));
	ipc.ip6 = ip6;
	ipc.n = STOCK_SIZE - there;
	if (channel_send(process->child->keeper, &ipc, -1) == 0)
		shelf->asked += ipc.n;
}

void stock_fini(struct stock *stock)
{
	for (size_t i = 0; i < 2; i++) {
		while (stock->shelves[i].n > 0)
			close(stock->shelves[i].fds[--stock->shelves[i].n]);
	}
}

static bool is_wanted(const struct way_host *process)
{
	const struct policy *policy = way_host_picture(process)->policy;

	for (size_t i = 0; policy && i < policy->nservers; i++)
		if (policy->servers[i].bind == POLICY_BIND_CLIENT)
			return true;
	return false;
}

void stock_fill(struct way_host *process, bool waited)
{
	if (!waited && !is_wanted(process))
		return;
	fill_up(process, false);
	fill_up(process, true);
}

bool stock_put(struct way_host *process, const struct ipc_socket *ipc, int fd)
{
	struct stock_shelf *shelf = shelf_of(process, ipc->ip6);

	shelf->error = ipc->status;
	if (ipc->status < 0)
		shelf->asked = 0;
	else if (shelf->asked > 0)
		shelf->asked--;
	if (fd < 0)
		return false;
	if (ipc->status < 0 || shelf->n == STOCK_SIZE) {
		close(fd);
		return false;
	}
	shelf->fds[shelf->n++] = fd;
	return true;
}

static int take(struct way_host *process, bool ip6)
{
	struct stock_shelf *shelf = shelf_of(process, ip6);
	int fd = shelf->n > 0 ? shelf->fds[--shelf->n] : -EAGAIN;
	fill_up(process, ip6);
	return fd;
}

/* Its own port is of use in the server's log; conntrack sees neither that flow nor this, and the
 * kernel keeps apart what it has itself. The relay's listener has its port for itself. */
static int bind_to(int fd, const struct endpoint *client)
{
	struct sockaddr_storage sa;
	struct endpoint from = *client;
	socklen_t len = (socklen_t)endpoint_encode(&from, &sa);

	if (bind(fd, (const struct sockaddr *)&sa, len) == 0)
		return 0;
	from.port = 0;
	len = (socklen_t)endpoint_encode(&from, &sa);
	/* the port is chosen when the host is known: others may have it towards other hosts */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	return bind(fd, (const struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

int stock_connect(const struct way *way)
{
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(&way->host, &sa);

	if (way->host.addr.family != way->client.addr.family)
		return -EAFNOSUPPORT;
	int fd = take(way->process, way->host.addr.family == ADDR_IP6);
	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	int error = bind_to(fd, &way->client);
	if (!error && connect(fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error == -EAGAIN ? -EADDRNOTAVAIL : error;
}

const char *stock_words(const struct way *way)
{
	const struct stock_shelf *shelf =
		shelf_of(way->process, way->client.addr.family == ADDR_IP6);
	return shelf->error ? "the keeper could not make a socket for the client's address"
			    : "no socket for the client's address came in time";
}
