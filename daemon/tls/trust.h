/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns whose signature under a certificate counts: certificates of authorities, and the lists of
 * what they revoked. */
#ifndef POSTERN_DAEMON_TLS_TRUST_H
#define POSTERN_DAEMON_TLS_TRUST_H

#include <stddef.h>

struct tls_trust;

/* A file of PEM, as bytes. Borrowed for the call. */
struct tls_pem {
	const void *bytes;
	size_t len;
};

#define TLS_WHY_SIZE 160

/* Certificates and revocation lists in any order; other text between them is skipped. NULL: why
 * says it; a file without a certificate is an error. Contexts hold what they use of it: it may be
 * freed as soon as they are made. */
struct tls_trust *tls_trust_new(const struct tls_pem *pem, char why[static TLS_WHY_SIZE]);
void tls_trust_free(struct tls_trust *trust);

#endif
