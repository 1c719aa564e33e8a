#include "lib/heap.h"
#include "lib/lists.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct policy_elem elem(const char *text)
{
	struct policy_elem out = {.kind = POLICY_ELEM_MAC};

	if (mac_parse(text, strlen(text), &out.mac) == 0)
		return out;
	out.kind = POLICY_ELEM_PREFIX;
	assert_int_equal(prefix_parse(text, strlen(text), &out.prefix), 0);
	return out;
}

static void add(struct lists *lists, const char *name, const char *text, uint64_t end_ms)
{
	struct policy_elem e = elem(text);

	assert_int_equal(lists_add(lists, name, &e, end_ms), 0);
}

/* "no", "for ever" or until when. */
static const char *match(const struct lists *lists, const char *name, const char *addr,
	const char *mac, uint64_t now)
{
	static char text[32];
	struct addr a;
	struct mac m;
	uint64_t until = 0;

	if (addr)
		assert_int_equal(addr_parse(addr, strlen(addr), &a), 0);
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &m), 0);
	if (!lists_match(lists, name, mac ? &m : NULL, addr ? &a : NULL, now, &until)) {
		assert_int_equal(until, 0);
		return "no";
	}
	if (until == 0)
		return "for ever";
	snprintf(text, sizeof(text), "%llu", (unsigned long long)until);
	return text;
}

static void test_an_address_is_in_its_networks_until_the_last_of_them_ends(void **state)
{
	struct lists *lists = lists_new();

	(void)state;
	add(lists, "a", "192.0.2.0/24", 5000);
	add(lists, "a", "192.0.2.7", 3000);
	add(lists, "a", "2001:db8::/32", 0);
	add(lists, "a", "2001:db8::7", 100);
	assert_string_equal(match(lists, "a", "192.0.2.7", NULL, 1000), "5000");
	assert_string_equal(match(lists, "a", "192.0.2.8", NULL, 1000), "5000");
	assert_string_equal(match(lists, "a", "192.0.2.7", NULL, 3000), "5000");
	assert_string_equal(match(lists, "a", "192.0.2.7", NULL, 4999), "5000");
	assert_string_equal(match(lists, "a", "192.0.2.7", NULL, 5000), "no");
	assert_string_equal(match(lists, "a", "2001:db8::7", NULL, 50), "for ever");
	assert_string_equal(match(lists, "a", "198.51.100.1", NULL, 50), "no");
	assert_string_equal(match(lists, "b", "192.0.2.7", NULL, 50), "no");
	lists_free(lists);
}

static void test_a_mac_counts_as_well_as_an_address(void **state)
{
	struct lists *lists = lists_new();

	(void)state;
	add(lists, "a", "02:00:5e:00:53:07", 4000);
	add(lists, "a", "192.0.2.0/24", 2000);
	assert_string_equal(match(lists, "a", "198.51.100.1", "02:00:5e:00:53:07", 1000), "4000");
	assert_string_equal(match(lists, "a", "192.0.2.1", "02:00:5e:00:53:07", 1000), "4000");
	assert_string_equal(match(lists, "a", "192.0.2.1", "02:00:5e:00:53:08", 1000), "2000");
	assert_string_equal(match(lists, "a", "192.0.2.1", NULL, 1000), "2000");
	assert_string_equal(match(lists, "a", NULL, "02:00:5e:00:53:07", 1000), "4000");
	assert_string_equal(match(lists, "a", "198.51.100.1", NULL, 1000), "no");
	lists_free(lists);
}

static void test_until_is_only_lowered(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem e = elem("192.0.2.7");
	uint64_t until = 500;

	(void)state;
	add(lists, "a", "192.0.2.7", 2000);
	assert_true(lists_match(lists, "a", NULL, &e.prefix.addr, 100, &until));
	assert_int_equal(until, 500);
	until = 9000;
	assert_true(lists_match(lists, "a", NULL, &e.prefix.addr, 100, &until));
	assert_int_equal(until, 2000);
	assert_true(lists_match(lists, "a", NULL, &e.prefix.addr, 100, NULL));
	lists_free(lists);
}

static void test_adding_again_sets_the_new_end(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem e;
	const char *name;
	uint64_t end;

	(void)state;
	add(lists, "a", "192.0.2.7", 2000);
	add(lists, "a", "192.0.2.8", 3000);
	add(lists, "a", "192.0.2.7", 4000);
	assert_int_equal(lists_count(lists, "a"), 2);
	assert_true(lists_next_end(lists, &name, &e, &end));
	assert_int_equal(end, 3000);
	add(lists, "a", "192.0.2.8", 0);
	assert_true(lists_next_end(lists, &name, &e, &end));
	assert_string_equal(name, "a");
	assert_int_equal(end, 4000);
	assert_int_equal(e.kind, POLICY_ELEM_PREFIX);
	assert_int_equal(lists_remove(lists, name, &e), 0);
	assert_int_equal(lists_remove(lists, "a", &e), -ENOENT);
	assert_int_equal(lists_remove(lists, "no such list", &e), -ENOENT);
	assert_false(lists_next_end(lists, &name, &e, &end));
	assert_int_equal(lists_count(lists, "a"), 1);
	lists_free(lists);
}

static int count_until(void *context, const struct policy_elem *e, uint64_t end_ms)
{
	(void)e;
	(void)end_ms;
	return --*(int *)context == 0 ? 9 : 0;
}

static void test_each_and_clear(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem e;
	const char *name;
	uint64_t end;
	int left = 2;

	(void)state;
	add(lists, "a", "192.0.2.1", 10);
	add(lists, "a", "2001:db8::1", 20);
	add(lists, "a", "02:00:5e:00:53:07", 0);
	add(lists, "b", "192.0.2.1", 30);
	assert_int_equal(lists_each(lists, "a", count_until, &left), 9);
	left = 100;
	assert_int_equal(lists_each(lists, "a", count_until, &left), 0);
	assert_int_equal(left, 97);
	assert_int_equal(lists_each(lists, "c", count_until, &left), 0);
	lists_clear(lists, "a");
	lists_clear(lists, "c");
	assert_int_equal(lists_count(lists, "a"), 0);
	assert_string_equal(match(lists, "a", "192.0.2.1", NULL, 1), "no");
	assert_true(lists_next_end(lists, &name, &e, &end));
	assert_string_equal(name, "b");
	lists_free(lists);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void test_100000_entries_end_in_order(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem e = elem("2001:db8::");
	uint32_t seed = 88172645;
	const char *name;
	uint64_t end, before = 0;
	size_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t spread = i * 2654435761u;
		memcpy(e.prefix.addr.bytes + 12, &spread, 4);
		e.prefix.len = 128;
		assert_int_equal(
			lists_add(lists, i % 3 ? "a" : "b", &e, next_random(&seed) % 100000 + 1),
			0);
	}
	while (lists_next_end(lists, &name, &e, &end)) {
		assert_true(end >= before);
		before = end;
		assert_int_equal(lists_remove(lists, name, &e), 0);
		n++;
	}
	assert_int_equal(n, 100000);
	lists_free(lists);
}

static void test_the_heap_keeps_order_under_random_changes(void **state)
{
	struct heap heap = {0};
	struct heap_item items[200] = {0};
	uint32_t seed = 521288629;

	(void)state;
	for (unsigned step = 0; step < 20000; step++) {
		struct heap_item *item = &items[next_random(&seed) % 200];
		assert_int_equal(heap_reserve(&heap), 0);
		if (next_random(&seed) % 3)
			heap_set(&heap, item, next_random(&seed) % 1000);
		else
			heap_clear(&heap, item);
		const struct heap_item *first = heap_first(&heap);
		size_t in = 0;
		for (unsigned i = 0; i < 200; i++) {
			in += items[i].slot != 0;
			if (items[i].slot)
				assert_true(first && first->at <= items[i].at);
		}
		assert_int_equal(in, heap.n);
		assert_true((in > 0) == (first != NULL));
	}
	heap_fini(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_in_its_networks_until_the_last_of_them_ends),
		cmocka_unit_test(test_a_mac_counts_as_well_as_an_address),
		cmocka_unit_test(test_until_is_only_lowered),
		cmocka_unit_test(test_adding_again_sets_the_new_end),
		cmocka_unit_test(test_each_and_clear),
		cmocka_unit_test(test_100000_entries_end_in_order),
		cmocka_unit_test(test_the_heap_keeps_order_under_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
