/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns finding things by what their key comes to as a number: each has its link in it, and stands
 * in one chain with those of a like number. What the key is, and when two are the same, is the
 * caller's. */
#ifndef POSTERN_LIB_BASE_HASH_H
#define POSTERN_LIB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Embedded by whoever stands in a table. */
struct hash_link {
	struct hash_link *next;
	uint32_t value;
};

/* Begins as {0}. */
struct hash {
	struct hash_link **chains;
	size_t room; /* how many: 0, or a power of two */
	size_t n;
};

/* What stood in it is its owner's. */
void hash_fini(struct hash *hash);

/* 0 or -ENOMEM. Once it was 0, hash_add() cannot fail. */
int hash_reserve(struct hash *hash);
/* In front of all of its chain. It grows for speed alone: without memory the chains become longer.
 */
void hash_add(struct hash *hash, struct hash_link *link, uint32_t value);
void hash_del(struct hash *hash, struct hash_link *link);

static inline struct hash_link *hash_first_of(struct hash_link *link, uint32_t value)
{
	while (link && link->value != value)
		link = link->next;
	return link;
}

/* The first of this value, and the one behind another of its value; NULL: none. */
static inline struct hash_link *hash_find(const struct hash *hash, uint32_t value)
{
	return hash->room ? hash_first_of(hash->chains[value & (hash->room - 1)], value) : NULL;
}

static inline struct hash_link *hash_next(const struct hash_link *link)
{
	return hash_first_of(link->next, link->value);
}

/* Where a walk over all is; begins as {0}. Between two steps the one at hand may be taken out, and
 * nothing else changes. */
struct hash_walk {
	size_t chain;
	struct hash_link *next;
};
struct hash_link *hash_step(const struct hash *hash, struct hash_walk *walk);

/* The number that tables of ours find bytes by: fast, and no secret. */
uint32_t hash_bytes(const void *bytes, size_t len);

#endif
