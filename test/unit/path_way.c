/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places among a server's hosts: who has which, where each leads, and whom a client gets. */
#include "lib/policy/path/path_way.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLACES 3
#define HOSTS  5

/* A way with three places, whose paths have the numbers 11 to 13; hosts a to e, of which the
 * targets are those that a case names. */
struct stage {
	struct policy_server server;
	struct path_place places[PLACES];
	struct path_way way;
	struct ipc_targets *targets;
	struct path_hosts hosts;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	assert_non_null(stage);
	stage->server = (struct policy_server){.probe = true, .path = POLICY_PATH_KERNEL};
	stage->targets = calloc(1, sizeof(*stage->targets) + HOSTS * sizeof(stage->targets->v[0]));
	assert_non_null(stage->targets);
	stage->way = (struct path_way){.nplaces = PLACES, .places = stage->places};
	for (unsigned i = 0; i < PLACES; i++)
		stage->places[i].number = (uint16_t)(11 + i);
	stage->hosts = (struct path_hosts){&stage->server, stage->targets, 0};
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	free(stage->targets);
	free(stage);
	return 0;
}

/* "ab": hosts a and b are up; "aB": b is down. */
static void tell(struct stage *stage, const char *hosts)
{
	stage->targets->n = (uint32_t)strlen(hosts);
	for (uint32_t i = 0; i < stage->targets->n; i++) {
		struct ipc_target *target = &stage->targets->v[i];
		bool down = hosts[i] < 'a';
		*target = (struct ipc_target){.name = {hosts[i] | 0x20},
			.port = 25,
			.preference = 10,
			.weight = 1,
			.state = down ? TARGET_DOWN : TARGET_UP,
			.client_families = TARGET_CLIENTS_ALL,
			.naddresses = 1,
			.asked = 1,
			.addresses = {{{192, 0, 2, (uint8_t)(hosts[i] | 0x20)}, ADDR_IP4}}};
	}
	path_way_assign(&stage->way, stage->targets);
}

/* Whom each place is led to now, as in "abc"; "-": nowhere. */
static const char *leads(const struct stage *stage)
{
	static char text[PLACES + 1];
	struct endpoint at;
	for (unsigned place = 0; place < PLACES; place++) {
		bool led = path_way_lead(&stage->way, place, &stage->hosts, ADDR_IP4, &at);
		text[place] = led ? (char)at.addr.bytes[3] : '-';
		assert_int_equal(at.port, led ? 25 : 0);
		assert_false(path_way_lead(&stage->way, place, &stage->hosts, ADDR_IP6, &at));
	}
	return text;
}

static void who_has_a_place_keeps_it(void **state)
{
	struct stage *stage = *state;
	tell(stage, "abc");
	assert_string_equal(leads(stage), "abc");
	tell(stage, "cab");
	assert_string_equal(leads(stage), "abc");
	/* the name is the same in any case */
	stage->targets->v[0].name[0] = 'C';
	path_way_assign(&stage->way, stage->targets);
	assert_string_equal(leads(stage), "abc");
	/* b is no host any more, and d has its place */
	tell(stage, "cad");
	assert_string_equal(leads(stage), "adc");
	tell(stage, "bdc");
	assert_string_equal(leads(stage), "bdc");
}

static void who_is_down_is_stood_in_for(void **state)
{
	struct stage *stage = *state;
	tell(stage, "abC");
	const char *now = leads(stage);
	assert_memory_equal(now, "ab", 2);
	assert_true(now[2] == 'a' || now[2] == 'b');
	tell(stage, "AbC");
	assert_string_equal(leads(stage), "bbb");
	tell(stage, "ABC");
	assert_string_equal(leads(stage), "---");
	tell(stage, "abc");
	assert_string_equal(leads(stage), "abc");
	/* a better one takes all, as it does at the relay */
	stage->targets->v[1].preference = 5;
	assert_string_equal(leads(stage), "bbb");
	tell(stage, "");
	assert_string_equal(leads(stage), "---");
}

static void nothing_is_led_to_where_nothing_is_routed(void **state)
{
	struct stage *stage = *state;
	static const uint8_t nowhere[][4] = {
		{127, 0, 0, 1}, {127, 8, 9, 1}, {169, 254, 7, 1}, {0, 0, 0, 0}, {224, 0, 0, 1}};

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		tell(stage, "ab");
		memcpy(stage->targets->v[0].addresses[0].bytes, nowhere[i], sizeof(nowhere[i]));
		assert_string_equal(leads(stage), "bbb");
		/* unless it has another address */
		struct ipc_target *target = &stage->targets->v[0];
		target->addresses[1] = (struct addr){{192, 0, 2, 'x'}, ADDR_IP4};
		target->naddresses = 2;
		target->asked = 3;
		assert_int_equal(leads(stage)[0], 'x');
	}
}

static void a_free_place_leads_to_a_host(void **state)
{
	struct stage *stage = *state;
	tell(stage, "a");
	assert_string_equal(leads(stage), "aaa");
}

static unsigned picked(const struct stage *stage, uint8_t last)
{
	const struct addr client = {{198, 51, 100, last}, ADDR_IP4};
	return path_way_pick(&stage->way, &stage->hosts, &client);
}

static void a_client_gets_the_path_of_its_host(void **state)
{
	unsigned before[256], moved = 0;
	bool all[PLACES] = {false};
	struct stage *stage = *state;
	tell(stage, "abc");
	for (unsigned i = 0; i < 256; i++) {
		before[i] = picked(stage, (uint8_t)i);
		assert_in_range(before[i], 11, 13);
		all[before[i] - 11] = true;
	}
	assert_true(all[0] && all[1] && all[2]);
	tell(stage, "aBc");
	for (unsigned i = 0; i < 256; i++) {
		unsigned now = picked(stage, (uint8_t)i);
		assert_int_not_equal(now, 12);
		if (before[i] != 12)
			assert_int_equal(now, before[i]);
		moved += before[i] == 12;
	}
	assert_in_range(moved, 1, 255);
	const struct addr other = {{0x20, 1, 0xd, 0xb8}, ADDR_IP6};
	assert_int_equal(path_way_pick(&stage->way, &stage->hosts, &other), 0);
	tell(stage, "ABC");
	assert_int_equal(picked(stage, 1), 0);
}

static void hosts_without_a_place_are_no_reason_to_have_none(void **state)
{
	struct stage *stage = *state;
	tell(stage, "abcde");
	assert_string_equal(leads(stage), "abc");
	for (unsigned i = 0; i < 256; i++)
		assert_in_range(picked(stage, (uint8_t)i), 11, 13);
}

/* Of a policy with two servers and three ways. */
static void a_policy_has_its_ways_in_order(void **state)
{
	static struct policy_host hosts[2] = {{.port = 25}, {.port = 25}};
	static struct policy_server servers[] = {{.name = {.text = "one", .len = 3},
							 .hosts = hosts,
							 .nhosts = 1,
							 .path = POLICY_PATH_KERNEL},
		{.name = {.text = "two", .len = 3},
			.hosts = hosts,
			.nhosts = 2,
			.path = POLICY_PATH_KERNEL}};
	static struct policy_limit limit = {
		.kind = POLICY_LIMIT_FLOWS, .per = POLICY_PER_CLIENT, .count = 9};
	static struct policy_rule rules[] = {
		{.to_server = true, .server = 1, .limits = {&limit, 1}},
		{.to_server = true, .server = 1}, {.to_server = true, .server = 0}};
	const struct policy policy = {
		.servers = servers, .nservers = 2, .rules = rules, .nrules = 3};
	struct path_ways ways = {0};
	struct path_table table;
	size_t n;

	(void)state;
	path_table_init(&table, 4);
	assert_int_equal(path_ways_read(&ways, &policy), 0);
	assert_int_equal(ways.n, 3);
	assert_ptr_equal(path_ways_of(&ways, 0, &n), &ways.v[0]);
	assert_int_equal(n, 1);
	assert_ptr_equal(path_ways_of(&ways, 1, &n), &ways.v[1]);
	assert_int_equal(n, 2);
	path_ways_of(&ways, 2, &n);
	assert_int_equal(n, 0);
	assert_ptr_equal(path_ways_find(&ways, 1, 9), &ways.v[2]);
	assert_null(path_ways_find(&ways, 0, 9));
	assert_false(path_ways_number(&ways, &policy, &table));
	for (uint32_t flows = 0; flows <= 9; flows += 9)
		for (uint32_t place = 0; place < 2; place++) {
			struct path_key key = path_key_of("two", flows, place);
			path_table_add(&table, &key, 1);
		}
	assert_true(path_ways_number(&ways, &policy, &table));
	assert_false(path_ways_number(&ways, &policy, &table));
	assert_int_equal(ways.v[0].places[0].number, 0);
	assert_int_equal(ways.v[2].places[1].number, 4);
	assert_false(path_ways_are_numbered(&ways));
	path_table_begin(&table, 2);
	path_ways_want(&ways, &table);
	for (uint16_t number = 1; number <= 4; number++)
		assert_true(path_table_slot(&table, number)->wanted);
	path_ways_fini(&ways);
	path_table_fini(&table);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_has_a_place_keeps_it),
		CASE(who_is_down_is_stood_in_for),
		CASE(nothing_is_led_to_where_nothing_is_routed),
		CASE(a_free_place_leads_to_a_host),
		CASE(a_client_gets_the_path_of_its_host),
		CASE(hosts_without_a_place_are_no_reason_to_have_none),
		cmocka_unit_test(a_policy_has_its_ways_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
