/* The control process between a keeper, a relay and a client that the test plays: what is said, in
 * which order, and what is left when it is killed. */
#include "daemon/channel.h"
#include "daemon/process.h"
#include "kernel-rules/plan.h"
#include "lib/message.h"
#include "lib/request.h"
#include "lib/session.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define DEADLINE_MS 10000

static const char policy_text[] =
	"language 1\n"
	"zone guest { interface \"br0\" lease 1h unauthenticated reject\n"
	"    limit sessions 2 per user }\n"
	"zone lobby { interface \"br1\" }\n"
	"zone staff { interface \"core0\" identity address network 198.51.100.0/24 }\n"
	"list blocked dynamic\n"
	"server relay { host 203.0.113.10 }\n"
	"rule blocked { zone guest source blocked verdict drop }\n"
	"rule guests { zone guest user any server relay }\n"
	"rule staff { zone staff user \"boss\" verdict pass }\n";

/* The same but for one time: nothing goes, and nothing opens. */
static const char longer_text[] =
	"language 1\n"
	"zone guest { interface \"br0\" lease 2h unauthenticated reject\n"
	"    limit sessions 2 per user }\n"
	"zone lobby { interface \"br1\" }\n"
	"zone staff { interface \"core0\" identity address network 198.51.100.0/24 }\n"
	"list blocked dynamic\n"
	"server relay { host 203.0.113.10 }\n"
	"rule blocked { zone guest source blocked verdict drop }\n"
	"rule guests { zone guest user any server relay }\n"
	"rule staff { zone staff user \"boss\" verdict pass }\n";

struct world {
	char dir[64], config[128], state[128], control_path[128], session_path[128];
	pid_t pid;
	int keeper, relay; /* our ends; -1: none */
	int control_socket, session_socket;
};

static struct world world;

static int listen_at(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(sun.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void write_config(const char *text)
{
	FILE *file = fopen(world.config, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* ---- what the keeper and the relay hear ---- */

union received {
	_Alignas(16) uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message_header header;
	struct message_reply reply;
	struct message_verdict verdict;
	struct message_entries entries;
	struct message_policy policy;
	struct message_sessions sessions;
	struct message_session_gone gone;
	struct message_kill kill;
	struct message_list_entries list;
	struct message_flow_ids ids;
	struct message_bypass bypass;
	struct message_neighbour neighbour;
};

static union received in;

/* The next message, into `in`. false: none within the time. */
static bool receive(int fd, int wait_ms, int *passed)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = in.bytes, .iov_len = sizeof(in.bytes)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room)};
	if (poll(&ready, 1, wait_ms) != 1)
		return false;
	ssize_t len = recvmsg(fd, &msg, 0);
	if (len <= 0)
		return false;
	assert_int_equal(message_check(in.bytes, (size_t)len), 0);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd_in = -1;
	if (cmsg)
		memcpy(&fd_in, CMSG_DATA(cmsg), sizeof(int));
	if (passed)
		*passed = fd_in;
	else if (fd_in >= 0)
		close(fd_in);
	return true;
}

static void expect(int fd, enum message_type type)
{
	assert_true(receive(fd, DEADLINE_MS, NULL));
	assert_string_equal(message_name((enum message_type)in.header.type), message_name(type));
}

static void say(int fd, const void *message, int passed)
{
	const struct message_header *header = message;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = header->bytes};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (passed >= 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &msg, 0), (ssize_t)header->bytes);
}

static void answer_seq(int fd, uint32_t seq, int status, const char *text)
{
	struct message_reply reply;
	message_init(&reply, MESSAGE_REPLY, sizeof(reply));
	reply.header.seq = seq;
	reply.status = status;
	strcpy(reply.text, text);
	assert_int_not_equal(seq, 0);
	say(fd, &reply, -1);
}

/* Answers the message that was received last. */
static void answer(int fd, int status, const char *text)
{
	answer_seq(fd, in.header.seq, status, text);
}

/* ---- the process ---- */

static void start_control(void)
{
	int pair[2];
	struct process_start start = {.options = {.config = world.config,
					      .state_dir = world.state,
					      .run_dir = world.dir,
					      .user = "nobody",
					      .foreground = true,
					      .relays = 1,
					      .mark_mask = 0xf0000000,
					      .route_table = 4025,
					      .relay_port = 4025,
					      .queue = 4025},
		.control_fd = -1,
		.limit_fd = -1,
		.control_socket = world.control_socket,
		.session_socket = world.session_socket,
		.desk_socket = -1};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	world.pid = fork();
	if (world.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* a crash shall end it, not go on in the test's own handler */
		static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
		for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
			signal(crashes[i], SIG_DFL);
		close(pair[0]);
		start.keeper_fd = pair[1];
		_exit(control_main(&start));
	}
	close(pair[1]);
	world.keeper = pair[0];
	world.relay = -1;
}

static void stop_control(int signal)
{
	if (world.pid > 0 && signal)
		kill(world.pid, signal);
	if (world.keeper >= 0)
		close(world.keeper);
	if (world.relay >= 0)
		close(world.relay);
	world.keeper = world.relay = -1;
	if (world.pid > 0)
		waitpid(world.pid, NULL, 0);
	world.pid = 0;
}

static void expect_plan(enum plan_mode mode)
{
	int fd;
	void *bytes;
	size_t len;
	struct plan plan;
	assert_true(receive(world.keeper, DEADLINE_MS, &fd));
	assert_int_equal(in.header.type, MESSAGE_PLAN);
	assert_int_equal(channel_map(fd, &bytes, &len), 0);
	assert_int_equal(plan_decode(bytes, len, &plan), 0);
	assert_int_equal(plan.mode, mode);
	plan_fini(&plan);
	munmap(bytes, len);
}

/* Plays the keeper up to the plan of the policy that runs: the posture comes first. */
static void greet_control_until_plan(int posture, int plan)
{
	expect_plan(PLAN_BARE);
	answer(world.keeper, posture, "");
	expect_plan(PLAN_RUNNING);
	answer(world.keeper, plan, plan ? "no" : "");
}

/* A policy takes the place of the one that control came up with, while no relay is there. */
static void see_another_policy(void)
{
	expect_plan(PLAN_RUNNING);
	answer(world.keeper, 0, "");
	expect(world.keeper, MESSAGE_ENTRIES);
	answer(world.keeper, 0, "");
}

static void expect_ready(void)
{
	expect(world.keeper, MESSAGE_ENTRIES);
	assert_int_equal(in.entries.flush, 1);
	expect(world.keeper, MESSAGE_KERNEL_COUNTERS_GET); /* is a bypass on? */
	expect(world.keeper, MESSAGE_DOCTOR_GET);
	expect(world.keeper, MESSAGE_READY);
	expect(world.keeper, MESSAGE_LOG_LEVEL);
}

/* Plays the keeper until READY. */
static void greet_control(void)
{
	greet_control_until_plan(0, 0);
	expect_ready();
}

/* Plays a relay that gets its picture. */
static void add_relay(void)
{
	int pair[2];
	struct message_peer peer;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	message_init(&peer, MESSAGE_PEER, sizeof(peer));
	peer.generation = 1;
	say(world.keeper, &peer, pair[1]);
	close(pair[1]);
	world.relay = pair[0];
	expect(world.relay, MESSAGE_LOG_LEVEL);
	expect(world.relay, MESSAGE_POLICY);
	expect(world.relay, MESSAGE_POLICY_COMMIT);
	do {
		assert_true(receive(world.relay, DEADLINE_MS, NULL));
	} while (in.header.type != MESSAGE_PICTURE_DONE);
	expect(world.relay, MESSAGE_FLOWS_GET);
	answer(world.relay, 0, "");
}

static int set_up(void **state)
{
	(void)state;
	world = (struct world){.keeper = -1, .relay = -1};
	strcpy(world.dir, "/tmp/postern-control-XXXXXX");
	if (!mkdtemp(world.dir))
		return -1;
	snprintf(world.config, sizeof(world.config), "%s/conf", world.dir);
	snprintf(world.state, sizeof(world.state), "%s/state", world.dir);
	snprintf(world.control_path, sizeof(world.control_path), "%s/control.sock", world.dir);
	snprintf(world.session_path, sizeof(world.session_path), "%s/session.sock", world.dir);
	if (mkdir(world.state, 0700) < 0)
		return -1;
	world.control_socket = listen_at(world.control_path);
	world.session_socket = listen_at(world.session_path);
	write_config(policy_text);
	start_control();
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	stop_control(0);
	close(world.control_socket);
	close(world.session_socket);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	return system(command);
}

/* ---- what a client of the sockets asks ---- */

struct asked {
	int fd, status;
	struct request_reader reader;
	char rows[65536], text[65536], error[4096];
};

static int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(sun.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void send_frame(int fd, enum request_kind kind, const void *payload, size_t len)
{
	uint8_t header[REQUEST_HEADER_SIZE];
	request_encode_header(header, kind, (uint32_t)len);
	assert_int_equal(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	if (len)
		assert_int_equal(send(fd, payload, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Words with single blanks between them. */
static void send_request(int fd, const char *words, const char *body)
{
	char payload[1024];
	size_t len = strlen(words) + 1;
	memcpy(payload, words, len);
	for (size_t i = 0; i < len; i++)
		if (payload[i] == ' ')
			payload[i] = '\0';
	send_frame(fd, REQUEST_WORDS, payload, len);
	if (body)
		send_frame(fd, REQUEST_BODY, body, strlen(body));
	send_frame(fd, REQUEST_GO, NULL, 0);
}

static void take_frame(
	struct asked *asked, enum request_kind kind, const uint8_t *payload, size_t len)
{
	char *to = kind == REQUEST_ROW ? asked->rows : asked->text;
	size_t used = strlen(to);
	if (kind == REQUEST_DONE) {
		asked->status = payload[0];
		snprintf(asked->error, sizeof(asked->error), "%.*s", (int)len - 1, payload + 1);
	} else if (used + len + 2 < sizeof(asked->rows)) {
		memcpy(to + used, payload, len);
		strcpy(to + used + len, kind == REQUEST_ROW ? "\n" : "");
	}
}

/* Reads until DONE; false when nothing comes within the time. */
static bool read_answer(struct asked *asked, int wait_ms)
{
	asked->status = -1;
	for (;;) {
		enum request_kind kind;
		const uint8_t *payload;
		size_t len, room;
		while (request_reader_frame(&asked->reader, &kind, &payload, &len) == 1) {
			take_frame(asked, kind, payload, len);
			request_reader_next(&asked->reader);
			if (asked->status >= 0)
				return true;
		}
		struct pollfd ready = {.fd = asked->fd, .events = POLLIN};
		if (poll(&ready, 1, wait_ms) != 1)
			return false;
		uint8_t *to = request_reader_room(&asked->reader, &room);
		ssize_t n = recv(asked->fd, to, room, 0);
		if (n <= 0)
			return false;
		request_reader_fed(&asked->reader, (size_t)n);
	}
}

static struct asked *connect_asked(const char *path)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	asked->status = -1;
	asked->fd = connect_to(path);
	request_reader_init(&asked->reader);
	return asked;
}

static struct asked *begin_at(const char *path, const char *words, const char *body)
{
	struct asked *asked = connect_asked(path);
	send_request(asked->fd, words, body);
	return asked;
}

static struct asked *begin(const char *words, const char *body)
{
	return begin_at(world.control_path, words, body);
}

static void finish(struct asked *asked, int status)
{
	if (asked->status < 0)
		assert_true(read_answer(asked, DEADLINE_MS));
	if (asked->status != status)
		print_error("%s\n", asked->error);
	assert_int_equal(asked->status, status);
	close(asked->fd);
	request_reader_fini(&asked->reader);
	free(asked);
}

static void admit(const char *ifname, const char *addr, const char *mac)
{
	struct message_admit message;
	message_init(&message, MESSAGE_ADMIT, sizeof(message));
	message.packet = 77;
	message.ifindex = 2;
	strcpy(message.ifname, ifname);
	assert_int_equal(addr_parse(addr, strlen(addr), &message.source.addr), 0);
	message.source.port = 40000;
	message.original = message.source;
	message.original.port = 25;
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &message.mac), 0);
	say(world.keeper, &message, -1);
	expect(world.keeper, MESSAGE_VERDICT);
	assert_int_equal(in.verdict.packet, 77);
}

#define MAC7 "02:00:5e:00:53:07"
#define MAC8 "02:00:5e:00:53:08"

/* ---- cases ---- */

static void a_login_is_effective_before_it_is_answered(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.kernel, DECIDE_KERNEL_REJECT);
	assert_int_equal(in.verdict.cache, 1);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	assert_int_equal(in.verdict.entry.has_mac, 1);

	struct asked *login =
		begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL);
	expect(world.keeper, MESSAGE_ENTRIES);
	assert_int_equal(in.entries.n, 1);
	assert_int_equal(in.entries.v[0].add, 0);
	/* the kernel has not answered, so neither does control */
	assert_false(read_answer(login, 200));
	answer(world.keeper, 0, "");
	finish(login, 0);
	expect(world.relay, MESSAGE_SESSIONS);
	assert_int_equal(in.sessions.n, 1);

	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.cache, 1);
	assert_true(in.verdict.entry.timeout_ms > 3500000);
	assert_true(in.verdict.entry.timeout_ms <= 3600000);
}

static void who_is_answered_without_a_login_stays_unknown_to_the_kernel(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	admit("br1", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.kernel, DECIDE_KERNEL_RELAY);
	assert_int_equal(in.verdict.cache, 0);
	finish(begin("session login ann zone lobby address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("br1", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.kernel, DECIDE_KERNEL_RELAY);
	assert_int_equal(in.verdict.cache, 1);
}

static void another_address_of_the_mac_is_learned(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("br0", "2001:db8::7", MAC7);
	assert_true(in.verdict.entry.timeout_ms > 3500000);
	expect(world.relay, MESSAGE_SESSIONS);
	struct asked *show = begin("session show address 2001:db8::7", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->rows, "\"user\":\"ann\""));
	finish(show, 0);
	/* another MAC is not that session, and takes the address's entry away */
	admit("br0", "2001:db8::7", MAC8);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	assert_int_equal(in.verdict.forget, 1);
	assert_int_equal(in.verdict.forgotten.add, 0);
}

static void the_first_address_of_a_mac_alone_is_learned(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("br0", "2001:db8::7", MAC7);
	expect(world.relay, MESSAGE_SESSIONS);
	finish(begin("session show address 2001:db8::7", NULL), 0);
}

static void a_logout_ends_verdicts_and_flows(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *logout = begin("session logout user ann", NULL);
	expect(world.keeper, MESSAGE_ENTRIES);
	assert_int_equal(in.entries.v[0].add, 0);
	uint32_t seq = in.header.seq;
	expect(world.relay, MESSAGE_SESSION_GONE);
	assert_false(read_answer(logout, 100));
	answer_seq(world.keeper, seq, 0, "");
	expect(world.relay, MESSAGE_KILL);
	assert_int_equal(in.kill.ending, ENDING_KILLED_LOGOUT);
	finish(logout, 0);
	finish(begin("session logout user ann", NULL), 1);
}

static void only_who_passed_is_cut_and_one_address_at_a_time(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login boss zone staff address 198.51.100.7,198.51.100.8", NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	finish(begin("session login boss zone staff address 198.51.100.9", NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("core0", "198.51.100.7", NULL);
	assert_int_equal(in.verdict.kernel, DECIDE_KERNEL_PASS);
	assert_int_equal(in.verdict.cache, 1);
	assert_int_equal(in.verdict.entry.has_mac, 0);
	admit("core0", "198.51.100.8", NULL);
	struct asked *logout = begin("session logout user boss", NULL);
	expect(world.keeper, MESSAGE_ENTRIES);
	answer(world.keeper, 0, "");
	expect(world.keeper, MESSAGE_CUT);
	uint32_t seq = in.header.seq;
	finish(logout, 0);
	assert_false(receive(world.keeper, 200, NULL));
	answer_seq(world.keeper, seq, 0, "");
	expect(world.keeper, MESSAGE_CUT);
	answer(world.keeper, 0, "");
	assert_false(receive(world.keeper, 200, NULL));
}

static void a_login_renews_or_replaces_and_has_its_limit(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	struct asked *again =
		begin("session login ann zone guest address 192.0.2.9 mac " MAC7, NULL);
	assert_true(read_answer(again, DEADLINE_MS));
	assert_non_null(strstr(again->rows, "\"outcome\":\"renewed\""));
	assert_non_null(strstr(again->rows, "\"session\":\"1\""));
	finish(again, 0);
	expect(world.relay, MESSAGE_SESSIONS);

	struct asked *other =
		begin("session login bob zone guest address 192.0.2.9 mac " MAC7, NULL);
	assert_true(read_answer(other, DEADLINE_MS));
	assert_non_null(strstr(other->rows, "\"outcome\":\"replaced\""));
	finish(other, 0);
	expect(world.relay, MESSAGE_SESSION_GONE);
	assert_int_equal(in.gone.id, 1);
	expect(world.relay, MESSAGE_SESSIONS);
	expect(world.relay, MESSAGE_KILL);
	assert_int_equal(in.kill.ending, ENDING_KILLED_REPLACED);

	finish(begin("session login bob zone guest mac 02:00:5e:00:53:11", NULL), 0);
	struct asked *third = begin("session login bob zone guest mac 02:00:5e:00:53:12", NULL);
	assert_true(read_answer(third, DEADLINE_MS));
	assert_non_null(strstr(third->error, "2 sessions"));
	finish(third, 1);
}

static void a_login_for_everybody_is_refused(void **state)
{
	static const struct {
		const char *words;
		int status;
	} logins[] = {
		{"session login ann zone guest address 0.0.0.0/0 mac " MAC7, 1},
		{"session login ann zone guest address ::/0", 1},
		{"session login ann zone guest mac ff:ff:ff:ff:ff:ff", 2},
		{"session login ann zone guest address 192.0.2.7 mac 01:00:5e:00:00:01", 2},
	};
	(void)state;
	greet_control();
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++)
		finish(begin(logins[i].words, NULL), logins[i].status);
}

static void tell_link(const char *name, uint32_t ifindex)
{
	struct message_link link;
	message_init(&link, MESSAGE_LINK, sizeof(link));
	link.ifindex = ifindex;
	link.has_mac = 1;
	link.up = 1;
	strcpy(link.name, name);
	say(world.keeper, &link, -1);
}

static void without_mac_the_neighbour_table_is_asked(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	tell_link("br0", 3);
	tell_link("br1", 4); /* another zone's: nobody asks there */
	struct asked *login = begin("session login ann zone guest address 192.0.2.7", NULL);
	expect(world.keeper, MESSAGE_NEIGHBOUR_GET);
	assert_int_equal(in.neighbour.ifindex, 3);
	struct message_neighbour found = in.neighbour;
	found.header.type = MESSAGE_NEIGHBOUR;
	say(world.keeper, &found, -1);
	assert_true(read_answer(login, DEADLINE_MS));
	assert_non_null(strstr(login->error, "neighbour table"));
	finish(login, 1);

	login = begin("session login ann zone guest address 192.0.2.7", NULL);
	expect(world.keeper, MESSAGE_NEIGHBOUR_GET);
	found = in.neighbour;
	found.header.type = MESSAGE_NEIGHBOUR;
	assert_int_equal(mac_parse(MAC7, strlen(MAC7), &found.mac), 0);
	say(world.keeper, &found, -1);
	assert_true(read_answer(login, DEADLINE_MS));
	assert_non_null(strstr(login->rows, MAC7));
	finish(login, 0);
	/* a zone that goes by address needs none */
	finish(begin("session login ann zone staff address 198.51.100.0/28", NULL), 0);
	finish(begin("session login ann zone staff address 192.0.2.1", NULL), 1);
}

static void a_list_entry_takes_the_verdict_out_of_the_kernel(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *add = begin("list add blocked 192.0.2.0/28 timeout 1h", NULL);
	expect(world.keeper, MESSAGE_ENTRIES);
	assert_int_equal(in.entries.n, 1);
	answer(world.keeper, 0, "");
	finish(add, 0);
	expect(world.relay, MESSAGE_LIST_ENTRIES);
	assert_int_equal(in.list.n, 1);
	assert_int_equal(in.list.v[0].add, 1);
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.kernel, DECIDE_KERNEL_DROP);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	finish(begin("list add nowhere 192.0.2.1", NULL), 1);
	finish(begin("list add blocked 192.0.2.x", NULL), 2);
}

static const char changed_text[] = "language 1\n"
				   "zone guest { interface \"br0\" lease 2h }\n"
				   "server relay { host 203.0.113.10 }\n"
				   "rule guests { zone guest user any server relay }\n";

static void expect_policy(const char *has)
{
	struct asked *show = begin("policy show", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->text, has));
	finish(show, 0);
}

static void an_apply_that_a_relay_or_the_kernel_refuses_changes_nothing(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	struct asked *apply = begin("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, MESSAGE_POLICY);
	answer(world.relay, -ENOMEM, "no room");
	expect(world.relay, MESSAGE_POLICY_ABORT);
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->error, "no room"));
	finish(apply, 1);

	apply = begin("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, MESSAGE_POLICY);
	answer(world.relay, 0, "");
	expect(world.keeper, MESSAGE_PLAN);
	answer(world.keeper, -EBUSY, "busy");
	expect(world.relay, MESSAGE_POLICY_ABORT);
	finish(apply, 1);

	apply = begin("policy apply conf2 --allow-empty --allow-open", "zone x { interface }");
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->error, "conf2:1:"));
	finish(apply, 1);
	expect_policy("lease 1h");
}

static void an_apply_goes_its_steps_in_order(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login eve zone staff address 198.51.100.7", NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	struct asked *apply = begin("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, MESSAGE_POLICY);
	uint64_t number = in.policy.number;
	answer(world.relay, 0, "");
	expect(world.keeper, MESSAGE_PLAN);
	answer(world.keeper, 0, "");
	expect(world.relay, MESSAGE_POLICY_COMMIT);
	assert_int_equal(in.policy.number, number);
	answer(world.relay, 0, "");
	/* the zone is gone: its session is set aside */
	expect(world.relay, MESSAGE_KILL);
	expect(world.relay, MESSAGE_SESSIONS);
	expect(world.keeper, MESSAGE_ENTRIES);
	assert_int_equal(in.entries.flush, 1);
	answer(world.keeper, 0, "");
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->text, "zone staff is gone: 1 session set aside"));
	finish(apply, 0);
	expect_policy("lease 2h");
}

/* Lets an apply run until a step and kills control there; then a new control starts. */
static void kill_at(int step, const char *has)
{
	struct asked *apply = begin("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, MESSAGE_POLICY);
	if (step > 0) {
		answer(world.relay, 0, "");
		expect(world.keeper, MESSAGE_PLAN);
	}
	if (step > 1) {
		answer(world.keeper, 0, "");
		expect(world.relay, MESSAGE_POLICY_COMMIT);
	}
	stop_control(SIGKILL);
	close(apply->fd);
	request_reader_fini(&apply->reader);
	free(apply);
	start_control();
	greet_control();
	add_relay();
	expect_policy(has);
}

static void killed_in_an_apply_the_old_or_the_new_policy_runs(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(begin("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, MESSAGE_SESSIONS);
	kill_at(0, "lease 1h");
	kill_at(1, "lease 1h");
	kill_at(2, "lease 2h");
	struct asked *show = begin("session show user ann", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->rows, MAC7));
	finish(show, 0);
}

static void what_is_no_request_is_refused_and_others_go_on(void **state)
{
	static const uint8_t future[] = {'P', 'S', 9, 1, 0, 0, 0, 0};
	(void)state;
	greet_control();
	struct asked *half = connect_asked(world.control_path);
	send_frame(half->fd, REQUEST_WORDS, "policy\0show", 12);

	struct asked *other = connect_asked(world.control_path);
	assert_int_equal(send(other->fd, future, sizeof(future), 0), sizeof(future));
	assert_true(read_answer(other, DEADLINE_MS));
	assert_non_null(strstr(other->error, "version"));
	finish(other, 1);

	expect_policy("lease 1h");
	send_frame(half->fd, REQUEST_GO, NULL, 0);
	finish(half, 0);
	finish(begin("nonsense", NULL), 2);
	finish(begin("rule show no such rule", NULL), 2);
	finish(begin_at(world.session_path, "policy show", NULL), 1);
	finish(begin_at(world.session_path, "session show", NULL), 0);
}

static void too_many_connections_are_turned_away(void **state)
{
	int fds[64];
	(void)state;
	greet_control();
	for (unsigned i = 0; i < 64; i++)
		fds[i] = connect_to(world.control_path);
	struct asked *late = connect_asked(world.control_path);
	assert_true(read_answer(late, DEADLINE_MS));
	assert_non_null(strstr(late->error, "too many"));
	finish(late, 1);
	for (unsigned i = 0; i < 64; i++)
		close(fds[i]);
	/* the places are free again, as soon as control has seen it */
	for (int status = 1; status;) {
		struct asked *asked = begin("policy show", NULL);
		assert_true(read_answer(asked, DEADLINE_MS));
		status = asked->status;
		finish(asked, status);
	}
}

static void a_bad_file_does_not_stop_the_running_policy(void **state)
{
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	write_config("zone {\n");
	start_control();
	greet_control();
	expect_policy("lease 1h");
	stop_control(SIGKILL);
	write_config(longer_text);
	start_control();
	greet_control_until_plan(0, 0);
	see_another_policy();
	expect_ready();
	expect_policy("lease 2h");
}

static void a_changed_file_that_the_kernel_refuses_is_not_the_running_policy(void **state)
{
	(void)state;
	greet_control();
	for (unsigned start = 0; start < 2; start++) {
		stop_control(SIGKILL);
		write_config(longer_text);
		start_control();
		greet_control_until_plan(0, 0);
		expect_plan(PLAN_RUNNING);
		answer(world.keeper, -EINVAL, "no");
		expect_ready();
		expect_policy("lease 1h");
	}
}

/* A new kernel, a new version: what ran does not run any more. */
static void a_policy_that_the_kernel_refuses_gives_way_to_the_one_before(void **state)
{
	(void)state;
	greet_control();
	struct asked *apply = begin("policy apply conf2 --allow-empty --allow-open", changed_text);
	see_another_policy();
	finish(apply, 0);
	expect_policy("lease 2h");
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(0, -EINVAL);
	see_another_policy();
	expect_ready();
	expect_policy("lease 1h");
	/* and it is the running one at the next start, too */
	stop_control(SIGKILL);
	start_control();
	greet_control();
	expect_policy("lease 1h");
}

static void where_no_plan_is_taken_the_one_in_the_kernel_goes_on(void **state)
{
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(-EEXIST, -EINVAL);
	expect_ready();
	expect_policy("lease 1h");
}

static void where_no_plan_is_taken_and_none_is_there_the_posture_is_all(void **state)
{
	int status;
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(0, -EINVAL);
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void without_any_policy_there_is_no_start(void **state)
{
	int status;
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	char command[256];
	snprintf(command, sizeof(command), "rm -rf %s/policy", world.state);
	assert_int_equal(system(command), 0);
	write_config("zone {\n");
	start_control();
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_login_is_effective_before_it_is_answered),
		CASE(who_is_answered_without_a_login_stays_unknown_to_the_kernel),
		CASE(another_address_of_the_mac_is_learned),
		CASE(the_first_address_of_a_mac_alone_is_learned),
		CASE(a_logout_ends_verdicts_and_flows),
		CASE(only_who_passed_is_cut_and_one_address_at_a_time),
		CASE(a_login_renews_or_replaces_and_has_its_limit),
		CASE(a_login_for_everybody_is_refused),
		CASE(without_mac_the_neighbour_table_is_asked),
		CASE(a_list_entry_takes_the_verdict_out_of_the_kernel),
		CASE(an_apply_that_a_relay_or_the_kernel_refuses_changes_nothing),
		CASE(an_apply_goes_its_steps_in_order),
		CASE(killed_in_an_apply_the_old_or_the_new_policy_runs),
		CASE(what_is_no_request_is_refused_and_others_go_on),
		CASE(too_many_connections_are_turned_away),
		CASE(a_bad_file_does_not_stop_the_running_policy),
		CASE(a_changed_file_that_the_kernel_refuses_is_not_the_running_policy),
		CASE(a_policy_that_the_kernel_refuses_gives_way_to_the_one_before),
		CASE(where_no_plan_is_taken_the_one_in_the_kernel_goes_on),
		CASE(where_no_plan_is_taken_and_none_is_there_the_posture_is_all),
		CASE(without_any_policy_there_is_no_start),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
