/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of flows that the kernel carries alone: each once, found by id, ends and session. */
#include "daemon/control/path/kernel_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MOST 1000

static struct endpoint end_of(const char *addr, uint16_t port)
{
	struct endpoint end = {.port = port};

	assert_int_equal(addr_parse(addr, strlen(addr), &end.addr), 0);
	return end;
}

static struct ipc_tuple tuple_of(const char *client, uint16_t port, const char *original)
{
	return (struct ipc_tuple){.client = end_of(client, port), .original = end_of(original, 25)};
}

static int set_up(void **state)
{
	*state = kernel_flows_new(MOST);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	kernel_flows_free(*state);
	return 0;
}

static void test_a_flow_is_found_by_id_ends_and_session(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple four = tuple_of("192.0.2.7", 40000, "203.0.113.99");
	struct ipc_tuple six = tuple_of("2001:db8::7", 40000, "2001:db8:99::1");
	struct ipc_tuple other = tuple_of("192.0.2.7", 40001, "203.0.113.99");

	struct kernel_flow *a = kernel_flows_add(flows, 1, &four, 70);
	struct kernel_flow *b = kernel_flows_add(flows, 2, &six, 70);
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(kernel_flows_count(flows), 2);
	assert_ptr_equal(kernel_flows_find(flows, 2), b);
	assert_null(kernel_flows_find(flows, 3));
	assert_ptr_equal(kernel_flows_find_tuple(flows, &four), a);
	assert_ptr_equal(kernel_flows_find_tuple(flows, &six), b);
	assert_null(kernel_flows_find_tuple(flows, &other));
	struct kernel_flow *first = kernel_flows_of_session(flows, 70, NULL);
	struct kernel_flow *second = kernel_flows_of_session(flows, 70, first);
	assert_true((first == a && second == b) || (first == b && second == a));
	assert_null(kernel_flows_of_session(flows, 70, second));
	assert_null(kernel_flows_of_session(flows, 71, NULL));
	kernel_flows_del(flows, a);
	assert_null(kernel_flows_find_tuple(flows, &four));
	assert_ptr_equal(kernel_flows_of_session(flows, 70, NULL), b);
}

static void test_those_of_no_session_are_found_by_their_address(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple four = tuple_of("192.0.2.7", 40000, "203.0.113.99");
	struct ipc_tuple six = tuple_of("2001:db8::7", 40000, "2001:db8:99::1");
	struct ipc_tuple owned = tuple_of("192.0.2.7", 40001, "203.0.113.99");
	struct ipc_tuple other = tuple_of("192.0.2.7", 40002, "203.0.113.99");

	struct kernel_flow *a = kernel_flows_add(flows, 1, &four, 0);
	struct kernel_flow *b = kernel_flows_add(flows, 2, &six, 0);
	assert_non_null(kernel_flows_add(flows, 3, &owned, 70));
	struct kernel_flow *c = kernel_flows_add(flows, 4, &other, 0);
	struct kernel_flow *first = kernel_flows_of_address(flows, &four.client.addr, NULL);
	struct kernel_flow *second = kernel_flows_of_address(flows, &four.client.addr, first);
	assert_true((first == a && second == c) || (first == c && second == a));
	assert_null(kernel_flows_of_address(flows, &four.client.addr, second));
	assert_ptr_equal(kernel_flows_of_address(flows, &six.client.addr, NULL), b);
	assert_null(kernel_flows_of_address(flows, &six.original.addr, NULL));
}

/* One end of a client may be that of several flows, to several destinations. */
static void test_all_flows_of_a_clients_end(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple one = tuple_of("192.0.2.7", 40000, "203.0.113.1");
	struct ipc_tuple two = tuple_of("192.0.2.7", 40000, "203.0.113.2");
	struct kernel_flow *flow = NULL;
	unsigned n = 0;

	kernel_flows_add(flows, 1, &one, 1);
	kernel_flows_add(flows, 2, &two, 1);
	while ((flow = kernel_flows_of_client(flows, &one.client, flow)))
		n++;
	assert_int_equal(n, 2);
}

/* From one port to ever other addresses: each is found and taken out without walking the others. */
static void test_one_end_of_a_client_may_have_all_flows(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple tuple = tuple_of("192.0.2.7", 40000, "198.18.0.0");
	struct kernel_flow *flow = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < MOST; i++) {
		tuple.original.addr.bytes[2] = (uint8_t)(i >> 8);
		tuple.original.addr.bytes[3] = (uint8_t)i;
		assert_non_null(kernel_flows_add(flows, i + 1, &tuple, 1));
	}
	tuple.original.addr.bytes[2] = tuple.original.addr.bytes[3] = 0;
	assert_ptr_equal(kernel_flows_find_tuple(flows, &tuple), kernel_flows_find(flows, 1));
	kernel_flows_del(flows, kernel_flows_find(flows, 500));
	kernel_flows_del(flows, kernel_flows_find(flows, 1));
	kernel_flows_del(flows, kernel_flows_find(flows, MOST));
	assert_null(kernel_flows_find_tuple(flows, &tuple));
	while ((flow = kernel_flows_of_client(flows, &tuple.client, flow)))
		n++;
	assert_int_equal(n, MOST - 3);
}

static void test_a_full_table_says_so(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple tuple = tuple_of("192.0.2.7", 1, "203.0.113.1");

	for (uint16_t i = 0; i < MOST; i++) {
		tuple.client.port = (uint16_t)(i + 1);
		assert_non_null(kernel_flows_add(flows, i + 1, &tuple, i % 7));
	}
	tuple.client.port = MOST + 1;
	assert_null(kernel_flows_add(flows, MOST + 1, &tuple, 1));
	kernel_flows_del(flows, kernel_flows_find(flows, 500));
	assert_non_null(kernel_flows_add(flows, MOST + 1, &tuple, 1));
}

static void test_who_ended_it_first_did(void **state)
{
	struct ipc_tuple tuple = tuple_of("192.0.2.7", 40000, "203.0.113.1");
	struct kernel_flow *flow = kernel_flows_add(*state, 1, &tuple, 1);

	kernel_flows_close(flow, ENDING_SERVER_CLOSED);
	kernel_flows_close(flow, ENDING_CLIENT_CLOSED);
	assert_int_equal(flow->state, KERNEL_FLOW_CLOSING);
	assert_int_equal(flow->ending, ENDING_SERVER_CLOSED);
}

static void test_an_order_ends_it_once_and_in_turn(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple tuple = tuple_of("192.0.2.7", 40000, "203.0.113.1");
	struct kernel_flow *v[3];

	for (unsigned i = 0; i < 3; i++) {
		tuple.client.port++;
		v[i] = kernel_flows_add(flows, i + 1, &tuple, 1);
		kernel_flows_look_at(flows, v[i], 100);
		assert_true(kernel_flows_cut(flows, v[i], ENDING_KILLED_LOGOUT));
	}
	assert_null(kernel_flows_next_look(flows));
	assert_false(kernel_flows_cut(flows, v[0], ENDING_KILLED_OPERATOR));
	kernel_flows_close(v[0], ENDING_CLIENT_CLOSED);
	assert_int_equal(v[0]->ending, ENDING_KILLED_LOGOUT);
	kernel_flows_del(flows, v[1]);
	assert_ptr_equal(kernel_flows_take_cut(flows), v[0]);
	assert_true(kernel_flows_any_cut(flows));
	assert_ptr_equal(kernel_flows_take_cut(flows), v[2]);
	assert_null(kernel_flows_take_cut(flows));
	assert_false(kernel_flows_any_cut(flows));
	/* the end of the line is where it was */
	tuple.client.port++;
	v[1] = kernel_flows_add(flows, 9, &tuple, 1);
	kernel_flows_cut(flows, v[1], ENDING_KILLED_LOGOUT);
	assert_ptr_equal(kernel_flows_take_cut(flows), v[1]);
}

static void test_the_next_to_be_asked_of(void **state)
{
	struct kernel_flows *flows = *state;
	struct ipc_tuple tuple = tuple_of("2001:db8::7", 40000, "2001:db8:99::1");
	struct kernel_flow *v[3];
	const uint64_t at[] = {300, 100, 200};

	for (unsigned i = 0; i < 3; i++) {
		tuple.client.port++;
		v[i] = kernel_flows_add(flows, i + 1, &tuple, 1);
	}
	for (unsigned i = 0; i < 3; i++)
		kernel_flows_look_at(flows, v[i], at[i]);
	assert_ptr_equal(kernel_flows_next_look(flows), v[1]);
	kernel_flows_look_at(flows, v[1], 0);
	assert_ptr_equal(kernel_flows_next_look(flows), v[2]);
	kernel_flows_del(flows, v[2]);
	assert_ptr_equal(kernel_flows_next_look(flows), v[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_flow_is_found_by_id_ends_and_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_flows_of_a_clients_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_those_of_no_session_are_found_by_their_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_one_end_of_a_client_may_have_all_flows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_full_table_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_ended_it_first_did, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_order_ends_it_once_and_in_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_next_to_be_asked_of, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
