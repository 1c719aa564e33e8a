/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow's way from host to host: order, failover before the greeting, what health tells, limits.
 */
#include "test/lib/relay_servers.h"

static void only_the_first_good_greeting_is_seen(void **state)
{
	static const struct {
		const char *greeting; /* NULL: none; the deadline */
		bool closes;
		enum ending ending;
	} cases[] = {
		{"554 5.7.1 never\r\n", false, ENDING_GREETING_REFUSED},
		{"421 later\r\n", true, ENDING_GREETING_REFUSED},
		{"450 4.3.2 busy\r\n", false, ENDING_GREETING_REFUSED},
		{"", true, ENDING_GREETING_CLOSED},
		{"220-half\r\n", true, ENDING_GREETING_CLOSED},
		{"554-no\r\n220 but yes\r\n", false, ENDING_GREETING_REFUSED},
		{"\xff\x00\x01\n", false, ENDING_GREETING_MALFORMED},
		{NULL, false, ENDING_GREETING_TIMEOUT},
	};
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "deadline first 4s connect 1s greeting 1s", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tell(world.control, told, -1);
		int client = dial(&world);
		int first = take_at(&hosts, 0);
		if (cases[i].greeting)
			say(first, cases[i].greeting);
		if (cases[i].closes)
			close(first);
		int second = take_at(&hosts, 1);
		say(second, "220-two\r\n220 here\r\n");
		hear_exactly(client, "220-two\r\n");
		hear_exactly(client, "220 here\r\n");
		close(second);
		hear_end(client);
		close(client);
		if (!cases[i].closes)
			close(first);
		const struct ipc_flow *record = await_record(&world);
		assert_int_equal(record->nattempts, 2);
		assert_int_equal(record->attempts[0].ending, cases[i].ending);
		assert_int_equal(record->attempts[0].host.port, hosts.port[0]);
		assert_int_equal(record->attempts[1].ending, ENDING_NONE);
		assert_int_equal(record->host.port, hosts.port[1]);
		nobody_at(&hosts, 2);
	}
	close_hosts(&hosts);
	end(&world);
}

static void a_refused_connection_is_passed_over(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	tell(world.control, told, -1);
	close(hosts.listener[1]);
	hosts.listener[1] = dup(hosts.listener[0]); /* for close_hosts() */
	told->v[0].drained = 1;
	tell(world.control, told, -1);
	int client = dial(&world);
	int server = take_at(&hosts, 2);
	say(server, "220 third\r\n");
	hear_exactly(client, "220 third\r\n");
	close(client);
	hear_end(server);
	close(server);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->nattempts, 2);
	assert_int_equal(record->attempts[0].ending, ENDING_CONNECT_REFUSED);
	assert_int_equal(record->attempts[0].host.port, hosts.port[1]);
	nobody_at(&hosts, 0);
	close_hosts(&hosts);
	end(&world);
}

static void with_none_left_the_last_words_of_a_server_are_quoted(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	int client = dial(&world);
	int server = take_at(&hosts, 0);
	say(server, "554 5.7.1 first\r\n");
	close(server);
	server = take_at(&hosts, 1);
	say(server, "550 5.7.1 second\r\n");
	close(server);
	server = take_at(&hosts, 2);
	close(server);
	hear_refusal(client, "421 4.4.1 gw.example.net the mail server takes no mail now: "
			     "550 5.7.1 second [f-");
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_NO_SERVER);
	assert_string_equal(record->detail, "550 5.7.1 second");
	assert_int_equal(record->nattempts, 3);
	assert_string_equal(record->attempts[0].reply, "554 5.7.1 first");
	assert_int_equal(record->attempts[2].ending, ENDING_GREETING_CLOSED);
	close_hosts(&hosts);
	end(&world);
}

static void states_decide_the_order(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	tell(world.control, told, -1);
	serve(&world, &hosts, 0);
	told->v[0].state = TARGET_DOWN;
	tell(world.control, told, -1);
	serve(&world, &hosts, 1);
	/* the last rather than never */
	told->v[1].state = TARGET_NEVER;
	told->v[2].weight = 0;
	tell(world.control, told, -1);
	serve(&world, &hosts, 0);
	/* whose identity it does not take is not sent there */
	told->v[0].client_families = world.ip6 ? TARGET_CLIENTS_IP4 : TARGET_CLIENTS_IP6;
	strcpy(told->v[1].text, "offers XCLIENT to the gateway");
	tell(world.control, told, -1);
	int client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net ");
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_NO_SERVER);
	assert_int_equal(record->nattempts, 3);
	assert_int_equal(record->attempts[1].ending, ENDING_HOST_UNFIT);
	assert_string_equal(record->attempts[1].reply, "offers XCLIENT to the gateway");
	assert_string_equal(record->attempts[2].reply, "weight 0: takes no new flows");
	/* a word on another policy changes nothing; nor does one on another server */
	told = targets_of(&world, &hosts);
	told->number--;
	tell(world.control, told, -1);
	told->number++;
	strcpy(told->server, "other");
	tell(world.control, told, -1);
	client = dial(&world);
	hear_refusal(client, "421 4.4.1 ");
	close(client);
	await_record(&world);
	close_hosts(&hosts);
	end(&world);
}

/* At the only one that may be used by read flows alone. */
static enum ending foresee_at(struct world *world, bool read, const char *why)
{
	struct ipc_foresee question;

	ipc_init(&question, IPC_FORESEE, sizeof(question));
	assert_int_equal(
		addr_parse(client_text(world), strlen(client_text(world)), &question.client), 0);
	question.read = read;
	question.header.seq = 7;
	strcpy(question.zone, "guest");
	strcpy(question.server, "relay");
	struct ipc_reply reply = request(world, &question, -1);
	assert_int_equal(reply.status, 0);
	if (why)
		assert_string_equal(reply.text, why);
	return (enum ending)reply.value;
}

static void what_only_read_flows_may_use_is_theirs(void **state)
{
	struct world world;
	struct hosts hosts;
	char why[TARGET_NAME_SIZE + 64];
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	told->n = 1;
	told->header.bytes = sizeof(*told) + sizeof(told->v[0]);
	told->v[0].state = TARGET_NEVER;
	strcpy(told->v[0].text, "offers XCLIENT to the gateway");
	tell(world.control, told, -1);
	int client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net ");
	close(client);
	await_record(&world);
	snprintf(why, sizeof(why), "host %s: offers XCLIENT to the gateway", told->v[0].name);
	assert_int_equal(foresee_at(&world, false, why), ENDING_HOST_UNFIT);
	assert_int_equal(foresee_at(&world, true, NULL), ENDING_NONE);
	/* of one address it is so, and of another it is not: the first is not tried */
	told->v[0].state = TARGET_UP;
	told->v[0].naddresses = told->v[0].asked = 0;
	tell(world.control, told, -1);
	client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net ");
	close(client);
	await_record(&world);
	assert_int_equal(foresee_at(&world, false, NULL), ENDING_HOST_UNFIT);
	assert_int_equal(foresee_at(&world, true, NULL), ENDING_NONE);
	/* and the other way round */
	told->v[0].naddresses = told->v[0].asked = 1;
	told->v[0].read.state = TARGET_NEVER;
	strcpy(told->v[0].read.text, "is another's");
	tell(world.control, told, -1);
	serve(&world, &hosts, 0);
	assert_int_equal(foresee_at(&world, false, NULL), ENDING_NONE);
	snprintf(why, sizeof(why), "host %s: is another's", told->v[0].name);
	assert_int_equal(foresee_at(&world, true, why), ENDING_HOST_UNFIT);
	close_hosts(&hosts);
	end(&world);
}

/* What is foreseen is what the next one meets. */
static void meets(struct world *world, const char *why, enum ending ending)
{
	for (int read = 0; read < 2; read++)
		assert_int_equal(foresee_at(world, read, why), ending);
	int client = dial(world);
	hear_refusal(client, "421 4.4.1 gw.example.net ");
	close(client);
	const struct ipc_flow *record = await_record(world);
	assert_int_equal(record->ending, ending);
}

static void what_is_down_is_foreseen_as_it_ends(void **state)
{
	struct world world;
	struct hosts hosts;
	char down[TARGET_NAME_SIZE + 64], unfit[TARGET_NAME_SIZE + 64];
	begin_hosts(&world, &hosts, IS_IP6(state), "deadline first 4s connect 1s greeting 1s", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	for (int i = 0; i < HOSTS; i++) {
		told->v[i].state = told->v[i].read.state = TARGET_DOWN;
		strcpy(told->v[i].text, "Connection refused");
		strcpy(told->v[i].read.text, "Connection refused");
		told->v[i].port = 1; /* nobody listens there */
	}
	snprintf(down, sizeof(down), "host %s: down: Connection refused", told->v[0].name);
	tell(world.control, told, -1);
	meets(&world, down, ENDING_NO_SERVER);
	/* one is left: the flow ends as its try of it does, which health knows no better */
	for (int i = 1; i < HOSTS; i++)
		told->v[i].drained = 1;
	tell(world.control, told, -1);
	for (int read = 0; read < 2; read++)
		assert_int_equal(foresee_at(&world, read, down), ENDING_NO_SERVER);
	/* several that may not be tried, and only one that there is */
	told->v[0].drained = 1;
	tell(world.control, told, -1);
	snprintf(unfit, sizeof(unfit), "host %s: drained by the operator", told->v[0].name);
	meets(&world, unfit, ENDING_NO_SERVER);
	told->n = 1;
	told->header.bytes = sizeof(*told) + sizeof(told->v[0]);
	tell(world.control, told, -1);
	meets(&world, unfit, ENDING_HOST_UNFIT);
	/* one that is not known yet is gone to */
	told->v[0].drained = 0;
	told->v[0].state = told->v[0].read.state = TARGET_UNKNOWN;
	tell(world.control, told, -1);
	for (int read = 0; read < 2; read++)
		assert_int_equal(foresee_at(&world, read, NULL), ENDING_NONE);
	close_hosts(&hosts);
	end(&world);
}

static void flows_are_spread_by_weight(void **state)
{
	struct world world;
	struct hosts hosts;
	unsigned taken[HOSTS] = {0};
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	told->v[0].preference = told->v[1].preference = told->v[2].preference;
	told->v[0].weight = 3;
	told->v[2].weight = 2;
	tell(world.control, told, -1);
	for (int n = 0; n < 30; n++) {
		int client = dial(&world);
		struct pollfd waits[HOSTS];
		for (int i = 0; i < HOSTS; i++)
			waits[i] = (struct pollfd){.fd = hosts.listener[i], .events = POLLIN};
		assert_int_equal(poll(waits, HOSTS, WAIT_S * 1000), 1);
		for (int i = 0; i < HOSTS; i++)
			if (waits[i].revents) {
				int server = take_at(&hosts, i);
				say(server, "220 hi\r\n");
				hear_exactly(client, "220 hi\r\n");
				close(server);
				taken[i]++;
			}
		hear_end(client);
		close(client);
		await_record(&world);
		if (n == 10) /* told anew: turns go on */
			tell(world.control, told, -1);
	}
	assert_int_equal(taken[0], 15);
	assert_int_equal(taken[1], 5);
	assert_int_equal(taken[2], 10);
	close_hosts(&hosts);
	end(&world);
}

static void a_hosts_addresses_are_tried_in_turn(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	struct ipc_target *target = &told->v[0];
	/* the other family first, where nobody listens */
	const char *other = server_texts[!world.ip6];
	target->naddresses = 2;
	target->asked = 3;
	target->addresses[1] = target->addresses[0];
	assert_int_equal(addr_parse(other, strlen(other), &target->addresses[0]), 0);
	tell(world.control, told, -1);
	for (int i = 0; i < 2; i++) {
		int client = dial(&world);
		int server = take_at(&hosts, 0);
		say(server, "220 hi\r\n");
		hear_exactly(client, "220 hi\r\n");
		close(server);
		hear_end(client);
		close(client);
		/* the family that worked comes first from then on */
		assert_int_equal(await_record(&world)->nattempts, i == 0 ? 2 : 1);
	}
	close_hosts(&hosts);
	end(&world);
}

static void a_host_over_its_limit_is_passed_over(void **state)
{
	struct world world;
	struct hosts hosts;
	int clients[HOSTS], servers[HOSTS];
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	for (int i = 0; i < HOSTS; i++)
		told->v[i].limit_flows = 1;
	tell(world.control, told, -1);
	for (int i = 0; i < HOSTS; i++) {
		clients[i] = dial(&world);
		servers[i] = take_at(&hosts, i);
		say(servers[i], "220 hi\r\n");
		hear_exactly(clients[i], "220 hi\r\n");
	}
	int client = dial(&world);
	hear_refusal(client, "421 4.3.2 gw.example.net too many connections to the mail server [");
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_OVER_FLOWS_SERVER);
	assert_int_equal(record->nattempts, HOSTS);
	/* one that ended makes room at its host */
	close(servers[1]);
	hear_end(clients[1]);
	close(clients[1]);
	await_record(&world);
	serve(&world, &hosts, 1);
	for (int i = 0; i < HOSTS; i += 2) {
		close(servers[i]);
		hear_end(clients[i]);
		close(clients[i]);
		await_record(&world);
	}
	close_hosts(&hosts);
	end(&world);
}

static void a_server_over_its_limit_is_said(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "limit flows 1", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	int client = dial(&world);
	int server = take_at(&hosts, 0);
	say(server, "220 hi\r\n");
	hear_exactly(client, "220 hi\r\n");
	int second = dial(&world);
	hear_refusal(second, "421 4.3.2 gw.example.net too many connections to the mail server [");
	close(second);
	assert_int_equal(await_record(&world)->ending, ENDING_OVER_FLOWS_SERVER);
	close(server);
	hear_end(client);
	close(client);
	close_hosts(&hosts);
	end(&world);
}

static void a_new_policy_keeps_what_is_known_of_its_hosts(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	told->v[0].state = TARGET_NEVER;
	tell(world.control, told, -1);
	serve(&world, &hosts, 1);
	/* asked anew, and still not the first */
	apply_policy(&world, hosts_policy(&world, &hosts, "deadline idle 5m", "weight 5"));
	int client = dial(&world);
	be_asked_at(&hosts, 1);
	int server = take_at(&hosts, 1);
	say(server, "220 hi\r\n");
	hear_exactly(client, "220 hi\r\n");
	close(server);
	hear_end(client);
	close(client);
	await_record(&world);
	/* told before the policy is in force: used when it is */
	told = targets_of(&world, &hosts);
	told->number = world.policy + 1;
	told->inquiry = world.inquiry + 1;
	told->v[0].state = told->v[1].state = TARGET_DOWN;
	tell(world.control, told, -1);
	serve(&world, &hosts, 1);
	apply_policy(&world, hosts_policy(&world, &hosts, "", ""));
	serve(&world, &hosts, 2);
	close_hosts(&hosts);
	end(&world);
}

static void control_hears_what_may_be_news(void **state)
{
	struct world world;
	struct hosts hosts;
	struct ipc_host heard;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	int client = dial(&world);
	int server = take_at(&hosts, 0);
	say(server, "451 4.3.0 disk full\r\n");
	close(server);
	await(&world, world.control, IPC_HOST, &heard);
	assert_int_equal(heard.kind, IPC_HOST_FAILED);
	assert_int_equal(heard.host.port, hosts.port[0]);
	assert_string_equal(heard.server, "relay");
	assert_string_equal(heard.text, "451 4.3.0 disk full");
	server = take_at(&hosts, 1);
	say(server, "220 hi\r\n");
	hear_exactly(client, "220 hi\r\n");
	close(server);
	hear_end(client);
	close(client);
	await_record(&world);
	serve(&world, &hosts, 0);
	/* the record is behind it: it came before */
	client = dial(&world);
	server = take_at(&hosts, 0);
	say(server, "554 no\r\n");
	close(server);
	await(&world, world.control, IPC_HOST, &heard);
	assert_int_equal(heard.kind, IPC_HOST_FAILED);
	close(take_at(&hosts, 1));
	close(take_at(&hosts, 2));
	hear_refusal(client, "421 4.4.1 ");
	close(client);
	await_record(&world);
	close_hosts(&hosts);
	end(&world);
}

static void a_host_that_fails_many_flows_is_told_of_a_few_times_a_second(void **state)
{
	struct world world;
	struct hosts hosts;
	struct timespec began, now;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < 20; i++) {
		int client = dial(&world);
		close(take_at(&hosts, 0));
		int server = take_at(&hosts, 1);
		say(server, "220 hi\r\n");
		hear_exactly(client, "220 hi\r\n");
		close(server);
		hear_end(client);
		close(client);
		await_record(&world);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* however slow this machine is, a second at each end is begun */
	unsigned seconds = (unsigned)(now.tv_sec - began.tv_sec) + 1;
	assert_in_range(world.news, TARGET_FAILURES_DOWN, seconds * TARGET_FAILURES_DOWN);
	close_hosts(&hosts);
	end(&world);
}

/* Else one client that the host lists would take it from all. */
static void what_a_host_says_of_one_client_is_no_news_of_it(void **state)
{
	struct world world;
	struct hosts hosts;
	struct ipc_host heard;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce proxy-v1", "");
	tell(world.control, targets_of(&world, &hosts), -1);
	for (int i = 0; i < 2; i++) {
		int client = dial(&world);
		int server = take_at(&hosts, 0);
		assert_memory_equal(hear(server), "PROXY TCP", 9);
		say(server, i == 0 ? "554 5.7.1 you are listed\r\n" : "421 4.3.2 full\r\n");
		close(server);
		server = take_at(&hosts, 1);
		assert_memory_equal(hear(server), "PROXY TCP", 9);
		say(server, "220 hi\r\n");
		hear_exactly(client, "220 hi\r\n");
		close(server);
		hear_end(client);
		close(client);
		if (i == 1) {
			await(&world, world.control, IPC_HOST, &heard);
			assert_int_equal(heard.kind, IPC_HOST_FAILED);
			assert_string_equal(heard.text, "421 4.3.2 full");
		}
		assert_int_equal(await_record(&world)->attempts[0].ending,
			i == 0 ? ENDING_IDENTITY_REFUSED : ENDING_GREETING_REFUSED);
	}
	close_hosts(&hosts);
	end(&world);
}

/* Who was told that no host is to be had, and stays, takes no place of others when one is. */
static void a_flow_that_is_answered_holds_nothing_of_the_server(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "limit flows 1", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	for (int i = 0; i < HOSTS; i++)
		told->v[i].drained = 1;
	tell(world.control, told, -1);
	int answered = dial(&world);
	hear_refusal(answered, "421 4.4.1 gw.example.net ");
	told->v[0].drained = 0;
	tell(world.control, told, -1);
	await_state(&world, 1, "answer"); /* it has heard of the host by now */
	serve(&world, &hosts, 0);
	close(answered);
	await_record(&world);
	close_hosts(&hosts);
	end(&world);
}

static void a_swallowed_host_leaves_time_for_the_others(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "deadline first 5s connect 5s greeting 5s", "");
	struct ipc_targets *told = targets_of(&world, &hosts);
	tell(world.control, told, -1);
	/* takes the connection, says nothing */
	int client = dial(&world);
	int first = take_at(&hosts, 0);
	int second = take_at(&hosts, 1);
	int third = take_at(&hosts, 2);
	say(third, "220 at last\r\n");
	hear_exactly(client, "220 at last\r\n");
	close(third);
	hear_end(client);
	close(client);
	close(first);
	close(second);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->nattempts, 3);
	assert_int_equal(record->attempts[0].ending, ENDING_GREETING_TIMEOUT);
	close_hosts(&hosts);
	end(&world);
}

static void many_attempts_are_counted(void **state)
{
	static _Alignas(16)
		uint8_t room[sizeof(struct ipc_targets) + 12 * sizeof(struct ipc_target)];
	struct ipc_targets *told = (void *)room;
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "", "");
	const struct ipc_targets *three = targets_of(&world, &hosts);
	memcpy(told, three, sizeof(*told));
	told->n = 12;
	told->header.bytes = sizeof(room);
	for (uint32_t i = 0; i < told->n; i++) {
		told->v[i] = three->v[0];
		snprintf(told->v[i].name, sizeof(told->v[i].name), "mx%u.example.org", i);
	}
	tell(world.control, told, -1);
	int client = dial(&world);
	for (uint32_t i = 0; i < told->n; i++) {
		int server = take_at(&hosts, 0);
		say(server, i == 5 ? "554 five\r\n" : "");
		close(server);
	}
	hear_refusal(
		client, "421 4.4.1 gw.example.net the mail server takes no mail now: 554 five ");
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->nattempts, IPC_ATTEMPTS_MAX);
	assert_string_equal(record->detail, "554 five (4 more attempts before the last one)");
	close_hosts(&hosts);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(only_the_first_good_greeting_is_seen),
		BOTH(a_refused_connection_is_passed_over),
		BOTH(with_none_left_the_last_words_of_a_server_are_quoted),
		BOTH(states_decide_the_order),
		BOTH(what_only_read_flows_may_use_is_theirs),
		BOTH(what_is_down_is_foreseen_as_it_ends),
		BOTH(flows_are_spread_by_weight),
		BOTH(a_hosts_addresses_are_tried_in_turn),
		BOTH(a_host_over_its_limit_is_passed_over),
		BOTH(a_server_over_its_limit_is_said),
		BOTH(a_new_policy_keeps_what_is_known_of_its_hosts),
		BOTH(control_hears_what_may_be_news),
		BOTH(a_host_that_fails_many_flows_is_told_of_a_few_times_a_second),
		BOTH(what_a_host_says_of_one_client_is_no_news_of_it),
		BOTH(a_flow_that_is_answered_holds_nothing_of_the_server),
		BOTH(a_swallowed_host_leaves_time_for_the_others),
		BOTH(many_attempts_are_counted),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
