/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/lists.h"
#include "lib/base/heap.h"
#include "lib/policy/element.h"
#include "lib/policy/mailset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of the kind that it can be. */
static struct policy_elem elem(const char *text)
{
	enum policy_list_holds holds = *text == '.'        ? POLICY_HOLDS_HOSTS
				       : strchr(text, '@') ? POLICY_HOLDS_MAIL
							   : POLICY_HOLDS_ADDRESSES;
	struct policy_elem out;

	assert_null(element_parse(holds, text, strlen(text), &out));
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

static const char *match_mail(const struct lists *lists, const char *path_text, uint64_t now)
{
	static char text[32];
	char key[MAILSET_KEY_SIZE];
	struct smtp_path path;
	uint64_t until = 0;
	size_t used;

	assert_int_equal(
		smtp_path_parse(&path, 0, path_text, strlen(path_text), &used), SMTP_PATH_GOOD);
	mailset_key_of(&path, key);
	if (!lists_match_mail(lists, "l", key, now, &until))
		return "no";
	snprintf(text, sizeof(text), "%llu", (unsigned long long)until);
	return until ? text : "for ever";
}

static void test_a_mail_address_is_in_its_domains_until_the_last_of_them_ends(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem tagged = elem("Anna+x@Hotel.example");

	(void)state;
	add(lists, "l", "anna@hotel.example", 50);
	add(lists, "l", "Anna+x@Hotel.example", 60); /* another element, the same key */
	add(lists, "l", "@.hotel.example", 70);
	add(lists, "l", "@a.hotel.example", 0);
	add(lists, "l", "x@m\xc3\xbcll.example", 0);
	assert_int_equal(lists_count(lists, "l"), 5);
	assert_string_equal(match_mail(lists, "<ANNA+y@hotel.EXAMPLE>", 1), "60");
	assert_string_equal(match_mail(lists, "<prvs=0123abcd=anna@hotel.example>", 1), "60");
	assert_string_equal(match_mail(lists, "<ann@hotel.example>", 1), "no");
	assert_string_equal(match_mail(lists, "<anna@b.hotel.example>", 1), "70");
	assert_string_equal(match_mail(lists, "<anna@x.b.hotel.example>", 69), "70");
	assert_string_equal(match_mail(lists, "<anna@x.b.hotel.example>", 70), "no");
	assert_string_equal(match_mail(lists, "<anna@a.hotel.example>", 1), "for ever");
	assert_string_equal(match_mail(lists, "<x@M\xc3\x9cll.example>", 1), "for ever");
	assert_string_equal(match_mail(lists, "<x@xn--mll-hoa.example>", 1), "for ever");
	assert_string_equal(match_mail(lists, "<>", 1), "no");
	/* a quoted local part brings no domain in */
	assert_string_equal(match_mail(lists, "<\"x@a.hotel.example\"@y.example>", 1), "no");
	assert_int_equal(lists_remove(lists, "l", &tagged), 0);
	assert_string_equal(match_mail(lists, "<anna@hotel.example>", 1), "50");
	lists_clear(lists, "l");
	assert_string_equal(match_mail(lists, "<anna@a.hotel.example>", 1), "no");
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

/* A range and the network that it falls into have a place in common, and an end each. */
static void test_ranges_stand_beside_their_networks(void **state)
{
	struct lists *lists = lists_new();
	struct policy_elem range = elem("192.0.2.0-192.0.2.15"), network = elem("192.0.2.0/28");
	struct policy_elem six = elem("2001:db8::5-2001:db8::14");
	uint64_t end_ms;

	(void)state;
	add(lists, "a", "192.0.2.0-192.0.2.15", 5000);
	add(lists, "a", "192.0.2.0/28", 3000);
	add(lists, "a", "192.0.2.4-192.0.2.40", 9000);
	add(lists, "a", "2001:db8::5-2001:db8::14", 0);
	assert_int_equal(lists_count(lists, "a"), 4);
	assert_string_equal(match(lists, "a", "192.0.2.3", NULL, 0), "5000");
	assert_string_equal(match(lists, "a", "192.0.2.4", NULL, 0), "9000");
	assert_string_equal(match(lists, "a", "192.0.2.40", NULL, 0), "9000");
	assert_string_equal(match(lists, "a", "192.0.2.41", NULL, 0), "no");
	assert_string_equal(match(lists, "a", "2001:db8::4", NULL, 0), "no");
	assert_string_equal(match(lists, "a", "2001:db8::5", NULL, 0), "for ever");
	assert_string_equal(match(lists, "a", "2001:db8::14", NULL, 0), "for ever");
	assert_string_equal(match(lists, "a", "2001:db8::15", NULL, 0), "no");
	assert_non_null(lists_find(lists, "a", &network, &end_ms));
	assert_int_equal(end_ms, 3000);
	assert_int_equal(lists_remove(lists, "a", &range), 0);
	assert_int_equal(lists_remove(lists, "a", &range), -ENOENT);
	assert_string_equal(match(lists, "a", "192.0.2.3", NULL, 0), "3000");
	assert_int_equal(lists_remove(lists, "a", &network), 0);
	assert_string_equal(match(lists, "a", "192.0.2.3", NULL, 0), "no");
	assert_string_equal(match(lists, "a", "192.0.2.4", NULL, 0), "9000");
	assert_int_equal(lists_remove(lists, "a", &six), 0);
	assert_int_equal(lists_count(lists, "a"), 1);
	lists_free(lists);
}

struct texts {
	char text[400];
};

static int put_text(void *context, const struct policy_elem *e, uint64_t end_ms)
{
	struct texts *texts = context;
	char buf[ELEMENT_TEXT_SIZE];
	size_t used = strlen(texts->text);

	(void)end_ms;
	snprintf(texts->text + used, sizeof(texts->text) - used, " %s", element_format(e, buf));
	return strcmp(buf, "@stop.example") == 0 ? 7 : 0;
}

static void test_each_element_once_and_as_it_was_written_first(void **state)
{
	static const char *const texts[] = {"zoe@hotel.example", "02-00-5E-00-53-01",
		"192.0.2.10-192.0.2.20", "192.0.2.10/31", "@.hotel.example", "ann@hotel.example",
		"0200.5e00.5301", "ANN@hotel.example", ".partner.example"};
	struct lists *lists = lists_new();
	struct texts all = {""};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		add(lists, "a", texts[i], i + 1);
	assert_int_equal(lists_count(lists, "a"), 7);
	assert_int_equal(lists_each(lists, "a", put_text, &all), 0);
	assert_string_equal(all.text, " 192.0.2.10/31 192.0.2.10-192.0.2.20 02-00-5E-00-53-01"
				      " @.hotel.example ann@hotel.example zoe@hotel.example"
				      " .partner.example");
	add(lists, "a", "@stop.example", 0);
	assert_int_equal(lists_each(lists, "a", put_text, &all), 7);
	lists_clear(lists, "a");
	assert_int_equal(lists_count(lists, "a"), 0);
	lists_free(lists);
}

/* Against a plain walk over all that was put in and not taken out again. */
static void test_many_of_all_kinds_come_and_go(void **state)
{
	enum { MANY = 400, TURNS = 6000 };
	struct lists *lists = lists_new();
	static struct policy_elem v[MANY];
	static char texts[MANY][80];
	static bool in[MANY];
	unsigned seed = 7, count = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned first = i * 7 % 240, last = first + i % 16;
		snprintf(texts[i], sizeof(texts[i]),
			i % 4 == 0   ? "192.0.2.%u-192.0.2.%u"
			: i % 4 == 1 ? "2001:db8::%x-2001:db8::%x"
			: i % 4 == 2 ? "u%u.%u@hotel.example"
				     : "198.51.%u.%u",
			i % 4 == 3 ? i % 200 : first, last);
		v[i] = elem(texts[i]);
	}
	for (unsigned turn = 0; turn < TURNS; turn++) {
		unsigned i = (seed = seed * 1103515245u + 12345u) >> 8, at;
		uint64_t end_ms;
		i %= MANY;
		for (at = 0; at < MANY && element_compare(&v[at], &v[i]); at++)
			; /* the same may have been made twice */
		if (in[at])
			assert_int_equal(lists_remove(lists, "a", &v[i]), 0);
		else
			assert_int_equal(lists_add(lists, "a", &v[i], 0), 0);
		count += in[at] ? -1u : 1u;
		in[at] = !in[at];
		assert_int_equal(lists_count(lists, "a"), count);
		assert_int_equal(lists_find(lists, "a", &v[i], &end_ms) != NULL, in[at]);
		struct addr probe = {
			.bytes = {192, 0, 2, (uint8_t)(seed >> 16)}, .family = ADDR_IP4};
		bool held = false;
		for (unsigned j = 0; j < MANY; j++)
			held |= in[j] && v[j].kind == POLICY_ELEM_RANGE &&
				range_contains(&v[j].range, &probe);
		assert_int_equal(lists_match(lists, "a", NULL, &probe, 0, NULL), held);
	}
	lists_free(lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_in_its_networks_until_the_last_of_them_ends),
		cmocka_unit_test(test_a_mac_counts_as_well_as_an_address),
		cmocka_unit_test(test_a_mail_address_is_in_its_domains_until_the_last_of_them_ends),
		cmocka_unit_test(test_until_is_only_lowered),
		cmocka_unit_test(test_adding_again_sets_the_new_end),
		cmocka_unit_test(test_each_and_clear),
		cmocka_unit_test(test_100000_entries_end_in_order),
		cmocka_unit_test(test_the_heap_keeps_order_under_random_changes),
		cmocka_unit_test(test_ranges_stand_beside_their_networks),
		cmocka_unit_test(test_each_element_once_and_as_it_was_written_first),
		cmocka_unit_test(test_many_of_all_kinds_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
