/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define ROOM_STEP (4u * BATCH_MESSAGE_MAX)

static bool make_room(struct batch *batch)
{
	if (batch->room - batch->used >= BATCH_MESSAGE_MAX)
		return true;
	if (batch->room + ROOM_STEP > BATCH_BYTES_MAX) {
		batch_fail(batch, -EMSGSIZE);
		return false;
	}
	size_t room = batch->room ? batch->room * 2 : ROOM_STEP;
	if (room > BATCH_BYTES_MAX)
		room = BATCH_BYTES_MAX;
	char *bytes = realloc(batch->bytes, room);
	if (!bytes) {
		batch_fail(batch, -ENOMEM);
		return false;
	}
	batch->bytes = bytes;
	batch->room = room;
	return true;
}

static struct nlmsghdr *begin(
	struct batch *batch, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	if (batch->error || !make_room(batch))
		return NULL;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(batch->bytes + batch->used);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++batch->seq;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
	return nlh;
}

void batch_init(struct batch *batch)
{
	*batch = (struct batch){0};
	struct nlmsghdr *nlh =
		begin(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (nlh)
		batch_end(batch, nlh);
}

void batch_fini(struct batch *batch)
{
	free(batch->bytes);
	batch->bytes = NULL;
}

struct nlmsghdr *batch_begin(struct batch *batch, uint16_t message, uint16_t flags)
{
	return begin(
		batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, NFPROTO_INET, 0);
}

void batch_end(struct batch *batch, const struct nlmsghdr *nlh)
{
	batch->used += NLMSG_ALIGN(nlh->nlmsg_len);
}

void batch_fail(struct batch *batch, int error)
{
	if (!batch->error)
		batch->error = error;
}

/* The kernel has answered when send() returns, so reading ends at the first empty read. */
static int read_answers(struct batch *batch, struct netlink *nl)
{
	union {
		char bytes[NETLINK_READ_BYTES];
		struct nlmsghdr align;
	} buf;
	bool done = false;
	int error = 0;

	for (;;) {
		ssize_t got = recv(nl->fd, buf.bytes, sizeof(buf.bytes), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		if (got < 0) {
			if (!error)
				error = -errno;
			if (errno == ENOBUFS)
				continue; /* so many refusals that they had no room */
			break;
		}
		int len = (int)got;
		for (struct nlmsghdr *nlh = &buf.align; mnl_nlmsg_ok(nlh, len);
			nlh = mnl_nlmsg_next(nlh, &len)) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);
			if (nlh->nlmsg_type != NLMSG_ERROR ||
				mnl_nlmsg_get_payload_len(nlh) < sizeof(*answer))
				continue;
			if (answer->error && !error) {
				error = answer->error;
				batch->failed = nlh->nlmsg_seq;
			}
			if (!answer->error && nlh->nlmsg_seq == batch->seq - 1)
				done = true;
		}
	}
	if (error)
		return error;
	return done ? 0 : -EPROTO;
}

/* Leftovers of an older batch would be taken for answers to this one. */
static void drain(struct netlink *nl)
{
	char byte;
	while (recv(nl->fd, &byte, sizeof(byte), MSG_TRUNC) >= 0 || errno == ENOBUFS ||
		errno == EINTR)
		;
}

int batch_send(struct batch *batch, struct netlink *nl)
{
	struct nlmsghdr *last = NULL;

	if (!batch->error) {
		int len = (int)batch->used;
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)batch->bytes; mnl_nlmsg_ok(nlh, len);
			nlh = mnl_nlmsg_next(nlh, &len))
			last = nlh;
	}
	struct nlmsghdr *end = begin(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (end)
		batch_end(batch, end);
	if (batch->error)
		return batch->error;
	if (!last || last->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
		return 0;
	last->nlmsg_flags |= NLM_F_ACK;

	int room = (int)batch->used * 2 + 65536;
	if (setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	drain(nl);
	if (send(nl->fd, batch->bytes, batch->used, 0) < 0)
		return -errno;
	return read_answers(batch, nl);
}

int batch_failed_type(const struct batch *batch)
{
	int len = (int)batch->used;
	for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)batch->bytes;
		mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq == batch->failed && nlh->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES)
			return nlh->nlmsg_type & 0xff;
	}
	return -1;
}
