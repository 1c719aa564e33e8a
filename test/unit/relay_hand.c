/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that are handed over: the relay's side, with the test in the place of the smtp process,
 * which dies at every step. */
#include "test/lib/relay_world.h"

#include "lib/ipc/replica.h"

#define GREETING "220 gw.example.net ESMTP\r\n"

/* The flows of anna are read, those of bert are not. */
static const char *hand_text(const struct world *world, const char *condition)
{
	static char text[4096];
	snprintf(text, sizeof(text),
		"language 1\nhostname \"gw.example.net\"\nlog level error\n"
		"zone guest { interface \"lo\"; network 192.0.2.0/24, 2001:db8:1::/64\n"
		"identity address; unauthenticated answer 421 \"Please log in\" }\n"
		"server relay { host %s port %u; probe none }\n"
		"rule plain { zone guest user \"bert\" server relay }\n"
		"rule read { zone guest user \"anna\" %s server relay }\n",
		server_texts[world->ip6], world->server_port, condition);
	return text;
}

static void begin_hand(struct world *world, bool ip6)
{
	const struct relay_options plain = {0};
	start_relay(world, ip6, &plain);
	apply_policy(world, hand_text(world, "recipient \"@example.org\""));
	tell_plain(world->control, IPC_PICTURE_DONE);
	log_in(world->control, 42, "anna", client_text(world));
	log_in(world->control, 43, "bert", client2_texts[ip6]);
}

/* Of the second client, who is not read. */
static void pass_a_plain_flow(struct world *world, bool first)
{
	int client =
		connect_from(client2_texts[world->ip6], internet_texts[world->ip6], world->port);
	if (first)
		server_be_asked(world, "");
	int server = server_take(world);
	say(server, "220 mx.example.net ESMTP\r\n");
	hear_exactly(client, "220 mx.example.net ESMTP\r\n");
	close(client);
	hear_end(server);
	close(server);
	await_record(world);
}

static void greet(int fd, int client)
{
	say(fd, GREETING);
	hear_exactly(client, GREETING);
	say(client, "EHLO c\r\n");
	hear_exactly(fd, "EHLO c\r\n");
	close(fd);
	hear_reset(client); /* as the listener says of whoever dies */
	close(client);
}

static void kill_flow(struct world *world, uint64_t session)
{
	struct ipc_kill order;
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.session = session;
	order.ending = ENDING_KILLED_LOGOUT;
	assert_int_equal(request(world, &order, -1).value, 1);
}

static void a_client_goes_with_all_that_is_known_of_it(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	const struct ipc_hand *hand = take_hand(pair, &fd);
	char text[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(&hand->client.addr, text), client_text(&world));
	assert_string_equal(addr_format(&hand->original.addr, text), internet_texts[world.ip6]);
	assert_int_equal(hand->original.port, world.port);
	assert_string_equal(hand->ifname, "lo");
	assert_string_equal(hand->zone, "guest");
	assert_int_equal(hand->policy, world.policy);
	assert_int_equal(hand_get_session(hand, &session, storage), 0);
	assert_int_equal(session.id, 42);
	assert_string_equal(session.user.text, "anna");
	expect_silence(client);
	say_taken(pair, hand->flow);
	await_counter(&world, COUNTER_FLOWS_HANDED, 1);
	greet(fd, client);
	/* it is no flow of the relay's any more, and in no record of its */
	struct ipc_plain question;
	ipc_init(&question, IPC_FLOWS_GET, sizeof(question));
	assert_int_equal(request(&world, &question, -1).value, 0);
	pass_a_plain_flow(&world, true);
	assert_string_equal(world.record.user, "bert");
	free(storage);
	close(pair);
	end(&world);
}

static void who_was_not_taken_goes_to_the_next(void **state)
{
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	uint64_t flow = take_hand(pair, &fd)->flow;
	/* it dies with the client in its hand */
	close(fd);
	close(pair);
	pair = give_pair(&world, PROCESS_SMTP);
	assert_true(take_hand(pair, &fd)->flow == flow);
	say_taken(pair, flow);
	greet(fd, client);
	await_counter(&world, COUNTER_FLOWS_HANDED_AGAIN, 1);
	close(pair);
	end(&world);
}

static void who_was_not_read_by_then_either(void **state)
{
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	await_counter(&world, COUNTER_FLOWS_HANDED, 1);
	close(pair); /* with the ipc unread */
	pair = give_pair(&world, PROCESS_SMTP);
	say_taken(pair, take_hand(pair, &fd)->flow);
	greet(fd, client);
	close(pair);
	end(&world);
}

static void who_was_taken_is_served_once(void **state)
{
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	uint64_t flow = take_hand(pair, &fd)->flow;
	/* the relay hears of the next one before it reads what the dead one said last */
	hold(&world);
	int next = give_pair(&world, PROCESS_SMTP);
	say_taken(pair, flow);
	close(pair);
	pair = next;
	let_go(&world);
	expect_silence(pair);
	greet(fd, client);
	close(pair);
	end(&world);
}

static void a_relay_that_dies_takes_no_client_along(void **state)
{
	struct world world;
	int fd, client, status;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	await_counter(&world, COUNTER_FLOWS_HANDED, 1);
	kill(world.relay, SIGKILL);
	assert_int_equal(waitpid(world.relay, &status, 0), world.relay);
	take_hand(pair, &fd);
	greet(fd, client);
	close(pair);
	close(world.keeper);
	close(world.control);
	close(world.server);
}

static void without_a_process_the_client_hears_so(void **state)
{
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	client = dial(&world);
	hear_refusal(client, "421 4.3.2 gw.example.net not ready, try again [f-");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_NOT_TAKEN);
	/* and when one has died and none came */
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	take_hand(pair, &fd);
	close(fd);
	close(pair);
	hear_refusal(client, "421 4.3.2 gw.example.net not ready, try again [f-");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_NOT_TAKEN);
	pass_a_plain_flow(&world, true);
	end(&world);
}

static void who_waits_and_leaves_is_no_loss(void **state)
{
	struct world world;

	begin_hand(&world, IS_IP6(state));
	int client = dial(&world);
	reset(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_BEFORE_GREETING);
	int fd, pair = give_pair(&world, PROCESS_SMTP);
	expect_silence(pair);
	/* and so is one who was on his way */
	client = dial(&world);
	take_hand(pair, &fd);
	close(fd);
	close(pair);
	reset(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_BEFORE_GREETING);
	end(&world);
}

static void an_order_to_end_follows_who_is_on_the_way(void **state)
{
	_Alignas(16) struct ipc_kill order;
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	uint64_t flow = take_hand(pair, &fd)->flow;
	kill_flow(&world, 42);
	assert_int_equal(recv(pair, &order, sizeof(order), 0), sizeof(order));
	assert_int_equal(order.header.type, IPC_KILL);
	assert_true(order.flow == flow && order.session == 0);
	assert_int_equal(order.ending, ENDING_KILLED_LOGOUT);
	/* the client is not the relay's to end */
	expect_silence(client);
	say_taken(pair, flow);
	greet(fd, client);
	/* one that waits is */
	close(pair);
	client = dial(&world);
	struct ipc_plain question;
	ipc_init(&question, IPC_FLOWS_GET, sizeof(question));
	while (request(&world, &question, -1).value == 0)
		continue;
	kill_flow(&world, 42);
	hear_reset(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_KILLED_LOGOUT);
	end(&world);
}

static void so_many_are_on_the_way_and_no_more(void **state)
{
	enum { MANY = HAND_IN_FLIGHT_MAX + 6 };
	int clients[MANY], fds[MANY];
	uint64_t flows[MANY];
	struct world world;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	for (int i = 0; i < MANY; i++)
		clients[i] = dial(&world);
	for (int i = 0; i < HAND_IN_FLIGHT_MAX; i++)
		flows[i] = take_hand(pair, &fds[i])->flow;
	expect_silence(pair);
	/* plain flows do not wait behind them */
	pass_a_plain_flow(&world, true);
	for (int i = 0; i < MANY; i++) {
		say_taken(pair, flows[i]);
		if (i + HAND_IN_FLIGHT_MAX < MANY)
			flows[i + HAND_IN_FLIGHT_MAX] =
				take_hand(pair, &fds[i + HAND_IN_FLIGHT_MAX])->flow;
	}
	expect_silence(pair);
	for (int i = 0; i < MANY; i++) {
		for (int j = 0; j < i; j++)
			assert_true(flows[i] != flows[j]);
		say(fds[i], GREETING);
	}
	for (int i = 0; i < MANY; i++) {
		hear_exactly(clients[i], GREETING);
		close(clients[i]);
		close(fds[i]);
	}
	close(pair);
	end(&world);
}

static void who_waits_goes_by_the_policy_of_then(void **state)
{
	struct world world;

	begin_hand(&world, IS_IP6(state));
	int client = dial(&world);
	struct ipc_plain question;
	ipc_init(&question, IPC_FLOWS_GET, sizeof(question));
	while (request(&world, &question, -1).value == 0)
		continue;
	apply_policy(&world, hand_text(&world, ""));
	server_be_asked(&world, "");
	int server = server_take(&world);
	say(server, "220 mx.example.net ESMTP\r\n");
	hear_exactly(client, "220 mx.example.net ESMTP\r\n");
	close(client);
	hear_end(server);
	close(server);
	await_record(&world);
	assert_string_equal(world.record.user, "anna");
	assert_string_equal(world.record.rule, "read");
	end(&world);
}

static void who_waits_is_known_as_he_is_then(void **state)
{
	struct world world;

	begin_hand(&world, IS_IP6(state));
	int client = dial(&world);
	struct ipc_plain question;
	ipc_init(&question, IPC_FLOWS_GET, sizeof(question));
	while (request(&world, &question, -1).value == 0)
		continue;
	log_out(world.control, 42);
	/* behind the logout: the relay has read it */
	request(&world, &question, -1);
	int pair = give_pair(&world, PROCESS_SMTP);
	hear_refusal(client, "421 4.7.0 gw.example.net Please log in [f-");
	close(client);
	expect_silence(pair);
	close(pair);
	end(&world);
}

static void draining_waits_for_who_is_on_the_way(void **state)
{
	struct world world;
	int fd, client, status;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	uint64_t flow = take_hand(pair, &fd)->flow;
	tell_drain(&world, 60);
	expect_silence(client);
	assert_int_equal(waitpid(world.relay, &status, WNOHANG), 0);
	say_taken(pair, flow);
	await_end(&world);
	greet(fd, client);
	close(pair);
}

static void draining_ends_with_who_is_on_the_way(void **state)
{
	struct world world;
	int fd, client;

	begin_hand(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_SMTP);
	client = dial(&world);
	take_hand(pair, &fd);
	tell_drain(&world, 0); /* no time at all */
	await_end(&world);
	greet(fd, client);
	close(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_client_goes_with_all_that_is_known_of_it),
		BOTH(who_was_not_taken_goes_to_the_next),
		BOTH(who_was_not_read_by_then_either),
		BOTH(who_was_taken_is_served_once),
		BOTH(a_relay_that_dies_takes_no_client_along),
		BOTH(without_a_process_the_client_hears_so),
		BOTH(who_waits_and_leaves_is_no_loss),
		BOTH(an_order_to_end_follows_who_is_on_the_way),
		BOTH(so_many_are_on_the_way_and_no_more),
		BOTH(who_waits_goes_by_the_policy_of_then),
		BOTH(who_waits_is_known_as_he_is_then),
		BOTH(draining_waits_for_who_is_on_the_way),
		BOTH(draining_ends_with_who_is_on_the_way),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
