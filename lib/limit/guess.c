/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/guess.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS        65536
#define KNOWN_PROBE  16 /* places in which one pair may stand */
#define IP6_NET_BITS 64

enum what {
	WHAT_ADDRESS,
	WHAT_PAIR,
	WHAT_USER,
	WHAT_UNSEEN,
};

struct known {
	uint64_t key; /* 0: free */
	uint64_t at_us;
};

struct guess {
	void *memory;
	struct bucket_table table;
	uint8_t secret[SIPHASH_SECRET_SIZE];
	struct known known[GUESS_KNOWN_MAX];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void guess_name(const char *said, const char *domain, char name[static GUESS_NAME_SIZE])
{
	while (is_blank(*said))
		said++;
	size_t len = strnlen(said, GUESS_NAME_SIZE - 1);
	while (len > 0 && is_blank(said[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)(said[i] >= 'A' && said[i] <= 'Z' ? said[i] | 0x20 : said[i]);
	name[len] = '\0';
	char *at = domain ? strrchr(name, '@') : NULL;
	if (!at)
		return;
	size_t i = 0;
	for (; domain[i] && (domain[i] | 0x20) == (at[1 + i] | 0x20); i++)
		;
	if (!domain[i] && !at[1 + i])
		*at = '\0';
}

struct guess *guess_new(const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	size_t bytes = bucket_bytes(SLOTS);
	struct guess *guess = calloc(1, sizeof(*guess));

	if (!guess)
		return NULL;
	memcpy(guess->secret, secret, SIPHASH_SECRET_SIZE);
	guess->memory = calloc(1, bytes);
	if (guess->memory && bucket_init(guess->memory, bytes, secret) == 0 &&
		bucket_attach(&guess->table, guess->memory, bytes) == 0)
		return guess;
	guess_free(guess);
	return NULL;
}

void guess_free(struct guess *guess)
{
	if (!guess)
		return;
	free(guess->memory);
	explicit_bzero(guess, sizeof(*guess));
	free(guess);
}

/* Who has one address of a /64 has all of it. */
static struct addr place_of(const struct addr *client)
{
	struct addr place = *client;

	if (place.family == ADDR_IP6)
		memset(place.bytes + IP6_NET_BITS / 8, 0, sizeof(place.bytes) - IP6_NET_BITS / 8);
	return place;
}

bool guess_same_place(const struct addr *one, const struct addr *other)
{
	const struct addr place = place_of(one), another = place_of(other);

	return addr_equal(&place, &another);
}

static uint32_t limit_of(enum what what)
{
	return what == WHAT_ADDRESS  ? GUESS_PER_ADDRESS
	       : what == WHAT_PAIR   ? GUESS_PER_PAIR
	       : what == WHAT_UNSEEN ? GUESS_PER_UNSEEN
				     : GUESS_PER_USER;
}

static struct bucket_key key_of(
	const struct guess *guess, enum what what, const char *name, const struct addr *place)
{
	const struct addr *subject = what == WHAT_USER ? NULL : place;

	return bucket_key(&guess->table, what, what == WHAT_ADDRESS ? "" : name, subject,
		subject ? sizeof(*subject) : 0, limit_of(what), GUESS_WINDOW_S);
}

/* As the buckets have it: a window ago was always. */
static uint64_t time_of(uint64_t now_us)
{
	return now_us + GUESS_WINDOW_S * UINT64_C(1000000);
}

/* Would one more be within the limit, if so many were counted before it? Of a bucket that is
 * refilled evenly that is what it would have said that much earlier. */
static bool fits(const struct guess *guess, enum what what, const char *name,
	const struct addr *place, unsigned before, uint64_t now_us)
{
	const uint64_t each_us = GUESS_WINDOW_S * UINT64_C(1000000) / limit_of(what);
	struct bucket_key key = key_of(guess, what, name, place);

	return before < limit_of(what) &&
	       bucket_foresee(&guess->table, &key, limit_of(what), GUESS_WINDOW_S,
		       time_of(now_us) - before * each_us) == BUCKET_OK;
}

static enum bucket_verdict take(struct guess *guess, enum what what, const char *name,
	const struct addr *place, uint64_t now_us)
{
	struct bucket_key key = key_of(guess, what, name, place);
	return bucket_take(&guess->table, &key, limit_of(what), GUESS_WINDOW_S, time_of(now_us));
}

/* ---- who is known ---- */

uint64_t guess_proof(const struct guess *guess, const char *password)
{
	struct siphash hash;

	siphash_begin(&hash, guess->secret);
	siphash_bytes(&hash, "password", 8);
	siphash_bytes(&hash, password, strlen(password));
	uint64_t proof = siphash_end(&hash);
	explicit_bzero(&hash, sizeof(hash));
	return proof ? proof : 1;
}

static uint64_t key_of_known(
	const struct guess *guess, const char *name, const struct addr *client, uint64_t proof)
{
	const struct addr place = place_of(client);
	struct siphash hash;

	siphash_begin(&hash, guess->secret);
	siphash_bytes(&hash, &place, sizeof(place));
	siphash_bytes(&hash, &proof, sizeof(proof));
	siphash_bytes(&hash, name, strlen(name));
	uint64_t key = siphash_end(&hash);
	return key ? key : 1;
}

static bool is_over(const struct known *known, uint64_t now_us)
{
	return known->key == 0 || now_us - known->at_us > (uint64_t)GUESS_KNOWN_S * 1000000;
}

static struct known *place_at(struct guess *guess, uint64_t key, unsigned i)
{
	return &guess->known[(key + i) % GUESS_KNOWN_MAX];
}

bool guess_is_known(const struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, uint64_t now_us)
{
	const struct addr place = place_of(client);
	uint64_t key = key_of_known(guess, name, client, proof);

	for (unsigned i = 0; i < KNOWN_PROBE; i++) {
		const struct known *known = &guess->known[(key + i) % GUESS_KNOWN_MAX];
		if (known->key == key)
			return !is_over(known, now_us) &&
			       (proof || fits(guess, WHAT_UNSEEN, name, &place, 0, now_us));
	}
	return false;
}

static void forget(struct guess *guess, uint64_t key)
{
	for (unsigned i = 0; i < KNOWN_PROBE; i++)
		if (place_at(guess, key, i)->key == key)
			*place_at(guess, key, i) = (struct known){0};
}

void guess_passed(struct guess *guess, const char *name, const struct addr *client, uint64_t proof,
	uint64_t now_us)
{
	uint64_t key = key_of_known(guess, name, client, proof);
	struct known *best = place_at(guess, key, 0);

	for (unsigned i = 0; i < KNOWN_PROBE; i++) {
		struct known *known = place_at(guess, key, i);
		if (known->key == key) {
			best = known;
			break;
		}
		/* the one that was seen least lately makes room */
		if (is_over(known, now_us) ? !is_over(best, now_us)
					   : !is_over(best, now_us) && known->at_us < best->at_us)
			best = known;
	}
	*best = (struct known){key, now_us};
}

/* ---- verdicts ---- */

enum guess_verdict guess_may(struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, const struct guess_asked *asked, uint64_t now_us)
{
	const struct addr place = place_of(client);
	const unsigned shared = GUESS_AT_ONCE / GUESS_PER_ADDRESS;

	if (guess_is_known(guess, name, client, proof, now_us))
		return GUESS_ASK;
	return fits(guess, WHAT_PAIR, name, &place, asked->pair, now_us) &&
			       fits(guess, WHAT_ADDRESS, name, &place, asked->place / shared,
				       now_us)
		       ? GUESS_ASK
		       : GUESS_LATER;
}

uint32_t guess_refused(struct guess *guess, const char *name, const struct addr *client,
	uint64_t proof, uint64_t asked_ms, uint64_t now_us)
{
	const struct addr place = place_of(client);
	bool known = guess_is_known(guess, name, client, proof, now_us);
	uint64_t passed_ms = now_us / 1000 - asked_ms;

	take(guess, WHAT_ADDRESS, name, &place, now_us);
	take(guess, WHAT_PAIR, name, &place, now_us);
	if (known && !proof)
		take(guess, WHAT_UNSEEN, name, &place, now_us);
	else if (known) /* what passed once is his password no more */
		forget(guess, key_of_known(guess, name, client, proof));
	bool many = take(guess, WHAT_USER, name, &place, now_us) != BUCKET_OK;
	uint32_t step = many && !known ? GUESS_SLOW_DELAY_MS : GUESS_DELAY_MS;
	return (uint32_t)((passed_ms / step + 1) * step - passed_ms);
}
