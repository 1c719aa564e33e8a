#include "test/lib/control_certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void take(BIO *bio, char *to, size_t size)
{
	int len = BIO_read(bio, to, (int)size - 1);

	assert_true(len > 0 && (size_t)len < size - 1);
	to[len] = '\0';
	BIO_free(bio);
}

void certificate_make(struct made *made, const struct wish *wish)
{
	static long serial = 0x1000;
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	made->key = wish->rsa_bits ? EVP_RSA_gen(wish->rsa_bits) : EVP_EC_gen("P-256");
	assert_non_null(made->key);
	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1, -1, 0);
	X509_set_issuer_name(x509, wish->signer ? X509_get_subject_name(wish->signer->x509) : name);
	ASN1_TIME_set(X509_getm_notBefore(x509), wish->begins);
	ASN1_TIME_set(X509_getm_notAfter(x509), wish->ends);
	X509_set_pubkey(x509, made->key);
	if (wish->authority)
		add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
	if (wish->alt)
		add_extension(x509, NID_subject_alt_name, wish->alt);
	assert_true(X509_sign(x509, wish->signer ? wish->signer->key : made->key,
			    wish->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	made->x509 = x509;
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	take(bio, made->pem, sizeof(made->pem));
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, made->key, NULL, NULL, 0, NULL, NULL), 1);
	take(bio, made->key_pem, sizeof(made->key_pem));
}

void certificate_free(struct made *made)
{
	X509_free(made->x509);
	EVP_PKEY_free(made->key);
}
