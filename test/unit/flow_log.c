/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of the flows that it carries alone: the log's entries, and connections. */
#include "kernel-rules/flow_log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <cmocka.h>

#include "kernel-rules/conntrack_message.h"

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

/* 192.0.2.10:40000 to 198.51.100.20:25 */
static const uint8_t syn[40] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 10, 198, 51,
	100, 20, 0x9c, 0x40, 0, 25, [32] = 0x50, [33] = 2};

static void put_entry(union message *message, const char *prefix, size_t bytes)
{
	struct nfulnl_msg_packet_hw hw = {
		.hw_addrlen = htons(6), .hw_addr = {2, 0, 0x5e, 0, 0x53, 7}};
	struct nlmsghdr *nlh = begin(message, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	mnl_attr_put_strz(nlh, NFULA_PREFIX, prefix);
	mnl_attr_put_u32(nlh, NFULA_MARK, htonl(0x70010000));
	mnl_attr_put_u32(nlh, NFULA_IFINDEX_INDEV, htonl(3));
	mnl_attr_put(nlh, NFULA_HWADDR, sizeof(hw), &hw);
	mnl_attr_put(nlh, NFULA_PAYLOAD, bytes, syn);
}

struct heard {
	struct flow_log_entry last;
	unsigned n;
};

static void on_entry(void *context, const struct flow_log_entry *entry)
{
	struct heard *heard = context;
	heard->last = *entry;
	heard->n++;
}

static void test_an_entry_says_who_began_what(void **state)
{
	struct heard heard = {0};
	union message message;
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	put_entry(&message, "begin", sizeof(syn));
	flow_log_parse(message.bytes, message.header.nlmsg_len, on_entry, &heard);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.last.kind, FLOW_LOG_BEGIN);
	assert_string_equal(endpoint_format(&heard.last.source, text), "192.0.2.10:40000");
	assert_string_equal(endpoint_format(&heard.last.destination, text), "198.51.100.20:25");
	assert_int_equal(heard.last.mac.bytes[5], 7);
	assert_int_equal(heard.last.ifindex, 3);
	assert_int_equal(heard.last.mark, 0x70010000);
}

/* What nobody listens to has no number to go on from. */
static void test_a_reset_is_a_refusal_or_not(void **state)
{
	static const struct {
		uint8_t flags, sequence;
		bool is_reset, is_refusal;
	} cases[] = {{0x14, 0, true, true}, {0x14, 1, true, false}, {0x04, 1, true, false},
		{0x11, 0, false, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct heard heard = {0};
		union message message;
		uint8_t packet[sizeof(syn)];

		memcpy(packet, syn, sizeof(syn));
		packet[24] = cases[i].sequence;
		packet[33] = cases[i].flags;
		struct nlmsghdr *nlh = begin(&message, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
		mnl_attr_put_strz(nlh, NFULA_PREFIX, "answer");
		mnl_attr_put(nlh, NFULA_PAYLOAD, sizeof(packet), packet);
		flow_log_parse(message.bytes, message.header.nlmsg_len, on_entry, &heard);
		assert_int_equal(heard.n, 1);
		assert_int_equal(heard.last.is_reset, cases[i].is_reset);
		assert_int_equal(heard.last.is_refusal, cases[i].is_refusal);
	}
}

static void test_what_is_no_entry_of_ours_is_left_out(void **state)
{
	struct heard heard = {0};
	union message message;

	(void)state;
	put_entry(&message, "others", sizeof(syn));
	flow_log_parse(message.bytes, message.header.nlmsg_len, on_entry, &heard);
	put_entry(&message, "end", 33); /* without the flags */
	flow_log_parse(message.bytes, message.header.nlmsg_len, on_entry, &heard);
	put_entry(&message, "end", sizeof(syn));
	for (size_t len = 0; len < message.header.nlmsg_len; len++)
		flow_log_parse(message.bytes, len, on_entry, &heard);
	message.header.nlmsg_type = NFNL_SUBSYS_QUEUE << 8;
	flow_log_parse(message.bytes, message.header.nlmsg_len, on_entry, &heard);
	assert_int_equal(heard.n, 0);
}

/* from 192.0.2.LAST, port SOURCE, to 198.51.100.20, port DESTINATION */
static void put_direction(
	struct nlmsghdr *nlh, uint16_t type, uint8_t last, uint16_t source, uint16_t destination)
{
	uint8_t from[] = {192, 0, 2, last}, to[] = {198, 51, 100, 20};
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, CTA_IP_V4_SRC, 4, from);
	mnl_attr_put(nlh, CTA_IP_V4_DST, 4, to);
	mnl_attr_nest_end(nlh, ip);
	struct nlattr *proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, 6);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(source));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(destination));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, nest);
}

static void put_counters(struct nlmsghdr *nlh, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	mnl_attr_put_u64(nlh, CTA_COUNTERS_PACKETS, htobe64(packets));
	mnl_attr_put_u64(nlh, CTA_COUNTERS_BYTES, htobe64(bytes));
	mnl_attr_nest_end(nlh, nest);
}

static void test_a_connection_says_both_sides_and_what_they_sent(void **state)
{
	struct conntrack_one one;
	union message message;
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	struct nlmsghdr *nlh = begin(&message, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	put_direction(nlh, CTA_TUPLE_ORIG, 10, 40000, 25);
	put_direction(nlh, CTA_TUPLE_REPLY, 77, 2525, 40000);
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_TIME_WAIT);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
	put_counters(nlh, CTA_COUNTERS_ORIG, 5, 500);
	put_counters(nlh, CTA_COUNTERS_REPLY, 4, 4000000000000);
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(0x70010005));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(99));

	assert_int_equal(conntrack_message_parse(message.bytes, nlh->nlmsg_len, &one), 0);
	assert_string_equal(endpoint_format(&one.source, text), "192.0.2.10:40000");
	assert_string_equal(endpoint_format(&one.destination, text), "198.51.100.20:25");
	assert_string_equal(endpoint_format(&one.answerer, text), "192.0.2.77:2525");
	assert_true(conntrack_is_over(&one));
	assert_int_equal(one.protocol, 6);
	assert_int_equal(one.mark, 0x70010005);
	assert_int_equal(one.left_s, 99);
	assert_int_equal(one.sent_packets, 5);
	assert_int_equal(one.sent_bytes, 500);
	assert_int_equal(one.answered_packets, 4);
	assert_true(one.answered_bytes == 4000000000000);
	for (size_t len = 0; len < nlh->nlmsg_len; len++)
		assert_int_equal(conntrack_message_parse(message.bytes, len, &one), -EBADMSG);
}

static void test_a_message_without_a_connection_is_none(void **state)
{
	struct conntrack_one one;
	union message message;

	(void)state;
	struct nlmsghdr *nlh = begin(&message, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	assert_int_equal(conntrack_message_parse(message.bytes, nlh->nlmsg_len, &one), -EBADMSG);
	nlh = begin(&message, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
	put_direction(nlh, CTA_TUPLE_ORIG, 10, 40000, 25);
	assert_int_equal(conntrack_message_parse(message.bytes, nlh->nlmsg_len, &one), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entry_says_who_began_what),
		cmocka_unit_test(test_a_reset_is_a_refusal_or_not),
		cmocka_unit_test(test_what_is_no_entry_of_ours_is_left_out),
		cmocka_unit_test(test_a_connection_says_both_sides_and_what_they_sent),
		cmocka_unit_test(test_a_message_without_a_connection_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
