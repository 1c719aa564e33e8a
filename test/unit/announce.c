/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PROXY headers and XCLIENT commands, read back by decoders of the test's own. */
#include "lib/policy/login_name.h"
#include "lib/smtp/proxy.h"
#include "lib/smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
	struct endpoint endpoint = {.port = port};
	assert_int_equal(addr_parse(text, strlen(text), &endpoint.addr), 0);
	return endpoint;
}

static void v1_says_client_and_original(void **state)
{
	(void)state;
	char header[PROXY_V1_SIZE];
	struct endpoint client = endpoint_of("192.0.2.10", 40000);
	struct endpoint original = endpoint_of("198.51.100.25", 25);
	size_t len = proxy_encode_v1(&client, &original, header);
	assert_int_equal(len, strlen(header));
	assert_string_equal(header, "PROXY TCP4 192.0.2.10 198.51.100.25 40000 25\r\n");
	struct endpoint client6 = endpoint_of("2001:db8::10", 1);
	struct endpoint original6 = endpoint_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	assert_true(proxy_encode_v1(&client6, &original6, header) > 0);
	assert_string_equal(header,
		"PROXY TCP6 2001:db8::10 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 1 65535\r\n");
	assert_int_equal(proxy_encode_v1(&client, &original6, header), 0);
}

struct v2 {
	unsigned family;
	char source[46], destination[46];
	unsigned source_port, destination_port;
	char id[129], user[400];
};

/* Written from proxy-protocol.txt, section 2.2, apart from the encoder. */
static void decode_v2(const uint8_t *bytes, size_t len, struct v2 *v2)
{
	memset(v2, 0, sizeof(*v2));
	assert_true(len >= 16);
	assert_memory_equal(bytes, "\r\n\r\n\0\r\nQUIT\n", 12);
	assert_int_equal(bytes[12], 0x21);
	v2->family = bytes[13] == 0x11 ? 4 : bytes[13] == 0x21 ? 6 : 0;
	size_t size = v2->family == 4 ? 4 : 16, total = (size_t)bytes[14] << 8 | bytes[15];
	assert_int_equal(total + 16, len);
	const uint8_t *at = bytes + 16, *end = bytes + len;
	struct addr addr = {.family = (uint8_t)v2->family};
	memcpy(addr.bytes, at, size);
	addr_format(&addr, v2->source);
	memcpy(addr.bytes, at + size, size);
	addr_format(&addr, v2->destination);
	at += 2 * size;
	v2->source_port = (unsigned)at[0] << 8 | at[1];
	v2->destination_port = (unsigned)at[2] << 8 | at[3];
	for (at += 4; at < end;) {
		assert_true(end - at >= 3);
		size_t n = (size_t)at[1] << 8 | at[2];
		assert_true(n <= (size_t)(end - at - 3));
		char *to = at[0] == 0x05 ? v2->id : at[0] == 0xE0 ? v2->user : NULL;
		assert_non_null(to);
		memcpy(to, at + 3, n);
		at += 3 + n;
	}
}

static void v2_round_trip(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"192.0.2.10", "198.51.100.25"}, {"2001:db8::a", "2001:db8:f::19"}};
	char longest[128];
	memset(longest, 'u', 127);
	longest[127] = '\0';
	const char *const users[] = {"alice", "zo\xc3\xab", "", "a b\"c", longest};
	for (size_t i = 0; i < 2; i++)
		for (size_t u = 0; u < 5; u++) {
			struct endpoint client = endpoint_of(pairs[i][0], 50123);
			struct endpoint original = endpoint_of(pairs[i][1], 587);
			uint8_t header[PROXY_V2_SIZE];
			struct v2 v2;
			size_t len =
				proxy_encode_v2(&client, &original, "f-7k3q9", users[u], header);
			decode_v2(header, len, &v2);
			assert_string_equal(v2.source, pairs[i][0]);
			assert_string_equal(v2.destination, pairs[i][1]);
			assert_int_equal(v2.source_port, 50123);
			assert_int_equal(v2.destination_port, 587);
			assert_string_equal(v2.id, "f-7k3q9");
			assert_string_equal(v2.user, users[u]);
		}
}

static void v2_refuses_what_does_not_fit(void **state)
{
	(void)state;
	uint8_t header[PROXY_V2_SIZE];
	char text[600];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct endpoint client = endpoint_of("192.0.2.10", 1),
			original = endpoint_of("2001:db8::1", 2);
	assert_int_equal(proxy_encode_v2(&client, &original, "f-1", "u", header), 0);
	original = client;
	assert_int_equal(proxy_encode_v2(&client, &original, "f-1", text, header), 0);
	assert_int_equal(proxy_encode_v2(&client, &original, text, "u", header), 0);
}

#define ALL                                                                                  \
	(XCLIENT_NAME | XCLIENT_REVERSE_NAME | XCLIENT_ADDR | XCLIENT_PORT | XCLIENT_LOGIN | \
		XCLIENT_DESTADDR | XCLIENT_DESTPORT)

static void offers_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned offered;
	} cases[] = {
		{" NAME ADDR PORT PROTO HELO REVERSE_NAME LOGIN DESTADDR DESTPORT\r\n", ALL},
		{" name Addr\tPORT", XCLIENT_NAME | XCLIENT_ADDR | XCLIENT_PORT},
		{"", 0},
		{" NAMES ADD", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
			xclient_offered(cases[i].text, strlen(cases[i].text)), cases[i].offered);
}

static void commands_for_a_known_client(void **state)
{
	(void)state;
	struct xclient_commands commands;
	struct xclient_identity identity = {.client = endpoint_of("2001:db8::10", 40000),
		.original = endpoint_of("2001:db8:f::25", 25),
		.login = "zo\xc3\xab+1 =x",
		.name = "host-1.example"};
	assert_int_equal(xclient_encode(&identity, ALL, &commands), 0);
	assert_int_equal(commands.n, 1);
	commands.text[commands.len[0]] = '\0';
	assert_string_equal(commands.text,
		"XCLIENT NAME=host-1.example REVERSE_NAME=[UNAVAILABLE] PORT=40000 "
		"LOGIN=zo+C3+AB+2B1+20+3Dx DESTADDR=IPV6:2001:db8:f::25 DESTPORT=25 "
		"ADDR=IPV6:2001:db8::10\r\n");
}

static void long_identities_take_several_commands(void **state)
{
	(void)state;
	char user[POLICY_USER_SIZE], login[LOGIN_NAME_SIZE];
	char name[256];
	memset(user, 0xfe, sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	assert_non_null(login_name_format(POLICY_LOGIN_TAGGED, "session", user, NULL, login));
	assert_int_equal(strlen(login), strlen("session:") + strlen(user));
	memset(name, 'n', 255);
	for (size_t dot = 63; dot < 255; dot += 64)
		name[dot] = '.';
	name[255] = '\0';
	struct xclient_identity identity = {.client = endpoint_of("192.0.2.1", 1),
		.original = endpoint_of("192.0.2.2", 25),
		.login = login,
		.name = name,
		.reverse_name = name};
	struct xclient_commands commands;
	assert_int_equal(xclient_encode(&identity, ALL, &commands), 0);
	assert_true(commands.n > 1 && commands.n <= XCLIENT_COMMANDS_MAX);
	const char *at = commands.text;
	for (size_t i = 0; i < commands.n; at += commands.len[i++]) {
		assert_true(commands.len[i] <= XCLIENT_LINE_MAX);
		assert_memory_equal(at, "XCLIENT ", 8);
		assert_ptr_equal(memchr(at, '\n', commands.len[i]), at + commands.len[i] - 1);
		char line[XCLIENT_LINE_MAX + 1] = {0};
		memcpy(line, at, commands.len[i]);
		assert_int_equal(strstr(line, " ADDR=") != NULL, i + 1 == commands.n);
	}
}

static void names_inject_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"a\r\nMAIL FROM:<x>", "a b", "a=b", "", "-a", "[1]",
		"\xff",
		/* what Postfix takes for no host name */
		"a-.example", "a.-b.example", "a.example-", "a..example", ".a", "a.", "192.0.2.7",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234.example"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct xclient_commands commands;
		struct xclient_identity identity = {.client = endpoint_of("192.0.2.1", 1),
			.original = endpoint_of("192.0.2.2", 25),
			.name = names[i],
			.reverse_name = names[i],
			.login = "a\r\nRCPT TO:<x>"};
		assert_int_equal(xclient_encode(&identity, ALL, &commands), 0);
		assert_int_equal(commands.n, 1);
		commands.text[commands.len[0]] = '\0';
		assert_non_null(strstr(commands.text, " NAME=[UNAVAILABLE] "));
		assert_non_null(strstr(commands.text, " LOGIN=a+0D+0ARCPT+20TO:<x> "));
		assert_ptr_equal(strchr(commands.text, '\r'), commands.text + commands.len[0] - 2);
	}
}

/* A server that looks at names defers whom DNS has not told of, and refuses who has none. */
static void a_name_is_told_or_why_there_is_none(void **state)
{
	static const struct {
		const char *name, *reverse;
		bool open;
		const char *said;
	} cases[] = {
		{"mx_1.a-b.example", "1.example", false,
			"NAME=mx_1.a-b.example REVERSE_NAME=1.example"},
		{"mx.example", NULL, true, "NAME=mx.example REVERSE_NAME=[TEMPUNAVAIL]"},
		{NULL, "b.example", true, "NAME=[TEMPUNAVAIL] REVERSE_NAME=b.example"},
		{NULL, NULL, false, "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE]"},
		{"a b", "a-.example", true, "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE]"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct xclient_commands commands;
		const struct xclient_identity identity = {.client = endpoint_of("192.0.2.1", 1),
			.original = endpoint_of("192.0.2.2", 25),
			.name = cases[i].name,
			.reverse_name = cases[i].reverse,
			.name_open = cases[i].open};
		assert_int_equal(xclient_encode(&identity, ALL, &commands), 0);
		commands.text[commands.len[0]] = '\0';
		if (!strstr(commands.text, cases[i].said))
			fail_msg("%zu: %s", i, commands.text);
	}
}

static void what_is_needed_must_be_offered(void **state)
{
	(void)state;
	struct xclient_commands commands;
	struct xclient_identity identity = {.client = endpoint_of("192.0.2.1", 1),
		.original = endpoint_of("192.0.2.2", 25),
		.login = "alice"};
	assert_int_equal(
		xclient_encode(&identity, ALL & ~XCLIENT_LOGIN, &commands), -XCLIENT_LOGIN);
	assert_int_equal(xclient_encode(&identity, ALL & ~XCLIENT_ADDR, &commands), -XCLIENT_ADDR);
	assert_int_equal(xclient_encode(&identity, ALL & ~XCLIENT_NAME, &commands), -XCLIENT_NAME);
	identity.login = NULL;
	unsigned least = XCLIENT_NAME | XCLIENT_ADDR | XCLIENT_PORT;
	assert_int_equal(xclient_encode(&identity, least, &commands), 0);
	commands.text[commands.len[0]] = '\0';
	assert_string_equal(commands.text, "XCLIENT NAME=[UNAVAILABLE] PORT=1 ADDR=192.0.2.1\r\n");
	assert_string_equal(xclient_attribute_name(XCLIENT_LOGIN), "LOGIN");
}

static void names_are_told_with_their_source(void **state)
{
	(void)state;
	const struct addr host4 = endpoint_of("192.0.2.7", 1).addr;
	const struct addr host6 = endpoint_of("2001:db8::7", 1).addr;
	const struct {
		enum policy_login login;
		const char *source, *user;
		const struct addr *permitted;
		const char *told; /* NULL: none */
	} cases[] = {
		{POLICY_LOGIN_OFF, "session", "anna", NULL, NULL},
		{POLICY_LOGIN_OFF, "none", "", &host4, NULL},
		{POLICY_LOGIN_ON, "session", "anna", NULL, "anna"},
		{POLICY_LOGIN_ON, "none", "", &host4, NULL},
		{POLICY_LOGIN_TAGGED, "auth", "anna", NULL, "auth:anna"},
		{POLICY_LOGIN_TAGGED, "session", "anna", NULL, "session:anna"},
		{POLICY_LOGIN_TAGGED, "device", "till", NULL, "device:till"},
		/* nobody takes another source's tag with his name */
		{POLICY_LOGIN_TAGGED, "session", "auth:anna", NULL, "session:auth:anna"},
		{POLICY_LOGIN_TAGGED, "session", "anna", &host4, "session:anna"},
		{POLICY_LOGIN_TAGGED, "none", "", &host4, "host:192.0.2.7"},
		{POLICY_LOGIN_TAGGED, "none", "", &host6, "host:2001:db8::7"},
		{POLICY_LOGIN_TAGGED, "none", "", NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[LOGIN_NAME_SIZE];
		const char *told = login_name_format(
			cases[i].login, cases[i].source, cases[i].user, cases[i].permitted, text);
		if (!cases[i].told) {
			assert_null(told);
			continue;
		}
		assert_non_null(told);
		assert_string_equal(told, cases[i].told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_says_client_and_original),
		cmocka_unit_test(v2_round_trip),
		cmocka_unit_test(v2_refuses_what_does_not_fit),
		cmocka_unit_test(offers_are_read),
		cmocka_unit_test(commands_for_a_known_client),
		cmocka_unit_test(long_identities_take_several_commands),
		cmocka_unit_test(names_inject_nothing),
		cmocka_unit_test(a_name_is_told_or_why_there_is_none),
		cmocka_unit_test(what_is_needed_must_be_offered),
		cmocka_unit_test(names_are_told_with_their_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
