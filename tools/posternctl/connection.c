/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/connection.h"

#include "lib/command/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void set_wait(int fd, unsigned wait_s)
{
	struct timeval wait = {.tv_sec = wait_s == VERB_WAIT_EVER ? 0 : (time_t)wait_s};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

static int open_socket(const char *run_dir, const char *name, unsigned wait_s)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	int n = snprintf(place.sun_path, sizeof(place.sun_path), "%s/%s", run_dir, name);
	if (n < 0 || (size_t)n >= sizeof(place.sun_path))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_wait(fd, wait_s); /* for connect(), too: a full queue of the listener waits */
	if (connect(fd, (struct sockaddr *)&place, sizeof(place)) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int connection_open(struct connection *connection, const char *run_dir, unsigned wait_s)
{
	int fd = open_socket(run_dir, "control.sock", wait_s);
	/* the one that takes most, of those that may be opened */
	static const char *const others[] = {"desk.sock", "session.sock"};
	for (size_t i = 0; (fd == -EACCES || fd == -ENOENT) && i < 2; i++) {
		int other = open_socket(run_dir, others[i], wait_s);
		fd = other >= 0 ? other : fd;
	}
	if (fd < 0)
		return fd;
	connection->fd = fd;
	request_reader_init(&connection->reader);
	return 0;
}

void connection_wait(struct connection *connection, unsigned wait_s)
{
	set_wait(connection->fd, wait_s);
}

void connection_close(struct connection *connection)
{
	if (connection->fd < 0)
		return;
	close(connection->fd);
	connection->fd = -1;
	request_reader_fini(&connection->reader);
}

static int send_frame(int fd, enum request_kind kind, const void *payload, size_t len)
{
	uint8_t header[REQUEST_HEADER_SIZE];
	request_encode_header(header, kind, (uint32_t)len);
	struct iovec parts[] = {{header, sizeof(header)}, {(void *)payload, len}};
	size_t at = 0;
	while (at < 2) {
		ssize_t n = writev(fd, parts + at, (int)(2 - at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; at < 2 && (size_t)n >= parts[at].iov_len; at++)
			n -= (ssize_t)parts[at].iov_len;
		if (at < 2) {
			parts[at].iov_base = (char *)parts[at].iov_base + n;
			parts[at].iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int send_words(int fd, const char *const *words, size_t nwords)
{
	size_t len = 0;
	for (size_t i = 0; i < nwords; i++)
		len += strlen(words[i]) + 1;
	if (len > REQUEST_FRAME_MAX)
		return -EMSGSIZE;
	char *payload = malloc(len ? len : 1);
	if (!payload)
		return -ENOMEM;
	size_t at = 0;
	for (size_t i = 0; i < nwords; i++) {
		size_t size = strlen(words[i]) + 1;
		memcpy(payload + at, words[i], size);
		at += size;
	}
	int error = send_frame(fd, REQUEST_WORDS, payload, len);
	free(payload);
	return error;
}

static int send_request(
	int fd, const char *const *words, size_t nwords, const char *body, size_t body_len)
{
	int error = send_words(fd, words, nwords);
	for (size_t at = 0; !error && body && at < body_len;) {
		size_t piece = body_len - at;
		if (piece > REQUEST_FRAME_MAX)
			piece = REQUEST_FRAME_MAX;
		error = send_frame(fd, REQUEST_BODY, body + at, piece);
		at += piece;
	}
	return error ? error : send_frame(fd, REQUEST_GO, NULL, 0);
}

static int gave_up(struct connection_answer *answer)
{
	answer->timed_out = true;
	snprintf(answer->error, sizeof(answer->error),
		"posternd does not answer; what it has not begun by now it will not begin");
	return CONNECTION_NO_DAEMON;
}

static int broken(struct connection_answer *answer, const char *why)
{
	snprintf(answer->error, sizeof(answer->error), "%s", why);
	return CONNECTION_NO_DAEMON;
}

/* A text, and behind a NUL the same as JSON. */
static void take_end(struct connection_answer *answer, const char *end, size_t len)
{
	size_t n = strnlen(end, len);
	snprintf(answer->error, sizeof(answer->error), "%.*s", (int)n, end);
	if (n + 1 < len)
		answer->outcome = strndup(end + n + 1, len - n - 1);
}

/* Takes one frame of the answer. -1: more come; else the exit status. */
static int take_frame(struct connection_answer *answer, enum request_kind kind,
	const uint8_t *payload, size_t len)
{
	const char *text = (const char *)payload;
	switch (kind) {
	case REQUEST_ROW:
		if (answer->on_row)
			answer->on_row(answer->context, text, len);
		return -1;
	case REQUEST_TEXT:
		if (answer->on_text)
			answer->on_text(answer->context, text, len);
		return -1;
	case REQUEST_EVENT:
		if (answer->on_event)
			answer->on_event(answer->context, text, len);
		return -1;
	case REQUEST_DONE:
		if (len < 1 || payload[0] > CONNECTION_NO_DAEMON)
			return broken(answer, "the daemon's answer was not understood");
		take_end(answer, text + 1, len - 1);
		return payload[0];
	case REQUEST_WORDS:
	case REQUEST_BODY:
	case REQUEST_GO:
		break;
	}
	return broken(answer, "the daemon's answer was not understood");
}

static int take_frames(struct connection *connection, struct connection_answer *answer)
{
	for (;;) {
		enum request_kind kind;
		const uint8_t *payload;
		size_t len;
		int got = request_reader_frame(&connection->reader, &kind, &payload, &len);
		if (got == 0)
			return -1;
		if (got == -EPROTONOSUPPORT)
			return broken(answer, "the daemon speaks another version of the protocol");
		if (got < 0)
			return broken(answer, "the daemon's answer was not understood");
		int status = take_frame(answer, kind, payload, len);
		request_reader_next(&connection->reader);
		if (status >= 0)
			return status;
		if (answer->enough)
			return CONNECTION_NO_DAEMON;
	}
}

int connection_ask(struct connection *connection, const char *const *words, size_t nwords,
	const char *body, size_t body_len, struct connection_answer *answer)
{
	*answer->error = '\0';
	answer->outcome = NULL;
	answer->timed_out = answer->enough = false;
	int error = send_request(connection->fd, words, nwords, body, body_len);
	if (error == -EAGAIN)
		return gave_up(answer);
	/* where the daemon refused in the middle, its answer says why */
	if (error && error != -EPIPE && error != -ECONNRESET) {
		broken(answer, strerror(-error));
		return error == -EMSGSIZE ? CONNECTION_USAGE : CONNECTION_NO_DAEMON;
	}
	for (;;) {
		int status = take_frames(connection, answer);
		if (status >= 0)
			return status;
		size_t room;
		uint8_t *bytes = request_reader_room(&connection->reader, &room);
		if (!bytes)
			return broken(answer, strerror(ENOMEM));
		ssize_t n = read(connection->fd, bytes, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return gave_up(answer);
		if (n <= 0)
			return broken(answer, "the daemon ended the connection");
		request_reader_fed(&connection->reader, (size_t)n);
	}
}
