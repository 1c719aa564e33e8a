/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/link.h"

#include "daemon/smtp/smtp.h"
#include "lib/base/container.h"
#include "lib/ipc/health.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EDGES     (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define LOST      (EPOLLHUP | EPOLLERR)
#define HANGUP    (EPOLLRDHUP | LOST)
#define RETRY_MS  50         /* a unix socket's backlog is full */
#define ROUND_MAX (4u << 20) /* of a filter at once: no good one says so much */

static void try_address(struct scan_link *link);

static uint64_t now_of(const struct scan_link *link)
{
	return loop_now_ms(link->smtp->loop);
}

static bool is_unix(const struct scan_link *link)
{
	return link->scan->path.len > 0;
}

void scan_link_close(struct scan_link *link)
{
	host_addresses_give_up(&link->smtp->hosts, &link->host);
	if (link->watch.fd >= 0) {
		loop_forget(link->smtp->loop, &link->watch);
		close(link->watch.fd);
	}
	link->watch.fd = -1;
	link->state = SCAN_LINK_CLOSED;
	link->due_ms = UINT64_MAX;
	free(link->held);
	link->held = NULL;
	link->held_at = link->held_len = link->held_room = 0;
}

static void broken(struct scan_link *link, const char *words)
{
	char text[SCAN_FAULT_SIZE];

	snprintf(text, sizeof(text), "%s", words);
	scan_link_close(link);
	link->face->on_broken(link, text);
}

/* ---- connecting ---- */

static int reach_unix(const struct scan_link *link)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const struct policy_string *path = &link->scan->path;

	if (path->len >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path->text, path->len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static int reach_host(const struct endpoint *host)
{
	struct sockaddr_storage to;
	socklen_t len = (socklen_t)endpoint_encode(host, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* an event is one write, and waits for nobody's acknowledgement */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

/* The next one to try. False: there is none. */
static bool next_address(struct scan_link *link, struct endpoint *host)
{
	const struct policy_scan *scan = link->scan;

	host->port = scan->port;
	if (scan->addr.family != ADDR_NONE) {
		host->addr = scan->addr;
		return link->address++ == 0;
	}
	if (link->address == link->naddresses)
		return false;
	host->addr = link->addresses[link->address++];
	return true;
}

static void is_open(struct scan_link *link)
{
	link->state = SCAN_LINK_OPEN;
	link->due_ms = UINT64_MAX;
	if (link->address > 0 && link->naddresses > 0)
		host_addresses_prefer(&link->smtp->hosts, link->scan->host.text,
			&link->addresses[link->address - 1]);
	link->face->on_open(link);
}

/* 0: it connects, or did; or -errno. */
static int watch(struct scan_link *link, int fd)
{
	if (fd < 0)
		return fd;
	link->watch.fd = fd;
	link->readable = link->writable = link->ended = link->deaf = false;
	int error = loop_add(link->smtp->loop, &link->watch, EDGES);
	if (!error)
		return 0;
	close(fd);
	link->watch.fd = -1;
	return error;
}

static void note(struct scan_link *link, const struct endpoint *host, const char *why)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (host)
		snprintf(link->fault, sizeof(link->fault), "%s: %s", endpoint_format(host, text),
			why);
	else
		snprintf(
			link->fault, sizeof(link->fault), "%.110s: %s", link->scan->path.text, why);
}

static void try_unix(struct scan_link *link)
{
	int fd = reach_unix(link);

	if (fd == -EAGAIN && now_of(link) < link->give_up_ms) {
		link->due_ms = now_of(link) + RETRY_MS;
		return;
	}
	int error = watch(link, fd);
	if (error) {
		note(link, NULL, error == -EAGAIN ? "its backlog is full" : strerror(-error));
		broken(link, link->fault);
		return;
	}
	link->writable = true;
	is_open(link);
}

static void try_host(struct scan_link *link)
{
	struct endpoint host;

	while (next_address(link, &host)) {
		int error = watch(link, reach_host(&host));
		note(link, &host, error ? strerror(-error) : "no connection in time");
		if (error)
			continue;
		link->due_ms = now_of(link) + SCAN_CONNECT_MS;
		return;
	}
	broken(link, link->fault);
}

/* Those of now: what is told meanwhile is for the next connection. */
static void take_addresses(struct scan_link *link)
{
	const struct ipc_resolved *known =
		host_addresses_known(&link->smtp->hosts, link->scan->host.text);

	for (size_t i = 0; known && i < known->n && i < SCAN_ADDRESSES_MAX; i++)
		link->addresses[link->naddresses++] = known->addresses[i];
}

static void try_address(struct scan_link *link)
{
	link->state = SCAN_LINK_CONNECTS;
	if (is_unix(link))
		try_unix(link);
	else
		try_host(link);
}

static void drop_socket(struct scan_link *link)
{
	loop_forget(link->smtp->loop, &link->watch);
	close(link->watch.fd);
	link->watch.fd = -1;
}

static void on_host(struct host_wait *wait)
{
	struct scan_link *link = container_of(wait, struct scan_link, host);

	take_addresses(link);
	try_address(link);
	link->face->on_settled(link);
}

void scan_link_open(struct scan_link *link)
{
	struct smtp *smtp = link->smtp;
	const struct policy_scan *scan = link->scan;

	scan_link_close(link);
	link->address = link->naddresses = 0;
	link->give_up_ms = now_of(link) + SCAN_CONNECT_MS;
	link->host.on_host = on_host;
	if (is_unix(link) || scan->addr.family != ADDR_NONE) {
		try_address(link);
		return;
	}
	snprintf(link->fault, sizeof(link->fault), "%.100s has no address", scan->host.text);
	if (host_addresses_find(&smtp->hosts, &smtp->child, scan->host.text, &link->host)) {
		take_addresses(link);
		try_address(link);
		return;
	}
	link->state = SCAN_LINK_RESOLVES;
	link->due_ms = link->give_up_ms;
}

const char *scan_link_where(const struct scan_link *link, char text[static SCAN_WHERE_SIZE])
{
	const struct policy_scan *scan = link->scan;
	struct endpoint host = {.addr = scan->addr, .port = scan->port};
	char address[ENDPOINT_TEXT_SIZE];

	if (link->address > 0 && link->naddresses > 0)
		host.addr = link->addresses[link->address - 1];
	if (is_unix(link))
		snprintf(text, SCAN_WHERE_SIZE, "%s", scan->path.text);
	else if (host.addr.family == ADDR_NONE)
		snprintf(text, SCAN_WHERE_SIZE, "%.250s port %u", scan->host.text, scan->port);
	else if (scan->addr.family == ADDR_NONE)
		snprintf(text, SCAN_WHERE_SIZE, "%.250s (%s)", scan->host.text,
			endpoint_format(&host, address));
	else
		snprintf(text, SCAN_WHERE_SIZE, "%s", endpoint_format(&host, address));
	return text;
}

void scan_link_on_time(struct scan_link *link, uint64_t now_ms)
{
	if (now_ms < link->due_ms)
		return;
	link->due_ms = UINT64_MAX;
	switch ((enum scan_link_state)link->state) {
	case SCAN_LINK_RESOLVES:
		snprintf(link->fault, sizeof(link->fault), "DNS does not say the address of %.100s",
			link->scan->host.text);
		broken(link, link->fault);
		break;
	case SCAN_LINK_CONNECTS:
		if (link->watch.fd >= 0)
			drop_socket(link);
		try_address(link);
		break;
	case SCAN_LINK_CLOSED:
	case SCAN_LINK_OPEN:
		break;
	}
}

/* ---- what is said ---- */

/* Why will be read. */
static void lose(struct scan_link *link, int error)
{
	link->deaf = link->readable = link->ended = true;
	link->held_at = link->held_len = 0;
	snprintf(link->fault, sizeof(link->fault), "it closed (%s)", strerror(error));
}

static size_t send_some(struct scan_link *link, const uint8_t *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len && link->writable && !link->deaf) {
		ssize_t n =
			send(link->watch.fd, bytes + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			link->writable = false;
		else if (errno != EINTR)
			lose(link, errno);
	}
	return link->deaf ? len : sent;
}

static bool hold(struct scan_link *link, const uint8_t *bytes, size_t len)
{
	if (link->held_len == 0)
		link->held_at = 0;
	if (link->held_at + link->held_len + len > link->held_room) {
		size_t room = link->held_at + link->held_len + len;
		uint8_t *more = realloc(link->held, room);
		if (!more)
			return false;
		link->held = more;
		link->held_room = room;
	}
	memcpy(link->held + link->held_at + link->held_len, bytes, len);
	link->held_len += len;
	return true;
}

void scan_link_put(struct scan_link *link, const void *bytes, size_t len)
{
	size_t sent = 0;

	if (link->state != SCAN_LINK_OPEN || len == 0)
		return;
	if (link->held_len == 0)
		sent = send_some(link, bytes, len);
	if (sent < len && !hold(link, (const uint8_t *)bytes + sent, len - sent))
		lose(link, ENOMEM);
}

bool scan_link_is_full(const struct scan_link *link)
{
	return link->held_len > 0;
}

static void flush(struct scan_link *link)
{
	if (link->held_len > 0) {
		size_t sent = send_some(link, link->held + link->held_at, link->held_len);
		if (link->deaf)
			return;
		link->held_at += sent;
		link->held_len -= sent;
	}
	if (link->held_len > 0)
		return;
	free(link->held); /* most are idle, or faster */
	link->held = NULL;
	link->held_room = 0;
	link->face->on_drained(link);
}

/* ---- what comes ---- */

void scan_link_acknowledge(struct scan_link *link)
{
	if (link->state == SCAN_LINK_OPEN && !is_unix(link))
		setsockopt(link->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

static void read_all(struct scan_link *link)
{
	uint8_t *bytes = link->smtp->table.read;
	size_t all = 0;

	while (link->state == SCAN_LINK_OPEN && link->readable) {
		ssize_t n = recv(link->watch.fd, bytes, SMTP_FLOW_READ_BYTES, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			link->readable = false;
			return;
		}
		if (n <= 0) {
			broken(link, n < 0        ? strerror(errno)
				     : link->deaf ? link->fault
						  : "it closed");
			return;
		}
		if ((size_t)n < SMTP_FLOW_READ_BYTES && !link->ended)
			link->readable = false;
		link->face->on_bytes(link, bytes, (size_t)n);
		all += (size_t)n;
		if (all > ROUND_MAX && link->state == SCAN_LINK_OPEN) {
			broken(link, "it says too much");
			return;
		}
	}
}

static void connected(struct scan_link *link, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!(events & (EPOLLOUT | LOST)))
		return;
	getsockopt(link->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		char *at = strstr(link->fault, ": no connection in time");
		if (at)
			snprintf(at, sizeof(link->fault) - (size_t)(at - link->fault), ": %s",
				strerror(error));
		drop_socket(link);
		try_address(link);
		return;
	}
	link->writable = true;
	is_open(link);
}

static void on_event(struct loop_watch *watched, uint32_t events)
{
	struct scan_link *link = (struct scan_link *)(void *)watched;
	const int fd = watched->fd;

	if (link->state == SCAN_LINK_CONNECTS)
		connected(link, events);
	if (link->state != SCAN_LINK_OPEN || watched->fd != fd) {
		link->face->on_settled(link);
		return;
	}
	if (events & (EPOLLIN | HANGUP))
		link->readable = true;
	if (events & HANGUP)
		link->ended = true;
	if (events & (EPOLLOUT | LOST)) {
		link->writable = true;
		flush(link);
	}
	read_all(link);
	link->face->on_settled(link);
}

void scan_link_init(struct scan_link *link, struct smtp *smtp, const struct policy_scan *scan,
	const struct scan_link_face *face)
{
	memset(link, 0, sizeof(*link));
	link->watch.fd = -1;
	link->watch.on_event = on_event;
	link->smtp = smtp;
	link->scan = scan;
	link->face = face;
	link->due_ms = UINT64_MAX;
}
