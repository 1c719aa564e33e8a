/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/sockets.h"

#include "daemon/radius/radius.h"
#include "daemon/radius/receive.h"
#include "lib/ipc/flow.h"
#include "lib/radius/packet.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH          64
#define ROUNDS         4 /* of a batch, for one event */
#define DATAGRAM_BYTES (RADIUS_PACKET_MAX + 1)

union control_bytes {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

void sockets_init(struct sockets *sockets)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		sockets->v[i].watch.fd = -1;
}

/* ---- read ---- */

struct batch {
	struct mmsghdr v[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage peers[BATCH];
	union control_bytes control[BATCH];
	uint8_t bytes[BATCH][DATAGRAM_BYTES];
};

static void prepare(struct batch *batch)
{
	for (size_t i = 0; i < BATCH; i++) {
		batch->parts[i] = (struct iovec){batch->bytes[i], DATAGRAM_BYTES};
		batch->v[i].msg_hdr = (struct msghdr){.msg_name = &batch->peers[i],
			.msg_namelen = sizeof(batch->peers[i]),
			.msg_iov = &batch->parts[i],
			.msg_iovlen = 1,
			.msg_control = &batch->control[i],
			.msg_controllen = sizeof(batch->control[i])};
	}
}

static void find_local(struct msghdr *message, struct way_back *back)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			back->local = (struct addr){.family = ADDR_IP4};
			memcpy(back->local.bytes, &info.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			back->local = (struct addr){.family = ADDR_IP6};
			memcpy(back->local.bytes, &info.ipi6_addr, 16);
			back->interface = info.ipi6_ifindex;
		}
	}
}

static void take_one(struct radius_socket *socket, struct mmsghdr *message)
{
	struct way_back back = {.at = socket->at, .peer_len = message->msg_hdr.msg_namelen};
	struct endpoint peer;

	memcpy(&back.peer, message->msg_hdr.msg_name, back.peer_len);
	if (endpoint_decode((const struct sockaddr *)&back.peer, back.peer_len, &peer) < 0)
		return;
	find_local(&message->msg_hdr, &back);
	receive_packet(
		socket->radius, &back, &peer, message->msg_hdr.msg_iov->iov_base, message->msg_len);
}

static void on_socket(struct loop_watch *watch, uint32_t events)
{
	static struct batch batch;
	struct radius_socket *socket = (struct radius_socket *)watch;
	int n = BATCH;

	(void)events;
	for (unsigned round = 0; n == BATCH && round < ROUNDS && socket->watched; round++) {
		prepare(&batch);
		n = recvmmsg(watch->fd, batch.v, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take_one(socket, &batch.v[i]);
	}
}

/* ---- answered ---- */

static struct radius_socket *find(struct sockets *sockets, const struct endpoint *at)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (sockets->v[i].watch.fd >= 0 && sockets->v[i].at.port == at->port &&
			addr_equal(&sockets->v[i].at.addr, &at->addr))
			return &sockets->v[i];
	return NULL;
}

/* The answer goes from where it was asked, whatever the routes say. */
static void name_source(
	const struct way_back *back, struct msghdr *message, union control_bytes *control)
{
	struct cmsghdr *c = &control->align;

	message->msg_control = control;
	if (back->local.family == ADDR_IP4) {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, back->local.bytes, 4);
		message->msg_controllen = CMSG_SPACE(sizeof(info));
		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {0};
		memcpy(&info.ipi6_addr, back->local.bytes, 16);
		if (addr_is_link_local(&back->local))
			info.ipi6_ifindex = back->interface;
		message->msg_controllen = CMSG_SPACE(sizeof(info));
		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

void sockets_send(
	struct radius *radius, const struct way_back *back, const uint8_t *bytes, size_t len)
{
	const struct radius_socket *socket = find(&radius->sockets, &back->at);
	struct sockaddr_storage peer = back->peer;
	struct iovec part = {(void *)(uintptr_t)bytes, len};
	struct msghdr message = {.msg_name = &peer,
		.msg_namelen = back->peer_len,
		.msg_iov = &part,
		.msg_iovlen = 1};
	union control_bytes control;

	if (!socket)
		return;
	memset(&control, 0, sizeof(control));
	if (back->local.family != ADDR_NONE)
		name_source(back, &message, &control);
	(void)!sendmsg(socket->watch.fd, &message, MSG_DONTWAIT);
}

/* ---- had ---- */

void sockets_watch(struct radius *radius)
{
	const bool wanted = radius_policy(radius) && radius->replica.complete && !radius->leaving &&
			    child_hears(&radius->child);

	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		struct radius_socket *socket = &radius->sockets.v[i];
		if (socket->watch.fd < 0 || socket->watched == wanted)
			continue;
		socket->watched = wanted && loop_add(radius->loop, &socket->watch, EPOLLIN) == 0;
		if (!wanted)
			loop_del(radius->loop, &socket->watch);
	}
}

static void close_one(struct radius *radius, struct radius_socket *socket)
{
	if (socket->watched)
		loop_del(radius->loop, &socket->watch);
	if (socket->watch.fd >= 0)
		close(socket->watch.fd);
	socket->watch.fd = -1;
	socket->watched = false;
}

void sockets_put(struct radius *radius, const struct ipc_endpoint *ipc, int fd)
{
	struct radius_socket *socket = find(&radius->sockets, &ipc->at);

	for (size_t i = 0; !socket && i < SOCKETS_MAX; i++)
		if (radius->sockets.v[i].watch.fd < 0)
			socket = &radius->sockets.v[i];
	if (!socket || fd < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	close_one(radius, socket);
	*socket = (struct radius_socket){
		.watch = {.fd = fd, .on_event = on_socket}, .radius = radius, .at = ipc->at};
	sockets_watch(radius);
}

void sockets_gone(struct radius *radius, const struct ipc_endpoint *ipc)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		struct radius_socket *socket = &radius->sockets.v[i];
		bool is_it = ipc->at.addr.family == ADDR_NONE ||
			     (socket->at.port == ipc->at.port &&
				     addr_equal(&socket->at.addr, &ipc->at.addr));
		if (is_it)
			close_one(radius, socket);
	}
}

void sockets_close(struct radius *radius)
{
	sockets_gone(radius, &(struct ipc_endpoint){0});
}
