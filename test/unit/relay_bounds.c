/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a relay process refuses, what it does when something is short or gone, and what it leaves
 * behind. */
#include "lib/ipc/replica.h"
#include "test/lib/relay_world.h"

#include <dirent.h>
#include <pthread.h>

static void over_a_limit_is_said_and_counted(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "limit flows 1 per client limit flows 1 per user", "");
	open_first_flow(&world, &client, &server);

	int second = dial(&world);
	hear_refusal(second, "421 4.7.0 gw.example.net too many connections from you [f-");
	hear_end(second);
	close(second);
	assert_int_equal(await_record(&world)->ending, ENDING_OVER_FLOWS_CLIENT);
	assert_string_equal(world.record.user, "anna");

	/* another client of the same user */
	const char *other = client2_texts[world.ip6];
	log_in(world.control, 2, "anna", other);
	second = connect_from(other, internet_texts[world.ip6], world.port);
	hear_refusal(second, "421 4.7.0 gw.example.net too many connections of this user [f-");
	close(second);
	assert_int_equal(await_record(&world)->ending, ENDING_OVER_FLOWS_USER);

	/* one that ended makes room */
	close(client);
	hear_end(server);
	close(server);
	await_record(&world);
	open_flow(&world, &client, &server);
	close(server);
	hear_end(client);
	close(client);
	end(&world);
}

static void over_a_rate_is_said_and_counted(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "limit rate 3/hour per client", "");
	log_in(world.control, 1, "anna", client_text(&world));
	for (int i = 0; i < 5; i++) {
		int client = dial(&world);
		if (i == 0)
			server_be_asked(&world, "");
		if (i < 3) {
			int server = server_take(&world);
			say(server, "220 hi\r\n");
			hear_exactly(client, "220 hi\r\n");
			close(server);
		} else {
			hear_refusal(client, "421 4.7.0 ");
		}
		hear_end(client);
		close(client);
		enum ending ending = await_record(&world)->ending;
		assert_true((ending == ENDING_OVER_RATE_CLIENT) == (i >= 3));
	}
	end(&world);
}

static void the_listener_itself_is_no_destination(void **state)
{
	const struct relay_options options = {.relay_port = 1};
	struct world world;
	start_relay(&world, IS_IP6(state), &options);
	apply_policy(&world, policy_text(&world, "", ""));
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	hear_reset(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LOOP);
	end(&world);
}

/* By a name it may come to be one; one that says who its client is has not been asked before. */
static void a_host_that_is_the_listener_is_a_loop(void **state)
{
	struct world world;
	start_relay(&world, IS_IP6(state), &(struct relay_options){0});
	world.server_port = 1; /* the relay's, here (relay_world.c) */
	apply_policy(&world, policy_text(&world, "", "announce xclient"));
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net the mail server leads back to you [");
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_LOOP);
	assert_string_equal(record->attempts[0].reply, "the host is the gateway itself");
	end(&world);
}

static void a_host_beside_the_client_is_a_loop(void **state)
{
	struct world world;
	char text[4096];
	start_relay(&world, IS_IP6(state), &(struct relay_options){0});
	/* the server's address in the client's own zone, its port one of that zone */
	snprintf(text, sizeof(text),
		"hostname \"gw.example.net\"\n"
		"zone guest { interface \"lo\" identity address port %u "
		"network 192.0.2.0/24, 203.0.113.0/24, 2001:db8:1::/64, 2001:db8:2::/64 }\n"
		"server relay { host %s port %u }\nrule mail { user any server relay }\n",
		world.server_port, server_texts[world.ip6], world.server_port);
	apply_policy(&world, text);
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net the mail server leads back to you [");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_LOOP);
	end(&world);
}

static void without_a_mac_nobody_is_guessed(void **state)
{
	struct world world;
	start_relay(&world, IS_IP6(state), &(struct relay_options){0});
	tell_link(&world, true); /* loopback has none, which looks like a SYN cookie's connection */
	char text[4096];
	snprintf(text, sizeof(text), "%s", policy_text(&world, "", ""));
	memcpy(strstr(text, "identity address"), "identity mac    ", 16);
	apply_policy(&world, text);
	tell_plain(world.control, IPC_PICTURE_DONE);
	log_in(world.control, 1, "anna", client_text(&world));
	int client = dial(&world);
	hear_refusal(client, "421 4.7.0 ");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_NO_MAC);
	end(&world);
}

/* Flows go on, sessions hold, records wait; the new control's picture replaces all in one step. */
static void control_may_die_and_come_back(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "", "");
	open_first_flow(&world, &client, &server);

	close(world.control);
	say(client, "EHLO laptop\r\n");
	hear_exactly(server, "EHLO laptop\r\n");
	int client2, server2;
	open_flow(&world, &client2, &server2);
	close(client2);
	hear_end(server2);
	close(server2);

	int control[2];
	struct ipc_peer peer;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	tell(world.keeper, &peer, control[1]);
	close(control[1]);
	world.control = control[0];
	set_patience(world.control);
	await_record(&world);
	assert_int_equal(world.record.session, 1);
	apply_policy(&world, policy_text(&world, "", ""));
	log_in(world.control, 2, "bert", client2_texts[world.ip6]);
	/* the picture is not complete: the old one holds */
	open_flow(&world, &client2, &server2);
	close(client2);
	hear_end(server2);
	close(server2);
	await_record(&world);
	tell_plain(world.control, IPC_PICTURE_DONE);

	client2 = dial(&world);
	hear_refusal(client2, "421 4.7.0 gw.example.net Please log in [f-");
	close(client2);
	assert_int_equal(await_record(&world)->ending, ENDING_NOT_LOGGED_IN);
	close(client);
	hear_end(server);
	close(server);
	assert_int_equal(await_record(&world)->session, 1);
	end(&world);
}

static void a_bad_policy_changes_nothing(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	struct ipc_reply reply = prepare_policy(&world, "zone guest { interface }\n");
	assert_true(reply.status < 0);
	assert_true(strlen(reply.text) > 0);
	struct ipc_policy commit;
	ipc_init(&commit, IPC_POLICY_COMMIT, sizeof(commit));
	commit.number = world.policy;
	commit.inquiry = ++world.inquiry;
	assert_true(request(&world, &commit, -1).status < 0);
	int client = dial(&world);
	hear_refusal(client, "421 4.7.0 gw.example.net Please log in [f-");
	close(client);
	end(&world);
}

static void draining_lets_flows_finish(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "", "");
	open_first_flow(&world, &client, &server);
	tell_drain(&world, 60);
	say(client, "QUIT\r\n");
	hear_exactly(server, "QUIT\r\n");
	close(server);
	hear_end(client);
	assert_int_equal(waitpid(world.relay, NULL, WNOHANG), 0);
	close(client);
	await_record(&world);
	await_end(&world);

	begin(&world, IS_IP6(state), "", "");
	open_first_flow(&world, &client, &server);
	int early = dial(&world);
	int early_server = server_take(&world);
	tell_drain(&world, 0);
	hear_reset(client);
	hear_reset(server);
	hear_refusal(early, "421 4.3.2 ");
	close(early_server);
	close(server);
	close(client);
	close(early);
	await_end(&world);
}

/* ---- Shortage and leaks ---- */

static unsigned count_descriptors(pid_t pid)
{
	char path[64];
	unsigned n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static uint64_t cpu_ticks(pid_t pid)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	char *at = strrchr(line, ')');
	assert_int_equal(sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				 &user, &system),
		2);
	return user + system;
}

static void without_descriptors_it_waits_and_goes_on(void **state)
{
	const struct relay_options options = {.descriptors = 24};
	struct world world;
	int clients[24];
	start_relay(&world, IS_IP6(state), &options);
	apply_policy(&world, policy_text(&world, "", ""));
	tell_plain(world.control, IPC_PICTURE_DONE);
	for (int i = 0; i < 24; i++)
		clients[i] = dial(&world);
	await_counter(&world, COUNTER_ACCEPT_PAUSED, 1);
	uint64_t ticks = cpu_ticks(world.relay);
	await_counter(&world, COUNTER_ACCEPT_PAUSED, 8);
	/* it pauses for 100 ms each time; a spinning one would burn all of them */
	assert_true(cpu_ticks(world.relay) - ticks < 40);
	for (int i = 0; i < 24; i++)
		close(clients[i]);
	do
		await(&world, world.control, IPC_COUNTERS, NULL);
	while (world.counters[COUNTER_FLOWS_LIVE] > 0);
	for (int i = 0; i < 3; i++) {
		int client = dial(&world);
		hear_refusal(client, "421 4.7.0 gw.example.net Please log in [f-");
		close(client);
	}
	end(&world);
}

static void a_full_table_is_a_verdict(void **state)
{
	/* room for 16 flows, and descriptors for more */
	const struct relay_options options = {.descriptors = 64};
	struct world world;
	int clients[17];
	start_relay(&world, IS_IP6(state), &options);
	apply_policy(&world, policy_text(&world, "", ""));
	tell_plain(world.control, IPC_PICTURE_DONE);
	for (int i = 0; i < 17; i++)
		clients[i] = dial(&world);
	for (int i = 0; i < 16; i++)
		hear_refusal(clients[i], "421 4.7.0 ");
	hear_refusal(clients[16], "421 4.3.2 gw.example.net too busy, try again [f-");
	hear_end(clients[16]);
	for (int i = 0; i < 17; i++)
		close(clients[i]);
	await_counter(&world, COUNTER_ENDING + ENDING_TABLE_FULL, 1);
	end(&world);
}

static void nothing_leaks(void **state)
{
	struct world world;
	unsigned before = 0;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 1, "anna", client_text(&world));
	for (int i = 0; i < 300; i++) {
		int client = dial(&world);
		if (i == 0)
			server_be_asked(&world, "");
		int server = server_take(&world);
		say(server, i % 5 == 1 ? "554 no\r\n" : "220 hi\r\n");
		hear(client);
		if (i % 5 == 2)
			reset(client);
		else
			close(client);
		close(server);
		await_record(&world);
		if (i == 20)
			before = count_descriptors(world.relay);
	}
	assert_int_equal(count_descriptors(world.relay), before);
	end(&world);
}

/* ---- Bytes ---- */

struct stream {
	int fd;
	unsigned seed;
	uint64_t bytes;
	bool good;
};

static uint8_t stream_byte(uint64_t at, unsigned seed)
{
	return (uint8_t)((at * 2654435761u + seed) >> 9);
}

static size_t chunk(unsigned *seed)
{
	size_t exponent = (size_t)rand_r(seed) % 21;
	return 1 + (size_t)rand_r(seed) % ((size_t)1 << exponent);
}

static void *send_stream(void *context)
{
	struct stream *stream = context;
	static _Thread_local uint8_t bytes[1 << 20];
	unsigned seed = stream->seed;
	for (uint64_t at = 0; at < stream->bytes;) {
		size_t len = chunk(&seed);
		if (len > stream->bytes - at)
			len = (size_t)(stream->bytes - at);
		for (size_t i = 0; i < len; i++)
			bytes[i] = stream_byte(at + i, stream->seed);
		ssize_t n = send(stream->fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return NULL;
		at += (uint64_t)n;
	}
	stream->good = shutdown(stream->fd, SHUT_WR) == 0;
	return NULL;
}

static void *check_stream(void *context)
{
	struct stream *stream = context;
	static _Thread_local uint8_t bytes[1 << 20];
	unsigned seed = stream->seed + 1;
	uint64_t at = 0;
	for (;;) {
		ssize_t n = recv(stream->fd, bytes, chunk(&seed), 0);
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != stream_byte(at + (uint64_t)i, stream->seed))
				return NULL;
		at += (uint64_t)n;
	}
	stream->good = at == stream->bytes;
	return NULL;
}

static void any_bytes_arrive_as_sent_both_ways(void **state)
{
	struct world world;
	int client, server;
	begin(&world, IS_IP6(state), "", "");
	open_first_flow(&world, &client, &server);

	struct stream streams[4] = {
		{client, 7, 24 << 20, false},
		{server, 7, 24 << 20, false},
		{server, 9, 9 << 20, false},
		{client, 9, 9 << 20, false},
	};
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i % 2 ? check_stream : send_stream, &streams[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(streams[i].good);
	}
	close(client);
	close(server);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->from_client_bytes, 24 << 20);
	assert_int_equal(record->from_server_bytes, (9 << 20) + 8);
	await_counter(&world, COUNTER_BYTES_SPLICED, 1);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(over_a_limit_is_said_and_counted),
		BOTH(over_a_rate_is_said_and_counted),
		BOTH(the_listener_itself_is_no_destination),
		BOTH(a_host_that_is_the_listener_is_a_loop),
		BOTH(a_host_beside_the_client_is_a_loop),
		BOTH(without_a_mac_nobody_is_guessed),
		BOTH(control_may_die_and_come_back),
		BOTH(a_bad_policy_changes_nothing),
		BOTH(draining_lets_flows_finish),
		BOTH(without_descriptors_it_waits_and_goes_on),
		BOTH(a_full_table_is_a_verdict),
		BOTH(nothing_leaks),
		BOTH(any_bytes_arrive_as_sent_both_ways),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
