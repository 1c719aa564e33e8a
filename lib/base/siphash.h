/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns SipHash-2-4 (Aumasson, Bernstein), fed piece by piece: a number of some bytes that nobody
 * foretells who does not know the secret. */
#ifndef POSTERN_LIB_BASE_SIPHASH_H
#define POSTERN_LIB_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_SECRET_SIZE 16

struct siphash {
	uint64_t v[4];
	uint64_t word;
	unsigned len;
};

void siphash_begin(struct siphash *hash, const uint8_t secret[static SIPHASH_SECRET_SIZE]);
/* bytes may be NULL when len is 0. */
void siphash_bytes(struct siphash *hash, const void *bytes, size_t len);
/* Its four bytes as this machine has them. */
void siphash_number(struct siphash *hash, uint32_t number);
uint64_t siphash_end(struct siphash *hash);

#endif
