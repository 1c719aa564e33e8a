/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/channel.h"
#include "lib/ipc/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Two ends in one process and one loop. */
struct end {
	struct channel *channel;
	struct loop *loop;
	unsigned ipcs, gone, wanted;
	uint32_t last_seconds;
	int fd;
	bool free_at_once;
};

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct end *end = context;
	assert_int_equal(ipc->type, IPC_DRAIN);
	const struct ipc_drain *drain = (const void *)ipc;
	assert_int_equal(drain->seconds, end->ipcs);
	end->last_seconds = drain->seconds;
	end->ipcs++;
	if (fd >= 0)
		end->fd = fd;
	if (end->free_at_once) {
		channel_free(end->channel);
		end->channel = NULL;
		loop_stop(end->loop);
	} else if (end->ipcs == end->wanted) {
		loop_stop(end->loop);
	}
}

static void on_gone(void *context)
{
	struct end *end = context;
	end->gone++;
	channel_free(end->channel);
	end->channel = NULL;
	loop_stop(end->loop);
}

static const struct channel_handler handler = {on_ipc, on_gone};

struct pair {
	struct loop *loop;
	struct end a, b;
	int raw; /* b's descriptor when b has no channel */
};

static void open_pair(struct pair *pair, bool with_b)
{
	int fds[2];
	*pair = (struct pair){.loop = loop_new(), .raw = -1};
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	pair->a = (struct end){.loop = pair->loop, .fd = -1};
	pair->b = pair->a;
	pair->a.channel = channel_open(pair->loop, fds[0], &handler, &pair->a);
	assert_non_null(pair->a.channel);
	if (with_b) {
		pair->b.channel = channel_open(pair->loop, fds[1], &handler, &pair->b);
		assert_non_null(pair->b.channel);
	} else {
		pair->raw = fds[1];
	}
}

static void close_pair(struct pair *pair)
{
	channel_free(pair->a.channel);
	channel_free(pair->b.channel);
	if (pair->raw >= 0)
		close(pair->raw);
	loop_free(pair->loop);
}

static int send_number(struct channel *channel, uint32_t number, int fd)
{
	struct ipc_drain drain;
	ipc_init(&drain, IPC_DRAIN, sizeof(drain));
	drain.seconds = number;
	return channel_send(channel, &drain, fd);
}

static void a_slow_reader_gets_everything_in_order(void **state)
{
	struct pair pair;
	enum { N = 20000 };

	(void)state;
	open_pair(&pair, true);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(send_number(pair.a.channel, i, -1), 0);
	assert_true(channel_queued_bytes(pair.a.channel) > 0);
	pair.b.wanted = N;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, N);
	assert_int_equal(channel_queued_bytes(pair.a.channel), 0);
	close_pair(&pair);
}

/* What came while a paced channel looked away is there when it looks again, without a new event. */
struct later {
	struct loop_timer timer;
	struct pair *pair;
	uint32_t from, to;
};

static void send_later(struct loop_timer *timer, uint64_t now_ms)
{
	struct later *later = (struct later *)(void *)timer;
	(void)now_ms;
	for (uint32_t i = later->from; i < later->to; i++)
		assert_int_equal(send_number(later->pair->a.channel, i, -1), 0);
}

static void a_paced_channel_reads_what_gathered(void **state)
{
	enum { FIRST = 3, ALL = 500 };
	struct pair pair;
	struct later later = {.timer.on_time = send_later, .pair = &pair, .from = FIRST, .to = ALL};

	(void)state;
	open_pair(&pair, true);
	channel_set_pace(pair.b.channel, 20);
	for (uint32_t i = 0; i < FIRST; i++)
		assert_int_equal(send_number(pair.a.channel, i, -1), 0);
	pair.b.wanted = FIRST;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, FIRST);
	/* it rests now */
	loop_timer_set(pair.loop, &later.timer, loop_now_ms(pair.loop));
	pair.b.wanted = ALL;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, ALL);
	/* and it answers while it rests */
	assert_int_equal(send_number(pair.b.channel, 0, -1), 0);
	pair.a.wanted = 1;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.a.ipcs, 1);
	close_pair(&pair);
}

static void stop_late(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	loop_stop(((struct later *)(void *)timer)->pair->loop);
}

static void a_channel_that_rests_reads_again_when_it_has_no_pace(void **state)
{
	struct pair pair;
	struct later late = {.timer.on_time = stop_late, .pair = &pair};

	(void)state;
	open_pair(&pair, true);
	channel_set_pace(pair.b.channel, 3600000);
	assert_int_equal(send_number(pair.a.channel, 0, -1), 0);
	pair.b.wanted = 1;
	assert_int_equal(loop_run(pair.loop), 0);
	channel_set_pace(pair.b.channel, 0);
	assert_int_equal(send_number(pair.a.channel, 1, -1), 0);
	pair.b.wanted = 2;
	loop_timer_set(pair.loop, &late.timer, loop_now_ms(pair.loop) + 10000);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, 2);
	loop_timer_clear(pair.loop, &late.timer);
	close_pair(&pair);
}

static void a_paced_channel_reads_last_words(void **state)
{
	enum { N = 200 };
	struct pair pair;

	(void)state;
	open_pair(&pair, true);
	channel_set_pace(pair.b.channel, 10000);
	assert_int_equal(send_number(pair.a.channel, 0, -1), 0);
	pair.b.wanted = 1;
	assert_int_equal(loop_run(pair.loop), 0);
	for (uint32_t i = 1; i < N; i++)
		assert_int_equal(send_number(pair.a.channel, i, -1), 0);
	while (channel_queued_bytes(pair.a.channel) > 0)
		channel_drain(pair.b.channel);
	channel_free(pair.a.channel);
	pair.a.channel = NULL;
	pair.b.wanted = 0;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, N);
	assert_int_equal(pair.b.gone, 1);
	close_pair(&pair);
}

static void a_descriptor_travels_even_when_queued(void **state)
{
	struct pair pair;
	uint32_t n = 0;

	(void)state;
	open_pair(&pair, true);
	while (!channel_queued_bytes(pair.a.channel))
		assert_int_equal(send_number(pair.a.channel, n++, -1), 0);
	int fd = channel_memfd("test", "abc", 3);
	assert_true(fd >= 0);
	assert_int_equal(send_number(pair.a.channel, n++, fd), 0);
	close(fd);
	pair.b.wanted = n;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_true(pair.b.fd >= 0);
	void *bytes;
	size_t len;
	assert_int_equal(channel_map(pair.b.fd, &bytes, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	munmap(bytes, len);
	close_pair(&pair);
}

static void drain_handles_what_waits_without_the_loop(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, true);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(send_number(pair.a.channel, i, -1), 0);
	assert_int_equal(channel_drain(pair.b.channel), 100);
	assert_int_equal(channel_drain(pair.b.channel), 0);
	assert_int_equal(pair.b.ipcs, 100);
	close_pair(&pair);
}

static void last_words_of_a_dead_peer_are_read_before_it_is_gone(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, true);
	/* b dies with unread ipcs, so a's socket holds an error in front of b's words */
	assert_int_equal(send_number(pair.a.channel, 0, -1), 0);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(send_number(pair.b.channel, i, -1), 0);
	channel_free(pair.b.channel);
	pair.b.channel = NULL;
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.a.ipcs, 5);
	assert_int_equal(pair.a.gone, 1);
	close_pair(&pair);
}

static void a_malformed_ipc_ends_the_channel(void **state)
{
	struct pair pair;
	struct ipc_drain drain;

	(void)state;
	open_pair(&pair, false);
	ipc_init(&drain, IPC_DRAIN, sizeof(drain));
	drain.header.bytes++;
	assert_int_equal(send(pair.raw, &drain, sizeof(drain), 0), sizeof(drain));
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.a.ipcs, 0);
	assert_int_equal(pair.a.gone, 1);
	close_pair(&pair);
}

static void a_record_longer_than_any_ipc_ends_the_channel(void **state)
{
	struct pair pair;
	uint8_t *bytes = calloc(1, IPC_BYTES_MAX + 1);

	(void)state;
	open_pair(&pair, false);
	ipc_init(bytes, IPC_SESSIONS, IPC_BYTES_MAX + 1);
	assert_int_equal(send(pair.raw, bytes, IPC_BYTES_MAX + 1, 0), IPC_BYTES_MAX + 1);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.a.gone, 1);
	free(bytes);
	close_pair(&pair);
}

static void a_handler_may_free_its_channel(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, true);
	pair.b.free_at_once = true;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(send_number(pair.a.channel, i, -1), 0);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.b.ipcs, 1);
	close_pair(&pair);
}

static void a_peer_that_never_reads_is_given_up(void **state)
{
	struct pair pair;
	struct ipc_sessions *big = calloc(1, 60000);
	int error = 0;

	(void)state;
	open_pair(&pair, false);
	ipc_init(big, IPC_SESSIONS, 60000);
	for (int i = 0; i < 6000 && !error; i++)
		error = channel_send(pair.a.channel, big, -1);
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(pair.a.gone, 0);
	assert_int_equal(loop_run(pair.loop), 0);
	assert_int_equal(pair.a.gone, 1);
	free(big);
	close_pair(&pair);
}

static void only_sealed_memory_is_mapped(void **state)
{
	void *bytes;
	size_t len;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(channel_map(fd, &bytes, &len), -EBADMSG);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed also on failure */
	fd = channel_memfd("test", "", 0);
	assert_int_equal(channel_map(fd, &bytes, &len), -EBADMSG);
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(channel_map(pipes[0], &bytes, &len), -EBADMSG);
	close(pipes[1]);
	assert_int_equal(channel_map(-1, &bytes, &len), -EBADMSG);
}

static void sequence_numbers_are_never_zero(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, false);
	assert_int_equal(channel_next_seq(pair.a.channel), 1);
	assert_int_equal(channel_next_seq(pair.a.channel), 2);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_gets_everything_in_order),
		cmocka_unit_test(a_paced_channel_reads_what_gathered),
		cmocka_unit_test(a_channel_that_rests_reads_again_when_it_has_no_pace),
		cmocka_unit_test(a_paced_channel_reads_last_words),
		cmocka_unit_test(a_descriptor_travels_even_when_queued),
		cmocka_unit_test(drain_handles_what_waits_without_the_loop),
		cmocka_unit_test(last_words_of_a_dead_peer_are_read_before_it_is_gone),
		cmocka_unit_test(a_malformed_ipc_ends_the_channel),
		cmocka_unit_test(a_record_longer_than_any_ipc_ends_the_channel),
		cmocka_unit_test(a_handler_may_free_its_channel),
		cmocka_unit_test(a_peer_that_never_reads_is_given_up),
		cmocka_unit_test(only_sealed_memory_is_mapped),
		cmocka_unit_test(sequence_numbers_are_never_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
