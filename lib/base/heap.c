/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/heap.h"

#include "lib/base/vector.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void put(struct heap *heap, size_t i, struct heap_item *item)
{
	heap->v[i] = item;
	item->slot = i + 1;
}

static void sift_up(struct heap *heap, size_t i, struct heap_item *item)
{
	while (i > 0 && heap->v[(i - 1) / 2]->at > item->at) {
		put(heap, i, heap->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(heap, i, item);
}

static void sift_down(struct heap *heap, size_t i, struct heap_item *item)
{
	for (size_t child; (child = 2 * i + 1) < heap->n; i = child) {
		if (child + 1 < heap->n && heap->v[child + 1]->at < heap->v[child]->at)
			child++;
		if (heap->v[child]->at >= item->at)
			break;
		put(heap, i, heap->v[child]);
	}
	put(heap, i, item);
}

static void place(struct heap *heap, size_t i, struct heap_item *item)
{
	if (i > 0 && heap->v[(i - 1) / 2]->at > item->at)
		sift_up(heap, i, item);
	else
		sift_down(heap, i, item);
}

void heap_fini(struct heap *heap)
{
	free(heap->v);
	*heap = (struct heap){0};
}

int heap_reserve(struct heap *heap)
{
	struct heap_item **v = vector_grow(heap->v, heap->n, &heap->room, sizeof(*v));

	if (!v)
		return -ENOMEM;
	heap->v = v;
	return 0;
}

void heap_set(struct heap *heap, struct heap_item *item, uint64_t at)
{
	item->at = at;
	if (item->slot == 0) {
		assert(heap->n < heap->room);
		sift_up(heap, heap->n++, item);
	} else {
		place(heap, item->slot - 1, item);
	}
}

void heap_clear(struct heap *heap, struct heap_item *item)
{
	if (item->slot == 0)
		return;
	size_t i = item->slot - 1;
	struct heap_item *last = heap->v[--heap->n];
	item->slot = 0;
	if (last != item)
		place(heap, i, last);
}

struct heap_item *heap_first(const struct heap *heap)
{
	return heap->n ? heap->v[0] : NULL;
}
