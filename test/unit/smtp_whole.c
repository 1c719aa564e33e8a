/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that are kept whole, in an smtp process: what their scans say is this test's, in the
 * place of daemon/smtp/scan/scan.c; client, server, control and its files are real. */
#include "test/lib/smtp_world.h"

#include "daemon/control/store/spool_files.h"
#include "daemon/smtp/scan/scan.h"
#include "daemon/smtp/spool/spool.h"
#include "lib/record/message_ending.h"

#define LINE 64u /* of a text, with its end */

/* ---- the scan ---- */

static struct verdict {
	bool waits; /* before 354, at the first time */
	bool refuses;
	bool seen; /* not whole */
	uint64_t instead_of;
	char front[64];
	/* what it saw */
	uint64_t bytes, sum;
	unsigned over;
} * verdict;

enum scan_answer scan_on_recipient(
	struct smtp_flow *flow, const struct decide_reply *reply, struct smtp_refusal *refusal)
{
	(void)flow;
	(void)reply;
	(void)refusal;
	return SCAN_GO_ON;
}

enum scan_answer scan_on_data(
	struct smtp_flow *flow, struct engine_verdict *said, struct smtp_refusal *refusal)
{
	(void)flow;
	(void)refusal;
	if (verdict->waits) {
		verdict->waits = false;
		return SCAN_WAITS;
	}
	verdict->bytes = verdict->sum = 0;
	said->mode = verdict->seen ? ENGINE_MODE_SEEN : ENGINE_MODE_WHOLE;
	return SCAN_GO_ON;
}

void scan_text(struct smtp_flow *flow, const char *bytes, size_t len)
{
	(void)flow;
	verdict->bytes += len;
	for (size_t i = 0; i < len; i++)
		verdict->sum = verdict->sum * 31 + (unsigned char)bytes[i];
}

bool scan_is_full(const struct smtp_flow *flow)
{
	(void)flow;
	return false;
}

enum scan_answer scan_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	(void)flow;
	*refusal = (struct smtp_refusal){550, "5.7.1", "spam"};
	return verdict->refuses ? SCAN_REFUSES : SCAN_GO_ON;
}

size_t scan_front(const struct smtp_flow *flow, const char **bytes, uint64_t *instead_of)
{
	(void)flow;
	*bytes = verdict->front;
	*instead_of = verdict->instead_of;
	return strlen(verdict->front);
}

void scan_message_over(struct smtp_flow *flow)
{
	(void)flow;
	verdict->over++;
}

void scan_flow_over(struct smtp_flow *flow)
{
	(void)flow;
}

void scan_recipient_done(struct smtp_flow *flow, bool taken)
{
	(void)flow;
	(void)taken;
}

void scan_follow(struct smtp_flow *flow)
{
	(void)flow;
}

const char *scan_words(const struct smtp_flow *flow, char text[static SCAN_WORDS_SIZE])
{
	(void)flow;
	text[0] = '\0';
	return text;
}

bool scan_ending(const struct smtp_flow *flow, enum message_ending *ending)
{
	(void)flow;
	(void)ending;
	return false;
}

/* ---- the rest ---- */

static void begin_whole(struct world *world, bool ip6)
{
	if (!verdict)
		verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(verdict != MAP_FAILED);
	memset(verdict, 0, sizeof(*verdict));
	begin_smtp(world, ip6);
}

static void give_file(const struct world *world, int fd)
{
	struct ipc_spool_file ipc;

	assert_true(fd >= 0);
	ipc_init(&ipc, IPC_SPOOL_FILE, sizeof(ipc));
	tell(world->control, &ipc, fd);
	close(fd);
}

/* A message up to our 354; the server's side is returned. */
static int open_whole(struct world *world, int client)
{
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	say(client, "RCPT TO:<b@example.org>\r\n");
	int server = take_recipient(world);
	ask_smtp(client, "", "250 2.1.5 ok");
	ask_smtp(client, "DATA\r\n", "354 gw.example.net ");
	expect_silence(server);
	return server;
}

static char byte_at(size_t at)
{
	static const char end[] = "\r\n";
	size_t in = at % LINE;

	if (in == 0 && at / LINE % 5 == 0)
		return '.'; /* which the client doubles, and we do */
	return in < LINE - 2 ? (char)('a' + (at / LINE + in) % 26) : end[in - (LINE - 2)];
}

/* The text as it goes over the wire, a block of lines. */
static size_t stuff(size_t at, size_t to, char *bytes)
{
	size_t n = 0;

	for (; at < to; at++) {
		char c = byte_at(at);
		if (at % LINE == 0 && c == '.')
			bytes[n++] = '.';
		bytes[n++] = c;
	}
	return n;
}

static void say_text(int client, size_t at, size_t end)
{
	static char block[2 * 512 * LINE];

	for (size_t to; at < end; at = to) {
		to = at + 512 * LINE < end ? at + 512 * LINE : end;
		size_t len = stuff(at, to, block), sent = 0;
		while (sent < len) {
			ssize_t n = send(client, block + sent, len - sent, MSG_NOSIGNAL);
			assert_true(n > 0);
			sent += (size_t)n;
		}
	}
}

static void hear_text(int server, size_t bytes)
{
	static char block[2 * 512 * LINE], heard[2 * 512 * LINE];

	for (size_t at = 0; at < bytes; at += 512 * LINE) {
		size_t to = at + 512 * LINE < bytes ? at + 512 * LINE : bytes;
		size_t len = stuff(at, to, block);
		assert_int_equal(recv(server, heard, len, MSG_WAITALL), len);
		if (memcmp(heard, block, len) != 0)
			fail_msg("another text between %zu and %zu", at, to);
	}
	hear_exactly(server, ".\r\n");
}

static void await_ending(struct world *world, unsigned messages, unsigned ending)
{
	while (world->messages < messages)
		await(world, world->control, IPC_RECORDS, NULL);
	assert_int_equal(world->message_ending, ending);
}

static void a_message_reaches_its_server_behind_the_verdict(void **state)
{
	struct world world;

	begin_whole(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	strcpy(verdict->front, "X-Scan: ok\r\nA: changed\r\n");
	verdict->instead_of = 6;
	int server = open_whole(&world, client);
	say(client, "A: b\r\n\r\n..dot\r\n");
	expect_silence(server);
	say(client, ".\r\n");
	take_data(server);
	hear_exactly(server, "X-Scan: ok\r\n");
	hear_exactly(server, "A: changed\r\n");
	hear_exactly(server, "\r\n");
	hear_exactly(server, "..dot\r\n");
	hear_exactly(server, ".\r\n");
	expect_silence(client);
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(client, "", "250 2.0.0 stored");
	await_ending(&world, 1, MESSAGE_DELIVERED);
	assert_int_equal(verdict->bytes, 14);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

static void a_long_one_comes_from_its_file(void **state)
{
	enum { FIRST = 1500000 / LINE * LINE, BYTES = 3000000 / LINE * LINE };
	struct ipc_spool_files_get get;
	struct world world;

	begin_whole(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	int server = open_whole(&world, client);
	/* it is asked for when it is needed, and the client waits meanwhile */
	say_text(client, 0, FIRST);
	await(&world, world.control, IPC_SPOOL_FILES_GET, &get);
	assert_in_range(get.n, 1, SPOOL_FILES_STOCK);
	int file = spool_file_open("/tmp"), copy = dup(file);
	give_file(&world, file);
	say_text(client, FIRST, BYTES);
	say(client, ".\r\n");
	take_data(server);
	hear_text(server, BYTES);
	say(server, "250 2.0.0 stored\r\n");
	ask_smtp(client, "", "250 2.0.0 stored");
	await_ending(&world, 1, MESSAGE_DELIVERED);
	assert_int_equal(verdict->bytes, BYTES);
	/* nothing of it is left */
	for (unsigned i = 0; lseek(copy, 0, SEEK_END) != 0; i++) {
		assert_true(i < 2000);
		usleep(10000);
	}
	close(copy);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

static void a_full_disk_is_told_behind_the_dot(void **state)
{
	struct world world;

	begin_whole(&world, IS_IP6(state));
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	int server = open_whole(&world, client);
	give_file(&world, open("/dev/full", O_RDWR | O_CLOEXEC));
	say_text(client, 0, 4000000 / LINE * LINE);
	expect_silence(client);
	ask_smtp(client, ".\r\n", "452 4.3.1 gw.example.net no room to keep the message");
	await_ending(&world, 1, MESSAGE_FAILED);
	/* the server heard of nothing, and is good for the next */
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	say(client, "RCPT TO:<b@example.org>\r\n");
	hear_exactly(server, "RSET\r\n");
	say(server, "250 ok\r\n");
	hear_exactly(server, "MAIL FROM:<a@example.net>\r\n");
	say(server, "250 ok\r\n");
	hear_exactly(server, "RCPT TO:<b@example.org>\r\n");
	say(server, "250 2.1.5 ok\r\n");
	ask_smtp(client, "", "250 2.1.5 ok");
	ask_smtp(client, "DATA\r\n", "354 ");
	say(client, "QUIT\r\n.\r\n");
	take_data(server);
	hear_exactly(server, "QUIT\r\n");
	hear_exactly(server, ".\r\n");
	say(server, "250 ok\r\n");
	ask_smtp(client, "", "250 ");
	await_ending(&world, 2, MESSAGE_DELIVERED);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

/* How many bytes the server got, none of which is a dot of its own. */
static size_t hear_without_dot(int server)
{
	static char bytes[4 + 65536]; /* behind the last of what came before */
	size_t all = 0, kept = 0;
	ssize_t n;

	while ((n = recv(server, bytes + kept, sizeof(bytes) - kept, 0)) > 0) {
		size_t len = kept + (size_t)n;
		assert_null(memmem(bytes, len, "\r\n.\r\n", 5));
		kept = len < 4 ? len : 4;
		memmove(bytes, bytes + len - kept, kept);
		all += (size_t)n;
	}
	return all;
}

/* While the text comes, before DATA, and in the middle of giving it. */
static void a_process_that_is_killed_leaves_nothing(void **state)
{
	enum { BYTES = 12000000 / LINE * LINE }; /* more than all queues on the way hold */
	int narrow = 4096, status;
	struct world world;

	for (unsigned step = 0; step < 3; step++) {
		begin_whole(&world, IS_IP6(state));
		assert_int_equal(
			setsockopt(world.server, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof(narrow)),
			0);
		int pair = give_pair(&world, PROCESS_RELAY);
		int client = open_client(&world, pair, 7, 42);
		int server = open_whole(&world, client);
		give_file(&world, spool_file_open("/tmp"));
		say_text(client, 0, BYTES);
		if (step > 0)
			say(client, ".\r\n");
		if (step == 1)
			hear_exactly(server, "DATA\r\n");
		if (step == 2) {
			take_data(server);
			hear(server);
		}
		assert_int_equal(kill(world.relay, SIGKILL), 0);
		assert_int_equal(waitpid(world.relay, &status, 0), world.relay);
		size_t heard = hear_without_dot(server);
		assert_true(step == 2 ? heard > 0 && heard < BYTES : heard == 0);
		close(client);
		close(server);
		close(pair);
		close(world.keeper);
		close(world.control);
		close(world.server);
	}
}

static void a_server_that_reads_slowly_gets_all(void **state)
{
	enum { BYTES = 2000000 / LINE * LINE };
	struct world world;
	int narrow = 4096;

	begin_whole(&world, IS_IP6(state));
	assert_int_equal(
		setsockopt(world.server, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof(narrow)), 0);
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	int server = open_whole(&world, client);
	give_file(&world, spool_file_open("/tmp"));
	say_text(client, 0, BYTES);
	say(client, ".\r\n");
	take_data(server);
	expect_silence(client);
	hear_text(server, BYTES);
	say(server, "550 5.7.1 no\r\n");
	ask_smtp(client, "", "550 5.7.1 no");
	await_ending(&world, 1, MESSAGE_REFUSED_SERVER);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

static void a_message_that_is_seen_goes_at_once(void **state)
{
	struct world world;

	begin_whole(&world, IS_IP6(state));
	verdict->seen = true;
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	int server = open_message(&world, client);
	say(client, "..a\r\n");
	hear_exactly(server, "..a\r\n");
	verdict->refuses = true;
	ask_smtp(client, ".\r\n", "550 5.7.1 gw.example.net spam");
	hear_end(server);
	assert_int_equal(verdict->bytes, 4);
	assert_true(verdict->over > 0);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

static void who_waits_before_354_is_woken(void **state)
{
	struct world world;

	begin_whole(&world, IS_IP6(state));
	verdict->waits = true;
	int pair = give_pair(&world, PROCESS_RELAY), client = open_client(&world, pair, 7, 42);
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	say(client, "RCPT TO:<b@example.org>\r\n");
	int server = take_recipient(&world);
	ask_smtp(client, "", "250 2.1.5 ok");
	say(client, "DATA\r\n");
	expect_silence(client);
	/* any event of it asks once more; it says no text */
	shutdown(client, SHUT_WR);
	ask_smtp(client, "", "354 ");
	hear_exactly(server, "QUIT\r\n");
	hear_end(client);
	close(client);
	close(server);
	end_smtp(&world, pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_message_reaches_its_server_behind_the_verdict),
		BOTH(a_long_one_comes_from_its_file),
		BOTH(a_full_disk_is_told_behind_the_dot),
		BOTH(a_process_that_is_killed_leaves_nothing),
		BOTH(a_server_that_reads_slowly_gets_all),
		BOTH(a_message_that_is_seen_goes_at_once),
		BOTH(who_waits_before_354_is_woken),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
