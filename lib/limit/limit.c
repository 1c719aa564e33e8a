/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/limit.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Theory of operation.
 *
 * A key may stand in any of LIMIT_PROBE slots from its home on. A slot has one count for each
 * relay, so a dead relay's holds are known, and the time at which a rate's bucket is full again. A
 * slot that nobody holds and whose bucket is full tells nothing, and any process may claim it for
 * another key. A slot's key is never 0 again once it was set, so a search may end at the first 0.
 *
 * Take: add to the own count, then look whether the key still stands, then add up every slot of the
 * window that has the key. Claim: write BUSY over the old key, then look whether the slot is still
 * idle, and only then write the new key (else the old one back). All of it is sequentially
 * consistent, so of a taker and a claimer of one slot at least one sees the other: the taker sees
 * its key gone and tries again, or the claimer sees the count and restores the key. Two processes
 * may claim two slots for one key at once; as the sum goes over the whole window, no more than max
 * pass all the same. Whoever meets BUSY waits, since it may hide counts; a claimer never waits.
 *
 * BUSY names the claimer's column, and the key it covers is in the journal of that column before it
 * is covered, so that a claimer's death is undone by limit_forget_column(). */

#define MAGIC      0x4c4d4954u
#define VERSION    2
#define KEYS_BELOW 256 /* no key: 0 never used, 1 + column BUSY */
#define TRIES      64
#define SPINS      20000

struct slot {
	_Atomic uint64_t key;
	_Atomic uint64_t rate_at; /* ns: when the bucket is full */
	_Atomic uint32_t count[]; /* by column */
};

struct journal {
	_Atomic uint64_t key;
	_Atomic uint32_t slot;
};

struct limit_header {
	uint32_t magic, version, columns, nslots;
	uint8_t secret[LIMIT_SECRET_SIZE];
	struct journal journal[LIMIT_COLUMNS_MAX];
};

static size_t stride_of(uint32_t columns)
{
	return (sizeof(struct slot) + columns * sizeof(uint32_t) + 7) & ~(size_t)7;
}

size_t limit_bytes(uint32_t columns, uint32_t slots)
{
	return sizeof(struct limit_header) + slots * stride_of(columns);
}

int limit_init(void *memory, size_t bytes, uint32_t columns,
	const uint8_t secret[static LIMIT_SECRET_SIZE])
{
	struct limit_header *header = memory;

	if (columns == 0 || columns > LIMIT_COLUMNS_MAX || bytes < limit_bytes(columns, 1))
		return -EINVAL;
	memset(memory, 0, bytes);
	size_t slots = (bytes - sizeof(*header)) / stride_of(columns);
	header->nslots = slots < LIMIT_NONE ? (uint32_t)slots : LIMIT_NONE - 1;
	header->columns = columns;
	memcpy(header->secret, secret, sizeof(header->secret));
	header->version = VERSION;
	header->magic = MAGIC;
	return 0;
}

int limit_attach(struct limit *limit, void *memory, size_t bytes)
{
	struct limit_header *header = memory;

	if (bytes < sizeof(*header) || header->magic != MAGIC || header->version != VERSION)
		return -EINVAL;
	/* copies: a process gone mad may write here, and must not lead others out of the table */
	limit->columns = header->columns;
	limit->nslots = header->nslots;
	memcpy(limit->secret, header->secret, sizeof(limit->secret));
	if (limit->columns == 0 || limit->columns > LIMIT_COLUMNS_MAX || limit->nslots == 0 ||
		bytes < limit_bytes(limit->columns, limit->nslots))
		return -EINVAL;
	limit->stride = (uint32_t)stride_of(limit->columns);
	limit->header = header;
	limit->slots = (unsigned char *)memory + sizeof(*header);
	return 0;
}

uint64_t limit_key(const struct limit *limit, enum limit_kind kind, const char *zone,
	const void *subject, size_t len, uint32_t count, uint32_t per_seconds)
{
	struct siphash hash;
	size_t zone_len = zone ? strlen(zone) : 0;

	siphash_begin(&hash, limit->secret);
	siphash_number(&hash, kind);
	siphash_number(&hash, count);
	siphash_number(&hash, per_seconds);
	siphash_number(&hash, (uint32_t)zone_len);
	siphash_bytes(&hash, zone, zone_len);
	siphash_bytes(&hash, subject, len);
	uint64_t key = siphash_end(&hash);
	return key < KEYS_BELOW ? key + KEYS_BELOW : key;
}

static struct slot *slot_at(const struct limit *limit, uint32_t i)
{
	return (struct slot *)(void *)(limit->slots + (size_t)i * limit->stride);
}

static uint32_t probes(const struct limit *limit)
{
	return limit->nslots < LIMIT_PROBE ? limit->nslots : LIMIT_PROBE;
}

static uint32_t slot_of(const struct limit *limit, uint64_t key, uint32_t probe)
{
	return (uint32_t)((key % limit->nslots + probe) % limit->nslots);
}

static bool is_busy(uint64_t key)
{
	return key > 0 && key < KEYS_BELOW;
}

/* The slot's key once no claimer covers it. Still busy in the end: the claimer was stopped, or is
 * dead and the keeper has not come round yet. */
static uint64_t settled_key(struct slot *slot)
{
	uint64_t key = atomic_load(&slot->key);

	for (unsigned spins = 0; is_busy(key) && spins < SPINS; spins++)
		key = atomic_load(&slot->key);
	return key;
}

static bool is_idle(const struct limit *limit, struct slot *slot, uint64_t now_ns)
{
	for (uint32_t i = 0; i < limit->columns; i++)
		if (atomic_load(&slot->count[i]) != 0)
			return false;
	return atomic_load(&slot->rate_at) <= now_ns;
}

/* Writes key over an idle slot's old key. False: somebody was there first. */
static bool claim(
	const struct limit *limit, uint32_t column, uint32_t i, uint64_t key, uint64_t now_ns)
{
	struct slot *slot = slot_at(limit, i);
	struct journal *journal = &limit->header->journal[column];
	uint64_t old = atomic_load(&slot->key);

	if (old == 0)
		return atomic_compare_exchange_strong(&slot->key, &old, key);
	if (is_busy(old))
		return false;
	atomic_store(&journal->key, old);
	atomic_store(&journal->slot, i);
	if (!atomic_compare_exchange_strong(&slot->key, &old, 1 + column))
		return false;
	if (!is_idle(limit, slot, now_ns)) {
		atomic_store(&slot->key, old);
		return false;
	}
	atomic_store(&slot->rate_at, 0);
	atomic_store(&slot->key, key);
	return true;
}

/* The slot of a key, claimed if it had none. LIMIT_NONE: every slot of the window is in use. */
static uint32_t find_or_claim(
	const struct limit *limit, uint32_t column, uint64_t key, uint64_t now_ns)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint32_t spare = LIMIT_NONE;
		for (uint32_t probe = 0; probe < probes(limit); probe++) {
			uint32_t i = slot_of(limit, key, probe);
			struct slot *slot = slot_at(limit, i);
			uint64_t found = settled_key(slot);
			if (found == key)
				return i;
			if (found == 0) {
				spare = spare == LIMIT_NONE ? i : spare;
				break;
			}
			if (spare == LIMIT_NONE && !is_busy(found) && is_idle(limit, slot, now_ns))
				spare = i;
		}
		if (spare == LIMIT_NONE)
			return LIMIT_NONE;
		if (claim(limit, column, spare, key, now_ns))
			return spare;
	}
	return LIMIT_NONE;
}

/* How many hold the key. UINT32_MAX when a slot stays busy, since it may hide some. */
static uint32_t sum_up(const struct limit *limit, uint64_t key)
{
	uint64_t sum = 0;

	for (uint32_t probe = 0; probe < probes(limit); probe++) {
		struct slot *slot = slot_at(limit, slot_of(limit, key, probe));
		uint64_t found = settled_key(slot);
		if (found == 0)
			break;
		if (is_busy(found))
			return UINT32_MAX;
		if (found != key)
			continue;
		for (uint32_t i = 0; i < limit->columns; i++)
			sum += atomic_load(&slot->count[i]);
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX - 1;
}

enum limit_verdict limit_take(const struct limit *limit, uint32_t column, uint64_t key,
	uint32_t max, uint64_t now_us, uint32_t *hold)
{
	enum limit_verdict verdict = LIMIT_FULL;

	*hold = LIMIT_NONE;
	if (column >= limit->columns)
		return LIMIT_FULL;
	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint32_t i = find_or_claim(limit, column, key, now_us * 1000);
		if (i == LIMIT_NONE)
			return LIMIT_FULL;
		struct slot *slot = slot_at(limit, i);
		atomic_fetch_add(&slot->count[column], 1);
		if (atomic_load(&slot->key) != key) {
			atomic_fetch_sub(&slot->count[column], 1);
			continue;
		}
		uint32_t sum = sum_up(limit, key);
		if (sum <= max) {
			*hold = i;
			return LIMIT_OK;
		}
		atomic_fetch_sub(&slot->count[column], 1);
		if (sum == UINT32_MAX)
			return LIMIT_FULL;
		/* two that add at once may both see themselves over: the last place is there yet */
		verdict = LIMIT_OVER;
		if (sum_up(limit, key) >= max)
			break;
	}
	return verdict;
}

void limit_drop(const struct limit *limit, uint32_t column, uint32_t hold)
{
	if (hold >= limit->nslots || column >= limit->columns)
		return;
	_Atomic uint32_t *count = &slot_at(limit, hold)->count[column];
	if (atomic_load(count) > 0)
		atomic_fetch_sub(count, 1);
}

static uint64_t period_of(uint32_t per_seconds)
{
	return per_seconds * UINT64_C(1000000000);
}

static uint64_t each_of(uint64_t period_ns, uint32_t count)
{
	return period_ns / count ? period_ns / count : 1;
}

enum limit_verdict limit_rate(const struct limit *limit, uint32_t column, uint64_t key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us)
{
	uint64_t now_ns = now_us * 1000, period_ns = period_of(per_seconds);

	if (count == 0)
		return LIMIT_OVER;
	if (column >= limit->columns)
		return LIMIT_FULL;
	uint64_t each_ns = each_of(period_ns, count);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint32_t i = find_or_claim(limit, column, key, now_ns);
		if (i == LIMIT_NONE)
			return LIMIT_FULL;
		struct slot *slot = slot_at(limit, i);
		uint64_t at = atomic_load(&slot->rate_at);
		uint64_t next = (at > now_ns ? at : now_ns) + each_ns;
		if (atomic_load(&slot->key) != key)
			continue;
		if (next - now_ns > period_ns)
			return LIMIT_OVER;
		if (atomic_compare_exchange_strong(&slot->rate_at, &at, next) &&
			atomic_load(&slot->key) == key)
			return LIMIT_OK;
	}
	return LIMIT_FULL;
}

bool limit_rate_is_over(const struct limit *limit, uint64_t key, uint32_t count,
	uint32_t per_seconds, uint64_t now_us)
{
	uint64_t now_ns = now_us * 1000, period_ns = period_of(per_seconds);

	for (uint32_t probe = 0; count && probe < probes(limit); probe++) {
		struct slot *slot = slot_at(limit, slot_of(limit, key, probe));
		uint64_t found = settled_key(slot);
		if (found == 0)
			break;
		if (found != key)
			continue;
		uint64_t at = atomic_load(&slot->rate_at);
		return (at > now_ns ? at : now_ns) + each_of(period_ns, count) - now_ns > period_ns;
	}
	return count == 0;
}

uint32_t limit_count(const struct limit *limit, uint64_t key)
{
	return sum_up(limit, key);
}

void limit_forget_column(const struct limit *limit, uint32_t column)
{
	if (column >= limit->columns)
		return;
	const struct journal *journal = &limit->header->journal[column];
	for (uint32_t i = 0; i < limit->nslots; i++) {
		struct slot *slot = slot_at(limit, i);
		atomic_store(&slot->count[column], 0);
		if (atomic_load(&slot->key) == 1 + column)
			atomic_store(&slot->key, atomic_load(&journal->key));
	}
}
