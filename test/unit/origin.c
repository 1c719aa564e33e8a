/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MAC in a saved SYN (doc/kernel.md). */
#include "daemon/flow/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DESTINATION 0x02, 0, 0x5e, 0, 0x53, 1
#define SOURCE      0x02, 0, 0x5e, 0, 0x53, 0x10

static void a_mac_is_read_from_an_ethernet_header_only(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[64];
		size_t len;
		bool found;
	} cases[] = {
		{"IPv4", {DESTINATION, SOURCE, 0x08, 0x00, 0x45}, 54, true},
		{"IPv6", {DESTINATION, SOURCE, 0x86, 0xdd, 0x60}, 64, true},
		{"no header", {0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 10}, 60,
			false},
		{"type and version differ", {DESTINATION, SOURCE, 0x86, 0xdd, 0x45}, 54, false},
		{"another type", {DESTINATION, SOURCE, 0x81, 0x00, 0x45}, 54, false},
		{"loopback: no MAC", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45}, 54,
			false},
		{"cut", {DESTINATION, SOURCE, 0x08, 0x00, 0x45}, 33, false},
		{"empty", {0}, 0, false},
	};
	static const struct mac source = {{SOURCE}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mac mac;
		bool found = origin_syn_mac(cases[i].bytes, cases[i].len, &mac);
		if (found != cases[i].found)
			fail_msg("%s", cases[i].name);
		if (found)
			assert_true(mac_equal(&mac, &source));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_is_read_from_an_ethernet_header_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
