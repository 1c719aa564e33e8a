/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/shortage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENTS = 3 };

struct world {
	struct shortage shortage; /* first */
	struct loop *loop;
	struct rlimit limit;
	int listener, clients[CLIENTS];
	unsigned changes;
	bool told_paused;
};

static void on_change(struct shortage *shortage)
{
	struct world *world = (struct world *)shortage;

	world->changes++;
	world->told_paused = shortage->paused;
	if (!shortage->paused)
		loop_stop(world->loop);
}

static int set_up(void **state)
{
	static struct world one, *world = &one;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);

	memset(world, 0, sizeof(*world));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &world->limit), 0);
	world->loop = loop_new();
	assert_non_null(world->loop);
	shortage_init(&world->shortage, world->loop, on_change);
	assert_true(world->shortage.reserve >= 0);
	world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* of no name: the kernel gives it one */
	assert_int_equal(bind(world->listener, (struct sockaddr *)&at, sizeof(at.sun_family)), 0);
	assert_int_equal(listen(world->listener, CLIENTS), 0);
	assert_int_equal(getsockname(world->listener, (struct sockaddr *)&at, &len), 0);
	for (size_t i = 0; i < CLIENTS; i++) {
		world->clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(world->clients[i], (struct sockaddr *)&at, len), 0);
	}
	*state = world;
	return 0;
}

/* From here on no descriptor that is not open by then is to be had. */
static void set_limit(const struct world *world, int fd)
{
	struct rlimit limit = world->limit;

	limit.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void take_all_descriptors(const struct world *world)
{
	int next = dup(world->listener);

	assert_true(next > world->shortage.reserve);
	close(next);
	set_limit(world, next);
}

static void give_descriptors_back(const struct world *world)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &world->limit), 0);
}

static int take_down(void **state)
{
	struct world *world = *state;

	give_descriptors_back(world);
	shortage_fini(&world->shortage);
	assert_int_equal(world->shortage.reserve, -1);
	assert_int_equal(world->shortage.resume.slot, 0);
	loop_free(world->loop);
	close(world->listener);
	for (size_t i = 0; i < CLIENTS; i++)
		close(world->clients[i]);
	return 0;
}

static bool accepts(const struct world *world)
{
	int fd = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void assert_waiting(const struct world *world, unsigned refused)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		char octet;
		ssize_t n = recv(world->clients[i], &octet, 1, MSG_DONTWAIT);
		if (i < refused)
			assert_int_equal(n, 0);
		else
			assert_true(n < 0 && errno == EAGAIN);
	}
}

static void what_is_a_shortage(void **state)
{
	(void)state;
	assert_true(shortage_is(EMFILE));
	assert_true(shortage_is(ENFILE));
	assert_true(shortage_is(ENOMEM));
	assert_true(shortage_is(ENOBUFS));
	assert_false(shortage_is(EAGAIN));
	assert_false(shortage_is(ECONNABORTED));
	assert_false(shortage_is(EINTR));
}

static void without_a_descriptor_one_client_a_pause_hears_it_at_once(void **state)
{
	struct world *world = *state;

	take_all_descriptors(world);
	for (unsigned n = 1; n <= 2; n++) {
		assert_false(accepts(world));
		assert_int_equal(errno, EMFILE);
		assert_true(shortage_pause(&world->shortage, world->listener, EMFILE));
		assert_waiting(world, n);
		assert_true(world->shortage.paused && world->told_paused);
		assert_true(world->shortage.reserve >= 0);
		shortage_end(&world->shortage);
	}
}

static void short_memory_refuses_nobody(void **state)
{
	struct world *world = *state;

	assert_false(shortage_pause(&world->shortage, world->listener, ENOMEM));
	assert_true(world->shortage.paused && world->told_paused);
	assert_waiting(world, 0);
}

static void a_reserve_that_was_lost_is_taken_again(void **state)
{
	struct world *world = *state;

	set_limit(world, world->shortage.reserve);
	for (unsigned n = 0; n < 2; n++) {
		assert_false(shortage_pause(&world->shortage, world->listener, EMFILE));
		assert_int_equal(world->shortage.reserve, -1);
		assert_true(world->shortage.paused);
	}
	assert_waiting(world, 0);
	give_descriptors_back(world);
	shortage_end(&world->shortage);
	take_all_descriptors(world);
	assert_true(shortage_pause(&world->shortage, world->listener, EMFILE));
	assert_waiting(world, 1);
}

static void a_pause_ends_by_itself(void **state)
{
	struct world *world = *state;

	shortage_pause(&world->shortage, world->listener, ENOBUFS);
	assert_int_equal(loop_run(world->loop), 0);
	assert_false(world->shortage.paused);
	assert_false(world->told_paused);
	assert_int_equal(world->changes, 2);
}

static void a_pause_ends_before_when_something_is_there_again(void **state)
{
	struct world *world = *state;

	shortage_end(&world->shortage);
	assert_int_equal(world->changes, 0);
	shortage_pause(&world->shortage, world->listener, ENOBUFS);
	assert_true(world->shortage.resume.slot > 0);
	shortage_end(&world->shortage);
	assert_int_equal(world->shortage.resume.slot, 0);
	assert_false(world->told_paused);
	shortage_end(&world->shortage);
	assert_int_equal(world->changes, 2);
}

static void it_is_news_once_a_minute(void **state)
{
	struct world *world = *state;

	assert_true(shortage_is_news(&world->shortage));
	assert_false(shortage_is_news(&world->shortage));
	world->shortage.said_ms -= 60000;
	assert_true(shortage_is_news(&world->shortage));
	assert_false(shortage_is_news(&world->shortage));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_shortage),
		test(without_a_descriptor_one_client_a_pause_hears_it_at_once),
		test(short_memory_refuses_nobody),
		test(a_reserve_that_was_lost_is_taken_again),
		test(a_pause_ends_by_itself),
		test(a_pause_ends_before_when_something_is_there_again),
		test(it_is_news_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
