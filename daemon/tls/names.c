/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/parts.h"

#include "lib/base/text.h"

#include <openssl/x509v3.h>
#include <string.h>

/* What is in a certificate is foreign: a name with a NUL or a space in it is none. */
static bool visit_text(const unsigned char *bytes, int len, tls_name_visit *visit, void *argument)
{
	char name[TLS_NAME_SIZE];

	if (len <= 0 || len >= TLS_NAME_SIZE)
		return true;
	for (int i = 0; i < len; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return true;
	memcpy(name, bytes, (size_t)len);
	name[len] = '\0';
	return visit(name, argument);
}

static bool visit_string(const ASN1_STRING *string, tls_name_visit *visit, void *argument)
{
	return visit_text(
		ASN1_STRING_get0_data(string), ASN1_STRING_length(string), visit, argument);
}

/* True: there was one at least, also one that cannot be said: it is for that one, and not for
 * whatever the common name says (RFC 6125 6.4.4). */
static bool visit_alternative(const X509 *certificate, tls_name_visit *visit, void *argument)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false, on = true;

	for (int i = 0; on && i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
		if (one->type != GEN_DNS && one->type != GEN_EMAIL)
			continue;
		found = true;
		on = visit_string(one->d.ia5, visit, argument);
	}
	GENERAL_NAMES_free(all);
	return found;
}

void tls_certificate_names(const X509 *certificate, tls_name_visit *visit, void *argument)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	bool on = true, found = visit_alternative(certificate, visit, argument);

	for (int at = -1; !found && on;) {
		unsigned char *text = NULL;
		at = X509_NAME_get_index_by_NID(subject, NID_commonName, at);
		if (at < 0)
			return;
		int len = ASN1_STRING_to_UTF8(
			&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
		on = visit_text(text, len, visit, argument);
		OPENSSL_free(text);
	}
}

/* False: there is none of this kind, or none that can be said. */
static bool read_entry(const X509_NAME *name, int kind, char text[static TLS_NAME_SIZE])
{
	int at = X509_NAME_get_index_by_NID(name, kind, -1), len = -1;
	unsigned char *bytes = NULL;

	if (at >= 0)
		len = ASN1_STRING_to_UTF8(
			&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	bool good = len > 0 && len < TLS_NAME_SIZE && !memchr(bytes, '\0', (size_t)len);
	if (good) {
		memcpy(text, bytes, (size_t)len);
		text[len] = '\0';
		text_blank(text);
	}
	OPENSSL_free(bytes);
	return good;
}

void tls_certificate_issuer(const X509 *certificate, char text[static TLS_NAME_SIZE])
{
	const X509_NAME *issuer = X509_get_issuer_name(certificate);

	if (!read_entry(issuer, NID_commonName, text) &&
		!read_entry(issuer, NID_organizationName, text))
		text[0] = '\0';
}

const char *tls_name_of_host(const char *name, char buf[static TLS_NAME_SIZE])
{
	size_t len = strlen(name);

	if (len < 2 || len > TLS_NAME_SIZE || name[len - 1] != '.')
		return name;
	memcpy(buf, name, len - 1);
	buf[len - 1] = '\0';
	return buf;
}
