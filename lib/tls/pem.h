/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what kind of file a certificate, key or trust store was meant to be: what of PEM is in it,
 * or what else it looks like. */
#ifndef POSTERN_LIB_TLS_PEM_H
#define POSTERN_LIB_TLS_PEM_H

#include <stddef.h>
#include <stdint.h>

/* Blocks by their first line. */
struct pem_blocks {
	unsigned certificates, requests, keys, encrypted, public_keys, others;
};

void pem_count(const uint8_t *bytes, size_t len, struct pem_blocks *blocks);
/* Of a file without what was expected of it: what it is instead, and the line to type that makes of
 * it what was wanted, where there is one. `what`: "certificate" or "private key". Returns buf. */
#define PEM_TEXT_SIZE 256
const char *pem_instead(const uint8_t *bytes, size_t len, const struct pem_blocks *blocks,
	const char *what, char buf[static PEM_TEXT_SIZE]);

#endif
