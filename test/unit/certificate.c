/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a certificate must say, each kind of bad one by its reason. */
#include "lib/tls/certificate.h"
#include "test/lib/tls_authority.h"

#include <openssl/pem.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PEM_ROOM (4 * TLS_AUTHORITY_PEM_MAX)
#define DAY      86400
#define NOW      INT64_C(1800000000) /* 2027-01-15 */
#define BEGUN    (-10 * DAY)
#define ENDS     (30 * DAY) /* both from NOW */

#define WISH(...) (&(struct tls_wish){.from_s = NOW, .plain = true, __VA_ARGS__})

static struct tls_issued root, middle, own, other, old_own, young, short_key, old_digest, old_root,
	under_old;
static struct certificate_facts facts;
static struct certificate_fault fault;

static int make_all(void **state)
{
	(void)state;
	tls_issue(&root,
		WISH(.common = "root", .begins_s = BEGUN, .ends_s = 400 * DAY, .authority = true));
	tls_issue(&middle, WISH(.common = "middle", .issuer = &root, .begins_s = BEGUN,
				   .ends_s = 20 * DAY, .authority = true));
	tls_issue(&own, WISH(.common = "mail.example.org",
				.names = "DNS:mail.example.org,DNS:*.example.org",
				.issuer = &middle, .begins_s = BEGUN, .ends_s = ENDS));
	tls_issue(&other, WISH(.common = "other", .begins_s = BEGUN, .ends_s = ENDS, .rsa = true));
	tls_issue(&old_own, WISH(.common = "old", .begins_s = BEGUN, .ends_s = -1));
	tls_issue(&young, WISH(.common = "young", .begins_s = 1, .ends_s = 2 * DAY));
	tls_issue(&short_key, WISH(.common = "short", .begins_s = BEGUN, .ends_s = ENDS,
				      .rsa = true, .bits = 1024));
	tls_issue(&old_digest, WISH(.common = "digest", .issuer = &root, .begins_s = BEGUN,
				       .ends_s = ENDS, .sha1 = true));
	tls_issue(&old_root,
		WISH(.common = "old root", .begins_s = BEGUN, .ends_s = -DAY, .authority = true));
	tls_issue(&under_old,
		WISH(.common = "under", .issuer = &old_root, .begins_s = BEGUN, .ends_s = ENDS));
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	struct tls_issued *all[] = {&root, &middle, &own, &other, &old_own, &young, &short_key,
		&old_digest, &old_root, &under_old};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		tls_issued_free(all[i]);
	return 0;
}

static bool judge_bytes(const void *chain, size_t chain_len, const void *key, size_t key_len)
{
	return certificate_judge(
		&(struct certificate_bytes){chain, key, chain_len, key_len}, NOW, &facts, &fault);
}

static bool judge(const char *chain, const char *key)
{
	return judge_bytes(chain, strlen(chain), key, strlen(key));
}

static const char *chain_of(unsigned n, const struct tls_issued *const *v)
{
	static char text[PEM_ROOM];

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		strcat(text, v[i]->chain.bytes);
	return text;
}
#define CHAIN(...)                                                                                 \
	chain_of(sizeof((const struct tls_issued *[]){__VA_ARGS__}) / sizeof(struct tls_issued *), \
		(const struct tls_issued *[]){__VA_ARGS__})

static void assert_bad(bool good, enum certificate_file file, const char *words)
{
	assert_false(good);
	assert_int_equal(fault.file, file);
	if (!strstr(fault.text, words))
		fail_msg("\"%s\" does not say \"%s\"", fault.text, words);
}

static void names_that_have_no_room_are_counted(void **state)
{
	char names[4096] = "";
	struct tls_issued many;

	(void)state;
	for (int i = 0; i < 60; i++)
		sprintf(names + strlen(names), "%sDNS:host-%02d.example", i ? "," : "", i);
	tls_issue(&many, WISH(.names = names, .begins_s = BEGUN, .ends_s = ENDS));
	assert_true(judge(CHAIN(&many), many.key_text.bytes));
	assert_true(strncmp(facts.names, "host-00.example, host-01.example, ", 34) == 0);
	const char *end = strstr(facts.names, ".example, and 32 more");
	assert_non_null(end);
	assert_string_equal(end, ".example, and 32 more");
	tls_issued_free(&many);
}

static void a_whole_chain_is_good(void **state)
{
	(void)state;
	assert_true(judge(CHAIN(&own, &middle, &root), own.key_text.bytes));
	assert_string_equal(facts.subject, "CN=mail.example.org");
	assert_string_equal(facts.issuer, "CN=middle");
	assert_string_equal(facts.names, "mail.example.org, *.example.org");
	assert_string_equal(facts.key, "EC 256");
	assert_int_equal(facts.chain, 3);
	assert_false(facts.self_signed);
	assert_int_equal(strlen(facts.serial), 4);
	/* the one in the middle is the first to end */
	assert_int_equal(facts.ends, NOW + 20 * DAY);
	assert_int_equal(certificate_days_left(&facts, NOW), 20);
	assert_int_equal(certificate_days_left(&facts, facts.ends + 1), -1);
}

static void who_signed_the_last_is_not_asked(void **state)
{
	(void)state;
	assert_true(judge(CHAIN(&own, &middle), own.key_text.bytes));
	assert_true(judge(own.chain.bytes, own.key_text.bytes));
	assert_true(judge(other.chain.bytes, other.key_text.bytes));
	assert_true(facts.self_signed);
	assert_string_equal(facts.key, "RSA 2048");
}

static void one_file_may_hold_both(void **state)
{
	char both[PEM_ROOM];

	(void)state;
	snprintf(both, sizeof(both), "# of the mail server\n%s%s%s", own.key_text.bytes,
		own.chain.bytes, middle.chain.bytes);
	assert_true(judge(both, both));
	assert_int_equal(facts.chain, 2);
}

static void the_chain_follows_its_order(void **state)
{
	(void)state;
	assert_bad(judge(CHAIN(&own, &root, &middle), own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"certificate 2 (CN=root) did not sign certificate 1 (CN=mail.example.org), which "
		"names CN=middle");
	assert_bad(judge(CHAIN(&root, &middle, &own), own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"certificate 3 (CN=mail.example.org) is the key's, expected it to be the first");
	assert_bad(judge(CHAIN(&own, &other), own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"(CN=other) did not sign");
	assert_bad(judge(CHAIN(&own, &middle, &own), own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"certificate 3");
	/* the name alone is not enough */
	struct tls_issued forged;
	tls_issue(&forged,
		WISH(.common = "middle", .begins_s = BEGUN, .ends_s = ENDS, .authority = true));
	assert_bad(judge(CHAIN(&own, &forged), own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"did not sign");
	tls_issued_free(&forged);
	assert_bad(judge(CHAIN(&other, &other, &other, &other, &other, &other, &other, &other,
				 &other, &other, &other),
			   other.key_text.bytes),
		CERTIFICATE_FILE_CHAIN, "11 certificates");
}

static void the_key_is_the_first_ones(void **state)
{
	(void)state;
	assert_bad(judge(own.chain.bytes, other.key_text.bytes), CERTIFICATE_FILE_KEY,
		"the key is not that of certificate 1 (CN=mail.example.org)");
}

static void time_is_told_apart(void **state)
{
	(void)state;
	assert_bad(judge(old_own.chain.bytes, old_own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"certificate 1 (CN=old) expired on 2027-01-15");
	assert_true(fault.of_time);
	assert_bad(judge(young.chain.bytes, young.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"certificate 1 (CN=young) is not valid before 2027-01-15");
	assert_true(fault.of_time);
	assert_bad(judge(CHAIN(&under_old, &old_root), under_old.key_text.bytes),
		CERTIFICATE_FILE_CHAIN, "certificate 2 (CN=old root) expired on 2027-01-14");
	assert_true(fault.of_time);
	assert_int_equal(facts.ends, NOW - DAY);
	/* what is wrong beside it is said first */
	assert_bad(judge(old_own.chain.bytes, other.key_text.bytes), CERTIFICATE_FILE_KEY,
		"is not that of");
	assert_false(fault.of_time);
}

static void what_is_weak_is_refused(void **state)
{
	(void)state;
	assert_bad(judge(short_key.chain.bytes, short_key.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"too short: RSA 1024");
	assert_bad(judge(CHAIN(&old_digest, &root), old_digest.key_text.bytes),
		CERTIFICATE_FILE_CHAIN, "outdated digest");
}

static void other_forms_are_called_by_name(void **state)
{
	unsigned char *der = NULL;
	char encrypted[8192];
	int len;

	(void)state;
	assert_bad(judge("", own.key_text.bytes), CERTIFICATE_FILE_CHAIN, "it is empty");
	assert_bad(judge(own.chain.bytes, ""), CERTIFICATE_FILE_KEY, "it is empty");
	assert_bad(judge("hello\n", own.key_text.bytes), CERTIFICATE_FILE_CHAIN, "it holds no PEM");
	assert_bad(judge(own.key_text.bytes, own.key_text.bytes), CERTIFICATE_FILE_CHAIN,
		"it holds a private key, expected a certificate");
	assert_bad(judge(own.chain.bytes, own.chain.bytes), CERTIFICATE_FILE_KEY,
		"it holds a certificate, expected a private key");
	assert_bad(judge("-----BEGIN CERTIFICATE REQUEST-----\n", own.key_text.bytes),
		CERTIFICATE_FILE_CHAIN, "a request for a certificate");
	len = i2d_X509(own.certificate, &der);
	assert_bad(judge_bytes(der, (size_t)len, own.key_text.bytes, strlen(own.key_text.bytes)),
		CERTIFICATE_FILE_CHAIN, "it is in DER");
	assert_bad(judge_bytes(own.chain.bytes, strlen(own.chain.bytes), der, (size_t)len),
		CERTIFICATE_FILE_KEY, "openssl pkey -inform der");
	OPENSSL_free(der);
	assert_bad(judge_bytes("\x30\x82\x09\xaa\x02\x01\x03\x30\x82", 9, own.key_text.bytes,
			   strlen(own.key_text.bytes)),
		CERTIFICATE_FILE_CHAIN, "it is in PKCS #12");
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, own.key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"secret");
	encrypted[BIO_read(bio, encrypted, sizeof(encrypted) - 1)] = '\0';
	BIO_free(bio);
	assert_bad(judge(own.chain.bytes, encrypted), CERTIFICATE_FILE_KEY, "it is encrypted");
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey_traditional(
		bio, other.key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"secret");
	encrypted[BIO_read(bio, encrypted, sizeof(encrypted) - 1)] = '\0';
	BIO_free(bio);
	assert_non_null(strstr(encrypted, "Proc-Type: 4,ENCRYPTED"));
	assert_bad(judge(other.chain.bytes, encrypted), CERTIFICATE_FILE_KEY, "it is encrypted");
}

/* A program that writes the file anew may be seen at any byte. */
static void a_file_half_written_is_none(void **state)
{
	const char *chain = CHAIN(&own, &middle);
	size_t len = strlen(chain), first = strlen(own.chain.bytes);

	(void)state;
	for (size_t n = 0; n + 1 < len; n++) {
		bool good = judge_bytes(chain, n, own.key_text.bytes, strlen(own.key_text.bytes));
		/* between two, or before anything of the second's first line tells that it is one
		 */
		if (n + 1 >= first && n < first + strlen("-----BEGIN CERTIFICATE-----"))
			assert_true(good);
		else
			assert_false(good);
	}
	for (size_t n = 0; n + 1 < strlen(own.key_text.bytes); n++)
		assert_false(judge_bytes(chain, len, own.key_text.bytes, n));
}

static void a_trust_store_has_one_at_least(void **state)
{
	char text[PEM_ROOM];
	unsigned n;

	(void)state;
	const char *store = CHAIN(&root, &old_root, &other);
	assert_true(certificate_judge_trust((const uint8_t *)store, strlen(store), &n, &fault));
	assert_int_equal(n, 3);
	assert_false(certificate_judge_trust((const uint8_t *)"", 0, &n, &fault));
	assert_non_null(strstr(fault.text, "it is empty"));
	snprintf(text, sizeof(text), "%s-----BEGIN CERTIFICATE-----\nMII\n", root.chain.bytes);
	assert_false(certificate_judge_trust((const uint8_t *)text, strlen(text), &n, &fault));
	assert_non_null(strstr(fault.text, "certificate 2 of it is cut off or damaged"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_chain_is_good),
		cmocka_unit_test(names_that_have_no_room_are_counted),
		cmocka_unit_test(who_signed_the_last_is_not_asked),
		cmocka_unit_test(one_file_may_hold_both),
		cmocka_unit_test(the_chain_follows_its_order),
		cmocka_unit_test(the_key_is_the_first_ones),
		cmocka_unit_test(time_is_told_apart),
		cmocka_unit_test(what_is_weak_is_refused),
		cmocka_unit_test(other_forms_are_called_by_name),
		cmocka_unit_test(a_file_half_written_is_none),
		cmocka_unit_test(a_trust_store_has_one_at_least),
	};
	return cmocka_run_group_tests(tests, make_all, free_all);
}
