/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/keeper/held_packets.h"

static struct held_packet *place_of(struct held_packets *table, uint32_t id)
{
	return &table->v[id % HELD_PACKET_MAX];
}

struct held_packet *held_packet_add(struct held_packets *table, uint32_t id)
{
	struct held_packet *held_packet = place_of(table, id);

	if (held_packet->used)
		return NULL;
	if (!table->n)
		table->first = id;
	table->next = id + 1;
	table->n++;
	*held_packet = (struct held_packet){.id = id, .used = true};
	return held_packet;
}

struct held_packet *held_packet_find(struct held_packets *table, uint32_t id)
{
	struct held_packet *held_packet = place_of(table, id);

	return held_packet->used && held_packet->id == id ? held_packet : NULL;
}

void held_packet_del(struct held_packets *table, struct held_packet *held_packet)
{
	held_packet->used = false;
	table->n--;
}

/* From this number on. */
static struct held_packet *look(struct held_packets *table, uint32_t id)
{
	for (; id != table->next; id++) {
		struct held_packet *held_packet = held_packet_find(table, id);
		if (held_packet)
			return held_packet;
	}
	return NULL;
}

struct held_packet *held_packet_oldest(struct held_packets *table)
{
	struct held_packet *oldest = table->n ? look(table, table->first) : NULL;

	table->first = oldest ? oldest->id : table->next;
	return oldest;
}

struct held_packet *held_packet_after(struct held_packets *table, uint32_t id)
{
	return look(table, id + 1);
}
