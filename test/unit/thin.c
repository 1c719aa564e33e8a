/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/thin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT_ONCE 30
#define EACH_MS 10000

static struct ipc_flow refused(uint8_t mac, const char *zone)
{
	struct ipc_flow out = {.ending = ENDING_NOT_LOGGED_IN};

	out.mac = (struct mac){{2, 0, 0x5e, 0, 0x53, mac}};
	out.client.addr = (struct addr){.bytes = {192, 0, 2, mac}, .family = ADDR_IP4};
	strcpy(out.zone, zone);
	return out;
}

static void who_is_logged_in_is_not_concerned(void **state)
{
	struct ipc_flow record = refused(1, "guest");
	(void)state;

	assert_true(thin_concerns(&record));
	record.session = 5;
	assert_false(thin_concerns(&record));
	record.session = 0;
	strcpy(record.user, "ann");
	assert_false(thin_concerns(&record));
}

static void so_many_at_once_then_one_by_one_with_what_was_left_out(void **state)
{
	struct thin *thin = thin_new(AT_ONCE, EACH_MS);
	struct ipc_flow record = refused(1, "guest");
	uint64_t now_ms = 1000, left_out, kept = 0;
	(void)state;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		assert_true(thin_keeps(thin, thin_key_of_flow(&record), now_ms, &left_out));
		assert_int_equal(left_out, 0);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_false(thin_keeps(thin, thin_key_of_flow(&record), now_ms, &left_out));
	now_ms += EACH_MS;
	assert_true(thin_keeps(thin, thin_key_of_flow(&record), now_ms, &left_out));
	assert_int_equal(left_out, 100);
	assert_false(thin_keeps(thin, thin_key_of_flow(&record), now_ms, &left_out));
	/* 55 a second for an hour */
	for (uint64_t i = 0; i < 55u * 3600; i++)
		kept += thin_keeps(
			thin, thin_key_of_flow(&record), now_ms + i * 1000 / 55, &left_out);
	assert_in_range(kept, 3600000 / EACH_MS - 1, 3600000 / EACH_MS + 1);
	/* and long afterwards as many at once again */
	now_ms += 3600000 + AT_ONCE * EACH_MS;
	for (unsigned i = 0; i < AT_ONCE; i++)
		assert_true(thin_keeps(thin, thin_key_of_flow(&record), now_ms, &left_out));
	thin_free(thin);
}

static void others_are_not_thinned_for_it(void **state)
{
	struct thin *thin = thin_new(AT_ONCE, EACH_MS);
	struct ipc_flow flood = refused(1, "guest"), others[4];
	uint64_t left_out;
	(void)state;

	for (unsigned i = 0; i < 1000; i++)
		thin_keeps(thin, thin_key_of_flow(&flood), 1000, &left_out);
	others[0] = refused(2, "guest");
	others[1] = refused(1, "lobby");
	others[2] = refused(1, "guest");
	others[2].ending = ENDING_REJECTED;
	others[3] = refused(1, "guest");
	strcpy(others[3].rule, "blocked");
	for (unsigned i = 0; i < 4; i++)
		assert_true(thin_keeps(thin, thin_key_of_flow(&others[i]), 1000, &left_out));
	/* its address may change: the MAC is who it is */
	flood.client.addr.bytes[3] = 99;
	assert_false(thin_keeps(thin, thin_key_of_flow(&flood), 1000, &left_out));
	flood.mac = (struct mac){{0}};
	assert_true(thin_keeps(thin, thin_key_of_flow(&flood), 1000, &left_out));
	thin_free(thin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_logged_in_is_not_concerned),
		cmocka_unit_test(so_many_at_once_then_one_by_one_with_what_was_left_out),
		cmocka_unit_test(others_are_not_thinned_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
