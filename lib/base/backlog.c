/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/backlog.h"

#include <string.h>

/* What stands before a record's bytes. */
struct front {
	uint32_t bytes;
	uint32_t kind;
};

void ipc_backlog_init(struct ipc_backlog *backlog, void *memory, uint32_t room)
{
	*backlog = (struct ipc_backlog){.bytes = memory, .room = room};
}

static void write_at(struct ipc_backlog *backlog, uint32_t at, const void *bytes, uint32_t len)
{
	uint32_t begin = (uint32_t)(((uint64_t)backlog->first + at) % backlog->room);
	uint32_t straight = backlog->room - begin < len ? backlog->room - begin : len;

	memcpy(backlog->bytes + begin, bytes, straight);
	memcpy(backlog->bytes, (const uint8_t *)bytes + straight, len - straight);
}

static void read_at(const struct ipc_backlog *backlog, uint32_t at, void *bytes, uint32_t len)
{
	uint32_t begin = (uint32_t)(((uint64_t)backlog->first + at) % backlog->room);
	uint32_t straight = backlog->room - begin < len ? backlog->room - begin : len;

	memcpy(bytes, backlog->bytes + begin, straight);
	memcpy((uint8_t *)bytes + straight, backlog->bytes, len - straight);
}

static struct front front_at(const struct ipc_backlog *backlog, uint32_t at)
{
	struct front front;

	read_at(backlog, at, &front, sizeof(front));
	return front;
}

static void drop_oldest(struct ipc_backlog *backlog)
{
	uint32_t bytes = (uint32_t)sizeof(struct front) + front_at(backlog, 0).bytes;

	backlog->first = (uint32_t)(((uint64_t)backlog->first + bytes) % backlog->room);
	backlog->used -= bytes;
	backlog->n--;
	backlog->serial++;
}

unsigned ipc_backlog_put(
	struct ipc_backlog *backlog, uint16_t kind, const uint8_t *bytes, uint32_t len)
{
	const struct front front = {.bytes = len, .kind = kind};
	unsigned lost = 0;

	if (backlog->room < sizeof(front) || len > backlog->room - sizeof(front))
		return 1;
	while (backlog->room - backlog->used < sizeof(front) + len) {
		drop_oldest(backlog);
		lost++;
	}
	write_at(backlog, backlog->used, &front, sizeof(front));
	write_at(backlog, backlog->used + (uint32_t)sizeof(front), bytes, len);
	backlog->used += (uint32_t)sizeof(front) + len;
	backlog->n++;
	return lost;
}

void ipc_backlog_drop(struct ipc_backlog *backlog, uint32_t n)
{
	while (n-- > 0 && backlog->n > 0)
		drop_oldest(backlog);
}

static bool look(const struct ipc_backlog *backlog, uint32_t at, struct ipc_waiting *waiting)
{
	if (at >= backlog->used)
		return false;
	struct front front = front_at(backlog, at);
	waiting->bytes = front.bytes;
	waiting->kind = (uint16_t)front.kind;
	waiting->at = at + (uint32_t)sizeof(front);
	return true;
}

bool ipc_backlog_first(const struct ipc_backlog *backlog, struct ipc_waiting *waiting)
{
	waiting->serial = backlog->serial;
	return look(backlog, 0, waiting);
}

bool ipc_backlog_next(const struct ipc_backlog *backlog, struct ipc_waiting *waiting)
{
	waiting->serial++;
	return look(backlog, waiting->at + waiting->bytes, waiting);
}

void ipc_backlog_read(const struct ipc_backlog *backlog, const struct ipc_waiting *waiting,
	uint32_t from, uint8_t *to, uint32_t len)
{
	read_at(backlog, waiting->at + from, to, len);
}
