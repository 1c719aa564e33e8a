/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/session.h"
#include "lib/base/hash.h"
#include "lib/policy/lists.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAC1 "02:00:5e:00:53:01"
#define MAC2 "02:00:5e:00:53:02"
#define MAC3 "02:00:5e:00:53:03"

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static struct addr addr(const char *text)
{
	struct addr out;

	assert_int_equal(addr_parse(text, strlen(text), &out), 0);
	return out;
}

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(text, strlen(text), &out), 0);
	return out;
}

static struct mac mac(const char *text)
{
	struct mac out = {0};

	if (text)
		assert_int_equal(mac_parse(text, strlen(text), &out), 0);
	return out;
}

/* addresses: up to two, NULL for none. */
static void put(struct session_table *table, uint64_t id, const char *zone, const char *user,
	const char *mac_text, const char *address1, const char *address2)
{
	struct session_address addresses[2];
	struct session session = {.id = id,
		.zone = string(zone),
		.user = string(user),
		.mac = mac(mac_text),
		.addresses = addresses};

	if (address1)
		addresses[session.naddresses++] =
			(struct session_address){.prefix = prefix(address1)};
	if (address2)
		addresses[session.naddresses++] =
			(struct session_address){.prefix = prefix(address2)};
	assert_int_equal(session_table_put(table, &session), 0);
}

static uint64_t identify(const struct session_table *table, const char *zone,
	enum policy_identity identity, const char *mac_text, const char *address)
{
	struct mac m = mac(mac_text);
	struct addr a = addr(address);
	const struct session *session = session_table_identify(table, zone, identity, &m, &a);

	return session ? session->id : 0;
}

struct case_of {
	const char *zone, *mac, *address;
	uint64_t id;
};

static void check(const struct session_table *table, enum policy_identity identity,
	const struct case_of *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t id =
			identify(table, cases[i].zone, identity, cases[i].mac, cases[i].address);
		if (id != cases[i].id)
			fail_msg("case %zu: %llx, not %llx", i, (unsigned long long)id,
				(unsigned long long)cases[i].id);
	}
}

static struct session_table *some_sessions(void)
{
	struct session_table *table = session_table_new();

	put(table, 1, "guest", "ann", MAC1, "192.0.2.1", "2001:db8::1");
	put(table, 2, "guest", "bob", MAC2, "192.0.2.2", NULL);
	put(table, 3, "guest", "net", NULL, "192.0.2.0/28", NULL);
	put(table, 4, "guest", "host", NULL, "192.0.2.5", NULL);
	put(table, 5, "guest", "card", MAC3, NULL, NULL);
	put(table, 6, "staff", "eve", MAC1, "192.0.2.1", NULL);
	return table;
}

static void test_by_mac(void **state)
{
	static const struct case_of cases[] = {
		{"guest", MAC1, "192.0.2.1", 1},
		{"guest", MAC1, "198.51.100.1", 1}, /* another address of the same card */
		{"guest", MAC1, "192.0.2.2", 1},    /* another's address, its own MAC */
		{"guest", MAC1, "192.0.2.5", 1},    /* MAC before address */
		{"guest", NULL, "192.0.2.1", 3},    /* no MAC: ann's address does not do */
		{"guest", "02:00:5e:00:53:99", "192.0.2.2", 3},
		{"guest", "02:00:5e:00:53:99", "192.0.2.5", 4},
		{"guest", "02:00:5e:00:53:99", "192.0.2.16", 0},
		{"staff", MAC1, "192.0.2.5", 6},
		{"staff", MAC2, "192.0.2.1", 0},
		{"lobby", MAC1, "192.0.2.1", 0},
	};
	struct session_table *table = some_sessions();

	(void)state;
	check(table, POLICY_IDENTITY_MAC, cases, sizeof(cases) / sizeof(cases[0]));
	session_table_free(table);
}

static void test_by_address(void **state)
{
	static const struct case_of cases[] = {
		{"guest", MAC2, "192.0.2.1", 1}, /* the MAC is not looked at */
		{"guest", NULL, "2001:db8::1", 1},
		{"guest", NULL, "192.0.2.5", 4},
		{"guest", NULL, "192.0.2.6", 3},
		{"guest", MAC3, "192.0.2.5", 5}, /* a session that has only a MAC */
		{"guest", MAC1, "198.51.100.1", 0},
		{"staff", NULL, "192.0.2.1", 6},
	};
	struct session_table *table = some_sessions();

	(void)state;
	check(table, POLICY_IDENTITY_ADDRESS, cases, sizeof(cases) / sizeof(cases[0]));
	session_table_free(table);
}

static void test_by_mac_and_address(void **state)
{
	static const struct case_of cases[] = {
		{"guest", MAC1, "192.0.2.1", 1},
		{"guest", MAC1, "2001:db8::1", 1},
		{"guest", MAC1, "192.0.2.2", 0},
		{"guest", MAC2, "192.0.2.1", 0},
		{"guest", NULL, "192.0.2.1", 0},
		{"guest", MAC3, "192.0.2.1", 0},
		{"guest", NULL, "192.0.2.5", 0},
		{"staff", MAC1, "192.0.2.1", 6},
	};
	struct session_table *table = some_sessions();

	(void)state;
	check(table, POLICY_IDENTITY_MAC_ADDRESS, cases, sizeof(cases) / sizeof(cases[0]));
	/* one card, two sessions with an address each */
	put(table, 7, "guest", "ann", MAC1, "192.0.2.7", NULL);
	assert_int_equal(
		identify(table, "guest", POLICY_IDENTITY_MAC_ADDRESS, MAC1, "192.0.2.7"), 7);
	assert_int_equal(
		identify(table, "guest", POLICY_IDENTITY_MAC_ADDRESS, MAC1, "192.0.2.1"), 1);
	session_table_free(table);
}

static void test_putting_again_replaces(void **state)
{
	struct session_table *table = some_sessions();

	(void)state;
	put(table, 1, "guest", "zoe", MAC1, "192.0.2.9", NULL);
	assert_int_equal(session_table_count(table), 6);
	assert_string_equal(session_table_find(table, 1)->user.text, "zoe");
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_ADDRESS, NULL, "192.0.2.9"), 1);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_ADDRESS, NULL, "192.0.2.1"), 3);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_ADDRESS, NULL, "2001:db8::1"), 0);
	assert_int_equal(session_table_count_user(table, NULL, "ann"), 0);
	/* the table's own session, put again */
	assert_int_equal(session_table_put(table, session_table_find(table, 1)), 0);
	assert_string_equal(session_table_find(table, 1)->user.text, "zoe");
	assert_int_equal(session_table_del(table, 1), 0);
	assert_int_equal(session_table_del(table, 1), -ENOENT);
	assert_null(session_table_find(table, 1));
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, MAC1, "192.0.2.9"), 3);
	session_table_free(table);
}

static void test_counts(void **state)
{
	struct session_table *table = some_sessions();

	(void)state;
	put(table, 7, "guest", "ann", "02:00:5e:00:53:77", NULL, NULL);
	put(table, 8, "staff", "ann", "02:00:5e:00:53:77", NULL, NULL);
	assert_int_equal(session_table_count(table), 8);
	assert_int_equal(session_table_count_zone(table, "guest"), 6);
	assert_int_equal(session_table_count_zone(table, "staff"), 2);
	assert_int_equal(session_table_count_zone(table, "lobby"), 0);
	assert_int_equal(session_table_count_user(table, NULL, "ann"), 3);
	assert_int_equal(session_table_count_user(table, "guest", "ann"), 2);
	assert_int_equal(session_table_count_user(table, "staff", "ann"), 1);
	assert_int_equal(session_table_count_user(table, "staff", "bob"), 0);
	session_table_del(table, 7);
	assert_int_equal(session_table_count_user(table, "guest", "ann"), 1);
	session_table_free(table);
}

struct seen {
	uint64_t ids[16];
	size_t n, stop_after;
};

static int note(void *context, struct session *session)
{
	struct seen *seen = context;

	assert_true(seen->n < 16);
	seen->ids[seen->n++] = session->id;
	return seen->n == seen->stop_after ? 5 : 0;
}

static void test_walks(void **state)
{
	struct session_table *table = some_sessions();
	struct mac m = mac(MAC1);
	struct addr a = addr("192.0.2.5");
	struct seen seen = {0};

	(void)state;
	assert_int_equal(session_table_each(table, note, &seen), 0);
	assert_int_equal(seen.n, 6);
	seen = (struct seen){.stop_after = 2};
	assert_int_equal(session_table_each(table, note, &seen), 5);
	assert_int_equal(seen.n, 2);
	seen = (struct seen){0};
	assert_int_equal(session_table_each_user(table, "ann", note, &seen), 0);
	assert_int_equal(seen.n, 1);
	seen = (struct seen){0};
	assert_int_equal(session_table_each_mac(table, &m, note, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0] + seen.ids[1], 7);
	seen = (struct seen){0};
	assert_int_equal(session_table_each_address(table, &a, note, &seen), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ids[0], 4); /* the most specific first */
	assert_int_equal(seen.ids[1], 3);
	session_table_free(table);
}

/* In no mode of identity: by MAC it is not looked at, by address it was never given. */
static void test_a_learned_address_is_no_identity(void **state)
{
	static const enum policy_identity by_address[] = {
		POLICY_IDENTITY_ADDRESS, POLICY_IDENTITY_MAC_ADDRESS};
	struct session_table *table = session_table_new();
	struct session_address addresses[] = {
		{.prefix = prefix("192.0.2.7")}, {.prefix = prefix("192.0.2.8"), .learned = true}};
	struct session session = {.id = 1,
		.zone = string("guest"),
		.user = string("ann"),
		.mac = mac(MAC1),
		.addresses = addresses,
		.naddresses = 2};
	struct addr given = addr("192.0.2.7"), learned = addr("192.0.2.8");
	(void)state;

	assert_int_equal(session_table_put(table, &session), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(session_table_identify(
			table, "guest", by_address[i], &session.mac, &given));
		assert_null(session_table_identify(
			table, "guest", by_address[i], &session.mac, &learned));
	}
	assert_non_null(session_table_identify(
		table, "guest", POLICY_IDENTITY_MAC, &session.mac, &learned));
	session_table_free(table);
}

static void test_who_learned_an_address_is_not_its_owner(void **state)
{
	struct session_table *table = session_table_new();
	struct seen seen = {0};
	struct addr a = addr("192.0.2.7");
	struct session *thief;
	(void)state;

	put(table, 1, "guest", "ann", MAC1, "192.0.2.7", NULL);
	put(table, 2, "guest", "bob", MAC2, "192.0.2.7", NULL);
	thief = session_table_find(table, 2);
	thief->addresses[0].learned = true;
	assert_int_equal(session_table_each_owner(table, &a, note, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.ids[0], 1);
	assert_int_equal(session_table_del(table, 1), 0);
	seen = (struct seen){0};
	assert_int_equal(session_table_each_owner(table, &a, note, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.ids[0], 2);
	session_table_free(table);
}

static void test_the_next_end_is_lease_or_idle(void **state)
{
	struct session_table *table = session_table_new();
	struct session session = {.zone = string("guest"), .user = string("ann")};
	uint64_t at;

	(void)state;
	assert_null(session_table_next_end(table, &at));
	session.id = 1;
	assert_int_equal(session_table_put(table, &session), 0);
	assert_null(session_table_next_end(table, &at));
	session.id = 2;
	session.lease_end_ms = 90000;
	session.idle_s = 60;
	session.active_ms = 10000;
	assert_int_equal(session_table_put(table, &session), 0);
	assert_int_equal(session_table_next_end(table, &at)->id, 2);
	assert_int_equal(at, 70000);
	struct session *two = session_table_find(table, 2);
	two->active_ms = 50000;
	session_table_touch(table, two);
	assert_int_equal(session_table_next_end(table, &at)->id, 2);
	assert_int_equal(at, 90000);
	struct session *one = session_table_find(table, 1);
	one->lease_end_ms = 80000;
	session_table_touch(table, one);
	assert_int_equal(session_table_next_end(table, &at)->id, 1);
	one->lease_end_ms = 0;
	session_table_touch(table, one);
	assert_int_equal(session_table_next_end(table, &at)->id, 2);
	session_table_del(table, 2);
	assert_null(session_table_next_end(table, &at));
	session_table_free(table);
}

/* A policy made by hand: one zone, a dynamic list, devices by MACs, network, and list. */
enum { TILL, PRINTERS, CAMERAS, LOCK };

struct house {
	struct policy policy;
	struct policy_zone zone;
	struct policy_list lists[1];
	struct policy_device devices[4];
	struct mac macs[2], lock_mac;
	struct prefix network, lock_prefix;
	struct policy_string cameras, group;
	size_t cameras_list;
};

static void make_house(struct house *house)
{
	*house = (struct house){.macs = {mac(MAC1), mac(MAC2)},
		.lock_mac = mac(MAC3),
		.network = prefix("192.0.2.160/27"),
		.lock_prefix = prefix("192.0.2.33"),
		.cameras = string("cameras"),
		.group = string("devices")};
	house->zone.name = string("guest");
	house->lists[0].name = string("cameras");
	house->lists[0].kind = POLICY_LIST_DYNAMIC;
	house->devices[TILL] =
		(struct policy_device){.user = string("till"), .macs = house->macs, .nmacs = 2};
	house->devices[PRINTERS] = (struct policy_device){.user = string("printers"),
		.addresses = {&house->network, 1},
		.groups = {&house->group, 1}};
	house->devices[CAMERAS] = (struct policy_device){.user = string("cameras"),
		.list_names = {&house->cameras, 1},
		.lists = &house->cameras_list};
	house->devices[LOCK] = (struct policy_device){.user = string("lock"),
		.macs = &house->lock_mac,
		.nmacs = 1,
		.addresses = {&house->lock_prefix, 1}};
	house->policy.zones = &house->zone;
	house->policy.nzones = 1;
	house->policy.lists = house->lists;
	house->policy.nlists = 1;
	house->policy.devices = house->devices;
	house->policy.ndevices = 4;
}

#define DEVICE(n) (SESSION_DEVICE_ID | (n))

static void test_devices_in_each_identity(void **state)
{
	static const struct case_of by_mac[] = {
		{"guest", MAC1, "198.51.100.1", DEVICE(TILL)},
		{"guest", MAC2, "192.0.2.170", DEVICE(TILL)},
		{"guest", NULL, "192.0.2.170", DEVICE(PRINTERS)},
		{"guest", MAC3, "192.0.2.200", DEVICE(LOCK)},
		{"guest", NULL, "192.0.2.33", 0},
		{"guest", NULL, "192.0.2.1", 0},
	};
	static const struct case_of by_address[] = {
		{"guest", MAC1, "192.0.2.170", DEVICE(TILL)}, /* only a MAC: by it first */
		{"guest", MAC3, "192.0.2.170", DEVICE(PRINTERS)},
		{"guest", NULL, "192.0.2.33", DEVICE(LOCK)},
		{"guest", MAC3, "192.0.2.34", 0},
	};
	static const struct case_of by_both[] = {
		{"guest", MAC3, "192.0.2.33", DEVICE(LOCK)},
		{"guest", MAC3, "192.0.2.34", 0},
		{"guest", MAC1, "192.0.2.33", DEVICE(TILL)},
		{"guest", MAC3, "192.0.2.170", DEVICE(PRINTERS)},
	};
	struct session_table *table = session_table_new();
	struct house house;

	(void)state;
	make_house(&house);
	assert_int_equal(session_table_set_devices(table, &house.policy, NULL), 0);
	assert_int_equal(session_table_count(table), 0);
	assert_string_equal(session_table_find(table, DEVICE(PRINTERS))->groups[0].text, "devices");
	assert_null(session_table_find(table, DEVICE(4)));
	check(table, POLICY_IDENTITY_MAC, by_mac, 6);
	check(table, POLICY_IDENTITY_ADDRESS, by_address, 4);
	check(table, POLICY_IDENTITY_MAC_ADDRESS, by_both, 4);
	house.policy.ndevices = 1;
	assert_int_equal(session_table_set_devices(table, &house.policy, NULL), 0);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, NULL, "192.0.2.170"), 0);
	session_table_free(table);
}

static void test_a_login_beats_a_device_unless_it_is_less_specific(void **state)
{
	struct session_table *table = session_table_new();
	struct house house;

	(void)state;
	make_house(&house);
	assert_int_equal(session_table_set_devices(table, &house.policy, NULL), 0);
	put(table, 1, "guest", "ann", MAC1, NULL, NULL);
	put(table, 2, "guest", "net", NULL, "192.0.2.0/24", NULL);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, MAC1, "192.0.2.170"), 1);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, NULL, "192.0.2.170"),
		DEVICE(PRINTERS));
	put(table, 3, "guest", "net", NULL, "192.0.2.160/27", NULL);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, NULL, "192.0.2.170"), 3);
	session_table_free(table);
}

static void test_a_device_follows_its_dynamic_list(void **state)
{
	struct session_table *table = session_table_new();
	struct lists *lists = lists_new();
	struct policy_elem network = {
		.kind = POLICY_ELEM_PREFIX, .prefix = prefix("192.0.2.64/26")};
	struct policy_elem host = {.kind = POLICY_ELEM_PREFIX, .prefix = prefix("192.0.2.70")};
	struct policy_elem card = {.kind = POLICY_ELEM_MAC, .mac = mac("02:00:5e:00:53:c1")};
	struct addr a = addr("192.0.2.70");
	struct house house;
	uint64_t until = 0;

	(void)state;
	make_house(&house);
	lists_add(lists, "cameras", &network, 9000);
	lists_add(lists, "cameras", &host, 5000);
	assert_int_equal(session_table_set_devices(table, &house.policy, lists), 0);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_ADDRESS, NULL, "192.0.2.70"),
		DEVICE(CAMERAS));
	assert_non_null(session_table_identify_at(
		table, "guest", POLICY_IDENTITY_ADDRESS, NULL, &a, 1000, &until));
	assert_int_equal(until, 5000);
	until = 0;
	assert_non_null(session_table_identify_at(
		table, "guest", POLICY_IDENTITY_ADDRESS, NULL, &a, 5000, &until));
	assert_int_equal(until, 9000);
	until = 0;
	assert_null(session_table_identify_at(
		table, "guest", POLICY_IDENTITY_ADDRESS, NULL, &a, 9000, &until));
	assert_int_equal(until, 0);
	lists_clear(lists, "cameras");
	lists_add(lists, "cameras", &card, 0);
	assert_int_equal(session_table_set_devices(table, &house.policy, lists), 0);
	assert_int_equal(identify(table, "guest", POLICY_IDENTITY_MAC, NULL, "192.0.2.70"), 0);
	assert_int_equal(
		identify(table, "guest", POLICY_IDENTITY_MAC, "02:00:5e:00:53:c1", "192.0.2.70"),
		DEVICE(CAMERAS));
	lists_free(lists);
	session_table_free(table);
}

static void test_those_known_by_mac_alone(void **state)
{
	struct session_table *table = some_sessions();
	const struct session *found[4];
	struct house house;

	(void)state;
	assert_int_equal(session_table_by_mac_alone(table, "guest", found, 4), 1);
	assert_int_equal(found[0]->id, 5);
	make_house(&house);
	assert_int_equal(session_table_set_devices(table, &house.policy, NULL), 0);
	assert_int_equal(session_table_by_mac_alone(table, "guest", found, 4), 2);
	assert_int_equal(found[1]->id, DEVICE(TILL));
	assert_int_equal(session_table_by_mac_alone(table, "guest", found, 1), 2);
	put(table, 5, "guest", "card", MAC3, "192.0.2.3", NULL);
	assert_int_equal(session_table_by_mac_alone(table, "guest", found, 4), 1);
	assert_int_equal(session_table_by_mac_alone(table, "staff", found, 4), 0);
	session_table_free(table);
}

static void test_holds_100000_sessions(void **state)
{
	struct session_table *table = session_table_new();
	struct session_address address = {.prefix = prefix("2001:db8::")};
	struct session session = {.zone = string("guest"),
		.user = string("ann"),
		.addresses = &address,
		.naddresses = 1,
		.idle_s = 60};
	uint64_t at, before = 0;

	(void)state;
	address.prefix.len = 128;
	for (uint32_t i = 1; i <= 100000; i++) {
		session.id = i;
		memcpy(session.mac.bytes + 2, &i, 4);
		memcpy(address.prefix.addr.bytes + 12, &i, 4);
		session.active_ms = i * 7919u % 100003u;
		assert_int_equal(session_table_put(table, &session), 0);
	}
	assert_int_equal(session_table_count_user(table, "guest", "ann"), 100000);
	for (uint32_t i = 1; i <= 100000; i++) {
		memcpy(session.mac.bytes + 2, &i, 4);
		memcpy(address.prefix.addr.bytes + 12, &i, 4);
		const struct session *found = session_table_identify(
			table, "guest", POLICY_IDENTITY_MAC, &session.mac, &address.prefix.addr);
		assert_true(found && found->id == i);
	}
	for (struct session *first; (first = session_table_next_end(table, &at));) {
		assert_true(at >= before);
		before = at;
		assert_int_equal(session_table_del(table, first->id), 0);
	}
	assert_int_equal(session_table_count(table), 0);
	session_table_free(table);
}

static void test_aside_ends_by_its_time_and_lease_alone(void **state)
{
	struct session_table *table = session_table_new();
	struct session session = {.id = 1,
		.zone = string("gone"),
		.user = string("ann"),
		.mac = mac(MAC1),
		.aside_until_ms = 5000,
		.idle_s = 1,
		.active_ms = 1000};
	uint64_t at = 0;
	(void)state;

	assert_int_equal(session_table_put(table, &session), 0);
	assert_non_null(session_table_next_end(table, &at));
	assert_int_equal(at, 5000);
	struct session *one = session_table_find(table, 1);
	one->lease_end_ms = 4000;
	session_table_touch(table, one);
	session_table_next_end(table, &at);
	assert_int_equal(at, 4000);
	one->aside_until_ms = 0;
	session_table_touch(table, one);
	session_table_next_end(table, &at);
	assert_int_equal(at, 2000);
	session_table_free(table);
}

static void same(const struct session *a, const struct session *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->kind, b->kind);
	assert_true(policy_string_equal(&a->zone, &b->zone));
	assert_true(policy_string_equal(&a->user, &b->user));
	assert_int_equal(a->ngroups, b->ngroups);
	for (size_t i = 0; i < a->ngroups; i++)
		assert_true(policy_string_equal(&a->groups[i], &b->groups[i]));
	assert_true(mac_equal(&a->mac, &b->mac));
	assert_int_equal(a->naddresses, b->naddresses);
	for (size_t i = 0; i < a->naddresses; i++) {
		assert_memory_equal(
			&a->addresses[i].prefix, &b->addresses[i].prefix, sizeof(struct prefix));
		assert_int_equal(a->addresses[i].learned, b->addresses[i].learned);
		assert_int_equal(a->addresses[i].seen_ms, b->addresses[i].seen_ms);
	}
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->lease_end_ms, b->lease_end_ms);
	assert_int_equal(a->active_ms, b->active_ms);
	assert_int_equal(a->idle_s, b->idle_s);
	assert_int_equal(a->aside_until_ms, b->aside_until_ms);
}

static void test_bytes_and_back(void **state)
{
	static char longest[POLICY_USER_SIZE];
	struct policy_string groups[SESSION_GROUPS_MAX];
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct session session = {.id = 77,
		.zone = string("guest"),
		.groups = groups,
		.ngroups = SESSION_GROUPS_MAX,
		.mac = mac(MAC1),
		.addresses = addresses,
		.naddresses = SESSION_ADDRESSES_MAX,
		.started_ms = 1,
		.lease_end_ms = UINT64_MAX,
		.aside_until_ms = UINT64_MAX,
		.idle_s = UINT32_MAX,
		.active_ms = 0x0102030405060708};
	struct session_storage *storage = malloc(session_storage_size());
	uint8_t bytes[2 * SESSION_ENCODED_MAX];
	struct session back;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	session.user = string(longest);
	for (size_t i = 0; i < SESSION_GROUPS_MAX; i++)
		groups[i] = string(longest);
	for (size_t i = 0; i < SESSION_ADDRESSES_MAX; i++)
		addresses[i] = (struct session_address){
			prefix(i % 2 ? "192.0.2.0/24" : "2001:db8::5"), i % 3 == 0, i};
	size_t len = session_encode(&session, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(session_decode(bytes, sizeof(bytes), &back, storage), len);
	same(&session, &back);
	for (size_t shorter = 0; shorter < len; shorter++) {
		assert_int_equal(session_decode(bytes, shorter, &back, storage), 0);
		assert_int_equal(session_encode(&session, bytes + len, shorter), 0);
	}
	session.ngroups = session.naddresses = 0;
	len = session_encode(&session, bytes, sizeof(bytes));
	size_t second = session_encode(&session, bytes + len, sizeof(bytes) - len);
	assert_int_equal(session_decode(bytes, len + second, &back, storage), len);
	assert_int_equal(session_decode(bytes + len, second, &back, storage), second);
	same(&session, &back);
	free(storage);
}

/* Who told of it, and its hard end, stand behind what versions before knew, and only if they are.
 */
static void test_bytes_of_a_source(void **state)
{
	struct session session = {.id = 77, .zone = string("guest"), .user = string("ann")};
	struct session_storage *storage = malloc(session_storage_size());
	uint8_t bytes[512], bad[512];
	struct session back;

	(void)state;
	size_t plain = session_encode(&session, bytes, sizeof(bytes));
	assert_int_equal(session_decode(bytes, plain, &back, storage), plain);
	assert_int_equal(back.source, SESSION_SOURCE_CLI);
	assert_int_equal(back.via.len + back.nas.len + back.hard_end_ms, 0);
	assert_string_equal(back.ifname, "");

	session.source = SESSION_SOURCE_RADIUS;
	session.hard_end_ms = 0x0102030405060708;
	session.via = string("wlc");
	session.nas = string("ap1");
	strcpy(session.ifname, "br-guest-123456");
	size_t len = session_encode(&session, bytes, sizeof(bytes));
	assert_int_equal(len, plain + 1 + 8 + 4 + 4 + 16);
	assert_int_equal(session_decode(bytes, len, &back, storage), len);
	same(&session, &back);
	assert_int_equal(back.source, SESSION_SOURCE_RADIUS);
	assert_int_equal(back.hard_end_ms, session.hard_end_ms);
	assert_string_equal(back.via.text, "wlc");
	assert_string_equal(back.nas.text, "ap1");
	assert_string_equal(back.ifname, "br-guest-123456");
	assert_string_equal(back.terms, "");
	for (size_t shorter = 0; shorter < len; shorter++)
		assert_int_equal(session_decode(bytes, shorter, &back, storage), 0);
	/* no such source; an interface too long; one that is all unset */
	memcpy(bad, bytes, len);
	bad[plain] = SESSION_SOURCES;
	assert_int_equal(session_decode(bad, len, &back, storage), 0);
	memcpy(bad, bytes, len);
	bad[len - 16] = 16;
	assert_int_equal(session_decode(bad, len, &back, storage), 0);
	/* terms stand behind it, and only if some were accepted */
	strcpy(session.terms, "0123456789abcdef");
	assert_int_equal(session_encode(&session, bytes, sizeof(bytes)), len + 17);
	assert_int_equal(session_decode(bytes, len + 17, &back, storage), len + 17);
	assert_string_equal(back.terms, session.terms);
	for (uint8_t wrong = 0; wrong < 32; wrong += 17) { /* none, too long */
		memcpy(bad, bytes, len + 17);
		bad[len] = wrong;
		assert_int_equal(session_decode(bad, len + 17, &back, storage), 0);
	}
	memcpy(bad, bytes, plain);
	memset(bad + plain, 0, 12);
	bad[0] = (uint8_t)(plain + 12);
	assert_int_equal(session_decode(bad, plain + 12, &back, storage), 0);
	free(storage);
}

static void test_bytes_that_are_no_session(void **state)
{
	struct session_address address = {.prefix = prefix("192.0.2.0/24")};
	struct session session = {.id = 77,
		.zone = string("guest"),
		.user = string("ann"),
		.addresses = &address,
		.naddresses = 1};
	struct session_storage *storage = malloc(session_storage_size());
	uint8_t good[256], bad[256];
	struct session back;
	size_t len = session_encode(&session, good, sizeof(good));
	const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} cases[] = {
		{2, 1, "a device without a device's id"},
		{2, 2, "no such kind"},
		{3, SESSION_GROUPS_MAX + 1, "too many groups"},
		{3, 1, "a group that is not there"},
		{4, SESSION_ADDRESSES_MAX + 1, "too many addresses"},
		{4, 0, "bytes left over"},
		{5, 1, "reserved"},
		{48, 0, "no zone"},
		{48, 64, "a zone too long"},
		{49, '\n', "a control character"},
		{50, 0, "a NUL"},
		{len - 15, 5, "no such family"},
		{len - 14, 33, "a prefix too long"},
		{len - 14, 16, "bits behind the length"},
		{len - 13, 2, "no boolean"},
	};

	(void)state;
	assert_int_equal(session_decode(good, len, &back, storage), len);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bad, good, len);
		bad[cases[i].at] = cases[i].value;
		if (session_decode(bad, len, &back, storage) != 0)
			fail_msg("%s was taken", cases[i].what);
	}
	bad[0] = bad[1] = 0;
	assert_int_equal(session_decode(bad, len, &back, storage), 0);
	free(storage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_mac),
		cmocka_unit_test(test_by_address),
		cmocka_unit_test(test_by_mac_and_address),
		cmocka_unit_test(test_putting_again_replaces),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_a_learned_address_is_no_identity),
		cmocka_unit_test(test_who_learned_an_address_is_not_its_owner),
		cmocka_unit_test(test_the_next_end_is_lease_or_idle),
		cmocka_unit_test(test_devices_in_each_identity),
		cmocka_unit_test(test_a_login_beats_a_device_unless_it_is_less_specific),
		cmocka_unit_test(test_a_device_follows_its_dynamic_list),
		cmocka_unit_test(test_those_known_by_mac_alone),
		cmocka_unit_test(test_holds_100000_sessions),
		cmocka_unit_test(test_aside_ends_by_its_time_and_lease_alone),
		cmocka_unit_test(test_bytes_and_back),
		cmocka_unit_test(test_bytes_of_a_source),
		cmocka_unit_test(test_bytes_that_are_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
