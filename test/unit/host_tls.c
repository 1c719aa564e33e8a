/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control keeps of TLS with the hosts, and whether it holds under another policy. */
#include "daemon/control/peers/health/host_tls.h"

#include "daemon/control/control.h"
#include "lib/tls/terms.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FIRST  "203.0.113.10"
#define SECOND "203.0.113.11"

static struct policy *policy_of(const char *hosts)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"zone guest { interface \"lo\"; identity address; level message }\n"
		"server relay { %s }\nrule guests { user any server relay }\n",
		hosts);
	struct policy *policy = policy_of_text(text, NULL);
	return policy;
}

/* The first host's own, as health sees it under this policy. */
static void take(struct host_tls **all, const struct policy *policy)
{
	const struct policy_server *server = &policy->servers[0];
	const struct control control = {0};
	struct ipc_host_tls ipc;

	ipc_init(&ipc, IPC_HOST_TLS, sizeof(ipc));
	ipc.digest = tls_terms_digest(server, &server->hosts[0]);
	ipc.seen_ms = 1;
	ipc.host = (struct endpoint){.addr = server->hosts[0].addr, .port = 25};
	strcpy(ipc.server, "relay");
	strcpy(ipc.name, FIRST);
	host_tls_take(all, &control, NULL, &ipc);
}

/* Of the first host, which stands in that line of the policy now. */
static bool is_known(const struct host_tls *all, const char *hosts, uint16_t line)
{
	struct policy *policy = policy_of(hosts);
	const struct ipc_target target = {.name = FIRST, .port = 25, .line = line};
	struct addr addr;

	assert_int_equal(addr_parse(FIRST, strlen(FIRST), &addr), 0);
	bool known = host_tls_find(all, &policy->servers[0], &target, &addr);
	policy_unref(policy);
	return known;
}

static void what_was_seen_of_a_host_holds_until_its_own_terms_change(void **state)
{
	struct policy *policy = policy_of("host " FIRST " { tls require }");
	struct host_tls *all = NULL;

	(void)state;
	take(&all, policy);
	assert_true(is_known(all, "host " FIRST " { tls require }", 0));
	assert_true(is_known(all, "tls require; host " FIRST, 0));
	assert_true(is_known(all, "host " SECOND "; host " FIRST " { tls require }", 1));
	assert_true(
		is_known(all, "host " FIRST " { tls require }; host " SECOND " { tls none }", 0));
	assert_false(is_known(all, "host " FIRST, 0));
	assert_false(
		is_known(all, "host " FIRST " { tls none }; host " SECOND " { tls require }", 0));
	/* no such line: the hosts are not those that it was told of */
	assert_false(is_known(all, "host " FIRST " { tls require }", 1));
	host_tls_free(&all);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_of_a_host_holds_until_its_own_terms_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
