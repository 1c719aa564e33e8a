/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that find no room, and the last words: the smtp process with clients and servers that do
 * not read, in a time that stands still but for the test. */
#include "test/lib/smtp_world.h"

#include "daemon/smtp/flow.h"
#include "lib/record/message_ending.h"

#include <dlfcn.h>

/* More than all queues of the kernel on the way hold. */
#define TEXT_MAX  (64u << 20)
#define LOOK_EACH (1u << 20) /* bytes of a text */
#define LINE      64u        /* of a text, with its end */

/* ---- the clock ---- */

static int64_t *ahead_ms;

/* In the place of the C library's, for this program. */
int clock_gettime(clockid_t id, struct timespec *at)
{
	static int (*real)(clockid_t, struct timespec *);
	static struct timespec stopped[2];
	struct timespec *begin = &stopped[id == CLOCK_REALTIME];

	if (!real)
		real = (int (*)(clockid_t, struct timespec *))(uintptr_t)dlsym(
			RTLD_NEXT, "clock_gettime");
	if (!ahead_ms || (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME))
		return real(id, at);
	if (begin->tv_sec == 0)
		real(id, begin);
	*at = *begin;
	at->tv_sec += *ahead_ms / 1000;
	return 0;
}

/* Before a process is started, so that all have the same. */
static void stop_the_clock(void)
{
	struct timespec now;

	ahead_ms = mmap(
		NULL, sizeof(*ahead_ms), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(ahead_ms != MAP_FAILED);
	clock_gettime(CLOCK_MONOTONIC, &now);
	clock_gettime(CLOCK_REALTIME, &now);
}

/* One round, and with it all that was there before. */
static void go_round(struct world *world)
{
	struct ipc_kill nobody;

	ipc_init(&nobody, IPC_KILL, sizeof(nobody));
	nobody.session = UINT64_MAX;
	nobody.ending = ENDING_KILLED_LOGOUT;
	assert_int_equal(request(world, &nobody, -1).value, 0);
}

static void let_pass(struct world *world, int64_t ms)
{
	*ahead_ms += ms;
	go_round(world);
	go_round(world); /* what was due in the round before is done */
}

/* Control is told once in RECORD_PACE_MS, which pass. */
static const struct ipc_flow *await_told(struct world *world)
{
	*ahead_ms += 1000;
	return await_record(world);
}

/* ---- the process ---- */

static void ask_for_flows(const struct world *world)
{
	struct ipc_plain ask;

	ipc_init(&ask, IPC_FLOWS_GET, sizeof(ask));
	ask.header.seq = 9;
	tell(world->control, &ask, -1);
}

/* The one flow, as it was when that was read. */
static void await_flows(struct world *world, struct ipc_flow *flow)
{
	struct ipc_reply reply;

	await_live(world, flow);
	await(world, world->control, IPC_REPLY, &reply);
	assert_int_equal(reply.value, 1);
}

/* The one flow, as it is now. */
static void look(struct world *world, struct ipc_flow *flow)
{
	ask_for_flows(world);
	await_flows(world, flow);
}

/* ---- much ---- */

static char bytes_at(size_t at)
{
	static const char end[] = "\r\n";
	size_t in = at % LINE;

	return in < LINE - 2 ? (char)('a' + (at / LINE + in) % 26) : end[in - (LINE - 2)];
}

/* Its queue in the kernel has a size of its own from now on, and does not grow. */
static void narrow(int fd, int option, int bytes)
{
	assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes)), 0);
}

/* A client whose connection the test has still, to see what the process leaves unread. */
struct watched {
	int pair, client, ours;
	size_t said;
};

static struct watched open_watched(struct world *world)
{
	struct watched watched = {.pair = give_pair(world, PROCESS_RELAY)};
	int fd = accept_client(world, &watched.client);

	watched.ours = dup(fd);
	assert_true(watched.ours >= 0);
	hand_over(world, watched.pair, 7, 42, fd);
	await_taken(watched.pair, 7);
	ask_smtp(watched.client, "", "220 gw.example.net");
	ask_smtp(watched.client, "EHLO laptop\r\n", "250 ");
	return watched;
}

/* Bytes lie there that the process does not read, however often it looks. */
static bool is_paused(struct world *world, const struct watched *watched)
{
	struct ipc_flow first, last;
	int unread;

	assert_int_equal(ioctl(watched->ours, FIONREAD, &unread), 0);
	if (unread == 0)
		return false;
	look(world, &first);
	for (int round = 0; round < 20; round++)
		go_round(world);
	look(world, &last);
	return first.from_client_bytes == last.from_client_bytes;
}

/* Of whom nothing more is passed on all is taken. */
static bool is_drained(struct world *world)
{
	struct ipc_flow flow;

	look(world, &flow);
	return strcmp(flow.state, "drain") == 0;
}

/* Says what is said until the client is paused and its connection takes nothing more, or until the
 * text is given up. */
static void push(struct world *world, struct watched *watched, char (*said)(size_t at))
{
	static char bytes[64 * LINE];
	struct pollfd room = {.fd = watched->client, .events = POLLOUT};
	size_t looked = watched->said;

	while (watched->said < TEXT_MAX) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = said(watched->said + i);
		ssize_t n =
			send(watched->client, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			watched->said += (size_t)n;
		else
			assert_int_equal(errno, EAGAIN);
		if (n < 0 && is_paused(world, watched) && poll(&room, 1, 0) == 0)
			return;
		if (watched->said - looked >= LOOK_EACH && is_drained(world))
			return;
		if (watched->said - looked >= LOOK_EACH)
			looked = watched->said;
	}
	fail_msg("the client was not paused in %u bytes", TEXT_MAX);
}

/* Reads so many bytes of the text at the server. */
static size_t pull(int server, size_t at, size_t to)
{
	static char bytes[65536];

	while (at < to) {
		size_t want = to - at < sizeof(bytes) ? to - at : sizeof(bytes);
		ssize_t n = recv(server, bytes, want, 0);
		if (n <= 0)
			fail_msg("%zu bytes of %zu came", at, to);
		for (size_t i = 0; i < (size_t)n; i++)
			if (bytes[i] != bytes_at(at + i))
				fail_msg("byte %zu is another", at + i);
		at += (size_t)n;
	}
	return at;
}

/* A text under way to a server that does not read, and its client is paused. */
static struct watched fill(struct world *world, int *server, uint64_t *before)
{
	struct ipc_flow flow;

	narrow(world->server, SO_RCVBUF, 2 * SMTP_FLOW_PIECE_BYTES);
	struct watched watched = open_watched(world);
	*server = open_message(world, watched.client);
	look(world, &flow);
	*before = flow.from_client_bytes;
	push(world, &watched, bytes_at);
	return watched;
}

/* A CR is passed on with what follows it. */
static size_t passed_on(const struct watched *watched)
{
	return watched->said - (watched->said % LINE == LINE - 1);
}

static void end_line(struct watched *watched)
{
	for (; watched->said % LINE; watched->said++)
		say(watched->client, (char[]){bytes_at(watched->said), '\0'});
}

static void a_server_that_does_not_read_pauses_its_client(void **state)
{
	struct ipc_flow flow;
	struct world world;
	uint64_t before;
	int server;

	begin_smtp(&world, IS_IP6(state));
	struct watched text = fill(&world, &server, &before);
	look(&world, &flow);
	size_t read = (size_t)(flow.from_client_bytes - before);
	assert_true(read < text.said);
	assert_true(read > SMTP_FLOW_PIECE_BYTES);
	/* all that the process has not given away lies in one piece */
	hold(&world);
	size_t seen = pull(server, 0, read - SMTP_FLOW_PIECE_BYTES);
	let_go(&world);
	/* what waits, and what the client can say then, arrives as it was */
	seen = pull(server, seen, passed_on(&text));
	push(&world, &text, bytes_at);
	seen = pull(server, seen, passed_on(&text));
	close(text.ours);
	end_line(&text);
	pull(server, seen, text.said);
	say(text.client, ".\r\n");
	hear_exactly(server, ".\r\n");
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(text.client, "", "250 2.0.0 stored");
	ask_smtp(text.client, "QUIT\r\n", "221 ");
	await_told(&world);
	assert_int_equal(world.message_ending, MESSAGE_DELIVERED);
	close(text.client);
	close(server);
	end_smtp(&world, text.pair);
}

/* Until the text is given up: a busy kernel may take some bytes late, of the client or towards the
 * server, and the time begins anew. The client goes on then, or it would be the one who is silent.
 */
static void wait_for_the_stall(struct world *world, struct watched *text, struct ipc_flow *flow)
{
	look(world, flow);
	uint64_t before = flow->from_client_bytes;
	for (int round = 0; round < 20 && !is_drained(world); round++) {
		let_pass(world, ENGINE_STALL_MS - 1000);
		look(world, flow);
		if (round == 0 && flow->from_client_bytes == before)
			assert_string_equal(flow->state, "body");
		let_pass(world, 1000);
		if (!is_drained(world))
			push(world, text, bytes_at);
	}
	look(world, flow);
	assert_string_equal(flow->state, "drain");
}

static void a_server_that_never_reads_is_left(void **state)
{
	static char bytes[65536];
	struct ipc_flow flow;
	struct world world;
	uint64_t before;
	char last = '.';
	int server;
	ssize_t n;

	begin_smtp(&world, IS_IP6(state));
	struct watched text = fill(&world, &server, &before);
	wait_for_the_stall(&world, &text, &flow);
	/* it gets an end, and no dot: there is none in the text */
	while ((n = recv(server, bytes, sizeof(bytes), 0)) > 0) {
		assert_null(memchr(bytes, '.', (size_t)n));
		last = bytes[n - 1];
	}
	assert_int_not_equal(last, '.');
	assert_int_equal(n, 0);
	close(server);
	close(text.ours);
	/* the client hears so when it is done with its text, and may go on */
	end_line(&text);
	ask_smtp(text.client, ".\r\n", "451 4.4.");
	ask_smtp(text.client, "NOOP\r\n", "250 ");
	ask_smtp(text.client, "QUIT\r\n", "221 ");
	await_told(&world);
	assert_int_equal(world.messages, 1);
	assert_int_equal(world.message_ending, MESSAGE_SERVER_SILENT);
	assert_int_equal(world.record.ending, ENDING_QUIT);
	close(text.client);
	end_smtp(&world, text.pair);
}

static char reset_at(size_t at)
{
	return "RSET\r\n"[at % 6];
}

static void a_client_that_reads_nothing_has_its_time(void **state)
{
	struct ipc_flow flow;
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	struct watched deaf = open_watched(&world);
	narrow(deaf.client, SO_RCVBUF, 4096);
	narrow(deaf.ours, SO_SNDBUF, 4096);
	push(&world, &deaf, reset_at);
	let_pass(&world, ENGINE_COMMAND_MS - 1000);
	look(&world, &flow);
	assert_string_equal(flow.state, "command");
	close(deaf.ours);
	/* again and again while the kernel finds room for one more reply */
	for (int tries = 0; world.record.id != 7; tries++) {
		assert_true(tries < WAIT_S * 1000);
		usleep(1000);
		let_pass(&world, ENGINE_COMMAND_MS);
	}
	assert_int_equal(world.record.ending, ENDING_IDLE);
	close(deaf.client);
	/* others are served */
	int client = open_client(&world, deaf.pair, 8, 42);
	ask_smtp(client, "QUIT\r\n", "221 ");
	close(client);
	end_smtp(&world, deaf.pair);
}

/* ---- two flows in one round ---- */

struct two {
	int client, server;
	char text[4096], heard[4096];
};

static void one_flow_s_text_is_none_of_the_other_s(void **state)
{
	static const char *const ends[] = {"", ".\r\n"};
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	for (unsigned shape = 0; shape < 4; shape++) {
		static struct two two[2];
		for (unsigned i = 0; i < 2; i++) {
			two[i].client = open_client(&world, pair, 10 + 2 * shape + i, 42);
			two[i].server = open_message(&world, two[i].client);
		}
		hold(&world);
		for (unsigned i = 0; i < 2; i++) {
			size_t n = 0;
			for (unsigned line = 0; line < 50; line++)
				n += (size_t)snprintf(two[i].text + n, sizeof(two[i].text) - n,
					"text %u of shape %u, line %u\r\n", i, shape, line);
			snprintf(two[i].text + n, sizeof(two[i].text) - n, "%s",
				ends[shape >> i & 1]);
			say(two[i].client, two[i].text);
		}
		let_go(&world);
		for (unsigned i = 0; i < 2; i++) {
			size_t len = strlen(two[i].text);
			assert_int_equal(recv(two[i].server, two[i].heard, len, MSG_WAITALL), len);
			two[i].heard[len] = '\0';
			assert_string_equal(two[i].heard, two[i].text);
			expect_silence(two[i].server);
		}
		for (unsigned i = 0; i < 2; i++) {
			if (!(shape >> i & 1)) {
				say(two[i].client, ".\r\n");
				hear_exactly(two[i].server, ".\r\n");
			}
			say(two[i].server, "250 2.0.0 stored\r\n");
			ask_smtp(two[i].client, "", "250 2.0.0 stored");
			ask_smtp(two[i].client, "QUIT\r\n", "221 ");
			await_told(&world);
			close(two[i].client);
			close(two[i].server);
		}
	}
	end_smtp(&world, pair);
}

/* Each is answered by itself: many of them cost more than their bytes. One read brings more than a
 * round has a share of, so what stands behind it is not read yet. */
static void commands_have_a_share_of_a_round(void **state)
{
	static char noops[4 * SMTP_FLOW_READ_BYTES];
	struct ipc_flow flow;
	struct world world;
	size_t sent = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(noops); i++)
		noops[i] = "NOOP\r\n"[i % 6];
	begin_smtp(&world, IS_IP6(state));
	struct watched flood = open_watched(&world);
	narrow(flood.client, SO_SNDBUF, sizeof(noops));
	hold(&world);
	while (sent < sizeof(noops) &&
		(n = send(flood.client, noops + sent, sizeof(noops) - sent, MSG_DONTWAIT)) > 0)
		sent += (size_t)n;
	assert_true(sent > 2 * SMTP_FLOW_READ_BYTES);
	ask_for_flows(&world);
	let_go(&world);
	await_flows(&world, &flow);
	assert_true(flow.from_client_bytes <= SMTP_FLOW_READ_BYTES + strlen("EHLO laptop\r\n"));
	close(flood.client);
	close(flood.ours);
	end_smtp(&world, flood.pair);
}

/* ---- the last words ---- */

/* The clock stands still: no time that it has for its last words ends it. */
static void who_said_quit_is_parted_from_at_once(void **state)
{
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 7, 42);
	ask_smtp(client, "QUIT\r\n", "221 ");
	hear_end(client);
	const struct ipc_flow *record = await_told(&world);
	assert_int_equal(record->id, 7);
	assert_int_equal(record->ending, ENDING_QUIT);
	close(client);
	end_smtp(&world, pair);
}

/* Nothing of what it says then is read, and its 221 is there all the same. */
static void who_talks_on_behind_quit_hears_the_221(void **state)
{
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 7, 42);
	say(client, "QUIT\r\n");
	assert_int_equal(await_told(&world)->ending, ENDING_QUIT);
	say(client, "NOOP\r\n");
	ask_smtp(client, "", "221 ");
	close(client);
	end_smtp(&world, pair);
}

/* What was there already when its QUIT was read is read as well: closing would be a RST. */
static void what_stands_behind_quit_is_read(void **state)
{
	enum { ROOM = SMTP_COMMAND_MAX, LINES = ROOM / 6 };
	static char bytes[ROOM + 4096];
	struct world world;

	_Static_assert(ROOM % 6 == 0, "what is read at once ends with QUIT");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = "RSET\r\n"[i % 6];
	memcpy(bytes + ROOM - 6, "QUIT", 4);
	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 7, 42);
	hold(&world);
	assert_int_equal(send(client, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
	let_go(&world);
	for (int i = 1; i < LINES; i++)
		ask_smtp(client, "", "250 2.0.0 ");
	ask_smtp(client, "", "221 ");
	hear_end(client);
	close(client);
	assert_int_equal(await_told(&world)->ending, ENDING_QUIT);
	end_smtp(&world, pair);
}

/* ---- what control is told ---- */

/* The first at once; those behind it together, when some time has passed. */
static void who_begins_is_told_of_with_others(void **state)
{
	static _Alignas(16) uint8_t told[IPC_BYTES_MAX];
	const struct ipc_started *started = (const struct ipc_started *)(void *)told;
	struct world world;
	int clients[3];

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	clients[0] = open_client(&world, pair, 7, 42);
	await(&world, world.control, IPC_STARTED, told);
	assert_int_equal(started->v[0].flow, 7);
	assert_int_equal(started->header.bytes, sizeof(*started) + sizeof(started->v[0]));
	clients[1] = open_client(&world, pair, 8, 42);
	clients[2] = open_client(&world, pair, 9, 42);
	assert_int_equal(recv(world.control, told, sizeof(told), MSG_DONTWAIT), -1);
	*ahead_ms += 1000;
	await(&world, world.control, IPC_STARTED, told);
	assert_int_equal(started->header.bytes, sizeof(*started) + 2 * sizeof(started->v[0]));
	assert_int_equal(started->v[0].flow, 8);
	assert_int_equal(started->v[1].flow, 9);
	for (size_t i = 0; i < 3; i++)
		close(clients[i]);
	end_smtp(&world, pair);
}

/* Who is shown has been told of, whatever the time. */
static void who_is_shown_was_told_of(void **state)
{
	struct ipc_flow live;
	struct world world;

	begin_smtp(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY);
	int first = open_client(&world, pair, 7, 42);
	await(&world, world.control, IPC_STARTED, NULL);
	int second = open_client(&world, pair, 8, 42);
	world.started = false;
	ask_for_flows(&world);
	await_live(&world, &live);
	assert_true(world.started);
	close(first);
	close(second);
	end_smtp(&world, pair);
}

/* Our header line goes with the text, not before it. */
static void a_server_hears_nothing_of_a_text_that_never_begins(void **state)
{
	struct world world;
	char byte, text[4096];

	begin_smtp(&world, IS_IP6(state));
	snprintf(text, sizeof(text), "%s", smtp_text(&world, ""));
	char *off = strstr(text, "trace off");
	assert_non_null(off);
	memcpy(off, "trace on ", 9);
	apply_policy(&world, text);
	int pair = give_pair(&world, PROCESS_RELAY);
	int client = open_client(&world, pair, 7, 42);
	int server = open_message(&world, client);
	close(client);
	assert_int_equal(recv(server, &byte, 1, 0), 0);
	close(server);
	end_smtp(&world, pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_server_that_does_not_read_pauses_its_client),
		BOTH(a_server_that_never_reads_is_left),
		BOTH(a_client_that_reads_nothing_has_its_time),
		BOTH(one_flow_s_text_is_none_of_the_other_s),
		BOTH(commands_have_a_share_of_a_round),
		BOTH(who_said_quit_is_parted_from_at_once),
		BOTH(who_talks_on_behind_quit_hears_the_221),
		BOTH(what_stands_behind_quit_is_read),
		BOTH(who_begins_is_told_of_with_others),
		BOTH(who_is_shown_was_told_of),
		BOTH(a_server_hears_nothing_of_a_text_that_never_begins),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	stop_the_clock();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
