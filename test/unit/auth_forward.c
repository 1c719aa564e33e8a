/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins at another server that the test plays, at two hosts of it, and badly. */
#include "test/lib/auth_smtp.h"
#include "test/lib/tls_authority.h"

#include "daemon/tls/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN_ANNA "AUTH PLAIN AGFubmEAc2VjcmV0" /* "\0anna\0secret" */
#define CONNS      40

/* What a host says where it is not as it should be; NULL: as it should. "": it closes. */
struct manners {
	const char *greeting, *ehlo, *starttls, *inside, *auth;
	bool other_key;
};

struct host {
	int listening;
	uint16_t port;
	struct manners manners;
	unsigned connections, auths, quits;
};

static struct host hosts[2]; /* 127.0.0.1 and ::1 */
static struct conn {
	struct host *host; /* NULL: none */
	int fd;
	struct tls_session *tls;
	bool shakes, answers; /* to AUTH LOGIN */
	size_t len;
	char line[2048];
} conns[CONNS];
static bool immediate, in_pieces;
static char heard[2048]; /* the last line about AUTH */
static struct tls_issued mail, other;
static struct tls_context *contexts[2];

/* ---- the server ---- */

static void drop_conn(struct conn *conn)
{
	tls_free(conn->tls);
	close(conn->fd);
	memset(conn, 0, sizeof(*conn));
}

static void say_bytes(struct conn *conn, const char *bytes, size_t len)
{
	if (conn->tls)
		tls_write(conn->tls, bytes, len);
	else
		send(conn->fd, bytes, len, MSG_NOSIGNAL);
}

static void say(struct conn *conn, const char *words, const char *otherwise)
{
	char text[1024];

	if (otherwise && !*otherwise) {
		drop_conn(conn);
		return;
	}
	int len = snprintf(text, sizeof(text), "%s\r\n", otherwise ? otherwise : words);
	for (int i = 0; in_pieces && i < len; i++)
		say_bytes(conn, text + i, 1);
	if (!in_pieces)
		say_bytes(conn, text, (size_t)len);
}

static void begin_tls(struct conn *conn)
{
	conn->tls = tls_accept(contexts[conn->host->manners.other_key], conn->fd);
	conn->shakes = true;
}

static void on_auth(struct conn *conn, const char *line)
{
	const struct manners *manners = &conn->host->manners;

	snprintf(heard, sizeof(heard), "%s", line);
	if (conn->answers) {
		bool user = strcmp(line, "YW5uYQ==") == 0;
		conn->answers = user;
		say(conn, user ? "334 UGFzc3dvcmQ6" : "235 2.7.0 welcome",
			user ? NULL : manners->auth);
		return;
	}
	conn->host->auths++;
	conn->answers = strcmp(line, "AUTH LOGIN") == 0;
	if (conn->answers)
		say(conn, "334 VXNlcm5hbWU6", NULL);
	else
		say(conn, "235 2.7.0 welcome", manners->auth);
}

static void on_line(struct conn *conn, const char *line)
{
	const struct manners *manners = &conn->host->manners;

	if (conn->answers || strncmp(line, "AUTH ", 5) == 0) {
		on_auth(conn, line);
	} else if (strncmp(line, "EHLO ", 5) == 0 && conn->tls) {
		say(conn, "250-mx.example\r\n250-AUTH LOGIN PLAIN CRAM-MD5\r\n250 SIZE 9",
			manners->inside);
	} else if (strncmp(line, "EHLO ", 5) == 0) {
		say(conn, "250-mx.example\r\n250 STARTTLS", manners->ehlo);
	} else if (strcmp(line, "STARTTLS") == 0) {
		say(conn, "220 go on", manners->starttls);
		if (conn->host && !manners->starttls)
			begin_tls(conn);
	} else if (strcmp(line, "QUIT") == 0) {
		conn->host->quits++;
		say(conn, "221 bye", "");
	} else {
		fail_msg("heard %s", line);
	}
}

static ssize_t hear(struct conn *conn, char *byte)
{
	if (conn->tls)
		return tls_read(conn->tls, byte, 1);
	ssize_t n = recv(conn->fd, byte, 1, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static void serve_conn(struct conn *conn)
{
	char byte;
	ssize_t n;

	if (conn->shakes) {
		enum tls_step step = tls_handshake(conn->tls);
		conn->shakes = step == TLS_WANTS_READ || step == TLS_WANTS_WRITE;
		if (step == TLS_FAILED)
			drop_conn(conn);
		else if (step == TLS_DONE && immediate)
			say(conn, "220 mx.example", conn->host->manners.greeting);
	}
	while (conn->host && !conn->shakes && (n = hear(conn, &byte)) != -EAGAIN) {
		if (n <= 0) {
			drop_conn(conn);
		} else if (byte != '\n') {
			assert_true(conn->len + 1 < sizeof(conn->line));
			conn->line[conn->len++] = byte;
		} else {
			conn->line[conn->len - 1] = '\0'; /* CR */
			conn->len = 0;
			on_line(conn, conn->line);
		}
	}
}

static void accept_all(struct host *host)
{
	int fd;

	while ((fd = accept4(host->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *conn = conns;
		while (conn->host)
			assert_true(++conn < conns + CONNS);
		*conn = (struct conn){.host = host, .fd = fd};
		host->connections++;
		if (immediate)
			begin_tls(conn);
		else
			say(conn, "220 mx.example", host->manners.greeting);
	}
}

static void serve(void)
{
	for (size_t i = 0; i < 2; i++)
		accept_all(&hosts[i]);
	for (size_t i = 0; i < CONNS; i++)
		if (conns[i].host)
			serve_conn(&conns[i]);
}

static void listen_at(struct host *host, int family)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	const struct sockaddr *at =
		family == AF_INET6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	socklen_t len = family == AF_INET6 ? sizeof(six) : sizeof(four);

	*host = (struct host){
		.listening = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	assert_int_equal(bind(host->listening, at, len), 0);
	assert_int_equal(listen(host->listening, 64), 0);
	len = sizeof(six);
	assert_int_equal(getsockname(host->listening, (struct sockaddr *)&six, &len), 0);
	host->port = ntohs(six.sin6_port); /* of both families at the same place */
}

/* ---- the world ---- */

static const struct backend *backend(void)
{
	return backends_find(&auth_smtp, "isp");
}

static void set_targets(void)
{
	struct picture *picture = auth_smtp.replica.now;
	char why[256];

	auth_smtp.replica.targets.read = true;
	assert_int_equal(
		replica_targets_set_policy(&auth_smtp.replica.targets, picture->policy, 1), 0);
	picture->contexts = tls_contexts_make(
		picture->policy, &auth_smtp.replica.credentials, TLS_SERVERS, why, sizeof(why));
}

static int set_up_with(const char *more)
{
	char text[2048], pin[65];
	uint8_t key[32];

	tls_key_of(&mail, key);
	for (size_t i = 0; i < 32; i++)
		snprintf(pin + 2 * i, 3, "%02x", key[i]);
	listen_at(&hosts[0], AF_INET);
	listen_at(&hosts[1], AF_INET6);
	immediate = strstr(more, "immediate");
	snprintf(text, sizeof(text),
		"hostname \"gw.example.net\"\ncertificate c { file \"/c\" key \"/k\" }\n"
		"auth isp { forward there %s }\n"
		"server there { host 127.0.0.1 port %u preference 10\nhost ::1 port %u preference "
		"20\ntls pin \"sha256:%s\" %s }\n"
		"listener front { address 203.0.113.1 port 587 auth isp tls require { certificate "
		"c "
		"} }\nrule r { listener front user any server there }\n",
		strstr(more, "domain") ? more : "", hosts[0].port, hosts[1].port, pin,
		immediate ? "{ immediate }" : "");
	auth_smtp_init(text);
	set_targets();
	auth_smtp_begin();
	auth_smtp_hear_offers();
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(*state ? *state : "");
}

static int take_down(void **state)
{
	(void)state;
	auth_smtp_fini();
	for (size_t i = 0; i < CONNS; i++)
		if (conns[i].host)
			drop_conn(&conns[i]);
	for (size_t i = 0; i < 2; i++)
		close(hosts[i].listening);
	in_pieces = false;
	return 0;
}

static unsigned long answered(void)
{
	const struct auth_counts *n = &backend()->state.counts;

	return (unsigned long)(n->passed + n->refused + n->later);
}

static unsigned long awaited;

static bool is_answered(void)
{
	serve();
	return answered() >= awaited;
}

static void await_answers(unsigned long n)
{
	awaited = n;
	auth_smtp_until(is_answered);
}

static bool is_quiet(void)
{
	serve();
	for (size_t i = 0; i < CONNS; i++)
		if (conns[i].host)
			return false;
	return true;
}

/* ---- */

static void a_right_password_is_said_once(void **state)
{
	(void)state;
	auth_smtp_plain(1, "front", "anna", "secret");
	await_answers(1);
	auth_smtp_expect(1, AUTH_OK, "isp");
	assert_string_equal(auth_smtp_user(), "anna");
	assert_string_equal(heard, PLAIN_ANNA);
	auth_smtp_until(is_quiet);
	assert_int_equal(hosts[0].quits, 1);
	assert_int_equal(hosts[0].auths, 1);
	assert_int_equal(hosts[1].connections, 0);
}

static bool says_hello(void)
{
	char byte;

	accept_all(&hosts[0]);
	return conns[0].host && recv(conns[0].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* As `certificate reload` does, before a server that takes its time has taken STARTTLS. */
static void what_is_renewed_meanwhile_stays_there(void **state)
{
	(void)state;
	auth_smtp_plain(1, "front", "anna", "secret");
	auth_smtp_until(says_hello);
	tls_contexts_free(auth_smtp.replica.now->contexts);
	set_targets();
	backends_renew(&auth_smtp);
	await_answers(1);
	auth_smtp_expect(1, AUTH_OK, "isp");
}

static void what_comes_in_pieces_is_whole(void **state)
{
	(void)state;
	in_pieces = true;
	a_right_password_is_said_once(state);
}

static void login_is_said_where_there_is_no_plain(void **state)
{
	(void)state;
	hosts[0].manners.inside = "250-mx.example\r\n250 AUTH LOGIN NTLM";
	auth_smtp_plain(1, "front", "anna", "secret");
	await_answers(1);
	auth_smtp_expect(1, AUTH_OK, "isp");
	assert_string_equal(heard, "c2VjcmV0");
	hosts[0].manners.auth = "454 4.3.0 later";
	auth_smtp_plain(2, "front", "anna", "secret");
	await_answers(2);
	auth_smtp_expect(2, AUTH_LATER, "isp");
	assert_int_equal(hosts[1].connections, 0);
}

/* However it was typed, it is one user; it is said as it was typed. */
static void a_user_is_one_however_he_is_typed(void **state)
{
	static const char *const typed[] = {
		"anna", "ANNA", " anna", "anna@hotel.example", "Anna@Hotel.Example "};
	(void)state;
	for (unsigned i = 0; i < sizeof(typed) / sizeof(*typed); i++) {
		auth_smtp_plain(i, "front", typed[i], "secret");
		await_answers(i + 1);
		auth_smtp_expect(i, AUTH_OK, "isp");
		assert_string_equal(auth_smtp_user(), "anna@hotel.example");
	}
	auth_smtp_plain(9, "front", "Anna", "secret");
	await_answers(6);
	assert_string_equal(heard, "AUTH PLAIN AEFubmFAaG90ZWwuZXhhbXBsZQBzZWNyZXQ=");
}

/* Before AUTH the next host is tried, behind it none. */
static void every_fault_has_its_verdict(void **state)
{
	static const struct {
		struct manners manners;
		char verdict; /* y: of the other host; n, l: of this one */
	} cases[] = {
		{{.greeting = ""}, 'y'},
		{{.greeting = "421 4.3.2 away"}, 'y'},
		{{.greeting = "554 5.7.1 go away"}, 'y'},
		{{.greeting = "hello"}, 'y'},
		{{.ehlo = ""}, 'y'},
		{{.ehlo = "421 4.3.2 away"}, 'y'},
		{{.ehlo = "502 what"}, 'y'},
		{{.ehlo = "250-mx.example\r\n250 AUTH PLAIN LOGIN"}, 'y'},
		{{.ehlo = "250 mx.example\r\n250 STARTTLS"}, 'y'},
		{{.starttls = ""}, 'y'},
		{{.starttls = "454 4.7.0 not now"}, 'y'},
		{{.starttls = "220 go on\r\n250 AUTH PLAIN"}, 'y'},
		{{.other_key = true}, 'y'},
		{{.inside = ""}, 'y'},
		{{.inside = "421 4.3.2 away"}, 'y'},
		{{.inside = "250 mx.example"}, 'y'},
		{{.inside = "250-mx.example\r\n250 AUTH CRAM-MD5"}, 'y'},
		{{.inside = "nonsense"}, 'y'},
		{{.auth = "535 5.7.8 AGFubmEAc2VjcmV0"}, 'n'},
		{{.auth = "534 5.7.9 too weak"}, 'n'},
		{{.auth = "554 5.7.1 not you"}, 'n'},
		{{.auth = "454 4.7.0 later"}, 'l'},
		{{.auth = "421 4.3.2 away"}, 'l'},
		{{.auth = ""}, 'l'},
		{{.auth = "nonsense"}, 'l'},
		{{.auth = "250 ok"}, 'l'},
		{{.auth = "334 "}, 'l'},
		{{.auth = "235 welcome\r\n235 welcome"}, 'l'},
	};
	const struct ipc_auth_state *now = &backend()->state;
	char user[16];
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct ipc_auth_state before = *now;
		unsigned auths = hosts[0].auths, others = hosts[1].auths;
		hosts[0].manners = cases[i].manners;
		snprintf(user, sizeof(user), "user%u", i);
		auth_smtp_plain(i, "front", user, "secret");
		await_answers(i + 1);
		char verdict = now->counts.passed > before.counts.passed     ? 'y'
			       : now->counts.refused > before.counts.refused ? 'n'
									     : 'l';
		if (verdict != cases[i].verdict)
			fail_msg("%u: %c, %s", i, verdict, now->text);
		assert_int_equal(hosts[0].auths - auths, verdict != 'y');
		assert_int_equal(hosts[1].auths - others, verdict == 'y');
		assert_null(strstr(now->text, "c2Vj"));
		auth_smtp_cancel(i);
	}
}

static void with_no_host_left_it_is_later(void **state)
{
	(void)state;
	hosts[0].manners.greeting = "421 4.3.2 away";
	hosts[1].manners.other_key = true;
	auth_smtp_plain(1, "front", "anna", "secret");
	await_answers(1);
	auth_smtp_expect(1, AUTH_LATER, "isp");
	assert_int_equal(hosts[0].auths + hosts[1].auths, 0);
	assert_non_null(strstr(backend()->state.text, "[::1]:"));
	close(hosts[0].listening);
	close(hosts[1].listening);
	hosts[0].listening = hosts[1].listening = -1;
	auth_smtp_plain(2, "front", "anna", "secret");
	await_answers(2);
	auth_smtp_expect(2, AUTH_LATER, "isp");
}

static bool is_full(void)
{
	serve();
	return hosts[0].connections >= 16;
}

static void ask_as_many(void)
{
	for (unsigned i = 0; i < 30; i++) {
		char user[16];
		snprintf(user, sizeof(user), "u%u", i);
		auth_smtp_plain(i, "front", user, "secret");
	}
	auth_smtp_until(is_full);
}

static void more_than_it_may_wait_their_turn(void **state)
{
	(void)state;
	/* it says nothing to the first ones */
	hosts[0].manners.inside = "250-mx.example";
	ask_as_many();
	for (unsigned i = 0; i < 20; i++) {
		auth_smtp_run(1);
		serve();
	}
	assert_int_equal(hosts[0].connections, 16);
	hosts[0].manners.inside = NULL;
	/* one that goes, and what it waited for, makes place for one */
	for (unsigned i = 0; i < 16; i++)
		auth_smtp_cancel(i);
	await_answers(14);
	for (unsigned i = 0; i < 14; i++) {
		assert_int_equal(auth_smtp_await(), IPC_AUTH_VERDICT);
		assert_int_equal(auth_smtp_heard.verdict.verdict, AUTH_OK);
		assert_in_range(auth_smtp_heard.verdict.id, 16, 29);
	}
	assert_int_equal(hosts[0].connections, 30);
}

static void who_closes_the_backend_leaves_nothing(void **state)
{
	(void)state;
	hosts[0].manners.inside = "250-mx.example";
	ask_as_many();
	backends_follow(&auth_smtp);
	for (unsigned i = 0, verdicts = 0; verdicts < 30; i++) {
		unsigned type = auth_smtp_await();
		verdicts += type == IPC_AUTH_VERDICT;
		if (type == IPC_AUTH_VERDICT)
			assert_int_equal(auth_smtp_heard.verdict.verdict, AUTH_LATER);
	}
	hosts[0].manners.inside = NULL;
	auth_smtp_hear_offers();
	/* it is the same place: what was counted goes on, with those who were left */
	assert_int_equal(backend()->state.counts.asked, 30);
	assert_int_equal(backend()->state.counts.later, 30);
	auth_smtp_plain(99, "front", "anna", "secret");
	await_answers(31);
	auth_smtp_expect(99, AUTH_OK, "isp");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	static char domain[] = "domain \"hotel.example\"", wrapped[] = "immediate";
	const struct CMUnitTest tests[] = {
		CASE(a_right_password_is_said_once),
		CASE(what_is_renewed_meanwhile_stays_there),
		{"a_right_password_is_said_once, immediate", a_right_password_is_said_once, set_up,
			take_down, wrapped},
		CASE(what_comes_in_pieces_is_whole),
		CASE(login_is_said_where_there_is_no_plain),
		{"a_user_is_one_however_he_is_typed", a_user_is_one_however_he_is_typed, set_up,
			take_down, domain},
		CASE(every_fault_has_its_verdict),
		CASE(with_no_host_left_it_is_later),
		CASE(more_than_it_may_wait_their_turn),
		CASE(who_closes_the_backend_leaves_nothing),
	};
	const struct tls_wish wish = {.common = "mx.example", .names = "DNS:mx.example"};
	char why[TLS_WHY_SIZE];

	tls_init();
	tls_issue(&mail, &wish);
	tls_issue(&other, &wish);
	for (size_t i = 0; i < 2; i++) {
		const struct tls_certificate shown = tls_certificate_of(i ? &other : &mail);
		contexts[i] = tls_context_client(
			&(struct tls_client_setup){.certificates = &shown, .ncertificates = 1},
			why);
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < 2; i++)
		tls_context_free(contexts[i]);
	tls_issued_free(&mail);
	tls_issued_free(&other);
	return failed;
}
