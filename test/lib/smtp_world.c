/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_world.h"

#include "test/lib/message_memory.h"

static int listener(bool ip6, uint16_t *port)
{
	static int fds[2] = {-1, -1};
	static uint16_t ports[2];

	if (fds[ip6] < 0)
		fds[ip6] = listen_at(internet_texts[ip6], &ports[ip6]);
	*port = ports[ip6];
	return fds[ip6];
}

static void run_smtp(const struct process_start *start, const void *context)
{
	(void)context;
	log_init("smtp 0", true, POLICY_LOG_ERROR);
	_exit(smtp_main(start));
}

void start_smtp(struct world *world, bool ip6)
{
	struct message_limit limits;
	struct process_start start = {.role = PROCESS_SMTP,
		.message_limit_fd = make_message_limit(&limits),
		.options.relay_port = 1};

	begin_world(world, ip6);
	start_process(world, &start, run_smtp, NULL);
	close(start.message_limit_fd);
}

const char *smtp_text(const struct world *world, const char *more)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		"language 1\nhostname \"gw.example.net\"\nlog level error\n"
		"zone guest { interface \"lo\"; network 192.0.2.0/24, 2001:db8:1::/64\n"
		"identity address; level message; %s }\n"
		"server relay { host %s port %u; probe none; trace off }\n"
		"rule read { zone guest user any server relay }\n",
		more, server_texts[world->ip6], world->server_port);
	return text;
}

void begin_smtp(struct world *world, bool ip6)
{
	start_smtp(world, ip6);
	apply_policy(world, smtp_text(world, ""));
	tell_plain(world->control, IPC_PICTURE_DONE);
}

int accept_client(const struct world *world, int *client)
{
	const struct linger hard = {.l_onoff = 1};
	uint16_t port;
	int fd = listener(world->ip6, &port);

	*client = connect_from(client_text(world), internet_texts[world->ip6], port);
	fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	return fd;
}

static struct endpoint end_of(int fd, bool peer)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint end;

	assert_int_equal(peer ? getpeername(fd, (struct sockaddr *)&sa, &len)
			      : getsockname(fd, (struct sockaddr *)&sa, &len),
		0);
	assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &end), 0);
	return end;
}

void hand_over(const struct world *world, int pair, uint64_t flow, uint64_t session, int fd)
{
	static _Alignas(16) uint8_t room[HAND_BYTES_MAX];
	struct ipc_hand *hand = (void *)room;
	const struct session anna = {
		.id = session, .zone = {"guest", 5, 0}, .user = {"anna", 4, 0}};

	ipc_init(hand, IPC_HAND, sizeof(*hand));
	hand->flow = flow;
	hand->start_ms = 1;
	hand->policy = world->policy ? world->policy : 1;
	hand->client = end_of(fd, true);
	hand->original = end_of(fd, false);
	strcpy(hand->ifname, "lo");
	strcpy(hand->zone, "guest");
	assert_true(hand_put_session(hand, session ? &anna : NULL));
	tell(pair, hand, fd);
	close(fd);
}

void await_taken(int pair, uint64_t flow)
{
	struct ipc_taken taken;

	assert_int_equal(recv(pair, &taken, sizeof(taken), 0), sizeof(taken));
	assert_int_equal(ipc_check(&taken, sizeof(taken)), 0);
	assert_int_equal(taken.header.type, IPC_TAKEN);
	assert_true(taken.flow == flow);
}

void ask_smtp(int client, const char *line, const char *reply)
{
	const char *heard;

	if (*line)
		say(client, line);
	do
		heard = hear(client);
	while (heard[3] == '-');
	if (strncmp(heard, reply, strlen(reply)) != 0)
		fail_msg("\"%s\" to \"%s\", not \"%s\"", heard, line, reply);
}

int open_client(struct world *world, int pair, uint64_t flow, uint64_t session)
{
	int client, fd = accept_client(world, &client);

	hand_over(world, pair, flow, session, fd);
	await_taken(pair, flow);
	ask_smtp(client, "", "220 gw.example.net");
	ask_smtp(client, "EHLO laptop\r\n", "250 ");
	return client;
}

int take_recipient(const struct world *world)
{
	int server = server_take(world);
	say(server, "220 mx.example.net ESMTP\r\n");
	hear_exactly(server, "EHLO gw.example.net\r\n");
	say(server, "250-mx.example.net\r\n250 8BITMIME\r\n");
	hear_exactly(server, "MAIL FROM:<a@example.net>\r\n");
	say(server, "250 ok\r\n");
	hear_exactly(server, "RCPT TO:<b@example.org>\r\n");
	say(server, "250 2.1.5 ok\r\n");
	return server;
}

void take_data(int server)
{
	hear_exactly(server, "DATA\r\n");
	say(server, "354 go\r\n");
}

int open_message(struct world *world, int client)
{
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	say(client, "RCPT TO:<b@example.org>\r\n");
	int server = take_recipient(world);
	ask_smtp(client, "", "250 2.1.5 ok");
	say(client, "DATA\r\n");
	take_data(server);
	ask_smtp(client, "", "354 ");
	return server;
}

void end_smtp(struct world *world, int pair)
{
	close(pair);
	end(world);
}
