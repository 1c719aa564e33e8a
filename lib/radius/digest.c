/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/digest.h"

#include <assert.h>
#include <string.h>

#define BLOCK_SIZE 64 /* of MD5 */

bool radius_hmac(const struct radius_digest *digest, const struct radius_octets *key,
	const struct radius_octets *pieces, size_t n, uint8_t sum[static RADIUS_MD5_SIZE])
{
	struct radius_octets all[RADIUS_HMAC_PIECES + 1];
	uint8_t pad[BLOCK_SIZE] = {0}, inner[RADIUS_MD5_SIZE];
	bool done = true;

	assert(n <= RADIUS_HMAC_PIECES);
	if (key->len > BLOCK_SIZE)
		done = digest->md5(digest->context, key, 1, pad);
	else if (key->len > 0)
		memcpy(pad, key->bytes, key->len);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		pad[i] ^= 0x36;
	all[0] = (struct radius_octets){pad, BLOCK_SIZE};
	memcpy(all + 1, pieces, n * sizeof(*pieces));
	done = done && digest->md5(digest->context, all, n + 1, inner);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	all[1] = (struct radius_octets){inner, sizeof(inner)};
	done = done && digest->md5(digest->context, all, 2, sum);
	explicit_bzero(pad, sizeof(pad));
	return done;
}

bool radius_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	volatile uint8_t differs = 0;

	for (size_t i = 0; i < len; i++)
		differs = differs | (uint8_t)(a[i] ^ b[i]);
	return differs == 0;
}
