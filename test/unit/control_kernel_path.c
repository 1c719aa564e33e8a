/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control makes of the kernel's log of flows that it carries alone, and of what the keeper
 * tells of their connections: whose each is, when it is over, and its record. */
#include "test/lib/control_world.h"

#include "lib/ipc/kernel.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>

#define KERNEL UINT32_C(0x70010000) /* mark of such a connection, with the number 1 */
#define BRIDGE 3                    /* interface number */
#define CORE   4                    /* another's, in whose zone the client cannot be */

/* What the kernel has of the one connection of a case. */
static struct {
	bool there, answered;
	uint32_t mark;
	uint8_t state;
	uint64_t sent, sent_bytes, answered_bytes;
	unsigned looked, cut;
	unsigned neighbours[CORE + 1]; /* questions for an address, by interface */
	int log;                       /* our end */
	bool refuses;                  /* the server's RST answers a first packet */
} kernel;

union message {
	char bytes[2048];
	struct nlmsghdr header;
};

static struct nlmsghdr *begin(union message *message, uint16_t type)
{
	memset(message, 0, sizeof(*message));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(message->bytes);
	nlh->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	return nlh;
}

static uint64_t be64(uint64_t number)
{
	return (uint64_t)htonl((uint32_t)number) << 32 | htonl((uint32_t)(number >> 32));
}

/* ---- what the kernel says: 192.0.2.7:40000 to 198.51.100.20:25, led to 203.0.113.10:25 ---- */

static const uint8_t client[4] = {192, 0, 2, 7}, original[4] = {198, 51, 100, 20},
		     host[4] = {203, 0, 113, 10};

static void put_direction(struct nlmsghdr *nlh, uint16_t type, const uint8_t *from,
	uint16_t from_port, const uint8_t *to, uint16_t to_port)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, CTA_IP_V4_SRC, 4, from);
	mnl_attr_put(nlh, CTA_IP_V4_DST, 4, to);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, nest);
}

static void put_counters(struct nlmsghdr *nlh, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	mnl_attr_put_u64(nlh, CTA_COUNTERS_PACKETS, be64(packets));
	mnl_attr_put_u64(nlh, CTA_COUNTERS_BYTES, be64(bytes));
	mnl_attr_nest_end(nlh, nest);
}

static void put_connection(union message *message)
{
	struct nlmsghdr *nlh = begin(message, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	put_direction(nlh, CTA_TUPLE_ORIG, client, 40000, original, 25);
	put_direction(nlh, CTA_TUPLE_REPLY, host, 25, client, 40000);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(kernel.mark));
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, kernel.state);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, nest);
	put_counters(nlh, CTA_COUNTERS_ORIG, kernel.sent, kernel.sent_bytes);
	put_counters(nlh, CTA_COUNTERS_REPLY, kernel.answered ? 4 : 0,
		kernel.answered ? kernel.answered_bytes : 0);
}

static void log_packet_of(
	const char *prefix, uint8_t mac, uint8_t flags, bool from_server, uint16_t port, uint8_t to)
{
	struct nfulnl_msg_packet_hw hw = {
		.hw_addrlen = htons(6), .hw_addr = {2, 0, 0x5e, 0, 0x53, mac}};
	uint8_t packet[40] = {0x45, [3] = 40, [8] = 64, [9] = 6, [32] = 0x50, [33] = flags};
	const uint16_t ports[2] = {htons(from_server ? 25 : port), htons(from_server ? port : 25)};
	union message message;

	memcpy(packet + 12, from_server ? host : client, 4);
	memcpy(packet + 16, from_server ? client : original, 4);
	packet[19] += to;
	packet[27] = !(from_server && kernel.refuses);
	memcpy(packet + 20, ports, sizeof(ports));
	struct nlmsghdr *nlh = begin(&message, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	mnl_attr_put_strz(nlh, NFULA_PREFIX, prefix);
	mnl_attr_put_u32(nlh, NFULA_MARK, htonl(KERNEL));
	mnl_attr_put_u32(nlh, NFULA_IFINDEX_INDEV, htonl(BRIDGE));
	mnl_attr_put(nlh, NFULA_HWADDR, sizeof(hw), &hw);
	mnl_attr_put(nlh, NFULA_PAYLOAD, sizeof(packet), packet);
	assert_int_equal(send(kernel.log, message.bytes, nlh->nlmsg_len, 0), nlh->nlmsg_len);
}

static void log_packet(const char *prefix, uint8_t mac, uint8_t flags, bool from_server)
{
	log_packet_of(prefix, mac, flags, from_server, 40000, 0);
}

static void log_begin(uint8_t mac)
{
	log_packet("begin", mac, 0x02, false);
}

/* ---- the keeper ---- */

static void tell_connection(uint32_t seq, bool there)
{
	static _Alignas(16) uint8_t room[IPC_BYTES_MAX];
	struct ipc_connections *rows = (struct ipc_connections *)room;
	union message message;

	put_connection(&message);
	ipc_init(rows, IPC_CONNECTIONS, sizeof(*rows));
	rows->header.seq = seq;
	assert_true(
		ipc_connections_put(rows, 0, message.bytes, there ? message.header.nlmsg_len : 0));
	send_to(world.keeper, rows, -1);
}

/* Answers what control asks, for so long. */
static void serve(int wait_ms)
{
	while (receive(world.keeper, wait_ms, NULL)) {
		uint32_t seq = in.header.seq;
		bool look = in.header.type == IPC_FLOWS_LOOK, cut = in.header.type == IPC_FLOWS_CUT;
		bool all = in.header.type == IPC_FLOWS_ALL;

		if (in.header.type == IPC_NEIGHBOUR_GET && in.neighbour.ifindex <= CORE)
			kernel.neighbours[in.neighbour.ifindex]++;
		kernel.looked += look;
		kernel.cut += cut;
		if (look || cut || (all && kernel.there))
			tell_connection(seq, kernel.there);
		if (seq)
			answer_seq(world.keeper, seq, 0, "");
	}
}

static struct asked *rows_of(const char *words)
{
	struct asked *asked = ask(words, NULL);

	while (!read_answer(asked, 20))
		serve(0);
	return asked;
}

static void done(const char *words)
{
	finish(rows_of(words), 0);
}

/* Waits until the rows of a command have these words. */
static void wait_rows(const char *command, const char *words)
{
	for (int i = 0; i < DEADLINE_MS / 20; i++) {
		struct asked *asked = rows_of(command);
		bool there = strstr(asked->rows, words) != NULL;
		finish(asked, asked->status);
		if (there)
			return;
		serve(20);
	}
	fail_msg("%s: no %s", command, words);
}

static void open_connection(void)
{
	kernel.there = kernel.answered = true;
	kernel.mark = KERNEL;
	kernel.state = TCP_CONNTRACK_ESTABLISHED;
	kernel.sent = 10;
	kernel.sent_bytes = 2345;
	kernel.answered_bytes = 1234;
}

/* The number 1 is the first one's path. */
static const char two_servers[] = "language 1\n"
				  "zone guest { interface \"br0\" unauthenticated reject }\n"
				  "server first { host 203.0.113.99 path kernel }\n"
				  "server second { host 203.0.113.10 path kernel }\n"
				  "rule one { zone guest user \"carl\" server first }\n"
				  "rule rest { zone guest user any server second }\n";

/* mark: of a connection that is there before control is; 0: none is. */
static int set_up_with(void **state, uint32_t mark, const char *policy)
{
	struct ipc_link link;
	struct ipc_plain ipc;
	int pair[2];

	if (set_up(state))
		return -1;
	if (policy) {
		stop_control(0);
		write_config(policy);
		start_control();
	}
	memset(&kernel, 0, sizeof(kernel));
	if (mark)
		open_connection();
	kernel.mark = mark;
	greet_control();
	ipc_init(&link, IPC_LINK, sizeof(link));
	link.ifindex = BRIDGE;
	link.has_mac = link.up = link.running = 1;
	strcpy(link.name, "br0");
	send_to(world.keeper, &link, -1);
	link.ifindex = CORE;
	strcpy(link.name, "core0");
	send_to(world.keeper, &link, -1);
	ipc_init(&ipc, IPC_LINKS_DONE, sizeof(ipc));
	send_to(world.keeper, &ipc, -1);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	kernel.log = pair[0];
	ipc_init(&ipc, IPC_FLOW_LOG, sizeof(ipc));
	send_to(world.keeper, &ipc, pair[1]);
	close(pair[1]);
	done("session login ann zone guest mac " MAC7);
	done("session login bob zone guest mac " MAC8);
	return 0;
}

static int set_up_log(void **state)
{
	return set_up_with(state, 0, NULL);
}

static int set_up_late(void **state)
{
	return set_up_with(state, KERNEL, NULL);
}

static int set_up_two_servers(void **state)
{
	return set_up_with(state, KERNEL, two_servers);
}

/* Another program's bits are those of the decision by chance. */
static int set_up_foreign(void **state)
{
	return set_up_with(state, UINT32_C(0x70000001), NULL);
}

static int tear_down_log(void **state)
{
	close(kernel.log);
	return tear_down(state);
}

static void test_a_flow_is_shown_and_recorded(void **state)
{
	(void)state;
	open_connection();
	log_begin(7);
	wait_rows("flow show", "\"state\":\"established\"");
	wait_rows("flow show", "\"path\":\"kernel\",\"from_client_bytes\":2345,");
	wait_rows("rule show", "\"hits\":1,");
	log_begin(7); /* what comes twice is one flow */
	kernel.sent = 20;
	kernel.sent_bytes = 5000;
	kernel.state = TCP_CONNTRACK_TIME_WAIT;
	log_packet("end", 7, 0x11, false);
	log_packet("answer", 7, 0x11, true);
	wait_rows("audit show", "\"ending\":\"client-closed\"");
	struct asked *asked = rows_of("audit show --whole user ann limit all");
	assert_non_null(
		strstr(asked->rows, "\"from_client_bytes\":5000,\"from_server_bytes\":1234"));
	assert_non_null(strstr(asked->rows, "\"mac\":\"" MAC7 "\""));
	assert_non_null(strstr(asked->rows, "\"host\":\"203.0.113.10:25\""));
	assert_non_null(strstr(asked->rows, "\"gateway\":null"));
	assert_non_null(strstr(asked->rows, "\"relay\":null"));
	finish(asked, 0);
}

static void test_its_own_first_packet_says_whose_it_is(void **state)
{
	(void)state;
	open_connection();
	log_begin(8);
	wait_rows("flow show", "\"user\":\"bob\"");
	/* the same packet by another, while it goes on, is nothing */
	wait_rows("flow show", "\"state\":\"established\"");
	log_begin(7);
	serve(300);
	wait_rows("flow show", "\"user\":\"bob\"");
	/* the same ends, of another connection: the one before is over, and this is ann's */
	kernel.sent = 1;
	kernel.sent_bytes = 60;
	log_begin(7);
	wait_rows("audit show", "\"user\":\"bob\"");
	wait_rows("flow show", "\"user\":\"ann\"");
}

static void test_a_logout_ends_it(void **state)
{
	(void)state;
	open_connection();
	log_begin(7);
	wait_rows("flow show", "\"state\":\"established\"");
	done("session logout user ann");
	wait_rows("audit show", "\"ending\":\"killed-logout\"");
	assert_int_equal(kernel.cut, 1);
	wait_rows("audit show", "\"from_client_bytes\":2345");
}

static void test_a_block_and_an_operator_end_it(void **state)
{
	(void)state;
	open_connection();
	log_begin(7);
	wait_rows("flow show", "\"user\":\"ann\"");
	done("flow kill user ann");
	wait_rows("audit show", "\"ending\":\"killed-operator\"");
	log_begin(8);
	wait_rows("flow show", "\"user\":\"bob\"");
	done("block add mac " MAC8);
	wait_rows("audit show", "\"ending\":\"killed-block\"");
	assert_int_equal(kernel.cut, 2);
}

/* Between its first packet and the word of it her session has ended. */
static void test_who_is_let_go_meanwhile_is_cut(void **state)
{
	(void)state;
	open_connection();
	done("session logout user ann");
	log_begin(7);
	wait_rows("audit show", "\"ending\":\"killed-logout\"");
	assert_int_equal(kernel.cut, 1);
}

static void test_a_host_that_refuses(void **state)
{
	(void)state;
	open_connection();
	kernel.answered = false;
	kernel.state = TCP_CONNTRACK_CLOSE;
	log_begin(7);
	log_packet("answer", 7, 0x14, true);
	wait_rows("audit show", "\"ending\":\"connect-refused\"");
}

/* The kernel has forgotten it by the time that it is asked. */
static void test_a_host_that_refuses_and_is_forgotten(void **state)
{
	(void)state;
	log_begin(7);
	kernel.refuses = true;
	log_packet("answer", 7, 0x14, true);
	wait_rows("audit show", "\"ending\":\"connect-refused\"");
	struct asked *asked = rows_of("audit show --whole user ann limit all");
	assert_non_null(strstr(asked->rows, "\"host\":\"203.0.113.10:25\""));
	assert_non_null(strstr(asked->rows, "\"the host refused the connection\""));
	finish(asked, 0);
}

/* It has spoken before: of two flows from one port, it was the other that was refused. */
static void test_a_host_that_resets(void **state)
{
	(void)state;
	open_connection();
	kernel.state = TCP_CONNTRACK_CLOSE;
	log_begin(7);
	log_packet("answer", 7, 0x04, true);
	wait_rows("audit show", "\"ending\":\"server-reset\"");
	log_begin(8);
	kernel.refuses = true;
	log_packet("answer", 8, 0x14, true);
	wait_rows("audit show user bob", "\"ending\":\"server-reset\"");
}

static void test_what_ends_by_time_alone(void **state)
{
	(void)state;
	open_connection();
	log_begin(7);
	wait_rows("flow show", "\"state\":\"established\"");
	kernel.there = false;
	wait_rows("flow show", "");
	wait_rows("audit show", "\"ending\":\"idle\"");
}

static void test_a_first_packet_that_is_dropped_behind_us(void **state)
{
	(void)state;
	log_begin(7);
	wait_rows("audit show", "\"ending\":\"connect-failed\"");
}

static void test_what_was_there_before_control_is_met(void **state)
{
	(void)state;
	wait_rows("flow show", "\"path\":\"kernel\"");
	assert_int_equal(kernel.cut, 0);
	assert_int_equal(kernel.neighbours[BRIDGE], 1);
	assert_int_equal(kernel.neighbours[CORE], 0);
}

/* Its number was another control's, and is another server's by now. */
static void test_what_was_there_before_control_is_with_whose_host_answers(void **state)
{
	(void)state;
	wait_rows("flow show", "\"server\":\"second\"");
}

static void test_a_logout_ends_whom_nothing_but_the_address_is_known_of(void **state)
{
	(void)state;
	done("session login carl zone guest address 192.0.2.7 mac 02:00:5e:00:53:09");
	done("session login dora zone guest address 192.0.2.8 mac 02:00:5e:00:53:0a");
	wait_rows("flow show", "\"path\":\"kernel\"");
	done("session logout user dora");
	done("session logout user ann");
	serve(100);
	assert_int_equal(kernel.cut, 0);
	done("session logout user carl");
	wait_rows("audit show", "\"ending\":\"killed-logout\"");
	assert_int_equal(kernel.cut, 1);
}

static void test_a_block_ends_whom_nothing_is_known_of(void **state)
{
	(void)state;
	wait_rows("flow show", "\"path\":\"kernel\"");
	done("block add address 192.0.2.8");
	serve(100);
	assert_int_equal(kernel.cut, 0);
	done("block add address 192.0.2.7");
	wait_rows("audit show", "\"ending\":\"killed-block\"");
	assert_int_equal(kernel.cut, 1);
}

static void test_a_connection_of_others_with_our_mark_is_left_alone(void **state)
{
	(void)state;
	serve(800); /* longer than what is met is let settle */
	struct asked *asked = rows_of("flow show");
	assert_null(strstr(asked->rows, "kernel"));
	finish(asked, 0);
	assert_int_equal(kernel.cut, 0);
}

/* A flow that there is no room for is followed by nobody, and so does not go on. */
static void test_one_too_many_is_cut(void **state)
{
	(void)state;
	open_connection();
	for (unsigned i = 0; i < 200000; i++) {
		log_packet_of("begin", 7, 0x02, false, (uint16_t)(1024 + i % 50000),
			(uint8_t)(i / 50000));
		if (i % 100 == 0)
			serve(0);
	}
	assert_int_equal(kernel.cut, 0);
	log_packet_of("begin", 7, 0x02, false, 60000, 9);
	for (int i = 0; i < DEADLINE_MS / 20 && !kernel.cut; i++)
		serve(20);
	assert_int_equal(kernel.cut, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_flow_is_shown_and_recorded, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_its_own_first_packet_says_whose_it_is, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(test_a_logout_ends_it, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_block_and_an_operator_end_it, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_who_is_let_go_meanwhile_is_cut, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_host_that_refuses, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_host_that_refuses_and_is_forgotten, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(test_a_host_that_resets, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_what_ends_by_time_alone, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_first_packet_that_is_dropped_behind_us, set_up_log, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_what_was_there_before_control_is_met, set_up_late, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_what_was_there_before_control_is_with_whose_host_answers,
			set_up_two_servers, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_logout_ends_whom_nothing_but_the_address_is_known_of, set_up_late,
			tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_block_ends_whom_nothing_is_known_of, set_up_late, tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_a_connection_of_others_with_our_mark_is_left_alone, set_up_foreign,
			tear_down_log),
		cmocka_unit_test_setup_teardown(
			test_one_too_many_is_cut, set_up_log, tear_down_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
