/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place of keeper and control for a health process, for test/netns/resolve: commands come on
 * stdin, what the process says goes to stdout, one JSON text a line.
 *
 *   policy FILE   prepare and commit the policy in FILE
 *   host SERVER ADDR PORT worked|failed|good|bad TEXT   what a relay saw
 *   now SERVER    probe at once
 *   names N ADDR [SEQ]   look up a client's names, as flow N; or as control itself
 *   counters      print the last counters
 *   kill          kill -9 the process
 *   start         start another one and hand it what the one before had told
 *   peer          a new control: another channel, policy again */
#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/process/process.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/health.h"
#include "lib/ipc/replica.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVERS_MAX 64

static pid_t child;
static int keeper = -1, control = -1;
static uint64_t number, inquiry;
static char policy_path[1024];
static struct ipc_targets *told[SERVERS_MAX];
static uint64_t counters[COUNTERS];

static void fail(const char *what)
{
	fprintf(stderr, "resolve-driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	puts(text);
	fflush(stdout);
	free(text);
	json_decref(object);
}

static void tell(int fd, const void *ipc, int descriptor)
{
	const struct ipc_header *header = ipc;
	struct iovec iov = {(void *)(uintptr_t)ipc, header->bytes};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (ipc_check(ipc, header->bytes) < 0)
		fail("a message of its own is malformed");
	if (descriptor >= 0) {
		msg.msg_control = &ancillary;
		msg.msg_controllen = sizeof(ancillary);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &descriptor, sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		fail("cannot send");
}

static void tell_policy(unsigned type, int fd)
{
	struct ipc_policy ipc;
	ipc_init(&ipc, type, sizeof(ipc));
	ipc.header.seq = (uint32_t)type;
	ipc.number = number;
	ipc.inquiry = inquiry;
	tell(control, &ipc, fd);
}

static void send_policy(void)
{
	static char text[1 << 20];
	FILE *file = fopen(policy_path, "r");
	if (!file)
		fail(policy_path);
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	int fd = channel_memfd("policy", text, len);
	tell_policy(IPC_POLICY, fd);
	close(fd);
	tell_policy(IPC_POLICY_COMMIT, -1);
}

static void send_done(void)
{
	struct ipc_plain done;
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	tell(control, &done, -1);
}

static void make_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail("socketpair");
}

static void start(void)
{
	int keepers[2], controls[2];
	make_pair(keepers);
	make_pair(controls);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		struct process_start given = {.role = PROCESS_HEALTH,
			.keeper_fd = keepers[1],
			.control_fd = controls[1],
			.limit_fd = -1,
			.message_limit_fd = -1,
			.control_socket = -1,
			.session_socket = -1,
			.desk_socket = -1,
			.options.relay_port = 4025};
		close(keepers[0]);
		close(controls[0]);
		log_init("health", true, POLICY_LOG_INFO);
		_exit(health_main(&given));
	}
	close(keepers[1]);
	close(controls[1]);
	keeper = keepers[0];
	control = controls[0];
	for (size_t i = 0; i < SERVERS_MAX && told[i]; i++)
		tell(control, told[i], -1);
	if (policy_path[0]) {
		send_policy();
		send_done();
	}
}

static void new_control(void)
{
	struct ipc_peer peer;
	int pair[2];
	make_pair(pair);
	ipc_init(&peer, IPC_PEER, sizeof(peer));
	tell(keeper, &peer, pair[1]);
	close(pair[1]);
	close(control);
	control = pair[0];
	inquiry++;
	if (!policy_path[0])
		return;
	send_policy();
	send_done();
}

static json_t *target_json(const struct ipc_target *target)
{
	char text[ADDR_TEXT_SIZE];
	json_t *addresses = json_array(), *read = json_array();
	for (unsigned i = 0; i < target->naddresses; i++)
		json_array_append_new(
			addresses, json_string(addr_format(&target->addresses[i], text)));
	for (unsigned i = 0; i < target->read.naddresses; i++)
		json_array_append_new(read, json_string(addr_format(&target->addresses[i], text)));
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:b, s:i, s:I, s:i, s:o, "
			 "s:s, s:s, s:i, s:o}",
		"name", target->name, "text", target->text, "line", target->line, "port",
		target->port, "preference", target->preference, "depth", target->depth, "weight",
		(int)target->weight, "state", target_state_names[target->state], "clients",
		target->client_families, "stale", target->stale, "asked", target->asked, "since",
		(json_int_t)target->since_ms, "latency", (int)target->latency_us, "addresses",
		addresses, "read", target_state_names[target->read.state], "read_text",
		target->read.text, "read_clients", target->read.client_families, "read_addresses",
		read);
}

static void on_targets(const struct ipc_targets *ipc)
{
	json_t *list = json_array();
	size_t at = 0;
	while (at < SERVERS_MAX - 1 && told[at] && strcmp(told[at]->server, ipc->server) != 0)
		at++;
	free(told[at]);
	told[at] = malloc(ipc->header.bytes);
	memcpy(told[at], ipc, ipc->header.bytes);
	for (uint32_t i = 0; i < ipc->n; i++)
		json_array_append_new(list, target_json(&ipc->v[i]));
	say(json_pack("{s:s, s:I, s:I, s:o}", "server", ipc->server, "number",
		(json_int_t)ipc->number, "inquiry", (json_int_t)ipc->inquiry, "targets", list));
}

/* As the keeper does, but for its first no: the plan was not in the kernel yet. */
static void give_sockets(const struct ipc_sockets_get *request)
{
	static bool refused;
	struct ipc_socket answer;
	ipc_init(&answer, IPC_SOCKET, sizeof(answer));
	answer.ip6 = request->ip6;
	if (!refused) {
		refused = true;
		answer.status = -EPERM;
		tell(keeper, &answer, -1);
		return;
	}
	for (uint32_t i = 0; i < request->n; i++) {
		int fd = socket(request->ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		int error = request->ip6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &(int){1},
						   sizeof(int))
					 : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &(int){1},
						   sizeof(int));
		if (fd < 0 || error < 0)
			fail("a transparent socket");
		tell(keeper, &answer, fd);
		close(fd);
	}
}

static void on_looked_up(const struct ipc_looked_up *ipc)
{
	char text[ADDR_TEXT_SIZE];
	json_t *names = json_array();
	for (unsigned i = 0; i < ipc->n; i++)
		json_array_append_new(names, json_string(ipc->names[i]));
	say(json_pack("{s:I, s:i, s:i, s:i, s:s, s:b, s:s, s:o}", "flow", (json_int_t)ipc->flow,
		"smtp", (int)ipc->smtp, "place", (int)ipc->place, "seq", (int)ipc->header.seq,
		"address", addr_format(&ipc->addr, text), "whole", ipc->known == CLIENT_NAMES_KNOWN,
		"reverse", ipc->reverse, "names", names));
}

/* False: the other end is gone. */
static bool hear(int fd)
{
	static _Alignas(16) uint8_t buf[IPC_BYTES_MAX];
	const struct ipc_header *header = (const void *)buf;
	ssize_t len = recv(fd, buf, sizeof(buf), 0);
	if (len <= 0)
		return false;
	if (ipc_check(buf, (size_t)len) < 0)
		fail("health sent a malformed message");
	switch (header->type) {
	case IPC_TARGETS:
		on_targets((const void *)buf);
		break;
	case IPC_COUNTERS:
		memcpy(counters, ((const struct ipc_counters *)(void *)buf)->v, sizeof(counters));
		break;
	case IPC_REPLY: {
		const struct ipc_reply *reply = (const void *)buf;
		say(json_pack("{s:i, s:i, s:s}", "reply", (int)reply->header.seq, "status",
			reply->status, "text", reply->text));
		break;
	}
	case IPC_LOOKED_UP:
		on_looked_up((const void *)buf);
		break;
	case IPC_SOCKETS_GET:
		give_sockets((const void *)buf);
		break;
	case IPC_PONG:
		break;
	default:
		fail(ipc_name(header->type));
	}
	return true;
}

static void on_end(void)
{
	int status = 0;
	waitpid(child, &status, 0);
	close(keeper);
	close(control);
	keeper = control = -1;
	say(json_pack(
		"{s:i}", "ended", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)));
}

static void on_host(char *line)
{
	struct ipc_host ipc;
	char addr[64], kind[16], text[200] = "";
	unsigned port;
	unsigned long asked = 0;
	ipc_init(&ipc, IPC_HOST, sizeof(ipc));
	sscanf(line, "host %63s %63s %u %15s %199[^\n]", ipc.server, addr, &port, kind, text);
	if (addr_parse(addr, strlen(addr), &ipc.host.addr) < 0)
		fail(line);
	ipc.host.port = (uint16_t)port;
	ipc.kind = strcmp(kind, "worked") == 0   ? IPC_HOST_WORKED
		   : strcmp(kind, "failed") == 0 ? IPC_HOST_FAILED
						 : IPC_HOST_ASKED;
	/* "good 3": it was asked in inquiry 3, and offers nothing; "bad 3": it does */
	ipc.usable = strcmp(kind, "good") == 0 && sscanf(text, "%lu", &asked) == 1;
	if (strcmp(kind, "bad") == 0)
		sscanf(text, "%lu", &asked);
	ipc.inquiry = asked;
	snprintf(ipc.text, sizeof(ipc.text), "%s", text);
	tell(control, &ipc, -1);
}

static void on_names(const char *line)
{
	struct ipc_lookup ipc;
	char addr[64];
	unsigned long flow;
	unsigned seq = 0;
	ipc_init(&ipc, IPC_LOOKUP, sizeof(ipc));
	if (sscanf(line, "names %lu %63s %u", &flow, addr, &seq) < 2 ||
		addr_parse(addr, strlen(addr), &ipc.addr) < 0)
		fail(line);
	ipc.flow = flow;
	ipc.place = 7;
	ipc.smtp = 3;
	ipc.header.seq = seq;
	tell(control, &ipc, -1);
}

static void say_counters(void)
{
	json_t *all = json_object();
	for (unsigned i = 0; i < COUNTERS; i++)
		json_object_set_new(all, counter_name(i), json_integer((json_int_t)counters[i]));
	say(json_pack("{s:o}", "counters", all));
}

static void on_command(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "policy ", 7) == 0) {
		snprintf(policy_path, sizeof(policy_path), "%s", line + 7);
		bool first = number == 0;
		number++;
		inquiry++;
		send_policy();
		if (first)
			send_done();
	} else if (strncmp(line, "host ", 5) == 0) {
		on_host(line);
	} else if (strncmp(line, "now ", 4) == 0) {
		struct ipc_probe_now now;
		ipc_init(&now, IPC_PROBE_NOW, sizeof(now));
		snprintf(now.server, sizeof(now.server), "%.63s", line + 4);
		tell(control, &now, -1);
	} else if (strcmp(line, "inquiry") == 0) {
		struct ipc_inquiry begun;
		ipc_init(&begun, IPC_INQUIRY, sizeof(begun));
		begun.number = ++inquiry;
		tell(control, &begun, -1);
	} else if (strncmp(line, "names ", 6) == 0) {
		on_names(line);
	} else if (strcmp(line, "counters") == 0) {
		say_counters();
	} else if (strcmp(line, "kill") == 0) {
		kill(child, SIGKILL);
	} else if (strcmp(line, "start") == 0) {
		start();
	} else if (strcmp(line, "peer") == 0) {
		new_control();
	} else {
		fail(line);
	}
}

int main(void)
{
	char line[1024];
	setvbuf(stdin, NULL, _IONBF, 0);
	start();
	for (;;) {
		struct pollfd polls[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = control, .events = POLLIN}, {.fd = keeper, .events = POLLIN}};
		if (poll(polls, 3, -1) < 0)
			fail("poll");
		if (polls[1].revents && !hear(control))
			on_end();
		else if (polls[2].revents && keeper >= 0 && !hear(keeper))
			on_end();
		if (polls[0].revents) {
			if (!fgets(line, sizeof(line), stdin))
				break;
			on_command(line);
		}
	}
	if (keeper >= 0) {
		struct ipc_drain drain;
		ipc_init(&drain, IPC_DRAIN, sizeof(drain));
		tell(keeper, &drain, -1);
		int status = 0;
		waitpid(child, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	}
	return 0;
}
