/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns pieces of memory of one size: address space is taken once, memory only as pieces are used.
 *
 * A relay has one for its flows, one for bytes that are stuck and one for what few flows need, so
 * that nothing on the data path asks the heap. */
#ifndef POSTERN_DAEMON_BASE_POOL_H
#define POSTERN_DAEMON_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *base;
	uint32_t *free; /* numbers of the pieces given back; the last is taken first */
	uint32_t nfree;
	uint32_t fresh; /* pieces from here on were never taken */
	uint32_t count;
	uint32_t cold; /* so many at the bottom of free hold no memory */
	size_t piece_bytes;
};

/* 0 or -ENOMEM. piece_bytes is rounded up to 16. */
int pool_init(struct pool *pool, size_t piece_bytes, uint32_t count);
void pool_fini(struct pool *pool);
/* Holds whatever was in it before. NULL: all are taken. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *piece);
/* Gives the memory of free pieces back to the system, but for the last `keep` of them. Only pools
 * of whole pages shrink. Now and then, not on the data path. */
void pool_trim(struct pool *pool, uint32_t keep);

static inline uint32_t pool_number(const struct pool *pool, const void *piece)
{
	return (uint32_t)((size_t)((const uint8_t *)piece - pool->base) / pool->piece_bytes);
}

/* The piece of a number below `fresh`, taken or not. */
static inline void *pool_piece(const struct pool *pool, uint32_t number)
{
	return pool->base + (size_t)number * pool->piece_bytes;
}

static inline uint32_t pool_taken(const struct pool *pool)
{
	return pool->fresh - pool->nfree;
}

#endif
