/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/channel.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_BYTES_MAX (256u << 20)
#define MAP_BYTES_MAX   (1u << 30)
/* Ipcs handled for one event: the rest waits for the next round, so that one busy channel does
 * not starve the others. */
#define IPCS_A_ROUND 64

struct queued {
	struct queued *next;
	size_t len;
	int fd;
	_Alignas(16) uint8_t bytes[];
};

/* A handler may free the channel it was called for: while `busy` is not 0, channel_free() only
 * marks, and whoever leaves last frees. */
struct channel {
	struct loop_watch watch;
	struct loop *loop;
	const struct channel_handler *handler;
	void *context;
	struct queued *first, **last;
	size_t queued_bytes;
	uint32_t seq;
	unsigned busy;
	bool freed;
	bool resting; /* reads when the timer says so */
	unsigned pace_ms;
	struct loop_timer rest;
};

static void close_end(struct channel *channel)
{
	if (channel->watch.fd < 0)
		return;
	loop_timer_clear(channel->loop, &channel->rest);
	loop_del(channel->loop, &channel->watch);
	close(channel->watch.fd);
	channel->watch.fd = -1;
}

/* bytes: an ipc, or what was received as one. */
static void wipe_secret(void *bytes, size_t len)
{
	const struct ipc_header *header = bytes;

	if (len >= sizeof(*header) && ipc_is_secret(header->type))
		explicit_bzero(bytes, len);
}

static void drop_first(struct channel *channel)
{
	struct queued *queued = channel->first;
	channel->first = queued->next;
	if (!channel->first)
		channel->last = &channel->first;
	channel->queued_bytes -= queued->len;
	if (queued->fd >= 0)
		close(queued->fd);
	wipe_secret(queued->bytes, queued->len);
	free(queued);
}

static void release(struct channel *channel)
{
	close_end(channel);
	while (channel->first)
		drop_first(channel);
	free(channel);
}

static void leave(struct channel *channel)
{
	if (--channel->busy == 0 && channel->freed)
		release(channel);
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	channel->freed = true;
	if (channel->busy)
		close_end(channel);
	else
		release(channel);
}

void channel_close(struct channel *channel)
{
	if (channel)
		close_end(channel);
}

static void gone(struct channel *channel)
{
	if (channel->watch.fd < 0)
		return;
	close_end(channel);
	channel->handler->on_gone(channel->context);
}

static ssize_t send_record(int socket, const void *bytes, size_t len, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	ssize_t sent;
	do {
		sent = sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static bool would_wait(ssize_t error)
{
	return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM;
}

static void watch(struct channel *channel)
{
	uint32_t events = (channel->resting ? 0 : EPOLLIN) | (channel->first ? EPOLLOUT : 0);
	loop_change(channel->loop, &channel->watch, events);
}

static int queue_record(struct channel *channel, const void *bytes, size_t len, int fd)
{
	if (channel->queued_bytes + len > QUEUE_BYTES_MAX) {
		/* The other end has stopped reading. The hang-up comes through the loop, so that
		 * on_gone() is never called from within a send. */
		shutdown(channel->watch.fd, SHUT_RDWR);
		return -ENOBUFS;
	}
	struct queued *queued = malloc(sizeof(*queued) + len);
	if (!queued)
		return -ENOMEM;
	queued->fd = -1;
	if (fd >= 0) {
		queued->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (queued->fd < 0) {
			int error = -errno;
			free(queued);
			return error;
		}
	}
	queued->next = NULL;
	queued->len = len;
	memcpy(queued->bytes, bytes, len);
	bool is_first = !channel->first;
	*channel->last = queued;
	channel->last = &queued->next;
	if (is_first)
		watch(channel);
	channel->queued_bytes += len;
	return 0;
}

int channel_send(struct channel *channel, const void *ipc, int fd)
{
	const struct ipc_header *header = ipc;

	if (channel->watch.fd < 0)
		return -EPIPE;
	if (!channel->first) {
		ssize_t sent = send_record(channel->watch.fd, ipc, header->bytes, fd);
		if (sent >= 0)
			return 0;
		if (!would_wait(sent))
			return (int)sent;
	}
	return queue_record(channel, ipc, header->bytes, fd);
}

static void send_queued(struct channel *channel)
{
	while (channel->first) {
		const struct queued *queued = channel->first;
		ssize_t sent =
			send_record(channel->watch.fd, queued->bytes, queued->len, queued->fd);
		if (would_wait(sent))
			return;
		if (sent < 0)
			break; /* gone: reading says so */
		drop_first(channel);
	}
	watch(channel);
}

/* Takes at most one descriptor out of the control data and closes any other. */
static int take_fd(struct msghdr *msg)
{
	int taken = -1;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (taken < 0)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

/* One record into buf: its length, more than room if it was cut, 0 at the end, -EAGAIN when none
 * waits, or -errno. */
static ssize_t receive_record(int socket, void *buf, size_t room, int *fd)
{
	struct iovec iov = {.iov_base = buf, .iov_len = room};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room)};
	ssize_t len;

	/* A peer that died with unread ipcs leaves ECONNRESET in front of its last words: the
	 * error is said once, then the words follow. */
	int resets = 0;
	do {
		len = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (len < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	if (len < 0)
		return -errno;
	*fd = take_fd(&msg);
	return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? (ssize_t)room + 1 : len;
}

/* How many ipcs were handled, at most max. */
static unsigned receive(struct channel *channel, unsigned max)
{
	_Alignas(16) uint8_t buf[IPC_BYTES_MAX];
	unsigned handled = 0;

	channel->busy++;
	while (handled < max && channel->watch.fd >= 0) {
		int fd = -1;
		ssize_t len = receive_record(channel->watch.fd, buf, sizeof(buf), &fd);
		if (len == -EAGAIN)
			break;
		if (len <= 0) {
			gone(channel);
			break;
		}
		if (ipc_check(buf, (size_t)len) < 0) {
			log_error("a message of %zd bytes from another process is malformed; "
				  "closing its channel",
				len);
			explicit_bzero(buf, sizeof(buf));
			if (fd >= 0)
				close(fd);
			gone(channel);
			break;
		}
		handled++;
		channel->handler->on_ipc(channel->context, (const struct ipc_header *)buf, fd);
		wipe_secret(buf, (size_t)len);
	}
	leave(channel);
	return handled;
}

static void rest(struct channel *channel, bool on, unsigned ms)
{
	if (on)
		loop_timer_set(channel->loop, &channel->rest, loop_now_ms(channel->loop) + ms);
	if (channel->resting == on)
		return;
	channel->resting = on;
	watch(channel);
}

/* A round of ipcs came. A full one goes on at once; behind any other, those that follow may
 * gather. */
static void pace(struct channel *channel, unsigned handled)
{
	if (channel->pace_ms && channel->watch.fd >= 0)
		rest(channel, handled > 0, handled < IPCS_A_ROUND ? channel->pace_ms : 0);
}

static void on_rested(struct loop_timer *timer, uint64_t now_ms)
{
	struct channel *channel = container_of(timer, struct channel, rest);

	(void)now_ms;
	channel->busy++;
	pace(channel, receive(channel, IPCS_A_ROUND));
	leave(channel);
}

void channel_set_pace(struct channel *channel, unsigned pace_ms)
{
	channel->pace_ms = pace_ms;
	if (pace_ms == 0 && channel->resting) {
		loop_timer_clear(channel->loop, &channel->rest);
		rest(channel, false, 0);
	}
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct channel *channel = (struct channel *)watch;

	channel->busy++;
	if (events & EPOLLOUT)
		send_queued(channel);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		pace(channel, receive(channel, IPCS_A_ROUND));
	leave(channel);
}

struct channel *channel_open(
	struct loop *loop, int fd, const struct channel_handler *handler, void *context)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->watch.fd = fd;
	channel->watch.on_event = on_event;
	channel->loop = loop;
	channel->handler = handler;
	channel->context = context;
	channel->last = &channel->first;
	channel->rest.on_time = on_rested;
	if (loop_add(loop, &channel->watch, EPOLLIN) < 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

unsigned channel_drain(struct channel *channel)
{
	return channel->watch.fd < 0 ? 0 : receive(channel, UINT_MAX);
}

size_t channel_queued_bytes(const struct channel *channel)
{
	return channel->queued_bytes;
}

int channel_fd(const struct channel *channel)
{
	return channel->watch.fd;
}

uint32_t channel_next_seq(struct channel *channel)
{
	if (++channel->seq == 0)
		channel->seq = 1;
	return channel->seq;
}

int channel_memfd(const char *name, const void *bytes, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const uint8_t *)bytes + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto fail;
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return fd;
fail:;
	int error = errno ? -errno : -EIO;
	close(fd);
	return error;
}

int channel_map(int fd, void **bytes, size_t *len)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	int error = -EBADMSG;

	if (fd < 0)
		return -EBADMSG;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &st) < 0)
		goto close_fd;
	if (st.st_size <= 0 || st.st_size > MAP_BYTES_MAX)
		goto close_fd;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		error = -errno;
		goto close_fd;
	}
	*bytes = map;
	*len = (size_t)st.st_size;
	error = 0;
close_fd:
	close(fd);
	return error;
}
