/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements of lists, of each kind. */
#include "lib/policy/element.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct policy_elem elem(enum policy_list_holds holds, const char *text)
{
	struct policy_elem out;

	assert_null(element_parse(holds, text, strlen(text), &out));
	return out;
}

static void good_ones_are_printed_as_written(void **state)
{
	static const struct {
		enum policy_list_holds holds;
		const char *text, *printed; /* NULL: the same */
	} cases[] = {
		{POLICY_HOLDS_ADDRESSES, "192.0.2.1", NULL},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.1/24", "192.0.2.0/24"},
		{POLICY_HOLDS_ADDRESSES, "2001:DB8::/32", "2001:db8::/32"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.10-192.0.2.20", NULL},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.0-192.0.2.255", NULL},
		{POLICY_HOLDS_ADDRESSES, "2001:db8::1-2001:db8::9", NULL},
		{POLICY_HOLDS_ADDRESSES, "02:00:5e:00:53:0a", NULL},
		{POLICY_HOLDS_ADDRESSES, "02:00:5E:00:53:0A", NULL},
		{POLICY_HOLDS_ADDRESSES, "02-00-5E-00-53-0a", NULL},
		{POLICY_HOLDS_ADDRESSES, "0200.5e00.530a", NULL},
		{POLICY_HOLDS_ADDRESSES, "0200.5E00.530A", NULL},
		{POLICY_HOLDS_MAIL, "anna@hotel.example", NULL},
		{POLICY_HOLDS_MAIL, "Anna.B+x@Hotel.Example", NULL},
		{POLICY_HOLDS_MAIL, "@hotel.example", NULL},
		{POLICY_HOLDS_MAIL, "@.hotel.example", NULL},
		{POLICY_HOLDS_MAIL,
			"j\xc3\xb6rg@b\xc3\xbc"
			"cher.example",
			NULL},
		{POLICY_HOLDS_HOSTS, "mx1.partner.example", NULL},
		{POLICY_HOLDS_HOSTS, ".partner.example", NULL},
		{POLICY_HOLDS_HOSTS, "MX_1.partner.example", NULL},
	};
	char buf[ELEMENT_TEXT_SIZE];
	uint8_t bytes[ELEMENT_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *printed = cases[i].printed ? cases[i].printed : cases[i].text;
		struct policy_elem e = elem(cases[i].holds, cases[i].text), back;
		assert_int_equal(element_holds(&e), cases[i].holds);
		assert_string_equal(element_format(&e, buf), printed);
		/* and over the store, too */
		assert_true(element_decode(bytes, element_encode(&e, bytes), &back));
		assert_int_equal(element_compare(&e, &back), 0);
		assert_string_equal(element_format(&back, buf), printed);
	}
}

static void bad_ones_are_told_what_was_expected(void **state)
{
	static const struct {
		enum policy_list_holds holds;
		const char *text, *expected;
	} cases[] = {
		{POLICY_HOLDS_ADDRESSES, "", "an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.300", "an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.1/33", "an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.1-20", "an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "anna@hotel.example",
			"an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "02005e00530a", "an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "02:00:5e:00-53:0a",
			"an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "0200.5e00:530a",
			"an address, a network, a range or a MAC"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.9-192.0.2.1",
			"a range that begins before it ends"},
		{POLICY_HOLDS_ADDRESSES, "192.0.2.9-2001:db8::1", "a range of one address family"},
		{POLICY_HOLDS_MAIL, "hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "192.0.2.1", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "anna@", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "@", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "@.", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "anna@.hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a..b@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, ".a@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a@b@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a%b@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a@hotel..example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a@-hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a\xff@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_MAIL, "a\x1b@hotel.example", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_HOSTS, "partner",
			"a host's name such as mx1.example.net, or .example.net"},
		{POLICY_HOLDS_HOSTS, ".", "a host's name such as mx1.example.net, or .example.net"},
		{POLICY_HOLDS_HOSTS, "mx1.partner.example.",
			"a host's name such as mx1.example.net, or .example.net"},
		{POLICY_HOLDS_MAIL, "anna@192.0.2.1", "user@domain, @domain or @.domain"},
		{POLICY_HOLDS_HOSTS, "192.0.2.300",
			"a host's name such as mx1.example.net, or .example.net"},
		{POLICY_HOLDS_HOSTS, "a@partner.example",
			"a host's name such as mx1.example.net, or .example.net"},
	};
	struct policy_elem e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *expected =
			element_parse(cases[i].holds, cases[i].text, strlen(cases[i].text), &e);
		assert_non_null(expected);
		assert_string_equal(expected, cases[i].expected);
	}
}

static void the_longest_are_within_bounds(void **state)
{
	char local[64 + 1 + 255 + 1], domain[256];
	char buf[ELEMENT_TEXT_SIZE];
	struct policy_elem e;

	(void)state;
	memset(domain, 'd', sizeof(domain));
	for (size_t i = 63; i < 253; i += 64)
		domain[i] = '.';
	memset(local, 'l', 64);
	local[64] = '@';
	memcpy(local + 65, domain, 253);
	assert_null(element_parse(POLICY_HOLDS_MAIL, local, 65 + 253, &e));
	assert_int_equal(strlen(element_format(&e, buf)), 65 + 253);
	assert_non_null(element_parse(POLICY_HOLDS_MAIL, local, 65 + 254, &e));
	assert_null(element_parse(POLICY_HOLDS_HOSTS, domain, 253, &e));
	assert_non_null(element_parse(POLICY_HOLDS_HOSTS, domain, 254, &e));
	memmove(local + 1, local, sizeof(local) - 1);
	assert_non_null(element_parse(POLICY_HOLDS_MAIL, local, 66 + 100, &e));
}

static void spelling_makes_no_other_element(void **state)
{
	struct policy_elem a = elem(POLICY_HOLDS_ADDRESSES, "02:00:5e:00:53:0a");
	struct policy_elem b = elem(POLICY_HOLDS_ADDRESSES, "0200.5E00.530A");
	struct policy_elem c = elem(POLICY_HOLDS_MAIL, "Anna@hotel.example");
	struct policy_elem d = elem(POLICY_HOLDS_MAIL, "anna@HOTEL.example");
	struct policy_elem range = elem(POLICY_HOLDS_ADDRESSES, "192.0.2.0-192.0.2.255");
	struct policy_elem network = elem(POLICY_HOLDS_ADDRESSES, "192.0.2.0/24");

	(void)state;
	assert_int_equal(element_compare(&a, &b), 0);
	assert_int_equal(element_compare(&c, &d), 0);
	assert_int_not_equal(element_compare(&range, &network), 0);
	assert_int_not_equal(element_compare(&a, &c), 0);
}

static void a_whole_family_is_known_as_one(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{"0.0.0.0/0", true},
		{"::/0", true},
		{"0.0.0.0-255.255.255.255", true},
		{"0.0.0.1-255.255.255.255", false},
		{"192.0.2.1", false},
		{"02:00:5e:00:53:0a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy_elem e = elem(POLICY_HOLDS_ADDRESSES, cases[i].text);
		assert_int_equal(element_is_family(&e), cases[i].is);
	}
}

static void foreign_bytes_are_no_element(void **state)
{
	static const struct {
		int len;
		const char *bytes;
	} cases[] = {
		{0, ""},
		{1, "m"},
		{6, "\x04\x21\xc0\x00\x02\x01"},               /* /33 */
		{6, "\x04\x08\xc0\x00\x02\x01"},               /* bits behind */
		{10, "r\x04\xc0\x00\x02\x09\xc0\x00\x02\x01"}, /* backwards */
		{10, "r\x06\xc0\x00\x02\x01\xc0\x00\x02\x09"},
		{9, "m\x02\x00\x5e\x00\x53\x0a\xff\xff"}, /* no such spelling */
		{8, "m\x02\x00\x5e\x00\x53\x0a\x00"},
		{5, "@anna"},
		{5, "hmail"},
		{3, "x.y"},
	};
	struct policy_elem e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(element_decode((const uint8_t *)cases[i].bytes, cases[i].len, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_printed_as_written),
		cmocka_unit_test(bad_ones_are_told_what_was_expected),
		cmocka_unit_test(the_longest_are_within_bounds),
		cmocka_unit_test(spelling_makes_no_other_element),
		cmocka_unit_test(a_whole_family_is_known_as_one),
		cmocka_unit_test(foreign_bytes_are_no_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
