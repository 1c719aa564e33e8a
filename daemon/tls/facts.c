/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/parts.h"
#include "daemon/tls/session.h"
#include "lib/base/copy.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static enum tls_version version_of(const SSL *ssl)
{
	switch (SSL_version(ssl)) {
	case TLS1_VERSION:
		return TLS_VERSION_1_0;
	case TLS1_1_VERSION:
		return TLS_VERSION_1_1;
	case TLS1_2_VERSION:
		return TLS_VERSION_1_2;
	case TLS1_3_VERSION:
		return TLS_VERSION_1_3;
	default:
		return TLS_VERSION_NONE;
	}
}

static enum tls_reason reason_of(int error)
{
	switch (error) {
	case X509_V_OK:
		return TLS_REASON_NONE;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return TLS_REASON_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_REASON_NOT_YET_VALID;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return TLS_REASON_SELF_SIGNED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return TLS_REASON_UNKNOWN_ISSUER;
	case X509_V_ERR_INVALID_PURPOSE:
		return TLS_REASON_PURPOSE;
	case X509_V_ERR_CERT_REVOKED:
		return TLS_REASON_REVOKED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_REASON_NAME;
	default:
		return TLS_REASON_INVALID;
	}
}

static bool keep_first(const char *name, void *argument)
{
	memcpy(argument, name, strlen(name) + 1);
	return false;
}

static void read_key(const X509 *certificate, uint8_t key[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (len > 0)
		EVP_Digest(der, (size_t)len, key, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

static void read_certificate(const struct tls_session *session, struct tls_facts *facts)
{
	const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
	struct tm end;

	facts->asked = SSL_get_verify_mode(session->ssl) != SSL_VERIFY_NONE;
	if (!facts->asked)
		return;
	/* without a certificate there was nothing to find fault with */
	facts->reason = TLS_REASON_ABSENT;
	if (!certificate)
		return;
	facts->reason =
		session->reason ? session->reason : (uint8_t)reason_of(session->verify_error);
	read_key(certificate, facts->key);
	tls_certificate_names(certificate, keep_first, facts->name);
	tls_certificate_issuer(certificate, facts->issuer);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end))
		facts->ends = timegm(&end);
}

/* It comes from a client: what no host is called is not kept. */
static void read_sni(const SSL *ssl, char sni[static TLS_NAME_SIZE])
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	size_t len = name ? strlen(name) : 0;

	if (len >= TLS_NAME_SIZE)
		return;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return;
	if (len > 0)
		memcpy(sni, name, len);
}

void tls_facts(const struct tls_session *session, struct tls_facts *facts)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);
	const char *name = cipher ? SSL_CIPHER_get_name(cipher) : "";

	memset(facts, 0, sizeof(*facts));
	facts->version = (uint8_t)version_of(session->ssl);
	copy_text(facts->cipher, sizeof(facts->cipher), name);
	facts->bits = cipher ? (uint16_t)SSL_CIPHER_get_bits(cipher, NULL) : 0;
	read_sni(session->ssl, facts->sni);
	read_certificate(session, facts);
}

void tls_names(const struct tls_session *session, tls_visit *visit, void *argument)
{
	const X509 *certificate = SSL_get0_peer_certificate(session->ssl);

	if (certificate)
		tls_certificate_names(certificate, visit, argument);
}

static bool add_name(const char *name, void *argument)
{
	struct tls_seen *seen = argument;
	size_t used = strlen(seen->names);

	if (seen->more > 0 || used + 2 + strlen(name) >= TLS_NAMES_SIZE)
		seen->more++;
	else
		sprintf(seen->names + used, "%s%s", used ? ", " : "", name);
	return true;
}

void tls_see(const struct tls_session *session, struct tls_seen *seen)
{
	struct tls_facts facts;
	bool is_refused = tls_failure(session) == TLS_FAILURE_CERTIFICATE;

	memset(seen, 0, sizeof(*seen));
	if (!is_refused && tls_failure(session) != TLS_FAILURE_NONE)
		return;
	tls_facts(session, &facts);
	seen->version = facts.version;
	seen->reason = is_refused ? facts.reason : TLS_REASON_NONE;
	memcpy(seen->key, facts.key, sizeof(seen->key));
	seen->ends = facts.ends;
	memcpy(seen->cipher, facts.cipher, sizeof(seen->cipher));
	tls_names(session, add_name, seen);
}

void tls_forget_key(const struct tls_session *session)
{
	X509 *certificate = SSL_get0_peer_certificate(session->ssl);

	if (certificate)
		X509_set_pubkey(certificate, session->context->no_key);
}
