/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that are handed over: the smtp process's side, with the test in the place of the relay,
 * which dies at every step; and what ends their flows, and what does not. */
#include "test/lib/smtp_world.h"

static void tell_rest(struct world *world, bool rests)
{
	struct ipc_rest rest;

	ipc_init(&rest, IPC_REST, sizeof(rest));
	rest.rests = rests;
	tell(world->keeper, &rest, -1);
}

static void quit(int client)
{
	ask_smtp(client, "QUIT\r\n", "221 ");
	hear_end(client);
	close(client);
}

/* ---- HAND and TAKEN ---- */

static void a_client_is_taken_before_it_is_greeted(void **state)
{
	struct pollfd wait = {.events = POLLIN};
	struct world world;
	int client;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	hand_over(&world, pair, 7, 42, accept_client(&world, &client));
	ask_smtp(client, "", "220 gw.example.net");
	wait.fd = pair;
	assert_int_equal(poll(&wait, 1, 0), 1);
	await_taken(pair, 7);
	quit(client);
	const struct ipc_flow *record = await_record(&world);
	assert_true(world.started);
	assert_true(record->id == 7 && record->session == 42);
	assert_string_equal(record->user, "anna");
	assert_string_equal(record->zone, "guest");
	assert_int_equal(record->ending, ENDING_QUIT);
	end_smtp(&world, pair);
}

static void nobody_is_taken_without_a_policy(void **state)
{
	struct world world;
	int client;

	start_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	hand_over(&world, pair, 7, 42, accept_client(&world, &client));
	expect_silence(pair);
	expect_silence(client);
	apply_policy(&world, smtp_text(&world, ""));
	expect_silence(pair);
	tell_plain(world.control, IPC_PICTURE_DONE);
	await_taken(pair, 7);
	ask_smtp(client, "", "220 gw.example.net");
	quit(client);
	end_smtp(&world, pair);
}

static void what_a_dead_relay_sent_is_taken(void **state)
{
	struct world world;
	int client;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	hold(&world);
	hand_over(&world, pair, 7, 42, accept_client(&world, &client));
	close(pair);
	pair = give_pair(&world, PROCESS_RELAY); /* its next one */
	let_go(&world);
	ask_smtp(client, "", "220 gw.example.net");
	expect_silence(pair);
	quit(client);
	end_smtp(&world, pair);
}

static void who_dies_with_a_client_resets_it(void **state)
{
	struct world world;
	int status;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 7, 42);
	int server = open_message(&world, client);
	say(client, "Subject: x\r\n\r\nhalf a text\r\n");
	hear_exactly(server, "Subject: x\r\n");
	kill(world.relay, SIGKILL);
	assert_int_equal(waitpid(world.relay, &status, 0), world.relay);
	hear_reset(client);
	close(client);
	/* and the server has no dot */
	hear_exactly(server, "\r\n");
	hear_exactly(server, "half a text\r\n");
	hear_end(server);
	close(server);
	close(pair);
	close(world.keeper);
	close(world.control);
	close(world.server);
}

static void a_session_that_is_none_is_taken_for_nobody(void **state)
{
	static _Alignas(16) uint8_t room[HAND_BYTES_MAX];
	struct ipc_hand *hand = (void *)room;
	struct world world;
	int client, fd;
	char byte;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	fd = accept_client(&world, &client);
	ipc_init(hand, IPC_HAND, sizeof(*hand));
	hand->flow = 7;
	hand->policy = 1;
	hand->client.port = hand->original.port = 25;
	assert_int_equal(addr_parse("192.0.2.1", 9, &hand->client.addr), 0);
	hand->original.addr = hand->client.addr;
	strcpy(hand->ifname, "lo");
	strcpy(hand->zone, "guest");
	hand->session_bytes = 9;
	hand->header.bytes += 9;
	tell(pair, hand, fd);
	/* it is the relay's still, which hears that nobody took it */
	assert_int_equal(recv(pair, &byte, 1, 0), 0);
	expect_silence(client);
	say(fd, "220 still there\r\n");
	hear_exactly(client, "220 still there\r\n");
	close(fd);
	close(client);
	end_smtp(&world, pair);
}

/* ---- orders ---- */

static void an_order_behind_a_client_ends_it(void **state)
{
	struct ipc_kill order;
	struct world world;
	int client;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	hold(&world);
	hand_over(&world, pair, 7, 42, accept_client(&world, &client));
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.flow = 7;
	order.ending = ENDING_KILLED_LOGOUT;
	tell(pair, &order, -1);
	let_go(&world);
	await_taken(pair, 7);
	ask_smtp(client, "", "220 ");
	ask_smtp(client, "", "421 4.7.0 gw.example.net");
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_KILLED_LOGOUT);
	end_smtp(&world, pair);
}

static void who_is_blocked_hears_so(void **state)
{
	struct ipc_block order;
	struct world world;
	int client;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	client = open_client(&world, pair, 7, 42);
	ipc_init(&order, IPC_BLOCK, sizeof(order));
	order.add = 1;
	order.block.kind = BLOCK_USER;
	order.block.code = 554;
	strcpy(order.block.user, "anna");
	strcpy(order.block.text, "Front desk, please");
	tell(world.control, &order, -1);
	ask_smtp(client, "", "421 4.7.0 ");
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_KILLED_BLOCK);
	hand_over(&world, pair, 8, 42, accept_client(&world, &client));
	await_taken(pair, 8);
	ask_smtp(client, "", "554 5.7.1 gw.example.net Front desk, please [f-8]");
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_BLOCKED);
	end_smtp(&world, pair);
}

/* Whatever is ordered between the dot and its reply. */
static void hear_the_reply(struct world *world, int client, int server, bool ends)
{
	unsigned messages = world->messages;

	expect_silence(client);
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(client, "", "250 2.0.0 stored");
	if (ends) {
		ask_smtp(client, "", "421 ");
		hear_end(client);
	}
	close(client);
	close(server);
	await_record(world);
	assert_int_equal(world->record.messages, 1);
	assert_int_equal(world->messages - messages, 1);
	assert_int_equal(world->message_ending, MESSAGE_DELIVERED);
}

static int open_to_the_dot(struct world *world, int pair, uint64_t flow, int *server)
{
	int client = open_client(world, pair, flow, 42);

	*server = open_message(world, client);
	say(client, "Subject: x\r\n\r\ntext\r\n.\r\n");
	hear_exactly(*server, "Subject: x\r\n");
	hear_exactly(*server, "\r\n");
	hear_exactly(*server, "text\r\n");
	hear_exactly(*server, ".\r\n");
	return client;
}

static void nothing_ends_a_flow_between_dot_and_reply(void **state)
{
	_Alignas(16) struct ipc_kill kill_order;
	struct ipc_block block;
	struct world world;
	int server;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);

	int client = open_to_the_dot(&world, pair, 1, &server);
	ipc_init(&kill_order, IPC_KILL, sizeof(kill_order));
	kill_order.session = 42;
	kill_order.ending = ENDING_KILLED_LOGOUT;
	assert_int_equal(request(&world, &kill_order, -1).value, 1);
	hear_the_reply(&world, client, server, true);
	assert_int_equal(world.record.ending, ENDING_KILLED_LOGOUT);

	client = open_to_the_dot(&world, pair, 2, &server);
	ipc_init(&block, IPC_BLOCK, sizeof(block));
	block.add = 1;
	block.block.kind = BLOCK_USER;
	block.block.code = 421;
	strcpy(block.block.user, "anna");
	tell(world.control, &block, -1);
	hear_the_reply(&world, client, server, true);
	assert_int_equal(world.record.ending, ENDING_KILLED_BLOCK);
	block.add = 0;
	tell(world.control, &block, -1);

	client = open_to_the_dot(&world, pair, 3, &server);
	apply_policy(&world, smtp_text(&world, "comment \"another\""));
	hear_the_reply(&world, client, server, false);

	client = open_to_the_dot(&world, pair, 4, &server);
	tell_rest(&world, true);
	hear_the_reply(&world, client, server, false);
	await_end(&world);
	close(pair);
}

/* The hosts that are known are those of the policy in force: a server keeps its name. */
static void a_flow_finds_its_server_under_another_policy(void **state)
{
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 1, 42);
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	apply_policy(&world, smtp_text(&world, "comment \"another\""));
	ask_smtp(client, "RSET\r\n", "250 ");
	int server = open_message(&world, client);
	say(client, "text\r\n.\r\n");
	hear_exactly(server, "text\r\n");
	hear_exactly(server, ".\r\n");
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(client, "", "250 2.0.0 stored");
	quit(client);
	close(server);
	end_smtp(&world, pair);
}

static void nor_does_the_end_of_draining(void **state)
{
	struct world world;
	int server, status;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_to_the_dot(&world, pair, 1, &server);
	close(pair);
	tell_drain(&world, 0);
	expect_silence(client);
	assert_int_equal(waitpid(world.relay, &status, WNOHANG), 0);
	hear_the_reply(&world, client, server, true);
	await_end(&world);
}

/* ---- the end ---- */

static void draining_lets_a_message_be_said(void **state)
{
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 1, 42);
	tell_drain(&world, 60);
	expect_silence(client);
	int server = open_message(&world, client);
	say(client, "text\r\n.\r\n");
	hear_exactly(server, "text\r\n");
	hear_exactly(server, ".\r\n");
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(client, "", "250 2.0.0 stored");
	ask_smtp(client, "", "421 4.3.2 gw.example.net");
	hear_end(client);
	close(client);
	close(server);
	/* whoever is in the relay's hand still is taken and served */
	client = open_client(&world, pair, 2, 42);
	quit(client);
	close(pair);
	await_end(&world);
}

static void resting_ends_with_the_last_flow(void **state)
{
	struct world world;
	int client;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	hold(&world);
	hand_over(&world, pair, 7, 42, accept_client(&world, &client));
	tell_rest(&world, true);
	let_go(&world);
	await_taken(pair, 7);
	ask_smtp(client, "", "220 ");
	quit(client);
	await_end(&world);
	close(pair);
}

static void who_is_wanted_again_rests_no_more(void **state)
{
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 1, 42);
	tell_rest(&world, true);
	tell_rest(&world, false);
	quit(client);
	await_record(&world);
	client = open_client(&world, pair, 2, 42);
	quit(client);
	end_smtp(&world, pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_client_is_taken_before_it_is_greeted),
		BOTH(nobody_is_taken_without_a_policy),
		BOTH(what_a_dead_relay_sent_is_taken),
		BOTH(who_dies_with_a_client_resets_it),
		BOTH(a_session_that_is_none_is_taken_for_nobody),
		BOTH(an_order_behind_a_client_ends_it),
		BOTH(who_is_blocked_hears_so),
		BOTH(nothing_ends_a_flow_between_dot_and_reply),
		BOTH(a_flow_finds_its_server_under_another_policy),
		BOTH(nor_does_the_end_of_draining),
		BOTH(draining_lets_a_message_be_said),
		BOTH(resting_ends_with_the_last_flow),
		BOTH(who_is_wanted_again_rests_no_more),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
