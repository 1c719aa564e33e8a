/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put(struct link_table *table, uint32_t ifindex, const char *name)
{
	struct ipc_link ipc;
	memset(&ipc, 0, sizeof(ipc));
	ipc.ifindex = ifindex;
	ipc.has_mac = ifindex % 2;
	snprintf(ipc.name, sizeof(ipc.name), "%s", name);
	assert_int_equal(link_put(table, &ipc), 0);
}

static void links_are_found_in_any_order(void **state)
{
	(void)state;
	struct link_table table = {0};
	char name[16];
	for (uint32_t i = 1; i <= 1000; i++) {
		uint32_t ifindex = (i * 389) % 1009 + 1;
		snprintf(name, sizeof(name), "eth%u", ifindex);
		put(&table, ifindex, name);
	}
	for (uint32_t i = 1; i <= 1000; i++) {
		uint32_t ifindex = (i * 389) % 1009 + 1;
		const struct link *link = link_find(&table, ifindex);
		assert_non_null(link);
		snprintf(name, sizeof(name), "eth%u", ifindex);
		assert_string_equal(link->name, name);
		assert_int_equal(link->has_mac, ifindex % 2);
	}
	assert_null(link_find(&table, 0));
	assert_null(link_find(&table, 5000));
	link_table_fini(&table);
}

static void a_link_is_renamed_and_goes(void **state)
{
	(void)state;
	struct link_table table = {0};
	put(&table, 3, "eth0");
	put(&table, 7, "wlan0");
	put(&table, 3, "uplink");
	assert_int_equal(table.n, 2);
	assert_string_equal(link_find(&table, 3)->name, "uplink");
	link_del(&table, 3);
	link_del(&table, 4);
	assert_null(link_find(&table, 3));
	assert_string_equal(link_find(&table, 7)->name, "wlan0");
	link_table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_found_in_any_order),
		cmocka_unit_test(a_link_is_renamed_and_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
