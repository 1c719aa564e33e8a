/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which host the kernel takes a client to: who may be taken, and how clients spread. */
#include "lib/policy/path/path_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INQUIRY 7

struct stage {
	struct policy_server server;
	struct ipc_targets *targets;
	struct path_hosts hosts;
};

static void set_up(struct stage *stage, size_t n)
{
	*stage = (struct stage){.server = {.probe = true, .path = POLICY_PATH_KERNEL}};
	stage->targets = calloc(1, sizeof(*stage->targets) + n * sizeof(stage->targets->v[0]));
	assert_non_null(stage->targets);
	stage->targets->n = (uint32_t)n;
	stage->targets->inquiry = INQUIRY;
	stage->hosts = (struct path_hosts){&stage->server, stage->targets, INQUIRY};
	for (size_t i = 0; i < n; i++) {
		struct ipc_target *target = &stage->targets->v[i];
		snprintf(target->name, sizeof(target->name), "mx%zu.example", i);
		target->port = 25;
		target->preference = 10;
		target->weight = 1;
		target->state = TARGET_UP;
		target->client_families = TARGET_CLIENTS_ALL;
		target->naddresses = 2;
		target->asked = 3;
		target->addresses[0] = (struct addr){{192, 0, 2, (uint8_t)i}, ADDR_IP4};
		target->addresses[1] =
			(struct addr){{0x20, 1, 0xd, 0xb8, [15] = (uint8_t)i}, ADDR_IP6};
	}
}

static void tear_down(struct stage *stage)
{
	free(stage->targets);
}

static void only_who_is_known_to_work_is_taken(void **state)
{
	struct stage stage;
	struct ipc_target *target;
	(void)state;
#define TAKES(family) (path_choice_address(&stage.hosts, 0, family) != NULL)
#define CASE(change, ip4, ip6)                          \
	do {                                            \
		set_up(&stage, 1);                      \
		target = stage.targets->v;              \
		(void)target;                           \
		change;                                 \
		assert_int_equal(TAKES(ADDR_IP4), ip4); \
		assert_int_equal(TAKES(ADDR_IP6), ip6); \
		tear_down(&stage);                      \
	} while (0)
	CASE(, true, true);
	CASE(target->state = TARGET_UNKNOWN, false, false);
	CASE(target->state = TARGET_DOWN, false, false);
	CASE(target->state = TARGET_NEVER, false, false);
	CASE(target->drained = 1, false, false);
	CASE(target->weight = 0, false, false);
	CASE(target->client_families = TARGET_CLIENTS_IP4, true, false);
	CASE(target->asked = 1, true, false);
	CASE(target->asked = 2, false, true);
	CASE(target->lost = 1, false, true);
	CASE(target->lost = 2, true, false);
	CASE(target->naddresses = 1, true, false);
	CASE(target->naddresses = 0, false, false);
	CASE(stage.hosts.inquiry++, false, false);
	/* nobody probes it: what flows saw is all that is known */
	CASE(stage.server.probe = false; target->state = TARGET_UNKNOWN, true, true);
	CASE(stage.server.probe = false; target->state = TARGET_UNKNOWN;
		target->failing = 1, false, false);
}

static void the_first_that_fits_of_several_addresses_is_taken(void **state)
{
	struct stage stage;
	(void)state;
	set_up(&stage, 1);
	struct ipc_target *target = stage.targets->v;
	target->naddresses = 3;
	target->asked = 7;
	target->addresses[2] = (struct addr){{198, 51, 100, 1}, ADDR_IP4};
	assert_ptr_equal(path_choice_address(&stage.hosts, 0, ADDR_IP4), &target->addresses[0]);
	target->asked = 6;
	assert_ptr_equal(path_choice_address(&stage.hosts, 0, ADDR_IP4), &target->addresses[2]);
	tear_down(&stage);
}

static void a_better_preference_takes_all(void **state)
{
	struct stage stage;
	(void)state;
	set_up(&stage, 4);
	stage.targets->v[2].preference = stage.targets->v[3].preference = 5;
	stage.targets->v[2].depth = 1;
	for (uint32_t seed = 0; seed < 100; seed++)
		assert_int_equal(path_choice_pick(&stage.hosts, ADDR_IP4, seed), 3);
	assert_true(path_choice_is_best(&stage.hosts, 3, ADDR_IP4));
	assert_false(path_choice_is_best(&stage.hosts, 2, ADDR_IP4));
	/* of one family alone */
	stage.targets->v[3].client_families = TARGET_CLIENTS_IP6;
	assert_int_equal(path_choice_pick(&stage.hosts, ADDR_IP4, 1), 2);
	assert_int_equal(path_choice_pick(&stage.hosts, ADDR_IP6, 1), 3);
	stage.targets->v[2].state = TARGET_DOWN;
	for (uint32_t seed = 0; seed < 100; seed++)
		assert_true(path_choice_pick(&stage.hosts, ADDR_IP4, seed) < 2);
	for (size_t i = 0; i < 4; i++)
		stage.targets->v[i].state = TARGET_DOWN;
	assert_int_equal(path_choice_pick(&stage.hosts, ADDR_IP4, 1), -1);
	assert_false(path_choice_is_best(&stage.hosts, 0, ADDR_IP4));
	tear_down(&stage);
}

#define CLIENTS 20000

static void clients_spread_by_weight(void **state)
{
	static const uint16_t weights[] = {1, 1, 2, 6, 0};
	unsigned counts[5] = {0};
	struct stage stage;
	(void)state;
	set_up(&stage, 5);
	for (size_t i = 0; i < 5; i++)
		stage.targets->v[i].weight = weights[i];
	for (uint32_t seed = 0; seed < CLIENTS; seed++)
		counts[path_choice_pick(&stage.hosts, ADDR_IP4, seed)]++;
	for (size_t i = 0; i < 5; i++) {
		unsigned want = CLIENTS * weights[i] / 10u;
		if (counts[i] < want - want / 10 || counts[i] > want + want / 10)
			fail_msg("host %zu of weight %u: %u, not about %u", i, (unsigned)weights[i],
				counts[i], want);
	}
	/* the greatest weights there are */
	stage.targets->v[0].weight = stage.targets->v[1].weight = UINT16_MAX;
	memset(counts, 0, sizeof(counts));
	for (uint32_t seed = 0; seed < CLIENTS; seed++)
		counts[path_choice_pick(&stage.hosts, ADDR_IP4, seed)]++;
	assert_in_range(counts[0], CLIENTS * 45 / 100, CLIENTS * 55 / 100);
	assert_in_range(counts[1], CLIENTS * 45 / 100, CLIENTS * 55 / 100);
	tear_down(&stage);
}

static void who_has_a_host_keeps_it_while_others_come_and_go(void **state)
{
	static ptrdiff_t before[CLIENTS];
	unsigned moved[4] = {0};
	struct stage stage;
	(void)state;
	set_up(&stage, 4);
	for (uint32_t seed = 0; seed < CLIENTS; seed++)
		before[seed] = path_choice_pick(&stage.hosts, ADDR_IP6, seed);
	stage.targets->v[1].state = TARGET_DOWN;
	for (uint32_t seed = 0; seed < CLIENTS; seed++) {
		ptrdiff_t now = path_choice_pick(&stage.hosts, ADDR_IP6, seed);
		if (before[seed] == 1)
			moved[now]++;
		else if (now != before[seed])
			fail_msg("client %u was moved from %td to %td", seed, before[seed], now);
	}
	/* and those of the one that went are spread */
	assert_int_equal(moved[1], 0);
	for (size_t i = 0; i < 4; i++)
		if (i != 1)
			assert_in_range(moved[i], CLIENTS / 16, CLIENTS / 9);
	tear_down(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_is_known_to_work_is_taken),
		cmocka_unit_test(the_first_that_fits_of_several_addresses_is_taken),
		cmocka_unit_test(a_better_preference_takes_all),
		cmocka_unit_test(clients_spread_by_weight),
		cmocka_unit_test(who_has_a_host_keeps_it_while_others_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
