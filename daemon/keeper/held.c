#include "daemon/keeper/held.h"

static struct held *place_of(struct held_table *table, uint32_t id)
{
	return &table->v[id % HELD_MAX];
}

struct held *held_add(struct held_table *table, uint32_t id)
{
	struct held *held = place_of(table, id);

	if (held->used)
		return NULL;
	if (!table->n)
		table->first = id;
	table->next = id + 1;
	table->n++;
	*held = (struct held){.id = id, .used = true};
	return held;
}

struct held *held_find(struct held_table *table, uint32_t id)
{
	struct held *held = place_of(table, id);

	return held->used && held->id == id ? held : NULL;
}

void held_del(struct held_table *table, struct held *held)
{
	held->used = false;
	table->n--;
}

/* From this number on. */
static struct held *look(struct held_table *table, uint32_t id)
{
	for (; id != table->next; id++) {
		struct held *held = held_find(table, id);
		if (held)
			return held;
	}
	return NULL;
}

struct held *held_oldest(struct held_table *table)
{
	struct held *oldest = table->n ? look(table, table->first) : NULL;

	table->first = oldest ? oldest->id : table->next;
	return oldest;
}

struct held *held_after(struct held_table *table, uint32_t id)
{
	return look(table, id + 1);
}
