#include "daemon/flow/stock.h"

#include "daemon/relay/connect.h"
#include "daemon/relay/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct stock_shelf *shelf_of(struct relay *relay, bool ip6)
{
	return &relay->stock.shelves[ip6];
}

static void fill_up(struct relay *relay, bool ip6)
{
	struct stock_shelf *shelf = shelf_of(relay, ip6);
	struct ipc_sockets_get ipc;
	unsigned there = shelf->n + shelf->asked;

	if (there > STOCK_SIZE / 2)
		return;
	ipc_init(&ipc, IPC_SOCKETS_GET, sizeof(ipc));
	ipc.ip6 = ip6;
	ipc.n = STOCK_SIZE - there;
	if (channel_send(relay->child.keeper, &ipc, -1) == 0)
		shelf->asked += ipc.n;
}

void stock_fini(struct stock *stock)
{
	for (size_t i = 0; i < 2; i++) {
		while (stock->shelves[i].n > 0)
			close(stock->shelves[i].fds[--stock->shelves[i].n]);
	}
}

void stock_follow_policy(struct relay *relay)
{
	const struct policy *policy = relay_picture(relay)->policy;

	relay->stock.wanted = false;
	for (size_t i = 0; policy && i < policy->nservers; i++)
		relay->stock.wanted |= policy->servers[i].bind == POLICY_BIND_CLIENT;
	stock_tick(relay);
}

/* Flows wait, too, that began under a policy before. */
void stock_tick(struct relay *relay)
{
	for (int ip6 = 0; ip6 <= 1; ip6++) {
		if (relay->stock.wanted || relay->table.states[FLOW_BIND] > 0)
			fill_up(relay, ip6);
	}
}

void stock_on_socket(struct relay *relay, const struct ipc_socket *ipc, int fd)
{
	struct stock_shelf *shelf = shelf_of(relay, ipc->ip6);

	shelf->error = ipc->status;
	if (ipc->status < 0)
		shelf->asked = 0;
	else if (shelf->asked > 0)
		shelf->asked--;
	if (fd < 0)
		return;
	if (ipc->status < 0 || shelf->n == STOCK_SIZE) {
		close(fd);
		return;
	}
	shelf->fds[shelf->n++] = fd;
	if (relay->table.states[FLOW_BIND] > 0)
		connect_on_socket(relay);
}

static int take(struct relay *relay, bool ip6)
{
	struct stock_shelf *shelf = shelf_of(relay, ip6);
	int fd = shelf->n > 0 ? shelf->fds[--shelf->n] : -EAGAIN;
	fill_up(relay, ip6);
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

int stock_connect(const struct flow *flow)
{
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(&flow->host, &sa);

	if (flow->host.addr.family != flow->client_end.addr.family)
		return -EAFNOSUPPORT;
	int fd = take(flow->relay, flow->host.addr.family == ADDR_IP6);
	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	int error = bind_to(fd, &flow->client_end);
	if (!error && connect(fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error == -EAGAIN ? -EADDRNOTAVAIL : error;
}

const char *stock_words(const struct flow *flow)
{
	const struct stock_shelf *shelf =
		shelf_of(flow->relay, flow->client_end.addr.family == ADDR_IP6);
	return shelf->error ? "the keeper could not make a socket for the client's address"
			    : "no socket for the client's address came in time";
}
