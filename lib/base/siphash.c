/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/siphash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void mix(uint64_t v[static 4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void add_word(struct siphash *hash)
{
	hash->v[3] ^= hash->word;
	mix(hash->v);
	mix(hash->v);
	hash->v[0] ^= hash->word;
	hash->word = 0;
}

void siphash_bytes(struct siphash *hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		hash->word |= (uint64_t)((const uint8_t *)bytes)[i] << hash->len % 8 * 8;
		if (++hash->len % 8 == 0)
			add_word(hash);
	}
}

void siphash_number(struct siphash *hash, uint32_t number)
{
	siphash_bytes(hash, &number, sizeof(number));
}

void siphash_begin(struct siphash *hash, const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	static const uint64_t start[4] = {UINT64_C(0x736f6d6570736575),
		UINT64_C(0x646f72616e646f6d), UINT64_C(0x6c7967656e657261),
		UINT64_C(0x7465646279746573)};
	uint64_t k[2];

	memcpy(k, secret, sizeof(k));
	for (unsigned i = 0; i < 4; i++)
		hash->v[i] = start[i] ^ k[i % 2];
	hash->word = 0;
	hash->len = 0;
}

uint64_t siphash_end(struct siphash *hash)
{
	hash->word |= (uint64_t)(hash->len & 0xff) << 56;
	add_word(hash);
	hash->v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		mix(hash->v);
	return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}
