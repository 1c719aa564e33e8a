/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who computes an MD5 for the code of packets: who calls it has a library for that, and here
 * none is needed. A machine may refuse MD5 altogether. */
#ifndef POSTERN_LIB_RADIUS_DIGEST_H
#define POSTERN_LIB_RADIUS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIUS_MD5_SIZE 16

struct radius_octets {
	const uint8_t *bytes;
	size_t len;
};

struct radius_digest {
	/* Of all pieces, one behind the other. False: there is no MD5. */
	bool (*md5)(void *context, const struct radius_octets *pieces, size_t n,
		uint8_t sum[static RADIUS_MD5_SIZE]);
	void *context;
};

/* HMAC (RFC 2104) with it; of at most RADIUS_HMAC_PIECES. False: there is no MD5. */
#define RADIUS_HMAC_PIECES 6
bool radius_hmac(const struct radius_digest *digest, const struct radius_octets *key,
	const struct radius_octets *pieces, size_t n, uint8_t sum[static RADIUS_MD5_SIZE]);

/* In a time that does not tell where they differ. */
bool radius_same(const uint8_t *a, const uint8_t *b, size_t len);

#endif
