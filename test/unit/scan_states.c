/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control adds up of how scans fare in many smtp processes. */
#include "daemon/control/peers/scan_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define TEXT(value)                                       \
	{                                                 \
		.text = (value), .len = sizeof(value) - 1 \
	}

static const struct policy_scan virus = {
	.name = TEXT("virus"), .kind = POLICY_SCAN_CLAMAV, .address = TEXT("/run/clamd")};
static const struct policy_scan spam = {
	.name = TEXT("spam"), .kind = POLICY_SCAN_MILTER, .address = TEXT("unix:/run/spam")};

static struct ipc_scan_state told(const char *name, uint64_t asked, bool up, uint64_t since_ms)
{
	struct ipc_scan_state state;

	ipc_init(&state, IPC_SCAN_STATE, sizeof(state));
	snprintf(state.scan, sizeof(state.scan), "%s", name);
	state.filter = policy_scan_filter(strcmp(name, "virus") == 0 ? &virus : &spam);
	state.asked = asked;
	state.passed = asked;
	state.up = up;
	state.since_ms = since_ms;
	state.places = 8;
	state.took.counts[2] = asked;
	return state;
}

static void totals_are_of_all_and_stay(void **context)
{
	struct scan_states *states = scan_states_new();
	struct ipc_scan_state a = told("virus", 3, true, 100), b = told("virus", 4, true, 50), sum;

	(void)context;
	assert_false(scan_states_sum(states, &virus, &sum));
	assert_int_equal(sum.asked, 0);
	a.under_way = 2;
	scan_states_take(states, 0, &a);
	scan_states_take(states, 1, &b);
	assert_true(scan_states_sum(states, &virus, &sum));
	assert_string_equal(sum.scan, "virus");
	assert_int_equal(sum.asked, 7);
	assert_int_equal(sum.took.counts[2], 7);
	assert_int_equal(sum.places, 16);
	assert_int_equal(sum.since_ms, 50);
	assert_false(scan_states_sum(states, &spam, &sum));
	a.asked = 5;
	scan_states_take(states, 0, &a);
	scan_states_gone(states, 0);
	scan_states_gone(states, 7);
	assert_true(scan_states_sum(states, &virus, &sum));
	assert_int_equal(sum.asked, 9);
	assert_int_equal(sum.under_way, 0);
	assert_int_equal(sum.places, 8);
	/* its number has another one now */
	a.asked = 1;
	scan_states_take(states, 0, &a);
	scan_states_gone(states, 0);
	scan_states_sum(states, &virus, &sum);
	assert_int_equal(sum.asked, 10);
	scan_states_free(states);
}

static void one_that_is_not_up_counts(void **context)
{
	struct scan_states *states = scan_states_new();
	struct ipc_scan_state up = told("spam", 1, true, 10), down = told("spam", 1, false, 300),
			      never = told("spam", 0, false, 0), sum;

	(void)context;
	snprintf(down.text, sizeof(down.text), "connection refused");
	down.fault_ms = 300;
	down.open = 1;
	snprintf(up.text, sizeof(up.text), "late");
	up.fault_ms = 5;
	scan_states_take(states, 2, &never);
	scan_states_take(states, 0, &down);
	scan_states_take(states, 1, &up);
	scan_states_sum(states, &spam, &sum);
	assert_int_equal(sum.up, 0);
	assert_int_equal(sum.since_ms, 300);
	assert_int_equal(sum.open, 1);
	assert_string_equal(sum.text, "connection refused");
	scan_states_gone(states, 0);
	scan_states_sum(states, &spam, &sum);
	assert_int_equal(sum.up, 1);
	assert_int_equal(sum.since_ms, 10);
	assert_int_equal(sum.open, 0);
	scan_states_free(states);
}

static struct policy_scan at(enum policy_scan_kind kind, const char *address)
{
	struct policy_scan scan = spam;

	scan.kind = kind;
	scan.address = (struct policy_string){.text = address, .len = strlen(address)};
	return scan;
}

/* Its name keeps what it counted. */
static void another_filter_under_a_name_begins_anew(void **context)
{
	const struct policy_scan others[] = {at(POLICY_SCAN_CLAMAV, spam.address.text),
		at(POLICY_SCAN_MILTER, "unix:/run/other")};
	struct scan_states *states = scan_states_new();
	struct ipc_scan_state down = told("spam", 3, false, 300), sum;

	(void)context;
	snprintf(down.text, sizeof(down.text), "connection refused");
	down.fault_ms = 300;
	down.open = down.under_way = 1;
	scan_states_take(states, 0, &down);
	for (unsigned ended = 0; ended < 2; ended++) {
		for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++) {
			assert_true(scan_states_sum(states, &others[i], &sum));
			assert_string_equal(scan_states_word(&sum, true), "unasked");
			assert_int_equal(sum.asked, 3);
			assert_int_equal(sum.under_way, !ended);
			assert_int_equal(sum.open, 0);
			assert_int_equal(sum.fault_ms, 0);
			assert_string_equal(sum.text, "");
		}
		scan_states_sum(states, &spam, &sum);
		assert_string_equal(sum.text, "connection refused");
		scan_states_gone(states, 0);
	}
	/* and is the same again under the same */
	down.filter = policy_scan_filter(&others[1]);
	down.up = 1;
	scan_states_take(states, 0, &down);
	scan_states_sum(states, &others[1], &sum);
	assert_string_equal(scan_states_word(&sum, true), "up");
	scan_states_sum(states, &spam, &sum);
	assert_string_equal(scan_states_word(&sum, true), "unasked");
	scan_states_free(states);
}

static void a_state_is_checked(void **context)
{
	struct ipc_scan_state state = told("virus", 1, true, 1);

	(void)context;
	assert_int_equal(ipc_check(&state, sizeof(state)), 0);
	state.up = 2;
	assert_int_not_equal(ipc_check(&state, sizeof(state)), 0);
	state.up = 1;
	state.text[3] = '\n';
	state.text[0] = state.text[1] = state.text[2] = 'x';
	assert_int_not_equal(ipc_check(&state, sizeof(state)), 0);
	state.text[3] = 'x';
	state.scan[0] = '\0';
	assert_int_not_equal(ipc_check(&state, sizeof(state)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_are_of_all_and_stay),
		cmocka_unit_test(one_that_is_not_up_counts),
		cmocka_unit_test(another_filter_under_a_name_begins_anew),
		cmocka_unit_test(a_state_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
