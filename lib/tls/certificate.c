/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/certificate.h"

#include "lib/base/text.h"
#include "lib/tls/facts.h"
#include "lib/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What OpenSSL demands at its level 2, which Debian's has by default: RSA of 2048 bits, SHA-256. */
#define SECURITY_BITS 112

static bool fail(struct certificate_fault *fault, enum certificate_file file, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static bool fail(
	struct certificate_fault *fault, enum certificate_file file, const char *format, ...)
{
	va_list args;

	fault->file = file;
	fault->of_time = false;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return false;
}

const char *certificate_date(int64_t seconds, char buf[static CERTIFICATE_DATE_SIZE])
{
	time_t at = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || !strftime(buf, CERTIFICATE_DATE_SIZE, "%Y-%m-%d", &tm))
		snprintf(buf, CERTIFICATE_DATE_SIZE, "an unknown day");
	return buf;
}

int64_t certificate_days_left(const struct certificate_facts *facts, int64_t now_s)
{
	int64_t left = facts->ends - now_s;

	return left >= 0 ? left / 86400 : -((-left + 86399) / 86400);
}

/* ---- what is shown ---- */

static void show_name(X509_NAME *name, char *to, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = -1;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_read(bio, to, (int)size - 1);
	to[len > 0 ? len : 0] = '\0';
	text_blank(to);
	BIO_free(bio);
}

static void show_alt_names(X509 *x509, char names[static CERTIFICATE_NAMES_SIZE])
{
	const size_t room = CERTIFICATE_NAMES_SIZE - TLS_NAMES_MORE_SIZE;
	GENERAL_NAMES *all = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	size_t used = 0, more = 0;

	names[0] = '\0';
	for (int i = 0; all && i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		if (name->type != GEN_DNS)
			continue;
		size_t len = (size_t)ASN1_STRING_length(name->d.dNSName);
		if (more > 0 || used + 2 + len >= room)
			more++;
		else
			used += (size_t)sprintf(names + used, "%s%.*s", used ? ", " : "", (int)len,
				(const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	if (more > 0)
		snprintf(names + used, CERTIFICATE_NAMES_SIZE - used, "%s%zu more",
			used ? ", and " : "", more);
	text_blank(names);
	GENERAL_NAMES_free(all);
}

static void show_serial(X509 *x509, char serial[static CERTIFICATE_SERIAL_SIZE])
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(x509);
	const uint8_t *bytes = ASN1_STRING_get0_data(number);
	int len = ASN1_STRING_length(number);
	size_t used = 0;

	serial[0] = '\0';
	for (int i = 0; i < len && used + 3 < CERTIFICATE_SERIAL_SIZE; i++)
		used += (size_t)snprintf(
			serial + used, CERTIFICATE_SERIAL_SIZE - used, "%02x", bytes[i]);
}

static void show_key(EVP_PKEY *key, char *to, size_t size)
{
	int bits = EVP_PKEY_get_bits(key);

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		snprintf(to, size, "RSA %d", bits);
		break;
	case EVP_PKEY_EC:
		snprintf(to, size, "EC %d", bits);
		break;
	case EVP_PKEY_ED25519:
		snprintf(to, size, "Ed25519");
		break;
	default:
		snprintf(to, size, "%d bits", bits);
	}
}

static bool seconds_of(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm))
		return false;
	*seconds = (int64_t)timegm(&tm);
	return true;
}

/* ---- the chain ---- */

/* "certificate 2 (CN=R11)" */
static const char *call(STACK_OF(X509) * chain, int i, char *buf, size_t size)
{
	char subject[96];

	show_name(X509_get_subject_name(sk_X509_value(chain, i)), subject, sizeof(subject));
	snprintf(buf, size, "certificate %d (%s)", i + 1, subject);
	return buf;
}

/* All of the file; each block that begins has to be one. NULL: fault says why. */
static STACK_OF(X509) * read_all(const uint8_t *bytes, size_t len, struct certificate_fault *fault)
{
	struct pem_blocks blocks;
	char instead[PEM_TEXT_SIZE];
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(bytes, (int)len) : NULL;
	X509 *x509;

	pem_count(bytes, len, &blocks);
	if (!blocks.certificates) {
		fail(fault, CERTIFICATE_FILE_CHAIN, "%s",
			pem_instead(bytes, len, &blocks, "certificate", instead));
		goto fail;
	}
	if (!chain || !bio) {
		fail(fault, CERTIFICATE_FILE_CHAIN, "no memory");
		goto fail;
	}
	while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (!sk_X509_push(chain, x509))
			X509_free(x509);
	if ((unsigned)sk_X509_num(chain) == blocks.certificates)
		goto done;
	fail(fault, CERTIFICATE_FILE_CHAIN, "certificate %d of it is cut off or damaged",
		sk_X509_num(chain) + 1);
fail:
	sk_X509_pop_free(chain, X509_free);
	chain = NULL;
done:
	ERR_clear_error();
	BIO_free(bio);
	return chain;
}

static bool judge_time(STACK_OF(X509) * chain, int i, int64_t now_s,
	struct certificate_facts *facts, struct certificate_fault *fault)
{
	X509 *x509 = sk_X509_value(chain, i);
	char name[128], date[CERTIFICATE_DATE_SIZE];
	int64_t begins, ends;

	if (!seconds_of(X509_get0_notBefore(x509), &begins) ||
		!seconds_of(X509_get0_notAfter(x509), &ends))
		return fail(fault, CERTIFICATE_FILE_CHAIN, "%s has no time that can be read",
			call(chain, i, name, sizeof(name)));
	if (i == 0 || begins > facts->begins)
		facts->begins = begins;
	if (i == 0 || ends < facts->ends)
		facts->ends = ends;
	if (begins <= now_s && now_s <= ends)
		return true;
	if (now_s > ends)
		fail(fault, CERTIFICATE_FILE_CHAIN, "%s expired on %s",
			call(chain, i, name, sizeof(name)), certificate_date(ends, date));
	else
		fail(fault, CERTIFICATE_FILE_CHAIN, "%s is not valid before %s",
			call(chain, i, name, sizeof(name)), certificate_date(begins, date));
	fault->of_time = true;
	return false;
}

static bool judge_strength(STACK_OF(X509) * chain, int i, struct certificate_fault *fault)
{
	X509 *x509 = sk_X509_value(chain, i);
	EVP_PKEY *key = X509_get0_pubkey(x509);
	char name[128], kind[24];
	int bits = 0;

	if (!key)
		return fail(fault, CERTIFICATE_FILE_CHAIN, "the key of %s cannot be read",
			call(chain, i, name, sizeof(name)));
	show_key(key, kind, sizeof(kind));
	if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
		return fail(fault, CERTIFICATE_FILE_CHAIN,
			"the key of %s is too short: %s, expected RSA 2048 or EC 256 at least",
			call(chain, i, name, sizeof(name)), kind);
	if (X509_get_extension_flags(x509) & EXFLAG_SS)
		return true;
	if (!X509_get_signature_info(x509, NULL, NULL, &bits, NULL) || bits < SECURITY_BITS)
		return fail(fault, CERTIFICATE_FILE_CHAIN,
			"%s is signed with an outdated digest, expected SHA-256 or better",
			call(chain, i, name, sizeof(name)));
	return true;
}

/* Did the next one sign it? */
static bool judge_order(STACK_OF(X509) * chain, int i, struct certificate_fault *fault)
{
	X509 *x509 = sk_X509_value(chain, i), *next = sk_X509_value(chain, i + 1);
	char name[128], next_name[128], issuer[96];

	if (X509_NAME_cmp(X509_get_issuer_name(x509), X509_get_subject_name(next)) == 0 &&
		X509_verify(x509, X509_get0_pubkey(next)) == 1)
		return true;
	show_name(X509_get_issuer_name(x509), issuer, sizeof(issuer));
	return fail(fault, CERTIFICATE_FILE_CHAIN,
		"%s did not sign %s, which names %s: expected the own certificate first, then each "
		"that signed the one before it",
		call(chain, i + 1, next_name, sizeof(next_name)),
		call(chain, i, name, sizeof(name)), issuer);
}

static void show_chain(STACK_OF(X509) * chain, struct certificate_facts *facts)
{
	X509 *own = sk_X509_value(chain, 0);
	unsigned len = sizeof(facts->fingerprint);

	show_name(X509_get_subject_name(own), facts->subject, sizeof(facts->subject));
	show_name(X509_get_issuer_name(own), facts->issuer, sizeof(facts->issuer));
	show_alt_names(own, facts->names);
	show_serial(own, facts->serial);
	if (X509_get0_pubkey(own))
		show_key(X509_get0_pubkey(own), facts->key, sizeof(facts->key));
	X509_digest(own, EVP_sha256(), facts->fingerprint, &len);
	facts->chain = (unsigned)sk_X509_num(chain);
	facts->self_signed = X509_get_extension_flags(own) & EXFLAG_SS;
}

static bool judge_chain(STACK_OF(X509) * chain, struct certificate_fault *fault)
{
	int n = sk_X509_num(chain);

	if (n > (int)CERTIFICATE_CHAIN_MAX)
		return fail(fault, CERTIFICATE_FILE_CHAIN,
			"it holds %d certificates, expected at most %u: is it a trust store?", n,
			CERTIFICATE_CHAIN_MAX);
	for (int i = 0; i < n; i++)
		if (!judge_strength(chain, i, fault))
			return false;
	for (int i = 0; i + 1 < n; i++)
		if (!judge_order(chain, i, fault))
			return false;
	return true;
}

/* ---- the key ---- */

static int no_passphrase(char *to, int size, int writing, void *asked)
{
	(void)to;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_key(const uint8_t *bytes, size_t len, struct certificate_fault *fault)
{
	struct pem_blocks blocks;
	char instead[PEM_TEXT_SIZE];
	bool asked = false;

	pem_count(bytes, len, &blocks);
	if (!blocks.keys) {
		fail(fault, CERTIFICATE_FILE_KEY, "%s",
			pem_instead(bytes, len, &blocks, "private key", instead));
		return NULL;
	}
	BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(bytes, (int)len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!key)
		fail(fault, CERTIFICATE_FILE_KEY, "the private key in it is %s",
			asked ? "encrypted" : "cut off or damaged");
	return key;
}

/* The key's own certificate may stand at the wrong place. */
static bool judge_match(
	STACK_OF(X509) * chain, const EVP_PKEY *key, struct certificate_fault *fault)
{
	char name[128];

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const EVP_PKEY *own = X509_get0_pubkey(sk_X509_value(chain, i));
		if (!own || EVP_PKEY_eq(own, key) != 1)
			continue;
		if (i == 0)
			return true;
		ERR_clear_error();
		return fail(fault, CERTIFICATE_FILE_CHAIN,
			"%s is the key's, expected it to be the first",
			call(chain, i, name, sizeof(name)));
	}
	ERR_clear_error();
	return fail(fault, CERTIFICATE_FILE_KEY, "the key is not that of %s",
		call(chain, 0, name, sizeof(name)));
}

bool certificate_judge(const struct certificate_bytes *bytes, int64_t now_s,
	struct certificate_facts *facts, struct certificate_fault *fault)
{
	memset(facts, 0, sizeof(*facts));
	memset(fault, 0, sizeof(*fault));
	STACK_OF(X509) *chain = read_all(bytes->chain, bytes->chain_len, fault);
	if (!chain)
		return false;
	show_chain(chain, facts);
	EVP_PKEY *key = read_key(bytes->key, bytes->key_len, fault);
	bool good = key && judge_match(chain, key, fault) && judge_chain(chain, fault);
	EVP_PKEY_free(key);
	for (int i = 0; good && i < sk_X509_num(chain); i++)
		good = judge_time(chain, i, now_s, facts, fault);
	/* the rest of the chain still has its say on when it ends */
	struct certificate_fault beside;
	for (int i = 0; !good && fault->of_time && i < sk_X509_num(chain); i++)
		judge_time(chain, i, now_s, facts, &beside);
	sk_X509_pop_free(chain, X509_free);
	return good;
}

bool certificate_judge_trust(
	const uint8_t *bytes, size_t len, unsigned *n, struct certificate_fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	STACK_OF(X509) *all = read_all(bytes, len, fault);
	*n = all ? (unsigned)sk_X509_num(all) : 0;
	sk_X509_pop_free(all, X509_free);
	return *n > 0;
}
