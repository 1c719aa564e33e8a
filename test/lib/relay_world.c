/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/relay_world.h"

#include "lib/base/hash.h"
#include "lib/ipc/kernel.h"
#include "lib/ipc/replica.h"
#include "lib/record/message_record.h"
#include "test/lib/message_memory.h"

const char *client_text(const struct world *world)
{
	return client_texts[world->ip6];
}

static void add_address(int fd4, int fd6, const char *text4, const char *text6, int number)
{
	struct ifreq ifr = {0};
	struct sockaddr_in sin = {.sin_family = AF_INET};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "lo:%d", number);
	assert_int_equal(inet_pton(AF_INET, text4, &sin.sin_addr), 1);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	assert_int_equal(ioctl(fd4, SIOCSIFADDR, &ifr), 0);

	struct in6_ifreq ifr6 = {.ifr6_prefixlen = 128, .ifr6_ifindex = (int)if_nametoindex("lo")};
	assert_int_equal(inet_pton(AF_INET6, text6, &ifr6.ifr6_addr), 1);
	assert_int_equal(ioctl(fd6, SIOCSIFADDR, &ifr6), 0);
}

/* A new IPv6 address is tentative until a worker of the kernel has looked at it, also on lo. */
static void await_address(const char *text)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
	for (int tries = 0; bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) < 0; tries++) {
		assert_true(tries < WAIT_S * 1000);
		usleep(1000);
	}
	close(fd);
}

bool enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	int fd4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	assert_int_equal(ioctl(fd4, SIOCSIFFLAGS, &ifr), 0);
	add_address(fd4, fd6, client_texts[0], client_texts[1], 1);
	add_address(fd4, fd6, client2_texts[0], client2_texts[1], 2);
	add_address(fd4, fd6, internet_texts[0], internet_texts[1], 3);
	add_address(fd4, fd6, server_texts[0], server_texts[1], 4);
	close(fd4);
	close(fd6);
	await_address(client_texts[1]);
	await_address(client2_texts[1]);
	await_address(internet_texts[1]);
	await_address(server_texts[1]);
	return true;
}

socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *sa)
{
	struct endpoint end = {.port = port};
	assert_int_equal(addr_parse(text, strlen(text), &end.addr), 0);
	return (socklen_t)endpoint_encode(&end, sa);
}

void set_patience(int fd)
{
	struct timeval tv = {.tv_sec = WAIT_S};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int listen_at(const char *text, uint16_t *port)
{
	struct sockaddr_storage sa;
	socklen_t len = make_address(text, 0, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct endpoint end;
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &end), 0);
	*port = end.port;
	set_patience(fd);
	return fd;
}

int connect_from(const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = make_address(from, 0, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_patience(fd);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	len = make_address(to, port, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0)
		fail_msg("connect to %s port %u: %s", to, port, strerror(errno));
	return fd;
}

int dial(const struct world *world)
{
	return connect_from(client_text(world), internet_texts[world->ip6], world->port);
}

void say(int fd, const char *text)
{
	size_t len = strlen(text);
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

const char *hear(int fd)
{
	static char line[1024];
	size_t len = 0;
	while (len < sizeof(line) - 1) {
		ssize_t n = recv(fd, line + len, 1, 0);
		if (n <= 0)
			fail_msg("no line but \"%.*s\" and %s", (int)len, line,
				n < 0 ? strerror(errno) : "the end");
		if (line[len++] == '\n')
			break;
	}
	line[len] = '\0';
	return line;
}

void hear_exactly(int fd, const char *text)
{
	assert_string_equal(hear(fd), text);
}

void hear_refusal(int fd, const char *beginning)
{
	const char *line = hear(fd);
	size_t len = strlen(line);
	if (strncmp(line, beginning, strlen(beginning)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", line, beginning);
	assert_non_null(strstr(line, " [f-"));
	assert_string_equal(line + len - 3, "]\r\n");
}

void hear_end(int fd)
{
	char byte;
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

void hear_reset(int fd)
{
	char byte;
	errno = 0;
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

void reset(int fd)
{
	struct linger hard = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

int server_take(const struct world *world)
{
	int fd = accept4(world->server, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		fail_msg("nobody came to the server: %s", strerror(errno));
	set_patience(fd);
	return fd;
}

void server_be_asked(const struct world *world, const char *extension)
{
	int fd = server_take(world);
	say(fd, "220 mx.example.net ESMTP\r\n");
	hear_exactly(fd, "EHLO gw.example.net\r\n");
	say(fd, "250-mx.example.net\r\n");
	if (*extension)
		say(fd, extension);
	say(fd, "250 HELP\r\n");
	hear_exactly(fd, "QUIT\r\n");
	say(fd, "221 bye\r\n");
	hear_end(fd);
	close(fd);
}

void tell(int fd, const void *ipc, int descriptor)
{
	const struct ipc_header *header = ipc;
	struct iovec iov = {(void *)(uintptr_t)ipc, header->bytes};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (descriptor >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &descriptor, sizeof(int));
	}
	assert_int_equal(ipc_check(ipc, header->bytes), 0);
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL), header->bytes);
}

void tell_plain(int fd, unsigned type)
{
	struct ipc_plain ipc;
	ipc_init(&ipc, type, sizeof(ipc));
	tell(fd, &ipc, -1);
}

static void take_record(void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	struct world *world = context;
	struct message_record message;
	if (kind == IPC_RECORD_MESSAGE) {
		assert_int_equal(message_record_decode(bytes, len, &message), 0);
		world->messages++;
		world->message_ending = message.ending;
		return;
	}
	assert_true(world->nrecords < RECORDS_AT_ONCE);
	assert_int_equal(ipc_flow_decode(bytes, len, &world->records[world->nrecords]), 0);
	world->record = world->records[world->nrecords++];
}

static void take_records(struct world *world, const struct ipc_records *records)
{
	world->nrecords = world->seen_records = 0;
	assert_int_equal(ipc_records_read(&world->assembly, records, take_record, world), 0);
}

void await(struct world *world, int fd, unsigned type, void *into)
{
	static _Alignas(16) uint8_t buf[IPC_BYTES_MAX];
	const struct ipc_header *header = (const void *)buf;
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			fail_msg("no %s came: %s", ipc_name(type),
				n < 0 ? strerror(errno) : "the end");
		assert_int_equal(ipc_check(buf, (size_t)n), 0);
		if (header->type == IPC_RECORDS)
			take_records(world, (const void *)buf);
		if (header->type == IPC_STARTED)
			world->started = true;
		if (header->type == IPC_COUNTERS) {
			memcpy(world->counters, ((const struct ipc_counters *)(void *)buf)->v,
				sizeof(world->counters));
			world->counted = true;
		}
		world->news += header->type == IPC_HOST;
		if (header->type == type)
			break;
	}
	if (type != IPC_RECORDS)
		world->seen_records = world->nrecords;
	if (into)
		memcpy(into, buf, header->bytes);
}

uint32_t await_live(struct world *world, struct ipc_flow *flow)
{
	_Alignas(struct ipc_header) uint8_t buf[sizeof(struct ipc_flow_row) + IPC_FLOW_BYTES_MAX];
	const struct ipc_flow_row *row = (const void *)buf;
	await(world, world->control, IPC_FLOW, buf);
	assert_int_equal(ipc_flow_decode(row->data, row->header.bytes - sizeof(*row), flow), 0);
	return row->header.seq;
}

const struct ipc_flow *await_record(struct world *world)
{
	while (world->seen_records == world->nrecords)
		await(world, world->control, IPC_RECORDS, NULL);
	world->record = world->records[world->seen_records++];
	assert_true(world->record.end_ms > 0);
	assert_true(world->record.id > 0);
	return &world->record;
}

void await_counter(struct world *world, unsigned counter, uint64_t value)
{
	while (world->counters[counter] < value)
		await(world, world->control, IPC_COUNTERS, NULL);
}

struct ipc_reply request(struct world *world, void *ipc, int descriptor)
{
	struct ipc_reply reply;
	((struct ipc_header *)ipc)->seq = 7;
	tell(world->control, ipc, descriptor);
	await(world, world->control, IPC_REPLY, &reply);
	assert_int_equal(reply.header.seq, 7);
	return reply;
}

struct ipc_reply prepare_policy(struct world *world, const char *text)
{
	struct ipc_policy ipc;
	int fd = channel_memfd("policy", text, strlen(text));
	assert_true(fd >= 0);
	ipc_init(&ipc, IPC_POLICY, sizeof(ipc));
	ipc.number = ++world->policy;
	struct ipc_reply reply = request(world, &ipc, fd);
	close(fd);
	return reply;
}

void apply_policy(struct world *world, const char *text)
{
	struct ipc_reply reply = prepare_policy(world, text);
	if (reply.status != 0)
		fail_msg("the policy was refused: %s\n%s", reply.text, text);
	struct ipc_policy ipc;
	ipc_init(&ipc, IPC_POLICY_COMMIT, sizeof(ipc));
	ipc.number = world->policy;
	ipc.inquiry = ++world->inquiry;
	assert_int_equal(request(world, &ipc, -1).status, 0);
}

const char *policy_text(const struct world *world, const char *zone_more, const char *server_more)
{
	static char text[4096];
	snprintf(text, sizeof(text),
		"language 1\nhostname \"gw.example.net\"\nlog level error\n"
		"zone guest { interface \"lo\"; network 192.0.2.0/24, 2001:db8:1::/64\n"
		"identity address; unauthenticated answer 421 \"Please log in\"\n"
		"unmatched answer 554 \"Nothing for you here\"; %s }\n"
		"server relay { host %s port %u; probe none; %s }\n"
		"rule mail { zone guest user \"anna\", \"bert\" server relay }\n"
		"rule out { zone guest user \"olga\" server original }\n",
		zone_more, server_texts[world->ip6], world->server_port, server_more);
	return text;
}

static struct policy_string make_string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

void log_in(int control, uint64_t id, const char *user, const char *address)
{
	static _Alignas(16) uint8_t bytes[sizeof(struct ipc_sessions) + SESSION_ENCODED_MAX];
	struct ipc_sessions *ipc = (void *)bytes;
	struct session_address given = {0};
	struct session session = {.id = id,
		.zone = make_string("guest"),
		.user = make_string(user),
		.addresses = &given,
		.naddresses = 1,
		.started_ms = 1};
	struct addr addr;
	assert_int_equal(addr_parse(address, strlen(address), &addr), 0);
	given.prefix = prefix_of(&addr);
	ipc_init(ipc, IPC_SESSIONS, sizeof(*ipc));
	size_t len = session_encode(&session, ipc->data, SESSION_ENCODED_MAX);
	assert_true(len > 0);
	ipc->n = 1;
	ipc->bytes = (uint32_t)len;
	ipc->header.bytes = (uint32_t)(sizeof(*ipc) + len);
	tell(control, ipc, -1);
}

void log_out(int control, uint64_t id)
{
	struct ipc_session_gone ipc;
	ipc_init(&ipc, IPC_SESSION_GONE, sizeof(ipc));
	ipc.id = id;
	tell(control, &ipc, -1);
}

void tell_link(struct world *world, bool has_mac)
{
	struct ipc_link link;
	ipc_init(&link, IPC_LINK, sizeof(link));
	link.ifindex = if_nametoindex("lo");
	link.has_mac = has_mac;
	link.up = 1;
	strcpy(link.name, "lo");
	tell(world->keeper, &link, -1);
	struct ipc_plain done;
	ipc_init(&done, IPC_LINKS_DONE, sizeof(done));
	tell(world->keeper, &done, -1);
}

int give_pair(struct world *world, enum process_role role)
{
	struct ipc_peer peer;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	peer.role = role;
	tell(world->keeper, &peer, pair[1]);
	close(pair[1]);
	set_patience(pair[0]);
	return pair[0];
}

const struct ipc_hand *take_hand(int pair, int *client)
{
	static _Alignas(16) uint8_t buf[IPC_BYTES_MAX];
	struct iovec iov = {buf, sizeof(buf)};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(pair, &msg, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		fail_msg("nothing was handed over: %s", n < 0 ? strerror(errno) : "the end");
	assert_int_equal(ipc_check(buf, (size_t)n), 0);
	const struct ipc_hand *hand = (const void *)buf;
	assert_int_equal(hand->header.type, IPC_HAND);
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	assert_non_null(cmsg);
	memcpy(client, CMSG_DATA(cmsg), sizeof(int));
	return hand;
}

void say_taken(int pair, uint64_t flow)
{
	struct ipc_taken taken;

	ipc_init(&taken, IPC_TAKEN, sizeof(taken));
	taken.flow = flow;
	tell(pair, &taken, -1);
}

void expect_silence(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&wait, 1, 100), 0);
}

static int open_listener(struct world *world)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	struct linger hard = {.l_onoff = 1};
	const struct sockaddr *any = world->ip6 ? (void *)&any6 : (void *)&any4;
	socklen_t len = world->ip6 ? sizeof(any6) : sizeof(any4);
	int one = 1, two = 2;
	int fd = socket(any->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &two, sizeof(two)), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (world->ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	assert_int_equal(bind(fd, any, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	struct sockaddr_storage sa;
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	world->port = ntohs(world->ip6 ? ((struct sockaddr_in6 *)&sa)->sin6_port
				       : ((struct sockaddr_in *)&sa)->sin_port);
	return fd;
}

static void run_relay(const struct process_start *start, const void *context)
{
	const struct relay_options *options = context;

	if (options->descriptors) {
		struct rlimit limit = {options->descriptors, options->descriptors};
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	log_init("relay 0", true, getenv("RELAY_DEBUG") ? POLICY_LOG_DEBUG : POLICY_LOG_ERROR);
	_exit(relay_main(start));
}

void begin_world(struct world *world, bool ip6)
{
	memset(world, 0, sizeof(*world));
	world->ip6 = ip6;
	world->server = listen_at(server_texts[ip6], &world->server_port);
}

void start_process(struct world *world, struct process_start *start,
	void (*run)(const struct process_start *start, const void *context), const void *context)
{
	int keeper[2], control[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	start->keeper_fd = keeper[1];
	start->control_fd = control[1];
	start->limit_fd = make_limit();
	start->control_socket = start->session_socket = start->desk_socket = -1;
	world->relay = fork();
	assert_true(world->relay >= 0);
	if (world->relay == 0) {
		close(keeper[0]);
		close(control[0]);
		close(world->server);
		run(start, context);
	}
	close(keeper[1]);
	close(control[1]);
	close(start->limit_fd);
	world->keeper = keeper[0];
	world->control = control[0];
	set_patience(world->keeper);
	set_patience(world->control);
}

void start_relay(struct world *world, bool ip6, const struct relay_options *options)
{
	begin_world(world, ip6);
	int listener = open_listener(world);
	struct process_start start = {.role = PROCESS_RELAY,
		.nlisteners = 1,
		.listeners = {listener},
		.options.relay_port = options->relay_port ? world->port : 1};
	start_process(world, &start, run_relay, options);
	close(listener);
	tell_link(world, false);
}

void begin(struct world *world, bool ip6, const char *zone_more, const char *server_more)
{
	const struct relay_options plain = {0};
	start_relay(world, ip6, &plain);
	apply_policy(world, policy_text(world, zone_more, server_more));
	tell_plain(world->control, IPC_PICTURE_DONE);
}

void hold(const struct world *world)
{
	siginfo_t info;

	assert_int_equal(kill(world->relay, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)world->relay, &info, WSTOPPED | WNOWAIT), 0);
}

void let_go(const struct world *world)
{
	assert_int_equal(kill(world->relay, SIGCONT), 0);
}

void tell_drain(const struct world *world, uint32_t seconds)
{
	struct ipc_drain drain;

	ipc_init(&drain, IPC_DRAIN, sizeof(drain));
	drain.seconds = seconds;
	tell(world->keeper, &drain, -1);
}

void await_end(struct world *world)
{
	int status = -1;

	assert_int_equal(waitpid(world->relay, &status, 0), world->relay);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(world->keeper);
	close(world->control);
	close(world->server);
}

void end(struct world *world)
{
	tell_drain(world, 5);
	await_end(world);
}

void open_first_flow(struct world *world, int *client, int *server)
{
	log_in(world->control, 1, "anna", client_text(world));
	*client = dial(world);
	server_be_asked(world, "");
	*server = server_take(world);
	say(*server, "220 hi\r\n");
	hear_exactly(*client, "220 hi\r\n");
}

void open_flow(struct world *world, int *client, int *server)
{
	*client = dial(world);
	*server = server_take(world);
	say(*server, "220 mx.example.net ESMTP\r\n");
	hear_exactly(*client, "220 mx.example.net ESMTP\r\n");
}
