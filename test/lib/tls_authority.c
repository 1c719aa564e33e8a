/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/tls_authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void write_text(struct tls_text *text, BIO *bio)
{
	int n = BIO_read(bio, text->bytes + text->len, (int)(sizeof(text->bytes) - text->len));

	if (n > 0)
		text->len += (size_t)n;
	assert_true(text->len < sizeof(text->bytes));
	BIO_free(bio);
}

static void extend(X509 *certificate, const struct tls_issued *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(
		&context, issuer ? issuer->certificate : certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_true(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* Each has a name of its own: who is called as its issuer would seem to have signed itself. */
static void name(X509_NAME *subject, long serial, const struct tls_wish *wish)
{
	char text[32];

	snprintf(text, sizeof(text), "test %ld", serial);
	if (!wish->plain)
		assert_true(X509_NAME_add_entry_by_txt(
			subject, "O", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0));
	if (wish->common)
		assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
			(const unsigned char *)wish->common, -1, -1, 0));
}

static EVP_PKEY *new_key(const struct tls_wish *wish)
{
	return wish->rsa ? EVP_RSA_gen(wish->bits ? wish->bits : 2048) : EVP_EC_gen("P-256");
}

void tls_issue(struct tls_issued *issued, const struct tls_wish *wish)
{
	static long serial = 0x1000;
	time_t from = wish->from_s ? (time_t)wish->from_s : time(NULL);
	bool given = wish->begins_s || wish->ends_s;
	X509 *certificate = X509_new();

	memset(issued, 0, sizeof(*issued));
	issued->certificate = certificate;
	issued->key = new_key(wish);
	assert_non_null(issued->key);
	assert_true(X509_set_version(certificate, 2));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial));
	X509_time_adj(X509_getm_notBefore(certificate), given ? wish->begins_s : -86400, &from);
	X509_time_adj(X509_getm_notAfter(certificate), given ? wish->ends_s : 30 * 86400, &from);
	name(X509_get_subject_name(certificate), serial, wish);
	X509_set_issuer_name(certificate,
		X509_get_subject_name(wish->issuer ? wish->issuer->certificate : certificate));
	X509_set_pubkey(certificate, issued->key);
	if (wish->authority)
		extend(certificate, wish->issuer, NID_basic_constraints, "critical,CA:TRUE");
	if (wish->usage)
		extend(certificate, wish->issuer, NID_ext_key_usage, wish->usage);
	if (wish->names)
		extend(certificate, wish->issuer, NID_subject_alt_name, wish->names);
	assert_true(X509_sign(certificate, wish->issuer ? wish->issuer->key : issued->key,
		wish->sha1 ? EVP_sha1() : EVP_sha256()));
	BIO *bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_X509(bio, certificate));
	write_text(&issued->chain, bio);
	bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_PKCS8PrivateKey(bio, issued->key, NULL, NULL, 0, NULL, NULL));
	write_text(&issued->key_text, bio);
}

void tls_issued_free(struct tls_issued *issued)
{
	X509_free(issued->certificate);
	EVP_PKEY_free(issued->key);
}

void tls_revoke(const struct tls_issued *authority, const struct tls_issued *revoked, long begins_s,
	long ends_s, struct tls_text *text)
{
	X509_CRL *list = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *begins = X509_gmtime_adj(NULL, begins_s), *ends = X509_gmtime_adj(NULL, ends_s);

	assert_true(X509_CRL_set_version(list, 1));
	assert_true(X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate)));
	assert_true(X509_CRL_set1_lastUpdate(list, begins) && X509_CRL_set1_nextUpdate(list, ends));
	assert_true(
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate)));
	assert_true(X509_REVOKED_set_revocationDate(entry, begins));
	assert_true(X509_CRL_add0_revoked(list, entry));
	assert_true(X509_CRL_sign(list, authority->key, EVP_sha256()));
	BIO *bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_X509_CRL(bio, list));
	text->len = 0;
	write_text(text, bio);
	ASN1_TIME_free(begins);
	ASN1_TIME_free(ends);
	X509_CRL_free(list);
}

void tls_text_add(struct tls_text *text, const struct tls_text *more)
{
	assert_true(text->len + more->len < sizeof(text->bytes));
	memcpy(text->bytes + text->len, more->bytes, more->len);
	text->len += more->len;
}

struct tls_pem tls_pem_of(const struct tls_text *text)
{
	return (struct tls_pem){text->bytes, text->len};
}

struct tls_certificate tls_certificate_of(const struct tls_issued *issued)
{
	return (struct tls_certificate){tls_pem_of(&issued->chain), tls_pem_of(&issued->key_text)};
}

struct tls_trust *tls_trust_of(const struct tls_text *text)
{
	const struct tls_pem pem = tls_pem_of(text);
	char why[TLS_WHY_SIZE];
	struct tls_trust *trust = tls_trust_new(&pem, why);

	assert_non_null(trust);
	return trust;
}

void tls_key_of(const struct tls_issued *issued, uint8_t key[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(issued->key, &der);

	assert_true(len > 0 && EVP_Digest(der, (size_t)len, key, NULL, EVP_sha256(), NULL));
	OPENSSL_free(der);
}
