/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/net/lpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(text, strlen(text), &out), 0);
	return out;
}

static void *find(const struct lpm *lpm, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return lpm_find(lpm, &addr, NULL);
}

static void test_the_longest_prefix_wins(void **state)
{
	static const char *const prefixes[] = {"192.0.2.0/24", "192.0.2.128/25", "192.0.2.130",
		"198.51.100.0/24", "2001:db8::/32", "2001:db8:20::/64", "::/0"};
	static const struct {
		const char *addr, *matched;
	} cases[] = {
		{"192.0.2.1", "192.0.2.0/24"},
		{"192.0.2.129", "192.0.2.128/25"},
		{"192.0.2.130", "192.0.2.130"},
		{"198.51.100.255", "198.51.100.0/24"},
		{"203.0.113.1", NULL},
		{"2001:db8:20::9", "2001:db8:20::/64"},
		{"2001:db8:21::9", "2001:db8::/32"},
		{"2001:db9::", "::/0"},
	};
	struct lpm *lpm = lpm_new();
	char buf[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct prefix p = prefix(prefixes[i]);
		assert_int_equal(lpm_add(lpm, &p, (void *)prefixes[i]), 0);
	}
	assert_int_equal(lpm_count(lpm), sizeof(prefixes) / sizeof(prefixes[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr;
		struct prefix matched;
		assert_int_equal(addr_parse(cases[i].addr, strlen(cases[i].addr), &addr), 0);
		const char *value = lpm_find(lpm, &addr, &matched);
		if (!cases[i].matched) {
			assert_null(value);
			continue;
		}
		assert_string_equal(value, cases[i].matched);
		assert_string_equal(prefix_format(&matched, buf), cases[i].matched);
	}
	lpm_free(lpm);
}

static void test_adding_again_replaces(void **state)
{
	struct lpm *lpm = lpm_new();
	struct prefix p = prefix("192.0.2.0/24");
	int one, two;

	(void)state;
	assert_int_equal(lpm_add(lpm, &p, &one), 0);
	assert_int_equal(lpm_add(lpm, &p, &two), 0);
	assert_int_equal(lpm_count(lpm), 1);
	assert_ptr_equal(find(lpm, "192.0.2.9"), &two);
	assert_ptr_equal(lpm_find_exact(lpm, &p), &two);
	assert_ptr_equal(lpm_del(lpm, &p), &two);
	assert_null(lpm_del(lpm, &p));
	assert_null(find(lpm, "192.0.2.9"));
	lpm_free(lpm);
}

static void test_deleting_uncovers_the_shorter_prefix(void **state)
{
	struct lpm *lpm = lpm_new();
	struct prefix wide = prefix("192.0.2.0/24"), narrow = prefix("192.0.2.64/26");
	int w, n;

	(void)state;
	assert_int_equal(lpm_add(lpm, &narrow, &n), 0);
	assert_int_equal(lpm_add(lpm, &wide, &w), 0);
	assert_ptr_equal(find(lpm, "192.0.2.65"), &n);
	assert_ptr_equal(lpm_del(lpm, &narrow), &n);
	assert_ptr_equal(find(lpm, "192.0.2.65"), &w);
	assert_null(lpm_find_exact(lpm, &narrow));
	lpm_free(lpm);
}

static void test_macs_are_kept_apart_from_addresses(void **state)
{
	struct lpm *lpm = lpm_new();
	struct mac a = {{2, 0, 0x5e, 0, 0x53, 1}}, b = {{2, 0, 0x5e, 0, 0x53, 2}};
	int x;

	(void)state;
	assert_int_equal(lpm_add_mac(lpm, &a, &x), 0);
	assert_ptr_equal(lpm_find_mac(lpm, &a), &x);
	assert_null(lpm_find_mac(lpm, &b));
	assert_null(find(lpm, "2.0.94.0"));
	assert_ptr_equal(lpm_del_mac(lpm, &a), &x);
	assert_int_equal(lpm_count(lpm), 0);
	lpm_free(lpm);
}

struct order {
	char seen[512];
	unsigned left;
};

static int note(void *context, const struct prefix *p, const struct mac *mac, void *value)
{
	struct order *order = context;
	char buf[PREFIX_TEXT_SIZE];

	(void)value;
	strcat(order->seen, p ? prefix_format(p, buf) : mac_format(mac, buf));
	strcat(order->seen, " ");
	return --order->left == 0 ? 7 : 0;
}

static void test_a_walk_is_in_order_and_stops_when_told(void **state)
{
	static const char *const prefixes[] = {"2001:db8::/32", "192.0.2.128/25", "192.0.2.0/24",
		"192.0.2.0/25", "0.0.0.0/0", "198.51.100.1"};
	struct lpm *lpm = lpm_new();
	struct mac mac = {{2, 0, 0x5e, 0, 0x53, 1}};
	struct order order = {.left = 100};

	(void)state;
	assert_int_equal(lpm_add_mac(lpm, &mac, lpm), 0);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct prefix p = prefix(prefixes[i]);
		assert_int_equal(lpm_add(lpm, &p, lpm), 0);
	}
	assert_int_equal(lpm_each(lpm, note, &order), 0);
	assert_string_equal(order.seen,
		"0.0.0.0/0 192.0.2.0/24 192.0.2.0/25 192.0.2.128/25 198.51.100.1 2001:db8::/32 "
		"02:00:5e:00:53:01 ");
	order = (struct order){.left = 2};
	assert_int_equal(lpm_each(lpm, note, &order), 7);
	assert_string_equal(order.seen, "0.0.0.0/0 192.0.2.0/24 ");
	lpm_free(lpm);
}

/* xorshift: the same sequence in every run */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

#define MODEL 400

static struct prefix random_prefix(uint32_t *seed)
{
	struct prefix p = {0};
	bool six = next_random(seed) & 1;
	unsigned bytes = six ? 16 : 4;
	char buf[PREFIX_TEXT_SIZE + 8];
	struct prefix out;

	p.addr.family = six ? ADDR_IP6 : ADDR_IP4;
	for (unsigned i = 0; i < bytes; i++)
		p.addr.bytes[i] = (uint8_t)(next_random(seed) & (i % 2 ? 0x81 : 1));
	p.len = (uint8_t)(next_random(seed) % (bytes * 8 + 1));
	char addr[ADDR_TEXT_SIZE];
	addr_format(&p.addr, addr);
	int n = snprintf(buf, sizeof(buf), "%s/%u", addr, p.len);
	prefix_parse(buf, (size_t)n, &out); /* clears the bits behind the length */
	return out;
}

static void test_agrees_with_a_scan_under_random_changes(void **state)
{
	static struct prefix model[MODEL];
	static bool present[MODEL];
	uint32_t seed = 20240229;
	struct lpm *lpm = lpm_new();
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < MODEL; i++)
		model[i] = random_prefix(&seed);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = next_random(&seed) % MODEL;
		for (unsigned j = 0; j < i; j++) /* the same prefix twice: use the first */
			if (memcmp(&model[j], &model[i], sizeof(model[i])) == 0)
				i = j;
		if (next_random(&seed) & 1) {
			assert_int_equal(lpm_add(lpm, &model[i], &model[i]), 0);
			count += !present[i];
			present[i] = true;
		} else {
			assert_ptr_equal(lpm_del(lpm, &model[i]), present[i] ? &model[i] : NULL);
			count -= present[i];
			present[i] = false;
		}
		assert_int_equal(lpm_count(lpm), count);
		struct addr addr = random_prefix(&seed).addr;
		struct prefix *best = NULL;
		for (unsigned j = 0; j < MODEL; j++)
			if (present[j] && prefix_contains(&model[j], &addr) &&
				(!best || model[j].len > best->len))
				best = &model[j];
		assert_ptr_equal(lpm_find(lpm, &addr, NULL), best);
	}
	lpm_free(lpm);
}

static int count_one(void *context, const struct prefix *p, const struct mac *mac, void *value)
{
	(void)p;
	(void)mac;
	(void)value;
	++*(size_t *)context;
	return 0;
}

static void test_holds_100000_entries(void **state)
{
	struct lpm *lpm = lpm_new();
	struct prefix p = {.addr = {.family = ADDR_IP6, .bytes = {0x20, 1, 0xd, 0xb8}}, .len = 128};
	size_t walked = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t spread = i * 2654435761u;
		memcpy(p.addr.bytes + 12, &spread, 4);
		assert_int_equal(lpm_add(lpm, &p, lpm), 0);
	}
	assert_int_equal(lpm_count(lpm), 100000);
	assert_int_equal(lpm_each(lpm, count_one, &walked), 0);
	assert_int_equal(walked, 100000);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t spread = i * 2654435761u;
		memcpy(p.addr.bytes + 12, &spread, 4);
		assert_ptr_equal(lpm_find(lpm, &p.addr, NULL), lpm);
		assert_ptr_equal(lpm_del(lpm, &p), lpm);
	}
	assert_int_equal(lpm_count(lpm), 0);
	lpm_free(lpm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_prefix_wins),
		cmocka_unit_test(test_adding_again_replaces),
		cmocka_unit_test(test_deleting_uncovers_the_shorter_prefix),
		cmocka_unit_test(test_macs_are_kept_apart_from_addresses),
		cmocka_unit_test(test_a_walk_is_in_order_and_stops_when_told),
		cmocka_unit_test(test_agrees_with_a_scan_under_random_changes),
		cmocka_unit_test(test_holds_100000_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
