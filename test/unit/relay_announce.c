/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow's client is announced to the server: PROXY headers, XCLIENT, and hosts that take neither.
 */
#include "test/lib/relay_servers.h"

#include "lib/record/flowid.h"
#include "lib/smtp/proxy.h"

static void hear_bytes(int fd, const void *bytes, size_t len)
{
	uint8_t got[PROXY_V2_SIZE];
	assert_true(len <= sizeof(got));
	assert_int_equal(recv(fd, got, len, MSG_WAITALL), (ssize_t)len);
	assert_memory_equal(got, bytes, len);
}

static struct endpoint end_of(int fd, bool peer)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint found;
	assert_int_equal(peer ? getpeername(fd, (struct sockaddr *)&sa, &len)
			      : getsockname(fd, (struct sockaddr *)&sa, &len),
		0);
	assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &found), 0);
	return found;
}

static void a_proxy_header_comes_before_everything(void **state)
{
	char header[PROXY_V1_SIZE];
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce proxy-v1", "");
	/* not asked by health yet: the relay does, as the client */
	int client = dial(&world);
	say(client, "PROXY TCP4 192.0.2.99 192.0.2.99 1 1\r\n");
	struct endpoint from = end_of(client, false), to = end_of(client, true);
	size_t len = proxy_encode_v1(&from, &to, header);
	for (int i = 0; i < 2; i++) {
		int server = take_at(&hosts, 0);
		hear_bytes(server, header, len);
		say(server, "220 hi\r\n");
		if (i == 0) {
			hear_exactly(server, "EHLO gw.example.net\r\n");
			say(server, "250 hello\r\n");
			hear_exactly(server, "QUIT\r\n");
			say(server, "221 bye\r\n");
		} else {
			hear_exactly(client, "220 hi\r\n");
			hear_exactly(server, "PROXY TCP4 192.0.2.99 192.0.2.99 1 1\r\n");
		}
		close(server);
	}
	close(client);
	await_record(&world);

	/* version 2 has the flow's id and the user */
	apply_policy(&world, hosts_policy(&world, &hosts, "announce proxy-v2", ""));
	tell(world.control, targets_of(&world, &hosts), -1);
	client = dial(&world);
	int server = take_at(&hosts, 0);
	uint8_t v2[PROXY_V2_SIZE], got[PROXY_V2_SIZE];
	from = end_of(client, false);
	say(server, "220 hi\r\n");
	hear_exactly(client, "220 hi\r\n");
	ssize_t n = recv(server, got, sizeof(got), 0);
	close(server);
	close(client);
	char id[FLOWID_TEXT_SIZE];
	flowid_format(await_record(&world)->id, id);
	assert_int_equal(proxy_encode_v2(&from, &to, id, "anna", v2), n);
	assert_memory_equal(got, v2, (size_t)n);
	close_hosts(&hosts);
	end(&world);
}

/* Plays Postfix up to the last command. */
static void hear_xclient(const struct world *world, int client, int server)
{
	char line[1024], from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	struct endpoint client_end = end_of(client, false), original = end_of(client, true);
	const char *tag = world->ip6 ? "IPV6:" : "";
	say(server, "220-mx.example.net\r\n220 gateway\r\n");
	hear_exactly(server, "EHLO gw.example.net\r\n");
	say(server, "250-mx.example.net\r\n250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT "
		    "LOGIN DESTADDR DESTPORT\r\n250 SIZE\r\n");
	snprintf(line, sizeof(line),
		"XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] PORT=%u LOGIN=anna "
		"DESTADDR=%s%s DESTPORT=%u ADDR=%s%s\r\n",
		client_end.port, tag, addr_format(&original.addr, to), original.port, tag,
		addr_format(&client_end.addr, from));
	hear_exactly(server, line);
}

static void xclient_is_said_before_the_client_is_greeted(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce xclient", "");
	int client = dial(&world);
	say(client, "XCLIENT ADDR=192.0.2.99\r\n");
	int server = take_at(&hosts, 0);
	hear_xclient(&world, client, server);
	struct pollfd nothing = {.fd = client, .events = POLLIN};
	assert_int_equal(poll(&nothing, 1, 50), 0);
	say(server, "220-mx.example.net\r\n220 as the client\r\n");
	hear_exactly(client, "220-mx.example.net\r\n");
	hear_exactly(client, "220 as the client\r\n");
	hear_exactly(server, "XCLIENT ADDR=192.0.2.99\r\n");
	say(server, "550 insufficient authorization\r\n");
	hear_exactly(client, "550 insufficient authorization\r\n");
	close(server);
	close(client);
	assert_int_equal(await_record(&world)->nattempts, 1);
	close_hosts(&hosts);
	end(&world);
}

/* The gateway's name when the talk begins is that of another policy than the flow's own, and that
 * policy goes, too. */
static void policies_come_and_go_while_xclient_is_said(void **state)
{
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce xclient", "");
	int client = dial(&world);
	int first = take_at(&hosts, 0);
	apply_policy(&world, hosts_policy(&world, &hosts, "announce xclient", "weight 2"));
	close(first);
	int second = take_at(&hosts, 1);
	await_state(&world, 1, "announce");
	apply_policy(&world, hosts_policy(&world, &hosts, "announce xclient", "weight 3"));
	hear_xclient(&world, client, second);
	say(second, "220 welcome\r\n");
	hear_exactly(client, "220 welcome\r\n");
	close(second);
	hear_end(client);
	close(client);
	await_record(&world);
	close_hosts(&hosts);
	end(&world);
}

static void who_does_not_take_the_identity_gets_no_mail(void **state)
{
	static const struct {
		const char *ehlo, *xclient;
		enum ending ending;
		const char *words;
	} cases[] = {
		{"250-mx\r\n250 SIZE\r\n", NULL, ENDING_IDENTITY_REFUSED,
			"does not offer XCLIENT to the gateway"},
		{"250-mx\r\n250 XCLIENT ADDR NAME LOGIN\r\n", NULL, ENDING_IDENTITY_REFUSED,
			"does not offer XCLIENT PORT to the gateway"},
		{"250-mx\r\n250-XCLIENT\r\n250 XCLIENTS ADDR NAME LOGIN PORT\r\n", NULL,
			ENDING_IDENTITY_REFUSED, "does not offer XCLIENT NAME to the gateway"},
		{"250-mx\r\n250 XCLIENT ADDR NAME LOGIN PORT\r\n", "501 5.5.4 Bad ADDR syntax\r\n",
			ENDING_IDENTITY_REFUSED, "501 5.5.4 Bad ADDR syntax"},
		{"250-mx\r\n250 XCLIENT ADDR NAME LOGIN PORT\r\n", "421 4.3.2 busy\r\n",
			ENDING_GREETING_REFUSED, "421 4.3.2 busy"},
		{"421 too busy\r\n", NULL, ENDING_GREETING_REFUSED, "421 too busy"},
		{"hello\r\n", NULL, ENDING_GREETING_MALFORMED, NULL},
		{"250 one\r\n250 XCLIENT ADDR NAME LOGIN PORT\r\n", NULL, ENDING_IDENTITY_REFUSED,
			NULL},
	};
	struct world world;
	struct hosts hosts;
	begin_hosts(&world, &hosts, IS_IP6(state), "announce xclient", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = dial(&world);
		int server = take_at(&hosts, 0);
		say(server, "220 hi\r\n");
		hear_exactly(server, "EHLO gw.example.net\r\n");
		say(server, cases[i].ehlo);
		if (cases[i].xclient) {
			assert_memory_equal(hear(server), "XCLIENT ", 8);
			say(server, cases[i].xclient);
		}
		/* never silently unidentified: the next host is named the client, too */
		int second = take_at(&hosts, 1);
		hear_xclient(&world, client, second);
		say(second, "220 welcome\r\n");
		hear_exactly(client, "220 welcome\r\n");
		close(second);
		hear_end(client);
		close(client);
		close(server);
		const struct ipc_flow *record = await_record(&world);
		assert_int_equal(record->nattempts, 2);
		assert_int_equal(record->attempts[0].ending, cases[i].ending);
		if (cases[i].words)
			assert_string_equal(record->attempts[0].reply, cases[i].words);
	}
	close_hosts(&hosts);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_proxy_header_comes_before_everything),
		BOTH(xclient_is_said_before_the_client_is_greeted),
		BOTH(policies_come_and_go_while_xclient_is_said),
		BOTH(who_does_not_take_the_identity_gets_no_mail),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
