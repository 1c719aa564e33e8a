/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns records that wait to be told, the oldest first, in a ring of so many bytes: what has no room
 * pushes the oldest out. The memory is the caller's. */
#ifndef POSTERN_LIB_BASE_BACKLOG_H
#define POSTERN_LIB_BASE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipc_backlog {
	uint8_t *bytes;
	uint32_t room;
	uint32_t first; /* where the oldest begins */
	uint32_t used;
	uint32_t n;      /* of records */
	uint32_t serial; /* of the oldest; the others count on from there */
};

/* One of them; good until the backlog changes. */
struct ipc_waiting {
	uint32_t serial;
	uint32_t bytes;
	uint16_t kind;
	uint32_t at; /* its bytes, from the oldest record's beginning on */
};

void ipc_backlog_init(struct ipc_backlog *backlog, void *memory, uint32_t room);
/* How many were lost by that: older ones, or this one if it is longer than the whole ring. */
unsigned ipc_backlog_put(
	struct ipc_backlog *backlog, uint16_t kind, const uint8_t *bytes, uint32_t len);
/* The n oldest were told. */
void ipc_backlog_drop(struct ipc_backlog *backlog, uint32_t n);
/* False: there is none. */
bool ipc_backlog_first(const struct ipc_backlog *backlog, struct ipc_waiting *waiting);
bool ipc_backlog_next(const struct ipc_backlog *backlog, struct ipc_waiting *waiting);
/* len of its bytes, from `from` on. */
void ipc_backlog_read(const struct ipc_backlog *backlog, const struct ipc_waiting *waiting,
	uint32_t from, uint8_t *to, uint32_t len);

#endif
