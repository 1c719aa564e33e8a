/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096

static void *reserve(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return map == MAP_FAILED ? NULL : map;
}

int pool_init(struct pool *pool, size_t piece_bytes, uint32_t count)
{
	memset(pool, 0, sizeof(*pool));
	pool->piece_bytes = (piece_bytes + 15) & ~(size_t)15;
	pool->count = count;
	pool->base = reserve(pool->piece_bytes * count);
	if (!pool->base)
		return -ENOMEM;
	pool->free = reserve(sizeof(*pool->free) * count);
	if (!pool->free) {
		munmap(pool->base, pool->piece_bytes * count);
		pool->base = NULL;
		return -ENOMEM;
	}
	return 0;
}

void pool_fini(struct pool *pool)
{
	if (!pool->base)
		return;
	munmap(pool->base, pool->piece_bytes * pool->count);
	munmap(pool->free, sizeof(*pool->free) * pool->count);
	memset(pool, 0, sizeof(*pool));
}

void *pool_take(struct pool *pool)
{
	if (pool->nfree == 0)
		return pool->fresh < pool->count ? pool_piece(pool, pool->fresh++) : NULL;
	uint32_t number = pool->free[--pool->nfree];
	if (pool->cold > pool->nfree)
		pool->cold = pool->nfree;
	return pool_piece(pool, number);
}

void pool_give(struct pool *pool, void *piece)
{
	assert(pool->nfree < pool->fresh);
	pool->free[pool->nfree++] = pool_number(pool, piece);
}

void pool_trim(struct pool *pool, uint32_t keep)
{
	if (pool->piece_bytes % PAGE_BYTES != 0)
		return;
	for (; pool->cold + keep < pool->nfree; pool->cold++)
		madvise(pool_piece(pool, pool->free[pool->cold]), pool->piece_bytes, MADV_DONTNEED);
}
