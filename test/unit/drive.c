/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/drive.h"

#include "test/lib/tls_authority.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	struct loop *loop;
	struct drive drive;
	struct loop_timer end;
	unsigned runs;
	bool there; /* a connection is */
	int client;
};

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *bytes, void **request)
{
	(void)context, (void)mhd, (void)url, (void)method, (void)version;
	(void)data, (void)bytes, (void)request;
	return MHD_NO;
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **of,
	enum MHD_ConnectionNotificationCode code)
{
	struct world *world = context;

	(void)mhd, (void)of;
	world->there = code == MHD_CONNECTION_NOTIFY_STARTED;
}

static bool on_look(void *context)
{
	struct world *world = context;

	world->runs++;
	return world->there;
}

static void on_end(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	loop_stop(((struct world *)((char *)timer - offsetof(struct world, end)))->loop);
}

static void begin(struct world *world)
{
	struct tls_issued own;
	int pair[2];

	tls_issue(&own, &(struct tls_wish){.common = "login.example"});
	world->loop = loop_new();
	struct MHD_Daemon *mhd =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TLS, 0, NULL,
			NULL, on_request, world, MHD_OPTION_HTTPS_MEM_CERT, own.chain.bytes,
			MHD_OPTION_HTTPS_MEM_KEY, own.key_text.bytes, MHD_OPTION_NOTIFY_CONNECTION,
			on_connection, world, MHD_OPTION_END);
	assert_int_equal(drive_open(&world->drive, world->loop, mhd, on_look, world), 0);
	tls_issued_free(&own);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	world->client = pair[0];
	const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(40000)};
	assert_int_equal(
		MHD_add_connection(mhd, pair[1], (const struct sockaddr *)&peer, sizeof(peer)),
		MHD_YES);
	drive_wake(&world->drive);
}

static void run_for(struct world *world, unsigned ms)
{
	world->runs = 0;
	world->end.on_time = on_end;
	loop_timer_set(world->loop, &world->end, loop_now_ms(world->loop) + ms);
	assert_int_equal(loop_run(world->loop), 0);
}

static void end(struct world *world)
{
	close(world->client);
	drive_close(&world->drive);
	loop_free(world->loop);
}

static void half_a_hello_does_not_keep_the_process_busy(void **state)
{
	static const char half[] = "\x16\x03\x01\x02\x00\x01";
	struct world world = {0};

	(void)state;
	begin(&world);
	run_for(&world, 10);
	assert_true(world.there);
	assert_int_equal(write(world.client, half, sizeof(half) - 1), sizeof(half) - 1);
	run_for(&world, 500);
	assert_true(world.there);
	assert_in_range(world.runs, 1, 100); /* thousands, if it were run whenever it wants to be */
	/* and what comes then is seen */
	assert_int_equal(write(world.client, "no TLS at all, and much of it", 29), 29);
	close(world.client);
	world.client = -1;
	run_for(&world, 500);
	assert_false(world.there);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_hello_does_not_keep_the_process_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
