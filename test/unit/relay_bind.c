/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow that connects with its client's address: the sockets that the keeper gives for it, the
 * waiting for them, and what comes of none. Here client and server are addresses of one machine, so
 * any socket will do. */
#include "test/lib/relay_world.h"

#include "daemon/flow/stock.h"
#include "lib/ipc/replica.h"

/* Answers one request for sockets of the family; as many come as given, or an error. */
static void give(struct world *world, uint32_t n, int error)
{
	struct ipc_sockets_get get;
	struct ipc_socket ipc;

	do
		await(world, world->keeper, IPC_SOCKETS_GET, &get);
	while (get.ip6 != world->ip6);
	assert_true(get.n >= n && get.n <= STOCK_SIZE);
	ipc_init(&ipc, IPC_SOCKET, sizeof(ipc));
	ipc.ip6 = world->ip6;
	for (uint32_t i = 0; i < n; i++) {
		int fd = socket(world->ip6 ? AF_INET6 : AF_INET,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		tell(world->keeper, &ipc, fd);
		close(fd);
	}
	ipc.status = error;
	if (error)
		tell(world->keeper, &ipc, -1);
}

static void begin_bound(struct world *world, bool ip6, const char *more)
{
	char server[200];
	snprintf(server, sizeof(server), "bind client %s", more);
	begin(world, ip6, "", server);
	log_in(world->control, 1, "anna", client_text(world));
}

/* The server takes one; it comes from the client's address. Returns its port. */
static uint16_t take_from_client(struct world *world, int *fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint peer;
	char text[ADDR_TEXT_SIZE];

	*fd = server_take(world);
	assert_int_equal(getpeername(*fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &peer), 0);
	assert_string_equal(addr_format(&peer.addr, text), client_text(world));
	return peer.port;
}

static void finish(struct world *world, int client, int server)
{
	say(server, "220 here\r\n");
	hear_exactly(client, "220 here\r\n");
	close(server);
	hear_end(client);
	close(client);
	assert_int_equal(await_record(world)->nattempts, 1);
}

static void the_server_sees_the_client(void **state)
{
	struct world world;
	int server;
	begin_bound(&world, IS_IP6(state), "");
	give(&world, STOCK_SIZE, 0);
	int client = dial(&world);
	server_be_asked(&world, "");
	/* its port is the client's own here, so it gets another */
	assert_true(take_from_client(&world, &server) > 0);
	finish(&world, client, server);
	end(&world);
}

static void a_flow_waits_for_its_socket(void **state)
{
	struct world world;
	int servers[2];
	begin_bound(&world, IS_IP6(state), "");
	int first = dial(&world);
	server_be_asked(&world, "");
	int second = dial(&world);
	give(&world, 2, 0); /* fewer than asked for */
	take_from_client(&world, &servers[0]);
	take_from_client(&world, &servers[1]);
	say(servers[0], "220 here\r\n");
	say(servers[1], "220 here\r\n");
	hear_exactly(first, "220 here\r\n");
	hear_exactly(second, "220 here\r\n");
	reset(first);
	reset(second);
	hear_reset(servers[0]);
	hear_reset(servers[1]);
	close(servers[0]);
	close(servers[1]);
	await_record(&world);
	await_record(&world);
	end(&world);
}

static void with_no_socket_the_client_hears_it_in_time(void **state)
{
	static const struct {
		int error;
		const char *words;
	} cases[] = {
		{0, "no socket for the client's address came in time"},
		{-EMFILE, "the keeper could not make a socket for the client's address"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world;
		begin_bound(&world, IS_IP6(state), "deadline first 4s connect 1s greeting 1s");
		int client = dial(&world);
		server_be_asked(&world, "");
		give(&world, 0, cases[i].error);
		hear_refusal(client, "421 4.4.1 gw.example.net ");
		close(client);
		const struct ipc_flow *record = await_record(&world);
		assert_int_equal(record->nattempts, 1);
		assert_int_equal(record->attempts[0].ending, ENDING_HOST_UNFIT);
		assert_string_equal(record->attempts[0].reply, cases[i].words);
		end(&world);
	}
}

static void what_did_not_come_is_asked_for_again(void **state)
{
	struct world world;
	int server;
	begin_bound(&world, IS_IP6(state), "");
	give(&world, 0, -EMFILE);
	int client = dial(&world);
	server_be_asked(&world, "");
	give(&world, 1, 0);
	take_from_client(&world, &server);
	finish(&world, client, server);
	end(&world);
}

static void a_client_that_leaves_while_it_waits_is_let_go(void **state)
{
	struct world world;
	int server;
	begin_bound(&world, IS_IP6(state), "");
	int client = dial(&world);
	server_be_asked(&world, "");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_BEFORE_GREETING);
	give(&world, STOCK_SIZE, 0);
	client = dial(&world);
	take_from_client(&world, &server);
	finish(&world, client, server);
	end(&world);
}

static void the_stock_is_filled_up_at_half(void **state)
{
	struct world world;
	int server;
	begin_bound(&world, IS_IP6(state), "");
	give(&world, STOCK_SIZE, 0);
	for (unsigned i = 0; i < STOCK_SIZE * 2; i++) {
		int client = dial(&world);
		if (i == 0)
			server_be_asked(&world, "");
		if (i % (STOCK_SIZE / 2) == STOCK_SIZE / 2 - 1)
			give(&world, STOCK_SIZE / 2, 0);
		take_from_client(&world, &server);
		finish(&world, client, server);
	}
	end(&world);
}

static void a_host_of_the_other_ip_version_is_passed_over(void **state)
{
	struct world world;
	char text[1024];
	start_relay(&world, IS_IP6(state), &(struct relay_options){0});
	uint16_t port;
	int other = listen_at(server_texts[!world.ip6], &port);
	snprintf(text, sizeof(text),
		"language 1 hostname \"gw.example.net\" log level error\n"
		"zone guest { interface \"lo\" identity address }\n"
		"server relay { host %s port %u preference 1 host %s port %u preference 2\n"
		"bind client announce xclient probe none }\n"
		"rule mail { zone guest user any server relay }\n",
		server_texts[!world.ip6], port, server_texts[world.ip6], world.server_port);
	apply_policy(&world, text);
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world), server;
	give(&world, STOCK_SIZE, 0);
	take_from_client(&world, &server);
	reset(client);
	hear_reset(server);
	close(server);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->attempts[0].ending, ENDING_HOST_UNFIT);
	close(other);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_server_sees_the_client),
		BOTH(a_flow_waits_for_its_socket),
		BOTH(with_no_socket_the_client_hears_it_in_time),
		BOTH(what_did_not_come_is_asked_for_again),
		BOTH(a_client_that_leaves_while_it_waits_is_let_go),
		BOTH(the_stock_is_filled_up_at_half),
		BOTH(a_host_of_the_other_ip_version_is_passed_over),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
