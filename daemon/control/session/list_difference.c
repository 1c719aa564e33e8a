/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/list_difference.h"

#include "lib/policy/element.h"

#include <errno.h>
#include <stdlib.h>

static int compare_elems(const void *a, const void *b)
{
	return element_compare(a, b);
}

static int compare_entries(const void *a, const void *b)
{
	const struct session_store_entry *x = a, *y = b;
	return element_compare(&x->elem, &y->elem);
}

/* What is named twice is there once. Returns how many there are. */
static size_t sort_elems(struct policy_elem *elems, size_t n)
{
	size_t used = 0;
	if (n)
		qsort(elems, n, sizeof(*elems), compare_elems);
	for (size_t i = 0; i < n; i++)
		if (used == 0 || element_compare(&elems[used - 1], &elems[i]) != 0)
			elems[used++] = elems[i];
	return used;
}

struct held {
	struct session_store_entry *v;
	size_t n;
};

static int take_held(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct held *held = context;
	held->v[held->n++] = (struct session_store_entry){.elem = *elem, .end_ms = end_ms};
	return 0;
}

/* One of those that are held stays: without an end if it is named anew. */
static void stay(struct list_difference *d, const struct session_store_entry *entry, bool is_named)
{
	d->entries[d->n] = *entry;
	if (is_named)
		d->entries[d->n].end_ms = 0;
	d->n++;
	d->nstayed++;
	d->nretimed += is_named && entry->end_ms;
}

static void walk(struct list_difference *d, const struct held *held,
	const struct policy_elem *elems, size_t n, bool merge)
{
	for (size_t i = 0, j = 0; i < held->n || j < n;) {
		int order = i == held->n ? 1
			    : j == n     ? -1
					 : element_compare(&held->v[i].elem, &elems[j]);
		if (order > 0) {
			d->came[d->ncame++] = elems[j];
			d->entries[d->n++] = (struct session_store_entry){.elem = elems[j]};
		} else if (order == 0 || merge) {
			stay(d, &held->v[i], order == 0);
		} else {
			d->went[d->nwent++] = held->v[i].elem;
		}
		i += order <= 0;
		j += order >= 0;
	}
}

int list_difference_make(const struct lists *lists, const char *name, struct policy_elem *elems,
	size_t n, bool merge, struct list_difference *difference)
{
	size_t count = lists_count(lists, name);
	struct held held = {.v = calloc(count + 1, sizeof(*held.v))};
	*difference = (struct list_difference){
		.came = calloc(n + 1, sizeof(struct policy_elem)),
		.went = calloc(count + 1, sizeof(struct policy_elem)),
		.entries = calloc(n + count + 1, sizeof(struct session_store_entry)),
	};
	if (!held.v || !difference->came || !difference->went || !difference->entries) {
		free(held.v);
		list_difference_fini(difference);
		return -ENOMEM;
	}
	lists_each(lists, name, take_held, &held);
	if (held.n)
		qsort(held.v, held.n, sizeof(*held.v), compare_entries);
	walk(difference, &held, elems, sort_elems(elems, n), merge);
	free(held.v);
	return 0;
}

void list_difference_fini(struct list_difference *difference)
{
	free(difference->came);
	free(difference->went);
	free(difference->entries);
	*difference = (struct list_difference){0};
}

bool list_difference_is_none(const struct list_difference *difference)
{
	return !difference->ncame && !difference->nwent && !difference->nretimed;
}
