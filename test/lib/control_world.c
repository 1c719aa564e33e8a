/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/control_world.h"

#include "test/lib/control_folder.h"
#include "test/lib/message_memory.h"

const char control_policy[] =
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

struct world world;

/* Control hears nobody who has its own user. Here it has another than who asks it, by the linker's
 * --wrap. */
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
	return getuid() + 1;
}

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

void write_config(const char *text)
{
	FILE *file = fopen(world.config, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* ---- what the keeper and the relay hear ---- */

union received in;

bool receive(int fd, int wait_ms, int *passed)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = in.bytes, .iov_len = sizeof(in.bytes)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room};
	ssize_t len;
	do {
		if (poll(&ready, 1, wait_ms) != 1)
			return false;
		msg.msg_controllen = sizeof(control.room);
		len = recvmsg(fd, &msg, 0);
		if (len <= 0)
			return false;
	} while (in.header.type == IPC_SETTLED); /* behind a policy, whatever is asked next */
	assert_int_equal(ipc_check(in.bytes, (size_t)len), 0);
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

void expect(int fd, unsigned type)
{
	assert_true(receive(fd, DEADLINE_MS, NULL));
	assert_string_equal(ipc_name(in.header.type), ipc_name(type));
}

void send_to(int fd, const void *ipc, int passed)
{
	const struct ipc_header *header = ipc;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)ipc, .iov_len = header->bytes};
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

void answer_seq(int fd, uint32_t seq, int status, const char *text)
{
	struct ipc_reply reply;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = seq;
	reply.status = status;
	strcpy(reply.text, text);
	assert_int_not_equal(seq, 0);
	send_to(fd, &reply, -1);
}

void answer(int fd, int status, const char *text)
{
	answer_seq(fd, in.header.seq, status, text);
}

/* ---- the process ---- */

void start_control(void)
{
	int pair[2];
	struct process_start start = {.options = {.config = world.config,
					      .state_dir = world.state,
					      .run_dir = world.dir,
					      .user = "nobody",
					      .foreground = true,
					      .relays = 1,
					      .mark_mask = 0xf0000000,
					      .server_mask = 0x0fff0000,
					      .route_table = 4025,
					      .relay_port = 4025,
					      .queue = 4025},
		.control_fd = -1,
		.limit_fd = -1,
		.message_limit_fd = make_message_limit(&world.limits),
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
		/* a disk that a test lets be full is an error of writing */
		signal(SIGXFSZ, SIG_IGN);
		close(pair[0]);
		start.keeper_fd = pair[1];
		_exit(control_main(&start));
	}
	close(pair[1]);
	close(start.message_limit_fd);
	world.keeper = pair[0];
	world.relay = -1;
}

void stop_control(int signal)
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

void hold_control(void)
{
	siginfo_t info;

	assert_int_equal(kill(world.pid, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)world.pid, &info, WSTOPPED | WNOWAIT), 0);
}

void let_control_go(void)
{
	assert_int_equal(kill(world.pid, SIGCONT), 0);
}

void expect_plan(enum plan_mode mode)
{
	int fd;
	void *bytes;
	size_t len;
	struct plan plan;
	assert_true(receive(world.keeper, DEADLINE_MS, &fd));
	assert_int_equal(in.header.type, IPC_PLAN);
	assert_int_equal(channel_map(fd, &bytes, &len), 0);
	assert_int_equal(plan_decode(bytes, len, &plan), 0);
	assert_int_equal(plan.mode, mode);
	plan_fini(&plan);
	munmap(bytes, len);
}

void greet_control_until_plan(int posture, int plan)
{
	expect_plan(PLAN_BARE);
	answer(world.keeper, posture, "");
	expect(world.keeper, IPC_WANTED);
	assert_int_equal(in.wanted.roles, 0);
	expect_plan(PLAN_RUNNING);
	answer(world.keeper, plan, plan ? "no" : "");
}

void see_another_policy(void)
{
	expect_plan(PLAN_RUNNING);
	answer(world.keeper, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
}

void expect_ready(void)
{
	expect(world.keeper, IPC_ENTRIES);
	assert_int_equal(in.entries.flush, 1);
	expect(world.keeper, IPC_KERNEL_COUNTERS_GET); /* is a bypass on? */
	expect(world.keeper, IPC_DOCTOR_GET);
	expect(world.keeper, IPC_READY);
	expect(world.keeper, IPC_LOG_LEVEL);
}

void greet_control(void)
{
	greet_control_until_plan(0, 0);
	expect_ready();
}

int add_process(enum process_role role, unsigned number)
{
	int pair[2];
	struct ipc_peer peer;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	peer.role = role;
	peer.number = number;
	peer.generation = 1;
	send_to(world.keeper, &peer, pair[1]);
	close(pair[1]);
	expect(pair[0], IPC_LOG_LEVEL);
	expect(pair[0], IPC_POLICY);
	expect(pair[0], IPC_POLICY_COMMIT);
	do {
		assert_true(receive(pair[0], DEADLINE_MS, NULL));
	} while (in.header.type != IPC_PICTURE_DONE);
	expect(pair[0], IPC_FLOWS_GET);
	answer(pair[0], 0, "");
	return pair[0];
}

void add_relay(void)
{
	world.relay = add_process(PROCESS_RELAY, 0);
}

int set_up(void **state)
{
	(void)state;
	world = (struct world){.keeper = -1, .relay = -1};
	if (folder_make(world.dir) < 0)
		return -1;
	snprintf(world.config, sizeof(world.config), "%s/conf", world.dir);
	snprintf(world.state, sizeof(world.state), "%s/state", world.dir);
	snprintf(world.control_path, sizeof(world.control_path), "%s/control.sock", world.dir);
	snprintf(world.session_path, sizeof(world.session_path), "%s/session.sock", world.dir);
	if (mkdir(world.state, 0700) < 0)
		return -1;
	world.control_socket = listen_at(world.control_path);
	world.session_socket = listen_at(world.session_path);
	write_config(control_policy);
	start_control();
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	stop_control(0);
	close(world.control_socket);
	close(world.session_socket);
	return folder_remove(world.dir);
}

/* ---- what a client of the sockets asks ---- */

int connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(sun.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

void send_frame(int fd, enum request_kind kind, const void *payload, size_t len)
{
	uint8_t header[REQUEST_HEADER_SIZE];
	request_encode_header(header, kind, (uint32_t)len);
	assert_int_equal(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	if (len)
		assert_int_equal(send(fd, payload, len, MSG_NOSIGNAL), (ssize_t)len);
}

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

bool read_answer(struct asked *asked, int wait_ms)
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

struct asked *connect_asked(const char *path)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	asked->status = -1;
	asked->fd = connect_to(path);
	request_reader_init(&asked->reader);
	return asked;
}

struct asked *ask_at(const char *path, const char *words, const char *body)
{
	struct asked *asked = connect_asked(path);
	send_request(asked->fd, words, body);
	return asked;
}

struct asked *ask(const char *words, const char *body)
{
	return ask_at(world.control_path, words, body);
}

void finish(struct asked *asked, int status)
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

void admit(const char *ifname, const char *addr, const char *mac)
{
	struct ipc_admit ipc;
	ipc_init(&ipc, IPC_ADMIT, sizeof(ipc));
	ipc.packet = 77;
	ipc.ifindex = 2;
	strcpy(ipc.ifname, ifname);
	assert_int_equal(addr_parse(addr, strlen(addr), &ipc.source.addr), 0);
	ipc.source.port = 40000;
	ipc.original = ipc.source;
	ipc.original.port = 25;
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &ipc.mac), 0);
	send_to(world.keeper, &ipc, -1);
	expect(world.keeper, IPC_VERDICT);
	assert_int_equal(in.verdict.packet, 77);
}
