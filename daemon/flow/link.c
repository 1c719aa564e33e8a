/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/link.h"

#include "lib/base/vector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first place that does not stand before ifindex. */
static size_t place(const struct link_table *table, uint32_t ifindex)
{
	size_t low = 0, high = table->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->v[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool stands_at(const struct link_table *table, size_t at, uint32_t ifindex)
{
	return at < table->n && table->v[at].ifindex == ifindex;
}

void link_table_fini(struct link_table *table)
{
	free(table->v);
	memset(table, 0, sizeof(*table));
}

int link_put(struct link_table *table, const struct ipc_link *ipc)
{
	size_t at = place(table, ipc->ifindex);
	if (!stands_at(table, at, ipc->ifindex)) {
		struct link *v = vector_grow(table->v, table->n, &table->room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		table->v = v;
		memmove(table->v + at + 1, table->v + at, (table->n - at) * sizeof(*table->v));
		table->n++;
	}
	struct link *link = &table->v[at];
	memset(link, 0, sizeof(*link));
	link->ifindex = ipc->ifindex;
	link->has_mac = ipc->has_mac;
	snprintf(link->name, sizeof(link->name), "%s", ipc->name);
	return 0;
}

void link_del(struct link_table *table, uint32_t ifindex)
{
	size_t at = place(table, ifindex);
	if (!stands_at(table, at, ifindex))
		return;
	table->n--;
	memmove(table->v + at, table->v + at + 1, (table->n - at) * sizeof(*table->v));
}

const struct link *link_find(const struct link_table *table, uint32_t ifindex)
{
	size_t at = place(table, ifindex);
	return stands_at(table, at, ifindex) ? &table->v[at] : NULL;
}

const struct link *link_find_name(const struct link_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->v[i].name, name) == 0)
			return &table->v[i];
	return NULL;
}
