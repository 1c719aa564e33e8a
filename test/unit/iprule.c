/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/iprule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <cmocka.h>

#define MASK  0xf0000000
#define RELAY 0x10000000

#define LOOKUP .action = FR_ACT_TO_TBL, .table = 77

/* Which rules of others can take what we steer; what is not understood can. */
static void others_that_can_take_what_is_steered(void **state)
{
	static const struct {
		const char *what;
		struct iprule rule;
		bool can;
	} cases[] = {
		{"from all lookup 77", {LOOKUP}, true},
		{"iif eth0", {LOOKUP, .iif = "eth0"}, true},
		{"iif lo: what the machine sends", {LOOKUP, .iif = "lo"}, false},
		{"not iif lo", {LOOKUP, .iif = "lo", .inverted = true}, true},
		{"oif", {LOOKUP, .has_oif = true}, false},
		{"not oif", {LOOKUP, .has_oif = true, .inverted = true}, true},
		{"fwmark of other bits, which may be set", {LOOKUP, .mark = 5, .mask = 0xff}, true},
		{"fwmark whose mask has our bits, without ours",
			{LOOKUP, .mark = 0xca6c, .mask = UINT32_MAX}, false},
		{"not fwmark, as VPN tools have it",
			{LOOKUP, .mark = 0xca6c, .mask = UINT32_MAX, .inverted = true}, true},
		{"fwmark with our bits", {LOOKUP, .mark = RELAY | 5, .mask = UINT32_MAX}, true},
		{"fwmark with one of our bits", {LOOKUP, .mark = RELAY, .mask = RELAY}, true},
		{"fwmark with another decision", {LOOKUP, .mark = 0x20000000, .mask = MASK}, false},
		{"ipproto udp", {LOOKUP, .ip_protocol = IPPROTO_UDP}, false},
		{"ipproto tcp", {LOOKUP, .ip_protocol = IPPROTO_TCP}, true},
		{"ipproto icmp, errors are led, too", {LOOKUP, .ip_protocol = IPPROTO_ICMP}, true},
		{"lookup local", {.action = FR_ACT_TO_TBL, .table = RT_TABLE_LOCAL}, false},
		{"lookup main", {.action = FR_ACT_TO_TBL, .table = RT_TABLE_MAIN}, true},
		{"unreachable", {.action = FR_ACT_UNREACHABLE}, true},
		{"goto, which may leap over ours", {.action = FR_ACT_GOTO, .target = 30000}, true},
		{"nop", {.action = FR_ACT_NOP}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (iprule_may_take(&cases[i].rule, MASK, RELAY) != cases[i].can)
			fail_msg("%s", cases[i].what);
}

/* A message as the kernel tells a rule. */
static void what_the_kernel_tells_is_read(void **state)
{
	union {
		char bytes[512];
		struct nlmsghdr align;
	} buf = {{0}};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf.bytes);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	struct iprule rule;

	(void)state;
	nlh->nlmsg_type = RTM_NEWRULE;
	frh->family = AF_INET6;
	frh->action = FR_ACT_GOTO;
	frh->flags = FIB_RULE_INVERT;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, 4025);
	mnl_attr_put_u32(nlh, FRA_GOTO, 4027);
	mnl_attr_put_u32(nlh, FRA_FWMARK, RELAY);
	mnl_attr_put_u32(nlh, FRA_FWMASK, MASK);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, 250);
	mnl_attr_put_strz(nlh, FRA_IIFNAME, "lo");
	mnl_attr_put_strz(nlh, FRA_OIFNAME, "eth0");
	assert_true(iprule_parse(nlh, &rule));
	assert_int_equal(rule.family, AF_INET6);
	assert_int_equal(rule.action, FR_ACT_GOTO);
	assert_int_equal(rule.priority, 4025);
	assert_int_equal(rule.target, 4027);
	assert_true(rule.mark == RELAY && rule.mask == MASK);
	assert_int_equal(rule.protocol, 250);
	assert_string_equal(rule.iif, "lo");
	assert_true(rule.has_oif && rule.inverted);

	struct iprule other = rule;
	assert_true(iprule_equal(&rule, &other));
	other.target++;
	assert_false(iprule_equal(&rule, &other));
	nlh->nlmsg_type = RTM_NEWROUTE;
	assert_false(iprule_parse(nlh, &rule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_that_can_take_what_is_steered),
		cmocka_unit_test(what_the_kernel_tells_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
