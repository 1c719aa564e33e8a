/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as the CLI and list files write them. */
#include "lib/language/language.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void durations_parse_and_print(void **state)
{
	static const struct {
		const char *text, *printed;
		uint64_t ms;
	} cases[] = {
		{"5ms", "5ms", 5},
		{"1000ms", "1s", 1000},
		{"90s", "90s", 90000},
		{"60m", "1h", 3600000},
		{"2w", "2w", 1209600000},
		{"7d", "1w", 604800000},
		{"0s", "0s", 0},
		{"0w", "0s", 0},
	};
	static const char *const wrong[] = {"", "5", "s", "5 s", "-5s", "5min", "5S",
		"99999999999999999999s", "18446744073709551615s", "1h30m"};
	char buf[32];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(language_parse_duration(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
		assert_string_equal(language_format_duration(ms, buf), cases[i].printed);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(language_parse_duration(wrong[i], &ms), -EINVAL);
}

static size_t read_list(
	enum policy_list_holds holds, const char *text, struct language_listing *listing)
{
	language_parse_list(holds, text, strlen(text), listing);
	return listing->n;
}

static void list_files_take_every_delimiter_and_quotes(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned heading;
	} cases[] = {
		{"192.0.2.1,192.0.2.2;192.0.2.3\t192.0.2.4 # x, y\r\n2001:db8::1", 5, 0},
		{"\xef\xbb\xbf"
		 "192.0.2.1\r\n",
			1, 0},
		{"\"192.0.2.1\",\"02:00:5e:00:53:01\"\r\n\" 192.0.2.2 \";\"\"\n", 3, 0},
		{"\"192.0.2.1\"#x\n", 1, 0},
		{"IP Address,MAC Address\n192.0.2.1,0200.5e00.5301\n", 2, 1},
		{"\xef\xbb\xbf# of the desk\n\n\"IPv4 (office)\";\"user-name\"\n192.0.2.1\n", 1, 3},
		{"", 0, 0},
		{"# nothing", 0, 0},
		{"\"\",,;", 0, 0},
	};
	struct language_listing listing;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(
			read_list(POLICY_HOLDS_ADDRESSES, cases[i].text, &listing), cases[i].n);
		assert_int_equal(listing.nbad, 0);
		assert_int_equal(listing.heading, cases[i].heading);
		language_listing_fini(&listing);
	}
	assert_int_equal(read_list(POLICY_HOLDS_MAIL,
				 "E-Mail;Name\n\"ann@hotel.example\", @.hotel.example\n", &listing),
		2);
	assert_int_equal(listing.heading, 1);
	language_listing_fini(&listing);
	assert_int_equal(
		read_list(POLICY_HOLDS_HOSTS, "host\nmx1.partner.example\n.example.net", &listing),
		2);
	language_listing_fini(&listing);
}

/* Each at its place, with what was expected there. */
static void every_bad_entry_is_told(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *word, *expected;
	} cases[] = {
		{"192.0.2.1\n\t192.0.2.2, 192.0.2.x#no", 2, 13, "192.0.2.x", "an address"},
		{"\xef\xbb\xbf"
		 "192.0.2.300",
			1, 1, "192.0.2.300", "an address"},
		{"\"192.0.2.1", 1, 1, "\"192.0.2.1", "a quote before the end of the line"},
		{"\"192.0.2.1\n192.0.2.2\"", 1, 1, "\"192.0.2.1", "a quote before"},
		{"\"192.0.2.1\"x", 1, 1, "\"192.0.2.1\"x", "a delimiter behind the quote"},
		{"\"192.0.2.1, 192.0.2.2\"", 1, 1, "192.0.2.1, 192.0.2.2", "an address"},
		{"192.0.2.1\nMAC Address\n", 2, 1, "MAC", "an address"}, /* no first line */
		{"aabbccddeeff\n", 1, 1, "aabbccddeeff", "an address"},  /* no heading */
		{"192.0.2.300\n", 1, 1, "192.0.2.300", "an address"},
		{"# x\nnonsense\n", 2, 1, "nonsense", "an address"}, /* a heading of nothing */
		{"address 192.0.2.300\n", 1, 1, "address", "an address"},
		{"\xff\xfe"
		 "1\0",
			1, 1, "UTF-16", "text in UTF-8"},
		{"192.0.2.9-192.0.2.1", 1, 1, "192.0.2.9-192.0.2.1", "a range that begins"},
	};
	struct language_listing listing;
	char text[4000] = "", line[LANGUAGE_BAD_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		read_list(POLICY_HOLDS_ADDRESSES, cases[i].text, &listing);
		assert_in_range(listing.nbad, 1, 2);
		assert_int_equal(listing.bad[0].line, cases[i].line);
		assert_int_equal(listing.bad[0].column, cases[i].column);
		assert_int_equal(listing.bad[0].len, strlen(cases[i].word));
		assert_memory_equal(listing.bad[0].word, cases[i].word, listing.bad[0].len);
		assert_non_null(strstr(listing.bad[0].expected, cases[i].expected));
		language_listing_fini(&listing);
	}
	for (int i = 0; i < 50; i++)
		sprintf(text + strlen(text), "192.0.2.%d bad%d\n", i, i);
	assert_int_equal(
		language_parse_list(POLICY_HOLDS_ADDRESSES, text, strlen(text), &listing), -EINVAL);
	assert_int_equal(listing.nbad, 50);
	for (unsigned i = 0; i < LANGUAGE_BAD_MAX; i++)
		assert_int_equal(listing.bad[i].line, i + 1);
	assert_string_equal(language_format_bad("x.list", &listing.bad[4], line),
		"x.list:5:11: error: \"bad4\" is no entry of this list, expected an address, a "
		"network, a range or a MAC");
	language_listing_fini(&listing);
}

static void near_names_are_near(void **state)
{
	static const char *const names[] = {"guest", "staff", "dmz"};

	(void)state;
	assert_string_equal(language_near("gest", names, 3), "guest");
	assert_string_equal(language_near("satff", names, 3), "staff");
	assert_string_equal(language_near("dmx", names, 3), "dmz");
	assert_null(language_near("office", names, 3));
	assert_null(language_near("", names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_parse_and_print),
		cmocka_unit_test(list_files_take_every_delimiter_and_quotes),
		cmocka_unit_test(every_bad_entry_is_told),
		cmocka_unit_test(near_names_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
