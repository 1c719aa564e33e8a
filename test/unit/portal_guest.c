/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NOW          UINT64_C(1000000)

static struct origin from(uint32_t ifindex, const char *mac, const char *address)
{
	struct origin origin = {.ifindex = ifindex};

	assert_int_equal(addr_parse(address, strlen(address), &origin.client.addr), 0);
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &origin.mac), 0);
	return origin;
}

static void a_guest_is_his_mac_or_without_one_his_address(void **state)
{
	static const struct {
		uint32_t ifindex;
		const char *mac, *address;
		bool same; /* as the first */
	} cases[] = {
		{3, "02:00:5e:00:53:01", "192.0.2.7", true},
		{3, "02:00:5e:00:53:01", "192.0.2.8", true},
		{3, "02:00:5e:00:53:01", "2001:db8::7", true},
		{3, "02:00:5e:00:53:02", "192.0.2.7", false},
		{4, "02:00:5e:00:53:01", "192.0.2.7", false},
		{3, NULL, "192.0.2.7", false},
	};
	struct guests *guests = calloc(1, sizeof(*guests));
	struct origin first = from(3, "02:00:5e:00:53:01", "192.0.2.7");
	struct guest *guest = guest_get(guests, &first, NOW);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct origin origin = from(cases[i].ifindex, cases[i].mac, cases[i].address);
		assert_int_equal(guest_get(guests, &origin, NOW) == guest, cases[i].same);
		assert_ptr_equal(guest_get(guests, &origin, NOW), guest_get(guests, &origin, NOW));
	}
	struct origin routed = from(3, NULL, "192.0.2.7"), other = from(3, NULL, "192.0.2.8");
	assert_ptr_not_equal(guest_get(guests, &routed, NOW), guest_get(guests, &other, NOW));
	free(guests);
}

static void who_comes_as_people_do_never_waits(void **state)
{
	struct guest guest = {0};

	(void)state;
	for (unsigned i = 0; i < 10 * GUEST_AT_ONCE; i++)
		assert_int_equal(guest_turn(&guest, GUEST_CONNECTS, NOW + i * GUEST_EACH_MS), 0);
	for (unsigned i = 0; i < GUEST_AT_ONCE; i++) /* a page with all that is on it, often */
		assert_int_equal(guest_turn(&guest, GUEST_ASKS, NOW), 0);
}

static void who_comes_faster_is_served_one_after_the_other(void **state)
{
	struct guest guest = {0};

	(void)state;
	for (unsigned i = 0; i < GUEST_AT_ONCE; i++)
		assert_int_equal(guest_turn(&guest, GUEST_ASKS, NOW), 0);
	for (unsigned i = 1; i <= 50; i++)
		assert_int_equal(guest_turn(&guest, GUEST_ASKS, NOW), i * GUEST_EACH_MS);
	/* of one kind alone */
	assert_int_equal(guest_turn(&guest, GUEST_CONNECTS, NOW), 0);
	/* and not for ever */
	const uint64_t later = NOW + (GUEST_AT_ONCE + 50) * GUEST_EACH_MS;
	for (unsigned i = 0; i < GUEST_AT_ONCE; i++)
		assert_int_equal(guest_turn(&guest, GUEST_ASKS, later), 0);
	assert_int_equal(guest_turn(&guest, GUEST_ASKS, later), GUEST_EACH_MS);
}

static struct origin nth(unsigned n)
{
	struct origin origin = from(3, "02:00:5e:00:00:00", "192.0.2.7");

	origin.mac.bytes[4] = (uint8_t)(n >> 8);
	origin.mac.bytes[5] = (uint8_t)n;
	return origin;
}

static void who_came_least_lately_makes_room_but_nobody_who_is_there(void **state)
{
	struct guests *guests = calloc(1, sizeof(*guests));
	struct origin origin;

	(void)state;
	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		origin = nth(i);
		struct guest *guest = guest_get(guests, &origin, NOW + i);
		assert_non_null(guest);
		guest->open = i < GUESTS_MAX / 2; /* the older half is there */
		guest_turn(guest, GUEST_ASKS, NOW + i);
	}
	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		origin = nth(GUESTS_MAX + i);
		struct guest *guest = guest_get(guests, &origin, NOW + GUESTS_MAX + i);
		assert_non_null(guest);
		assert_int_equal(guest->open, 0);
		assert_int_equal(guest->paid_ms[GUEST_ASKS], 0);
	}
	for (unsigned i = 0; i < GUESTS_MAX / 2; i++) {
		origin = nth(i);
		assert_int_equal(guest_get(guests, &origin, NOW)->open, 1);
	}
	for (unsigned i = 0; i < GUESTS_MAX; i++)
		guests->v[i].open = 1;
	origin = nth(3 * GUESTS_MAX);
	assert_null(guest_get(guests, &origin, NOW));
	free(guests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_his_mac_or_without_one_his_address),
		cmocka_unit_test(who_comes_as_people_do_never_waits),
		cmocka_unit_test(who_comes_faster_is_served_one_after_the_other),
		cmocka_unit_test(who_came_least_lately_makes_room_but_nobody_who_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
