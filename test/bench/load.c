/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the modes of the load generator that need no rate: a quick server, idle flows, round trips,
 * connects. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GREETING       "220 mx.dmz.example ESMTP\r\n"
#define DONE           "250 2.0.0 Ok\r\n"
#define BYE            "221 2.0.0 Bye\r\n"
#define LINE_MAX_BYTES 512

uint64_t load_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void load_fail(const char *what)
{
	fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

struct load_place load_place_of(const char *address, const char *port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct load_place place = {0};
	struct addrinfo *found;

	if (getaddrinfo(address, port, &hints, &found) != 0)
		load_fail(address);
	memcpy(&place.address, found->ai_addr, found->ai_addrlen);
	place.len = found->ai_addrlen;
	freeaddrinfo(found);
	return place;
}

int load_socket(const struct load_place *place, int type_flags)
{
	int fd = socket(place->address.ss_family, SOCK_STREAM | type_flags, 0);
	if (fd < 0)
		load_fail("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

int load_listener(const struct load_place *place)
{
	int fd = load_socket(place, SOCK_NONBLOCK);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&place->address, place->len) < 0 ||
		listen(fd, 4096) < 0)
		load_fail("listen");
	return fd;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static double part(const uint64_t *ns, size_t n, unsigned thousandth)
{
	return n == 0 ? 0 : (double)ns[(n - 1) * thousandth / 1000] / 1000;
}

void load_print_times(uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), compare);
	printf("{\"n\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}\n", n,
		part(ns, n, 500), part(ns, n, 990), part(ns, n, 999), part(ns, n, 1000));
	fflush(stdout);
}

/* -- a server that says the next line at once ---------------------------------------------------
 */

static void answer(int fd)
{
	char line[LINE_MAX_BYTES];
	ssize_t n = recv(fd, line, sizeof(line), MSG_DONTWAIT);
	bool quits = n >= 4 && strncasecmp(line, "QUIT", 4) == 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		send(fd, quits ? BYE : DONE, quits ? sizeof(BYE) - 1 : sizeof(DONE) - 1,
			MSG_NOSIGNAL);
	if (n <= 0 || quits)
		close(fd);
}

static void greet(int epoll, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		send(fd, GREETING, sizeof(GREETING) - 1, MSG_NOSIGNAL);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static int serve(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	int listener = load_listener(&place), epoll = epoll_create1(0);
	struct epoll_event events[256], event = {.events = EPOLLIN, .data.fd = listener};

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);
		if (n < 0 && errno != EINTR)
			load_fail("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				greet(epoll, listener);
			else
				answer(events[i].data.fd);
		}
	}
}

/* -- clients ------------------------------------------------------------------------------------
 */

static void expect(int fd, const char *code)
{
	char line[LINE_MAX_BYTES];
	ssize_t n = recv(fd, line, sizeof(line), 0);
	if (n < 3 || strncmp(line, code, 3) != 0) {
		fprintf(stderr, "bench-load: wanted %s, got %zd bytes: %.*s\n", code, n,
			n > 0 ? (int)n : 0, line);
		exit(1);
	}
}

static int greeted(const struct load_place *place)
{
	int fd = load_socket(place, 0);
	if (connect(fd, (const struct sockaddr *)&place->address, place->len) < 0)
		load_fail("connect");
	expect(fd, "220");
	return fd;
}

/* One that has named its first recipient: who speaks SMTP itself has its server by then. */
static void address(int fd)
{
	static const char *const lines[] = {"HELO client.example\r\n",
		"MAIL FROM:<a@client.example>\r\n", "RCPT TO:<b@internet.example>\r\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL) != (ssize_t)strlen(lines[i]))
			load_fail("send");
		expect(fd, "250");
	}
}

static int hold_each(char **words, bool addressed)
{
	struct load_place place = load_place_of(words[0], words[1]);
	int count = atoi(words[2]);

	for (int i = 0; i < count; i++) {
		int fd = greeted(&place);
		if (addressed)
			address(fd);
	}
	printf("%d\n", count);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

/* Holds so many flows, greeted, until its input ends. */
static int hold(char **words)
{
	return hold_each(words, false);
}

/* The same in the middle of an envelope. */
static int hold_addressed(char **words)
{
	return hold_each(words, true);
}

/* One flow, so many commands. */
static int trip(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	size_t count = (size_t)atoi(words[2]);
	uint64_t *ns = calloc(count, sizeof(*ns));
	int fd = greeted(&place);

	for (size_t i = 0; i < count; i++) {
		uint64_t began = load_now_ns();
		if (send(fd, "NOOP\r\n", 6, MSG_NOSIGNAL) != 6)
			load_fail("send");
		expect(fd, "250");
		ns[i] = load_now_ns() - began;
	}
	load_print_times(ns, count);
	return 0;
}

/* So many flows, one after the other: from connect to greeting. */
static int greetings(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	size_t count = (size_t)atoi(words[2]);
	uint64_t *ns = calloc(count, sizeof(*ns));

	for (size_t i = 0; i < count; i++) {
		uint64_t began = load_now_ns();
		int fd = greeted(&place);
		ns[i] = load_now_ns() - began;
		if (send(fd, "QUIT\r\n", 6, MSG_NOSIGNAL) == 6)
			expect(fd, "221");
		close(fd);
	}
	load_print_times(ns, count);
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **words);
	const char *usage;
} modes[] = {
	{"serve", 2, serve, "ADDRESS PORT"},
	{"hold", 3, hold, "ADDRESS PORT FLOWS"},
	{"hold-addressed", 3, hold_addressed, "ADDRESS PORT FLOWS"},
	{"trip", 3, trip, "ADDRESS PORT COUNT"},
	{"greet", 3, greetings, "ADDRESS PORT COUNT"},
	{"pace", 4, load_pace, "ADDRESS PORT RATE SECONDS"},
	{"first", 6, load_first, "INTERFACE GATEWAY-MAC DESTINATION START COUNT RATE"},
	{"tls-send", 6, load_tls_send, "ADDRESS PORT SESSIONS COUNT SIZE tls|clear"},
	{"tls-submit", 7, load_tls_submit,
		"ADDRESS PORT SESSIONS COUNT SIZE one|many AUTH-PLAIN-RESPONSE"},
	{"tls-hold", 4, load_tls_hold, "ADDRESS PORT FLOWS greeted|recipient"},
	{"tls-serve", 4, load_tls_serve, "ADDRESS PORT CERTIFICATE KEY"},
	{"tls-handshakes", 3, load_tls_handshakes, "COUNT CERTIFICATE KEY"},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (size_t i = 0; i < MODES; i++)
		if (argc == modes[i].words + 2 && strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	for (size_t i = 0; i < MODES; i++)
		fprintf(stderr, "usage: bench-load %s %s\n", modes[i].name, modes[i].usage);
	return 2;
}
