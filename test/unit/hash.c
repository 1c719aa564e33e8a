/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Things found by a number of their key. */
#include "lib/base/hash.h"
#include "lib/base/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THINGS 5000

struct thing {
	struct hash_link hashed;
	unsigned key;
	bool there, seen;
};

static struct thing things[THINGS];

/* Some of one value in each chain, and some chains with several values. */
static uint32_t value_of(unsigned key)
{
	return key % 1000 * 7919;
}

static struct thing *find(const struct hash *hash, unsigned key)
{
	struct hash_link *link = hash_find(hash, value_of(key));

	while (link && container_of(link, struct thing, hashed)->key != key)
		link = hash_next(link);
	return link ? container_of(link, struct thing, hashed) : NULL;
}

static void check(const struct hash *hash)
{
	struct hash_walk walk = {0};
	size_t n = 0, met = 0;

	for (unsigned i = 0; i < THINGS; i++) {
		assert_ptr_equal(find(hash, i), things[i].there ? &things[i] : NULL);
		n += things[i].there;
		things[i].seen = false;
	}
	assert_int_equal(hash->n, n);
	for (struct hash_link *link; (link = hash_step(hash, &walk)); met++) {
		struct thing *thing = container_of(link, struct thing, hashed);
		assert_true(thing->there && !thing->seen);
		thing->seen = true;
	}
	assert_int_equal(met, n);
}

static void what_is_there_is_found_and_nothing_else(void **state)
{
	struct hash hash = {0};
	uint32_t chance = 1;

	(void)state;
	check(&hash); /* nothing, and no memory */
	assert_int_equal(hash_reserve(&hash), 0);
	for (unsigned i = 0; i < THINGS; i++)
		things[i] = (struct thing){.key = i};
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < THINGS; i++) {
			struct thing *thing =
				&things[(chance = chance * 1664525 + 1013904223) % THINGS];
			if (thing->there)
				hash_del(&hash, &thing->hashed);
			else
				hash_add(&hash, &thing->hashed, value_of(thing->key));
			thing->there = !thing->there;
		}
		check(&hash);
	}
	hash_fini(&hash);
	assert_int_equal(hash.room, 0);
}

static void a_walk_may_take_out_what_it_is_at(void **state)
{
	struct hash hash = {0};
	struct hash_walk walk = {0};
	size_t left = 0;

	(void)state;
	assert_int_equal(hash_reserve(&hash), 0);
	for (unsigned i = 0; i < THINGS; i++) {
		things[i] = (struct thing){.key = i, .there = true};
		hash_add(&hash, &things[i].hashed, value_of(i));
	}
	for (struct hash_link *link; (link = hash_step(&hash, &walk));) {
		struct thing *thing = container_of(link, struct thing, hashed);
		if (thing->key % 3 == 0)
			continue;
		hash_del(&hash, link);
		*thing = (struct thing){.key = thing->key}; /* as one that was freed */
	}
	for (unsigned i = 0; i < THINGS; i++)
		left += things[i].there;
	assert_int_equal(left, (THINGS + 2) / 3);
	check(&hash);
	hash_fini(&hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_found_and_nothing_else),
		cmocka_unit_test(a_walk_may_take_out_what_it_is_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
