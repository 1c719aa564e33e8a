/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a flow through a relay process: greeted, refused, ended. */
#include "test/lib/relay_world.h"

#include <netinet/tcp.h>

/* tcpi_segs_in of the kernel's struct tcp_info; the C library's ends before it. */
#define SEGMENTS_IN (140 / sizeof(uint32_t))

static void exchange(int client, int server, const char *command, const char *reply)
{
	say(client, command);
	hear_exactly(server, command);
	say(server, reply);
	hear_exactly(client, reply);
}

static void a_logged_in_client_reaches_the_server(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 42, "anna", client_text(&world));

	int client = dial(&world);
	server_be_asked(&world, "");
	int server = server_take(&world);
	say(server, "220-mx.example.net ESMTP\r\n");
	say(server, "220 at your service\r\n");
	hear_exactly(client, "220-mx.example.net ESMTP\r\n");
	hear_exactly(client, "220 at your service\r\n");
	say(client, "EHLO laptop\r\n");
	hear_exactly(server, "EHLO laptop\r\n");
	say(server, "250 hello\r\n");
	hear_exactly(client, "250 hello\r\n");
	exchange(client, server, "MAIL FROM:<a@example.net>\r\n", "250 ok\r\n");
	exchange(client, server, "RCPT TO:<b@example.org>\r\n", "250 ok\r\n");
	exchange(client, server, "DATA\r\n", "354 go\r\n");
	exchange(client, server, ".\r\n", "250 stored\r\n");
	say(client, "QUIT\r\n");
	hear_exactly(server, "QUIT\r\n");
	say(server, "221 bye\r\n");
	close(server);
	hear_exactly(client, "221 bye\r\n");
	hear_end(client);
	close(client);

	const struct ipc_flow *record = await_record(&world);
	assert_true(world.started);
	assert_int_equal(record->ending, ENDING_QUIT);
	assert_int_equal(record->verdict, POLICY_VERDICT_REDIRECT);
	assert_int_equal(record->session, 42);
	assert_string_equal(record->user, "anna");
	assert_string_equal(record->zone, "guest");
	assert_string_equal(record->rule, "mail");
	assert_string_equal(record->server, "relay");
	assert_string_equal(record->ifname, "lo");
	assert_int_equal(record->messages, 1);
	assert_int_equal(record->from_client_bytes, 13 + 27 + 25 + 6 + 3 + 6);
	assert_int_equal(record->from_server_bytes, 26 + 21 + 11 + 8 + 8 + 8 + 12 + 9);
	assert_int_equal(record->original.port, world.port);
	assert_int_equal(record->host.port, world.server_port);
	assert_int_equal(record->nattempts, 1);
	assert_int_equal(record->attempts[0].ending, ENDING_NONE);
	assert_true(record->connected_ms >= record->start_ms);
	await_counter(&world, COUNTER_MESSAGES, 1);
	assert_int_equal(world.counters[COUNTER_MESSAGES], 1);
	end(&world);
}

static void who_is_not_logged_in_is_told_so(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	int client = dial(&world);
	hear_refusal(client, "421 4.7.0 gw.example.net Please log in [f-");
	say(client, "EHLO laptop\r\nNOOP\r\n");
	assert_memory_equal(hear(client), "503 ", 4);
	assert_memory_equal(hear(client), "503 ", 4);
	say(client, "quit\r\n");
	assert_memory_equal(hear(client), "221 ", 4);
	hear_end(client);
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_NOT_LOGGED_IN);
	assert_int_equal(record->verdict, POLICY_VERDICT_ANSWER);
	assert_string_equal(record->detail, "Please log in");
	assert_string_equal(record->zone, "guest");

	/* a session, but no rule for its user */
	log_in(world.control, 1, "carl", client_text(&world));
	client = dial(&world);
	hear_refusal(client, "554 5.7.1 gw.example.net Nothing for you here [f-");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_UNMATCHED);
	end(&world);
}

/* Waits until the relay has read all that it was told and sleeps. */
static void await_sleep(struct world *world)
{
	struct ipc_kill nobody;
	char path[64], state = '?';

	ipc_init(&nobody, IPC_KILL, sizeof(nobody));
	nobody.session = UINT64_MAX;
	nobody.ending = ENDING_KILLED_LOGOUT;
	assert_int_equal(request(world, &nobody, -1).value, 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)world->relay);
	for (int tries = 0; state != 'S'; tries++) {
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
		assert_true(tries < WAIT_S * 1000);
		usleep(state == 'S' ? 0 : 1000);
	}
}

/* Login and connection are both there when the relay looks, and the connection came first, so that
 * it is looked at first. That the login was read in time for it, the counter says. */
static void a_connection_never_overtakes_its_login(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	for (uint64_t i = 1; i <= 20; i++) {
		await_sleep(&world);
		hold(&world);
		int client = dial(&world);
		log_in(world.control, i, "anna", client_text(&world));
		let_go(&world);
		if (i == 1)
			server_be_asked(&world, "");
		int server = server_take(&world);
		say(server, "220 hi\r\n");
		hear_exactly(client, "220 hi\r\n");
		assert_int_equal(close(server), 0);
		hear_end(client);
		close(client);
		assert_int_equal(await_record(&world)->session, i);
		log_out(world.control, i);
	}
	await_counter(&world, COUNTER_IDENTITY_LATE, 20);
	end(&world);
}

static void early_bytes_wait_for_the_greeting(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	say(client, "EHLO early\r\nQUIT\r\n");
	shutdown(client, SHUT_WR);
	server_be_asked(&world, "");
	int server = server_take(&world);
	struct pollfd nothing = {.fd = server, .events = POLLIN};
	assert_int_equal(poll(&nothing, 1, 100), 0);
	/* byte by byte, several lines */
	static const char greeting[] = "220-mx\r\n220-is\n220 slow\r\n";
	for (size_t i = 0; i < sizeof(greeting) - 1; i++) {
		char byte[2] = {greeting[i]};
		struct pollfd client_poll = {.fd = client, .events = POLLIN};
		assert_int_equal(poll(&client_poll, 1, 2), 0);
		say(server, byte);
	}
	hear_exactly(client, "220-mx\r\n");
	hear_exactly(client, "220-is\n");
	hear_exactly(client, "220 slow\r\n");
	hear_exactly(server, "EHLO early\r\n");
	hear_exactly(server, "QUIT\r\n");
	hear_end(server);
	/* half closed: the other direction lives on */
	say(server, "250 still here\r\n");
	hear_exactly(client, "250 still here\r\n");
	close(server);
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_AFTER_EHLO);
	end(&world);
}

static void a_server_that_cannot_be_had_is_said_in_smtp(void **state)
{
	static const struct {
		const char *greeting; /* NULL: says nothing */
		bool closes;
		enum ending ending;
		const char *refusal;
	} cases[] = {
		{"554 5.7.1 go away\r\n", false, ENDING_GREETING_REFUSED,
			"421 4.4.1 gw.example.net the mail server takes no mail now: "
			"554 5.7.1 go away [f-"},
		{"421 too busy\r\n", true, ENDING_GREETING_REFUSED,
			"421 4.4.1 gw.example.net the mail server takes no mail now: "
			"421 too busy [f-"},
		{"", true, ENDING_GREETING_CLOSED, "421 4.4.1 gw.example.net "},
		{"220-half\r\n", true, ENDING_GREETING_CLOSED, "421 4.4.1 gw.example.net "},
		{"SSH-2.0-none\r\n", false, ENDING_GREETING_MALFORMED, "421 4.4.1 gw.example.net "},
		/* good replies, but none of them is a greeting */
		{"250 mx.example.net ESMTP\r\n", false, ENDING_GREETING_MALFORMED,
			"421 4.4.1 gw.example.net "},
		{"221 mx.example.net ESMTP\r\n", false, ENDING_GREETING_MALFORMED,
			"421 4.4.1 gw.example.net "},
		{"354 mx.example.net ESMTP\r\n", false, ENDING_GREETING_MALFORMED,
			"421 4.4.1 gw.example.net "},
		{NULL, false, ENDING_GREETING_TIMEOUT, "421 4.4.1 gw.example.net "},
		{"220-half\r\n", false, ENDING_GREETING_TIMEOUT, "421 4.4.1 gw.example.net "},
	};
	struct world world;
	begin(&world, IS_IP6(state), "", "deadline first 3s connect 2s greeting 1s");
	log_in(world.control, 1, "anna", client_text(&world));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = dial(&world);
		if (i == 0)
			server_be_asked(&world, "");
		int server = server_take(&world);
		if (cases[i].greeting)
			say(server, cases[i].greeting);
		if (cases[i].closes)
			close(server);
		hear_refusal(client, cases[i].refusal);
		say(client, "QUIT\r\n");
		assert_memory_equal(hear(client), "221 ", 4);
		hear_end(client);
		close(client);
		if (!cases[i].closes)
			close(server);
		const struct ipc_flow *record = await_record(&world);
		assert_int_equal(record->ending, cases[i].ending);
		assert_int_equal(record->nattempts, 1);
		assert_int_equal(record->attempts[0].ending, cases[i].ending);
		assert_int_equal(record->from_server_bytes > 0, true);
	}

	/* a greeting that never ends */
	int client = dial(&world);
	int server = server_take(&world);
	for (int i = 0; i < 2000; i++)
		if (send(server, "220-more\r\n", 10, MSG_NOSIGNAL) < 0)
			break;
	hear_refusal(client, "421 4.4.1 gw.example.net ");
	close(client);
	close(server);
	assert_int_equal(await_record(&world)->ending, ENDING_GREETING_MALFORMED);

	/* nobody listens */
	close(world.server);
	client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net no mail server reachable [f-");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_CONNECT_REFUSED);
	world.server = -1;
	end(&world);
}

static void a_host_that_offers_xclient_is_not_used(void **state)
{
	struct ipc_host host;
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	server_be_asked(&world, "250-xclient NAME ADDR\r\n");
	hear_refusal(client, "421 4.4.1 gw.example.net the mail server may not be used [f-");
	close(client);
	await(&world, world.control, IPC_HOST, &host);
	assert_int_equal(host.usable, 0);
	assert_string_equal(host.server, "relay");
	assert_non_null(strstr(host.text, "XCLIENT"));
	assert_int_equal(await_record(&world)->ending, ENDING_OFFERS_XCLIENT);

	/* known now, and not asked for every flow */
	client = dial(&world);
	hear_refusal(client, "421 4.4.1 ");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_OFFERS_XCLIENT);
	struct pollfd nobody = {.fd = world.server, .events = POLLIN};
	assert_int_equal(poll(&nobody, 1, 50), 0);

	/* an apply asks again */
	apply_policy(&world, policy_text(&world, "", ""));
	client = dial(&world);
	server_be_asked(&world, "250-PIPELINING\r\n");
	int server = server_take(&world);
	say(server, "220 better\r\n");
	hear_exactly(client, "220 better\r\n");
	close(client);
	hear_end(server);
	close(server);
	await(&world, world.control, IPC_HOST, &host);
	assert_int_equal(host.usable, 1);
	end(&world);
}

static void rst_is_passed_on_as_rst(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "", "");
	open_first_flow(&world, &client, &server);
	reset(client);
	hear_reset(server);
	close(server);
	await_record(&world);

	open_flow(&world, &client, &server);
	say(client, "DATA\r\n");
	hear_exactly(server, "DATA\r\n");
	say(server, "421 last words\r\n");
	hear_exactly(client, "421 last words\r\n");
	reset(server);
	hear_reset(client);
	close(client);
	await_record(&world);

	/* gone before the greeting: the server is not kept waiting */
	client = dial(&world);
	server = server_take(&world);
	close(client);
	hear_reset(server);
	close(server);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_BEFORE_GREETING);
	end(&world);
}

static void kill_ends_both_sides(void **state)
{
	struct world world;
	int client, server;
	struct ipc_flow live;
	struct ipc_load load;
	struct ipc_kill order;
	struct ipc_plain get;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 77, "anna", client_text(&world));
	client = dial(&world);
	server_be_asked(&world, "");
	server = server_take(&world);
	say(server, "220 hi\r\n");
	hear_exactly(client, "220 hi\r\n");

	ipc_init(&get, IPC_FLOWS_GET, sizeof(get));
	get.header.seq = 3;
	tell(world.control, &get, -1);
	assert_int_equal(await_live(&world, &live), 3);
	assert_string_equal(live.state, "relay");
	assert_string_equal(live.user, "anna");
	assert_int_equal(live.end_ms, 0);
	await(&world, world.control, IPC_REPLY, NULL);

	ipc_init(&get, IPC_LOADS_GET, sizeof(get));
	get.header.seq = 4;
	tell(world.control, &get, -1);
	await(&world, world.control, IPC_LOAD, &load);
	assert_int_equal(load.header.seq, 4);
	assert_string_equal(load.server, "relay");
	assert_int_equal(load.host.port, world.server_port);
	assert_int_equal(load.flows, 1);
	await(&world, world.control, IPC_REPLY, NULL);

	ipc_init(&order, IPC_KILL, sizeof(order));
	order.session = 78;
	order.ending = ENDING_KILLED_LOGOUT;
	assert_int_equal(request(&world, &order, -1).value, 0);
	order.session = 77;
	strcpy(order.user, "anna");
	assert_int_equal(request(&world, &order, -1).value, 1);
	hear_reset(client);
	hear_reset(server);
	close(client);
	close(server);
	if (world.record.end_ms == 0)
		await_record(&world);
	assert_int_equal(world.record.ending, ENDING_KILLED_LOGOUT);
	assert_int_equal(world.record.id, live.id);
	end(&world);
}

static void idle_flows_end_and_slow_ones_do_not(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "", "deadline first 3s connect 1s greeting 1s idle 1s");
	open_first_flow(&world, &client, &server);
	/* one byte now and then, for longer than the deadline */
	for (int i = 0; i < 8; i++) {
		struct pollfd quiet = {.fd = client, .events = POLLIN};
		assert_int_equal(poll(&quiet, 1, 250), 0);
		say(client, "x");
		char byte;
		assert_int_equal(recv(server, &byte, 1, 0), 1);
	}
	hear_reset(client);
	close(client);
	close(server);
	assert_int_equal(await_record(&world)->ending, ENDING_IDLE);
	end(&world);
}

/* One ipc a flow would cost control a wake-up each. */
static void flows_that_end_together_are_told_together(void **state)
{
	struct world world;
	struct ipc_kill order;
	int clients[5], servers[5];
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 77, "anna", client_text(&world));
	clients[0] = dial(&world);
	server_be_asked(&world, "");
	servers[0] = server_take(&world);
	say(servers[0], "220 hi\r\n");
	hear_exactly(clients[0], "220 hi\r\n");
	for (int i = 1; i < 5; i++)
		open_flow(&world, &clients[i], &servers[i]);
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.session = 77;
	order.ending = ENDING_KILLED_OPERATOR;
	tell(world.control, &order, -1);
	assert_int_equal(await_record(&world)->ending, ENDING_KILLED_OPERATOR);
	assert_int_equal(world.nrecords, 5);
	for (int i = 0; i < 5; i++) {
		hear_reset(clients[i]);
		close(clients[i]);
		close(servers[i]);
	}
	end(&world);
}

/* Packets that reached the client until its first command is answered. */
static unsigned packets_to_client(struct world *world)
{
	uint32_t info[64] = {0};
	socklen_t len = sizeof(info);
	int client, server;

	open_flow(world, &client, &server);
	exchange(client, server, "EHLO laptop\r\n", "250 hello\r\n");
	assert_int_equal(getsockopt(client, IPPROTO_TCP, TCP_INFO, info, &len), 0);
	close(server);
	close(client);
	await_record(world);
	return info[SEGMENTS_IN];
}

/* On a machine that is busy the answer may come too late for it, but not always. */
static void what_a_client_says_first_is_acknowledged_by_its_answer(void **state)
{
	enum { ALL = 3, TRIES = 50 }; /* the handshake's, the greeting, the answer */
	struct world world;
	unsigned tries = 1;

	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 77, "anna", client_text(&world));
	int client = dial(&world);
	server_be_asked(&world, "");
	close(server_take(&world));
	close(client);
	await_record(&world);
	while (packets_to_client(&world) > ALL)
		assert_true(++tries <= TRIES);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_logged_in_client_reaches_the_server),
		BOTH(who_is_not_logged_in_is_told_so),
		BOTH(a_connection_never_overtakes_its_login),
		BOTH(early_bytes_wait_for_the_greeting),
		BOTH(a_server_that_cannot_be_had_is_said_in_smtp),
		BOTH(a_host_that_offers_xclient_is_not_used),
		BOTH(rst_is_passed_on_as_rst),
		BOTH(kill_ends_both_sides),
		BOTH(flows_that_end_together_are_told_together),
		BOTH(idle_flows_end_and_slow_ones_do_not),
		BOTH(what_a_client_says_first_is_acknowledged_by_its_answer),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
