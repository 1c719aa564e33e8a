/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that relays, and health for its probes, bind to clients' addresses (`bind client`). To
 * make a socket transparent takes CAP_NET_ADMIN, to bind it to a foreign address then takes
 * nothing: so the keeper makes them, and they have no capability at all. Each is used once. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_transparent(bool ip6)
{
	const int on = 1;
	int fd = socket(
		ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int set;

	if (fd < 0)
		return -errno;
	if (ip6)
		set = setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	else
		set = setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
	if (set < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Who asks and does not read would fill the keeper's own table of descriptors. */
static int refusal(const struct keeper_child *child)
{
	const struct keeper *keeper = child->keeper;
	if (!keeper->has_plan || !keeper->plan.bind_client)
		return -EPERM;
	return child->channel && channel_queued_bytes(child->channel) > 0 ? -EBUSY : 0;
}

void keeper_socket_on_get(struct keeper_child *child, const struct ipc_sockets_get *request)
{
	struct ipc_socket answer;
	char name[16];

	for (uint32_t i = 0; i < request->n && child->channel; i++) {
		int error = refusal(child);
		int fd = error ? error : open_transparent(request->ip6);
		ipc_init(&answer, IPC_SOCKET, sizeof(answer));
		answer.ip6 = request->ip6;
		answer.status = fd < 0 ? fd : 0;
		keeper_child_send(child, &answer, fd < 0 ? -1 : fd);
		if (fd < 0) {
			/* the rest is not to be had either: this one word is for all of it */
			log_event(keeper_child_has_flows(child) ? POLICY_LOG_WARNING
								: POLICY_LOG_DEBUG,
				LOG_ID_NONE, NULL, 0,
				"%s gets no socket for a client's address: %s",
				keeper_child_name(child, name), strerror(-fd));
			return;
		}
		close(fd);
	}
}
