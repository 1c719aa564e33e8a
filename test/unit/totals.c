/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What flows add up to by zone and by server, and what is forgotten with a policy. */
#include "daemon/control/audit/totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void tell(struct totals *tally, const char *zone, const char *server, enum ending ending)
{
	struct ipc_flow flow = {.messages = 2,
		.ending = (uint16_t)ending,
		.from_client_bytes = 100,
		.from_server_bytes = 10};

	snprintf(flow.zone, sizeof(flow.zone), "%s", zone);
	snprintf(flow.server, sizeof(flow.server), "%s", server);
	totals_flow(tally, &flow);
}

static void zones_and_servers_are_apart(void **state)
{
	struct totals *tally = totals_new();

	(void)state;
	tell(tally, "same", "same", ENDING_QUIT);
	tell(tally, "same", "other", ENDING_IDLE);
	tell(tally, "same", "", ENDING_NOT_LOGGED_IN);
	const struct totals_line *zone = totals_find(tally, TOTALS_ZONE, "same");
	const struct totals_line *server = totals_find(tally, TOTALS_SERVER, "same");
	assert_non_null(zone);
	assert_non_null(server);
	assert_int_equal(zone->endings[ENDING_QUIT], 1);
	assert_int_equal(zone->endings[ENDING_NOT_LOGGED_IN], 1);
	assert_int_equal(zone->messages, 6);
	assert_int_equal(zone->from_client_bytes, 300);
	assert_int_equal(zone->from_server_bytes, 30);
	assert_int_equal(server->messages, 2);
	assert_int_equal(server->endings[ENDING_IDLE], 0);
	assert_null(totals_find(tally, TOTALS_ZONE, "other"));
	assert_null(totals_find(tally, TOTALS_SERVER, ""));
	totals_free(tally);
}

static void what_the_policy_does_not_have_is_forgotten(void **state)
{
	struct totals *tally = totals_new();
	struct policy *policy = policy_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "zone%u", i);
		tell(tally, name, "original", ENDING_QUIT);
	}
	assert_non_null(totals_find(tally, TOTALS_ZONE, "zone999"));
	totals_follow(tally, policy);
	assert_null(totals_find(tally, TOTALS_ZONE, "zone0"));
	assert_null(totals_find(tally, TOTALS_ZONE, "zone999"));
	assert_int_equal(totals_find(tally, TOTALS_SERVER, "original")->messages, 2000);
	policy_unref(policy);
	totals_free(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_and_servers_are_apart),
		cmocka_unit_test(what_the_policy_does_not_have_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
