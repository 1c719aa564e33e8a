/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/ledger.h"

/* Numbers little endian, in the order of the struct. */
struct cursor {
	uint8_t *out;
	const uint8_t *in;
};

static void number(struct cursor *cursor, uint64_t *value, unsigned bytes)
{
	if (cursor->in)
		*value = 0;
	for (unsigned i = 0; i < bytes; i++) {
		if (cursor->in)
			*value |= (uint64_t)*cursor->in++ << 8 * i;
		else
			*cursor->out++ = (uint8_t)(*value >> 8 * i);
	}
}

static void short_number(struct cursor *cursor, uint32_t *value)
{
	uint64_t wide = *value;

	number(cursor, &wide, 4);
	*value = (uint32_t)wide;
}

static void one_byte(struct cursor *cursor, uint8_t *value)
{
	uint64_t wide = *value;

	number(cursor, &wide, 1);
	*value = (uint8_t)wide;
}

static void all(struct cursor *cursor, struct radius_entry *entry)
{
	number(cursor, &entry->key.v[0], 8);
	number(cursor, &entry->key.v[1], 8);
	number(cursor, &entry->nas, 8);
	number(cursor, &entry->session, 8);
	number(cursor, &entry->begin_ms, 8);
	number(cursor, &entry->event_ms, 8);
	number(cursor, &entry->until_ms, 8);
	short_number(cursor, &entry->spacing_s);
	short_number(cursor, &entry->steady_s);
	one_byte(cursor, &entry->state);
	one_byte(cursor, &entry->rank);
	one_byte(cursor, &entry->started);
	one_byte(cursor, &entry->interim);
}

void radius_entry_encode(const struct radius_entry *entry, uint8_t bytes[static RADIUS_ENTRY_BYTES])
{
	struct radius_entry copy = *entry;
	struct cursor cursor = {.out = bytes};

	all(&cursor, &copy);
}

bool radius_entry_decode(const uint8_t *bytes, size_t len, struct radius_entry *entry)
{
	struct cursor cursor = {.in = bytes};

	if (len != RADIUS_ENTRY_BYTES)
		return false;
	all(&cursor, entry);
	return entry->state < RADIUS_STATES && entry->rank <= 2 && entry->started <= 1 &&
	       entry->interim <= 1 && (entry->session != 0) == (entry->state == RADIUS_LIVE) &&
	       (entry->until_ms == 0) == (entry->state == RADIUS_LIVE);
}
