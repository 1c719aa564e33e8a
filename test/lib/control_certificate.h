/* Owns certificates made for a test: each with a key of its own, signed by another or by itself. */
#ifndef POSTERN_TEST_CERTIFICATE_H
#define POSTERN_TEST_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stdint.h>

#define PEM_ROOM 32768

struct made {
	EVP_PKEY *key;
	X509 *x509;
	char pem[8192], key_pem[8192];
};

struct wish {
	const char *name;          /* CN */
	const char *alt;           /* "DNS:mail.example,DNS:*.example"; NULL: none */
	const struct made *signer; /* NULL: itself */
	int64_t begins, ends;      /* seconds */
	unsigned rsa_bits;         /* 0: EC P-256 */
	bool authority, sha1;
};

void certificate_make(struct made *made, const struct wish *wish);
void certificate_free(struct made *made);

#endif
