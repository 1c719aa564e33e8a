/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction between two TCP connections over loopback, driven by the edges that epoll reports,
 * as the relay does it. */
#include "daemon/relay/carry/copy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* writer -> from | to -> reader */
struct world {
	int writer, from, to, reader;
	int epoll;
	struct copy_tools tools;
	struct copy copy;
	uint64_t seen, seen_spliced;
};

static void connect_pair(int *a, int *b)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	*a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*a, (struct sockaddr *)&sin, sizeof(sin)), 0);
	*b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*b >= 0);
	close(listener);
	for (int i = 0; i < 2; i++) {
		int fd = i ? *a : *b;
		assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
	}
}

static void watch(struct world *world, int fd, uint32_t which)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = which};
	assert_int_equal(epoll_ctl(world->epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void open_world(struct world *world, int pipes)
{
	memset(world, 0, sizeof(*world));
	connect_pair(&world->writer, &world->from);
	connect_pair(&world->to, &world->reader);
	world->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(world, world->from, 0);
	watch(world, world->to, 1);
	assert_int_equal(copy_tools_init(&world->tools, 4, pipes), 0);
	copy_init(&world->copy);
}

static void close_world(struct world *world)
{
	copy_fini(&world->tools, &world->copy);
	assert_int_equal(pool_taken(&world->tools.stuck), 0);
	copy_tools_fini(&world->tools);
	close(world->writer);
	close(world->from);
	close(world->to);
	close(world->reader);
	close(world->epoll);
}

static void on_seen(void *context, const uint8_t *bytes, size_t len)
{
	struct world *world = context;
	world->seen += len;
	if (!bytes)
		world->seen_spliced += len;
}

/* One batch of edges, then one run. */
static enum copy_result step(struct world *world, int wait_ms, int *error)
{
	struct epoll_event events[4];
	int n = epoll_wait(world->epoll, events, 4, wait_ms);
	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 == 0 && events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLERR))
			world->copy.readable = true;
		if (events[i].data.u32 == 0 &&
			events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			world->copy.hangup = true;
		if (events[i].data.u32 == 1 && events[i].events & (EPOLLOUT | EPOLLERR))
			world->copy.writable = true;
	}
	return copy_run(&world->tools, &world->copy, world->from, world->to, on_seen, world, error);
}

static uint8_t byte_at(uint64_t at, unsigned seed)
{
	return (uint8_t)((at * 2654435761u + seed) >> 11);
}

/* Sends total bytes in random chunks and reads them in random chunks. */
static void pump(struct world *world, uint64_t total, size_t chunk_max, unsigned seed)
{
	static uint8_t out[1 << 20], in[1 << 20];
	uint64_t sent = 0, got = 0;
	enum copy_result result = COPY_WAIT;
	bool finished = false, ended = false;
	unsigned stuck = 0;
	int error = 0;

	srand(seed);
	while (!ended) {
		uint64_t before = sent + got;
		size_t len = 1 + (size_t)rand() % chunk_max;
		if (len > sizeof(out))
			len = sizeof(out);
		if (len > total - sent)
			len = (size_t)(total - sent);
		for (size_t i = 0; i < len; i++)
			out[i] = byte_at(sent + i, seed);
		ssize_t n = len ? write(world->writer, out, len) : 0;
		if (n > 0)
			sent += (uint64_t)n;
		if (sent == total && !finished) {
			finished = true;
			shutdown(world->writer, SHUT_WR);
		}
		result = step(world, result == COPY_MORE ? 0 : 1, &error);
		assert_int_not_equal(result, COPY_SOURCE_FAILED);
		assert_int_not_equal(result, COPY_SINK_FAILED);
		if (result == COPY_ENDED)
			assert_int_equal(copy_pass_end(&world->copy, world->to), 0);
		if (rand() % 3 == 0 || result == COPY_WAIT) {
			n = read(world->reader, in, 1 + (size_t)rand() % sizeof(in));
			for (ssize_t i = 0; i < n; i++)
				if (in[i] != byte_at(got + (uint64_t)i, seed))
					fail_msg("byte %llu differs", (unsigned long long)got + i);
			if (n > 0)
				got += (uint64_t)n;
			ended = n == 0;
		}
		stuck = sent + got == before ? stuck + 1 : 0;
		assert_true(stuck < 5000);
	}
	assert_int_equal(got, total);
	assert_int_equal(world->copy.bytes, total);
	assert_int_equal(world->seen, total);
	assert_true(world->copy.passed);
}

static void any_chunk_arrives_as_it_was_sent(void **state)
{
	(void)state;
	static const struct {
		uint64_t total;
		size_t chunk_max;
		int pipes;
	} cases[] = {
		{1, 1, 1}, {3000, 1, 1}, {100000, 300, 1}, {1 << 20, 16384, 1}, {1 << 20, 16385, 1},
		{6 << 20, 1 << 20, 1}, {6 << 20, 1 << 20, 0}, /* no pipe to be had */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;
		open_world(&world, cases[i].pipes);
		pump(&world, cases[i].total, cases[i].chunk_max, (unsigned)i + 1);
		if (cases[i].pipes == 0) {
			assert_int_equal(world.seen_spliced, 0);
			assert_true(world.tools.pipes_short > 0);
		} else if (cases[i].total > 4 << 20) {
			assert_true(world.seen_spliced > 0);
		}
		close_world(&world);
	}
}

/* A sink that takes nothing: bytes stay in the kernel, and at most one piece or pipe is held. */
static void backpressure_stops_the_source(void **state)
{
	(void)state;
	for (int pipes = 0; pipes < 2; pipes++) {
		struct world world;
		static uint8_t bytes[65536];
		int error = 0, idle = 0;
		open_world(&world, pipes);
		for (int i = 0; i < 20000 && idle < 20; i++) {
			ssize_t n = write(world.writer, bytes, sizeof(bytes));
			enum copy_result result = step(&world, 1, &error);
			idle = n < 0 && result == COPY_WAIT ? idle + 1 : 0;
		}
		assert_int_equal(idle, 20);
		assert_true(world.copy.held > 0);
		assert_true(world.copy.held <= (pipes ? SPLICE_PIPE_BYTES : COPY_PIECE_BYTES));
		close_world(&world);
	}
}

static void a_reset_is_told_from_an_end(void **state)
{
	(void)state;
	struct world world;
	int error = 0;
	open_world(&world, 1);
	assert_int_equal(write(world.writer, "QUIT\r\n", 6), 6);
	assert_int_equal(step(&world, 1000, &error), COPY_WAIT);
	struct linger hard = {.l_onoff = 1};
	setsockopt(world.writer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(world.writer);
	enum copy_result result = COPY_WAIT;
	for (int i = 0; i < 1000 && result == COPY_WAIT; i++)
		result = step(&world, 1, &error);
	assert_int_equal(result, COPY_SOURCE_FAILED);
	assert_int_equal(error, ECONNRESET);
	world.writer = -1;
	close_world(&world);
}

static void words_of_our_own_go_first(void **state)
{
	(void)state;
	struct world world;
	char got[64] = "";
	int error = 0;
	open_world(&world, 1);
	assert_int_equal(copy_put(&world.tools, &world.copy, world.to, "220 hi\r\n", 8), 0);
	assert_int_equal(write(world.writer, "250 ok\r\n", 8), 8);
	size_t len = 0;
	for (int i = 0; i < 1000 && len < 16; i++) {
		step(&world, 1, &error);
		ssize_t n = read(world.reader, got + len, sizeof(got) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_string_equal(got, "220 hi\r\n250 ok\r\n");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_chunk_arrives_as_it_was_sent),
		cmocka_unit_test(backpressure_stops_the_source),
		cmocka_unit_test(a_reset_is_told_from_an_end),
		cmocka_unit_test(words_of_our_own_go_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
