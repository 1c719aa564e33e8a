/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients of the smtp process that speak TLS: the handshake at each of its places, what is asked of
 * their certificates, and whatever may happen inside of it. */
#include "test/lib/smtp_tls_client.h"
#include "test/lib/smtp_world.h"

#include "daemon/smtp/wire/client.h"
#include "lib/ipc/credential.h"
#include "lib/smtp/smtp.h"

#include <dlfcn.h>
#include <sys/epoll.h>

/* What the process is told of: a certificate, and whom to trust. */
static struct tls_issued root, mail;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(tls_init(), 0);
	tls_issue(&root, &(struct tls_wish){.common = "root", .authority = true});
	tls_issue(&mail, &(struct tls_wish){.issuer = &root, .names = "DNS:gw.example.net"});
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	tls_issued_free(&root);
	tls_issued_free(&mail);
	return 0;
}

static struct ipc_credential *new_credential(
	enum credential_kind kind, const char *name, const char *file, const char *key)
{
	static _Alignas(16) uint8_t room[IPC_BYTES_MAX];
	struct ipc_credential *ipc = (void *)room;

	memset(room, 0, sizeof(room));
	ipc_init(ipc, IPC_CREDENTIAL, sizeof(*ipc));
	ipc->kind = kind;
	strcpy(ipc->name, name);
	strcpy(ipc->file, file);
	strcpy(ipc->key, key);
	return ipc;
}

static void tell_certificate(struct world *world)
{
	struct ipc_credential *ipc =
		new_credential(CREDENTIAL_CERTIFICATE, "mail", "/c/mail.pem", "/c/mail.key");

	ipc->file_bytes = (uint32_t)mail.chain.len;
	ipc->key_bytes = (uint32_t)mail.key_text.len;
	memcpy(ipc->data, mail.chain.bytes, mail.chain.len);
	memcpy(ipc->data + mail.chain.len, mail.key_text.bytes, mail.key_text.len);
	ipc->header.bytes += ipc->file_bytes + ipc->key_bytes;
	tell(world->control, ipc, -1);
}

static void tell_trust(struct world *world)
{
	int fd = memfd_create("trust", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, root.chain.bytes, root.chain.len), root.chain.len);
	assert_int_equal(
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL),
		0);
	tell(world->control, new_credential(CREDENTIAL_TRUST, "", "/c/ca.pem", ""), fd);
	close(fd);
}

static bool asks(const char *more)
{
	return *more && strcmp(more, "client none") != 0;
}

/* mode: of the zone's tls, and what stands in its braces. */
static const char *tls_text(const struct world *world, const char *mode, const char *more)
{
	static char text[4096], zone[512];

	snprintf(zone, sizeof(zone), "tls %s { certificate mail%s%s }", mode,
		asks(more) ? "; ca \"/c/ca.pem\"; " : "; ", more);
	snprintf(text, sizeof(text),
		"%scertificate mail { file \"/c/mail.pem\"; key \"/c/mail.key\" }\n",
		smtp_text(world, zone));
	return text;
}

static int begin_tls(struct world *world, bool ip6, const char *mode, const char *more)
{
	start_smtp(world, ip6);
	tell_certificate(world);
	if (asks(more))
		tell_trust(world);
	apply_policy(world, tls_text(world, mode, more));
	tell_plain(world->control, IPC_PICTURE_DONE);
	return give_pair(world, PROCESS_RELAY);
}

/* Taken, and nothing more. */
static int take_client(struct world *world, int pair, uint64_t flow)
{
	int client, fd = accept_client(world, &client);

	hand_over(world, pair, flow, 42, fd);
	await_taken(pair, flow);
	return client;
}

static int ready_for_tls(struct world *world, int pair, uint64_t flow)
{
	int client = take_client(world, pair, flow);

	ask_smtp(client, "", "220 gw.example.net");
	ask_smtp(client, "EHLO laptop\r\n", "250 ");
	ask_smtp(client, "STARTTLS\r\n", "220 2.0.0");
	return client;
}

static void close_tls(SSL *ssl, int client)
{
	SSL_free(ssl);
	close(client);
}

/* A whole message; text: with its dot. */
static void send_message(struct world *world, SSL *ssl, const char *text, const char *stored)
{
	smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n", "250 ");
	smtp_tls_say(ssl, "RCPT TO:<b@example.org>\r\n");
	int server = take_recipient(world);
	smtp_tls_ask(ssl, "", "250 2.1.5 ok");
	smtp_tls_say(ssl, "DATA\r\n");
	take_data(server);
	smtp_tls_ask(ssl, "", "354 ");
	for (const char *at = text; *at; at++) { /* a record a byte */
		char byte[2] = {*at, '\0'};
		smtp_tls_say(ssl, byte);
	}
	hear_exactly(server, stored);
	hear_exactly(server, ".\r\n");
	say(server, "250 2.0.0 queued as 4711\r\n");
	smtp_tls_ask(ssl, "", "250 2.0.0 queued");
	close(server);
}

/* ---- a handshake, where it is to be ---- */

static void a_message_goes_through_tls(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	int client = ready_for_tls(&world, pair, 7);
	SSL *ssl = smtp_tls_begin(client, NULL);

	assert_non_null(ssl);
	smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n", "503 ");
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	smtp_tls_ask(ssl, "STARTTLS\r\n", "503 ");
	send_message(&world, ssl, "Subject: x\r\n.\r\n", "Subject: x\r\n");
	smtp_tls_ask(ssl, "QUIT\r\n", "221 ");
	smtp_tls_hear_end(ssl);
	close_tls(ssl, client);
	const struct ipc_flow *record = await_record(&world);
	assert_int_equal(record->ending, ENDING_QUIT);
	assert_int_equal(record->messages, 1);
	assert_true(record->seen & SMTP_SEEN_TLS);
	await_counter(&world, COUNTER_TLS_CLIENTS, 1);
	end_smtp(&world, pair);
}

static void tls_may_begin_with_the_connection(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "immediate", "");
	int client = take_client(&world, pair, 7);

	expect_silence(client);
	SSL *ssl = smtp_tls_begin(client, NULL);
	assert_non_null(ssl);
	smtp_tls_ask(ssl, "", "220 gw.example.net");
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	send_message(&world, ssl, "x\r\n.\r\n", "x\r\n");
	close_tls(ssl, client);
	await_record(&world);
	end_smtp(&world, pair);
}

static void mail_in_clear_is_refused_where_tls_is_required(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "require", "");
	int client = take_client(&world, pair, 7);

	ask_smtp(client, "", "220 gw.example.net");
	ask_smtp(client, "EHLO laptop\r\n", "250 ");
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "530 5.7.0");
	ask_smtp(client, "STARTTLS\r\n", "220 ");
	SSL *ssl = smtp_tls_begin(client, NULL);
	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n", "250 ");
	close_tls(ssl, client);
	await_record(&world);
	end_smtp(&world, pair);
}

/* ---- who meddles ---- */

static void words_behind_starttls_are_never_heard(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	int client = take_client(&world, pair, 7);

	ask_smtp(client, "", "220 gw.example.net");
	ask_smtp(client, "EHLO laptop\r\n", "250 ");
	ask_smtp(client, "STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n", "554 5.5.0");
	hear_end(client);
	close(client);
	assert_int_equal(await_record(&world)->ending, ENDING_PROTOCOL);
	/* in a segment of its own it is no handshake */
	client = ready_for_tls(&world, pair, 8);
	say(client, "EHLO evil\r\nMAIL FROM:<evil@example.net>\r\n");
	assert_int_equal(await_record(&world)->ending, ENDING_HANDSHAKE_FAILED);
	close(client);
	await_counter(&world, COUNTER_TLS_CLIENTS_FAILED_PROTOCOL, 1);
	end_smtp(&world, pair);
}

static void who_leaves_inside_of_the_handshake_is_told(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");

	close(ready_for_tls(&world, pair, 7));
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_AFTER_STARTTLS);
	await_counter(&world, COUNTER_TLS_CLIENTS_FAILED_CLOSED, 1);
	end_smtp(&world, pair);
}

/* Many that only hold it up, and one in their midst. */
static void slow_handshakes_hold_nobody_up(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", ""), slow[30];

	for (size_t i = 0; i < 30; i++) {
		slow[i] = ready_for_tls(&world, pair, 100 + i);
		say(slow[i], "\x16\x03\x01");
	}
	int client = ready_for_tls(&world, pair, 7);
	SSL *ssl = smtp_tls_begin(client, NULL);
	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	send_message(&world, ssl, "x\r\n.\r\n", "x\r\n");
	int plain = open_client(&world, pair, 8, 42);
	ask_smtp(plain, "QUIT\r\n", "221 ");
	close(plain);
	close_tls(ssl, client);
	for (size_t i = 0; i < 30; i++)
		close(slow[i]);
	for (size_t i = 0; i < 32; i++)
		await_record(&world);
	end_smtp(&world, pair);
}

/* In the smtp process: how many steps of handshakes it makes in one round of its loop, at most.
 * Both calls stand in front of the libraries' own. */
static struct {
	pid_t test;
	unsigned now, most, all;
} * steps;

int SSL_do_handshake(SSL *ssl)
{
	int (*own)(SSL *) = (int (*)(SSL *))dlsym(RTLD_NEXT, "SSL_do_handshake");

	if (steps && steps->test != getpid()) {
		steps->all++;
		if (++steps->now > steps->most)
			steps->most = steps->now;
	}
	return own(ssl);
}

int epoll_wait(int epoll, struct epoll_event *events, int n, int ms)
{
	if (steps && steps->test != getpid())
		steps->now = 0;
	return epoll_pwait(epoll, events, n, ms, NULL);
}

#define AT_ONCE 30

static void handshakes_take_turns_with_the_loop(void **state)
{
	struct world world;
	int clients[AT_ONCE];
	SSL *ssl[AT_ONCE];

	steps = mmap(
		NULL, sizeof(*steps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(steps != MAP_FAILED);
	steps->test = getpid();
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	for (size_t i = 0; i < AT_ONCE; i++)
		clients[i] = ready_for_tls(&world, pair, 100 + i);
	/* all of them begin while it sleeps */
	hold(&world);
	for (size_t i = 0; i < AT_ONCE; i++)
		ssl[i] = smtp_tls_open(clients[i], NULL);
	steps->most = steps->all = 0;
	let_go(&world);
	for (size_t i = 0; i < AT_ONCE; i++) {
		assert_true(smtp_tls_finish(ssl[i]));
		smtp_tls_ask(ssl[i], "EHLO laptop\r\n", "250 ");
	}
	assert_true(steps->all >= AT_ONCE);
	assert_int_equal(steps->most, CLIENT_HANDSHAKES_MAX);
	for (size_t i = 0; i < AT_ONCE; i++) {
		close_tls(ssl[i], clients[i]);
		await_record(&world);
	}
	end_smtp(&world, pair);
	munmap(steps, sizeof(*steps));
	steps = NULL;
}

/* ---- ends ---- */

static void a_kill_ends_a_handshake_and_a_session(void **state)
{
	struct ipc_kill kill;
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	int shaking = ready_for_tls(&world, pair, 7), client = ready_for_tls(&world, pair, 8);
	SSL *ssl = smtp_tls_begin(client, NULL);

	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	ipc_init(&kill, IPC_KILL, sizeof(kill));
	kill.session = 42;
	kill.ending = ENDING_KILLED_OPERATOR;
	assert_int_equal(request(&world, &kill, -1).status, 0);
	smtp_tls_ask(ssl, "", "421 4.7.0");
	smtp_tls_hear_end(ssl);
	hear_end(shaking);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(await_record(&world)->ending, ENDING_KILLED_OPERATOR);
	close_tls(ssl, client);
	close(shaking);
	end_smtp(&world, pair);
}

static void a_drain_is_said_in_tls(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	int shaking = ready_for_tls(&world, pair, 7), client = ready_for_tls(&world, pair, 8);
	SSL *ssl = smtp_tls_begin(client, NULL);

	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	send_message(&world, ssl, "x\r\n.\r\n", "x\r\n");
	tell_drain(&world, 60);
	smtp_tls_ask(ssl, "", "421 4.3.2");
	smtp_tls_hear_end(ssl);
	close_tls(ssl, client);
	/* who has sent nothing yet may still begin, and send one */
	ssl = smtp_tls_begin(shaking, NULL);
	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	send_message(&world, ssl, "x\r\n.\r\n", "x\r\n");
	smtp_tls_ask(ssl, "", "421 4.3.2");
	close_tls(ssl, shaking);
	close(pair);
	await_end(&world);
}

/* A FIN is no dot. */
static void a_text_that_is_cut_off_is_no_message(void **state)
{
	struct world world;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "");
	int client = ready_for_tls(&world, pair, 7);
	SSL *ssl = smtp_tls_begin(client, NULL);

	assert_non_null(ssl);
	smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
	smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n", "250 ");
	smtp_tls_say(ssl, "RCPT TO:<b@example.org>\r\n");
	int server = take_recipient(&world);
	smtp_tls_ask(ssl, "", "250 ");
	smtp_tls_say(ssl, "DATA\r\n");
	take_data(server);
	smtp_tls_ask(ssl, "", "354 ");
	smtp_tls_say(ssl, "Subject: half\r\n");
	hear_exactly(server, "Subject: half\r\n");
	close_tls(ssl, client);
	hear_end(server);
	assert_int_equal(await_record(&world)->ending, ENDING_LEFT_IN_DATA);
	close(server);
	end_smtp(&world, pair);
}

/* ---- certificates of clients ---- */

static void certificates_of_clients_are_asked_for(void **state)
{
	struct tls_issued good, old, self, server_only, stranger;
	static const char *const modes[] = {"none", "request", "check", "require"};
	uint64_t flow = 7;

	tls_issue(&good, &(struct tls_wish){.issuer = &root, .names = "DNS:client.example"});
	tls_issue(&old, &(struct tls_wish){.issuer = &root, .begins_s = -200, .ends_s = -100});
	tls_issue(&self, &(struct tls_wish){.common = "self"});
	tls_issue(&server_only, &(struct tls_wish){.issuer = &root, .usage = "serverAuth"});
	tls_issue(&stranger, &(struct tls_wish){.issuer = &self});
	const struct {
		const struct tls_issued *shown;
		const char *check, *require; /* what MAIL hears; of none and request: 250 */
	} cases[] = {{&good, "250 ", "250 "}, {NULL, "250 ", "530 5.7.0"},
		{&old, "550 5.7.0 gw.example.net your certificate has expired",
			"550 5.7.0 gw.example.net your certificate has expired"},
		{&self, "550 5.7.0 gw.example.net your certificate is signed by itself",
			"550 5.7.0"},
		{&server_only,
			"550 5.7.0 gw.example.net your certificate is not made for this purpose",
			"550 5.7.0"},
		{&stranger,
			"550 5.7.0 gw.example.net your certificate is of an issuer who is not "
			"known",
			"550 5.7.0"}};
	for (size_t mode = 0; mode < 4; mode++) {
		struct world world;
		char more[32];
		snprintf(more, sizeof(more), "client %s", modes[mode]);
		int pair = begin_tls(&world, IS_IP6(state), "offer", more);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			int client = ready_for_tls(&world, pair, flow++);
			SSL *ssl = smtp_tls_begin(client, cases[i].shown);
			assert_non_null(ssl); /* the handshake never fails of it */
			smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
			smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n",
				mode < 2    ? "250 "
				: mode == 2 ? cases[i].check
					    : cases[i].require);
			close_tls(ssl, client);
			await_record(&world);
		}
		/* in clear nobody has shown one */
		int client = open_client(&world, pair, flow++, 42);
		ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", mode == 3 ? "530 5.7.0" : "250 ");
		close(client);
		await_record(&world);
		end_smtp(&world, pair);
	}
	tls_issued_free(&good);
	tls_issued_free(&old);
	tls_issued_free(&self);
	tls_issued_free(&server_only);
	tls_issued_free(&stranger);
}

/* Rules after each other: by the name in a certificate that is valid, by TLS, in clear. */
static const char *ruled_text(const struct world *world)
{
	static char text[8192];
	const char *all = tls_text(world, "offer", "client request");
	const char *rule = strstr(all, "rule read");

	snprintf(text, sizeof(text),
		"%.*srule mates { zone guest tls verified \"mx.partner.example\" server relay }\n"
		"rule known { zone guest tls verified verdict answer 554 \"known\" }\n"
		"rule safe { zone guest tls any verdict answer 554 \"in TLS\" }\n"
		"rule open { zone guest tls not any verdict answer 554 \"in clear\" }\n%s",
		(int)(rule - all), all, strchr(rule, '\n') + 1);
	return text;
}

static void rules_ask_for_names_in_certificates(void **state)
{
	struct tls_issued mate, second, other, old, self;
	struct world world;
	uint64_t flow = 7;
	int pair = begin_tls(&world, IS_IP6(state), "offer", "client request");

	tls_issue(&mate, &(struct tls_wish){.issuer = &root, .names = "DNS:mx.partner.example"});
	tls_issue(&second,
		&(struct tls_wish){.issuer = &root,
			.names = "DNS:a.example,email:a@b.example,DNS:MX.Partner.example"});
	tls_issue(&other, &(struct tls_wish){.issuer = &root, .names = "DNS:a.mx.partner.example"});
	tls_issue(&old, &(struct tls_wish){.issuer = &root,
				.names = "DNS:mx.partner.example",
				.begins_s = -200,
				.ends_s = -100});
	tls_issue(&self, &(struct tls_wish){.names = "DNS:mx.partner.example"});
	const struct {
		const struct tls_issued *shown;
		const char *reply; /* to RCPT; NULL: a server is asked */
	} cases[] = {{&mate, NULL}, {&second, NULL}, {&other, "550 5.7.1 gw.example.net known"},
		{&old, "550 5.7.1 gw.example.net in TLS"},
		{&self, "550 5.7.1 gw.example.net in TLS"},
		{NULL, "550 5.7.1 gw.example.net in TLS"}};
	apply_policy(&world, ruled_text(&world));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int client = ready_for_tls(&world, pair, flow++), server = -1;
		SSL *ssl = smtp_tls_begin(client, cases[i].shown);
		assert_non_null(ssl);
		smtp_tls_ask(ssl, "EHLO laptop\r\n", "250 ");
		smtp_tls_ask(ssl, "MAIL FROM:<a@example.net>\r\n", "250 ");
		smtp_tls_say(ssl, "RCPT TO:<b@example.org>\r\n");
		if (cases[i].reply)
			smtp_tls_ask(ssl, "", cases[i].reply);
		else
			server = server_take(&world);
		close_tls(ssl, client);
		if (server >= 0)
			close(server);
		await_record(&world);
	}
	int client = open_client(&world, pair, flow, 42);
	ask_smtp(client, "MAIL FROM:<a@example.net>\r\n", "250 ");
	ask_smtp(client, "RCPT TO:<b@example.org>\r\n", "550 5.7.1 gw.example.net in clear");
	close(client);
	await_record(&world);
	end_smtp(&world, pair);
	tls_issued_free(&mate);
	tls_issued_free(&second);
	tls_issued_free(&other);
	tls_issued_free(&old);
	tls_issued_free(&self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_message_goes_through_tls),
		BOTH(tls_may_begin_with_the_connection),
		BOTH(mail_in_clear_is_refused_where_tls_is_required),
		BOTH(words_behind_starttls_are_never_heard),
		BOTH(who_leaves_inside_of_the_handshake_is_told),
		BOTH(slow_handshakes_hold_nobody_up),
		BOTH(handshakes_take_turns_with_the_loop),
		BOTH(a_kill_ends_a_handshake_and_a_session),
		BOTH(a_drain_is_said_in_tls),
		BOTH(a_text_that_is_cut_off_is_no_message),
		BOTH(certificates_of_clients_are_asked_for),
		BOTH(rules_ask_for_names_in_certificates),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!enter_namespace()) {
		printf("skipped: no network namespace to be had\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, take_down);
}
