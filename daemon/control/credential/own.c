/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/credential/own.h"

#include "daemon/control/store/disk.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_S         (2 * 365 * 86400L)
#define DAY_S          86400L
#define NAMES_SIZE     4096
#define PEM_BYTES_MAX  16384
#define FILE_NAME_SIZE (POLICY_NAME_SIZE + 16)

static const char *file_name(const struct policy_portal *portal, char buf[static FILE_NAME_SIZE])
{
	snprintf(buf, FILE_NAME_SIZE, "portal-%s.pem", portal->name.text);
	return buf;
}

/* ---- made ---- */

/* "DNS:login.example,IP:192.0.2.1"; false: too long. The names are host names or addresses. */
static bool alternative_names(
	const struct policy_portal *portal, char names[static NAMES_SIZE], size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < portal->names.n; i++) {
		const struct policy_string *name = &portal->names.v[i];
		struct addr addr;
		bool is_address = addr_parse(name->text, name->len, &addr) == 0;
		int n = snprintf(names + *len, NAMES_SIZE - *len, "%s%s:%s", i ? "," : "",
			is_address ? "IP" : "DNS", name->text);
		if (n < 0 || (size_t)n >= NAMES_SIZE - *len)
			return false;
		*len += (size_t)n;
	}
	return true;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool added = extension && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return added;
}

static bool set_serial(X509 *certificate)
{
	unsigned char random[16];
	BIGNUM *number = NULL;
	bool set = RAND_bytes(random, sizeof(random)) == 1;

	random[0] &= 0x7f; /* a positive one: RFC 5280, 4.1.2.2 */
	random[sizeof(random) - 1] |= 1;
	if (set)
		number = BN_bin2bn(random, sizeof(random), NULL);
	set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return set;
}

/* The subject's common name has room for 64 characters: it is the portal's, not the host's. */
static bool fill(
	X509 *certificate, EVP_PKEY *key, const struct policy_portal *portal, const char *names)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	char common[POLICY_NAME_SIZE + 16];

	snprintf(common, sizeof(common), "Postern %.48s", portal->name.text);
	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), LIFE_S) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		       (const unsigned char *)common, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, subject) == 1 &&
	       X509_set_pubkey(certificate, key) == 1 &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
	       add_extension(certificate, NID_subject_alt_name, names) &&
	       X509_sign(certificate, key, EVP_sha256()) > 0;
}

/* Key and certificate in PEM, malloc'ed; NULL: OpenSSL could not. */
static char *make(const struct policy_portal *portal, size_t *len)
{
	char names[NAMES_SIZE], *text = NULL, *from;
	size_t names_len;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *out = BIO_new(BIO_s_mem());

	if (key && certificate && out && alternative_names(portal, names, &names_len) &&
		fill(certificate, key, portal, names) &&
		PEM_write_bio_X509(out, certificate) == 1 &&
		PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long n = BIO_get_mem_data(out, &from);
		text = n > 0 ? malloc((size_t)n) : NULL;
		if (text) {
			memcpy(text, from, (size_t)n);
			*len = (size_t)n;
		}
	}
	BIO_free(out);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return text;
}

/* ---- kept ---- */

static bool names_fit(X509 *certificate, const struct policy_portal *portal)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool fit = names && (size_t)sk_GENERAL_NAME_num(names) == portal->names.n;

	for (size_t i = 0; fit && i < portal->names.n; i++) {
		const struct policy_string *name = &portal->names.v[i];
		struct addr addr;
		fit = addr_parse(name->text, name->len, &addr) == 0
			      ? X509_check_ip_asc(certificate, name->text, 0) == 1
			      : X509_check_host(certificate, name->text, name->len,
					X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
	}
	GENERAL_NAMES_free(names);
	return fit;
}

/* The portal's names, and no other? */
static bool has_names(const char *text, size_t len, const struct policy_portal *portal)
{
	BIO *in = BIO_new_mem_buf(text, (int)len);
	X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	bool fit = certificate && names_fit(certificate, portal);

	X509_free(certificate);
	BIO_free(in);
	return fit;
}

static bool judge(const char *text, size_t len, int64_t now_s, struct certificate_facts *facts)
{
	const uint8_t *bytes = (const uint8_t *)text;
	const struct certificate_bytes both = {bytes, bytes, len, len};
	struct certificate_fault fault;

	return certificate_judge(&both, now_s, facts, &fault);
}

static bool take_copy(struct secret_file *file, const char *text, size_t len)
{
	file->bytes = malloc(len);
	if (file->bytes)
		memcpy(file->bytes, text, len);
	file->len = len;
	return file->bytes != NULL;
}

static void warn_not_kept(
	struct credential_read *read, const struct policy_portal *portal, int error)
{
	snprintf(read->verdict.warning, sizeof(read->verdict.warning),
		"the certificate of portal %s cannot be kept, and browsers will ask anew after a "
		"restart: %s",
		portal->name.text, strerror(-error));
}

void credential_own_read(const char *state_dir, const struct policy_portal *portal, int64_t now_s,
	struct credential_read *read)
{
	char name[FILE_NAME_SIZE], path[CREDENTIAL_PATH_SIZE], *text = NULL;
	size_t len = 0;

	memset(read, 0, sizeof(*read));
	snprintf(path, sizeof(path), "%s/%s", state_dir, file_name(portal, name));
	bool kept = disk_read(path, PEM_BYTES_MAX, &text, &len) == 0 &&
		    judge(text, len, now_s, &read->facts) && has_names(text, len, portal) &&
		    certificate_days_left(&read->facts, now_s) > CREDENTIAL_OWN_RENEW_DAYS;
	if (!kept) {
		if (text)
			explicit_bzero(text, len);
		free(text);
		text = make(portal, &len);
		int error = text ? disk_replace_secret(state_dir, name, text, len) : 0;
		if (error)
			warn_not_kept(read, portal, error);
	}
	read->usable = text && judge(text, len, now_s, &read->facts) &&
		       take_copy(&read->file, text, len) && take_copy(&read->key, text, len);
	if (!read->usable) {
		credential_read_wipe(read);
		read->verdict.bad = true;
		snprintf(read->verdict.text, sizeof(read->verdict.text),
			"no certificate could be made for portal %s", portal->name.text);
	}
	if (text)
		explicit_bzero(text, len);
	free(text);
}
