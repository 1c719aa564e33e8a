/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a coming policy would let pass: each way out is found, and nothing else is taken for one. */
#include "lib/policy/proof/opening.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void tell(void *context, const char *zone, const char *text)
{
	char *said = context;
	snprintf(said + strlen(said), 4096 - strlen(said), "%s: %s\n", zone, text);
}

static void compare(const char *running, const char *coming, char said[static 4096])
{
	struct policy *a = policy_of_text(running, NULL), *b = policy_of_text(coming, NULL);
	struct lists *lists = lists_new();
	struct session_table *sessions = session_table_new();
	const struct decide_world world = {
		.policy = a, .lists = lists, .sessions = sessions, .local = gmtime_r};
	said[0] = '\0';
	opening_steering(a, b, tell, said);
	opening_rules(&world, b, 1700000000000, tell, said);
	session_table_free(sessions);
	lists_free(lists);
	policy_unref(a);
	policy_unref(b);
}

struct line {
	const char *running, *coming, *said; /* said "": nothing */
};

static void run(const struct line *lines, size_t n)
{
	static char said[4096];
	for (size_t i = 0; i < n; i++) {
		compare(lines[i].running, lines[i].coming, said);
		if (*lines[i].said ? !strstr(said, lines[i].said) : *said)
			fail_msg("line %zu: \"%s\" is not in \"%s\"", i, lines[i].said, said);
	}
}

#define TAIL " server s { host 203.0.113.1 } rule all { user any server s }"

static void test_what_is_steered_no_more_is_named(void **state)
{
	static const struct line lines[] = {
		{"zone a { interface e0 }" TAIL, "zone a { interface e0 }" TAIL, ""},
		/* a name is no way out, nor is another zone around it */
		{"zone a { interface e0 }" TAIL, "zone b { interface e0 }" TAIL, ""},
		{"zone a { interface e0, e1 }" TAIL,
			"zone a { interface e0 } zone b { interface e1 }" TAIL, ""},
		{"zone a { interface e0 }" TAIL, "zone a { interface \"e*\" }" TAIL, ""},
		{"zone a { interface \"eth*\" }" TAIL, "zone a { interface \"e*\" }" TAIL, ""},
		{"zone a { interface e0, e1 }" TAIL, "zone a { interface e0 }" TAIL,
			"a: interface e1 is no longer redirected"},
		{"zone a { interface \"e*\" }" TAIL, "zone a { interface e0 }" TAIL,
			"a: interface e* is no longer redirected"},
		{"zone a { interface e0 } zone b { interface e1 }" TAIL,
			"zone a { interface e0 }" TAIL, "b: interface e1"},
		{"zone a { interface e0 }" TAIL, "hostname x", "a: interface e0"},
		{"zone a { interface e0 port 25, 2525 }" TAIL, "zone a { interface e0 }" TAIL,
			"a: port 2525 is no longer redirected"},
		{"zone a { interface e0 }" TAIL, "zone a { interface e0 port 25, 2525 }" TAIL, ""},
		{"zone a { interface e0 network 192.0.2.0/25, 192.0.2.128/25 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/24 }" TAIL, ""},
		{"zone a { interface e0 network 192.0.2.0/24 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/25 }"
			"zone b { interface e0 network 192.0.2.128/25 }" TAIL,
			""},
		{"zone a { interface e0 network 192.0.2.0/24 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/25 }" TAIL,
			"a: network 192.0.2.0/24 is no longer redirected"},
		{"zone a { interface e0 network 192.0.2.0/24, 2001:db8::/32 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/24 }" TAIL,
			"a: network 2001:db8::/32 is no longer redirected"},
		{"zone a { interface e0 network 2001:db8::/32 }" TAIL,
			"zone a { interface e0 network 2001:db8::/33, 2001:db8:8000::/33 }" TAIL,
			""},
		{"zone a { interface e0 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/24 }" TAIL,
			"a: IPv4 outside of networks is no longer redirected\n"
			"a: IPv6 outside of networks"},
		{"zone a { interface e0 }" TAIL,
			"zone a { interface e0 network 0.0.0.0/0, ::/0 }" TAIL, ""},
		/* the ports of one, the networks of another */
		{"zone a { interface e0 port 25, 2525 network 192.0.2.0/24 }" TAIL,
			"zone a { interface e0 network 192.0.2.0/25 port 25, 2525 }"
			"zone b { interface e0 network 192.0.2.128/25 }" TAIL,
			"a: network 192.0.2.0/24"},
	};
	(void)state;
	run(lines, sizeof(lines) / sizeof(*lines));
}

#define GUEST  "zone guest { interface e0 unmatched pass } server s { host 203.0.113.1 } "
#define TIGHT  "zone guest { interface e0 } server s { host 203.0.113.1 } "
#define KERNEL "zone guest { interface e0 } server s { host 203.0.113.1 path kernel } "

#define DEVICE(words)                                                                       \
	TIGHT "rule p { user vip verdict pass } rule q { group g destination 198.51.100.9 " \
	      "verdict "                                                                    \
	      "pass } rule r { user any server s } device d { zone guest " words " }"

/* Whoever carries it, it is redirected. */
static void test_what_the_kernel_leads_is_redirected(void **state)
{
	static const struct line lines[] = {
		{TIGHT "rule r { user any server s }", KERNEL "rule r { user any server s }", ""},
		{KERNEL "rule r { user any server s }", TIGHT "rule r { user any server s }", ""},
		{KERNEL "rule r { user any server s }",
			KERNEL "rule p { user ann verdict pass } rule r { user any server s }",
			"guest: rule p would pass what rule r redirects"},
		{KERNEL "rule r { server s limit flows 5 per client }",
			GUEST "rule r { server s disabled }",
			"guest: `unmatched pass` would meet what rule r redirects"},
	};
	(void)state;
	run(lines, sizeof(lines) / sizeof(*lines));
}

/* Sender and recipient decide later, and never to pass. */
static void test_what_is_read_is_redirected(void **state)
{
	static const struct line lines[] = {
		{TIGHT "rule r { recipient \"@a.example\" server s }",
			GUEST "rule r { recipient \"@a.example\" server s disabled }",
			"guest: `unmatched pass` would meet what rule r redirects"},
		{TIGHT "rule r { sender none verdict answer \"no\" }", GUEST,
			"guest: `unmatched pass` would meet what rule r redirects"},
		{TIGHT "rule r { limit messages 5/day verdict answer \"no\" }",
			TIGHT "rule p { user ann verdict pass }"
			      "rule r { limit messages 5/day verdict answer \"no\" }",
			"guest: rule p would pass what rule r redirects"},
		/* one that answers the connection redirects nothing */
		{TIGHT "rule r { verdict answer \"no\" }", GUEST, ""},
		/* in front of what passes, the coming one takes all connections */
		{TIGHT "rule r { server s }",
			TIGHT "rule r { sender none server s } rule s { server s }", ""},
		{TIGHT "rule r { user ann sender none server s } rule s { server s }",
			TIGHT "rule q { user ann recipient \"a@b.example\" server s }"
			      "rule p { user bob verdict pass } rule s { server s }",
			"guest: rule p would pass what rule s redirects"},
	};
	(void)state;
	run(lines, sizeof(lines) / sizeof(*lines));
}

static void test_who_was_redirected_and_would_pass_is_found(void **state)
{
	static const struct line lines[] = {
		/* the only rule, under `unmatched pass` */
		{GUEST "rule r { user any server s }",
			GUEST "rule r { user any server s disabled }",
			"guest: `unmatched pass` would meet what rule r redirects"},
		{GUEST "rule r { user any server s }", GUEST, "rule r redirects"},
		{GUEST "rule r { user any server s }", GUEST "rule r { user ann server s }",
			"rule r redirects"},
		{GUEST "rule r { user any server s } rule q { user any server s }",
			GUEST "rule q { user any server s }", ""},
		{TIGHT "rule r { user any server s }",
			TIGHT "rule r { user any server s disabled }", ""},
		{GUEST "rule r { user any server s }",
			TIGHT "rule r { user any server s disabled }", ""},
		{TIGHT "rule r { user any server s }",
			GUEST "rule r { user any server s } rule q { user ann verdict drop }", ""},
		/* a rule that passes, in front of it */
		{TIGHT "rule r { user any server s } rule p { user ann verdict pass }",
			TIGHT "rule p { user ann verdict pass } rule r { user any server s }",
			"rule p would pass what rule r redirects"},
		{TIGHT "rule p { user ann verdict pass } rule r { user any server s }",
			TIGHT "rule r { user any server s } rule p { user ann verdict pass }", ""},
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { group g verdict pass } rule r { user any server s }",
			"rule p would pass"},
		{TIGHT "rule r { user bob server s }",
			TIGHT "rule p { user ann verdict pass } rule r { user bob server s }", ""},
		{TIGHT "rule p { user ann verdict pass disabled } rule r { user any server s }",
			TIGHT "rule p { user ann verdict pass } rule r { user any server s }",
			"rule p would pass"},
		{TIGHT "rule p { user ann verdict pass } rule r { user any server s }",
			TIGHT "rule p { user ann, bob verdict pass } rule r { user any server s }",
			"rule p would pass"},
		{TIGHT "rule p { user ann, bob verdict pass } rule r { user any server s }",
			TIGHT "rule p { user ann verdict pass } rule r { user any server s }", ""},
		/* what stood between them */
		{TIGHT "rule q { user ann verdict drop } rule p { user any verdict pass }",
			TIGHT "rule p { user any verdict pass }", ""},
		{TIGHT "rule q { user ann server s } rule p { user any verdict pass }",
			TIGHT "rule p { user any verdict pass }",
			"rule p would pass what rule q redirects"},
		/* by source, destination, port, time and list */
		{TIGHT "rule r { source 192.0.2.0/24 server s } rule p { user any verdict pass }",
			TIGHT
			"rule r { source 192.0.2.0/25 server s } rule p { user any verdict pass }",
			"rule p would pass what rule r"},
		{TIGHT "rule r { source 192.0.2.128/25 server s } rule p { user any verdict pass }",
			TIGHT
			"rule r { source 192.0.2.0/25 server s } rule p { user any verdict pass }",
			"rule p would pass what rule r"},
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { destination 198.51.100.7 verdict pass } rule r { user any "
			      "server s }",
			"rule p would pass"},
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { source 02:00:5e:00:53:07 verdict pass } rule r { user any "
			      "server s }",
			"rule p would pass"},
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { schedule sun 03:00-04:00 verdict pass } rule r { user any "
			      "server s }",
			"rule p would pass"},
		{TIGHT "list l { 192.0.2.1 } rule p { source l verdict pass } rule r { user any "
		       "server s }",
			TIGHT "list l { 192.0.2.1, 192.0.2.2 } rule p { source l verdict pass } "
			      "rule r { user any server s }",
			"rule p would pass"},
		{"zone guest { interface e0 port 25, 2525 } server s { host 203.0.113.1 } "
		 "rule r { user any server s }",
			"zone guest { interface e0 port 25, 2525 } server s { host 203.0.113.1 } "
			"rule p { port 2525 verdict pass } rule r { user any server s }",
			"rule p would pass"},
		/* what only the running rule names, among many */
		{GUEST "rule r { user a, b, c, d, e, f, g, h, i, j, k server s }",
			GUEST "rule r { user a, b, c, d, e, f, g, h, i, j server s }",
			"`unmatched pass` would meet what rule r"},
		{GUEST "rule r { group a, b, c, d, e, f, g, h, i, j, k server s }",
			GUEST "rule r { group a, b, c, d, e, f, g, h, i, j server s }",
			"`unmatched pass` would meet what rule r"},
		{GUEST "list l { 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6, "
		       "192.0.2.7, 192.0.2.8, 192.0.2.9, 192.0.2.10, 192.0.2.11, 192.0.2.12, "
		       "192.0.2.13, 192.0.2.14, 192.0.2.15, 192.0.2.16, 192.0.2.17, 192.0.2.18 } "
		       "rule r { source l server s }",
			GUEST
			"list l { 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, "
			"192.0.2.6, 192.0.2.7, 192.0.2.8, 192.0.2.9, 192.0.2.10, 192.0.2.11, "
			"192.0.2.12, 192.0.2.13, 192.0.2.14, 192.0.2.15, 192.0.2.16, 192.0.2.17 } "
			"rule r { source l server s }",
			"`unmatched pass` would meet what rule r"},
		{GUEST "rule r { source 10.0.0.0/8 server s }",
			GUEST "rule r { source 10.0.0.0/9 server s }",
			"`unmatched pass` would meet what rule r"},
		/* IPv6 alone */
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { source 2001:db8:1::/48 verdict pass } rule r { user any "
			      "server s }",
			"rule p would pass"},
		/* of another zone */
		{"zone a { interface e0 } zone b { interface e1 unmatched pass } "
		 "server s { host 203.0.113.1 } rule r { zone a user any server s }",
			"zone a { interface e0 } zone b { interface e1 unmatched pass } "
			"server s { host 203.0.113.1 } rule r { zone a user any server s disabled "
			"}",
			""},
		/* who is known no more */
		{"zone a { interface e0 unauthenticated pass } server s { host 203.0.113.1 } "
		 "rule r { user any server s }",
			"zone b { interface e0 unauthenticated pass } server s { host 203.0.113.1 "
			"} "
			"rule r { user any server s }",
			"a: its clients come to zone b, where who is not logged in passes"},
		{"zone a { interface e0 unauthenticated pass } server s { host 203.0.113.1 } "
		 "rule r { user any server s } device d { zone a mac 02:00:5e:00:53:07 user d }",
			"zone a { interface e0 unauthenticated pass } server s { host 203.0.113.1 "
			"} "
			"rule r { user any server s }",
			"device d would be unknown"},
		/* for some minutes of a week */
		{TIGHT "rule r { user any server s }",
			TIGHT "rule p { schedule thu 10:07-10:09 verdict pass } rule r { user any "
			      "server s }",
			"rule p would pass"},
		/* where the list of a negation has more */
		{GUEST "rule r { user any destination not 198.51.100.77 server s }",
			GUEST "rule r { user any destination not 198.51.100.77, 203.0.113.9 server "
			      "s }",
			"`unmatched pass` would meet what rule r"},
		/* of two ports one is left */
		{"zone a { interface e0 port 25, 587 unmatched pass } server s { host 203.0.113.1 "
		 "} "
		 "rule r { user any server s }",
			"zone a { interface e0 port 25, 587 unmatched pass } server s { host "
			"203.0.113.1 } "
			"rule r { user any port 25 server s }",
			"`unmatched pass` would meet what rule r"},
		/* in the midst of a network, between what other rules take */
		{TIGHT "rule a { destination 198.51.100.0, 198.51.100.255, 198.51.100.251 server s "
		       "} "
		       "rule r { user any server s }",
			TIGHT "rule a { destination 198.51.100.0, 198.51.100.255, 198.51.100.251 "
			      "server s } "
			      "rule p { destination 198.51.100.0/24 verdict pass } "
			      "rule r { user any server s }",
			"rule p would pass"},
		/* a device that is somebody else now */
		{DEVICE("mac 02:00:5e:00:53:07 user d"), DEVICE("mac 02:00:5e:00:53:07 user vip"),
			"device d: rule p would pass what rule r redirects"},
		{DEVICE("mac 02:00:5e:00:53:07 user d"),
			DEVICE("mac 02:00:5e:00:53:07 user d group g"),
			"device d: rule q would pass what rule r redirects"},
		{DEVICE("address 192.0.2.7 user d"), DEVICE("address 192.0.2.0/24 user vip"),
			"device d: rule p would pass"},
		{DEVICE("mac 02:00:5e:00:53:07 user d"), DEVICE("mac 02:00:5e:00:53:07 user e"),
			""},
		{DEVICE("mac 02:00:5e:00:53:07 user vip"), DEVICE("mac 02:00:5e:00:53:07 user d"),
			""},
		{"zone a { interface e0 unauthenticated pass } server s { host 203.0.113.1 } "
		 "rule r { user any server s } device d { zone a mac 02:00:5e:00:53:07 user d }",
			"zone a { interface e0 unauthenticated pass } server s { host 203.0.113.1 "
			"} rule r { user any server s } "
			"device d { zone a mac 02:00:5e:00:53:08 user d }",
			"device d would be unknown"},
	};
	(void)state;
	run(lines, sizeof(lines) / sizeof(*lines));
}

/* Ten thousand rules are compared soon enough; what is not compared is said. */
static void test_many_rules_are_compared(void **state)
{
	static char said[4096];
	char *text[3];
	size_t len;
	(void)state;
	for (unsigned which = 0; which < 3; which++) {
		FILE *out = open_memstream(&text[which], &len);
		fputs(TIGHT, out);
		if (which == 1)
			fputs("rule p { user \"u9999\" verdict pass }\n", out);
		for (unsigned i = 0; i < 10000; i++)
			fprintf(out, "rule r%u { user \"u%u\" %s }\n", i, i,
				which == 2 && i == 5000 ? "verdict pass" : "server s");
		fclose(out);
	}
	compare(text[0], text[0], said);
	assert_string_equal(said, "");
	compare(text[0], text[1], said);
	assert_string_equal(said, "guest: rule p would pass what rule r9999 redirects\n");
	compare(text[0], text[2], said);
	assert_string_equal(said, "guest: rule r5000 would pass what rule r5000 redirects\n");
	for (unsigned which = 0; which < 3; which++)
		free(text[which]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_steered_no_more_is_named),
		cmocka_unit_test(test_what_the_kernel_leads_is_redirected),
		cmocka_unit_test(test_what_is_read_is_redirected),
		cmocka_unit_test(test_who_was_redirected_and_would_pass_is_found),
		cmocka_unit_test(test_many_rules_are_compared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
