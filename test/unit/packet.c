/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TCP(flags) 0xc0, 0x01, 0, 25, 0x81, 2, 3, 4, 0, 0, 0, 0, 0x50, flags, 4, 0, 0, 0, 0, 0
#define IP4(ihl, off, proto)                                                                       \
	0x40 | (ihl), 0, 0, 40, 0, 0, (off) >> 8, (off)&0xff, 64, proto, 0, 0, 192, 0, 2, 10, 198, \
		51, 100, 25
#define IP6_ADDRS                                                                                  \
	0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x20, 1, 0xd, 0xb8, 0, 3, 0, 0, \
		0, 0, 0, 0, 0, 0, 0, 0x25
#define IP6(next) 0x60, 0, 0, 0, 0, 20, next, 64, IP6_ADDRS
/* an extension header of eight bytes */
#define EXTENSION(next) next, 0, 0, 0, 0, 0, 0, 0

#define CASE(word, status, first, ...)                                                          \
	{                                                                                       \
		word, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), status, \
			first                                                                   \
	}

static const struct {
	const char *word;
	const uint8_t *bytes;
	size_t len;
	int status;
	bool is_first;
} cases[] = {
	CASE("a SYN over IPv4", 0, true, IP4(5, 0, 6), TCP(0x02)),
	CASE("a SYN over IPv6", 0, true, IP6(6), TCP(0x02)),
	CASE("ECN bits do not matter", 0, true, IP4(5, 0, 6), TCP(0xc2)),
	CASE("SYN and ACK is not first", 0, false, IP4(5, 0, 6), TCP(0x12)),
	CASE("SYN and FIN is not first", 0, false, IP4(5, 0, 6), TCP(0x03)),
	CASE("IPv4 options", 0, true, IP4(6, 0, 6), 1, 1, 1, 0, TCP(0x02)),
	CASE("do not fragment", 0, true, IP4(5, 0x4000, 6), TCP(0x02)),
	CASE("the first fragment has ports", 0, true, IP4(5, 0x2000, 6), TCP(0x02)),
	CASE("a later fragment has none", -EBADMSG, false, IP4(5, 0x2001, 6), TCP(0x02)),
	CASE("UDP", -EPROTO, false, IP4(5, 0, 17), TCP(0x02)),
	CASE("an IPv4 header of 16 bytes", -EBADMSG, false, IP4(4, 0, 6), TCP(0x02)),
	CASE("IPv4 options cut off", -EBADMSG, false, IP4(15, 0, 6), TCP(0x02)),
	CASE("version 5", -EBADMSG, false, 0x55, 0, 0, 40),
	CASE("one byte", -EBADMSG, false, 0x45),
	CASE("hop-by-hop, routing and destination options", 0, true, IP6(0), EXTENSION(43),
		EXTENSION(60), EXTENSION(6), TCP(0x02)),
	CASE("the first fragment over IPv6", 0, true, IP6(44), 6, 0, 0, 1, 0, 0, 0, 9, TCP(0x02)),
	CASE("a later fragment over IPv6", -EBADMSG, false, IP6(44), 6, 0, 0, 9, 0, 0, 0, 9,
		TCP(0x02)),
	CASE("an authentication header", 0, true, IP6(51), 6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		TCP(0x02)),
	CASE("an extension longer than the packet", -EBADMSG, false, IP6(0), 6, 200, 0, 0, 0, 0, 0,
		0, TCP(0x02)),
	CASE("an extension cut off", -EBADMSG, false, IP6(0), 6, 0, 0),
	CASE("no next header", -EPROTO, false, IP6(59), TCP(0x02)),
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet packet;
		int status = packet_parse(cases[i].bytes, cases[i].len, &packet);
		if (status != cases[i].status || packet.is_first != cases[i].is_first)
			fail_msg("%s: status %d, first %d", cases[i].word, status, packet.is_first);
		if (status)
			continue;
		assert_int_equal(packet.source.port, 0xc001);
		assert_int_equal(packet.destination.port, 25);
		assert_int_equal(packet.sequence, 0x81020304);
		bool ip4 = cases[i].bytes[0] >> 4 == 4;
		assert_int_equal(packet.source.addr.family, ip4 ? ADDR_IP4 : ADDR_IP6);
		assert_int_equal(packet.source.addr.bytes[ip4 ? 3 : 15], ip4 ? 10 : 0x10);
		assert_int_equal(packet.destination.addr.bytes[ip4 ? 3 : 15], ip4 ? 25 : 0x25);
	}
}

static void test_every_cut_of_a_packet_is_refused_or_whole(void **state)
{
	(void)state;
	static const uint8_t whole[] = {IP6(0), EXTENSION(60), EXTENSION(6), TCP(0x02)};
	for (size_t len = 0; len <= sizeof(whole); len++) {
		struct packet packet;
		uint8_t *cut = malloc(len ? len : 1);
		memcpy(cut, whole, len);
		int status = packet_parse(cut, len, &packet);
		/* all up to the flags is wanted */
		assert_int_equal(status, len >= 40 + 16 + 14 ? 0 : -EBADMSG);
		free(cut);
	}
}

static void test_a_chain_of_extensions_ends(void **state)
{
	(void)state;
	uint8_t bytes[40 + 8 * 100] = {0x60, [6] = 60};
	struct packet packet;
	for (size_t at = 40; at < sizeof(bytes); at += 8)
		bytes[at] = 60;
	assert_int_equal(packet_parse(bytes, sizeof(bytes), &packet), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_every_cut_of_a_packet_is_refused_or_whole),
		cmocka_unit_test(test_a_chain_of_extensions_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
