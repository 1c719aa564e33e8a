/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/path/path_table.h"

#include "lib/base/container.h"
#include "lib/base/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void path_table_init(struct path_table *table, size_t most)
{
	*table = (struct path_table){.most = most};
}

void path_table_fini(struct path_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->v[i]);
	free(table->v);
	hash_fini(&table->by_key);
	*table = (struct path_table){0};
}

struct path_key path_key_of(const char *server, uint32_t flows, uint32_t place)
{
	struct path_key key = {.flows = flows, .place = place};

	snprintf(key.server, sizeof(key.server), "%s", server);
	return key;
}

uint16_t path_table_find(const struct path_table *table, const struct path_key *key)
{
	struct hash_link *link = hash_find(&table->by_key, hash_bytes(key, sizeof(*key)));

	for (; link; link = hash_next(link)) {
		struct path_slot *slot = container_of(link, struct path_slot, link);
		if (memcmp(&slot->key, key, sizeof(*key)) == 0)
			return slot->number;
	}
	return 0;
}

struct path_slot *path_table_slot(const struct path_table *table, uint16_t number)
{
	return number && number <= table->n ? table->v[number - 1] : NULL;
}

void path_table_begin(struct path_table *table, uint64_t now_ms)
{
	for (size_t i = 0; i < table->n; i++) {
		if (table->v[i]->wanted)
			table->v[i]->unwanted_ms = now_ms;
		table->v[i]->wanted = false;
	}
}

void path_table_keep(struct path_table *table, const struct path_key *key)
{
	struct path_slot *slot = path_table_slot(table, path_table_find(table, key));

	if (slot)
		slot->wanted = true;
}

/* The lowest number that nobody has had for a while: how many bits of it the kernel looks at is a
 * matter of the highest. NULL: none. */
static struct path_slot *find_rested(const struct path_table *table, uint64_t now_ms)
{
	for (size_t i = 0; i < table->n; i++)
		if (!table->v[i]->wanted && table->v[i]->unwanted_ms + PATH_TABLE_REST_MS <= now_ms)
			return table->v[i];
	return NULL;
}

static struct path_slot *find_longest_unwanted(const struct path_table *table)
{
	struct path_slot *found = NULL;

	for (size_t i = 0; i < table->n; i++)
		if (!table->v[i]->wanted &&
			(!found || table->v[i]->unwanted_ms < found->unwanted_ms))
			found = table->v[i];
	return found;
}

static struct path_slot *append(struct path_table *table)
{
	if (table->n == table->most)
		return NULL;
	struct path_slot **v =
		vector_grow(table->v, table->n, &table->room, sizeof(struct path_slot *));
	if (!v)
		return NULL;
	table->v = v;
	struct path_slot *slot = calloc(1, sizeof(*slot));
	if (!slot)
		return NULL;
	table->v[table->n++] = slot;
	slot->number = (uint16_t)table->n;
	return slot;
}

uint16_t path_table_add(struct path_table *table, const struct path_key *key, uint64_t now_ms)
{
	struct path_slot *slot = path_table_slot(table, path_table_find(table, key));

	if (slot) {
		slot->wanted = true;
		return slot->number;
	}
	if (hash_reserve(&table->by_key) < 0)
		return 0;
	slot = find_rested(table, now_ms);
	if (!slot && table->n == table->most)
		slot = find_longest_unwanted(table);
	if (slot)
		hash_del(&table->by_key, &slot->link);
	else if (!(slot = append(table)))
		return 0;
	slot->key = *key;
	slot->wanted = true;
	memset(slot->at, 0, sizeof(slot->at));
	hash_add(&table->by_key, &slot->link, hash_bytes(key, sizeof(*key)));
	return slot->number;
}
