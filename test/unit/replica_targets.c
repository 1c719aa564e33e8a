/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a server's hosts between a policy and health's first word under it, and whether
 * a flow that is read may be sent to one: the flow and who foretells it ask the same. */
#include "daemon/process/replica_targets.h"

#include "lib/policy/level.h"
#include "test/lib/policy_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHOWN 5 /* offers */
#define BOTH  TARGET_CLIENTS_ALL
#define IP4   TARGET_CLIENTS_IP4

static void set_policy(struct replica_targets *table, uint64_t number, const char *server)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"zone guest { interface \"lo\"; identity address }\n"
		"server relay { %s }\nrule guests { user any server relay }\n",
		server);
	struct policy *policy = policy_of_text(text, NULL);
	assert_int_equal(replica_targets_set_policy(table, policy, number), 0);
	policy_unref(policy);
}

struct told {
	const char *name, *address; /* address NULL: none */
	uint8_t state, clients, drained, pending;
	uint32_t weight;
};

static void tell(struct replica_targets *table, uint64_t number, const struct told *told, size_t n)
{
	_Alignas(16) uint8_t bytes[sizeof(struct ipc_targets) + 4 * sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)bytes;
	size_t len = sizeof(*ipc) + n * sizeof(ipc->v[0]);

	ipc_init(ipc, IPC_TARGETS, len);
	ipc->number = number;
	ipc->n = (uint32_t)n;
	ipc->known = 1;
	strcpy(ipc->server, "relay");
	for (size_t i = 0; i < n; i++) {
		struct ipc_target *target = &ipc->v[i];
		strcpy(target->name, told[i].name);
		target->line = (uint16_t)i;
		target->port = 25;
		target->weight = told[i].weight;
		target->state = told[i].state;
		target->client_families = told[i].clients;
		target->drained = told[i].drained;
		target->pending = told[i].pending;
		target->offers = SHOWN;
		target->read.state = told[i].state;
		target->read.client_families = told[i].clients;
		if (!told[i].address)
			continue;
		target->naddresses = target->read.naddresses = 1;
		assert_int_equal(
			addr_parse(told[i].address, strlen(told[i].address), &target->addresses[0]),
			0);
	}
	assert_int_equal(ipc_check(ipc, len), 0);
	replica_targets_take(table, ipc);
}

/* A host that offers XCLIENT, at one of its addresses or at both. */
static void tell_forging(struct replica_targets *table, uint64_t number, bool both)
{
	_Alignas(16) uint8_t bytes[sizeof(struct ipc_targets) + sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)bytes;

	ipc_init(ipc, IPC_TARGETS, sizeof(bytes));
	ipc->number = number;
	ipc->n = 1;
	ipc->flows = LEVEL_FLOWS_ALL;
	strcpy(ipc->server, "relay");
	struct ipc_target *target = &ipc->v[0];
	strcpy(target->name, "a");
	strcpy(target->text, "offers XCLIENT to the gateway");
	target->port = 25;
	target->weight = 1;
	target->state = both ? TARGET_NEVER : TARGET_UP;
	target->client_families = BOTH;
	target->offers = SHOWN;
	target->naddresses = both ? 2 : 1;
	for (uint8_t i = 0; i < 2; i++)
		target->addresses[i] = (struct addr){{192, 0, 2, (uint8_t)(1 + i)}, ADDR_IP4};
	target->read = (struct ipc_target_read){
		.state = TARGET_UP, .client_families = BOTH, .naddresses = 2};
	assert_int_equal(ipc_check(ipc, sizeof(bytes)), 0);
	replica_targets_take(table, ipc);
}

static struct replica_server *list_of(const struct replica_targets *table)
{
	return replica_targets_of(table, table->policy, 0);
}

/* The offers of those it may be sent to; -1: to none. */
static int served(const struct replica_targets *table, enum addr_family client)
{
	uint8_t offers;

	return replica_targets_serve(list_of(table), client, &offers) ? offers : -1;
}

static void one_host_is_enough_that_is_up_as_far_as_is_known(void **state)
{
	static const struct {
		struct told v[2];
		int served[2]; /* IPv4, IPv6 clients */
	} cases[] = {
		{{{"a", "192.0.2.1", TARGET_DOWN, BOTH, 0, 0, 1}}, {-1, -1}},
		{{{"a", "192.0.2.1", TARGET_NEVER, BOTH, 0, 0, 1}}, {-1, -1}},
		{{{"a", "192.0.2.1", TARGET_UP, BOTH, 1, 0, 1}}, {-1, -1}},
		{{{"a", "192.0.2.1", TARGET_UP, BOTH, 0, 0, 0}}, {-1, -1}},
		{{{"a", NULL, TARGET_UNKNOWN, BOTH, 0, 0, 1}}, {-1, -1}},
		{{{"a", "192.0.2.1", TARGET_UP, BOTH, 0, 0, 1}}, {SHOWN, SHOWN}},
		{{{"a", "192.0.2.1", TARGET_UNKNOWN, BOTH, 0, 0, 1}}, {SHOWN, SHOWN}},
		{{{"a", "192.0.2.1", TARGET_UP, IP4, 0, 0, 1}}, {SHOWN, -1}},
		{{{"a", NULL, TARGET_UNKNOWN, BOTH, 0, 1, 1}}, {SHOWN, SHOWN}},
		{{{"a", NULL, TARGET_UNKNOWN, BOTH, 1, 1, 1}}, {-1, -1}},
		{{{"a", "192.0.2.1", TARGET_DOWN, BOTH, 0, 0, 1},
			 {"b", "192.0.2.2", TARGET_UP, IP4, 0, 0, 1}},
			{SHOWN, -1}},
	};
	struct replica_targets table = {0};
	uint8_t offers = SHOWN;

	(void)state;
	set_policy(&table, 1, "host 192.0.2.1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tell(&table, 1, cases[i].v, cases[i].v[1].name ? 2 : 1);
		if (served(&table, ADDR_IP4) != cases[i].served[0] ||
			served(&table, ADDR_IP6) != cases[i].served[1])
			fail_msg("case %zu", i);
	}
	/* the original: nothing is known of it, so nothing is promised */
	assert_true(replica_targets_serve(NULL, ADDR_IP4, &offers));
	assert_int_equal(offers, 0);
	replica_targets_fini(&table);
}

/* Of a host that is down under the policy before. */
static void another_policy_keeps_what_still_holds(void **state)
{
	static const struct {
		const char *server;
		int served;
	} cases[] = {
		{"host 192.0.2.1", -1},
		{"host 192.0.2.1 preference 20 { limit flows 9 }", -1},
		{"host 192.0.2.1 weight 5; deadline idle 9m", -1},
		/* it was asked in another way */
		{"host 192.0.2.1; announce proxy-v1", 0},
		{"host 192.0.2.1; bind 192.0.2.99", 0},
		{"host 192.0.2.1; bind client", 0},
		{"host 192.0.2.1; probe none", 0},
		/* it is another one */
		{"host 192.0.2.1 port 26", 0},
		{"host 192.0.2.2", 0},
		{"host 192.0.2.1; host 192.0.2.2", 0},
		{"host 192.0.2.1; host \"mail.example\"", 0},
		{"host 192.0.2.1; mx \"example.org\"", 0},
		{"host 192.0.2.2 weight 0", -1},
	};
	static const struct told down = {"192.0.2.1", "192.0.2.1", TARGET_DOWN, BOTH, 0, 0, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct replica_targets table = {0};
		set_policy(&table, 1, "host 192.0.2.1");
		assert_int_equal(served(&table, ADDR_IP4), 0);
		assert_false(list_of(&table)->told);
		tell(&table, 1, &down, 1);
		assert_true(list_of(&table)->told);
		assert_int_equal(served(&table, ADDR_IP4), -1);
		set_policy(&table, 2, cases[i].server);
		if (served(&table, ADDR_IP4) != cases[i].served)
			fail_msg("%s", cases[i].server);
		assert_false(list_of(&table)->told);
		/* a word under the policy before comes too late */
		tell(&table, 1, &down, 1);
		assert_false(list_of(&table)->told);
		assert_int_equal(served(&table, ADDR_IP4), cases[i].served);
		replica_targets_fini(&table);
	}
}

/* A process that starts is told what the others know: it then knows the same. */
static void who_is_told_the_list_knows_the_same(void **state)
{
	static const struct told told[] = {
		{"192.0.2.1", "192.0.2.1", TARGET_DOWN, BOTH, 0, 0, 1},
		{"mail.example", "192.0.2.2", TARGET_UP, IP4, 1, 0, 1},
	};
	static const char next[] =
		"host 192.0.2.1; host \"mail.example\"; host \"new.example\" port 26";
	_Alignas(16) uint8_t bytes[sizeof(struct ipc_targets) + 3 * sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)bytes;
	struct replica_targets old = {0}, new = {0};
	struct addr unknown;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.7", 9, &unknown), 0);
	set_policy(&old, 1, "host 192.0.2.1; host \"mail.example\"");
	tell(&old, 1, told, 2);
	assert_int_equal(replica_targets_find_server(&old, &unknown), -ENOENT);
	set_policy(&old, 2, next);
	set_policy(&new, 2, next);
	replica_targets_tell(&old, list_of(&old), ipc);
	assert_int_equal(ipc_check(ipc, sizeof(bytes)), 0);
	replica_targets_take(&new, ipc);
	assert_int_equal(list_of(&new)->n, 3);
	assert_memory_equal(list_of(&new)->v, list_of(&old)->v, 3 * sizeof(struct ipc_target));
	assert_string_equal(list_of(&new)->v[2].name, "new.example");
	assert_true(list_of(&new)->v[2].pending);
	/* which may have any address */
	assert_int_equal(replica_targets_find_server(&new, &unknown), -EAGAIN);
	assert_int_equal(replica_targets_find_server(&new, &list_of(&new)->v[1].addresses[0]), 0);
	replica_targets_fini(&old);
	replica_targets_fini(&new);
}

/* It knows the policy and what is drained, and nothing that health said to the one before. */
static void one_who_is_new_takes_no_knowledge_away(void **state)
{
	static const struct told told[] = {
		{"192.0.2.1", "192.0.2.1", TARGET_UP, BOTH, 0, 0, 1},
		{"mail.example", "192.0.2.2", TARGET_UP, IP4, 0, 0, 1},
	};
	static const char policy[] = "host 192.0.2.1; host \"mail.example\"";
	_Alignas(16) uint8_t bytes[sizeof(struct ipc_targets) + 2 * sizeof(struct ipc_target)];
	struct ipc_targets *ipc = (void *)bytes;
	struct replica_targets knows = {0}, new = {0};

	(void)state;
	set_policy(&knows, 1, policy);
	tell(&knows, 1, told, 2);
	set_policy(&new, 1, policy);
	list_of(&new)->v[0].drained = 1;
	replica_targets_tell(&new, list_of(&new), ipc);
	replica_targets_take(&knows, ipc);
	assert_int_equal(list_of(&knows)->v[0].state, TARGET_UP);
	assert_int_equal(list_of(&knows)->v[1].naddresses, 1);
	assert_int_equal(list_of(&knows)->v[0].drained, 1);
	assert_int_equal(list_of(&knows)->v[1].drained, 0);
	assert_true(list_of(&knows)->told);
	/* also under the next policy */
	set_policy(&knows, 2, policy);
	set_policy(&new, 2, policy);
	replica_targets_tell(&new, list_of(&new), ipc);
	replica_targets_take(&knows, ipc);
	assert_int_equal(list_of(&knows)->v[1].naddresses, 1);
	assert_int_equal(list_of(&knows)->v[0].drained, 1);
	/* and it learns */
	replica_targets_tell(&knows, list_of(&knows), ipc);
	replica_targets_take(&new, ipc);
	assert_int_equal(list_of(&new)->v[1].naddresses, 1);
	assert_true(list_of(&new)->known);
	replica_targets_fini(&knows);
	replica_targets_fini(&new);
}

/* Each process has it as its own flows find it; who foretells, as each kind does. */
static void a_host_is_as_the_flows_find_it(void **state)
{
	struct replica_targets relay = {0}, smtp = {.read = true};
	struct addr second = {{192, 0, 2, 2}, ADDR_IP4};
	const struct ipc_target *of_relay, *of_smtp;

	(void)state;
	set_policy(&relay, 1, "host \"a\"");
	set_policy(&smtp, 1, "host \"a\"");
	tell_forging(&relay, 1, true);
	tell_forging(&smtp, 1, true);
	of_relay = &list_of(&relay)->v[0];
	of_smtp = &list_of(&smtp)->v[0];
	assert_int_equal(of_relay->state, TARGET_NEVER);
	assert_int_equal(of_smtp->state, TARGET_UP);
	assert_string_equal(of_smtp->text, "");
	assert_int_equal(served(&relay, ADDR_IP4), SHOWN);
	assert_int_equal(served(&smtp, ADDR_IP4), SHOWN);
	assert_int_equal(list_of(&relay)->flows, LEVEL_FLOWS_ALL);

	tell_forging(&relay, 1, false);
	tell_forging(&smtp, 1, false);
	assert_int_equal(list_of(&relay)->v[0].naddresses, 1);
	assert_int_equal(list_of(&smtp)->v[0].naddresses, 2);
	/* the other one is its host's no less */
	assert_int_equal(replica_targets_find_server(&relay, &second), 0);
	assert_int_equal(replica_targets_find_server(&smtp, &second), 0);

	/* another policy knows it still, in the same way, and in another one nothing of it */
	tell_forging(&relay, 1, true);
	set_policy(&relay, 2, "host \"a\"");
	assert_int_equal(list_of(&relay)->v[0].state, TARGET_NEVER);
	assert_int_equal(list_of(&relay)->flows, LEVEL_FLOWS_ALL);
	set_policy(&relay, 3, "host \"a\"; announce xclient");
	assert_int_equal(list_of(&relay)->v[0].state, TARGET_UNKNOWN);
	assert_int_equal(list_of(&relay)->v[0].read.state, TARGET_UNKNOWN);
	assert_int_equal(served(&relay, ADDR_IP4), 0);
	replica_targets_fini(&relay);
	replica_targets_fini(&smtp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_as_the_flows_find_it),
		cmocka_unit_test(one_host_is_enough_that_is_up_as_far_as_is_known),
		cmocka_unit_test(another_policy_keeps_what_still_holds),
		cmocka_unit_test(who_is_told_the_list_knows_the_same),
		cmocka_unit_test(one_who_is_new_takes_no_knowledge_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
