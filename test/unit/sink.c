/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/sink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE_BYTES 100

static int reader, real_stderr;

/* stderr becomes the end that is written to. */
static void open_sink(const int ends[2])
{
	reader = ends[0];
	real_stderr = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	assert_int_equal(sink_open(true), SINK_STDERR);
	fcntl(reader, F_SETFL, O_NONBLOCK);
}

static void close_sink(void)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(reader);
}

static void put_number(unsigned number)
{
	char line[LINE_BYTES + 1];

	snprintf(line, sizeof(line), "%0*u\n", LINE_BYTES - 1, number);
	sink_put(line, LINE_BYTES);
}

/* Reads what is there; the lines are numbered on from *next. */
static void read_lines(unsigned *next)
{
	char line[LINE_BYTES];
	ssize_t n;

	while ((n = read(reader, line, sizeof(line))) > 0) {
		assert_int_equal(n, LINE_BYTES);
		assert_int_equal(strtoul(line, NULL, 10), *next);
		++*next;
	}
}

/* A reader that stopped: no put waits, the first lines come in order, the rest is counted. */
static void fill_and_read(void)
{
	enum { N = 20000 };
	unsigned next = 0;
	uint64_t lost = 0;

	for (unsigned i = 0; i < N; i++)
		put_number(i);
	assert_int_equal(sink_lost(), 0); /* there is no room to say so */
	for (int i = 0; i < 1000 && !lost; i++) {
		read_lines(&next);
		sink_flush();
		lost = sink_lost();
	}
	read_lines(&next);
	assert_true(next > 500);
	assert_true(lost > 0);
	assert_int_equal(next + lost, N);
	assert_int_equal(sink_lost(), 0);
	put_number(next);
	read_lines(&next);
	assert_int_equal(next + lost, N + 1);
}

static void test_a_full_pipe_never_makes_it_wait(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_sink(ends);
	fill_and_read();
	close_sink();
}

static void test_a_full_socket_never_makes_it_wait(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	open_sink(ends);
	fill_and_read();
	close_sink();
}

static void test_a_reader_that_is_gone_costs_lines_only(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	open_sink(ends);
	close(reader);
	reader = dup(real_stderr);
	for (unsigned i = 0; i < 10; i++)
		put_number(i);
	assert_int_equal(sink_lost(), 10);
	close_sink();
}

/* A redirection makes stderr another file than the one that systemd named. */
static void test_the_journal_is_asked_for_by_its_own_stream_only(void **state)
{
	static const char *const streams[] = {"", "0:0", "1:1:1", "stderr", ":", "-1:-1"};

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		setenv("JOURNAL_STREAM", streams[i], 1);
		assert_int_equal(sink_open(true), SINK_STDERR);
	}
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_pipe_never_makes_it_wait),
		cmocka_unit_test(test_a_full_socket_never_makes_it_wait),
		cmocka_unit_test(test_a_reader_that_is_gone_costs_lines_only),
		cmocka_unit_test(test_the_journal_is_asked_for_by_its_own_stream_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
