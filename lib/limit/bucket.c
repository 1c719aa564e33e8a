/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/bucket.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Theory of operation.
 *
 * A key may stand in any of BUCKET_PROBE slots from its home on. All that changes of a slot is in
 * one word, `at`: which tenant this is (`turn`, one more for each), in what state, and the time at
 * which its bucket is full again. So one compare-and-swap takes out of the bucket of this tenant
 * or of none.
 *
 * state    holds                              moved on by
 * -----    -----                              -----------
 * FREE     nothing                            claim, with the next turn
 * CLAIMED  a key that is being written, and   enter, by the claimer; or a new claim, STALE_US later
 *          since when
 * ENTERED  a key that is written, and what    settle, by anyone who meets it: to MEMBER, or to FREE
 *          its first taker took               when the key stands elsewhere
 * MEMBER   a key's one bucket                 a claim, once it is full: it tells nothing then
 *
 * The words of the key carry the turn that wrote them. A reader who finds in all three the turn of
 * `at` has this tenant's key; a claimer who was asleep while its slot changed hands finds a later
 * turn and writes nothing.
 *
 * Of one key there is never more than one MEMBER. Who enters it looks at all its slots after that,
 * so of two that enter it at once at least one sees the other; and one becomes MEMBER only if its
 * settling saw no other (any slot's settling undoes the entered ones behind it, and settles those
 * before it first). Any process can settle for another, and nobody waits for one that is dead.
 *
 * All of it is sequentially consistent. */

#define MAGIC    0x424b5431u
#define TRIES    4096
#define STALE_US UINT64_C(10000000)

#define PART_BITS 48
#define PART_MASK ((UINT64_C(1) << PART_BITS) - 1)
#define TURN_MASK 0x3fffu

enum state {
	FREE,
	CLAIMED,
	ENTERED,
	MEMBER,
};

struct bucket_slot {
	_Atomic uint64_t at;      /* turn 14, state 2, time in us 48 */
	_Atomic uint64_t part[3]; /* turn 16, bytes of the key 48 */
};

struct header {
	uint32_t magic, nslots;
	uint8_t secret[SIPHASH_SECRET_SIZE];
	uint64_t reserved;
};
static_assert(sizeof(struct header) % sizeof(uint64_t) == 0, "slots stand behind it");

size_t bucket_bytes(uint32_t slots)
{
	return sizeof(struct header) + slots * sizeof(struct bucket_slot);
}

int bucket_init(void *memory, size_t bytes, const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	struct header *header = memory;

	if (bytes < bucket_bytes(1))
		return -EINVAL;
	size_t slots = (bytes - sizeof(*header)) / sizeof(struct bucket_slot);
	header->nslots = slots < UINT32_MAX ? (uint32_t)slots : UINT32_MAX - 1;
	memcpy(header->secret, secret, sizeof(header->secret));
	header->magic = MAGIC;
	return 0;
}

int bucket_attach(struct bucket_table *table, void *memory, size_t bytes)
{
	struct header *header = memory;

	if (bytes < sizeof(*header) || header->magic != MAGIC)
		return -EINVAL;
	/* copies: a process gone mad may write here, and must not lead others out of the table */
	table->nslots = header->nslots;
	memcpy(table->secret, header->secret, sizeof(table->secret));
	if (table->nslots == 0 || bytes < bucket_bytes(table->nslots))
		return -EINVAL;
	table->slots = (struct bucket_slot *)(void *)(header + 1);
	return 0;
}

struct bucket_key bucket_key(const struct bucket_table *table, uint32_t what, const char *scope,
	const void *subject, size_t len, uint32_t count, uint32_t per_seconds)
{
	size_t scope_len = scope ? strlen(scope) : 0;
	uint64_t half[2];

	for (uint32_t i = 0; i < 2; i++) {
		struct siphash hash;
		siphash_begin(&hash, table->secret);
		siphash_number(&hash, i);
		siphash_number(&hash, what);
		siphash_number(&hash, count);
		siphash_number(&hash, per_seconds);
		siphash_number(&hash, (uint32_t)scope_len);
		siphash_number(&hash, subject != NULL);
		siphash_bytes(&hash, scope, scope_len);
		siphash_bytes(&hash, subject, subject ? len : 0);
		half[i] = siphash_end(&hash);
	}
	return (struct bucket_key){{half[0] & PART_MASK, half[1] & PART_MASK,
		half[0] >> PART_BITS | half[1] >> PART_BITS << 16}};
}

/* ---- words ---- */

static uint64_t at_make(unsigned turn, enum state state, uint64_t time_us)
{
	return (uint64_t)(turn & TURN_MASK) << 50 | (uint64_t)state << 48 | (time_us & PART_MASK);
}

static unsigned turn_of(uint64_t at)
{
	return (unsigned)(at >> 50);
}

static enum state state_of(uint64_t at)
{
	return (enum state)(at >> 48 & 3);
}

static uint64_t time_of(uint64_t at)
{
	return at & PART_MASK;
}

static uint32_t probes(const struct bucket_table *table)
{
	return table->nslots < BUCKET_PROBE ? table->nslots : BUCKET_PROBE;
}

static struct bucket_slot *slot_of(
	const struct bucket_table *table, const struct bucket_key *key, uint32_t probe)
{
	return &table->slots[(key->part[0] + probe) % table->nslots];
}

static bool holds(const struct bucket_slot *slot, uint64_t at, const struct bucket_key *key)
{
	if (state_of(at) != ENTERED && state_of(at) != MEMBER)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (atomic_load(&slot->part[i]) !=
			((uint64_t)turn_of(at) << PART_BITS | key->part[i]))
			return false;
	return true;
}

/* Nothing is lost with what stands there. */
static bool is_spare(uint64_t at, uint64_t now_us)
{
	switch (state_of(at)) {
	case FREE:
		return true;
	case CLAIMED:
		return time_of(at) + STALE_US < now_us;
	case ENTERED:
	case MEMBER:
		return time_of(at) <= now_us;
	}
	return false;
}

static bool swap(struct bucket_slot *slot, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong(&slot->at, &from, to);
}

static uint64_t with_state(uint64_t at, enum state state)
{
	return at_make(turn_of(at), state, time_of(at));
}

/* ---- entering ---- */

/* This slot, which was claimed in this turn, gets the key. False: it is another's by now. */
static bool write_key(struct bucket_slot *slot, unsigned turn, const struct bucket_key *key)
{
	for (unsigned i = 0; i < 3; i++) {
		uint64_t old = atomic_load(&slot->part[i]);
		do {
			/* turns go round: a later one is less than half of them ahead */
			unsigned behind = (turn - (unsigned)(old >> PART_BITS)) & TURN_MASK;
			if (behind == 0 || behind > TURN_MASK / 2)
				return false;
		} while (!atomic_compare_exchange_weak(
			&slot->part[i], &old, (uint64_t)turn << PART_BITS | key->part[i]));
	}
	return true;
}

/* What stands in the way of an entered slot: another with its key, or NULL. */
static struct bucket_slot *find_other(const struct bucket_table *table,
	const struct bucket_key *key, const struct bucket_slot *slot, uint64_t *at)
{
	for (uint32_t probe = 0; probe < probes(table); probe++) {
		struct bucket_slot *other = slot_of(table, key, probe);
		*at = atomic_load(&other->at);
		if (other != slot && holds(other, *at, key))
			return other;
	}
	return NULL;
}

/* The entered slot is a member after this, or free, or was so meanwhile. The order of slots is by
 * their number, one for all. */
static void settle(const struct bucket_table *table, const struct bucket_key *key,
	struct bucket_slot *slot, uint64_t at)
{
	for (unsigned tries = 0; tries < TRIES && atomic_load(&slot->at) == at; tries++) {
		uint64_t others;
		struct bucket_slot *other = find_other(table, key, slot, &others);
		if (!other) {
			swap(slot, at, with_state(at, MEMBER));
		} else if (state_of(others) == MEMBER) {
			swap(slot, at, with_state(at, FREE));
		} else if (other > slot) {
			swap(other, others, with_state(others, FREE));
		} else {
			/* that one comes first, whoever entered it */
			slot = other;
			at = others;
		}
	}
}

/* Takes a spare slot for the key, with the first of the bucket taken out. True: it counts. */
static bool enter(const struct bucket_table *table, const struct bucket_key *key,
	struct bucket_slot *slot, uint64_t old, uint64_t now_us, uint64_t full_us)
{
	unsigned turn = (turn_of(old) + 1) & TURN_MASK;
	uint64_t claimed = at_make(turn, CLAIMED, now_us);
	uint64_t entered = at_make(turn, ENTERED, full_us);

	if (!swap(slot, old, claimed) || !write_key(slot, turn, key) ||
		!swap(slot, claimed, entered))
		return false;
	uint64_t now = entered;
	for (unsigned tries = 0; tries < TRIES && now == entered; tries++) {
		settle(table, key, slot, entered);
		now = atomic_load(&slot->at);
	}
	/* in a later turn it was a member maybe, but that is long over, and what was taken is
	 * refilled */
	return turn_of(now) == turn && state_of(now) == MEMBER;
}

/* ---- taking ---- */

struct measure {
	uint64_t each_us, whole_us;
};

/* Rounded up, so that no window gets one more. */
static struct measure measure_of(uint32_t count, uint32_t per_seconds)
{
	uint64_t each_us = (per_seconds * UINT64_C(1000000) + count - 1) / count;

	if (each_us == 0)
		each_us = 1;
	return (struct measure){each_us, each_us * count};
}

static uint64_t next_of(uint64_t at, const struct measure *measure, uint64_t now_us)
{
	return (time_of(at) > now_us ? time_of(at) : now_us) + measure->each_us;
}

/* The key's slot, or the first spare one, or NULL; what stands in its `at`. */
static struct bucket_slot *find(const struct bucket_table *table, const struct bucket_key *key,
	uint64_t now_us, uint64_t *at)
{
	struct bucket_slot *spare = NULL;
	uint64_t spare_at = 0;

	for (uint32_t probe = 0; probe < probes(table); probe++) {
		struct bucket_slot *slot = slot_of(table, key, probe);
		*at = atomic_load(&slot->at);
		if (holds(slot, *at, key))
			return slot;
		if (!spare && is_spare(*at, now_us)) {
			spare = slot;
			spare_at = *at;
		}
	}
	*at = spare_at;
	return spare;
}

enum bucket_verdict bucket_take(const struct bucket_table *table, const struct bucket_key *key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us)
{
	if (count == 0)
		return BUCKET_OVER;
	const struct measure measure = measure_of(count, per_seconds);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint64_t at;
		struct bucket_slot *slot = find(table, key, now_us, &at);
		if (!slot)
			return BUCKET_FULL;
		uint64_t next = next_of(at, &measure, now_us);
		if (!holds(slot, at, key)) {
			if (enter(table, key, slot, at, now_us, now_us + measure.each_us))
				return BUCKET_OK;
		} else if (state_of(at) == ENTERED) {
			settle(table, key, slot, at);
		} else if (next - now_us > measure.whole_us) {
			return BUCKET_OVER;
		} else if (swap(slot, at, at_make(turn_of(at), MEMBER, next))) {
			return BUCKET_OK;
		}
	}
	return BUCKET_FULL;
}

bool bucket_is_known(
	const struct bucket_table *table, const struct bucket_key *key, uint64_t now_us)
{
	uint64_t at;
	const struct bucket_slot *slot = find(table, key, now_us, &at);

	return slot && holds(slot, at, key);
}

enum bucket_verdict bucket_foresee(const struct bucket_table *table, const struct bucket_key *key,
	uint32_t count, uint32_t per_seconds, uint64_t now_us)
{
	uint64_t at;

	if (count == 0)
		return BUCKET_OVER;
	const struct measure measure = measure_of(count, per_seconds);
	struct bucket_slot *slot = find(table, key, now_us, &at);
	if (!slot)
		return BUCKET_FULL;
	return holds(slot, at, key) && next_of(at, &measure, now_us) - now_us > measure.whole_us
		       ? BUCKET_OVER
		       : BUCKET_OK;
}

uint32_t bucket_used(const struct bucket_table *table, uint64_t now_us)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table->nslots; i++)
		n += !is_spare(atomic_load(&table->slots[i].at), now_us);
	return n;
}
