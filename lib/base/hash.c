/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/hash.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST 16

static struct hash_link **chain_of(const struct hash *hash, uint32_t value)
{
	return &hash->chains[value & (hash->room - 1)];
}

int hash_reserve(struct hash *hash)
{
	if (hash->room)
		return 0;
	hash->chains = calloc(FIRST, sizeof(struct hash_link *));
	if (!hash->chains)
		return -ENOMEM;
	hash->room = FIRST;
	return 0;
}

void hash_fini(struct hash *hash)
{
	free(hash->chains);
	*hash = (struct hash){0};
}

static void put(struct hash *hash, struct hash_link *link)
{
	struct hash_link **chain = chain_of(hash, link->value);

	link->next = *chain;
	*chain = link;
}

static void grow(struct hash *hash)
{
	struct hash bigger = {.room = hash->room * 2, .n = hash->n};

	bigger.chains = calloc(bigger.room, sizeof(struct hash_link *));
	if (!bigger.chains)
		return;
	for (size_t i = 0; i < hash->room; i++)
		for (struct hash_link *link = hash->chains[i], *next; link; link = next) {
			next = link->next;
			put(&bigger, link);
		}
	free(hash->chains);
	*hash = bigger;
}

void hash_add(struct hash *hash, struct hash_link *link, uint32_t value)
{
	if (hash->n >= hash->room)
		grow(hash);
	link->value = value;
	put(hash, link);
	hash->n++;
}

void hash_del(struct hash *hash, struct hash_link *link)
{
	struct hash_link **at = chain_of(hash, link->value);

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	hash->n--;
}

struct hash_link *hash_step(const struct hash *hash, struct hash_walk *walk)
{
	while (!walk->next && walk->chain < hash->room)
		walk->next = hash->chains[walk->chain++];
	struct hash_link *link = walk->next;
	if (link)
		walk->next = link->next;
	return link;
}

uint32_t hash_bytes(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return (uint32_t)(hash ^ hash >> 32);
}
