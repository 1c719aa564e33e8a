/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/trust.h"

#include "daemon/tls/parts.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_trust {
	X509_STORE *store;
};

X509_STORE *tls_trust_store(const struct tls_trust *trust)
{
	return trust->store;
}

int tls_pem_no_password(char *buffer, int size, int writes, void *argument)
{
	(void)buffer, (void)size, (void)writes, (void)argument;
	return -1;
}

BIO *tls_pem_open(const struct tls_pem *pem)
{
	return pem->len <= INT_MAX ? BIO_new_mem_buf(pem->bytes, (int)pem->len) : NULL;
}

void tls_say_error(char why[static TLS_WHY_SIZE], const char *what)
{
	unsigned long error = ERR_peek_error();
	const char *words = error ? ERR_reason_error_string(error) : NULL;

	snprintf(why, TLS_WHY_SIZE, "%s: %s", what, words ? words : "not possible");
	ERR_clear_error();
}

/* How many certificates there are; -1: one cannot be used. A list of what is revoked is no
 * certificate. */
static int add_all(X509_STORE *store, const STACK_OF(X509_INFO) * infos)
{
	int n = 0;

	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);
		if (info->x509 && !X509_STORE_add_cert(store, info->x509))
			return -1;
		n += info->x509 != NULL;
		if (!info->crl)
			continue;
		if (!X509_STORE_add_crl(store, info->crl) ||
			!X509_STORE_set_flags(
				store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
			return -1;
	}
	return n;
}

/* Whose certificate stands in the file is believed, root or not. */
static int fill(X509_STORE *store, const struct tls_pem *pem, char why[static TLS_WHY_SIZE])
{
	BIO *bio = tls_pem_open(pem);
	STACK_OF(X509_INFO) *infos =
		bio ? PEM_X509_INFO_read_bio(bio, NULL, tls_pem_no_password, NULL) : NULL;
	int n = infos ? add_all(store, infos) : -1;

	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	if (n < 0 || !X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN)) {
		tls_say_error(why, "no certificates of authorities");
		return -1;
	}
	if (n == 0)
		snprintf(why, TLS_WHY_SIZE, "there is no certificate in it");
	return n == 0 ? -1 : 0;
}

struct tls_trust *tls_trust_new(const struct tls_pem *pem, char why[static TLS_WHY_SIZE])
{
	struct tls_trust *trust = malloc(sizeof(*trust));

	ERR_clear_error();
	if (!trust || !(trust->store = X509_STORE_new())) {
		free(trust);
		snprintf(why, TLS_WHY_SIZE, "no memory");
		return NULL;
	}
	if (fill(trust->store, pem, why) < 0) {
		tls_trust_free(trust);
		return NULL;
	}
	return trust;
}

void tls_trust_free(struct tls_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}
