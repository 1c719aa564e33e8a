/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is left of that which may be had so often in a time: buckets, in memory that all
 * processes share that take out of them.
 *
 * A bucket holds `count` and is refilled evenly in `per_seconds`; all of it may be taken at once,
 * so that a window of that time sees at most twice the count. One that is full tells nothing: its
 * slot is anyone's. Nothing locks, a process may be killed at any instruction, and whatever it
 * did by then either counts or does not. */
#ifndef POSTERN_LIB_LIMIT_BUCKET_H
#define POSTERN_LIB_LIMIT_BUCKET_H

#include "lib/base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKET_PROBE 32 /* slots in which one key may stand */

enum bucket_verdict {
	BUCKET_OK,
	BUCKET_OVER,
	BUCKET_FULL, /* no place to count it; another key may have one */
};

/* One process's view of the memory. */
struct bucket_table {
	struct bucket_slot *slots;
	uint32_t nslots;
	uint8_t secret[SIPHASH_SECRET_SIZE];
};

/* Memory for so many slots. */
size_t bucket_bytes(uint32_t slots);
/* Makes a table of the memory (aligned to 8, all zero), as large as fits; once, before any attach.
 * 0 or -EINVAL. */
int bucket_init(void *memory, size_t bytes, const uint8_t secret[static SIPHASH_SECRET_SIZE]);
/* 0, or -EINVAL: no table of that size. */
int bucket_attach(struct bucket_table *table, void *memory, size_t bytes);

/* 128 bits of a keyed hash: nobody finds two that meet. */
struct bucket_key {
	uint64_t part[3]; /* of 48 bits each */
};
/* What is taken (a number of the caller's), in whose name, from whom (NULL: all as one), and the
 * bucket's measure: another measure is another bucket. */
struct bucket_key bucket_key(const struct bucket_table *table, uint32_t what, const char *scope,
	const void *subject, size_t len, uint32_t count, uint32_t per_seconds);

/* Takes one of count. now_us: monotonic, one clock for all processes, as fresh as can be. Of more
 * than a million a second a million are given. */
enum bucket_verdict bucket_take(const struct bucket_table *table, const struct bucket_key *key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us);
/* What bucket_take() would say now. Takes nothing. */
enum bucket_verdict bucket_foresee(const struct bucket_table *table, const struct bucket_key *key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us);
/* Has it a slot of its own? */
bool bucket_is_known(
	const struct bucket_table *table, const struct bucket_key *key, uint64_t now_us);
/* How many slots tell something now. Looks at each. */
uint32_t bucket_used(const struct bucket_table *table, uint64_t now_us);

#endif
