/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/rule.h>
#include <cmocka.h>

/* What the namespace test cannot see on every machine: the words that only some kernels take, and
 * names of interfaces. The text is libnftnl's. */

static void iifname(struct expr_rule *rule, const char *argument)
{
	expr_iifname(rule, argument);
}

static void queue_native(struct expr_rule *rule, const char *argument)
{
	(void)argument;
	expr_queue(rule, 25);
}

static void queue_compat(struct expr_rule *rule, const char *argument)
{
	(void)argument;
	expr_queue_compat(rule, 25);
}

static void mark_set(struct expr_rule *rule, const char *argument)
{
	(void)argument;
	expr_mark_set(rule, EXPR_CT_MARK, 0x00000f00, 0x00000200);
}

static void test_words(void **state)
{
	(void)state;
	static const struct {
		void (*add)(struct expr_rule *, const char *);
		const char *argument, *wanted, *unwanted;
	} cases[] = {
		{queue_native, NULL, "[ queue num 25 bypass ]", "target"},
		{queue_compat, NULL, "[ target name NFQUEUE rev 3 ]", "queue"},
		{iifname, "eth0", "[ cmp eq reg 1 0x30687465 0x00000000 0x00000000 0x00000000 ]",
			"neq"},
		{iifname, "eth*", "[ cmp eq reg 1 0x00687465 ]", "0x00000000"},
		{iifname, "*", "", "iifname"},
		{mark_set, NULL, "[ bitwise reg 1 = ( reg 1 & 0xfffff0ff ) ^ 0x00000200 ]", "meta"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[1024] = "";
		struct expr_rule rule = {.nftnl = nftnl_rule_alloc()};
		assert_non_null(rule.nftnl);
		cases[i].add(&rule, cases[i].argument);
		assert_false(rule.failed);
		nftnl_rule_snprintf(text, sizeof(text), rule.nftnl, 0, 0);
		if (!strstr(text, cases[i].wanted) || strstr(text, cases[i].unwanted))
			fail_msg("case %zu: %s", i, text);
		nftnl_rule_free(rule.nftnl);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
