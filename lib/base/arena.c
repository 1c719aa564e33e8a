/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST   4096u
#define CHUNK_LARGEST (1u << 20)

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks; /* the first is the one being filled */
	size_t total;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

/* Each chunk is twice the one before, so that many small policies cost little and a large one few
 * calls. A request too large for that gets a chunk of its own behind the one being filled. */
static struct chunk *add_chunk(struct arena *arena, size_t bytes)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_FIRST - sizeof(struct chunk);
	if (size > CHUNK_LARGEST)
		size = CHUNK_LARGEST;
	int alone = bytes > size / 2;
	if (alone)
		size = bytes;
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	arena->total += sizeof(*chunk) + size;
	if (alone && arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	return chunk;
}

static void *take(struct arena *arena, size_t bytes, size_t align)
{
	struct chunk *chunk = arena->chunks;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	if (bytes == 0)
		bytes = 1;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;
	if (!chunk || at > chunk->size || bytes > chunk->size - at) {
		chunk = add_chunk(arena, bytes);
		if (!chunk)
			return NULL;
		at = 0;
	}
	chunk->used = at + bytes;
	return chunk->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	return take(arena, bytes, alignof(max_align_t));
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1, 1);
	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->total;
}
