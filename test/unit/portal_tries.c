/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords are guessed slowly on the login page, and nobody shuts another out. */
#include "lib/portal/tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000)
#define LOCK   (PORTAL_TRIES_LOCK_S * SECOND)
#define START  (100 * SECOND)

static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcdef";

static int set_up(void **state)
{
	*state = portal_tries_new(secret);
	return *state ? 0 : -1;
}

static int take_down(void **state)
{
	portal_tries_free(*state);
	return 0;
}

/* The n-th device of a network; net below 256. */
static struct portal_client device(unsigned net, unsigned n)
{
	struct portal_client client;
	char text[32];

	memset(&client, 0, sizeof(client));
	strcpy(client.zone, "guest");
	client.mac = (struct mac){{0x02, 0, 0x5e, (uint8_t)net, (uint8_t)(n >> 8), (uint8_t)n}};
	snprintf(text, sizeof(text), "10.9.%u.%u", net, n % 250 + 1);
	assert_int_equal(addr_parse(text, strlen(text), &client.address), 0);
	return client;
}

static enum portal_try ask(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms)
{
	uint64_t wait_ms;
	enum portal_try what = portal_tries_ask(tries, client, user, now_ms, &wait_ms);
	assert_int_equal(wait_ms > 0, what != PORTAL_TRY_OK);
	if (what != PORTAL_TRY_OK && what != PORTAL_TRY_FULL) {
		uint64_t again_ms;
		assert_int_equal(
			portal_tries_ask(tries, client, user, now_ms + wait_ms - 1, &again_ms),
			what);
		portal_tries_ask(tries, client, user, now_ms + wait_ms, &again_ms);
		assert_true(again_ms == 0 || again_ms > 1); /* another wait, if any */
	}
	return what;
}

/* How many of n tries at one time may be made, each with another user. */
static unsigned tried(
	struct portal_tries *tries, const struct portal_client *client, unsigned n, uint64_t now_ms)
{
	static unsigned serial;
	unsigned times = 0;

	for (unsigned i = 0; i < n; i++) {
		char user[32];
		snprintf(user, sizeof(user), "u%u", ++serial);
		if (ask(tries, client, user, now_ms) != PORTAL_TRY_OK)
			continue;
		portal_tries_begin(tries, client, user, now_ms);
		times++;
	}
	return times;
}

static void a_device_has_five(void **state)
{
	const struct portal_client one = device(1, 1), other = device(1, 2);
	assert_int_equal(tried(*state, &one, 100, START), PORTAL_TRIES_DEVICE);
	assert_int_equal(ask(*state, &one, "anna", START), PORTAL_TRY_DEVICE);
	assert_int_equal(ask(*state, &other, "anna", START), PORTAL_TRY_OK);
	assert_int_equal(tried(*state, &one, 100, START + LOCK - 1), 0);
	assert_int_equal(tried(*state, &one, 100, START + LOCK), PORTAL_TRIES_DEVICE);
}

/* Slowly is as much. */
static void a_device_has_five_in_a_time(void **state)
{
	const struct portal_client one = device(1, 1);
	unsigned times = 0;
	for (uint64_t now = START; now < START + 4 * LOCK; now += 10 * SECOND)
		times += tried(*state, &one, 1, now);
	assert_in_range(times, 2 * PORTAL_TRIES_DEVICE, 5 * PORTAL_TRIES_DEVICE);
}

static void a_device_is_its_mac_whatever_addresses_it_takes(void **state)
{
	struct portal_client one = device(1, 1);
	unsigned times = 0;
	for (unsigned i = 0; i < 40; i++) {
		char text[32];
		snprintf(text, sizeof(text), "2001:db8:%x::%x", i, i + 1);
		assert_int_equal(addr_parse(text, strlen(text), &one.address), 0);
		times += tried(*state, &one, 1, START);
	}
	assert_int_equal(times, PORTAL_TRIES_DEVICE);
}

static void without_mac_a_device_is_its_address(void **state)
{
	struct portal_client one = device(1, 1), other = device(1, 2);
	one.mac = other.mac = (struct mac){0};
	assert_int_equal(tried(*state, &one, 100, START), PORTAL_TRIES_DEVICE);
	assert_int_equal(tried(*state, &other, 100, START), PORTAL_TRIES_DEVICE);
	strcpy(one.zone, "staff");
	assert_int_equal(tried(*state, &one, 100, START), PORTAL_TRIES_DEVICE);
}

static void many_devices_have_what_their_network_has(void **state)
{
	const struct portal_client elsewhere = device(2, 1);
	unsigned times = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const struct portal_client made_up = device(1, i);
		times += tried(*state, &made_up, 10, START);
	}
	assert_int_equal(times, PORTAL_TRIES_NETWORK);
	assert_int_equal(ask(*state, &elsewhere, "anna", START), PORTAL_TRY_OK);
	/* then one after the other, evenly */
	for (unsigned i = 0; i < 100; i++) {
		const struct portal_client made_up = device(1, 1000 + i);
		times += tried(*state, &made_up, 10, START + i * LOCK / 100);
	}
	assert_in_range(times, 2 * PORTAL_TRIES_NETWORK - 2, 2 * PORTAL_TRIES_NETWORK);
}

static void who_was_here_does_not_wait_for_strangers(void **state)
{
	const struct portal_client own = device(1, 5000);
	portal_tries_begin(*state, &own, "anna", START);
	portal_tries_passed(*state, &own, "anna", START);
	for (unsigned i = 0; i < 1000; i++) {
		const struct portal_client made_up = device(1, i);
		tried(*state, &made_up, 10, START);
	}
	const struct portal_client stranger = device(1, 2000);
	assert_int_equal(ask(*state, &stranger, "bert", START), PORTAL_TRY_NETWORK);
	assert_int_equal(ask(*state, &own, "anna", START), PORTAL_TRY_OK);
	/* but he guesses at others no more than strangers, and at himself as often as a device may
	 */
	assert_int_equal(tried(*state, &own, 100, START), 0);
	for (unsigned i = 0; i < PORTAL_TRIES_DEVICE; i++)
		portal_tries_begin(*state, &own, "anna", START);
	assert_int_equal(ask(*state, &own, "anna", START), PORTAL_TRY_DEVICE);
}

static void a_user_waits_longer_and_longer_and_is_never_shut_out(void **state)
{
	static const uint64_t waits[] = {0, 1, 2, 4, 8, 16, 30, 30, 30};
	uint64_t now = START, wait_ms;
	for (unsigned i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		const struct portal_client from = device(i, i);
		assert_int_equal(ask(*state, &from, "director", now), PORTAL_TRY_OK);
		portal_tries_begin(*state, &from, i % 2 ? "director" : " DIRECTOR ", now);
		const struct portal_client other = device(100 + i, i);
		assert_int_equal(portal_tries_ask(*state, &other, "Director", now, &wait_ms),
			waits[i] > 0 ? PORTAL_TRY_USER : PORTAL_TRY_OK);
		assert_int_equal(wait_ms, waits[i] * SECOND);
		assert_int_equal(ask(*state, &other, "anna", now), PORTAL_TRY_OK);
		now += wait_ms;
	}
}

static void a_user_does_not_wait_where_he_was_before(void **state)
{
	const struct portal_client own = device(1, 1), evil = device(2, 1);
	portal_tries_begin(*state, &own, "director", START);
	portal_tries_passed(*state, &own, "Director", START);
	for (unsigned i = 0; i < 4; i++)
		portal_tries_begin(*state, &evil, "director", START + i);
	assert_int_equal(ask(*state, &evil, "director", START + 5), PORTAL_TRY_USER);
	assert_int_equal(ask(*state, &own, "director", START + 5), PORTAL_TRY_OK);
	/* another one at his device waits */
	for (unsigned i = 0; i < 4; i++)
		portal_tries_begin(*state, &evil, "anna", START + i);
	assert_int_equal(ask(*state, &own, "anna", START + 5), PORTAL_TRY_USER);
}

static void an_account_of_ones_own_buys_no_guesses(void **state)
{
	const struct portal_client one = device(1, 1);
	unsigned guesses = 0;
	for (unsigned i = 0; i < 100; i++) {
		char user[16];
		snprintf(user, sizeof(user), "victim%u", i);
		if (ask(*state, &one, user, START) == PORTAL_TRY_OK) {
			portal_tries_begin(*state, &one, user, START);
			guesses++;
		}
		if (ask(*state, &one, "own", START) != PORTAL_TRY_OK)
			continue;
		portal_tries_begin(*state, &one, "own", START);
		portal_tries_passed(*state, &one, "own", START);
	}
	assert_int_equal(guesses, PORTAL_TRIES_DEVICE);
}

/* Of a guest who has one, and as many devices as he makes up. */
static void nor_do_devices_that_logged_in_with_it(void **state)
{
	unsigned guesses = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const struct portal_client made_up = device(1, i);
		assert_int_equal(ask(*state, &made_up, "own", START), PORTAL_TRY_OK);
		portal_tries_begin(*state, &made_up, "own", START);
		portal_tries_passed(*state, &made_up, "own", START);
	}
	for (unsigned i = 0; i < 1000; i++) {
		const struct portal_client made_up = device(1, i);
		guesses += tried(*state, &made_up, PORTAL_TRIES_DEVICE - 1, START);
		assert_int_equal(ask(*state, &made_up, "own", START), PORTAL_TRY_OK);
	}
	assert_int_equal(guesses, PORTAL_TRIES_NETWORK);
}

static void many_at_once_have_no_more(void **state)
{
	const struct portal_client one = device(1, 1);
	char users[PORTAL_TRIES_DEVICE][32];
	for (unsigned i = 0; i < PORTAL_TRIES_DEVICE; i++) {
		snprintf(users[i], sizeof(users[i]), "at-once-%u", i);
		assert_int_equal(ask(*state, &one, users[i], START), PORTAL_TRY_OK);
		portal_tries_begin(*state, &one, users[i], START);
	}
	assert_int_equal(ask(*state, &one, "anna", START), PORTAL_TRY_DEVICE);
	/* of which one passed, and the others were none */
	portal_tries_passed(*state, &one, users[0], START);
	for (unsigned i = 1; i < PORTAL_TRIES_DEVICE; i++)
		portal_tries_forget(*state, &one, users[i], START);
	assert_int_equal(tried(*state, &one, 100, START + 1), PORTAL_TRIES_DEVICE);
}

static void what_could_not_be_found_out_was_none(void **state)
{
	const struct portal_client one = device(1, 1);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(ask(*state, &one, "anna", START + i), PORTAL_TRY_OK);
		portal_tries_begin(*state, &one, "anna", START + i);
		portal_tries_forget(*state, &one, "anna", START + i);
	}
}

static void a_table_that_is_full_forgets_nobody_who_is_shut_out(void **state)
{
	static struct portal_locked v[2 * PORTAL_TRIES_ROWS];
	unsigned shut_out = 0;
	for (unsigned net = 0; net < 256; net++)
		for (unsigned i = 0; i < 300; i++) {
			const struct portal_client one = device(net, i);
			uint64_t wait_ms;
			unsigned times = 0;
			enum portal_try what = PORTAL_TRY_OK;
			for (unsigned j = 0; j < PORTAL_TRIES_DEVICE; j++) {
				char user[32];
				snprintf(user, sizeof(user), "u%u-%u-%u", net, i, j);
				what = portal_tries_ask(*state, &one, user, START, &wait_ms);
				if (what != PORTAL_TRY_OK)
					break;
				portal_tries_begin(*state, &one, user, START);
				times++;
			}
			shut_out += times == PORTAL_TRIES_DEVICE;
		}
	size_t n = portal_tries_locked(*state, START, v, sizeof(v) / sizeof(*v));
	size_t devices = 0;
	for (size_t i = 0; i < n; i++)
		devices += v[i].what == PORTAL_TRY_DEVICE;
	assert_true(shut_out > 1000);
	assert_int_equal(devices, shut_out);
	assert_true(n <= PORTAL_TRIES_ROWS);
	/* all of them are quiet some day */
	assert_int_equal(portal_tries_locked(*state, START + 100 * LOCK, v, 1), 0);
	const struct portal_client late = device(7, 9999);
	assert_int_equal(ask(*state, &late, "anna", START + 100 * LOCK), PORTAL_TRY_OK);
}

static void a_full_place_makes_wait(void **state)
{
	bool full = false;
	for (unsigned i = 0; i < 60000 && !full; i++) {
		struct portal_client one = device(i % 256, i);
		uint64_t wait_ms;
		snprintf(one.zone, sizeof(one.zone), "z%u", i); /* each a network of its own */
		for (unsigned j = 0; j < PORTAL_TRIES_DEVICE; j++) {
			char user[32];
			snprintf(user, sizeof(user), "u%u-%u", i, j);
			enum portal_try what =
				portal_tries_ask(*state, &one, user, START, &wait_ms);
			full = full || what == PORTAL_TRY_FULL;
			if (what == PORTAL_TRY_OK)
				portal_tries_begin(*state, &one, user, START);
			else
				assert_true(wait_ms > 0);
		}
	}
	assert_true(full);
}

static void who_is_shut_out_can_be_seen(void **state)
{
	const struct portal_client one = device(1, 1);
	struct portal_locked v[4];
	assert_int_equal(portal_tries_locked(*state, START, v, 4), 0);
	tried(*state, &one, 10, START);
	assert_int_equal(portal_tries_locked(*state, START + 1, v, 4), 1);
	assert_int_equal(v[0].what, PORTAL_TRY_DEVICE);
	assert_string_equal(v[0].client.zone, "guest");
	assert_true(mac_equal(&v[0].client.mac, &one.mac));
	assert_int_equal(v[0].failures, PORTAL_TRIES_DEVICE);
	assert_int_equal(v[0].until_ms, START + LOCK);
	for (unsigned i = 2; i < 100; i++) {
		const struct portal_client other = device(1, i);
		tried(*state, &other, 1, START);
	}
	assert_int_equal(portal_tries_locked(*state, START + 1, v, 4), 2);
	size_t network = v[0].what == PORTAL_TRY_NETWORK ? 0 : 1;
	char text[ADDR_TEXT_SIZE];
	assert_int_equal(v[network].what, PORTAL_TRY_NETWORK);
	assert_string_equal(addr_format(&v[network].client.address, text), "10.9.1.0");
	assert_false(mac_is_set(&v[network].client.mac));
	assert_int_equal(portal_tries_locked(*state, START + LOCK, v, 4), 0);
}

static void a_no_is_said_at_whole_seconds(void **state)
{
	(void)state;
	assert_int_equal(portal_tries_hold(START, START), 1000);
	assert_int_equal(portal_tries_hold(START, START + 1), 999);
	assert_int_equal(portal_tries_hold(START, START + 999), 1);
	assert_int_equal(portal_tries_hold(START, START + 1000), 1000);
	assert_int_equal(portal_tries_hold(START, START + 2500), 500);
}

static void a_place_is_the_devices_own(void **state)
{
	struct portal_client one = device(1, 1), other = device(1, 2);
	(void)state;
	struct addr place = portal_place(&one), another = portal_place(&other);
	assert_int_equal(place.family, ADDR_IP6);
	assert_memory_not_equal(place.bytes, another.bytes, 8); /* within its /64 */
	one.address = other.address;
	another = portal_place(&one);
	assert_true(addr_equal(&place, &another));
	one.mac = (struct mac){0};
	place = portal_place(&one);
	assert_true(addr_equal(&place, &one.address));
}

static void by_address_alone_a_mac_that_all_have_is_nobodys(void **state)
{
	struct portal_client one = device(1, 1), other = device(1, 2);
	other.mac = one.mac; /* of the router that both are behind */
	struct portal_client here = portal_device(&one, POLICY_IDENTITY_MAC_ADDRESS);
	struct portal_client there = portal_device(&other, POLICY_IDENTITY_MAC);
	assert_true(mac_equal(&here.mac, &one.mac));
	assert_true(mac_equal(&there.mac, &one.mac));
	here = portal_device(&one, POLICY_IDENTITY_ADDRESS);
	there = portal_device(&other, POLICY_IDENTITY_ADDRESS);
	struct addr place = portal_place(&here), another = portal_place(&there);
	assert_false(addr_equal(&place, &another));
	assert_int_equal(tried(*state, &here, 100, START), PORTAL_TRIES_DEVICE);
	assert_int_equal(tried(*state, &there, 100, START), PORTAL_TRIES_DEVICE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_has_five),
		TEST(a_device_has_five_in_a_time),
		TEST(a_device_is_its_mac_whatever_addresses_it_takes),
		TEST(without_mac_a_device_is_its_address),
		TEST(many_devices_have_what_their_network_has),
		TEST(who_was_here_does_not_wait_for_strangers),
		TEST(a_user_waits_longer_and_longer_and_is_never_shut_out),
		TEST(a_user_does_not_wait_where_he_was_before),
		TEST(an_account_of_ones_own_buys_no_guesses),
		TEST(nor_do_devices_that_logged_in_with_it),
		TEST(many_at_once_have_no_more),
		TEST(what_could_not_be_found_out_was_none),
		TEST(a_table_that_is_full_forgets_nobody_who_is_shut_out),
		TEST(a_full_place_makes_wait),
		TEST(who_is_shut_out_can_be_seen),
		cmocka_unit_test(a_no_is_said_at_whole_seconds),
		cmocka_unit_test(a_place_is_the_devices_own),
		TEST(by_address_alone_a_mac_that_all_have_is_nobodys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
