/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a netlink socket, and the asking of questions whose answers are there at once. */
#ifndef POSTERN_KERNEL_RULES_NETLINK_H
#define POSTERN_KERNEL_RULES_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NETLINK_READ_BYTES 32768 /* what the kernel puts at most into one answer */

/* Each answer; non-zero ends the reading and is returned. */
typedef int netlink_on_answer(void *context, const struct nlmsghdr *nlh);

struct netlink {
	int fd; /* -1: closed */
	uint32_t port;
	uint32_t seq;
	/* What comes unasked while an answer is waited for; NULL: thrown away. */
	netlink_on_answer *on_other;
	void *other;
};

/* Room for one small request. */
struct netlink_request {
	union {
		char bytes[1024];
		struct nlmsghdr align;
	};
};

/* Opens without waiting on read. groups: mask of multicast groups 1 to 32, 0 for none. */
int netlink_open(struct netlink *nl, int bus, uint32_t groups);
/* Takes over a socket that an earlier program of this process opened. -EBADF, -ENOTSOCK,
 * -EPROTOTYPE (a socket of another kind); it is then not taken. */
int netlink_adopt(struct netlink *nl, int bus, int fd);
void netlink_close(struct netlink *nl);
/* Bytes of the receive buffer; needs CAP_NET_ADMIN to go over the machine's limit, and does not
 * fail without. */
void netlink_set_buffer(struct netlink *nl, int bytes);

/* Begins a request with a sequence number of its own. */
struct nlmsghdr *netlink_begin(
	struct netlink *nl, struct netlink_request *request, uint16_t type, uint16_t flags);
/* The same with nfnetlink's header behind it. */
struct nlmsghdr *netlink_begin_nf(struct netlink *nl, struct netlink_request *request,
	uint16_t type, uint16_t flags, uint8_t family, uint16_t resource);

/* Sends a request (with NLM_F_ACK or NLM_F_DUMP) and reads all its answers. 0; -errno, the
 * kernel's too; -EINTR: a dump that changed while it was read, to be asked again. */
int netlink_ask(struct netlink *nl, const struct nlmsghdr *request, netlink_on_answer *on_answer,
	void *context);

/* The answer to one of several requests: nlh, or NULL with the kernel's -errno. */
typedef void netlink_on_each(void *context, size_t index, const struct nlmsghdr *nlh, int error);
/* Sends n requests in one go, which stand behind each other and whose sequence numbers follow each
 * other, and reads the one answer of each: none has NLM_F_ACK or NLM_F_DUMP. 0; -errno: on_each was
 * not called for all of them. */
int netlink_ask_each(struct netlink *nl, const struct nlmsghdr *requests, size_t bytes, size_t n,
	netlink_on_each *on_each, void *context);

/* Reads what events there are, at most `most` reads. 0; -ENOBUFS: some were lost; -errno. */
int netlink_read_events(
	struct netlink *nl, unsigned most, netlink_on_answer *on_event, void *context);

#endif
