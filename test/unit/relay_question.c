/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a relay finds out itself before a host's first flow, from hosts that answer oddly. Health
 * has told nothing here. */
#include "test/lib/relay_servers.h"

/* Ends the flow of a client that the second host takes; what the first one's attempt came to. */
static enum ending second_takes(struct world *world, const struct hosts *hosts, int client)
{
	be_asked_at(hosts, 1);
	int server = take_at(hosts, 1);
	say(server, "220 second\r\n");
	hear_exactly(client, "220 second\r\n");
	close(server);
	hear_end(client);
	close(client);
	const struct ipc_flow *record = await_record(world);
	assert_int_equal(record->nattempts, 2);
	assert_int_equal(record->host.port, hosts->port[1]);
	return (enum ending)record->attempts[0].ending;
}

static void replies_ahead_of_the_question_answer_nothing(void **state)
{
	static const struct {
		const char *greeting, *ehlo; /* NULL: nobody asks */
		enum ending ending;
	} cases[] = {
		/* what would be read as the reply to EHLO offers nothing */
		{"220 hi\r\n250 fine\r\n", NULL, ENDING_GREETING_MALFORMED},
		{"220 hi\r\n", "250 fine\r\n250-mx\r\n250 XCLIENT NAME ADDR\r\n",
			ENDING_GREETING_MALFORMED},
		{"220 hi\r\n", "250-mx\r\n250 XFORWARD NAME\r\n", ENDING_OFFERS_XCLIENT},
		{"220 hi\r\n", "421 busy\r\n", ENDING_GREETING_REFUSED},
		{"220 hi\r\n", "354 what\r\n", ENDING_GREETING_REFUSED},
		{"554 no\r\n", NULL, ENDING_GREETING_REFUSED},
		{"hello\r\n", NULL, ENDING_GREETING_MALFORMED},
		{"", NULL, ENDING_GREETING_CLOSED},
	};
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = dial(&world);
		int first = take_at(&hosts, 0);
		say(first, cases[i].greeting);
		if (!*cases[i].greeting)
			shutdown(first, SHUT_WR);
		if (cases[i].ehlo) {
			hear_exactly(first, "EHLO gw.example.net\r\n");
			say(first, cases[i].ehlo);
		}
		assert_int_equal(second_takes(&world, &hosts, client), cases[i].ending);
		close(first);
		nobody_at(&hosts, 0);
		/* every host is asked again */
		apply_policy(&world, hosts_policy(&world, &hosts, "", ""));
	}
	close_hosts(&hosts);
	end(&world);
}

/* Its error for the header would be taken for the reply to EHLO, and each reply for the one before:
 * what the host offers would never be seen. */
static void a_port_that_expects_no_header_gets_no_flow(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce proxy-v1", "");
	int client = dial(&world);
	int first = take_at(&hosts, 0);
	say(first, "220 hi\r\n");
	assert_memory_equal(hear(first), "PROXY TCP", 9);
	say(first, "500 what\r\n");
	int second = take_at(&hosts, 1);
	assert_memory_equal(hear(second), "PROXY TCP", 9);
	say(second, "220 hi\r\n");
	hear_exactly(second, "EHLO gw.example.net\r\n");
	say(second, "250 fine\r\n");
	hear_exactly(second, "QUIT\r\n");
	say(second, "221 bye\r\n");
	close(second);
	second = take_at(&hosts, 1);
	assert_memory_equal(hear(second), "PROXY TCP", 9);
	say(second, "220 second\r\n");
	hear_exactly(client, "220 second\r\n");
	close(second);
	hear_end(client);
	close(client);
	close(first);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->nattempts, 2);
	assert_int_equal(record->attempts[0].ending, ENDING_IDENTITY_REFUSED);
	nobody_at(&hosts, 0);
	close_hosts(&hosts);
	end(&world);
}

/* The host was asked as one client; that it does not take this one says nothing of the other. */
static void what_one_client_is_refused_is_not_refused_to_another(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce proxy-v1", "weight 0");
	int unwanted = dial(&world);
	int first = take_at(&hosts, 0);
	assert_memory_equal(hear(first), "PROXY TCP", 9);
	/* waits for the same answer */
	int client = dial(&world);
	await_state(&world, 2, "ask");
	say(first, "554 5.7.1 not you\r\n");
	close(first);
	first = take_at(&hosts, 0);
	hear(first);
	say(first, "220 hi\r\n");
	hear_exactly(first, "EHLO gw.example.net\r\n");
	say(first, "250 fine\r\n");
	hear_exactly(first, "QUIT\r\n");
	say(first, "221 bye\r\n");
	close(first);
	first = take_at(&hosts, 0);
	hear(first);
	say(first, "220 first\r\n");
	hear_exactly(client, "220 first\r\n");
	close(first);
	hear_end(client);
	close(client);
	close(take_at(&hosts, 2));
	hear_refusal(unwanted, "421 4.4.1 gw.example.net the mail server does not take your "
			       "connection: 554 5.7.1 not you [f-");
	close(unwanted);
	close_hosts(&hosts);
	end(&world);
}

/* The same address by two names: the second question begins while the first one is ended, and its
 * reply is not what the first host had left to say. */
static void a_host_of_two_names_is_asked_twice(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	told->v[1] = told->v[0];
	strcpy(told->v[1].name, "mx.example.org");
	told->v[0].asked = told->v[1].asked = 0;
	told->v[2].drained = 1;
	tell(world.control, told, -1);
	await_state(&world, 0, "ask"); /* it has heard of them by now */
	int client = dial(&world);
	int first = take_at(&hosts, 0);
	say(first, "554 no\r\n220 hi\r\n250 hello\r\n");
	be_asked_at(&hosts, 0);
	int server = take_at(&hosts, 0);
	say(server, "220 good\r\n");
	hear_exactly(client, "220 good\r\n");
	close(server);
	close(first);
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->nattempts, 2);
	close_hosts(&hosts);
	end(&world);
}

static void begin_inquiry(struct world *world)
{
	struct ipc_inquiry message;
	ipc_init(&message, IPC_INQUIRY, sizeof(message));
	message.number = ++world->inquiry;
	assert_int_equal(request(world, &message, -1).status, 0);
}

/* Whoever applies has put another server there: what the one before says to a question that was
 * begun before the apply is not said of it, neither to the flow that waits nor to the next one. */
static void an_answer_to_a_question_of_before_the_apply_counts_no_more(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	for (int other_policy = 0; other_policy < 2; other_policy++) {
		int client = dial(&world);
		int first = take_at(&hosts, 0);
		say(first, "220 hi\r\n");
		hear_exactly(first, "EHLO gw.example.net\r\n");
		if (other_policy)
			apply_policy(&world, hosts_policy(&world, &hosts, "", ""));
		else
			begin_inquiry(&world);
		say(first, "250 hello\r\n");
		/* the next server, which nobody may use */
		int next = take_at(&hosts, 0);
		say(next, "220 hi\r\n");
		hear_exactly(next, "EHLO gw.example.net\r\n");
		say(next, "250-hello\r\n250 XCLIENT NAME ADDR\r\n");
		close(next);
		close(first);
		assert_int_equal(second_takes(&world, &hosts, client), ENDING_OFFERS_XCLIENT);
		begin_inquiry(&world);
	}
	close_hosts(&hosts);
	end(&world);
}

/* A flow of after the apply does not wait for an answer that cannot count. */
static void a_question_of_before_the_apply_is_given_up_for_the_next_flow(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	int before = dial(&world);
	int silent = take_at(&hosts, 0);
	begin_inquiry(&world);
	int after = dial(&world);
	be_asked_at(&hosts, 0);
	/* both get that answer */
	int servers[] = {take_at(&hosts, 0), take_at(&hosts, 0)};
	for (int i = 0; i < 2; i++)
		say(servers[i], "220 good\r\n");
	hear_exactly(before, "220 good\r\n");
	hear_exactly(after, "220 good\r\n");
	for (int i = 0; i < 2; i++)
		close(servers[i]);
	hear_end(before);
	hear_end(after);
	close(before);
	close(after);
	close(silent);
	nobody_at(&hosts, 0);
	close_hosts(&hosts);
	end(&world);
}

/* Under the same policy: health's word is of another inquiry until it says otherwise, and so is
 * what this relay found out itself. */
static void what_was_known_before_the_apply_is_asked_anew(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	await_state(&world, 0, "ask"); /* it has heard of them by now */
	serve(&world, &hosts, 0);
	for (int i = 0; i < 2; i++) {
		begin_inquiry(&world);
		int client = dial(&world);
		be_asked_at(&hosts, 0);
		int server = take_at(&hosts, 0);
		say(server, "220 good\r\n");
		hear_exactly(client, "220 good\r\n");
		close(server);
		hear_end(client);
		close(client);
		await_record(&world);
		/* once is enough */
		serve(&world, &hosts, 0);
	}
	close_hosts(&hosts);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(replies_ahead_of_the_question_answer_nothing),
		BOTH(a_port_that_expects_no_header_gets_no_flow),
		BOTH(what_one_client_is_refused_is_not_refused_to_another),
		BOTH(a_host_of_two_names_is_asked_twice),
		BOTH(an_answer_to_a_question_of_before_the_apply_counts_no_more),
		BOTH(a_question_of_before_the_apply_is_given_up_for_the_next_flow),
		BOTH(what_was_known_before_the_apply_is_asked_anew),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
