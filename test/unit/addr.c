/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static struct prefix prefix_of_text(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, strlen(text), &prefix), 0);
	return prefix;
}

static void test_addresses_are_printed_in_one_form(void **state)
{
	static const struct {
		const char *in, *out;
		enum addr_family family;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", ADDR_IP4},
		{"0.0.0.0", "0.0.0.0", ADDR_IP4},
		{"2001:DB8::1", "2001:db8::1", ADDR_IP6},
		{"2001:db8:0:0:0:0:0:1", "2001:db8::1", ADDR_IP6},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", ADDR_IP6},
		{"::", "::", ADDR_IP6},
		{"::1", "::1", ADDR_IP6},
		{"::ffff:192.0.2.7", "192.0.2.7", ADDR_IP4},
		{"::ffff:c000:207", "192.0.2.7", ADDR_IP4},
	};
	char buf[ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr = addr_of(cases[i].in);
		assert_int_equal(addr.family, cases[i].family);
		assert_string_equal(addr_format(&addr, buf), cases[i].out);
	}
}

static void test_what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {"", "192.0.2", "192.0.2.256", "192.0.2.01", "1.2.3.4 ",
		" 1.2.3.4", "192.0.2.1/32", "[::1]", "fe80::1%eth0", "2001:db8",
		"::1::", "12345::", "localhost",
		"0000:0000:0000:0000:0000:0000:255.255.255.2555555555555555555555"};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(addr_parse(cases[i], strlen(cases[i]), &addr), -EINVAL);
	assert_int_equal(addr_parse("192.0.2.1\0", 10, &addr), -EINVAL);
	assert_int_equal(addr_parse("192.0.2.1xyz", 9, &addr), 0);
}

static void test_kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		bool loopback, multicast, link_local, unspecified;
	} cases[] = {
		{"192.0.2.1", false, false, false, false},
		{"127.9.9.9", true, false, false, false},
		{"224.0.0.1", false, true, false, false},
		{"239.255.255.255", false, true, false, false},
		{"240.0.0.1", false, false, false, false},
		{"169.254.1.1", false, false, true, false},
		{"0.0.0.0", false, false, false, true},
		{"2001:db8::1", false, false, false, false},
		{"::1", true, false, false, false},
		{"ff02::1", false, true, false, false},
		{"fe80::1", false, false, true, false},
		{"febf::1", false, false, true, false},
		{"fec0::1", false, false, false, false},
		{"::", false, false, false, true},
	};
	struct addr none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr = addr_of(cases[i].text);
		assert_int_equal(addr_is_loopback(&addr), cases[i].loopback);
		assert_int_equal(addr_is_multicast(&addr), cases[i].multicast);
		assert_int_equal(addr_is_link_local(&addr), cases[i].link_local);
		assert_int_equal(addr_is_unspecified(&addr), cases[i].unspecified);
	}
	assert_false(addr_is_unspecified(&none));
}

static void test_order_is_family_then_bytes(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0", "192.0.2.1", "192.0.2.2", "198.51.100.0", "::", "2001:db8::", "ff02::1"};
	const size_t n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct addr a = addr_of(sorted[i]), b = addr_of(sorted[j]);
			int order = addr_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
}

static void test_prefixes_are_parsed_and_printed(void **state)
{
	static const struct {
		const char *in, *out;
		int result;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.0/24", 0},
		{"192.0.2.1", "192.0.2.1", 0},
		{"192.0.2.1/32", "192.0.2.1", 0},
		{"0.0.0.0/0", "0.0.0.0/0", 0},
		{"::/0", "::/0", 0},
		{"2001:db8:20::/64", "2001:db8:20::/64", 0},
		{"2001:db8::1/128", "2001:db8::1", 0},
		{"192.0.2.1/24", "192.0.2.0/24", -EDOM},
		{"192.0.2.129/25", "192.0.2.128/25", -EDOM},
		{"2001:db8::1/127", "2001:db8::/127", -EDOM},
		{"::ffff:192.0.2.0/120", "192.0.2.0/24", 0},
		{"::ffff:192.0.2.0/95", NULL, -EINVAL},
		{"192.0.2.0/33", NULL, -EINVAL},
		{"2001:db8::/129", NULL, -EINVAL},
		{"192.0.2.0/", NULL, -EINVAL},
		{"192.0.2.0/024", NULL, -EINVAL},
		{"192.0.2.0/-1", NULL, -EINVAL},
		{"192.0.2.0/2 ", NULL, -EINVAL},
		{"192.0.2.0/1000", NULL, -EINVAL},
		{"/24", NULL, -EINVAL},
		{"", NULL, -EINVAL},
	};
	char buf[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix prefix;
		int result = prefix_parse(cases[i].in, strlen(cases[i].in), &prefix);
		assert_int_equal(result, cases[i].result);
		if (cases[i].out)
			assert_string_equal(prefix_format(&prefix, buf), cases[i].out);
	}
}

static void test_a_prefix_holds_its_own_addresses_only(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "192.0.2.1", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix prefix = prefix_of_text(cases[i].prefix);
		struct addr addr = addr_of(cases[i].addr);
		assert_int_equal(prefix_contains(&prefix, &addr), cases[i].inside);
		struct prefix alone = prefix_of(&addr);
		assert_int_equal(prefix_overlaps(&prefix, &alone), cases[i].inside);
		assert_int_equal(prefix_overlaps(&alone, &prefix), cases[i].inside);
	}
}

static void test_macs(void **state)
{
	static const char *const bad[] = {"", "02:00:5e:00:53", "02:00:5e:00:53:0",
		"02-00:5e:00:53:07", "02:00:5e:00:53:0g", "02005e005307", "02:00:5e:00:53:07 ",
		"2:00:5e:00:53:007"};
	struct mac mac, other;
	char buf[MAC_TEXT_SIZE];

	(void)state;
	assert_int_equal(mac_parse("02:00:5E:00:53:aF", 17, &mac), 0);
	assert_string_equal(mac_format(&mac, buf), "02:00:5e:00:53:af");
	assert_int_equal(mac_parse("02-00-5e-00-53-af", 17, &other), 0);
	assert_true(mac_equal(&mac, &other));
	assert_true(mac_is_set(&mac));
	assert_true(mac_is_local(&mac));
	assert_int_equal(mac_parse("00:00:5e:00:53:01", 17, &other), 0);
	assert_false(mac_is_local(&other));
	assert_int_equal(mac_parse("00:00:00:00:00:00", 17, &other), 0);
	assert_false(mac_is_set(&other));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], strlen(bad[i]), &mac), -EINVAL);
}

static void test_socket_addresses_there_and_back(void **state)
{
	static const struct {
		const char *addr, *text;
		size_t len;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1:25", sizeof(struct sockaddr_in)},
		{"2001:db8::1", "[2001:db8::1]:25", sizeof(struct sockaddr_in6)},
	};
	char buf[ENDPOINT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint in = {.addr = addr_of(cases[i].addr), .port = 25}, out;
		struct sockaddr_storage sa;
		size_t len = endpoint_encode(&in, &sa);
		assert_int_equal(len, cases[i].len);
		assert_int_equal(endpoint_decode((struct sockaddr *)&sa, len, &out), 0);
		assert_true(addr_equal(&in.addr, &out.addr));
		assert_int_equal(out.port, 25);
		assert_string_equal(endpoint_format(&out, buf), cases[i].text);
		assert_int_equal(
			endpoint_decode((struct sockaddr *)&sa, len - 1, &out), -EAFNOSUPPORT);
	}
}

static void test_a_mapped_socket_address_becomes_ip4(void **state)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(2525)};
	struct endpoint endpoint;
	char buf[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.5", &in6.sin6_addr), 1);
	assert_int_equal(endpoint_decode((struct sockaddr *)&in6, sizeof(in6), &endpoint), 0);
	assert_string_equal(endpoint_format(&endpoint, buf), "192.0.2.5:2525");
	in6.sin6_family = AF_UNIX;
	assert_int_equal(
		endpoint_decode((struct sockaddr *)&in6, sizeof(in6), &endpoint), -EAFNOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_printed_in_one_form),
		cmocka_unit_test(test_what_is_no_address_is_refused),
		cmocka_unit_test(test_kinds_of_addresses),
		cmocka_unit_test(test_order_is_family_then_bytes),
		cmocka_unit_test(test_prefixes_are_parsed_and_printed),
		cmocka_unit_test(test_a_prefix_holds_its_own_addresses_only),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_socket_addresses_there_and_back),
		cmocka_unit_test(test_a_mapped_socket_address_becomes_ip4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
