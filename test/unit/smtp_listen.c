/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that come to a listener: the smtp process's side, with the test in the place of the
 * keeper, which hands the socket out and takes it back while clients wait there, and of control,
 * which looks their names up. */
#include "test/lib/smtp_world.h"

#include "lib/ipc/health.h"

#define WAITING 150 /* more than are taken at once */

/* ---- the keeper's side ---- */

struct door {
	uint16_t port;
	struct endpoint at;
};

/* Its only descriptor is the process's then. */
static void open_door(struct world *world, struct door *door)
{
	const struct linger reset = {.l_onoff = 1};
	struct ipc_endpoint ipc;
	const char *text = internet_texts[world->ip6];
	int fd = listen_at(text, &door->port);

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	door->at = (struct endpoint){.port = door->port};
	assert_int_equal(addr_parse(text, strlen(text), &door->at.addr), 0);
	ipc_init(&ipc, IPC_ENDPOINT, sizeof(ipc));
	ipc.at = door->at;
	tell(world->keeper, &ipc, fd);
	close(fd);
}

static void close_door(struct world *world, const struct door *door, bool empty)
{
	struct ipc_endpoint ipc;

	ipc_init(&ipc, IPC_ENDPOINT_GONE, sizeof(ipc));
	if (door)
		ipc.at = door->at;
	ipc.empty = empty;
	tell(world->keeper, &ipc, -1);
}

/* more: in the listener. port 0: of a listener that is elsewhere. */
static const char *door_text(const struct world *world, uint16_t port, const char *more)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		"language 1\nhostname \"gw.example.net\"\nlog level error\n"
		"listener inbound { address %s port %u limit flows 1000 per client %s }\n"
		"domain own { name \"own.example\" server relay }\n"
		"server relay { host %s port %u; probe none; trace off }\n"
		"rule in { listener inbound recipient protected server protected }\n",
		internet_texts[world->ip6], port ? port : 2, more, server_texts[world->ip6],
		world->server_port);
	return text;
}

static void begin_door(struct world *world, bool ip6, struct door *door)
{
	start_smtp(world, ip6);
	open_door(world, door);
	apply_policy(world, door_text(world, door->port, "unmatched answer 554 \"of old\""));
	tell_plain(world->control, IPC_PICTURE_DONE);
}

/* ---- clients ---- */

static int come(const struct world *world, const struct door *door)
{
	return connect_from(client_text(world), internet_texts[world->ip6], door->port);
}

static void all_come(const struct world *world, const struct door *door, int clients[WAITING])
{
	for (unsigned i = 0; i < WAITING; i++)
		clients[i] = come(world, door);
}

static void all_go(const int clients[WAITING])
{
	for (unsigned i = 0; i < WAITING; i++)
		close(clients[i]);
}

/* Which policy its flow is under. */
static void ask_strange(int client, const char *words)
{
	char reply[64];

	ask_smtp(client, "EHLO mx.example.org\r\n", "250 ");
	ask_smtp(client, "MAIL FROM:<a@example.org>\r\n", "250 ");
	snprintf(reply, sizeof(reply), "550 5.7.1 gw.example.net %s", words);
	ask_smtp(client, "RCPT TO:<b@strange.example>\r\n", reply);
}

static void expect_closed(const struct world *world, const struct door *door)
{
	struct sockaddr_storage sa;
	socklen_t len = make_address(internet_texts[world->ip6], door->port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

static void end_here(struct world *world)
{
	tell_drain(world, 5);
	await_end(world);
}

/* ---- a listener that goes ---- */

static void who_waits_when_it_is_taken_back_is_served(void **state)
{
	int clients[WAITING];
	struct world world;
	struct door door;

	begin_door(&world, IS_IP6(state), &door);
	int first = come(&world, &door);
	ask_smtp(first, "", "220 gw.example.net");
	hold(&world);
	all_come(&world, &door, clients);
	close_door(&world, &door, true);
	let_go(&world);
	for (unsigned i = 0; i < WAITING; i++)
		ask_smtp(clients[i], "", "220 gw.example.net");
	ask_strange(clients[WAITING - 1], "of old");
	expect_closed(&world, &door);
	all_go(clients);
	close(first);
	end_here(&world);
}

static void who_waits_when_its_policy_goes_is_under_that_policy(void **state)
{
	struct ipc_policy commit;
	int clients[WAITING];
	struct world world;
	struct door door;

	begin_door(&world, IS_IP6(state), &door);
	int first = come(&world, &door);
	ask_smtp(first, "", "220 gw.example.net");
	assert_int_equal(prepare_policy(&world, door_text(&world, 0, "")).status, 0);
	hold(&world);
	all_come(&world, &door, clients);
	/* the keeper hears of it behind control: not before its processes do */
	ipc_init(&commit, IPC_POLICY_COMMIT, sizeof(commit));
	commit.number = world.policy;
	commit.inquiry = ++world.inquiry;
	tell(world.control, &commit, -1);
	let_go(&world);
	for (unsigned i = 0; i < WAITING; i++)
		ask_smtp(clients[i], "", "220 gw.example.net");
	ask_strange(clients[0], "of old");
	ask_strange(clients[WAITING - 1], "of old");
	/* nobody is taken for a listener that is no more */
	int late = come(&world, &door);
	expect_silence(late);
	close_door(&world, &door, false);
	hear_reset(late);
	expect_closed(&world, &door);
	all_go(clients);
	close(late);
	close(first);
	end_here(&world);
}

static void nobody_is_taken_before_there_is_a_policy(void **state)
{
	struct world world;
	struct door door;

	start_smtp(&world, IS_IP6(state));
	open_door(&world, &door);
	int client = come(&world, &door);
	expect_silence(client);
	apply_policy(&world, door_text(&world, door.port, "unmatched answer 554 \"of now\""));
	expect_silence(client);
	tell_plain(world.control, IPC_PICTURE_DONE);
	ask_smtp(client, "", "220 gw.example.net");
	ask_strange(client, "of now");
	close(client);
	end_here(&world);
}

static void a_place_that_another_takes_leaves_its_clients_to_it(void **state)
{
	struct world world;
	struct door door;

	begin_door(&world, IS_IP6(state), &door);
	int first = come(&world, &door);
	ask_smtp(first, "", "220 gw.example.net");
	close_door(&world, NULL, false); /* all of them: an upgrade */
	ask_strange(first, "of old");
	expect_closed(&world, &door);
	close(first);
	end_here(&world);
}

static void who_waits_at_the_end_hears_so(void **state)
{
	int clients[WAITING];
	struct world world;
	struct door door;

	begin_door(&world, IS_IP6(state), &door);
	hold(&world);
	all_come(&world, &door, clients);
	tell_drain(&world, 5);
	let_go(&world);
	for (unsigned i = 0; i < WAITING; i++) {
		/* it may have been taken a moment before */
		const char *heard = hear(clients[i]);
		if (strncmp(heard, "220 ", 4) == 0)
			heard = hear(clients[i]);
		assert_int_equal(strncmp(heard, "421 4.3.2 gw.example.net", 24), 0);
		hear_end(clients[i]);
	}
	all_go(clients);
	await_end(&world);
}

/* ---- the client's names ---- */

static void await_lookup(struct world *world, struct ipc_lookup *asked)
{
	struct addr client;

	await(world, world->control, IPC_LOOKUP, asked);
	assert_int_equal(addr_parse(client_text(world), strlen(client_text(world)), &client), 0);
	assert_true(addr_equal(&asked->addr, &client));
}

/* NULL: it has none. */
static void answer(const struct world *world, const struct ipc_lookup *asked,
	enum client_names_known known, const char *name)
{
	union {
		struct ipc_looked_up ipc;
		uint8_t bytes[sizeof(struct ipc_looked_up) + DNS_NAME_SIZE];
	} m;
	const size_t names = name ? DNS_NAME_SIZE : 0;

	ipc_init(&m, IPC_LOOKED_UP, sizeof(m.ipc) + names);
	m.ipc.flow = asked->flow;
	m.ipc.place = asked->place;
	m.ipc.addr = asked->addr;
	m.ipc.known = (uint8_t)known;
	m.ipc.n = name != NULL;
	if (name)
		snprintf((char *)m.bytes + sizeof(m.ipc), DNS_NAME_SIZE, "%s", name);
	tell(world->control, &m, -1);
}

static void begin_named(struct world *world, bool ip6, struct door *door)
{
	start_smtp(world, ip6);
	open_door(world, door);
	apply_policy(world, door_text(world, door->port, "accept \".partner.example\""));
	tell_plain(world->control, IPC_PICTURE_DONE);
}

static void an_answer_is_for_its_own_flow_alone(void **state)
{
	struct ipc_lookup asked, again, other;
	struct world world;
	struct door door;

	begin_named(&world, IS_IP6(state), &door);
	int client = come(&world, &door);
	await_lookup(&world, &asked);
	other = asked;
	other.flow++;
	answer(&world, &other, CLIENT_NAMES_KNOWN, "mx.partner.example");
	other = asked;
	other.place += 7;
	answer(&world, &other, CLIENT_NAMES_KNOWN, "mx.partner.example");
	other.place = UINT32_MAX;
	answer(&world, &other, CLIENT_NAMES_KNOWN, "mx.partner.example");
	other = asked;
	other.addr.bytes[0] ^= 1;
	answer(&world, &other, CLIENT_NAMES_KNOWN, "mx.partner.example");
	expect_silence(client);
	/* what a health process took along is asked for again, by the same name */
	tell_plain(world.control, IPC_LOOKUPS_LOST);
	await_lookup(&world, &again);
	assert_int_equal(again.flow, asked.flow);
	answer(&world, &asked, CLIENT_NAMES_KNOWN, "mx.partner.example");
	ask_smtp(client, "", "220 gw.example.net");
	/* a second one, and one to nobody */
	answer(&world, &asked, CLIENT_NAMES_KNOWN, NULL);
	ask_smtp(client, "EHLO mx.example.org\r\n", "250 ");
	close(client);
	answer(&world, &asked, CLIENT_NAMES_KNOWN, NULL);
	end_here(&world);
}

static void what_is_known_of_the_names_decides(void **state)
{
	static const struct {
		enum client_names_known known;
		const char *name, *greeting;
	} cases[] = {
		{CLIENT_NAMES_KNOWN, "mx.partner.example", "220 gw.example.net"},
		{CLIENT_NAMES_PARTIAL, "mx.partner.example", "220 gw.example.net"},
		{CLIENT_NAMES_KNOWN, "mx.else.example", "554 5.7.1 gw.example.net"},
		{CLIENT_NAMES_KNOWN, NULL, "554 5.7.1 gw.example.net"},
		{CLIENT_NAMES_PARTIAL, "mx.else.example", "421 4.4.3 gw.example.net"},
		{CLIENT_NAMES_PARTIAL, NULL, "421 4.4.3 gw.example.net"},
	};
	struct ipc_lookup asked;
	struct world world;
	struct door door;

	begin_named(&world, IS_IP6(state), &door);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int client = come(&world, &door);
		await_lookup(&world, &asked);
		answer(&world, &asked, cases[i].known, cases[i].name);
		ask_smtp(client, "", cases[i].greeting);
		close(client);
	}
	end_here(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(who_waits_when_it_is_taken_back_is_served),
		BOTH(who_waits_when_its_policy_goes_is_under_that_policy),
		BOTH(nobody_is_taken_before_there_is_a_policy),
		BOTH(a_place_that_another_takes_leaves_its_clients_to_it),
		BOTH(who_waits_at_the_end_hears_so),
		BOTH(an_answer_is_for_its_own_flow_alone),
		BOTH(what_is_known_of_the_names_decides),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
