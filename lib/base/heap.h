/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what comes first: items in the order of a number that may change, never a scan. */
#ifndef POSTERN_LIB_BASE_HEAP_H
#define POSTERN_LIB_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Embedded by what is ordered; all zero before it is first set. */
struct heap_item {
	uint64_t at;
	size_t slot; /* from 1; 0: not in the heap */
};

/* All zero is an empty one. */
struct heap {
	struct heap_item **v;
	size_t n, room;
};

void heap_fini(struct heap *heap);
/* Room for one more, so that the next heap_set() of an item not yet in cannot fail. 0 or -ENOMEM.
 */
int heap_reserve(struct heap *heap);
/* Puts the item in or moves it. */
void heap_set(struct heap *heap, struct heap_item *item, uint64_t at);
/* Takes the item out, if it is in. */
void heap_clear(struct heap *heap, struct heap_item *item);
/* The item with the lowest number; NULL: empty. */
struct heap_item *heap_first(const struct heap *heap);

#endif
