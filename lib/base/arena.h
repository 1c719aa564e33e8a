/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns memory that is freed all at once. */
#ifndef POSTERN_LIB_BASE_ARENA_H
#define POSTERN_LIB_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is allowed */
/* Zeroed, aligned for any type. NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_copy(struct arena *arena, const char *text, size_t len); /* adds a NUL */
size_t arena_bytes(const struct arena *arena);

#endif
