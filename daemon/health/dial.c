/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/dial.h"

#include "daemon/base/channel.h"
#include "lib/base/container.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The keeper makes no such socket while no policy with `bind client` is in the kernel: that soon
 * changes. */
#define AGAIN_MS 250

/* The socket is taken over. It, or -errno. */
static int connect_socket(int fd, const struct endpoint *host, const struct addr *from)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int error = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (from->family != ADDR_NONE) {
		const struct endpoint own = {.addr = *from};
		len = (socklen_t)endpoint_encode(&own, &sa);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
		if (bind(fd, (struct sockaddr *)&sa, len) < 0)
			error = -errno;
	}
	len = (socklen_t)endpoint_encode(host, &sa);
	if (!error && connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		error = errno == EAGAIN ? -EADDRNOTAVAIL : -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

static bool is_ip6(const struct dial *dial)
{
	return dial->host.addr.family == ADDR_IP6;
}

static void ask(struct dial *dial)
{
	struct ipc_sockets_get ipc;
	ipc_init(&ipc, IPC_SOCKETS_GET, sizeof(ipc));
	ipc.ip6 = is_ip6(dial);
	ipc.n = 1;
	dial->asked = dial->dials->keeper && channel_send(dial->dials->keeper, &ipc, -1) == 0;
}

static void try_again(struct dials *dials)
{
	if (!dials->again.slot)
		loop_timer_set(dials->loop, &dials->again, loop_now_ms(dials->loop) + AGAIN_MS);
}

static void on_again(struct loop_timer *timer, uint64_t now_ms)
{
	struct dials *dials = container_of(timer, struct dials, again);
	bool missing = false;
	(void)now_ms;
	for (struct dial *dial = dials->first; dial; dial = dial->next) {
		if (!dial->asked)
			ask(dial);
		missing |= !dial->asked;
	}
	if (missing)
		try_again(dials);
}

void dial_init(struct dials *dials, struct loop *loop)
{
	memset(dials, 0, sizeof(*dials));
	dials->loop = loop;
	dials->again.on_time = on_again;
}

void dial_fini(struct dials *dials)
{
	while (dials->first)
		dial_cancel(dials->first);
	if (dials->loop)
		loop_timer_clear(dials->loop, &dials->again);
}

int dial_begin(struct dials *dials, struct dial *dial, const struct endpoint *host,
	const struct addr *from, bool foreign)
{
	struct dial **last = &dials->first;

	dial_cancel(dial);
	dial->host = *host;
	dial->from = *from;
	dial->error = 0;
	if (!foreign) {
		int fd = socket(is_ip6(dial) ? AF_INET6 : AF_INET,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		return fd < 0 ? -errno : connect_socket(fd, host, from);
	}
	if (from->family != host->addr.family)
		return -EAFNOSUPPORT;
	while (*last)
		last = &(*last)->next;
	*last = dial;
	dial->next = NULL;
	dial->dials = dials;
	ask(dial);
	if (!dial->asked)
		try_again(dials);
	return -EAGAIN;
}

void dial_cancel(struct dial *dial)
{
	struct dial **at = dial->dials ? &dial->dials->first : NULL;
	while (at && *at && *at != dial)
		at = &(*at)->next;
	if (at && *at)
		*at = dial->next;
	dial->dials = NULL;
}

/* Whose question it was: the keeper answers in order. One that was given up leaves its socket to
 * the next, whose own then finds nobody. */
static struct dial *find(const struct dials *dials, bool ip6)
{
	struct dial *dial = dials->first;
	while (dial && (!dial->asked || is_ip6(dial) != ip6))
		dial = dial->next;
	return dial;
}

void dial_on_socket(struct dials *dials, const struct ipc_socket *ipc, int fd)
{
	struct dial *dial = find(dials, ipc->ip6);

	if (!dial || ipc->status < 0 || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (!dial)
			return;
		dial->asked = false;
		dial->error = ipc->status;
		try_again(dials);
		return;
	}
	dial_cancel(dial);
	dial->on_socket(dial, connect_socket(fd, &dial->host, &dial->from));
}
