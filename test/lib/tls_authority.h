/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns certificates for tests: an authority of the test's own, and what it signs and revokes. */
#ifndef POSTERN_TEST_TLS_AUTHORITY_H
#define POSTERN_TEST_TLS_AUTHORITY_H

#include "daemon/tls/context.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#define TLS_AUTHORITY_PEM_MAX 16384

/* PEM, ended by a NUL, with room for what stands before it; freed by nobody. */
struct tls_text {
	char bytes[TLS_AUTHORITY_PEM_MAX];
	size_t len;
};

/* A certificate, and its key. */
struct tls_issued {
	X509 *certificate;
	EVP_PKEY *key;
	struct tls_text chain, key_text;
};

struct tls_wish {
	const struct tls_issued *issuer; /* NULL: it signs itself */
	const char *common;              /* NULL: none */
	const char *names;               /* "DNS:a.example,email:b@c.example"; NULL: none */
	const char *usage;               /* "clientAuth"; NULL: any */
	bool plain; /* its subject is the common name, without what makes it one of its own */
	bool authority;
	bool rsa;              /* else EC, P-256 */
	unsigned bits;         /* of rsa; 0: 2048 */
	bool sha1;             /* else SHA-256 */
	int64_t from_s;        /* seconds since 1970 that the next two count from; 0: now */
	long begins_s, ends_s; /* 0, 0: from a day before for a month */
};

/* Never fails but by the test. */
void tls_issue(struct tls_issued *issued, const struct tls_wish *wish);
void tls_issued_free(struct tls_issued *issued);
/* The authority's list of what it revoked: this one certificate. */
void tls_revoke(const struct tls_issued *authority, const struct tls_issued *revoked, long begins_s,
	long ends_s, struct tls_text *text);
/* Appends. */
void tls_text_add(struct tls_text *text, const struct tls_text *more);
struct tls_pem tls_pem_of(const struct tls_text *text);
struct tls_certificate tls_certificate_of(const struct tls_issued *issued);
struct tls_trust *tls_trust_of(const struct tls_text *text);
/* SHA-256 of its public key, as openssl(1) would say it. */
void tls_key_of(const struct tls_issued *issued, uint8_t key[static 32]);

#endif
