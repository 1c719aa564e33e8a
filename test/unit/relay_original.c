/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `server original` in a relay: where nobody is taken, and what is not reached past its server.
 * Here every address is the machine's own; that others are reached, test/netns/rules shows. */
#include "test/lib/relay_world.h"

static const char *const loopback_texts[] = {"127.0.0.1", "::1"};

static int dial_to(const struct world *world, const char *original)
{
	return connect_from(client_text(world), original, world->port);
}

static void refused(struct world *world, const char *original, const char *why)
{
	int client = dial_to(world, original);
	hear_refusal(client, "421 4.4.1 gw.example.net no mail server can be used now [");
	close(client);
	const struct ipc_flow *record = await_record(world);
	assert_int_equal(record->ending, ENDING_HOST_UNFIT);
	assert_string_equal(record->server, "original");
	assert_int_equal(record->nattempts, 1);
	assert_string_equal(record->attempts[0].reply, why);
}

static void no_address_of_the_gateway_is_reached(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 1, "olga", client_text(&world));
	refused(&world, loopback_texts[world.ip6], "the original is a loopback address");
	refused(&world, internet_texts[world.ip6], "the original is the gateway itself");
	/* nothing was sent there: our own listener stands at every address */
	await_counter(&world, COUNTER_FLOWS_ACCEPTED, 2);
	assert_int_equal(world.counters[COUNTER_FLOWS_ACCEPTED], 2);
	assert_int_equal(world.counters[COUNTER_CONNECTS], 0);
	end(&world);
}

static void a_host_is_reached_as_its_server_says(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "limit flows 1");
	log_in(world.control, 1, "olga", client_text(&world));
	int client = dial_to(&world, server_texts[world.ip6]);
	server_be_asked(&world, ""); /* whether it offers XCLIENT */
	int server = server_take(&world);
	say(server, "220 mx.example.net ESMTP\r\n");
	hear_exactly(client, "220 mx.example.net ESMTP\r\n");

	int second = dial_to(&world, server_texts[world.ip6]);
	hear_refusal(second, "421 4.3.2 gw.example.net too many connections to the mail server [");
	close(second);
	assert_string_equal(await_record(&world)->server, "relay");
	close(server);
	hear_end(client);
	close(client);
	const struct ipc_flow *record = await_record(&world);
	assert_string_equal(record->rule, "out");
	assert_string_equal(record->server, "relay");
	assert_int_equal(record->host.port, world.server_port);
	end(&world);
}

static void a_host_that_offers_xclient_is_no_original(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "");
	log_in(world.control, 1, "olga", client_text(&world));
	int client = dial_to(&world, server_texts[world.ip6]);
	server_be_asked(&world, "250-XCLIENT NAME ADDR\r\n");
	hear_refusal(client, "421 4.4.1 gw.example.net the mail server may not be used [");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_OFFERS_XCLIENT);
	end(&world);
}

/* Which of the client's addresses are a host's cannot be known yet. */
static void with_a_name_not_looked_up_nothing_is_reached(void **state)
{
	struct world world;
	begin(&world, IS_IP6(state), "", "host \"mx.example.net\"");
	log_in(world.control, 1, "olga", client_text(&world));
	int client = dial(&world);
	hear_refusal(client, "421 4.4.1 gw.example.net no mail server reachable [");
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_NO_SERVER);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(no_address_of_the_gateway_is_reached),
		BOTH(a_host_is_reached_as_its_server_says),
		BOTH(a_host_that_offers_xclient_is_no_original),
		BOTH(with_a_name_not_looked_up_nothing_is_reached),
	};
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
