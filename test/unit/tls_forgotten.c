/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a session with a server keeps of its handshake, and that it goes on without the rest: the
 * other end is the library's own, as servers have it, tickets and all. */
#include "daemon/tls/session.h"
#include "test/lib/tls_authority.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MAIL "mail.example.net"

static struct tls_issued ec, rsa;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(tls_init(), 0);
	tls_issue(&ec, &(struct tls_wish){.names = "DNS:" MAIL});
	tls_issue(&rsa, &(struct tls_wish){.names = "DNS:" MAIL, .rsa = true});
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	tls_issued_free(&ec);
	tls_issued_free(&rsa);
	return 0;
}

/* ---- two ends ---- */

struct ends {
	int fds[2];
	SSL *server;
	struct tls_session *ours;
};

static SSL_CTX *server_of(const struct tls_issued *shown, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_use_certificate(ctx, shown->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, shown->key), 1);
	return ctx;
}

static void meet(struct ends *ends, SSL_CTX *ctx, struct tls_context *context)
{
	enum tls_step step = TLS_WANTS_READ;
	int done = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends->fds), 0);
	ends->server = SSL_new(ctx);
	assert_int_equal(SSL_set_fd(ends->server, ends->fds[0]), 1);
	ends->ours = tls_connect(context, ends->fds[1], MAIL);
	assert_non_null(ends->ours);
	for (int i = 0; i < 10 && !(done == 1 && step == TLS_DONE); i++) {
		step = step == TLS_DONE ? step : tls_handshake(ends->ours);
		done = done == 1 ? done : SSL_accept(ends->server);
	}
	assert_true(done == 1 && step == TLS_DONE);
}

static void part(struct ends *ends)
{
	tls_free(ends->ours);
	SSL_free(ends->server);
	close(ends->fds[0]);
	close(ends->fds[1]);
}

static struct tls_context *context_of(const struct tls_issued *shown, bool verifies)
{
	struct tls_trust *trust = tls_trust_of(&shown->chain);
	char why[TLS_WHY_SIZE] = "";
	struct tls_context *context = tls_context_server(
		&(struct tls_server_setup){.verifies = verifies, .trust = trust}, why);

	assert_string_equal(why, "");
	assert_non_null(context);
	tls_trust_free(trust);
	return context;
}

/* ---- the key ---- */

#define HELD 16

/* How many bytes each of some sessions gives back. */
static size_t given_back(const struct tls_issued *shown)
{
	SSL_CTX *ctx = server_of(shown, TLS1_3_VERSION);
	struct tls_context *context = context_of(shown, false);
	struct ends ends[HELD];

	for (size_t i = 0; i < HELD; i++)
		meet(&ends[i], ctx, context);
	size_t before = mallinfo2().uordblks;
	for (size_t i = 0; i < HELD; i++)
		tls_forget_key(ends[i].ours);
	size_t after = mallinfo2().uordblks;
	for (size_t i = 0; i < HELD; i++)
		part(&ends[i]);
	tls_context_free(context);
	SSL_CTX_free(ctx);
	return before > after ? (before - after) / HELD : 0;
}

static void a_key_that_is_forgotten_gives_its_memory_back(void **state)
{
	(void)state;
	if (mallinfo2().uordblks == 0) /* another allocator, of a sanitizer: it does not tell */
		skip();
	size_t of_ec = given_back(&ec), of_rsa = given_back(&rsa);
	if (of_ec < 1500 || of_rsa < 500)
		fail_msg("%zu bytes of a key of P-256, %zu of RSA", of_ec, of_rsa);
}

/* Tickets, which dup the session, are read with the first bytes; new keys are no matter of the
 * certificate's. */
static void talk(struct ends *ends, bool renews)
{
	char bytes[64];

	for (int i = 0; i < 3; i++) {
		if (renews) {
			assert_int_equal(SSL_key_update(ends->server, SSL_KEY_UPDATE_REQUESTED), 1);
			assert_int_equal(SSL_do_handshake(ends->server), 1);
		}
		assert_int_equal(SSL_write(ends->server, "250 Ok\r\n", 8), 8);
		assert_int_equal(tls_read(ends->ours, bytes, sizeof(bytes)), 8);
		assert_memory_equal(bytes, "250 Ok\r\n", 8);
		assert_int_equal(tls_write(ends->ours, "NOOP\r\n", 6), 6);
		assert_int_equal(SSL_read(ends->server, bytes, sizeof(bytes)), 6);
		assert_memory_equal(bytes, "NOOP\r\n", 6);
	}
	tls_close(ends->ours);
	assert_int_equal(SSL_read(ends->server, bytes, sizeof(bytes)), 0);
	assert_int_equal(SSL_get_error(ends->server, 0), SSL_ERROR_ZERO_RETURN);
}

static void a_session_goes_on_without_the_key(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	const struct tls_issued *const shown[] = {&ec, &rsa};

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		int version = versions[i & 1];
		SSL_CTX *ctx = server_of(shown[i >> 1 & 1], version);
		struct tls_context *context = context_of(shown[i >> 1 & 1], i & 4);
		struct tls_facts facts;
		struct ends ends;
		meet(&ends, ctx, context);
		tls_forget_key(ends.ours);
		tls_facts(ends.ours, &facts);
		assert_string_equal(facts.name, MAIL); /* whose it is, is still known */
		talk(&ends, version == TLS1_3_VERSION);
		part(&ends);
		tls_context_free(context);
		SSL_CTX_free(ctx);
	}
}

/* Of the key that stands in its place. */
static void what_is_forgotten_is_nobody_s_key(void **state)
{
	SSL_CTX *ctx = server_of(&ec, TLS1_3_VERSION);
	struct tls_context *context = context_of(&ec, false);
	struct tls_facts before, after;
	struct ends ends;

	(void)state;
	meet(&ends, ctx, context);
	tls_facts(ends.ours, &before);
	tls_forget_key(ends.ours);
	tls_facts(ends.ours, &after);
	assert_memory_not_equal(before.key, after.key, sizeof(before.key));
	part(&ends);
	tls_context_free(context);
	SSL_CTX_free(ctx);
}

/* ---- the last read ---- */

static void a_handshake_says_whether_something_came_behind_it(void **state)
{
	struct tls_context *context = context_of(&ec, false);
	const struct tls_certificate certificate = tls_certificate_of(&ec);
	const struct tls_client_setup setup = {.certificates = &certificate, .ncertificates = 1};
	char why[TLS_WHY_SIZE], bytes[8];

	(void)state;
	struct tls_context *gateway = tls_context_client(&setup, why);
	assert_non_null(gateway);
	for (int speaks = 0; speaks < 2; speaks++) {
		int fds[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
		struct tls_session *client = tls_connect(context, fds[1], MAIL),
				   *ours = tls_accept(gateway, fds[0]);
		assert_int_equal(tls_handshake(client), TLS_WANTS_READ);
		assert_int_equal(tls_handshake(ours), TLS_WANTS_READ);
		assert_int_equal(tls_handshake(client), TLS_DONE);
		assert_true(tls_drained(client));
		if (speaks)
			assert_int_equal(tls_write(client, "EHLO a\r\n", 8), 8);
		assert_int_equal(tls_handshake(ours), TLS_DONE);
		assert_int_equal(tls_drained(ours), !speaks);
		assert_int_equal(tls_read(ours, bytes, sizeof(bytes)), speaks ? 8 : -EAGAIN);
		tls_free(client);
		tls_free(ours);
		close(fds[0]);
		close(fds[1]);
	}
	tls_context_free(gateway);
	tls_context_free(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_forgotten_gives_its_memory_back),
		cmocka_unit_test(a_session_goes_on_without_the_key),
		cmocka_unit_test(what_is_forgotten_is_nobody_s_key),
		cmocka_unit_test(a_handshake_says_whether_something_came_behind_it),
	};

	return cmocka_run_group_tests(tests, set_up, take_down);
}
