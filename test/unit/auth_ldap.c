/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins at directories, in the real process's code: one that answers as told is in the same loop,
 * and does what a good one does, and what none should. */
#include "lib/ipc/health.h"
#include "test/lib/auth_world.h"
#include "test/lib/tls_authority.h"

#include "daemon/tls/session.h"
#include "lib/base/container.h"
#include "lib/ldap/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a directory ---- */

#define TALKS_MAX 64

struct talk {
	struct directory_fake *of;
	struct loop_watch watch;
	struct loop_timer timer; /* the next piece goes */
	struct tls_session *tls;
	uint8_t in[8192], out[600000];
	size_t in_len, out_len;
	bool secured, ends;
	char dn[256]; /* who is bound */
};

struct directory_fake {
	struct loop_watch watch;
	uint16_t port;
	struct talk *talks[TALKS_MAX];
	size_t ntalks, live, most;
	/* how it behaves */
	bool immediate;              /* TLS at once */
	struct tls_context *context; /* NULL: it takes no StartTLS */
	const char *behind_tls;      /* said in clear behind the answer */
	bool mute, garbage, endless, huge, closes, wrong_id, wrong_kind;
	bool holds;   /* it says nothing more once somebody was to be bound */
	size_t piece; /* 0: all at once */
	unsigned entries;
	int search_result, bind_result; /* of a right password */
	bool once;                      /* each connection serves one request, then closes */
	uint32_t chance;                /* not 0: each answer has a byte that is another */
	const char *entry_dn;
	/* what it saw */
	unsigned searches, binds, passwords_in_clear;
	char last_dn[256];
	uint8_t last_search[4096];
	size_t last_search_len;
};

static struct directory_fake fakes[2];
static struct auth_world *world;

static void end_talk(struct talk *talk)
{
	if (talk->watch.fd < 0)
		return;
	loop_timer_clear(world->auth.loop, &talk->timer);
	loop_del(world->auth.loop, &talk->watch);
	tls_free(talk->tls);
	talk->tls = NULL;
	close(talk->watch.fd);
	talk->watch.fd = -1;
	talk->of->live--;
}

static void flush_talk(struct loop_timer *timer, uint64_t now)
{
	struct talk *talk = container_of(timer, struct talk, timer);
	size_t piece = talk->of->piece && talk->of->piece < talk->out_len ? talk->of->piece
									  : talk->out_len;
	(void)now;
	if (talk->of->holds && talk->of->binds > 0)
		return;
	ssize_t n = talk->tls ? tls_write(talk->tls, talk->out, piece)
			      : send(talk->watch.fd, talk->out, piece, MSG_NOSIGNAL);
	if (n > 0) {
		memmove(talk->out, talk->out + n, talk->out_len - (size_t)n);
		talk->out_len -= (size_t)n;
	}
	if (n < 0 && n != -EAGAIN && errno != EAGAIN) {
		end_talk(talk);
		return;
	}
	if (talk->out_len > 0)
		loop_timer_set(world->auth.loop, &talk->timer, loop_now_ms(world->auth.loop));
	else if (talk->ends)
		end_talk(talk);
}

static void say(struct talk *talk, const void *bytes, size_t len)
{
	if (len > sizeof(talk->out) - talk->out_len)
		return;
	memcpy(talk->out + talk->out_len, bytes, len);
	if (talk->of->chance) {
		uint32_t *chance = &talk->of->chance;
		*chance = *chance * 1664525 + 1013904223;
		talk->out[talk->out_len + (*chance >> 8) % len] ^=
			(uint8_t)(1 + (*chance >> 24) % 255);
	}
	talk->out_len += len;
	loop_timer_set(world->auth.loop, &talk->timer, loop_now_ms(world->auth.loop));
}

static void say_result(struct talk *talk, int32_t id, uint8_t tag, int result)
{
	uint8_t bytes[128];
	struct ber_writer w = {.bytes = bytes, .size = sizeof(bytes)};
	size_t message = ber_begin(&w, BER_SEQUENCE);
	ber_put_integer(&w, BER_INTEGER, id);
	size_t inside = ber_begin(&w, tag);
	ber_put_integer(&w, BER_ENUMERATED, result);
	ber_put_text(&w, BER_OCTETS, "");
	ber_put_text(&w, BER_OCTETS, "as told");
	ber_end(&w, inside);
	ber_end(&w, message);
	say(talk, bytes, w.len);
}

static void put_values(struct ber_writer *w, const char *name, const char *const *values, size_t n)
{
	size_t pair = ber_begin(w, BER_SEQUENCE);
	ber_put_text(w, BER_OCTETS, name);
	size_t set = ber_begin(w, BER_SET);
	for (size_t i = 0; i < n; i++)
		ber_put_text(w, BER_OCTETS, values[i]);
	ber_end(w, set);
	ber_end(w, pair);
}

static void say_entry(struct talk *talk, int32_t id)
{
	static const char *const uids[] = {"anna.z", "Anna"},
				 *const mails[] = {"anna@hotel.example", "SMTP:a@hotel.example",
					 "none"},
				 *const groups[] = {"cn=Staff,ou=groups", "cn=desk,ou=x"};
	uint8_t bytes[2048];
	struct ber_writer w = {.bytes = bytes, .size = sizeof(bytes)};
	size_t message = ber_begin(&w, BER_SEQUENCE);
	ber_put_integer(&w, BER_INTEGER, id);
	size_t entry = ber_begin(&w, LDAP_ENTRY);
	ber_put_text(&w, BER_OCTETS, talk->of->entry_dn);
	size_t list = ber_begin(&w, BER_SEQUENCE);
	put_values(&w, "memberOf", groups, 2);
	put_values(&w, "UID", uids, 2);
	put_values(&w, "mail", mails, 3);
	ber_end(&w, list);
	ber_end(&w, entry);
	ber_end(&w, message);
	say(talk, bytes, w.len);
}

static void on_search(struct talk *talk, int32_t id, const uint8_t *bytes, size_t len)
{
	static const uint8_t endless[] = {0x30, 0x84, 0, 3, 0, 0, 1, 2, 3};
	struct directory_fake *of = talk->of;

	of->searches++;
	of->last_search_len = len < sizeof(of->last_search) ? len : sizeof(of->last_search);
	memcpy(of->last_search, bytes, of->last_search_len);
	if (of->mute)
		return;
	if (of->garbage || of->huge || of->endless) {
		if (of->garbage)
			say(talk, "HTTP/1.1 400\r\n", 14);
		else if (of->huge)
			say(talk, "\x30\x84\x7f\0\0\0", 6);
		else
			say(talk, endless, sizeof(endless));
		return;
	}
	for (unsigned i = 0; i < of->entries; i++)
		say_entry(talk, id);
	say_result(talk, of->wrong_id ? id + 7 : id, of->wrong_kind ? LDAP_BOUND : LDAP_SEARCHED,
		of->search_result);
}

static void on_bind(struct talk *talk, int32_t id, struct ber_reader *inside)
{
	ber_get_integer(inside, BER_INTEGER);
	struct ber_slice dn = ber_get(inside, BER_OCTETS), password = ber_get(inside, 0x80);
	struct directory_fake *of = talk->of;
	bool searcher = dn.len == 9 && memcmp(dn.bytes, "cn=reader", 9) == 0;
	const char *right = searcher ? "reads" : "secret";

	of->binds += !searcher;
	of->passwords_in_clear += !talk->tls;
	if (!searcher)
		snprintf(of->last_dn, sizeof(of->last_dn), "%.*s", (int)dn.len, dn.bytes);
	bool good =
		password.len == strlen(right) && memcmp(password.bytes, right, password.len) == 0;
	say_result(talk, id, LDAP_BOUND, !good ? 49 : searcher ? 0 : of->bind_result);
}

static void on_request(struct talk *talk, const uint8_t *bytes, size_t len)
{
	struct ber_reader outer = {.bytes = bytes, .len = len};
	struct ber_reader message = ber_enter(&outer, BER_SEQUENCE);
	int32_t id = ber_get_integer(&message, BER_INTEGER);
	uint8_t tag = ber_peek(&message);
	struct ber_reader inside = ber_enter(&message, tag);
	struct directory_fake *of = talk->of;

	if (of->closes) {
		end_talk(talk);
		return;
	}
	if (tag == 0x77) {
		uint32_t chance = of->chance;
		of->chance = 0; /* behind this one it does not close: it would be waited for */
		say_result(talk, id, LDAP_EXTENDED, of->context ? 0 : 2);
		of->chance = chance;
		talk->secured = of->context != NULL;
		if (of->behind_tls)
			say(talk, of->behind_tls, strlen(of->behind_tls));
	} else if (tag == 0x63) {
		on_search(talk, id, bytes, len);
		talk->ends = of->once;
	} else if (tag == 0x60) {
		on_bind(talk, id, &inside);
		talk->ends = of->once;
	}
}

static void on_talk(struct loop_watch *watch, uint32_t events)
{
	struct talk *talk = container_of(watch, struct talk, watch);

	(void)events;
	if (talk->secured && !talk->tls && talk->out_len == 0)
		talk->tls = tls_accept(talk->of->context, watch->fd);
	if (talk->tls) {
		enum tls_step step = tls_handshake(talk->tls);
		if (step == TLS_FAILED)
			end_talk(talk);
		if (step != TLS_DONE)
			return;
	}
	for (;;) {
		ssize_t n = talk->tls ? tls_read(talk->tls, talk->in + talk->in_len,
						sizeof(talk->in) - talk->in_len)
				      : recv(watch->fd, talk->in + talk->in_len,
						sizeof(talk->in) - talk->in_len, 0);
		if (n == -EAGAIN || (n < 0 && !talk->tls && errno == EAGAIN))
			return;
		if (n <= 0) {
			end_talk(talk);
			return;
		}
		talk->in_len += (size_t)n;
		long len;
		while ((len = ber_length(talk->in, talk->in_len, sizeof(talk->in))) > 0 &&
			(size_t)len <= talk->in_len) {
			on_request(talk, talk->in, (size_t)len);
			if (watch->fd < 0)
				return;
			talk->in_len -= (size_t)len;
			memmove(talk->in, talk->in + len, talk->in_len);
		}
		if (talk->secured && !talk->tls)
			return;
	}
}

static void on_accept(struct loop_watch *watch, uint32_t events)
{
	struct directory_fake *of = container_of(watch, struct directory_fake, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct talk *talk = calloc(1, sizeof(*talk));

	(void)events;
	assert_true(fd >= 0 && talk && of->ntalks < TALKS_MAX);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	talk->of = of;
	talk->watch = (struct loop_watch){.fd = fd, .on_event = on_talk};
	talk->timer.on_time = flush_talk;
	talk->secured = of->immediate;
	of->talks[of->ntalks++] = talk;
	if (++of->live > of->most)
		of->most = of->live;
	loop_add(world->auth.loop, &talk->watch, EPOLLIN);
}

static uint16_t open_fake(struct directory_fake *fake)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*fake = (struct directory_fake){.entries = 1, .entry_dn = "uid=anna,ou=people"};
	fake->watch = (struct loop_watch){
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.on_event = on_accept};
	assert_int_equal(bind(fake->watch.fd, (void *)&at, len), 0);
	assert_int_equal(listen(fake->watch.fd, 64), 0);
	assert_int_equal(getsockname(fake->watch.fd, (void *)&at, &len), 0);
	fake->port = ntohs(at.sin_port);
	return fake->port;
}

static void close_fake(struct directory_fake *fake)
{
	for (size_t i = 0; i < fake->ntalks; i++) {
		end_talk(fake->talks[i]);
		free(fake->talks[i]);
	}
	if (fake->watch.fd >= 0) {
		loop_del(world->auth.loop, &fake->watch);
		close(fake->watch.fd);
	}
	tls_context_free(fake->context);
}

/* ---- the world ---- */

static struct tls_issued root, named, other;

static int set_up_authority(void **state)
{
	(void)state;
	tls_init();
	tls_issue(&root, &(struct tls_wish){.common = "root", .authority = true});
	tls_issue(&named, &(struct tls_wish){
				  .issuer = &root, .names = "IP:127.0.0.1,DNS:ldap.hotel.example"});
	tls_issue(&other, &(struct tls_wish){.issuer = &root, .names = "DNS:other.example"});
	return 0;
}

static int take_down_authority(void **state)
{
	(void)state;
	tls_issued_free(&root);
	tls_issued_free(&named);
	tls_issued_free(&other);
	return 0;
}

static struct tls_context *shows(const struct tls_issued *issued)
{
	char why[TLS_WHY_SIZE] = "";
	const struct tls_certificate certificate = tls_certificate_of(issued);

	return tls_context_client(
		&(struct tls_client_setup){.certificates = &certificate, .ncertificates = 1}, why);
}

#define SEARCH "base \"dc=x\" filter \"(uid=%u)\" group \"memberOf\" mail \"mail\""

static void fill_ports(const char *urls, uint16_t first, uint16_t second, char all[static 256])
{
	char *at = all;

	for (; *urls; urls++) {
		if (*urls == '@')
			at += sprintf(at, "%u", *++urls == '1' ? first : second);
		else
			*at++ = *urls;
	}
	*at = '\0';
}

/* urls: @1 and @2 are the ports of the two. */
static void open_world(const char *urls, const char *terms)
{
	char text[2048], all[256];
	uint16_t first = open_fake(&fakes[0]), second = open_fake(&fakes[1]);

	fill_ports(urls, first, second, all);
	snprintf(text, sizeof(text),
		"certificate c { file \"/c\" key \"/k\" }\n"
		"auth staff { ldap %s { %s } }\n"
		"server s { host 192.0.2.1 }\n"
		"listener mail { address 203.0.113.1 port 587 auth staff tls require { "
		"certificate c } }\n"
		"rule r { listener mail user any group \"Staff\", \"cn=desk,ou=x\" server s }\n",
		all, terms);
	world = auth_world_open(text);
	assert_non_null(world);
	auth_world_put(world, CREDENTIAL_TRUST, "/ca", root.chain.bytes, root.chain.len);
	auth_world_put(world, CREDENTIAL_SECRET, "/secret", "reads", 5);
	auth_world_follow(world);
	for (size_t i = 0; i < 2; i++)
		loop_add(world->auth.loop, &fakes[i].watch, EPOLLIN);
}

/* One in clear, as most of what is said does not depend on TLS. */
static void open_plainly(const char *terms)
{
	char all[512];

	snprintf(all, sizeof(all), "%s ca \"/ca\" insecure", terms);
	open_world("\"ldap://127.0.0.1:@1\"", all);
}

static int close_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		close_fake(&fakes[i]);
	auth_world_close(world);
	return 0;
}

static const struct ipc_auth_verdict *ask(const char *user, const char *password)
{
	static uint64_t id;
	const struct ipc_auth_verdict *verdict;

	auth_world_ask(world, ++id, "mail", user, password);
	verdict = auth_world_verdict(world, 15000);
	assert_non_null(verdict);
	assert_int_equal(verdict->id, id);
	return verdict;
}

static void expect(const char *user, const char *password, enum auth_verdict wanted)
{
	const struct ipc_auth_verdict *verdict = ask(user, password);

	if (verdict->verdict != wanted)
		fail_msg("%s %s: %s", user, auth_verdict_names[verdict->verdict], verdict->text);
}

static void expect_later(const char *words)
{
	const struct ipc_auth_verdict *verdict = ask("anna", "secret");

	assert_int_equal(verdict->verdict, AUTH_LATER);
	if (!strstr(verdict->text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, verdict->text);
}

/* ---- */

static void an_entry_says_who_it_is(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;

	(void)state;
	open_plainly(SEARCH " bind \"cn=reader\" secret file \"/secret\"");
	const struct ipc_auth_verdict *verdict = ask("ANNA", "secret");
	assert_int_equal(verdict->verdict, AUTH_OK);
	assert_true(
		session_decode(verdict->session, verdict->session_bytes, &session, storage) > 0);
	/* of two names the one that comes first */
	assert_string_equal(session.user.text, "Anna");
	assert_int_equal(session.ngroups, 2);
	assert_string_equal(session.groups[0].text, "Staff");
	assert_string_equal(session.groups[1].text, "cn=desk,ou=x");
	assert_int_equal(session.nmails, 2);
	assert_string_equal(session.mails[1].text, "a@hotel.example");
	assert_string_equal(fakes[0].last_dn, "uid=anna,ou=people");
	free(storage);
	close_world(NULL);
}

static void searches_share_a_connection_and_binds_have_a_few(void **state)
{
	(void)state;
	open_plainly(SEARCH);
	for (uint64_t id = 1001; id <= 1040; id++) {
		char user[16];
		snprintf(user, sizeof(user), "u%u", (unsigned)id);
		auth_world_ask(world, id, "mail", user, "secret");
	}
	for (unsigned i = 0; i < 40; i++) {
		const struct ipc_auth_verdict *verdict = auth_world_verdict(world, 5000);
		assert_non_null(verdict);
		assert_int_equal(verdict->verdict, AUTH_OK);
	}
	assert_int_equal(fakes[0].searches, 40);
	assert_int_equal(fakes[0].binds, 40);
	assert_int_equal(fakes[0].most, 1 + 8);
	close_world(NULL);
}

static void what_a_directory_says_is_told_apart(void **state)
{
	static const struct {
		unsigned entries;
		int search_result, bind_result;
		const char *password;
		enum auth_verdict verdict;
		const char *text;
	} cases[] = {
		{1, 0, 0, "secret", AUTH_OK, ""},
		{1, 0, 0, "wrong", AUTH_REFUSED, ""},
		{0, 0, 0, "secret", AUTH_REFUSED, ""},
		{2, 0, 0, "secret", AUTH_REFUSED, ""},
		{2, LDAP_SIZE_LIMIT, 0, "secret", AUTH_REFUSED, ""},
		{1, LDAP_SIZE_LIMIT, 0, "secret", AUTH_LATER, "cannot search"},
		{0, LDAP_REFERRAL, 0, "secret", AUTH_LATER, "refers to another directory"},
		{1, 0, LDAP_REFERRAL, "secret", AUTH_LATER, "refers to another directory"},
		{0, LDAP_NO_SUCH_OBJECT, 0, "secret", AUTH_LATER, "base is not there"},
		{0, LDAP_INSUFFICIENT_ACCESS, 0, "secret", AUTH_LATER, "may not"},
		{1, LDAP_BUSY, 0, "secret", AUTH_LATER, "cannot search now"},
		{1, 0, LDAP_UNAVAILABLE, "secret", AUTH_LATER, "cannot bind now"},
		{1, 0, LDAP_UNWILLING, "secret", AUTH_REFUSED, ""},
		{1, 0, LDAP_CONSTRAINT_VIOLATION, "secret", AUTH_REFUSED, ""},
		{1, 0, LDAP_INAPPROPRIATE_AUTH, "secret", AUTH_REFUSED, ""},
		{1, 0, 80, "secret", AUTH_LATER, "(result 80)"},
		{3, 0, 0, "secret", AUTH_LATER, "more entries"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_plainly(SEARCH);
		fakes[0].entries = cases[i].entries;
		fakes[0].search_result = cases[i].search_result;
		fakes[0].bind_result = cases[i].bind_result;
		const struct ipc_auth_verdict *verdict = ask("anna", cases[i].password);
		if (verdict->verdict != cases[i].verdict || !strstr(verdict->text, cases[i].text))
			fail_msg("case %zu: %s %s", i, auth_verdict_names[verdict->verdict],
				verdict->text);
		close_world(NULL);
	}
}

static void a_lie_is_no_answer(void **state)
{
	static const struct {
		size_t flag;
		const char *words;
	} cases[] = {
		{offsetof(struct directory_fake, garbage), "does not speak LDAP"},
		{offsetof(struct directory_fake, huge), "too much at once"},
		{offsetof(struct directory_fake, closes), "closed"},
		{offsetof(struct directory_fake, wrong_id), "not asked"},
		{offsetof(struct directory_fake, wrong_kind), "not asked"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_plainly(SEARCH);
		*(bool *)((char *)&fakes[0] + cases[i].flag) = true;
		expect_later(cases[i].words);
		assert_int_equal(fakes[0].binds, 0);
		close_world(NULL);
	}
}

static void an_entry_that_nobody_can_be_bound_as_is_none(void **state)
{
	(void)state;
	open_plainly(SEARCH);
	fakes[0].entry_dn = ""; /* a bind of nobody always succeeds */
	expect_later("no name that can be bound");
	assert_int_equal(fakes[0].binds, 0);
	close_world(NULL);
}

static void who_says_nothing_is_not_waited_for(void **state)
{
	(void)state;
	open_plainly(SEARCH);
	fakes[0].mute = true;
	expect_later("does not answer");
	/* left alone */
	unsigned searches = fakes[0].searches;
	expect_later("does not answer");
	assert_int_equal(fakes[0].searches, searches);
	fakes[0].mute = false;
	auth_world_run(world, 1100);
	expect("anna", "secret", AUTH_OK);
	close_world(NULL);
}

static void bytes_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece += piece < 8 ? 1 : 7) {
		open_plainly(SEARCH " bind \"cn=reader\" secret file \"/secret\"");
		fakes[0].piece = piece;
		expect("anna", "secret", AUTH_OK);
		close_world(NULL);
	}
}

static void no_byte_of_a_name_is_anything_else(void **state)
{
	/* as they stand: the directory sees one equality, and its value */
	static const char *const names[] = {"*", "anna)(uid=*", "a\\2a", "*)(|(cn=*", "anna\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		open_plainly("base \"dc=x\" filter \"(uid=%u)\"");
		uint8_t value[64];
		struct ber_writer w = {.bytes = value, .size = sizeof(value)};
		size_t equal = ber_begin(&w, 0xa3);
		ber_put_text(&w, BER_OCTETS, "uid");
		ber_put_text(&w, BER_OCTETS, names[i]);
		ber_end(&w, equal);
		ask(names[i], "secret");
		assert_non_null(
			memmem(fakes[0].last_search, fakes[0].last_search_len, value, w.len));
		close_world(NULL);
	}
	open_plainly("bind \"uid=%u,ou=people\"");
	fakes[0].entries = 0;
	expect("anna,ou=admins", "secret", AUTH_OK);
	assert_string_equal(fakes[0].last_dn, "uid=anna\\2cou\\3dadmins,ou=people");
	close_world(NULL);
}

static void a_name_made_of_the_users_is_bound_at_once(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;

	(void)state;
	open_plainly("bind \"uid=%u,ou=people\" group \"memberOf\"");
	const struct ipc_auth_verdict *verdict = ask("ANNA", "secret");
	assert_int_equal(verdict->verdict, AUTH_OK);
	assert_true(
		session_decode(verdict->session, verdict->session_bytes, &session, storage) > 0);
	assert_string_equal(session.user.text, "Anna");
	assert_int_equal(session.ngroups, 2);
	assert_int_equal(fakes[0].most, 1);
	expect("anna", "wrong", AUTH_REFUSED);
	fakes[0].entries = 0; /* who may not read himself */
	expect_later("may not read their own entries");
	close_world(NULL);

	/* what is no DN says nothing of an entry */
	open_plainly("bind \"%u@hotel.example\"");
	verdict = ask("  ANNA ", "secret");
	assert_int_equal(verdict->verdict, AUTH_OK);
	assert_true(
		session_decode(verdict->session, verdict->session_bytes, &session, storage) > 0);
	assert_string_equal(session.user.text, "anna");
	assert_int_equal(fakes[0].searches, 0);
	free(storage);
	close_world(NULL);
}

static void an_old_connection_that_closed_is_nobodys_fault(void **state)
{
	(void)state;
	open_plainly(SEARCH);
	expect("anna", "secret", AUTH_OK);
	for (size_t i = 0; i < fakes[0].ntalks; i++)
		end_talk(fakes[0].talks[i]);
	expect("anna", "secret", AUTH_OK);
	/* nor one that closes after each answer */
	fakes[0].once = true;
	for (unsigned i = 0; i < 5; i++)
		expect("anna", "secret", AUTH_OK);
	close_world(NULL);
}

static void the_next_directory_is_asked_at_once(void **state)
{
	static const size_t flags[] = {offsetof(struct directory_fake, garbage),
		offsetof(struct directory_fake, closes), offsetof(struct directory_fake, mute)};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		open_world("\"ldap://127.0.0.1:@1\", \"ldap://127.0.0.1:@2\"",
			SEARCH " ca \"/ca\" insecure");
		*(bool *)((char *)&fakes[0] + flags[i]) = true;
		expect("anna", "secret", AUTH_OK);
		size_t tried = fakes[0].ntalks;
		expect("anna", "secret", AUTH_OK);
		assert_int_equal(fakes[0].ntalks, tried);
		assert_int_equal(fakes[1].binds, 2);
		close_world(NULL);
	}
}

static void passwords_go_in_tls_alone(void **state)
{
	(void)state;
	open_world("\"ldap://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	expect_later("takes no StartTLS");
	close_world(NULL);

	open_world("\"ldap://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&named);
	expect("anna", "secret", AUTH_OK);
	assert_int_equal(fakes[0].passwords_in_clear, 0);
	close_world(NULL);

	open_world("\"ldaps://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&named);
	fakes[0].immediate = true;
	expect("anna", "secret", AUTH_OK);
	close_world(NULL);

	/* `insecure` is no leave to be anybody */
	open_world("\"ldap://127.0.0.1:@1\"", SEARCH " ca \"/ca\" insecure");
	fakes[0].context = shows(&other);
	expect_later("is for another name");
	close_world(NULL);

	open_world("\"ldaps://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&other);
	fakes[0].immediate = true;
	expect_later("is for another name");
	assert_int_equal(fakes[0].searches, 0);
	close_world(NULL);
}

/* Who speaks before TLS is whoever is between. */
static void nothing_is_heard_between_starttls_and_tls(void **state)
{
	(void)state;
	open_world("\"ldap://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&named);
	fakes[0].behind_tls = "\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x01\x04\x01x\x04\x01x";
	expect_later("in clear behind its answer");
	assert_int_equal(fakes[0].searches, 0);
	close_world(NULL);
}

static void a_host_is_known_by_its_name(void **state)
{
	struct ipc_resolved ipc;

	(void)state;
	open_world("\"ldaps://ldap.hotel.example:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&named);
	fakes[0].immediate = true;
	auth_world_ask(world, 501, "mail", "anna", "secret");
	assert_null(auth_world_verdict(world, 100));
	ipc_init(&ipc, IPC_RESOLVED, sizeof(ipc));
	strcpy(ipc.name, "LDAP.hotel.example");
	ipc.n = 2; /* the first is dead */
	addr_parse("127.0.0.2", 9, &ipc.addresses[0]);
	addr_parse("127.0.0.1", 9, &ipc.addresses[1]);
	host_addresses_take(&world->auth.hosts, &ipc);
	const struct ipc_auth_verdict *verdict = auth_world_verdict(world, 5000);
	assert_non_null(verdict);
	assert_int_equal(verdict->verdict, AUTH_OK);
	/* who comes next need not find that out */
	const struct addr *first = &world->auth.hosts.v[0].addresses[0];
	assert_true(addr_equal(first, &ipc.addresses[1]));
	close_world(NULL);

	open_world("\"ldaps://ldap.hotel.example:@1\"", SEARCH " ca \"/ca\"");
	ipc_init(&ipc, IPC_RESOLVED, sizeof(ipc));
	strcpy(ipc.name, "ldap.hotel.example");
	ipc.status = DNS_TROUBLED;
	host_addresses_take(&world->auth.hosts, &ipc);
	expect_later("its name has no address: the DNS server has trouble with it");
	close_world(NULL);

	open_world("\"ldaps://ldap.hotel.example:@1\"", SEARCH " ca \"/ca\"");
	expect_later("DNS does not say its address");
	close_world(NULL);
}

/* Each answer is damaged, and then it closes: a verdict comes, whatever it is, and the next one
 * that is whole counts. */
static void whatever_is_said_ends(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 100; seed++) {
		open_plainly(seed % 2 ? SEARCH " bind \"cn=reader\" secret file \"/secret\""
				      : "bind \"uid=%u,ou=people\" mail \"mail\"");
		fakes[0].chance = seed;
		fakes[0].once = true;
		fakes[0].piece = seed % 3 ? 0 : 5;
		ask("anna", "secret");
		fakes[0].chance = 0;
		fakes[0].once = false;
		backends_renew(&world->auth);
		expect("anna", "secret", AUTH_OK);
		close_world(NULL);
	}
}

static void what_is_renewed_counts_from_then_on(void **state)
{
	(void)state;
	open_world("\"ldaps://127.0.0.1:@1\"", SEARCH " ca \"/ca\"");
	fakes[0].context = shows(&named);
	fakes[0].immediate = true;
	expect("anna", "secret", AUTH_OK);
	auth_world_put(world, CREDENTIAL_TRUST, "/ca", other.chain.bytes, other.chain.len);
	backends_renew(&world->auth);
	expect_later("its certificate");
	auth_world_put(world, CREDENTIAL_TRUST, "/ca", root.chain.bytes, root.chain.len);
	backends_renew(&world->auth);
	expect("anna", "secret", AUTH_OK);
	close_world(NULL);
}

static void who_is_gone_leaves_nothing_behind(void **state)
{
	struct ipc_auth_cancel cancel;

	(void)state;
	open_plainly("bind \"uid=%u,ou=people\"");
	fakes[0].holds = true;
	auth_world_ask(world, 601, "mail", "anna", "wrong");
	while (fakes[0].binds == 0)
		auth_world_run(world, 1);
	ipc_init(&cancel, IPC_AUTH_CANCEL, sizeof(cancel));
	cancel.id = 601;
	assert_int_equal(send(world->pair, &cancel, sizeof(cancel), 0), sizeof(cancel));
	auth_world_run(world, 5);
	fakes[0].holds = false;
	/* the answer to the one before is not the next one's, who is bound by another connection:
	 * by one, a bind goes when nothing else is outstanding (RFC 4511, 4.2.1) */
	expect("anna", "secret", AUTH_OK);
	assert_int_equal(fakes[0].ntalks, 2);
	close_world(NULL);
	open_plainly(SEARCH);
	auth_world_ask(world, 602, "mail", "anna", "secret");
	auth_world_run(world, 3);
	close_world(NULL); /* with what is under way */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_says_who_it_is),
		cmocka_unit_test(searches_share_a_connection_and_binds_have_a_few),
		cmocka_unit_test(what_a_directory_says_is_told_apart),
		cmocka_unit_test(a_lie_is_no_answer),
		cmocka_unit_test(an_entry_that_nobody_can_be_bound_as_is_none),
		cmocka_unit_test(who_says_nothing_is_not_waited_for),
		cmocka_unit_test(bytes_may_be_cut_anywhere),
		cmocka_unit_test(no_byte_of_a_name_is_anything_else),
		cmocka_unit_test(a_name_made_of_the_users_is_bound_at_once),
		cmocka_unit_test(an_old_connection_that_closed_is_nobodys_fault),
		cmocka_unit_test(the_next_directory_is_asked_at_once),
		cmocka_unit_test(passwords_go_in_tls_alone),
		cmocka_unit_test(nothing_is_heard_between_starttls_and_tls),
		cmocka_unit_test(a_host_is_known_by_its_name),
		cmocka_unit_test(whatever_is_said_ends),
		cmocka_unit_test(what_is_renewed_counts_from_then_on),
		cmocka_unit_test(who_is_gone_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, set_up_authority, take_down_authority);
}
