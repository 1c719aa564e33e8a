/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins at a Dovecot that the test plays, line by line, and badly. */
#include "test/lib/auth_smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING                                                                       \
	"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\n"  \
	"MECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tEXTERNAL\tprivate\nMECH\tANONYMOUS\n" \
	"MECH\tHIDDEN\tprivate\nSPID\t1\nCUID\t1\nCOOKIE\tabc\nDONE\n"
#define OFFERED "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256"
#define ANNA    "resp=AGFubmEAc2VjcmV0" /* "\0anna\0secret" */

static char folder[] = "/tmp/postern-dovecot-XXXXXX";
static char path[64];
static int listening = -1, there = -1;

static void listen_there(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listening, 4), 0);
}

static void close_there(void)
{
	if (listening >= 0)
		close(listening);
	if (there >= 0)
		close(there);
	listening = there = -1;
	unlink(path);
}

static bool is_accepted(void)
{
	there = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return there >= 0;
}

static void say(const char *text)
{
	assert_int_equal(send(there, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next line that it was sent. */
static char line[DOVECOT_LINE_MAX + 1];
static size_t line_len;

static bool is_line(void)
{
	while (recv(there, line + line_len, 1, 0) == 1) {
		if (line[line_len] == '\n') {
			line[line_len] = '\0';
			line_len = 0;
			return true;
		}
		assert_true(++line_len < sizeof(line));
	}
	return false;
}

static void expect_line(const char *begin)
{
	auth_smtp_until(is_line);
	if (strncmp(line, begin, strlen(begin)) != 0)
		fail_msg("%s: said %s", begin, line);
}

/* Its id. */
static unsigned expect_login(const char *mechanism, const char *end)
{
	char begin[64];
	unsigned id;

	auth_smtp_until(is_line);
	if (sscanf(line, "AUTH\t%u\t", &id) != 1)
		fail_msg("said %s", line);
	snprintf(begin, sizeof(begin), "AUTH\t%u\t%s\t", id, mechanism);
	assert_int_equal(strncmp(line, begin, strlen(begin)), 0);
	assert_non_null(strstr(line, "\tno-penalty\t"));
	assert_non_null(strstr(line, "\tsecured"));
	assert_non_null(strstr(line, "\trip=192.0.2.7\t"));
	if (end)
		assert_string_equal(strrchr(line, '\t') + 1, end);
	return id;
}

static void sayf(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void sayf(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say(text);
}

static void greet(const char *greeting)
{
	auth_smtp_until(is_accepted);
	line_len = 0;
	expect_line("VERSION\t1\t");
	expect_line("CPID\t");
	say(greeting);
}

static bool is_up(void)
{
	const struct backend *backend = backends_find(&auth_smtp, "mail");

	return backend->state.up && backend->greeting.done;
}

static bool is_away(void)
{
	return !backends_find(&auth_smtp, "mail")->state.up;
}

static int set_up(void **state)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"certificate c { file \"/c\" key \"/k\" }\nauth mail { dovecot \"%s\" %s }\n"
		"server s { host 192.0.2.1 }\nlistener front { address 203.0.113.1 port 587 auth "
		"mail tls require { certificate c } }\n"
		"rule r { listener front user any server s }\n",
		path, *state ? (const char *)*state : "");
	auth_smtp_init(text);
	listen_there();
	auth_smtp_begin();
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	auth_smtp_fini();
	close_there();
	return 0;
}

static void begin(void)
{
	greet(GREETING);
	auth_smtp_until(is_up);
	auth_smtp_hear_offers();
}

/* ---- */

static void its_mechanisms_are_offered_once_it_greeted(void **state)
{
	(void)state;
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "PLAIN LOGIN");
	assert_int_equal(auth_smtp_heard.offer.whole, 0);
	/* what it did not tell yet it may have */
	auth_smtp_ask(1, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	auth_smtp_expect(1, AUTH_LATER, "");
	greet(GREETING);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, OFFERED);
	assert_int_equal(auth_smtp_heard.offer.whole, 1);
	assert_string_equal(auth_smtp_heard.offer.clear, "CRAM-MD5 SCRAM-SHA-256");
	auth_smtp_ask(2, "front", "OTHER", "192.0.2.7", NULL, 0, false);
	auth_smtp_expect(2, AUTH_NO_MECHANISM, "");
	/* they stay while it is away, and are told again only when they change */
	close(there);
	auth_smtp_until(is_away);
	greet(GREETING);
	auth_smtp_until(is_up);
	assert_int_equal(auth_smtp_hear(), 0);
	close(there);
	auth_smtp_until(is_away);
	greet("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nDONE\n");
	assert_int_equal(auth_smtp_await(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "PLAIN LOGIN");
}

static void they_outlive_a_policy_while_it_is_away(void **state)
{
	(void)state;
	begin();
	close_there();
	auth_smtp_until(is_away);
	auth_world_follow(auth_smtp_world);
	assert_true(is_away());
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, OFFERED);
	assert_string_equal(auth_smtp_heard.offer.clear, "CRAM-MD5 SCRAM-SHA-256");
	assert_string_equal(backends_find(&auth_smtp, "mail")->state.mechanisms, OFFERED);
	/* one that has others now is believed */
	listen_there();
	greet("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nDONE\n");
	assert_int_equal(auth_smtp_await(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "PLAIN LOGIN");
}

static void what_is_written_narrows_them(void **state)
{
	(void)state;
	greet(GREETING);
	auth_smtp_until(is_up);
	auth_smtp_hear();
	assert_int_equal(auth_smtp_await(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "LOGIN SCRAM-SHA-256");
	auth_smtp_plain(1, "front", "anna", "secret");
	auth_smtp_expect(1, AUTH_NO_MECHANISM, "");
	assert_string_equal(
		backends_find(&auth_smtp, "mail")->state.mechanisms, "LOGIN SCRAM-SHA-256");
}

static void a_password_goes_as_plain(void **state)
{
	(void)state;
	begin();
	auth_smtp_plain(7, "front", "anna", "secret");
	sayf("OK\t%u\tuser=anna@hotel.example\n", expect_login("PLAIN", ANNA));
	auth_smtp_expect(7, AUTH_OK, "mail");
	assert_string_equal(auth_smtp_user(), "anna@hotel.example");
	/* LOGIN, too; and whoever is not named is who he typed */
	auth_smtp_ask(8, "front", "LOGIN", "192.0.2.7", NULL, 0, false);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	auth_smtp_respond(8, "aNNa ");
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	auth_smtp_respond(8, "secret");
	sayf("OK\t%u\n", expect_login("PLAIN", "resp=AGFOTmEAc2VjcmV0"));
	auth_smtp_expect(8, AUTH_OK, "mail");
	assert_string_equal(auth_smtp_user(), "anna");
}

static void answers_come_in_any_order(void **state)
{
	unsigned ids[3];
	(void)state;
	begin();
	for (unsigned i = 0; i < 3; i++) {
		auth_smtp_plain(i, "front", i == 1 ? "bert" : "anna", "secret");
		ids[i] = expect_login("PLAIN", NULL);
	}
	sayf("FAIL\t%u\tuser=anna\ttemp\nOK\t%u\tuser=x\nOK\t%u\tuser=bert\n", ids[2],
		ids[0] + 1000, ids[1]);
	auth_smtp_expect(2, AUTH_LATER, "mail");
	auth_smtp_expect(1, AUTH_OK, "mail");
	assert_string_equal(auth_smtp_user(), "bert");
	sayf("FAIL\t%u\tuser=anna\treason=no\n", ids[0]);
	auth_smtp_expect(0, AUTH_REFUSED, "mail");
}

static void a_challenge_goes_through(void **state)
{
	unsigned id;
	(void)state;
	begin();
	auth_smtp_ask(1, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	id = expect_login("CRAM-MD5", "secured");
	sayf("CONT\t%u\tPDFAYT4=\n", id);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	assert_int_equal(auth_smtp_heard.challenge.bytes, 5);
	assert_memory_equal(auth_smtp_heard.challenge.challenge, "<1@a>", 5);
	auth_smtp_respond(1, "anna 0123");
	expect_line("CONT\t");
	assert_string_equal(strrchr(line, '\t') + 1, "YW5uYSAwMTIz");
	sayf("OK\t%u\tuser=anna\n", id);
	auth_smtp_expect(1, AUTH_OK, "mail");
	/* with a first response, and an empty one behind an empty challenge */
	auth_smtp_ask(2, "front", "SCRAM-SHA-256", "192.0.2.7", "n,,n=anna,r=1", 13, true);
	id = expect_login("SCRAM-SHA-256", "resp=biwsbj1hbm5hLHI9MQ==");
	sayf("CONT\t%u\t\n", id);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	assert_int_equal(auth_smtp_heard.challenge.bytes, 0);
	auth_smtp_respond(2, "");
	expect_line("CONT\t");
	assert_string_equal(strrchr(line, '\t') + 1, "");
	/* who does not say who it is, is nobody */
	sayf("OK\t%u\n", id);
	auth_smtp_expect(2, AUTH_LATER, "mail");
}

/* Else the client would choose when that is, and see by it how fast Dovecot was. */
static void a_no_is_held_back_from_the_last_answer_on(void **state)
{
	(void)state;
	begin();
	auth_smtp_ask(1, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	unsigned id = expect_login("CRAM-MD5", "secured");
	sayf("CONT\t%u\tPDFAYT4=\n", id);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	auth_smtp_run(5);
	uint64_t said_ms = auth_smtp_now_ms();
	auth_smtp_respond(1, "anna 0123");
	expect_line("CONT\t");
	assert_true(auth_smtp.attempts.first->begun_ms >= said_ms);
}

static void what_cannot_be_a_challenge_is_none(void **state)
{
	static const char *const challenges[] = {"PDF", "P===", "a b=", "YQ=="};
	(void)state;
	begin();
	for (unsigned i = 0; i < 4; i++) {
		bool plain = i == 3;
		if (plain)
			auth_smtp_plain(i, "front", "anna", "secret");
		else
			auth_smtp_ask(i, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
		sayf("CONT\t%u\t%s\n", expect_login(plain ? "PLAIN" : "CRAM-MD5", NULL),
			challenges[i]);
		auth_smtp_expect(i, AUTH_LATER, "mail");
		expect_line("CANCEL\t");
	}
	/* a second one, where the client has not answered the first */
	auth_smtp_ask(9, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	unsigned id = expect_login("CRAM-MD5", NULL);
	sayf("CONT\t%u\tYQ==\nCONT\t%u\tYQ==\n", id, id);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	auth_smtp_expect(9, AUTH_LATER, "mail");
	/* the connection has outlived all that */
	auth_smtp_plain(10, "front", "anna", "secret");
	expect_line("CANCEL\t");
	sayf("OK\t%u\tuser=anna\n", expect_login("PLAIN", ANNA));
	auth_smtp_expect(10, AUTH_OK, "mail");
}

static void all_that_were_asked_hear_that_it_is_lost(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 5; i++) {
		auth_smtp_plain(i, "front", "anna", "secret");
		expect_login("PLAIN", ANNA);
	}
	auth_smtp_ask(5, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	sayf("CONT\t%u\tYQ==\n", expect_login("CRAM-MD5", NULL));
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	close_there();
	for (unsigned i = 0, heard = 0; i < 6; i++) {
		/* all at once */
		assert_int_equal(i ? auth_smtp_hear() : auth_smtp_await(), IPC_AUTH_VERDICT);
		assert_int_equal(auth_smtp_heard.verdict.verdict, AUTH_LATER);
		heard |= 1u << auth_smtp_heard.verdict.id;
		assert_int_equal(i == 5 ? heard : 63, 63);
	}
	/* who had a challenge to answer does not wait for what was said meanwhile */
	auth_smtp_respond(5, "anna 0123");
	auth_smtp_expect(5, AUTH_LATER, "");
	auth_smtp_plain(6, "front", "anna", "secret");
	auth_smtp_expect(6, AUTH_LATER, "mail");
	/* it comes back by itself; who asks before it has greeted waits for that */
	listen_there();
	auth_smtp_until(is_accepted);
	auth_smtp_plain(7, "front", "anna", "secret");
	line_len = 0;
	expect_line("VERSION\t1\t");
	expect_line("CPID\t");
	say(GREETING);
	sayf("OK\t%u\tuser=anna\n", expect_login("PLAIN", ANNA));
	auth_smtp_expect(7, AUTH_OK, "mail");
}

static void what_is_cut_anywhere_is_whole(void **state)
{
	static const char text[] = GREETING;
	char answer[64];
	(void)state;
	auth_smtp_until(is_accepted);
	for (size_t i = 0; text[i]; i++) {
		assert_int_equal(send(there, text + i, 1, 0), 1);
		auth_smtp_run(0);
	}
	auth_smtp_until(is_up);
	auth_smtp_hear_offers();
	expect_line("VERSION\t1\t");
	expect_line("CPID\t");
	auth_smtp_plain(1, "front", "anna", "secret");
	snprintf(answer, sizeof(answer), "OK\t%u\tuser=anna\n", expect_login("PLAIN", ANNA));
	for (size_t i = 0; answer[i]; i++) {
		assert_int_equal(send(there, answer + i, 1, 0), 1);
		auth_smtp_run(0);
	}
	auth_smtp_expect(1, AUTH_OK, "mail");
}

static bool is_left(void)
{
	char byte;

	return recv(there, &byte, 1, 0) == 0;
}

static void a_configuration_that_was_read_anew_is_met(void **state)
{
	unsigned id;
	(void)state;
	begin();
	auth_smtp_plain(1, "front", "anna", "secret");
	id = expect_login("PLAIN", ANNA);
	/* not while one is asked for */
	backends_renew(&auth_smtp);
	sayf("OK\t%u\tuser=anna\n", id);
	auth_smtp_expect(1, AUTH_OK, "mail");
	for (unsigned i = 0; i < 2; i++) {
		auth_smtp_until(is_left);
		close(there);
		greet(GREETING);
		auth_smtp_plain(2, "front", "anna", "secret");
		sayf("OK\t%u\tuser=anna\n", expect_login("PLAIN", ANNA));
		auth_smtp_expect(2, AUTH_OK, "mail");
		assert_true(is_up());
		backends_renew(&auth_smtp);
	}
}

static void who_is_dropped_is_asked_no_more(void **state)
{
	unsigned id;
	(void)state;
	begin();
	auth_smtp_plain(1, "front", "anna", "secret");
	id = expect_login("PLAIN", ANNA);
	auth_smtp_cancel(1);
	expect_line("CANCEL\t");
	/* what crossed it is nobody's, the next has another id */
	sayf("OK\t%u\tuser=bert\n", id);
	auth_smtp_plain(2, "front", "anna", "secret");
	unsigned other = expect_login("PLAIN", ANNA);
	assert_int_not_equal(other, id);
	sayf("FAIL\t%u\nOK\t%u\tuser=anna\n", id, other);
	auth_smtp_expect(2, AUTH_OK, "mail");
	assert_string_equal(auth_smtp_user(), "anna");
}

static void nonsense_ends_the_connection_and_nothing_else(void **state)
{
	static const char *const greetings[] = {"HELLO\n", "VERSION\t2\t0\n",
		"MECH\tPLAIN\nVERSION\t1\t1\n", "VERSION\t1\t1\nDONE\n", "\n", "220 a.example\r\n"};
	static char line_of_its_own[DOVECOT_LINE_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof(greetings) / sizeof(*greetings); i++) {
		greet(greetings[i]);
		auth_smtp_until(is_away);
		assert_non_null(strstr(
			backends_find(&auth_smtp, "mail")->state.text, "its greeting should"));
		backends_find(&auth_smtp, "mail")->state.up = 1;
		close(there);
	}
	greet(GREETING);
	auth_smtp_until(is_up);
	auth_smtp_hear_offers();
	/* lines that say nothing of a login are none of ours */
	say("WHAT\t1\n\n\t\t\tOK\nNOTFOUND\t1\tOK\t2\n");
	auth_smtp_plain(1, "front", "anna", "secret");
	expect_login("PLAIN", ANNA);
	say("OK\tno number\n");
	auth_smtp_expect(1, AUTH_LATER, "mail");
	close(there);
	begin();
	auth_smtp_plain(2, "front", "anna", "secret");
	expect_login("PLAIN", ANNA);
	memset(line_of_its_own, 'x', sizeof(line_of_its_own) - 1);
	say(line_of_its_own);
	auth_smtp_expect(2, AUTH_LATER, "mail");
	close(there);
	begin();
}

/* Whoever says whose name it is counts as one who types it; who has passed goes by the other. */
static void a_user_that_is_said_counts_and_is_not_believed(void **state)
{
	unsigned said = 0, limited = 0;
	(void)state;
	begin();
	/* carl is known there, whatever others guess from there */
	auth_smtp_ask(1, "front", "SCRAM-SHA-256", "192.0.2.7", "n,,n=dora,r=1", 13, true);
	sayf("OK\t%u\tuser=carl\n", expect_login("SCRAM-SHA-256", NULL));
	auth_smtp_expect(1, AUTH_OK, "mail");
	for (unsigned i = 0; i < GUESS_PER_ADDRESS + 4; i++) {
		char first[64];
		int len = snprintf(first, sizeof(first), "n,,n=u%u,r=1", i / 3);
		auth_smtp_ask(
			100 + i, "front", "SCRAM-SHA-256", "192.0.2.7", first, (size_t)len, true);
		auth_smtp_run(2);
		if (auth_smtp_hear() == IPC_AUTH_VERDICT) {
			limited += auth_smtp_heard.verdict.verdict == AUTH_LIMITED;
			continue;
		}
		sayf("FAIL\t%u\n", expect_login("SCRAM-SHA-256", NULL));
		auth_smtp_run(2);
		said++;
	}
	assert_int_equal(said, GUESS_PER_ADDRESS);
	assert_int_equal(limited, 4);
	/* dora, whom he claimed to be, is not known for it */
	auth_smtp_ask(2, "front", "SCRAM-SHA-256", "192.0.2.7", "n,,n=dora,r=1", 13, true);
	auth_smtp_expect(2, AUTH_LIMITED, "");
	auth_smtp_ask(3, "front", "SCRAM-SHA-256", "192.0.2.7", "n,,n=Carl,r=1", 13, true);
	sayf("OK\t%u\tuser=carl\n", expect_login("SCRAM-SHA-256", NULL));
	auth_smtp_expect(3, AUTH_OK, "mail");
	/* the name comes late: nobody is asked for a proof before */
	auth_smtp_ask(4, "front", "CRAM-MD5", "192.0.2.7", NULL, 0, false);
	sayf("CONT\t%u\tYQ==\n", expect_login("CRAM-MD5", NULL));
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	auth_smtp_respond(4, "u0 0123");
	auth_smtp_expect(4, AUTH_LIMITED, "mail");
	expect_line("CANCEL\t");
}

static unsigned limited(void)
{
	unsigned n = 0;

	while (auth_smtp_hear() == IPC_AUTH_VERDICT)
		n += auth_smtp_heard.verdict.verdict == AUTH_LIMITED;
	return n;
}

static void who_guesses_all_at_once_is_not_asked_for_more(void **state)
{
	(void)state;
	begin();
	/* anna is known there, whoever guesses at her */
	auth_smtp_plain(1, "front", "anna", "secret");
	sayf("OK\t%u\tuser=anna\n", expect_login("PLAIN", ANNA));
	auth_smtp_expect(1, AUTH_OK, "mail");
	for (unsigned i = 0; i < 2 * GUESS_PER_PAIR; i++) {
		auth_smtp_plain(100 + i, "front", "bert", "guess");
		auth_smtp_plain(200 + i, "front", "anna", "secret");
	}
	auth_smtp_run(5);
	assert_int_equal(limited(), GUESS_PER_PAIR);
	for (unsigned i = 0; i < GUESS_AT_ONCE; i++) {
		char user[16];
		snprintf(user, sizeof(user), "u%u", i);
		auth_smtp_plain(300 + i, "front", user, "guess");
	}
	auth_smtp_run(5);
	/* bert's five are among them; she takes no place of theirs */
	assert_int_equal(limited(), GUESS_PER_PAIR);
	/* others have their own */
	auth_smtp_ask(2, "front", "PLAIN", "198.51.100.1", "\0bert\0secret", 12, true);
	auth_smtp_run(5);
	assert_int_equal(limited(), 0);
}

static void a_dovecot_that_reads_nothing_holds_nobody_up(void **state)
{
	unsigned later = 0;
	(void)state;
	begin();
	/* more than its socket and what is kept of it hold */
	static char response[AUTH_BYTES_MAX];
	for (unsigned i = 0; i < 60; i++) {
		auth_smtp_ask(i, "front", "OTHER", "192.0.2.7", response, sizeof(response), true);
		auth_smtp_run(0);
	}
	while (auth_smtp_hear() == IPC_AUTH_VERDICT)
		later += auth_smtp_heard.verdict.verdict == AUTH_NO_MECHANISM;
	assert_int_equal(later, 60);
	for (unsigned i = 0; i < 100; i++) {
		char from[32];
		snprintf(from, sizeof(from), "198.51.100.%u", i);
		auth_smtp_ask(100 + i, "front", "CRAM-MD5", from, response, sizeof(response), true);
		auth_smtp_run(0);
	}
	later = 0;
	while (auth_smtp_hear() == IPC_AUTH_VERDICT)
		later += auth_smtp_heard.verdict.verdict == AUTH_LATER;
	assert_in_range(later, 1, 99);
	close_there();
	for (; later < 100; later++) {
		assert_int_equal(auth_smtp_await(), IPC_AUTH_VERDICT);
		assert_int_equal(auth_smtp_heard.verdict.verdict, AUTH_LATER);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	static char narrow[] = "mechanism LOGIN, SCRAM-SHA-256";
	const struct CMUnitTest tests[] = {
		CASE(its_mechanisms_are_offered_once_it_greeted),
		CASE(they_outlive_a_policy_while_it_is_away),
		{"what_is_written_narrows_them", what_is_written_narrows_them, set_up, take_down,
			narrow},
		CASE(a_password_goes_as_plain),
		CASE(answers_come_in_any_order),
		CASE(a_challenge_goes_through),
		CASE(a_no_is_held_back_from_the_last_answer_on),
		CASE(what_cannot_be_a_challenge_is_none),
		CASE(all_that_were_asked_hear_that_it_is_lost),
		CASE(what_is_cut_anywhere_is_whole),
		CASE(a_configuration_that_was_read_anew_is_met),
		CASE(who_is_dropped_is_asked_no_more),
		CASE(nonsense_ends_the_connection_and_nothing_else),
		CASE(a_user_that_is_said_counts_and_is_not_believed),
		CASE(who_guesses_all_at_once_is_not_asked_for_more),
		CASE(a_dovecot_that_reads_nothing_holds_nobody_up),
	};

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/auth", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
