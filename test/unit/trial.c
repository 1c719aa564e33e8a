/* The dialogue of `server test`, as scripts: what the server says, what we say, and the verdict. */
#include "lib/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GREETING "220 mx.example.org ESMTP\r\n"
#define EHLO     "EHLO gw.example.net\r\n"
#define HELLO    "250-mx.example.org\r\n250 HELP\r\n"
#define XHELLO   "250-mx.example.org\r\n250-XCLIENT NAME ADDR PORT LOGIN\r\n250 HELP\r\n"
#define PROXY4   "PROXY TCP4 192.0.2.1 192.0.2.3 40025 25\r\n"
#define XC_USER  "XCLIENT NAME=[UNAVAILABLE] PORT=40025 LOGIN=anna ADDR=192.0.2.1\r\n"
#define XC_ALONE "XCLIENT NAME=[UNAVAILABLE] PORT=40025 ADDR=192.0.2.1\r\n"
#define MAIL     "MAIL FROM:<postmaster@gw.example.net>\r\n"
#define RCPT     "RCPT TO:<test@example.org>\r\n"
#define RSET     "RSET\r\n"
#define QUIT     "QUIT\r\n"
#define OK       "250 2.0.0 Ok\r\n"
#define BYE      "221 2.0.0 bye\r\n"
#define DENIED   "454 4.7.1 <test@example.org>: Relay access denied\r\n"
#define REFUSED  "refused: 454 4.7.1 <test@example.org>: Relay access denied: "

struct script {
	const char *name;
	enum policy_announce announce;
	enum policy_bind bind;
	const char *login;
	const char *lines[24]; /* what we say and what the server says to it, in turn */
	enum trial_verdict verdict;
	const char *text;
};

#define NONE   POLICY_ANNOUNCE_NONE
#define V1     POLICY_ANNOUNCE_PROXY_V1
#define XC     POLICY_ANNOUNCE_XCLIENT
#define GATE   POLICY_BIND_GATEWAY
#define CLIENT POLICY_BIND_CLIENT

static const struct script scripts[] = {
	{"relays for the gateway", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		TRIAL_TAKEN_UNNAMED,
		"taken: 250 2.0.0 Ok: but <test@example.org> is accepted without identity: "
		"everybody behind the gateway can relay by 203.0.113.1; to let the server tell "
		"clients apart, announce xclient or proxy-v2, or bind client"},
	{"does not", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, DENIED, RSET, OK, QUIT, BYE},
		TRIAL_REFUSED, REFUSED "let the server accept 203.0.113.1, or announce xclient"},
	{"tested from the gateway for bind client", NONE, CLIENT, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, DENIED, RSET, OK, QUIT, BYE},
		TRIAL_REFUSED,
		REFUSED "let the server accept the clients' networks; this test came from "
			"203.0.113.1"},
	{"relays for the client", V1, GATE, NULL,
		{PROXY4, GREETING, EHLO, HELLO, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		TRIAL_TAKEN, "taken: 250 2.0.0 Ok: for 192.0.2.1"},
	{"not for the client", V1, GATE, NULL,
		{PROXY4, GREETING, EHLO, HELLO, MAIL, OK, RCPT, DENIED, RSET, OK, QUIT, BYE},
		TRIAL_REFUSED, REFUSED "let the server relay for 192.0.2.1"},
	{"for the user", XC, GATE, "anna",
		{"", GREETING, EHLO, XHELLO, XC_USER, GREETING, EHLO, HELLO, MAIL, OK, RCPT, OK,
			RSET, OK, QUIT, BYE},
		TRIAL_TAKEN, "taken: 250 2.0.0 Ok: for 192.0.2.1, user anna"},
	{"not for nobody", XC, GATE, NULL,
		{"", GREETING, EHLO, XHELLO, XC_ALONE, GREETING, EHLO, HELLO, MAIL, OK, RCPT,
			DENIED, RSET, OK, QUIT, BYE},
		TRIAL_REFUSED,
		REFUSED "let the server relay for 192.0.2.1, or test with a user: LOGIN grants "
			"what the server grants its users"},
	{"does not take our word", XC, GATE, NULL, {"", GREETING, EHLO, HELLO}, TRIAL_REFUSED,
		"refused: does not offer XCLIENT to the gateway: add 203.0.113.1 to the server's "
		"smtpd_authorized_xclient_hosts, at a port without postscreen; or announce none"},
	{"takes anybody's word", NONE, GATE, NULL, {"", GREETING, EHLO, XHELLO}, TRIAL_REFUSED,
		"refused: offers XCLIENT to the gateway: announce xclient, or take 203.0.113.1 out "
		"of the server's smtpd_authorized_xclient_hosts"},
	{"and the client's", XC, GATE, NULL,
		{"", GREETING, EHLO, XHELLO, XC_ALONE, GREETING, EHLO, XHELLO}, TRIAL_REFUSED,
		"refused: offers XCLIENT to the client that was named: take 192.0.2.1 out of the "
		"server's smtpd_authorized_xclient_hosts"},
	{"expects no header", V1, GATE, NULL, {PROXY4, GREETING, EHLO, "502 5.5.2 what\r\n"},
		TRIAL_REFUSED,
		"refused: does not take the PROXY header: 502 5.5.2 what: let the server expect "
		"PROXY at 203.0.113.10:25 (man 7 postern-server), or announce none"},
	{"says yes to the header, and is one reply behind", V1, GATE, NULL,
		{PROXY4, GREETING, EHLO, OK, MAIL, OK, RCPT, OK, RSET, OK, QUIT, OK}, TRIAL_REFUSED,
		"refused: answers QUIT behind a PROXY header with 250 2.0.0 Ok: let the server "
		"expect PROXY at 203.0.113.10:25 (man 7 postern-server), or announce none"},
	{"and catches up", V1, GATE, NULL, {PROXY4, GREETING, EHLO, OK, MAIL, HELLO OK},
		TRIAL_REFUSED,
		"refused: does not take the PROXY header: more than one reply: let the server "
		"expect PROXY at 203.0.113.10:25 (man 7 postern-server), or announce none"},
	{"refuses the gateway", NONE, GATE, NULL, {"", "554 5.7.1 go away\r\n"}, TRIAL_REFUSED,
		"refused: 554 5.7.1 go away: let the server accept connections from 203.0.113.1"},
	{"refuses the client", V1, GATE, NULL, {PROXY4, "554 5.7.1 go away\r\n"}, TRIAL_REFUSED,
		"refused: 554 5.7.1 go away: let the server accept 192.0.2.1 as a client"},
	{"is full", NONE, GATE, NULL, {"", "421 4.7.0 Error: too many connections\r\n"},
		TRIAL_REFUSED,
		"refused: 421 4.7.0 Error: too many connections: raise the server's limits for "
		"203.0.113.1, since all clients are one to it (man 7 postern-server)"},
	{"wants TLS", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL,
			"530 5.7.0 Must issue a STARTTLS command first\r\n", QUIT, BYE},
		TRIAL_REFUSED,
		"refused: 530 5.7.0 Must issue a STARTTLS command first: let the server take clear "
		"text from 203.0.113.1"},
	{"wants AUTH", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, "530 5.7.0 Authentication required\r\n", QUIT,
			BYE},
		TRIAL_REFUSED,
		"refused: 530 5.7.0 Authentication required: let the server relay for 203.0.113.1 "
		"without AUTH"},
	{"does not know the sender", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT,
			"450 4.1.8 <postmaster@gw.example.net>: Sender address rejected: Domain "
			"not found\r\n",
			RSET, OK, QUIT, BYE},
		TRIAL_REFUSED,
		"refused: 450 4.1.8 <postmaster@gw.example.net>: Sender address rejected: Domain "
		"not found: test with a sender that it takes: from ADDRESS"},
	{"does not know the recipient", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, "550 5.1.1 User unknown\r\n", RSET, OK,
			QUIT, BYE},
		TRIAL_REFUSED,
		"refused: 550 5.1.1 User unknown: test with a recipient that it takes: to ADDRESS"},
	{"greylists", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, "450 4.2.0 Greylisted\r\n", RSET, OK,
			QUIT, BYE},
		TRIAL_REFUSED,
		"refused: 450 4.2.0 Greylisted: spare 203.0.113.1 from greylisting; clients will "
		"try again"},
	{"says too much", NONE, GATE, NULL, {"", GREETING, EHLO, HELLO, MAIL, OK OK}, TRIAL_REFUSED,
		"refused: says more than it was asked: the server's log says why it gives up on "
		"203.0.113.1"},
	{"speaks another language", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, "hello\r\n"}, TRIAL_REFUSED,
		"refused: answers what is not SMTP: the server's log says why it gives up on "
		"203.0.113.1"},
};

/* From the client's own address, which is then 203.0.113.1. */
static const struct script foreign_scripts[] = {
	{"relays for the client as it comes", NONE, CLIENT, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE}, TRIAL_TAKEN,
		"taken: 250 2.0.0 Ok: for 203.0.113.1"},
	{"does not relay for the client as it comes", NONE, CLIENT, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, OK, RCPT, DENIED, RSET, OK, QUIT, BYE},
		TRIAL_REFUSED,
		REFUSED "let the server accept the clients' networks, 203.0.113.1 among them"},
	{"offers it XCLIENT", NONE, CLIENT, NULL, {"", GREETING, EHLO, XHELLO}, TRIAL_REFUSED,
		"refused: offers XCLIENT to the gateway: announce xclient, or take 203.0.113.1 out "
		"of the server's smtpd_authorized_xclient_hosts"},
};

static bool foreign;
static struct trial trial;
static char verdict[TRIAL_VERDICT_SIZE];

static struct trial_setup setup_of(const struct script *script)
{
	return (struct trial_setup){.dialogue = {.hostname = "gw.example.net",
					    .announce = script->announce,
					    .client = {{{192, 0, 2, 1}, ADDR_IP4}, 40025},
					    .original = {{{192, 0, 2, 3}, ADDR_IP4}, 25},
					    .login = script->login},
		.from = "postmaster@gw.example.net",
		.to = "test@example.org",
		.bind = script->bind,
		.login = true,
		.foreign = foreign,
		.own = {{203, 0, 113, 1}, ADDR_IP4},
		.host = {{{203, 0, 113, 10}, ADDR_IP4}, 25}};
}

/* step: how many bytes the server says at a time. */
static void play(const struct script *script, size_t step)
{
	const struct trial_setup setup = setup_of(script);
	char said[PROXY_V2_SIZE + 1];

	trial_begin(&trial, &setup);
	for (size_t i = 0; script->lines[i]; i++) {
		const char *line = script->lines[i];
		if (i % 2 == 0) {
			memcpy(said, trial.out, trial.out_len);
			said[trial.out_len] = '\0';
			assert_string_equal(said, line);
			continue;
		}
		size_t len = strlen(line);
		for (size_t at = 0; at < len && trial.step != TRIAL_OVER; at += step)
			trial_feed(&trial, line + at, len - at < step ? len - at : step, 0);
	}
	assert_int_equal(trial.step, TRIAL_OVER);
	assert_int_equal(trial_judge(&trial, verdict), script->verdict);
	assert_string_equal(verdict, script->text);
}

static void trials_end_with_a_verdict_that_names_the_fix(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		print_message("%s\n", scripts[i].name);
		play(&scripts[i], 100000);
		/* byte by byte the surplus is the next reply */
		if (!strstr(scripts[i].text, "more than"))
			play(&scripts[i], 1);
	}
}

static void from_the_clients_own_address_the_fix_is_about_it(void **state)
{
	(void)state;
	foreign = true;
	for (size_t i = 0; i < sizeof(foreign_scripts) / sizeof(foreign_scripts[0]); i++)
		play(&foreign_scripts[i], 100000);
	const struct trial_setup setup = setup_of(&foreign_scripts[0]);
	foreign = false;
	trial_unreached(&setup, ETIMEDOUT, verdict);
	assert_string_equal(verdict,
		"unreachable: 203.0.113.10:25: no connection in time: is it up, does it send what "
		"is for 203.0.113.1 back by this gateway, and does no filter drop it?");
	trial_unreached(&setup, EPERM, verdict);
	assert_string_equal(verdict,
		"unreachable: 203.0.113.10:25: Operation not permitted: the keeper gave no socket "
		"for the client's address; the log says why");
}

static void begin_and_say(const char *line)
{
	static struct trial_setup setup;
	setup = setup_of(&scripts[0]);
	trial_begin(&trial, &setup);
	for (; *line; line += strcspn(line, "\n") + 1)
		trial_feed(&trial, line, strcspn(line, "\n") + 1, 0);
}

static void silence_and_closing_are_judged_by_where_they_come(void **state)
{
	(void)state;
	begin_and_say("");
	trial_late(&trial);
	assert_int_equal(trial_judge(&trial, verdict), TRIAL_REFUSED);
	assert_string_equal(verdict,
		"refused: too late: the greeting: let the server accept connections from "
		"203.0.113.1; if it expects PROXY at 203.0.113.10:25, announce proxy-v2 or use "
		"another port");

	begin_and_say(GREETING "250 hello\r\n" OK);
	assert_int_equal(trial.step, TRIAL_RCPT);
	trial_closed(&trial, "Connection reset by peer", 0);
	assert_int_equal(trial_judge(&trial, verdict), TRIAL_REFUSED);
	assert_string_equal(verdict,
		"refused: closed before the reply to RCPT: Connection reset by peer: the server's "
		"log says why it gives up on 203.0.113.1");

	/* behind the reply to RCPT all is known */
	begin_and_say(GREETING "250 hello\r\n" OK OK);
	assert_int_equal(trial.step, TRIAL_RSET);
	trial_late(&trial);
	assert_int_equal(trial_judge(&trial, verdict), TRIAL_TAKEN_UNNAMED);
}

static void what_cannot_be_connected_is_told_apart(void **state)
{
	const struct trial_setup setup = setup_of(&scripts[0]);
	(void)state;
	trial_unreached(&setup, ECONNREFUSED, verdict);
	assert_string_equal(verdict,
		"unreachable: 203.0.113.10:25: Connection refused: does a mail server listen "
		"there, and does no filter reject 203.0.113.1?");
	trial_unreached(&setup, ETIMEDOUT, verdict);
	assert_string_equal(verdict,
		"unreachable: 203.0.113.10:25: no connection in time: is it up, does it route back "
		"to 203.0.113.1, and does no filter drop it?");
	trial_unreached(&setup, ENETUNREACH, verdict);
	assert_string_equal(verdict,
		"unreachable: 203.0.113.10:25: Network is unreachable: is there a route to it?");
}

static void a_path_injects_nothing(void **state)
{
	static const char *const good[] = {"", "a@b", "\"a@b\"@c.example", "a+b@[192.0.2.1]"};
	static const char *const bad[] = {
		"a", "a b@c", "a@b>", "<a@b", "a@b\r\nDATA", "a\x80@b", "@b", "a@"};
	char longest[TRIAL_PATH_SIZE + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(trial_is_path(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(trial_is_path(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	longest[1] = '@';
	assert_false(trial_is_path(longest));
	longest[TRIAL_PATH_SIZE - 1] = '\0';
	assert_true(trial_is_path(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trials_end_with_a_verdict_that_names_the_fix),
		cmocka_unit_test(from_the_clients_own_address_the_fix_is_about_it),
		cmocka_unit_test(silence_and_closing_are_judged_by_where_they_come),
		cmocka_unit_test(what_cannot_be_connected_is_told_apart),
		cmocka_unit_test(a_path_injects_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
