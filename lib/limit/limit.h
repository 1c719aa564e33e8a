/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns counting flows and rates against limits, in memory that all processes with flows share.
 *
 * The keeper makes the memory and passes it to each of them; a process's number is its column.
 * Nothing locks, and a process may die at any instruction: the keeper then calls
 * limit_forget_column(), and what the dead one held is free again. */
#ifndef POSTERN_LIB_LIMIT_LIMIT_H
#define POSTERN_LIB_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_COLUMNS_MAX 128
#define LIMIT_PROBE       32 /* slots in which one key may stand */
#define LIMIT_SECRET_SIZE 16

enum limit_kind {
	LIMIT_FLOWS_TOTAL,
	LIMIT_FLOWS_ZONE,
	LIMIT_FLOWS_CLIENT,
	LIMIT_FLOWS_USER,
	LIMIT_FLOWS_SERVER,
	LIMIT_FLOWS_HOST,
	LIMIT_RATE_ZONE,
	LIMIT_RATE_CLIENT,
	LIMIT_RATE_USER,
};

enum limit_verdict {
	LIMIT_OK,
	LIMIT_OVER,
	LIMIT_FULL, /* no place to count it; the caller decides and counts that */
};

/* One process's view of the memory. */
struct limit {
	struct limit_header *header;
	unsigned char *slots;
	uint32_t nslots;
	uint32_t stride;
	uint32_t columns;
	uint8_t secret[LIMIT_SECRET_SIZE];
};

#define LIMIT_NONE UINT32_MAX /* no hold */

/* Memory for a table of so many slots. Take some four times the flows expected. */
size_t limit_bytes(uint32_t columns, uint32_t slots);
/* Makes an empty table of the memory (aligned to 8), as large as fits; once, before any attach.
 * The secret keeps clients from choosing whom they collide with. 0 or -EINVAL. */
int limit_init(void *memory, size_t bytes, uint32_t columns,
	const uint8_t secret[static LIMIT_SECRET_SIZE]);
/* 0, or -EINVAL: no table of that size. */
int limit_attach(struct limit *limit, void *memory, size_t bytes);

/* What is counted, as a number: kind, zone (NULL: none), the subject's bytes (an address, a MAC, a
 * name; NULL: none), and for a rate also which one, since a zone may have several. */
uint64_t limit_key(const struct limit *limit, enum limit_kind kind, const char *zone,
	const void *subject, size_t len, uint32_t count, uint32_t per_seconds);

/* Counts one more flow, unless that would be more than max. With LIMIT_OK *hold is to be given back
 * by limit_drop(), otherwise it is LIMIT_NONE. Never more than max hold a key at once, and refusing
 * while fewer do takes a race of many processes. now_us: monotonic, one clock for all processes. */
enum limit_verdict limit_take(const struct limit *limit, uint32_t column, uint64_t key,
	uint32_t max, uint64_t now_us, uint32_t *hold);
/* LIMIT_NONE is allowed. */
void limit_drop(const struct limit *limit, uint32_t column, uint32_t hold);
/* Takes one of count per per_seconds, evenly refilled; all of count may be taken at once. */
enum limit_verdict limit_rate(const struct limit *limit, uint32_t column, uint64_t key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us);
/* Would limit_rate() say LIMIT_OVER now? Takes nothing. */
bool limit_rate_is_over(const struct limit *limit, uint64_t key, uint32_t count,
	uint32_t per_seconds, uint64_t now_us);
/* How many hold the key now. UINT32_MAX: cannot be told, since a process died in the middle. */
uint32_t limit_count(const struct limit *limit, uint64_t key);

/* Gives back all that a relay holds. Only when that process is dead, before its successor runs. */
void limit_forget_column(const struct limit *limit, uint32_t column);

#endif
