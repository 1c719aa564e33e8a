/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/netlink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

/* The kernel answers within the call that asks; this is only for a machine in great trouble. */
#define ANSWER_WAIT_MS 1000

int netlink_open(struct netlink *nl, int bus, uint32_t groups)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = groups};
	socklen_t len = sizeof(addr);
	int one = 1;

	*nl = (struct netlink){.fd = -1};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	/* an error then quotes only the header of what it refuses */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl->fd = fd;
	nl->port = addr.nl_pid;
	return 0;
}

/* Questions are numbered from the time on: what the earlier program was still to hear is not taken
 * for an answer. */
int netlink_adopt(struct netlink *nl, int bus, int fd)
{
	struct sockaddr_nl addr = {0};
	socklen_t len = sizeof(addr), size = sizeof(int);
	struct timespec now = {0};
	int protocol;

	*nl = (struct netlink){.fd = -1};
	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0)
		return -errno;
	if (addr.nl_family != AF_NETLINK || protocol != bus)
		return -EPROTOTYPE;
	clock_gettime(CLOCK_MONOTONIC, &now);
	nl->fd = fd;
	nl->port = addr.nl_pid;
	nl->seq = (uint32_t)now.tv_sec << 12 | (uint32_t)(now.tv_nsec >> 20);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

void netlink_set_buffer(struct netlink *nl, int bytes)
{
	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

struct nlmsghdr *netlink_begin(
	struct netlink *nl, struct netlink_request *request, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request->bytes);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	return nlh;
}

struct nlmsghdr *netlink_begin_nf(struct netlink *nl, struct netlink_request *request,
	uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	struct nlmsghdr *nlh = netlink_begin(nl, request, type, flags);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
	return nlh;
}

/* Reads once. Bytes, 0 when there is nothing, or -errno. */
static ssize_t read_once(struct netlink *nl, void *bytes, size_t size)
{
	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = {.iov_base = bytes, .iov_len = size};
		struct msghdr msg = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1};
		ssize_t len = recvmsg(nl->fd, &msg, 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue; /* another process: only the kernel is believed */
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOSPC;
		return len;
	}
}

/* Waits for something to read. Bytes, more than 0, or -errno. */
static ssize_t read_answer(struct netlink *nl, void *bytes, size_t size)
{
	struct pollfd pfd = {.fd = nl->fd, .events = POLLIN};

	for (;;) {
		ssize_t got = read_once(nl, bytes, size);
		if (got != 0)
			return got;
		if (poll(&pfd, 1, ANSWER_WAIT_MS) <= 0)
			return -ETIMEDOUT;
	}
}

/* 1: that was the last answer; 0: more to come; -errno. */
static int take_answer(
	const struct nlmsghdr *nlh, netlink_on_answer *on_answer, void *context, bool *interrupted)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		*interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error))
			return -EBADMSG;
		return error->error ? error->error : 1;
	}
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 1;
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !on_answer)
		return 0;
	return on_answer(context, nlh);
}

int netlink_ask(struct netlink *nl, const struct nlmsghdr *request, netlink_on_answer *on_answer,
	void *context)
{
	union {
		char bytes[NETLINK_READ_BYTES];
		struct nlmsghdr align;
	} buf;
	bool interrupted = false;

	if (send(nl->fd, request, request->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = read_answer(nl, buf.bytes, sizeof(buf.bytes));
		if (got < 0)
			return (int)got;
		int len = (int)got;
		for (struct nlmsghdr *nlh = &buf.align; mnl_nlmsg_ok(nlh, len);
			nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq != request->nlmsg_seq) {
				if (nl->on_other && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
					nl->on_other(nl->other, nlh);
				continue;
			}
			int status = take_answer(nlh, on_answer, context, &interrupted);
			if (status == 1)
				return interrupted ? -EINTR : 0;
			if (status)
				return status;
		}
	}
}

static int error_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) < sizeof(*error) ? -EBADMSG : error->error;
}

int netlink_ask_each(struct netlink *nl, const struct nlmsghdr *requests, size_t bytes, size_t n,
	netlink_on_each *on_each, void *context)
{
	union {
		char bytes[NETLINK_READ_BYTES];
		struct nlmsghdr align;
	} buf;
	size_t answered = 0;

	if (n && send(nl->fd, requests, bytes, 0) < 0)
		return -errno;
	while (answered < n) {
		ssize_t got = read_answer(nl, buf.bytes, sizeof(buf.bytes));
		if (got < 0)
			return (int)got;
		int len = (int)got;
		for (struct nlmsghdr *nlh = &buf.align; mnl_nlmsg_ok(nlh, len);
			nlh = mnl_nlmsg_next(nlh, &len)) {
			uint32_t index = nlh->nlmsg_seq - requests->nlmsg_seq;
			bool told = nlh->nlmsg_type >= NLMSG_MIN_TYPE;
			if (index >= n || (!told && nlh->nlmsg_type != NLMSG_ERROR))
				continue;
			answered++;
			on_each(context, index, told ? nlh : NULL, told ? 0 : error_of(nlh));
		}
	}
	return 0;
}

int netlink_read_events(
	struct netlink *nl, unsigned most, netlink_on_answer *on_event, void *context)
{
	union {
		char bytes[NETLINK_READ_BYTES];
		struct nlmsghdr align;
	} buf;
	int status = 0;

	for (unsigned reads = 0; reads < most; reads++) {
		ssize_t got = read_once(nl, buf.bytes, sizeof(buf.bytes));
		if (got == 0)
			break;
		if (got == -ENOBUFS) {
			status = -ENOBUFS;
			continue;
		}
		if (got < 0)
			return (int)got;
		int len = (int)got;
		for (struct nlmsghdr *nlh = &buf.align; mnl_nlmsg_ok(nlh, len);
			nlh = mnl_nlmsg_next(nlh, &len)) {
			int stop = nlh->nlmsg_type < NLMSG_MIN_TYPE ? 0 : on_event(context, nlh);
			if (stop)
				return stop;
		}
	}
	return status;
}
