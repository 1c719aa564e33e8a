/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy needs of TLS: which files, held as coming until it is in force, and the contexts
 * that are made of them. */
#include "daemon/base/channel.h"
#include "daemon/tls/contexts.h"
#include "test/lib/policy_text.h"
#include "test/lib/tls_authority.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT                                                                                    \
	"certificate mail { file \"/c/mail.pem\" key \"/c/mail.key\" }\n"                       \
	"certificate other { file \"/c/other.pem\" key \"/c/other.key\" }\n"                    \
	"certificate spare { file \"/c/spare.pem\" key \"/c/spare.key\" }\n"                    \
	"zone guest { interface \"g0\" level message tls offer { certificate mail, other } }\n" \
	"zone staff { interface \"s0\" level message\n"                                         \
	"  tls require { certificate mail client check ca \"/c/staff.pem\" } }\n"               \
	"zone plain { interface \"p0\" level message }\n"                                       \
	"server near { host 192.0.2.1 host 192.0.2.2 { tls none }\n"                            \
	"  host 192.0.2.3 { tls verify \"c.example\" { ca \"/c/lab.pem\" } } }\n"               \
	"server isp { host \"smtp.example\" tls verify { certificate other }\n"                 \
	"  account \"hotel\" { secret file \"/c/isp.secret\" } }\n"                             \
	"rule r { user any server near }\n"

static struct policy *policy;
static struct tls_issued mail, other, authority;
static struct tls_credentials held;
static char why[256];

static int set_up(void **state)
{
	const struct tls_wish wishes[] = {{.names = "DNS:mail.example"},
		{.names = "DNS:other.example", .rsa = true}, {.common = "ca", .authority = true}};

	(void)state;
	tls_issue(&mail, &wishes[0]);
	tls_issue(&other, &wishes[1]);
	tls_issue(&authority, &wishes[2]);
	policy = policy_of_text(TEXT, NULL);
	return tls_init();
}

static int tear_down(void **state)
{
	(void)state;
	policy_unref(policy);
	tls_issued_free(&mail);
	tls_issued_free(&other);
	tls_issued_free(&authority);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	tls_credentials_fini(&held);
	return 0;
}

static void put(enum credential_kind kind, const char *name, const char *file, const char *key_file,
	const char *bytes, const char *key)
{
	size_t len = strlen(bytes), key_len = strlen(key);
	bool trust = kind == CREDENTIAL_TRUST;
	size_t data = trust ? 0 : len + key_len;
	struct ipc_credential *ipc = malloc(sizeof(*ipc) + data);
	int fd = trust ? channel_memfd("trust", bytes, len) : -1;

	assert_non_null(ipc);
	ipc_init(ipc, IPC_CREDENTIAL, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)data;
	ipc->kind = kind;
	strcpy(ipc->name, name);
	strcpy(ipc->file, file);
	strcpy(ipc->key, key_file);
	if (!trust) {
		ipc->file_bytes = (uint32_t)len;
		ipc->key_bytes = (uint32_t)key_len;
		memcpy(ipc->data, bytes, len);
		memcpy(ipc->data + len, key, key_len);
	}
	assert_int_equal(ipc_check(ipc, ipc->header.bytes), 0);
	assert_int_equal(tls_credentials_put(&held, ipc, fd), 0);
	free(ipc);
}

static void put_certificate(const char *name, const struct tls_issued *issued)
{
	char file[64], key[64];

	snprintf(file, sizeof(file), "/c/%s.pem", name);
	snprintf(key, sizeof(key), "/c/%s.key", name);
	put(CREDENTIAL_CERTIFICATE, name, file, key, issued->chain.bytes, issued->key_text.bytes);
}

static void put_all(void)
{
	put_certificate("mail", &mail);
	put_certificate("other", &other);
	put(CREDENTIAL_TRUST, "", "/c/staff.pem", "", authority.chain.bytes, "");
	put(CREDENTIAL_TRUST, "", "/c/lab.pem", "", authority.chain.bytes, "");
	put(CREDENTIAL_TRUST, "", CREDENTIAL_TRUST_FILE, "", authority.chain.bytes, "");
	put(CREDENTIAL_SECRET, "", "/c/isp.secret", "", "swordfish", "");
}

static struct tls_contexts *make(unsigned sides)
{
	struct tls_contexts *made = tls_contexts_make(policy, &held, sides, why, sizeof(why));

	assert_non_null(made);
	return made;
}
#define ALL (TLS_CLIENTS | TLS_SERVERS | TLS_SECRETS)

static void what_a_policy_needs_is_named_once(void **state)
{
	static const struct {
		enum credential_kind kind;
		const char *name, *file;
		bool clients, servers;
	} wanted[] = {{CREDENTIAL_CERTIFICATE, "mail", "/c/mail.pem", true, false},
		{CREDENTIAL_CERTIFICATE, "other", "/c/other.pem", true, true},
		{CREDENTIAL_CERTIFICATE, "spare", "/c/spare.pem", false, false},
		{CREDENTIAL_TRUST, "", "/c/staff.pem", true, false},
		{CREDENTIAL_TRUST, "", "/c/lab.pem", false, true},
		{CREDENTIAL_TRUST, "", CREDENTIAL_TRUST_FILE, false, true},
		{CREDENTIAL_SECRET, "", "/c/isp.secret", false, true}};
	struct credentials all;

	(void)state;
	assert_int_equal(credentials_of(policy, &all), 0);
	assert_int_equal(all.n, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < all.n; i++) {
		assert_int_equal(all.v[i].kind, wanted[i].kind);
		assert_string_equal(all.v[i].name, wanted[i].name);
		assert_string_equal(all.v[i].file, wanted[i].file);
		assert_int_equal(all.v[i].clients, wanted[i].clients);
		assert_int_equal(all.v[i].servers, wanted[i].servers);
		assert_true(all.v[i].file_at.place.line > 0);
	}
	credentials_fini(&all);
}

static void with_all_there_each_has_its_own(void **state)
{
	size_t len;

	(void)state;
	put_all();
	struct tls_contexts *made = make(ALL);
	assert_string_equal(why, "");
	assert_non_null(tls_contexts_zone(made, 0));
	assert_non_null(tls_contexts_zone(made, 1));
	assert_ptr_not_equal(tls_contexts_zone(made, 0), tls_contexts_zone(made, 1));
	assert_null(tls_contexts_zone(made, 2));
	assert_null(tls_contexts_zone(made, 3));
	/* towards a server there is TLS even where nothing is written */
	assert_non_null(tls_contexts_host(made, 0, 0));
	assert_null(tls_contexts_host(made, 0, 1));
	assert_non_null(tls_contexts_host(made, 0, 2));
	assert_ptr_not_equal(tls_contexts_host(made, 0, 0), tls_contexts_host(made, 0, 2));
	assert_non_null(tls_contexts_host(made, 1, 0));
	assert_null(tls_contexts_secret(made, 0, &len));
	assert_string_equal(tls_contexts_secret(made, 1, &len), "swordfish");
	assert_int_equal(len, 9);
	tls_contexts_free(made);
}

static void a_process_has_its_sides_alone(void **state)
{
	size_t len;

	(void)state;
	put_all();
	struct tls_contexts *made = make(TLS_SERVERS);
	assert_string_equal(why, "");
	assert_null(tls_contexts_zone(made, 0));
	assert_non_null(tls_contexts_host(made, 1, 0));
	assert_null(tls_contexts_secret(made, 1, &len));
	tls_contexts_free(made);
}

static void what_is_missing_is_said_and_left_out(void **state)
{
	size_t len;

	(void)state;
	struct tls_contexts *none = make(ALL);
	assert_string_equal(why, "certificate mail: /c/mail.pem: it is not there");
	assert_null(tls_contexts_zone(none, 0));
	assert_non_null(tls_contexts_host(none, 0, 0));
	/* never what the server has where the host wants more */
	assert_null(tls_contexts_host(none, 0, 2));
	assert_null(tls_contexts_secret(none, 1, &len));
	put_all();
	struct tls_contexts *whole = make(ALL);
	assert_true(tls_contexts_hold_all(whole, none));
	assert_true(tls_contexts_hold_all(whole, NULL));
	assert_false(tls_contexts_hold_all(none, whole));
	tls_contexts_free(none);
	tls_contexts_free(whole);
}

static void one_of_two_certificates_serves(void **state)
{
	(void)state;
	put_certificate("other", &other);
	struct tls_contexts *made = make(TLS_CLIENTS);
	assert_string_equal(why, "certificate mail: /c/mail.pem: it is not there");
	assert_non_null(tls_contexts_zone(made, 0));
	assert_null(tls_contexts_zone(made, 1));
	tls_contexts_free(made);
}

static void nobody_is_believed_without_a_trust_store(void **state)
{
	(void)state;
	put_all();
	put(CREDENTIAL_TRUST, "", "/c/staff.pem", "", "no certificate\n", "");
	struct tls_contexts *made = make(ALL);
	assert_non_null(strstr(why, "trust store: /c/staff.pem: "));
	assert_non_null(tls_contexts_zone(made, 0));
	assert_null(tls_contexts_zone(made, 1));
	tls_contexts_free(made);
}

static const struct tls_credential *find(const struct policy *of, size_t i)
{
	struct credential wanted;

	credential_of_certificate(of, i, &wanted);
	return tls_credentials_find(&held, &wanted);
}

static void what_comes_is_in_force_or_dropped(void **state)
{
	(void)state;
	put_certificate("mail", &mail);
	assert_true(find(policy, 0)->coming);
	tls_credentials_settle(&held, policy);
	assert_false(find(policy, 0)->coming);
	/* another one comes, and does not */
	put_certificate("mail", &other);
	assert_memory_equal(find(policy, 0)->bytes, other.chain.bytes, find(policy, 0)->len);
	tls_credentials_drop(&held);
	assert_memory_equal(find(policy, 0)->bytes, mail.chain.bytes, find(policy, 0)->len);
	assert_int_equal(held.n, 1);
	/* and does */
	put_certificate("mail", &other);
	put_certificate("mail", &other);
	assert_int_equal(held.n, 2);
	tls_credentials_settle(&held, policy);
	assert_memory_equal(find(policy, 0)->bytes, other.chain.bytes, find(policy, 0)->len);
	assert_int_equal(held.n, 1);
	/* what is not named stays no longer */
	struct policy *bare = policy_of_text("server near { host 192.0.2.1 }\n", NULL);
	tls_credentials_settle(&held, bare);
	assert_int_equal(held.n, 0);
	policy_unref(bare);
}

static void another_file_is_another_certificate(void **state)
{
	(void)state;
	put_certificate("mail", &mail);
	tls_credentials_settle(&held, policy);
	struct policy *moved = policy_of_text(
		"certificate mail { file \"/d/mail.pem\" key \"/c/mail.key\" }\n", NULL);
	assert_null(find(moved, 0));
	policy_unref(moved);
}

static void a_trust_store_is_sealed_memory(void **state)
{
	struct ipc_credential ipc;

	(void)state;
	ipc_init(&ipc, IPC_CREDENTIAL, sizeof(ipc));
	ipc.kind = CREDENTIAL_TRUST;
	strcpy(ipc.file, "/c/staff.pem");
	assert_int_equal(tls_credentials_put(&held, &ipc, -1), -EBADMSG);
	assert_int_equal(tls_credentials_put(&held, &ipc, dup(STDIN_FILENO)), -EBADMSG);
	assert_int_equal(held.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget)
	const struct CMUnitTest tests[] = {
		TEST(what_a_policy_needs_is_named_once),
		TEST(with_all_there_each_has_its_own),
		TEST(a_process_has_its_sides_alone),
		TEST(what_is_missing_is_said_and_left_out),
		TEST(one_of_two_certificates_serves),
		TEST(nobody_is_believed_without_a_trust_store),
		TEST(what_comes_is_in_force_or_dropped),
		TEST(another_file_is_another_certificate),
		TEST(a_trust_store_is_sealed_memory),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
