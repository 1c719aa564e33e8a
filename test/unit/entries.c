/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control's picture of the kernel's entries: what each change touches, and nothing else. */
#include "daemon/control/kernel/entries.h"

#include "daemon/control/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct control control;

static int set_up(void **state)
{
	(void)state;
	control = (struct control){.loop = loop_new()};
	control.entries = entries_new(&control);
	questions_init(&control.keeper_asks, control.loop, NULL);
	return control.loop && control.entries ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	entries_free(control.entries);
	loop_free(control.loop);
	return 0;
}

static struct ipc_entry key_of(const char *ifname, const char *mac, const char *addr)
{
	struct ipc_entry key = {.add = 1, .timeout_ms = 60000, .has_mac = mac != NULL};
	strcpy(key.ifname, ifname);
	assert_int_equal(addr_parse(addr, strlen(addr), &key.source), 0);
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &key.mac), 0);
	return key;
}

#define MAC1 "02:00:5e:00:53:01"
#define MAC2 "02:00:5e:00:53:02"

static void fill(void)
{
	static const struct {
		const char *ifname, *mac, *addr;
		uint64_t session;
	} rows[] = {
		{"br0", MAC1, "192.0.2.1", 1},
		{"br0", MAC1, "2001:db8::1", 1},
		{"br0", MAC2, "192.0.2.2", 0},
		{"core0", NULL, "198.51.100.1", 2},
		{"core0", NULL, "198.51.100.200", 2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipc_entry key = key_of(rows[i].ifname, rows[i].mac, rows[i].addr);
		assert_true(entries_add(control.entries, &key, rows[i].session, 0));
	}
	assert_int_equal(entries_count(control.entries), 5);
}

static bool is_there(const char *ifname, const char *mac, const char *addr)
{
	struct ipc_entry key = key_of(ifname, mac, addr);
	return entries_find(control.entries, &key) != NULL;
}

static void an_entry_is_known_by_interface_mac_and_address(void **state)
{
	(void)state;
	fill();
	assert_true(is_there("br0", MAC1, "192.0.2.1"));
	assert_false(is_there("br1", MAC1, "192.0.2.1"));
	assert_false(is_there("br0", MAC2, "192.0.2.1"));
	assert_false(is_there("br0", NULL, "192.0.2.1"));
	struct ipc_entry key = key_of("br0", MAC2, "192.0.2.1");
	const struct entry *other = entries_find_other(control.entries, &key);
	assert_non_null(other);
	assert_int_equal(other->session, 1);
	/* put in again it is the same entry */
	key = key_of("br0", MAC1, "192.0.2.1");
	assert_true(entries_add(control.entries, &key, 7, 0));
	assert_int_equal(entries_count(control.entries), 5);
	assert_int_equal(entries_find(control.entries, &key)->session, 7);
}

static void each_change_drops_what_it_touches(void **state)
{
	struct mac mac;
	struct prefix prefix;
	(void)state;
	fill();
	entries_drop_session(control.entries, 1);
	assert_int_equal(entries_count(control.entries), 3);
	assert_true(is_there("br0", MAC2, "192.0.2.2"));
	assert_int_equal(mac_parse(MAC2, strlen(MAC2), &mac), 0);
	entries_drop_mac(control.entries, &mac);
	assert_int_equal(entries_count(control.entries), 2);
	assert_int_equal(prefix_parse("198.51.100.0/25", 15, &prefix), 0);
	entries_drop_prefix(control.entries, &prefix);
	assert_int_equal(entries_count(control.entries), 1);
	assert_true(is_there("core0", NULL, "198.51.100.200"));
	assert_int_equal(prefix_parse("198.51.100.200", 14, &prefix), 0);
	entries_drop_prefix(control.entries, &prefix);
	assert_int_equal(entries_count(control.entries), 0);
	fill();
	entries_drop_interface(control.entries, "core0");
	assert_int_equal(entries_count(control.entries), 3);
	entries_drop_all(control.entries);
	assert_int_equal(entries_count(control.entries), 0);
}

static void a_way_has_the_clients_of_each_family_and_mark(void **state)
{
	static const struct {
		const char *addr;
		enum mark mark;
		uint16_t way;
	} rows[] = {
		{"192.0.2.1", MARK_KERNEL, 1},
		{"192.0.2.2", MARK_KERNEL, 1},
		{"2001:db8::1", MARK_KERNEL, 1},
		{"192.0.2.3", MARK_RELAY, 1},
		{"192.0.2.4", MARK_KERNEL, 2},
		{"192.0.2.5", MARK_RELAY, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipc_entry key = key_of("br0", MAC1, rows[i].addr);
		key.mark = (uint8_t)rows[i].mark;
		key.path = rows[i].mark == MARK_KERNEL ? 7 : 0;
		assert_true(entries_add(control.entries, &key, 1, rows[i].way));
	}
	entries_drop_way(control.entries, 1, ADDR_IP4, MARK_KERNEL);
	assert_int_equal(entries_count(control.entries), 4);
	assert_true(is_there("br0", MAC1, "2001:db8::1"));
	assert_true(is_there("br0", MAC1, "192.0.2.3"));
	assert_true(is_there("br0", MAC1, "192.0.2.4"));
	entries_drop_way(control.entries, 1, ADDR_IP4, MARK_RELAY);
	assert_int_equal(entries_count(control.entries), 3);
	assert_true(is_there("br0", MAC1, "192.0.2.5"));
	entries_drop_session(control.entries, 1);
	assert_int_equal(entries_count(control.entries), 0);
}

struct waited {
	struct gather gather;
	unsigned done;
};

static void on_done(struct gather *gather)
{
	((struct waited *)gather)->done++;
}

static void a_keeper_that_is_gone_is_neither_an_error_nor_a_wait(void **state)
{
	struct waited waited = {0};
	(void)state;
	fill();
	gather_init(&waited.gather, on_done);
	entries_drop_session(control.entries, 1);
	entries_send(control.entries, &waited.gather);
	assert_int_equal(waited.done, 0);
	gather_end(&waited.gather, 0, NULL);
	assert_int_equal(waited.done, 1);
	assert_int_equal(waited.gather.status, 0);
	/* nothing to say is no question */
	gather_init(&waited.gather, on_done);
	entries_send(control.entries, &waited.gather);
	gather_end(&waited.gather, 0, NULL);
	assert_int_equal(waited.gather.status, 0);
}

static void a_full_picture_takes_no_more_and_gives_back(void **state)
{
	struct ipc_entry key = key_of("br0", MAC1, "2001:db8::");
	struct prefix all = {.addr = key.source, .len = 32};
	(void)state;
	for (uint32_t i = 0; i < ENTRIES_MAX; i++) {
		memcpy(key.source.bytes + 12, &i, sizeof(i));
		assert_true(entries_add(control.entries, &key, i % 100 + 1, 0));
	}
	uint32_t more = ENTRIES_MAX;
	memcpy(key.source.bytes + 12, &more, sizeof(more));
	assert_false(entries_add(control.entries, &key, 1, 0));
	entries_drop_session(control.entries, 1);
	assert_int_equal(entries_count(control.entries), ENTRIES_MAX - ENTRIES_MAX / 100);
	assert_true(entries_add(control.entries, &key, 1, 0));
	entries_drop_prefix(control.entries, &all);
	assert_int_equal(entries_count(control.entries), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_entry_is_known_by_interface_mac_and_address),
		CASE(each_change_drops_what_it_touches),
		CASE(a_way_has_the_clients_of_each_family_and_mark),
		CASE(a_keeper_that_is_gone_is_neither_an_error_nor_a_wait),
		CASE(a_full_picture_takes_no_more_and_gives_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
