/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_network(struct plan_zone *zone, size_t at, const char *text)
{
	assert_int_equal(prefix_parse(text, strlen(text), &zone->networks[at]), 0);
}

static void add_host(struct plan *plan, const char *text, uint16_t port)
{
	struct endpoint host = {.port = port};
	assert_int_equal(addr_parse(text, strlen(text), &host.addr), 0);
	assert_int_equal(plan_add_host(plan, &host), 0);
}

static void add_login(struct plan *plan, const char *text, uint16_t port)
{
	struct endpoint host = {.port = port};
	assert_int_equal(addr_parse(text, strlen(text), &host.addr), 0);
	assert_int_equal(plan_add_login(plan, &host), 0);
}

static void add_endpoint(struct plan *plan, const char *listener, const char *text, uint16_t port)
{
	struct endpoint at = {.port = port};
	assert_int_equal(addr_parse(text, strlen(text), &at.addr), 0);
	assert_int_equal(plan_add_endpoint(plan, listener, &at, POLICY_TAKER_LISTENER), 0);
}

static void add_path(struct plan *plan, uint16_t number, const char *server, const char *at4)
{
	struct plan_path path = {.number = number, .flows = 5, .gateway = true};
	strcpy(path.server, server);
	path.at4.port = 25;
	assert_int_equal(addr_parse(at4, strlen(at4), &path.at4.addr), 0);
	assert_int_equal(plan_add_path(plan, &path), 0);
}

static void make(struct plan *plan)
{
	struct plan_options options;
	plan_options_init(&options);
	plan_init(plan, &options, PLAN_RUNNING);

	struct plan_zone *zone = plan_add_zone(plan, "guest", 2, 0, 1);
	assert_non_null(zone);
	zone->has_mac = true;
	strcpy(zone->interfaces[0], "br-guest");
	strcpy(zone->interfaces[1], "wlan*");
	zone->ports[0] = 25;

	zone = plan_add_zone(plan, "staff", 1, 2, 2);
	assert_non_null(zone);
	zone->open = true;
	strcpy(zone->interfaces[0], "core0");
	add_network(zone, 0, "192.0.2.128/26");
	add_network(zone, 1, "2001:db8:20::/64");
	zone->ports[0] = 25;
	zone->ports[1] = 2525;

	plan->bind_client = true;
	add_host(plan, "203.0.113.10", 25);
	add_host(plan, "2001:db8:2::10", 2525);
	add_host(plan, "203.0.113.10", 25); /* once is enough */
	plan->user = 997;
	add_login(plan, "127.0.0.1", 10025);
	add_login(plan, "::1", 10025);
	add_login(plan, "127.0.0.1", 10025);
	add_endpoint(plan, "inbound", "0.0.0.0", 25);
	add_endpoint(plan, "inbound", "2001:db8:3::1", 587);
	plan->kernel_path = true;
	add_path(plan, 1, "mx", "203.0.113.20");
	add_path(plan, 4095, "mx", "203.0.113.21");
}

static void test_a_path_that_leads_nowhere_is_one_and_a_bad_one_is_none(void **state)
{
	static const struct plan_path bad[] = {{.number = 0, .server = "mx"},
		{.number = 4096, .server = "mx"}, {.number = 2, .server = ""},
		{.number = 2, .server = "m x"},
		{.number = 2, .server = "mx", .at4 = {{.family = ADDR_IP6, .bytes = {1}}, 25}},
		{.number = 2, .server = "mx", .at6 = {{.family = ADDR_IP6, .bytes = {1}}, 0}},
		{.number = 2, .server = "mx", .at4 = {{.family = ADDR_IP4}, 25}}};
	struct plan_path nowhere = {.number = 2, .server = "mx"};
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		make(&plan);
		assert_int_equal(plan_add_path(&plan, &bad[i]), 0);
		assert_int_equal(plan_check(&plan), -EINVAL);
		plan_fini(&plan);
	}
	make(&plan);
	assert_int_equal(plan_add_path(&plan, &nowhere), 0);
	assert_int_equal(plan_add_path(&plan, &nowhere), -EEXIST);
	assert_int_equal(plan_check(&plan), 0);
	/* where paths are no bit may be the decision's and the number's */
	plan.server_mask = 0x1fff0000;
	assert_int_equal(plan_check(&plan), -EINVAL);
	plan.server_mask = 0x0ff10000;
	assert_int_equal(plan_check(&plan), -EINVAL);
	plan.server_mask = 0x00000fff;
	assert_int_equal(plan_check(&plan), 0);
	plan.server_mask = 0x000007ff;
	assert_int_equal(plan_check(&plan), -EINVAL); /* 4095 has no room */
	plan_fini(&plan);
}

static void test_a_path_that_leads_elsewhere_keeps_its_old_host(void **state)
{
	const struct endpoint none = {0}, bad = {.addr.family = ADDR_IP6, .port = 25};
	struct endpoint other = {
		.addr = {.family = ADDR_IP4, .bytes = {203, 0, 113, 22}}, .port = 25};
	struct plan plan, next;
	struct plan_options options;

	(void)state;
	make(&plan);
	assert_int_equal(plan.npath_hosts, 2);
	assert_int_equal(plan_lead_path(&plan, 1, &other, &none), 0);
	assert_int_equal(plan.npath_hosts, 3);
	assert_int_equal(plan_find_path(&plan, 1)->at4.addr.bytes[3], 22);
	assert_int_equal(plan_lead_path(&plan, 1, &none, &none), 0);
	assert_int_equal(plan_find_path(&plan, 1)->at4.addr.family, ADDR_NONE);
	assert_int_equal(plan_lead_path(&plan, 2, &other, &none), -ENOENT);
	assert_int_equal(plan_lead_path(&plan, 1, &other, &bad), -EINVAL);
	assert_int_equal(plan.npath_hosts, 3);
	assert_int_equal(plan_check(&plan), 0);

	plan_options_init(&options);
	plan_init(&next, &options, PLAN_RUNNING);
	assert_false(plan_has_paths(&next));
	plan_keep_leads(&next, &plan);
	assert_int_equal(next.npaths, 0);
	plan_keep_hosts(&next, &plan);
	assert_int_equal(next.npath_hosts, 3);
	assert_true(plan_has_paths(&next) && next.npaths == 0);
	plan_fini(&next);
	plan_fini(&plan);
}

static void test_paths_lead_where_they_led_until_it_is_known_where(void **state)
{
	static const struct {
		uint16_t number;
		const char *server;
		bool leads, kept;
	} cases[] = {{1, "mx", false, true}, {1, "mx", true, false}, {1, "other", false, false},
		{2, "mx", false, false}};
	const struct endpoint none = {0},
			      host = {.addr = {.family = ADDR_IP4, .bytes = {203, 0, 113, 21}},
				      .port = 25};
	struct plan_options options;
	struct plan old;

	(void)state;
	plan_options_init(&options);
	plan_init(&old, &options, PLAN_RUNNING);
	assert_int_equal(plan_add_path(&old, &(struct plan_path){.number = 1, .server = "mx"}), 0);
	assert_int_equal(plan_lead_path(&old, 1, &host, &none), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plan_path path = {.number = cases[i].number};
		struct plan plan;
		snprintf(path.server, sizeof(path.server), "%s", cases[i].server);
		if (cases[i].leads)
			path.at6 = (struct endpoint){
				.addr = {.family = ADDR_IP6, .bytes = {0x20, 0x01}}, .port = 25};
		plan_init(&plan, &options, PLAN_RUNNING);
		assert_int_equal(plan_add_path(&plan, &path), 0);
		plan_keep_leads(&plan, &old);
		const struct plan_path *now = plan_find_path(&plan, cases[i].number);
		assert_int_equal(now->at4.addr.family, cases[i].kept ? ADDR_IP4 : ADDR_NONE);
		assert_int_equal(now->at6.addr.family, cases[i].leads ? ADDR_IP6 : ADDR_NONE);
		assert_int_equal(plan_check(&plan), 0);
		plan_fini(&plan);
	}
	plan_fini(&old);
}

static void test_ever_new_hosts_take_the_room_of_those_that_none_leads_to(void **state)
{
	const struct endpoint none = {0};
	struct endpoint other = {.addr = {.family = ADDR_IP4, .bytes = {198, 18}}, .port = 25};
	struct plan plan;

	(void)state;
	make(&plan);
	for (unsigned i = 0; i < PLAN_PATH_HOSTS_MAX + 10; i++) {
		other.addr.bytes[2] = (uint8_t)(i >> 8);
		other.addr.bytes[3] = (uint8_t)i;
		assert_int_equal(plan_lead_path(&plan, 1, &other, &none), 0);
	}
	assert_int_equal(plan.npath_hosts, PLAN_PATH_HOSTS_MAX);
	assert_memory_equal(
		&plan.path_hosts[PLAN_PATH_HOSTS_MAX - 1].addr, &other.addr, sizeof(other.addr));
	assert_int_equal(plan_check(&plan), 0);
	plan_fini(&plan);
}

static void test_a_number_stands_in_its_own_bits(void **state)
{
	(void)state;
	assert_int_equal(plan_number_bits(0x0fff0000, 1), 0x00010000);
	assert_int_equal(plan_number_bits(0x0fff0000, 4095), 0x0fff0000);
	assert_int_equal(plan_number_bits(0x0fff0000, 4096), 0);
	assert_int_equal(plan_number_of(0x0fff0000, 0x7123ffff), 0x123);
	assert_int_equal(plan_number_bits(0, 1) + plan_number_of(0, 0xffff), 0);
	assert_int_equal(plan_numbers_max(0x0fff0000), 4095);
	assert_int_equal(plan_numbers_max(0xfffffff0), 65535);
	assert_int_equal(plan_numbers_max(0), 0);
}

static void test_an_endpoint_that_cannot_listen_is_no_plan(void **state)
{
	static const struct {
		const char *listener, *addr;
		uint16_t port;
	} bad[] = {{"inbound", "192.0.2.1", 0}, {"inbound", "192.0.2.1", 4025},
		{"inbound", "0.0.0.0", 25}, {"in bound", "192.0.2.1", 25}, {"", "192.0.2.1", 25}};
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		make(&plan);
		assert_int_equal(plan_check(&plan), 0);
		add_endpoint(&plan, bad[i].listener, bad[i].addr, bad[i].port);
		assert_int_equal(plan_check(&plan), -EINVAL);
		plan_fini(&plan);
	}
	make(&plan);
	while (plan.nendpoints < PLAN_ENDPOINTS_MAX)
		add_endpoint(&plan, "inbound", "192.0.2.1", (uint16_t)(5000 + plan.nendpoints));
	assert_int_equal(plan_check(&plan), 0);
	assert_int_equal(plan_add_endpoint(&plan, "inbound", &(struct endpoint){.port = 1},
				 POLICY_TAKER_LISTENER),
		-E2BIG);
	plan_fini(&plan);
}

static void test_a_plan_survives_its_bytes(void **state)
{
	(void)state;
	struct plan plan, back;
	uint8_t *bytes, *again;
	size_t len, again_len;

	make(&plan);
	assert_int_equal(plan_encode(&plan, &bytes, &len), 0);
	assert_int_equal(plan_decode(bytes, len, &back), 0);
	assert_int_equal(back.nzones, 2);
	assert_string_equal(back.zones[0].interfaces[1], "wlan*");
	assert_true(back.zones[0].has_mac && !back.zones[0].open);
	assert_true(back.zones[1].open && !back.zones[1].has_mac);
	assert_int_equal(back.zones[1].ports[1], 2525);
	assert_true(back.bind_client);
	assert_int_equal(back.nhosts, 2);
	assert_int_equal(back.hosts[1].port, 2525);
	assert_int_equal(back.user, 997);
	assert_int_equal(back.nlogins, 2);
	assert_int_equal(back.logins[1].addr.family, ADDR_IP6);
	assert_int_equal(back.nendpoints, 2);
	assert_string_equal(back.endpoints[1].listener, "inbound");
	assert_int_equal(back.endpoints[1].at.port, 587);
	assert_int_equal(back.endpoints[1].at.addr.family, ADDR_IP6);
	assert_int_equal(back.mark_mask, 0xf0000000);
	assert_int_equal(plan_encode(&back, &again, &again_len), 0);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
	plan_fini(&plan);
	plan_fini(&back);
	free(bytes);
	free(again);
}

static void test_cut_and_longer_bytes_are_refused(void **state)
{
	(void)state;
	struct plan plan, back;
	uint8_t *bytes;
	size_t len;

	make(&plan);
	assert_int_equal(plan_encode(&plan, &bytes, &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut ? cut : 1);
		memcpy(part, bytes, cut);
		assert_int_equal(plan_decode(part, cut, &back), -EBADMSG);
		assert_int_equal(back.nzones, 0);
		free(part);
	}
	uint8_t *longer = calloc(1, len + 1);
	memcpy(longer, bytes, len);
	assert_int_equal(plan_decode(longer, len + 1, &back), -EBADMSG);
	free(longer);
	free(bytes);
	plan_fini(&plan);
}

static void break_name(struct plan *plan)
{
	strcpy(plan->zones[0].name, "guest { }");
}

static void break_twin(struct plan *plan)
{
	strcpy(plan->zones[0].name, "staff");
}

static void break_interface(struct plan *plan)
{
	strcpy(plan->zones[0].interfaces[1], "wl*an");
}

static void break_no_interface(struct plan *plan)
{
	plan->zones[0].interfaces[0][0] = 0;
}

static void break_network(struct plan *plan)
{
	plan->zones[1].networks[0].addr.bytes[3] |= 1;
}

static void break_length(struct plan *plan)
{
	plan->zones[1].networks[0].len = 33;
}

static void break_family(struct plan *plan)
{
	plan->zones[1].networks[0].addr.family = 5;
}

static void break_port(struct plan *plan)
{
	plan->zones[1].ports[1] = plan->relay_port;
}

static void break_order(struct plan *plan)
{
	plan->zones[1].ports[1] = 25;
}

static void break_mask(struct plan *plan)
{
	plan->mark_mask = 0x50000000;
}

static void break_small_mask(struct plan *plan)
{
	plan->mark_mask = 0x3;
}

static void break_table(struct plan *plan)
{
	plan->route_table = 254;
}

static void break_relay_port(struct plan *plan)
{
	plan->relay_port = 0;
}

static void break_host_port(struct plan *plan)
{
	plan->hosts[1].port = 0;
}

static void break_host_address(struct plan *plan)
{
	memset(plan->hosts[0].addr.bytes, 0, 16);
}

static void break_host_family(struct plan *plan)
{
	plan->hosts[0].addr.family = ADDR_NONE;
}

static void test_what_cannot_be_programmed_is_refused(void **state)
{
	(void)state;
	void (*const breaks[])(struct plan *) = {break_name, break_twin, break_interface,
		break_no_interface, break_network, break_length, break_family, break_port,
		break_order, break_mask, break_small_mask, break_table, break_relay_port,
		break_host_port, break_host_address, break_host_family};
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		struct plan plan;
		uint8_t *bytes;
		size_t len;
		make(&plan);
		assert_int_equal(plan_check(&plan), 0);
		breaks[i](&plan);
		if (plan_check(&plan) != -EINVAL)
			fail_msg("break %zu was not noticed", i);
		assert_int_equal(plan_encode(&plan, &bytes, &len), -EINVAL);
		plan_fini(&plan);
	}
}

static void test_marks_stand_in_the_mask(void **state)
{
	(void)state;
	assert_int_equal(plan_mark_bits(0xf0000000, MARK_RELAY), 0x10000000);
	assert_int_equal(plan_mark_bits(0xf0000000, MARK_LIMITED), 0x60000000);
	assert_int_equal(plan_mark_bits(0x00000700, MARK_KILL), 0x500);
	assert_int_equal(plan_mark_bits(0xf, MARK_NONE), 0);
}

static void test_a_policy_becomes_a_plan(void **state)
{
	(void)state;
	struct policy_string interfaces[] = {{.text = "core0", .len = 5}};
	struct prefix networks[1];
	uint16_t ports[] = {2525, 25, 2525};
	assert_int_equal(prefix_parse("192.0.2.0/24", 12, &networks[0]), 0);
	struct policy_zone zones[] = {{.name = {.text = "staff", .len = 5},
		.interfaces = {.v = interfaces, .n = 1},
		.networks = {.v = networks, .n = 1},
		.ports = {.v = ports, .n = 3},
		.identity = POLICY_IDENTITY_MAC_ADDRESS,
		.on_failure = POLICY_POSTURE_OPEN}};
	struct policy policy = {.zones = zones, .nzones = 1};
	struct plan_options options;
	struct plan plan;

	plan_options_init(&options);
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_BARE, &plan), 0);
	assert_int_equal(plan.mode, PLAN_BARE);
	assert_int_equal(plan.nzones, 1);
	assert_true(plan.zones[0].open && plan.zones[0].has_mac);
	assert_int_equal(plan.zones[0].nports, 2);
	assert_int_equal(plan.zones[0].ports[0], 25);
	plan_fini(&plan);

	zones[0].identity = POLICY_IDENTITY_ADDRESS;
	options.relay_port = 2525;
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_RUNNING, &plan), -EINVAL);
	assert_int_equal(plan.nzones, 0);
	options.relay_port = 4025;
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_RUNNING, &plan), 0);
	assert_false(plan.zones[0].has_mac);
	plan_fini(&plan);
}

static void test_hosts_of_bind_client_are_in_the_plan(void **state)
{
	(void)state;
	struct policy_host hosts[] = {{.port = 25}, {.name = {.text = "mx.example"}, .port = 25}};
	struct policy_server servers[] = {{.hosts = hosts, .nhosts = 2, .bind = POLICY_BIND_CLIENT},
		{.hosts = hosts, .nhosts = 2, .bind = POLICY_BIND_GATEWAY}};
	struct policy policy = {.servers = servers, .nservers = 2};
	struct plan_options options;
	struct plan plan, next;

	assert_int_equal(addr_parse("203.0.113.10", 12, &hosts[0].addr), 0);
	plan_options_init(&options);
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_RUNNING, &plan), 0);
	assert_true(plan.bind_client && plan_binds(&plan));
	assert_int_equal(plan.nhosts, 1);
	add_host(&plan, "203.0.113.11", 25); /* what the name turned out to be */
	add_host(&plan, "203.0.113.10", 25);
	assert_int_equal(plan.nhosts, 2);

	/* an apply without such a server: what runs goes on */
	servers[0].bind = POLICY_BIND_GATEWAY;
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_RUNNING, &next), 0);
	assert_false(plan_binds(&next));
	plan_keep_hosts(&next, &plan);
	assert_int_equal(next.nhosts, 2);
	assert_true(!next.bind_client && plan_binds(&next));
	plan_fini(&next);
	plan_fini(&plan);
}

static void test_hosts_that_take_a_login_are_in_the_plan(void **state)
{
	(void)state;
	struct policy_host hosts[] = {
		{.port = 10025}, {.name = {.text = "mx.example"}, .port = 25}};
	struct policy_server servers[] = {{.hosts = hosts,
		.nhosts = 2,
		.announce = POLICY_ANNOUNCE_XCLIENT,
		.announce_login = POLICY_LOGIN_TAGGED}};
	struct policy policy = {.servers = servers, .nservers = 1};
	struct plan_options options;
	struct plan plan;

	assert_int_equal(addr_parse("127.0.0.1", 9, &hosts[0].addr), 0);
	plan_options_init(&options);
	options.user = 997;
	for (int login = POLICY_LOGIN_OFF; login < POLICY_LOGINS; login++) {
		servers[0].announce_login = (enum policy_login)login;
		assert_int_equal(plan_from_policy(&policy, &options, PLAN_BARE, &plan), 0);
		assert_int_equal(plan.nlogins, login != POLICY_LOGIN_OFF ? 2 : 0); /* and ::1 */
		assert_int_equal(plan_logs_in(&plan), login != POLICY_LOGIN_OFF);
		assert_int_equal(plan.user, 997);
		plan_fini(&plan);
	}
	servers[0].announce = POLICY_ANNOUNCE_PROXY_V2;
	assert_int_equal(plan_from_policy(&policy, &options, PLAN_BARE, &plan), 0);
	assert_false(plan_logs_in(&plan));
	plan_fini(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_path_that_leads_nowhere_is_one_and_a_bad_one_is_none),
		cmocka_unit_test(test_a_path_that_leads_elsewhere_keeps_its_old_host),
		cmocka_unit_test(test_paths_lead_where_they_led_until_it_is_known_where),
		cmocka_unit_test(test_ever_new_hosts_take_the_room_of_those_that_none_leads_to),
		cmocka_unit_test(test_a_number_stands_in_its_own_bits),
		cmocka_unit_test(test_a_plan_survives_its_bytes),
		cmocka_unit_test(test_an_endpoint_that_cannot_listen_is_no_plan),
		cmocka_unit_test(test_cut_and_longer_bytes_are_refused),
		cmocka_unit_test(test_what_cannot_be_programmed_is_refused),
		cmocka_unit_test(test_marks_stand_in_the_mask),
		cmocka_unit_test(test_a_policy_becomes_a_plan),
		cmocka_unit_test(test_hosts_of_bind_client_are_in_the_plan),
		cmocka_unit_test(test_hosts_that_take_a_login_are_in_the_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
