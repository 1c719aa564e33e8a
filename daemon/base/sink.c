/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_PATH  "/run/systemd/journal/socket"
#define SYSLOG_PATH   "/dev/log"
#define WAITING_BYTES 65536

static struct {
	enum sink_kind kind;
	int fd;
	bool is_pipe;            /* a stderr that can be full */
	bool is_socket;          /* a stderr that is one */
	struct sockaddr_un path; /* of journal and syslog */
	uint64_t lost;
	/* entries that wait, each behind its length */
	size_t first, end;
	char waiting[WAITING_BYTES];
} sink = {.kind = SINK_STDERR, .fd = STDERR_FILENO};

static int reach(int fd)
{
	return connect(fd, (const struct sockaddr *)&sink.path, sizeof(sink.path));
}

static bool open_socket(enum sink_kind kind, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	sink.path = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(sink.path.sun_path, sizeof(sink.path.sun_path), "%s", path);
	if (fd < 0)
		return false;
	if (reach(fd) < 0) {
		close(fd);
		return false;
	}
	sink.fd = fd;
	sink.kind = kind;
	return true;
}

/* systemd names in JOURNAL_STREAM the file that it made stderr of; a redirection makes it another.
 */
static bool stderr_is_journal(const struct stat *now)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char *rest;

	if (!stream)
		return false;
	unsigned long long device = strtoull(stream, &rest, 10);
	if (*rest != ':')
		return false;
	return device == now->st_dev && strtoull(rest + 1, NULL, 10) == now->st_ino;
}

enum sink_kind sink_open(bool foreground)
{
	struct stat now = {0};
	bool known = fstat(STDERR_FILENO, &now) == 0;

	sink.kind = SINK_STDERR;
	sink.fd = STDERR_FILENO;
	sink.is_pipe = known && (S_ISFIFO(now.st_mode) || S_ISCHR(now.st_mode));
	sink.is_socket = known && S_ISSOCK(now.st_mode);
	bool journal = known && stderr_is_journal(&now);
	if ((!foreground || journal) && open_socket(SINK_JOURNAL, JOURNAL_PATH))
		return sink.kind;
	if (!foreground)
		open_socket(SINK_SYSLOG, SYSLOG_PATH);
	return sink.kind;
}

/* stderr may be shared with the starter's shell, so it is not made non-blocking. */
static ssize_t write_stderr(const char *bytes, size_t len)
{
	struct iovec part = {(char *)(uintptr_t)bytes, len};
	struct pollfd room = {.fd = sink.fd, .events = POLLOUT};

	if (sink.is_socket)
		return send(sink.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!sink.is_pipe)
		return write(sink.fd, bytes, len);
	/* other processes write to it, too: room that poll() saw may be taken */
	ssize_t n = pwritev2(sink.fd, &part, 1, -1, RWF_NOWAIT);
	if (n >= 0 || errno == EAGAIN)
		return n;
	if (poll(&room, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(sink.fd, bytes, len);
}

static bool is_gone(int error)
{
	return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET ||
	       error == EPIPE || error == EDESTADDRREQ;
}

/* true: the entry is dealt with. A journal or syslog that was started again has a new socket. */
static bool hand_over(const char *bytes, size_t len)
{
	ssize_t n;

	if (sink.kind == SINK_STDERR) {
		n = write_stderr(bytes, len);
	} else {
		n = send(sink.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && is_gone(errno) && reach(sink.fd) == 0)
			n = send(sink.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (is_gone(errno) || errno == ENOENT))
			return false;
	}
	if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR))
		return false;
	if (n < 0)
		sink.lost++;
	return true;
}

void sink_flush(void)
{
	while (sink.first < sink.end) {
		size_t len;
		memcpy(&len, sink.waiting + sink.first, sizeof(len));
		if (!hand_over(sink.waiting + sink.first + sizeof(len), len))
			return;
		sink.first += sizeof(len) + len;
	}
	sink.first = sink.end = 0;
}

void sink_put(const char *bytes, size_t len)
{
	sink_flush();
	if (sink.first == sink.end && hand_over(bytes, len))
		return;
	if (sizeof(len) + len > WAITING_BYTES - sink.end) {
		memmove(sink.waiting, sink.waiting + sink.first, sink.end - sink.first);
		sink.end -= sink.first;
		sink.first = 0;
	}
	if (sizeof(len) + len > WAITING_BYTES - sink.end) {
		sink.lost++;
		return;
	}
	memcpy(sink.waiting + sink.end, &len, sizeof(len));
	memcpy(sink.waiting + sink.end + sizeof(len), bytes, len);
	sink.end += sizeof(len) + len;
}

uint64_t sink_lost(void)
{
	uint64_t lost = sink.first == sink.end ? sink.lost : 0;

	if (lost)
		sink.lost = 0;
	return lost;
}
