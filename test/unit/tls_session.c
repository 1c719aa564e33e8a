/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions of TLS over a pair of sockets, both ends in this process. */
#include "daemon/tls/session.h"
#include "test/lib/tls_authority.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAIL "mail.example.net"

/* What all tests stand on: an authority, and a certificate of the gateway's in each kind of key. */
static struct tls_issued root, mail, mail_rsa;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(tls_init(), 0);
	tls_issue(&root, &(struct tls_wish){.common = "root", .authority = true});
	tls_issue(&mail, &(struct tls_wish){.issuer = &root, .names = "DNS:" MAIL});
	tls_issue(
		&mail_rsa, &(struct tls_wish){.issuer = &root, .names = "DNS:" MAIL, .rsa = true});
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	tls_issued_free(&root);
	tls_issued_free(&mail);
	tls_issued_free(&mail_rsa);
	return 0;
}

/* ---- two ends ---- */

struct ends {
	int fds[2];
	struct tls_session *gateway, *peer;
	enum tls_step gateway_step, peer_step;
};

static struct tls_context *client_context(const struct tls_client_setup *setup)
{
	char why[TLS_WHY_SIZE] = "";
	struct tls_context *context = tls_context_client(setup, why);

	assert_string_equal(why, "");
	assert_non_null(context);
	return context;
}

static struct tls_context *server_context(const struct tls_server_setup *setup)
{
	char why[TLS_WHY_SIZE] = "";
	struct tls_context *context = tls_context_server(setup, why);

	assert_string_equal(why, "");
	assert_non_null(context);
	return context;
}

static void open_pair(int fds[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

/* A handshake to its end, whatever it is. Takes the contexts over. */
static void meet(struct ends *ends, struct tls_context *towards_client,
	struct tls_context *towards_server, const char *name)
{
	open_pair(ends->fds);
	ends->gateway = tls_accept(towards_client, ends->fds[0]);
	ends->peer = tls_connect(towards_server, ends->fds[1], name);
	tls_context_free(towards_client);
	tls_context_free(towards_server);
	assert_true(ends->gateway && ends->peer);
	ends->gateway_step = ends->peer_step = TLS_WANTS_READ;
	for (int i = 0; i < 10; i++) {
		if (ends->peer_step != TLS_DONE && ends->peer_step != TLS_FAILED)
			ends->peer_step = tls_handshake(ends->peer);
		if (ends->gateway_step != TLS_DONE && ends->gateway_step != TLS_FAILED)
			ends->gateway_step = tls_handshake(ends->gateway);
	}
}

static void part(struct ends *ends)
{
	tls_free(ends->gateway);
	tls_free(ends->peer);
	close(ends->fds[0]);
	close(ends->fds[1]);
}

static struct tls_context *plain_gateway(void)
{
	const struct tls_certificate certificate = tls_certificate_of(&mail);

	return client_context(
		&(struct tls_client_setup){.certificates = &certificate, .ncertificates = 1});
}

/* A client as it comes: it judges nothing. */
static struct tls_context *plain_peer(void)
{
	return server_context(&(struct tls_server_setup){0});
}

static void meet_plainly(struct ends *ends)
{
	meet(ends, plain_gateway(), plain_peer(), MAIL);
	assert_int_equal(ends->gateway_step, TLS_DONE);
	assert_int_equal(ends->peer_step, TLS_DONE);
}

/* ---- bytes ---- */

static void bytes_pass_both_ways_and_end(void **state)
{
	struct ends ends;
	char bytes[64];

	(void)state;
	meet_plainly(&ends);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), -EAGAIN);
	assert_int_equal(tls_wants(ends.gateway), TLS_WANTS_READ);
	assert_int_equal(tls_write(ends.peer, "EHLO a\r\n", 8), 8);
	assert_int_equal(tls_read(ends.gateway, bytes, 4), 4);
	assert_memory_equal(bytes, "EHLO", 4);
	assert_true(tls_holds(ends.gateway));
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 4);
	assert_false(tls_holds(ends.gateway));
	assert_int_equal(tls_write(ends.gateway, "250 ok\r\n", 8), 8);
	assert_int_equal(tls_read(ends.peer, bytes, sizeof(bytes)), 8);
	assert_memory_equal(bytes, "250 ok\r\n", 8);
	tls_close(ends.peer);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 0);
	part(&ends);
}

/* Who is told by edges asks the socket again unless this call found its end. */
static void a_read_that_took_all_says_so(void **state)
{
	struct ends ends;
	char bytes[64];

	(void)state;
	meet_plainly(&ends);
	assert_int_equal(tls_write(ends.peer, "NOOP\r\n", 6), 6);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 6);
	assert_true(tls_drained(ends.gateway));
	/* two at once: the second is inside, and says nothing of the socket, where a third is by
	 * then */
	assert_int_equal(tls_write(ends.peer, "RSET\r\n", 6), 6);
	assert_int_equal(tls_write(ends.peer, "QUIT\r\n", 6), 6);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 6);
	assert_true(tls_holds(ends.gateway));
	assert_false(tls_drained(ends.gateway));
	assert_int_equal(tls_write(ends.peer, "HELP\r\n", 6), 6);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 6);
	assert_memory_equal(bytes, "QUIT", 4);
	assert_false(tls_holds(ends.gateway));
	assert_false(tls_drained(ends.gateway));
	assert_int_equal(tls_read(ends.gateway, bytes, 2), 2);
	assert_false(tls_drained(ends.gateway));
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 4);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), -EAGAIN);
	assert_false(tls_drained(ends.gateway));
	part(&ends);
}

/* Many mail programs just close. */
static void an_end_that_was_not_said_is_an_end(void **state)
{
	struct ends ends;
	char bytes[64];

	(void)state;
	meet_plainly(&ends);
	assert_int_equal(shutdown(ends.fds[1], SHUT_WR), 0);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 0);
	part(&ends);
}

static void what_finds_no_room_goes_later(void **state)
{
	static char text[1 << 20], back[1 << 20];
	size_t sent = 0, got = 0;
	bool stuck = false;
	struct ends ends;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	meet_plainly(&ends);
	while (got < sizeof(text)) {
		/* what is left is given from another place in memory, as a caller may */
		char *copy = malloc(sizeof(text) - sent + 1);
		assert_non_null(copy);
		memcpy(copy, text + sent, sizeof(text) - sent);
		ssize_t n = tls_write(ends.gateway, copy, sizeof(text) - sent);
		free(copy);
		assert_true(n >= 0 || n == -EAGAIN);
		stuck = stuck || (size_t)n < sizeof(text) - sent;
		if (n < 0)
			assert_int_equal(tls_wants(ends.gateway), TLS_WANTS_WRITE);
		sent += n > 0 ? (size_t)n : 0;
		while ((n = tls_read(ends.peer, back + got, sizeof(back) - got)) > 0)
			got += (size_t)n;
		assert_true(n == -EAGAIN || got == sizeof(text));
	}
	assert_true(stuck);
	assert_memory_equal(text, back, sizeof(text));
	part(&ends);
}

/* A record cut after each of its bytes. */
static void a_record_may_come_in_pieces(void **state)
{
	struct ends ends;
	uint8_t record[256];
	char bytes[64];
	int far[2];

	(void)state;
	meet_plainly(&ends);
	assert_int_equal(tls_write(ends.peer, "NOOP\r\n", 6), 6);
	ssize_t len = recv(ends.fds[0], record, sizeof(record), 0);
	assert_true(len > 6);
	open_pair(far);
	assert_int_equal(dup2(far[0], ends.fds[0]), ends.fds[0]);
	for (ssize_t i = 0; i < len; i++) {
		assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), -EAGAIN);
		assert_int_equal(send(far[1], record + i, 1, 0), 1);
	}
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), 6);
	close(far[0]);
	close(far[1]);
	part(&ends);
}

static void a_record_that_was_changed_ends_the_session(void **state)
{
	struct ends ends;
	uint8_t record[256];
	char bytes[64];

	(void)state;
	meet_plainly(&ends);
	assert_int_equal(tls_write(ends.peer, "NOOP\r\n", 6), 6);
	ssize_t len = recv(ends.fds[0], record, sizeof(record), 0);
	record[len - 1] ^= 1;
	assert_int_equal(send(ends.fds[1], record, (size_t)len, 0), len);
	assert_int_equal(tls_read(ends.gateway, bytes, sizeof(bytes)), -EPROTO);
	assert_int_equal(tls_failure(ends.gateway), TLS_FAILURE_PROTOCOL);
	assert_int_equal(tls_write(ends.gateway, "x", 1), -ECONNRESET);
	/* and no other */
	struct ends others;
	meet_plainly(&others);
	part(&others);
	part(&ends);
}

/* ---- handshakes ---- */

static void a_handshake_ends_with_what_was_negotiated(void **state)
{
	struct tls_facts facts;
	struct ends ends;

	(void)state;
	meet_plainly(&ends);
	tls_facts(ends.gateway, &facts);
	assert_int_equal(facts.version, TLS_VERSION_1_3);
	assert_string_equal(facts.cipher, "TLS_AES_128_GCM_SHA256");
	assert_int_equal(facts.bits, 128);
	assert_string_equal(facts.sni, MAIL);
	assert_false(facts.asked);
	tls_facts(ends.peer, &facts);
	assert_true(facts.asked);
	assert_int_equal(facts.reason, TLS_REASON_NONE); /* nothing is wanted of it */
	assert_string_equal(facts.name, MAIL);
	uint8_t key[32];
	tls_key_of(&mail, key);
	assert_memory_equal(facts.key, key, 32);
	part(&ends);
}

static void bytes_that_are_no_handshake_fail(void **state)
{
	static const struct {
		const char *bytes;
		enum tls_failure failure;
	} cases[] = {{"EHLO a.example\r\n", TLS_FAILURE_PROTOCOL},
		{"GET / HTTP/1.1\r\n", TLS_FAILURE_PROTOCOL},
		{"\x16\x03\x01\xff\xff\x01zzzzzzzzz", TLS_FAILURE_PROTOCOL},
		{"", TLS_FAILURE_CLOSED}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_context *context = plain_gateway();
		int fds[2];
		open_pair(fds);
		struct tls_session *session = tls_accept(context, fds[0]);
		assert_int_equal(tls_handshake(session), TLS_WANTS_READ);
		send(fds[1], cases[i].bytes, strlen(cases[i].bytes), 0);
		shutdown(fds[1], SHUT_WR);
		assert_int_equal(tls_handshake(session), TLS_FAILED);
		assert_int_equal(tls_failure(session), cases[i].failure);
		assert_true(tls_why(session)[0] != '\0');
		assert_int_equal(tls_handshake(session), TLS_FAILED);
		tls_free(session);
		tls_context_free(context);
		close(fds[0]);
		close(fds[1]);
	}
}

/* A client of the library's own, for what our contexts do not do. */
static int shake(SSL_CTX *ctx, struct tls_context *gateway, struct tls_session **session,
	SSL **client, int fds[static 2])
{
	enum tls_step step = TLS_WANTS_READ;
	int done = 0;

	open_pair(fds);
	*session = tls_accept(gateway, fds[0]);
	*client = SSL_new(ctx);
	SSL_set_fd(*client, fds[1]);
	for (int i = 0; i < 10; i++) {
		if (done != 1)
			done = SSL_connect(*client);
		if (step != TLS_DONE && step != TLS_FAILED)
			step = tls_handshake(*session);
	}
	return step;
}

struct shaken {
	SSL_CTX *ctx;
	SSL *client;
	struct tls_session *session;
	int fds[2];
	int step;
};

static void shake_with(struct shaken *shaken, struct tls_context *gateway)
{
	shaken->step = shake(shaken->ctx, gateway, &shaken->session, &shaken->client, shaken->fds);
	tls_context_free(gateway);
}

static void unshake(struct shaken *shaken)
{
	tls_free(shaken->session);
	SSL_free(shaken->client);
	SSL_CTX_free(shaken->ctx);
	close(shaken->fds[0]);
	close(shaken->fds[1]);
}

static SSL_CTX *library_client(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

static struct tls_context *legacy_gateway(void)
{
	const struct tls_certificate certificate = tls_certificate_of(&mail_rsa);

	return client_context(&(struct tls_client_setup){
		.certificates = &certificate, .ncertificates = 1, .legacy = true});
}

static void old_versions_are_for_who_wrote_legacy(void **state)
{
	static const struct {
		int version;
		bool legacy, taken;
		enum tls_version is;
	} cases[] = {{TLS1_VERSION, false, false, 0}, {TLS1_1_VERSION, false, false, 0},
		{TLS1_2_VERSION, false, true, TLS_VERSION_1_2},
		{TLS1_VERSION, true, true, TLS_VERSION_1_0},
		{TLS1_1_VERSION, true, true, TLS_VERSION_1_1},
		{TLS1_3_VERSION, true, true, TLS_VERSION_1_3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shaken shaken = {.ctx = library_client(cases[i].version)};
		struct tls_facts facts;
		shake_with(&shaken, cases[i].legacy ? legacy_gateway() : plain_gateway());
		assert_int_equal(shaken.step, cases[i].taken ? TLS_DONE : TLS_FAILED);
		tls_facts(shaken.session, &facts);
		if (cases[i].taken)
			assert_int_equal(facts.version, cases[i].is);
		else
			assert_int_equal(tls_failure(shaken.session), TLS_FAILURE_VERSION);
		unshake(&shaken);
	}
}

static void alpn_is_smtp_or_nothing(void **state)
{
	static const struct {
		const char *offered;
		bool taken;
	} cases[] = {{"\x04smtp", true}, {"\x02h2\x04smtp", true}, {"\x02h2\x08http/1.1", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shaken shaken = {.ctx = library_client(0)};
		SSL_CTX_set_alpn_protos(shaken.ctx, (const unsigned char *)cases[i].offered,
			(unsigned)strlen(cases[i].offered));
		shake_with(&shaken, plain_gateway());
		assert_int_equal(shaken.step, cases[i].taken ? TLS_DONE : TLS_FAILED);
		unshake(&shaken);
	}
}

static void a_client_that_distrusts_us_is_told_apart(void **state)
{
	struct shaken shaken = {.ctx = library_client(0)};

	(void)state;
	SSL_CTX_set_verify(shaken.ctx, SSL_VERIFY_PEER, NULL);
	shake_with(&shaken, plain_gateway());
	assert_int_equal(shaken.step, TLS_FAILED);
	assert_int_equal(tls_failure(shaken.session), TLS_FAILURE_DISTRUST);
	unshake(&shaken);
}

static void nothing_in_common_is_told_apart(void **state)
{
	struct shaken shaken = {.ctx = library_client(TLS1_2_VERSION)};

	(void)state;
	/* a cipher that our certificate, of an elliptic curve, cannot go with */
	SSL_CTX_set_cipher_list(shaken.ctx, "ECDHE-RSA-AES128-GCM-SHA256");
	shake_with(&shaken, plain_gateway());
	assert_int_equal(shaken.step, TLS_FAILED);
	assert_int_equal(tls_failure(shaken.session), TLS_FAILURE_CIPHER);
	unshake(&shaken);
}

static void no_session_is_taken_up_again(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	char bytes[8];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shaken first = {.ctx = library_client(versions[i])};
		SSL_CTX_set_session_cache_mode(first.ctx, SSL_SESS_CACHE_CLIENT);
		shake_with(&first, plain_gateway());
		assert_int_equal(first.step, TLS_DONE);
		SSL_read(first.client, bytes, sizeof(bytes)); /* where a ticket would be */
		SSL_SESSION *had = SSL_get1_session(first.client);
		assert_false(SSL_SESSION_has_ticket(had));
		assert_false(SSL_SESSION_is_resumable(had));
		SSL_SESSION_free(had);
		unshake(&first);
	}
}

static void nobody_negotiates_anew(void **state)
{
	struct shaken shaken = {.ctx = library_client(TLS1_2_VERSION)};
	char bytes[8];

	(void)state;
	shake_with(&shaken, plain_gateway());
	assert_int_equal(shaken.step, TLS_DONE);
	SSL_renegotiate(shaken.client);
	SSL_do_handshake(shaken.client);
	ssize_t n = tls_read(shaken.session, bytes, sizeof(bytes));
	assert_true(n == -EAGAIN);
	SSL_do_handshake(shaken.client);
	/* it was told no: the session goes on as it is */
	assert_int_equal(tls_write(shaken.session, "x", 1), 1);
	unshake(&shaken);
}

/* A host without a name is looked for by its address: its name would be no proof, nor the text of
 * the address as a name. */
static void a_server_without_a_name_is_known_by_its_address(void **state)
{
	static const struct {
		const char *names, *address;
		enum tls_reason reason;
	} cases[] = {
		{"IP:192.0.2.1", "192.0.2.1", TLS_REASON_NONE},
		{"IP:2001:db8::1,DNS:" MAIL, "2001:db8::1", TLS_REASON_NONE},
		{"IP:192.0.2.2", "192.0.2.1", TLS_REASON_NAME},
		{"DNS:192.0.2.1", "192.0.2.1", TLS_REASON_NAME},
		{"DNS:" MAIL, "2001:db8::1", TLS_REASON_NAME},
	};
	struct tls_trust *trust = tls_trust_of(&root.chain);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_issued issued;
		struct tls_facts facts;
		struct addr addr;
		struct ends ends = {0};
		tls_issue(&issued, &(struct tls_wish){.issuer = &root, .names = cases[i].names});
		const struct tls_certificate certificate = tls_certificate_of(&issued);
		addr_parse(cases[i].address, strlen(cases[i].address), &addr);
		struct tls_context *gateway = client_context(&(struct tls_client_setup){
			.certificates = &certificate, .ncertificates = 1});
		struct tls_context *towards = server_context(
			&(struct tls_server_setup){.verifies = true, .trust = trust});
		open_pair(ends.fds);
		ends.gateway = tls_accept(gateway, ends.fds[0]);
		ends.peer = tls_connect_address(towards, ends.fds[1], &addr);
		for (int j = 0; j < 10; j++) {
			if (ends.peer_step != TLS_FAILED)
				ends.peer_step = tls_handshake(ends.peer);
			if (ends.gateway_step != TLS_FAILED)
				ends.gateway_step = tls_handshake(ends.gateway);
		}
		tls_facts(ends.peer, &facts);
		assert_int_equal(facts.reason, cases[i].reason);
		assert_int_equal(ends.peer_step, cases[i].reason ? TLS_FAILED : TLS_DONE);
		part(&ends);
		tls_context_free(gateway);
		tls_context_free(towards);
		tls_issued_free(&issued);
	}
	tls_trust_free(trust);
}

/* Nor with a server that asks for it: whom the handshake found there, it stays. */
static void nor_does_a_server_begin_anew(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_context *context = plain_peer();
	unsigned char before[64], after[64];
	enum tls_step step = TLS_WANTS_READ;
	int fds[2], done = 0;
	char bytes[8];

	(void)state;
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_use_certificate(ctx, mail.certificate);
	SSL_CTX_use_PrivateKey(ctx, mail.key);
	open_pair(fds);
	SSL *server = SSL_new(ctx);
	SSL_set_fd(server, fds[0]);
	struct tls_session *session = tls_connect(context, fds[1], MAIL);
	for (int i = 0; i < 10 && !(done == 1 && step == TLS_DONE); i++) {
		step = step == TLS_DONE ? step : tls_handshake(session);
		done = done == 1 ? done : SSL_accept(server);
	}
	assert_true(done == 1 && step == TLS_DONE);
	size_t len = SSL_get_finished(server, before, sizeof(before));
	assert_true(len > 0);
	assert_int_equal(SSL_renegotiate(server), 1);
	assert_int_equal(SSL_do_handshake(server), 1); /* it is asked for */
	ERR_clear_error();
	for (int i = 0; i < 10; i++) {
		tls_read(session, bytes, sizeof(bytes));
		SSL_read(server, bytes, sizeof(bytes));
	}
	assert_int_equal(SSL_get_finished(server, after, sizeof(after)), len);
	assert_memory_equal(after, before, len);
	tls_free(session);
	tls_context_free(context);
	SSL_free(server);
	SSL_CTX_free(ctx);
	close(fds[0]);
	close(fds[1]);
}

/* New keys cost work, and bring no byte: who asks for nothing else is not served for ever. */
static void a_flood_of_empty_records_ends(void **state)
{
	struct shaken shaken = {.ctx = library_client(TLS1_3_VERSION)};
	char bytes[8];

	(void)state;
	shake_with(&shaken, plain_gateway());
	assert_int_equal(shaken.step, TLS_DONE);
	for (int i = 0; i < 40; i++) {
		assert_true(SSL_key_update(shaken.client, SSL_KEY_UPDATE_NOT_REQUESTED));
		assert_int_equal(SSL_do_handshake(shaken.client), 1);
	}
	assert_int_equal(SSL_write(shaken.client, "a", 1), 1);
	assert_int_equal(tls_read(shaken.session, bytes, sizeof(bytes)), 1);
	for (int i = 0; i < 200; i++) {
		SSL_key_update(shaken.client, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(shaken.client);
	}
	assert_int_equal(tls_read(shaken.session, bytes, sizeof(bytes)), -EPROTO);
	assert_string_equal(tls_why(shaken.session), "too many empty records");
	unshake(&shaken);
}

/* ---- which certificate ---- */

static void a_certificate_is_found_by_name(void **state)
{
	static const struct {
		const char *sni, *shown;
	} cases[] = {{NULL, MAIL}, {"nobody.example", MAIL}, {"two.example.org", "two.example.org"},
		{"TWO.example.ORG", "two.example.org"}, {"two.example.org.", "two.example.org"},
		{"a.example.org", "*.example.org"}, {"a.example.org.", "*.example.org"},
		{"a.b.example.org", MAIL}, {"example.org", MAIL}};
	struct tls_issued wild, two;
	struct tls_certificate all[3];

	(void)state;
	tls_issue(&wild, &(struct tls_wish){.issuer = &root, .names = "DNS:*.example.org"});
	tls_issue(&two, &(struct tls_wish){.issuer = &root, .names = "DNS:two.example.org"});
	all[0] = tls_certificate_of(&mail);
	all[1] = tls_certificate_of(&wild);
	all[2] = tls_certificate_of(&two);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tls_client_setup setup = {.certificates = all, .ncertificates = 3};
		struct tls_facts facts;
		struct ends ends;
		meet(&ends, client_context(&setup), plain_peer(), cases[i].sni);
		assert_int_equal(ends.peer_step, TLS_DONE);
		tls_facts(ends.peer, &facts);
		assert_string_equal(facts.name, cases[i].shown);
		part(&ends);
	}
	tls_issued_free(&wild);
	tls_issued_free(&two);
}

/* Without a common name it is its organization, "test N" here. */
static void who_signed_is_a_name_that_may_be_shown(void **state)
{
	static const struct {
		const char *common, *shown;
	} cases[] = {{"Example CA", "Example CA"}, {"caf\xe9 CA", "caf\xc3\xa9 CA"},
		{"a\x1b[2J\r\nb", "a?[2J??b"}, {NULL, "test "}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_issued authority, shown;
		tls_issue(&authority,
			&(struct tls_wish){.common = cases[i].common, .authority = true});
		tls_issue(&shown, &(struct tls_wish){.issuer = &authority, .names = "DNS:" MAIL});
		const struct tls_certificate own = tls_certificate_of(&shown);
		const struct tls_client_setup setup = {.certificates = &own, .ncertificates = 1};
		struct tls_facts facts;
		struct ends ends;
		meet(&ends, client_context(&setup), plain_peer(), NULL);
		assert_int_equal(ends.peer_step, TLS_DONE);
		tls_facts(ends.peer, &facts);
		assert_memory_equal(facts.issuer, cases[i].shown, strlen(cases[i].shown));
		part(&ends);
		tls_issued_free(&shown);
		tls_issued_free(&authority);
	}
}

static void two_kinds_of_key_serve_one_name(void **state)
{
	static const struct {
		const char *cipher;
		const struct tls_issued *shown;
	} cases[] = {{"ECDHE-RSA-AES128-GCM-SHA256", &mail_rsa},
		{"ECDHE-ECDSA-AES128-GCM-SHA256", &mail}};
	struct tls_certificate both[2] = {tls_certificate_of(&mail), tls_certificate_of(&mail_rsa)};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct tls_client_setup setup = {.certificates = both, .ncertificates = 2};
		struct shaken shaken = {.ctx = library_client(TLS1_2_VERSION)};
		SSL_CTX_set_cipher_list(shaken.ctx, cases[i].cipher);
		shake_with(&shaken, client_context(&setup));
		assert_int_equal(shaken.step, TLS_DONE);
		assert_int_equal(X509_cmp(SSL_get0_peer_certificate(shaken.client),
					 cases[i].shown->certificate),
			0);
		unshake(&shaken);
	}
}

static void the_chain_is_shown_with_it(void **state)
{
	struct tls_issued between, leaf;

	(void)state;
	tls_issue(&between,
		&(struct tls_wish){.issuer = &root, .common = "between", .authority = true});
	tls_issue(&leaf, &(struct tls_wish){.issuer = &between, .names = "DNS:" MAIL});
	tls_text_add(&leaf.chain, &between.chain);
	const struct tls_certificate certificate = tls_certificate_of(&leaf);
	const struct tls_client_setup setup = {.certificates = &certificate, .ncertificates = 1};
	struct tls_trust *trust = tls_trust_of(&root.chain);
	struct ends ends;
	meet(&ends, client_context(&setup),
		server_context(&(struct tls_server_setup){.verifies = true, .trust = trust}), MAIL);
	assert_int_equal(ends.peer_step, TLS_DONE);
	part(&ends);
	tls_trust_free(trust);
	tls_issued_free(&between);
	tls_issued_free(&leaf);
}

#define HELD 16

/* Of a session with a server that shows this, and all that goes with it. */
static size_t bytes_of_a_session(const struct tls_issued *shown, bool verifies)
{
	const struct tls_certificate certificate = tls_certificate_of(shown);
	const struct tls_client_setup setup = {.certificates = &certificate, .ncertificates = 1};
	struct tls_trust *trust = tls_trust_of(&root.chain);
	struct tls_context *gateway = client_context(&setup),
			   *server = server_context(&(struct tls_server_setup){
				   .verifies = verifies, .trust = trust});
	struct ends ends[HELD];
	size_t before = 0;

	for (size_t i = 0; i < HELD; i++) {
		if (i == 1) /* what all have in common is there */
			before = mallinfo2().uordblks;
		meet(&ends[i], tls_context_hold(gateway), tls_context_hold(server), MAIL);
		assert_int_equal(ends[i].peer_step, TLS_DONE);
	}
	size_t after = mallinfo2().uordblks;
	for (size_t i = 0; i < HELD; i++)
		part(&ends[i]);
	tls_context_free(gateway);
	tls_context_free(server);
	tls_trust_free(trust);
	return (after - before) / (HELD - 1);
}

/* It is judged in the handshake, and never looked at again. */
static void a_chain_is_not_kept(void **state)
{
	struct tls_issued between, leaf, alone;

	(void)state;
	tls_issue(&between,
		&(struct tls_wish){.issuer = &root, .common = "between", .authority = true});
	tls_issue(&leaf, &(struct tls_wish){.issuer = &between, .names = "DNS:" MAIL});
	tls_issue(&alone, &(struct tls_wish){.issuer = &root, .names = "DNS:" MAIL});
	tls_text_add(&leaf.chain, &between.chain);
	for (int verifies = 0; verifies < 2; verifies++) {
		size_t with = bytes_of_a_session(&leaf, verifies),
		       without = bytes_of_a_session(&alone, verifies);
		/* the issuer alone would be 4,800; the serial and signatures differ by some hundred
		 */
		if (with > without + 2048)
			fail_msg("%zu bytes with a chain, %zu without", with, without);
	}
	tls_issued_free(&between);
	tls_issued_free(&leaf);
	tls_issued_free(&alone);
}

static void what_does_not_fit_makes_no_context(void **state)
{
	struct tls_certificate swapped = {tls_pem_of(&mail.chain), tls_pem_of(&mail_rsa.key_text)};
	struct tls_certificate keyless = {tls_pem_of(&mail.chain), tls_pem_of(&mail.chain)};
	struct tls_certificate empty = {{"", 0}, tls_pem_of(&mail.key_text)};
	struct tls_certificate cut = {
		{mail.chain.bytes, mail.chain.len / 2}, tls_pem_of(&mail.key_text)};
	static const char locked[] =
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END RSA PRIVATE KEY-----\n";
	struct tls_certificate with_password = {
		tls_pem_of(&mail.chain), {locked, sizeof(locked) - 1}};
	const struct {
		const struct tls_certificate *certificate;
		const char *begins;
	} cases[] = {{&swapped, "certificate and key: "}, {&keyless, "key: "},
		{&empty, "certificate: "}, {&cut, "certificate: "}, {&with_password, "key: "},
		{NULL, "no certificate"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tls_client_setup setup = {.certificates = cases[i].certificate,
			.ncertificates = cases[i].certificate ? 1 : 0};
		char why[TLS_WHY_SIZE];
		assert_null(tls_context_client(&setup, why));
		assert_memory_equal(why, cases[i].begins, strlen(cases[i].begins));
	}
}

/* ---- certificates of clients ---- */

struct asked {
	struct tls_wish wish;
	enum tls_reason reason;
	bool none, foreign, revoked;
};

static void ask(const struct asked *asked, struct tls_facts *facts, const struct tls_text *ca)
{
	const struct tls_certificate ours = tls_certificate_of(&mail);
	struct tls_trust *trust = tls_trust_of(ca);
	struct tls_issued shown;
	struct ends ends;

	tls_issue(&shown, &asked->wish);
	const struct tls_certificate theirs = tls_certificate_of(&shown);
	meet(&ends,
		client_context(&(struct tls_client_setup){
			.certificates = &ours, .ncertificates = 1, .asks = true, .trust = trust}),
		server_context(
			&(struct tls_server_setup){.certificate = asked->none ? NULL : &theirs}),
		MAIL);
	/* no certificate fails a handshake */
	assert_int_equal(ends.gateway_step, TLS_DONE);
	assert_int_equal(ends.peer_step, TLS_DONE);
	tls_facts(ends.gateway, facts);
	part(&ends);
	tls_issued_free(&shown);
	tls_trust_free(trust);
}

static void a_client_s_certificate_is_judged_by_its_first_fault(void **state)
{
	struct tls_issued stranger;
	struct tls_facts facts;

	(void)state;
	tls_issue(&stranger, &(struct tls_wish){.common = "stranger", .authority = true});
	const struct asked cases[] = {
		{.wish = {.issuer = &root, .names = "DNS:client.example"},
			.reason = TLS_REASON_NONE},
		{.wish = {.issuer = &root, .names = "DNS:client.example"},
			.none = true,
			.reason = TLS_REASON_ABSENT},
		{.wish = {.issuer = &root, .names = "DNS:client.example", .usage = "clientAuth"},
			.reason = TLS_REASON_NONE},
		{.wish = {.issuer = &root, .names = "DNS:client.example", .usage = "serverAuth"},
			.reason = TLS_REASON_PURPOSE},
		{.wish = {.issuer = &root,
			 .names = "DNS:client.example",
			 .begins_s = -200,
			 .ends_s = -100},
			.reason = TLS_REASON_EXPIRED},
		{.wish = {.issuer = &root,
			 .names = "DNS:client.example",
			 .begins_s = 3600,
			 .ends_s = 7200},
			.reason = TLS_REASON_NOT_YET_VALID},
		{.wish = {.common = "self", .names = "DNS:client.example"},
			.reason = TLS_REASON_SELF_SIGNED},
		/* the issuer's lack is the first fault, that its signature cannot be read the next,
		 * and that it has expired, too, the third */
		{.wish = {.issuer = &stranger,
			 .names = "DNS:client.example",
			 .begins_s = -200,
			 .ends_s = -100},
			.reason = TLS_REASON_UNKNOWN_ISSUER},
		{.wish = {.issuer = &mail, .names = "DNS:client.example"},
			.reason = TLS_REASON_UNKNOWN_ISSUER},
		{.wish = {.issuer = &root,
			 .names = "DNS:client.example",
			 .rsa = true,
			 .bits = 1024},
			.reason = TLS_REASON_INVALID},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(&cases[i], &facts, &root.chain);
		assert_true(facts.asked);
		assert_int_equal(facts.reason, cases[i].reason);
		assert_string_equal(facts.name, cases[i].none ? "" : "client.example");
	}
	tls_issued_free(&stranger);
}

static void who_is_on_a_list_is_revoked_and_who_is_not_is_not(void **state)
{
	static const struct {
		long begins_s, ends_s;
	} lists[] = {{-100, 3600}, {-200, -100}, {3600, 7200}};
	const struct tls_certificate ours = tls_certificate_of(&mail);
	struct tls_issued good, bad;

	(void)state;
	tls_issue(&good, &(struct tls_wish){.issuer = &root, .names = "DNS:good.example"});
	tls_issue(&bad, &(struct tls_wish){.issuer = &root, .names = "DNS:bad.example"});
	for (size_t i = 0; i < 2 * sizeof(lists) / sizeof(lists[0]); i++) {
		const struct tls_certificate theirs = tls_certificate_of(i % 2 ? &good : &bad);
		struct tls_text ca = root.chain, list;
		struct tls_facts facts;
		struct ends ends;
		tls_revoke(&root, &bad, lists[i / 2].begins_s, lists[i / 2].ends_s, &list);
		tls_text_add(&ca, &list);
		struct tls_trust *trust = tls_trust_of(&ca);
		meet(&ends,
			client_context(&(struct tls_client_setup){.certificates = &ours,
				.ncertificates = 1,
				.asks = true,
				.trust = trust}),
			server_context(&(struct tls_server_setup){.certificate = &theirs}), NULL);
		assert_int_equal(ends.gateway_step, TLS_DONE);
		tls_facts(ends.gateway, &facts);
		assert_int_equal(facts.reason, i % 2 ? TLS_REASON_NONE : TLS_REASON_REVOKED);
		part(&ends);
		tls_trust_free(trust);
	}
	tls_issued_free(&good);
	tls_issued_free(&bad);
}

static bool join(const char *name, void *argument)
{
	strcat(argument, name);
	strcat(argument, " ");
	return true;
}

static void names_are_those_that_can_be_said(void **state)
{
	static const struct {
		const char *common, *names, *said;
	} cases[] = {{"ignored", "DNS:a.example,email:b@c.example,DNS:d.example,IP:192.0.2.1",
			     "a.example b@c.example d.example "},
		{"common.example", NULL, "common.example "},
		{"common.example", "IP:192.0.2.1", "common.example "}, {"two words", NULL, ""},
		{NULL, NULL, ""}, {"ignored", "DNS:a b,DNS:c", "c "}, {"ignored", "DNS:a b", ""},
		{"ignored", "email:a b@c.example", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tls_certificate ours = tls_certificate_of(&mail);
		struct tls_issued shown;
		char said[512] = "";
		struct ends ends;
		tls_issue(&shown, &(struct tls_wish){.issuer = &root,
					  .common = cases[i].common,
					  .names = cases[i].names});
		const struct tls_certificate theirs = tls_certificate_of(&shown);
		meet(&ends,
			client_context(&(struct tls_client_setup){
				.certificates = &ours, .ncertificates = 1, .asks = true}),
			server_context(&(struct tls_server_setup){.certificate = &theirs}), NULL);
		tls_names(ends.gateway, join, said);
		assert_string_equal(said, cases[i].said);
		part(&ends);
		tls_issued_free(&shown);
	}
}

/* ---- servers that are judged ---- */

static void a_server_is_verified_by_name_and_chain(void **state)
{
	static const char *const two[] = {"other.example", MAIL},
				 *const wrong[] = {"other.example"}, *const rooted[] = {MAIL "."};
	static const struct {
		const char *said;
		const char *const *names;
		size_t nnames;
		bool trusted;
		const char *why; /* NULL: it is good */
	} cases[] = {{MAIL, NULL, 0, true, NULL},
		{"other.example", NULL, 0, true, "its certificate is for another name"},
		{NULL, two, 2, true, NULL}, {NULL, rooted, 1, true, NULL},
		{MAIL ".", NULL, 0, true, NULL},
		{MAIL, wrong, 1, true, "its certificate is for another name"},
		{NULL, NULL, 0, true, "its certificate is for another name"},
		{MAIL, NULL, 0, false, "its certificate is of an issuer who is not known"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_trust *trust = cases[i].trusted ? tls_trust_of(&root.chain) : NULL;
		const struct tls_server_setup setup = {.verifies = true,
			.trust = trust,
			.names = cases[i].names,
			.nnames = cases[i].nnames};
		struct ends ends;
		meet(&ends, plain_gateway(), server_context(&setup), cases[i].said);
		assert_int_equal(ends.peer_step, cases[i].why ? TLS_FAILED : TLS_DONE);
		assert_string_equal(tls_why(ends.peer), cases[i].why ? cases[i].why : "");
		assert_int_equal(tls_failure(ends.peer),
			cases[i].why ? TLS_FAILURE_CERTIFICATE : TLS_FAILURE_NONE);
		part(&ends);
		tls_trust_free(trust);
	}
}

/* Who is shown the door is known all the same, so that an operator can be told whom to expect. */
static void who_a_server_is_can_be_seen_also_where_it_is_no_good(void **state)
{
	static const struct {
		const char *said;
		bool verifies, trusted;
		uint8_t reason;
	} cases[] = {{MAIL, true, true, TLS_REASON_NONE},
		{"other.example", true, true, TLS_REASON_NAME},
		{MAIL, true, false, TLS_REASON_UNKNOWN_ISSUER},
		/* nothing is wanted of it, so nothing is wrong with it */
		{"other.example", false, false, TLS_REASON_NONE}};
	uint8_t key[32];

	(void)state;
	tls_key_of(&mail, key);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_trust *trust = cases[i].trusted ? tls_trust_of(&root.chain) : NULL;
		const struct tls_server_setup setup = {
			.verifies = cases[i].verifies, .trust = trust};
		struct tls_seen seen;
		struct ends ends;
		meet(&ends, plain_gateway(), server_context(&setup), cases[i].said);
		tls_see(ends.peer, &seen);
		assert_int_equal(seen.version, TLS_VERSION_1_3);
		assert_int_equal(seen.reason, cases[i].reason);
		assert_true(strncmp(seen.cipher, "TLS_", 4) == 0);
		assert_string_equal(seen.names, MAIL);
		assert_memory_equal(seen.key, key, sizeof(key));
		assert_true(seen.ends > 0);
		part(&ends);
		tls_trust_free(trust);
	}
}

static void names_are_seen_as_far_as_they_have_room(void **state)
{
	char names[4096] = "";
	struct tls_issued many;
	struct tls_seen seen;
	struct ends ends;

	(void)state;
	for (int i = 0; i < 60; i++)
		sprintf(names + strlen(names), "%sDNS:host-%02d.example", i ? "," : "", i);
	tls_issue(&many, &(struct tls_wish){.issuer = &root, .names = names});
	const struct tls_certificate shown = tls_certificate_of(&many);
	meet(&ends,
		client_context(
			&(struct tls_client_setup){.certificates = &shown, .ncertificates = 1}),
		server_context(&(struct tls_server_setup){.verifies = false}), NULL);
	tls_see(ends.peer, &seen);
	assert_true(strlen(seen.names) < sizeof(seen.names));
	assert_true(strncmp(seen.names, "host-00.example, host-01.example, ", 34) == 0);
	assert_string_equal(seen.names + strlen(seen.names) - 8, ".example");
	assert_int_equal(seen.more, 60 - (strlen(seen.names) + 2) / strlen("host-00.example, "));
	part(&ends);
	tls_issued_free(&many);
}

static void a_name_is_said_whole_or_counted(void **state)
{
	static const struct {
		size_t room;
		uint32_t more;
		const char *said;
	} cases[] = {{64, 0, "a.example, bb.example, c.example"},
		{33, 0, "a.example, bb.example, c.example"}, {33, 1, "a.example, and 3 more"},
		{64, 1, "a.example, bb.example, c.example, and 1 more"},
		{44, 2, "a.example, bb.example, and 3 more"}, {32, 0, "a.example, and 2 more"},
		{24, UINT32_MAX - 3, "4294967295 more"}};
	static const char names[] = "a.example, bb.example, c.example";
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			tls_names_said(names, cases[i].more, text, cases[i].room), cases[i].said);
	assert_string_equal(tls_names_said("", 0, text, sizeof(text)), "");
}

static void a_pin_is_of_the_key_alone(void **state)
{
	uint8_t pins[2][32] = {{1}};
	struct ends ends;

	(void)state;
	for (size_t npins = 1; npins <= 2; npins++) {
		const struct tls_server_setup setup = {
			.pins = (const uint8_t(*)[32])pins, .npins = npins};
		tls_key_of(&mail, pins[1]);
		meet(&ends, plain_gateway(), server_context(&setup), NULL);
		assert_int_equal(ends.peer_step, npins == 2 ? TLS_DONE : TLS_FAILED);
		if (npins == 1)
			assert_string_equal(tls_why(ends.peer),
				"its certificate has another key than the pinned one");
		part(&ends);
	}
}

/* ---- the machine's configuration ---- */

/* What another process of ours would do: nothing of the file counts. */
static void nothing_of_the_machine_counts(void **state)
{
	char text[] = "/tmp/tls-session-XXXXXX", self[256];
	static const char hostile[] =
		"openssl_conf = all\n[all]\nssl_conf = ssl\nproviders = none\n[none]\n"
		"[ssl]\nsystem_default = old\n[old]\nMinProtocol = TLSv1\nCipherString = "
		"NULL@SECLEVEL=0\n"
		"MaxProtocol = TLSv1\n";

	(void)state;
	int fd = mkstemp(text);
	assert_true(fd >= 0 && write(fd, hostile, sizeof(hostile) - 1) > 0);
	close(fd);
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(len > 0);
	self[len] = '\0';
	pid_t child = fork();
	if (child == 0) {
		setenv("OPENSSL_CONF", text, 1);
		setenv("POSTERN_TEST_HOSTILE", "1", 1);
		execl(self, self, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	unlink(text);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_both_ways_and_end),
		cmocka_unit_test(a_read_that_took_all_says_so),
		cmocka_unit_test(an_end_that_was_not_said_is_an_end),
		cmocka_unit_test(what_finds_no_room_goes_later),
		cmocka_unit_test(a_record_may_come_in_pieces),
		cmocka_unit_test(a_record_that_was_changed_ends_the_session),
		cmocka_unit_test(a_handshake_ends_with_what_was_negotiated),
		cmocka_unit_test(bytes_that_are_no_handshake_fail),
		cmocka_unit_test(old_versions_are_for_who_wrote_legacy),
		cmocka_unit_test(alpn_is_smtp_or_nothing),
		cmocka_unit_test(a_client_that_distrusts_us_is_told_apart),
		cmocka_unit_test(nothing_in_common_is_told_apart),
		cmocka_unit_test(no_session_is_taken_up_again),
		cmocka_unit_test(nobody_negotiates_anew),
		cmocka_unit_test(a_server_without_a_name_is_known_by_its_address),
		cmocka_unit_test(nor_does_a_server_begin_anew),
		cmocka_unit_test(a_flood_of_empty_records_ends),
		cmocka_unit_test(a_certificate_is_found_by_name),
		cmocka_unit_test(who_signed_is_a_name_that_may_be_shown),
		cmocka_unit_test(two_kinds_of_key_serve_one_name),
		cmocka_unit_test(the_chain_is_shown_with_it),
		cmocka_unit_test(a_chain_is_not_kept),
		cmocka_unit_test(what_does_not_fit_makes_no_context),
		cmocka_unit_test(a_client_s_certificate_is_judged_by_its_first_fault),
		cmocka_unit_test(who_is_on_a_list_is_revoked_and_who_is_not_is_not),
		cmocka_unit_test(names_are_those_that_can_be_said),
		cmocka_unit_test(a_server_is_verified_by_name_and_chain),
		cmocka_unit_test(who_a_server_is_can_be_seen_also_where_it_is_no_good),
		cmocka_unit_test(names_are_seen_as_far_as_they_have_room),
		cmocka_unit_test(a_name_is_said_whole_or_counted),
		cmocka_unit_test(a_pin_is_of_the_key_alone),
		cmocka_unit_test(nothing_of_the_machine_counts),
	};
	/* the one that is run again with another configuration around it leaves itself out */
	size_t n = sizeof(tests) / sizeof(tests[0]) - (getenv("POSTERN_TEST_HOSTILE") ? 1 : 0);

	return _cmocka_run_group_tests("tls_session", tests, n, set_up, take_down);
}
