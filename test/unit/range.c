/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of addresses, and the networks that they fall into. */
#include "lib/base/net/range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct range range(const char *text)
{
	struct range out;

	assert_int_equal(range_parse(text, strlen(text), &out), 0);
	return out;
}

static struct addr addr(const char *text)
{
	struct addr out;

	assert_int_equal(addr_parse(text, strlen(text), &out), 0);
	return out;
}

static void text_is_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
		int error;
	} cases[] = {
		{"192.0.2.10-192.0.2.20", "192.0.2.10-192.0.2.20", 0},
		{"192.0.2.10-192.0.2.10", "192.0.2.10-192.0.2.10", 0},
		{"2001:DB8::1-2001:db8::0:ff", "2001:db8::1-2001:db8::ff", 0},
		{"::ffff:192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9", 0},
		{"192.0.2.20-192.0.2.10", NULL, -ERANGE},
		{"192.0.2.20-2001:db8::1", NULL, -ERANGE},
		{"192.0.2.20-", NULL, -EINVAL},
		{"-192.0.2.20", NULL, -EINVAL},
		{"192.0.2.1-192.0.2.2-192.0.2.3", NULL, -EINVAL},
		{"192.0.2.1-20", NULL, -EINVAL},
		{"192.0.2.0/24-192.0.3.0/24", NULL, -EINVAL},
		{"192.0.2.1", NULL, -EINVAL},
		{"", NULL, -EINVAL},
	};
	char buf[RANGE_TEXT_SIZE];
	struct range out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(
			range_parse(cases[i].text, strlen(cases[i].text), &out), cases[i].error);
		if (cases[i].printed)
			assert_string_equal(range_format(&out, buf), cases[i].printed);
	}
}

/* As text, by blanks. */
static const char *split(const char *text)
{
	static char out[RANGE_PARTS_MAX * PREFIX_TEXT_SIZE];
	struct range whole = range(text);
	struct prefix parts[RANGE_PARTS_MAX];
	unsigned n = range_split(&whole, parts);
	size_t used = 0;

	for (unsigned i = 0; i < n; i++) {
		char one[PREFIX_TEXT_SIZE];
		prefix_format(&parts[i], one);
		used += (size_t)sprintf(out + used, "%s%s", i ? " " : "", one);
	}
	return out;
}

static void a_range_falls_into_networks(void **state)
{
	(void)state;
	assert_string_equal(split("192.0.2.10-192.0.2.20"),
		"192.0.2.10/31 192.0.2.12/30 192.0.2.16/30 192.0.2.20");
	assert_string_equal(split("192.0.2.0-192.0.2.255"), "192.0.2.0/24");
	assert_string_equal(split("192.0.2.7-192.0.2.7"), "192.0.2.7");
	assert_string_equal(split("0.0.0.0-255.255.255.255"), "0.0.0.0/0");
	assert_string_equal(split("255.255.255.254-255.255.255.255"), "255.255.255.254/31");
	assert_string_equal(split("2001:db8::-2001:db8::1:ffff"), "2001:db8::/111");
	assert_string_equal(split("2001:db8::ff-2001:db8::101"), "2001:db8::ff 2001:db8::100/127");
	assert_string_equal(split("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0");
}

static void the_widest_ranges_have_their_place(void **state)
{
	struct prefix parts[RANGE_PARTS_MAX];
	struct range six = range("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	struct range four = range("0.0.0.1-255.255.255.254");

	(void)state;
	assert_int_equal(range_split(&six, parts), RANGE_PARTS_MAX);
	assert_int_equal(range_split(&four, parts), 62);
}

/* Every pair in a /24 and its IPv6 like: each address lies in one part or in none. */
static void parts_hold_the_range_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		unsigned byte = i ? 15 : 3;
		struct addr base = addr(i ? "2001:db8::7f00" : "192.0.2.0");
		for (unsigned first = 0; first < 256; first += 3) {
			for (unsigned last = first; last < 256; last += 5) {
				struct prefix parts[RANGE_PARTS_MAX];
				struct range whole = {base, base};
				whole.first.bytes[byte] = (uint8_t)first;
				whole.last.bytes[byte] = (uint8_t)last;
				unsigned n = range_split(&whole, parts);
				for (unsigned at = 0; at < 256; at++) {
					struct addr one = base;
					unsigned held = 0;
					one.bytes[byte] = (uint8_t)at;
					for (unsigned j = 0; j < n; j++)
						held += prefix_contains(&parts[j], &one);
					assert_int_equal(held, at >= first && at <= last);
					assert_int_equal(held, range_contains(&whole, &one));
				}
			}
		}
	}
}

static void a_network_is_a_range(void **state)
{
	char buf[RANGE_TEXT_SIZE];
	struct prefix prefix;
	struct range out;

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.64/26", 13, &prefix), 0);
	out = range_of(&prefix);
	assert_string_equal(range_format(&out, buf), "192.0.2.64-192.0.2.127");
	assert_int_equal(prefix_parse("2001:db8::/32", 13, &prefix), 0);
	out = range_of(&prefix);
	assert_string_equal(
		range_format(&out, buf), "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_and_printed),
		cmocka_unit_test(a_range_falls_into_networks),
		cmocka_unit_test(the_widest_ranges_have_their_place),
		cmocka_unit_test(parts_hold_the_range_and_nothing_else),
		cmocka_unit_test(a_network_is_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
