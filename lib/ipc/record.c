/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/record.h"

#include "lib/ipc/flow.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (IPC_BYTES_MAX - sizeof(struct ipc_records))
/* What fits into this is never cut. */
#define UNCUT (ROOM - sizeof(struct ipc_part))

/* Parts lie as they come, aligned to nothing. False: there is no whole one. */
static bool part_at(const uint8_t *data, size_t len, struct ipc_part *part)
{
	if (len < sizeof(*part))
		return false;
	memcpy(part, data, sizeof(*part));
	return part->bytes <= len - sizeof(*part);
}

static bool part_ok(const struct ipc_part *part)
{
	return part->kind && part->kind < IPC_RECORD_KINDS && !part->reserved && part->bytes &&
	       part->whole <= IPC_RECORD_BYTES_MAX && part->at < part->whole &&
	       part->bytes <= part->whole - part->at;
}

bool ipc_records_ok(const void *ipc, size_t len)
{
	const struct ipc_records *records = ipc;
	const uint8_t *at = records->data, *end = at + (len - sizeof(*records));
	struct ipc_part part;

	do {
		if (!part_at(at, (size_t)(end - at), &part) || !part_ok(&part))
			return false;
		at += sizeof(part) + part.bytes;
	} while (at < end);
	return true;
}

struct ipc_told ipc_records_fill(
	struct ipc_records *records, const struct ipc_backlog *backlog, uint32_t at)
{
	struct ipc_told told = {.at = at};
	struct ipc_waiting waiting;
	size_t len = 0;

	for (bool more = ipc_backlog_first(backlog, &waiting); more;
		more = ipc_backlog_next(backlog, &waiting)) {
		uint32_t left = waiting.bytes - told.at;
		size_t room = ROOM - len;
		/* the rest of a long one is at the front of an ipc: it may be cut again */
		if (room < sizeof(struct ipc_part) + left && (len > 0 && waiting.bytes <= UNCUT))
			break;
		if (room <= sizeof(struct ipc_part))
			break;
		room -= sizeof(struct ipc_part);
		struct ipc_part part = {.serial = waiting.serial,
			.whole = waiting.bytes,
			.at = told.at,
			.bytes = left < room ? left : (uint32_t)room,
			.kind = waiting.kind};
		memcpy(records->data + len, &part, sizeof(part));
		ipc_backlog_read(
			backlog, &waiting, part.at, records->data + len + sizeof(part), part.bytes);
		len += sizeof(part) + part.bytes;
		told.at = part.at + part.bytes;
		if (told.at < waiting.bytes)
			break;
		told.n++;
		told.at = 0;
	}
	ipc_init(records, IPC_RECORDS, sizeof(*records));
	records->header.bytes += (uint32_t)len;
	return told;
}

/* What there is of the record is nothing any more. */
static unsigned drop(struct ipc_assembly *assembly)
{
	unsigned dropped = assembly->bytes != NULL;

	free(assembly->bytes);
	assembly->bytes = NULL;
	assembly->len = 0;
	return dropped;
}

static unsigned give_up(struct ipc_assembly *assembly, const struct ipc_part *part)
{
	if (assembly->given_up && assembly->serial == part->serial)
		return 0;
	unsigned dropped = drop(assembly);
	if (assembly->serial != part->serial || !dropped)
		dropped++;
	assembly->serial = part->serial;
	assembly->given_up = true;
	return dropped;
}

static bool continues(const struct ipc_assembly *assembly, const struct ipc_part *part)
{
	return assembly->bytes && assembly->serial == part->serial &&
	       assembly->kind == part->kind && assembly->whole == part->whole &&
	       assembly->len == part->at;
}

/* A part of a record that came in several: the memory grows by what came, not by what is said to
 * come. */
static bool append(struct ipc_assembly *assembly, const struct ipc_part *part, const uint8_t *bytes)
{
	uint8_t *grown = realloc(assembly->bytes, assembly->len + part->bytes);

	if (!grown)
		return false;
	assembly->bytes = grown;
	memcpy(grown + assembly->len, bytes, part->bytes);
	assembly->len += part->bytes;
	assembly->whole = part->whole;
	assembly->serial = part->serial;
	assembly->kind = part->kind;
	assembly->given_up = false;
	return true;
}

static unsigned read_part(struct ipc_assembly *assembly, const struct ipc_part *part,
	const uint8_t *bytes, ipc_record_take *take, void *context)
{
	unsigned dropped = 0;

	if (part->at == 0) {
		/* the same one again is told anew, and not lost */
		bool again = assembly->serial == part->serial;
		dropped = drop(assembly);
		if (again)
			dropped = 0;
	} else if (!continues(assembly, part)) {
		return give_up(assembly, part);
	}
	if (part->bytes == part->whole) {
		take(context, part->kind, bytes, part->whole);
		return dropped;
	}
	if (!append(assembly, part, bytes))
		return dropped + give_up(assembly, part);
	if (assembly->len < assembly->whole)
		return dropped;
	uint8_t *whole = assembly->bytes;
	assembly->bytes = NULL;
	take(context, part->kind, whole, assembly->len);
	free(whole);
	return dropped;
}

unsigned ipc_records_read(struct ipc_assembly *assembly, const struct ipc_records *records,
	ipc_record_take *take, void *context)
{
	const uint8_t *at = records->data;
	size_t left = records->header.bytes - sizeof(*records);
	struct ipc_part part;
	unsigned dropped = 0;

	while (part_at(at, left, &part)) {
		dropped += read_part(assembly, &part, at + sizeof(part), take, context);
		at += sizeof(part) + part.bytes;
		left -= sizeof(part) + part.bytes;
	}
	return dropped;
}

unsigned ipc_assembly_end(struct ipc_assembly *assembly)
{
	unsigned dropped = drop(assembly);

	memset(assembly, 0, sizeof(*assembly));
	return dropped;
}
