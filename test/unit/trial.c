/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialogue of `server test`, as scripts: what the server says, what we say, and the verdict. */
#include "lib/smtp/probe/trial.h"

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
		"refused: 530 5.7.0 Must issue a STARTTLS command first: write `tls require` at "
		"the "
		"server, or let it take clear text from 203.0.113.1"},
	{"wants AUTH", NONE, GATE, NULL,
		{"", GREETING, EHLO, HELLO, MAIL, "530 5.7.0 Authentication required\r\n", QUIT,
			BYE},
		TRIAL_REFUSED,
		"refused: 530 5.7.0 Authentication required: let the server relay for 203.0.113.1 "
		"without AUTH, or write an `account` at it"},
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

/* Where flows are read, it goes on. The first half is for those that are not, if such may come. */
#define ANYBODY                                                                          \
	"taken: 250 2.0.0 Ok: but <test@example.org> is accepted without identity: "     \
	"everybody behind the gateway can relay by 203.0.113.1; to let the server tell " \
	"clients apart, announce xclient or proxy-v2, or bind client"

static const struct {
	bool plain;
	struct script script;
} read_scripts[] = {
	{false, {"offers XCLIENT", NONE, GATE, NULL,
			{"", GREETING, EHLO, XHELLO, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
			TRIAL_TAKEN_UNNAMED, ANYBODY}},
	{true, {"offers XCLIENT, and some flows are plain", NONE, GATE, NULL,
		       {"", GREETING, EHLO, XHELLO, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		       TRIAL_REFUSED,
		       "refused at connection level: offers XCLIENT to the gateway: announce "
		       "xclient, or take 203.0.113.1 out of the server's "
		       "smtpd_authorized_xclient_hosts; at message level " ANYBODY}},
	{true, {"offers XCLIENT and relays for nobody", NONE, GATE, NULL,
		       {"", GREETING, EHLO, XHELLO, MAIL, OK, RCPT, DENIED, RSET, OK, QUIT, BYE},
		       TRIAL_REFUSED,
		       "refused at connection level: offers XCLIENT to the gateway: announce "
		       "xclient, or take 203.0.113.1 out of the server's "
		       "smtpd_authorized_xclient_hosts; at message level " REFUSED
		       "let the server accept 203.0.113.1, or announce xclient"}},
	{true, {"believes everybody", XC, GATE, NULL,
		       {"", GREETING, EHLO, XHELLO, XC_ALONE, GREETING, EHLO, XHELLO, MAIL, OK,
			       RCPT, OK, RSET, OK, QUIT, BYE},
		       TRIAL_REFUSED,
		       "refused at connection level: offers XCLIENT to the client that was named: "
		       "take 192.0.2.1 out of the server's smtpd_authorized_xclient_hosts; at "
		       "message level taken: 250 2.0.0 Ok: for 192.0.2.1"}},
	{true, {"offers nothing of it", XC, GATE, NULL, {"", GREETING, EHLO, HELLO}, TRIAL_REFUSED,
		       "refused: does not offer XCLIENT to the gateway: add 203.0.113.1 to the "
		       "server's smtpd_authorized_xclient_hosts, at a port without postscreen; or "
		       "announce none"}},
};

static bool foreign, read_too, plain_too;
static struct trial trial;
static char verdict[TRIAL_VERDICT_SIZE];

static struct trial_setup setup_of(const struct script *script)
{
	return (struct trial_setup){.dialogue = {.hostname = "gw.example.net",
					    .announce = script->announce,
					    .client = {{{192, 0, 2, 1}, ADDR_IP4}, 40025},
					    .original = {{{192, 0, 2, 3}, ADDR_IP4}, 25},
					    .login = script->login,
					    .read = read_too},
		.plain = plain_too,
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

static void where_flows_are_read_each_level_has_its_word(void **state)
{
	(void)state;
	read_too = true;
	for (size_t i = 0; i < sizeof(read_scripts) / sizeof(read_scripts[0]); i++) {
		print_message("%s\n", read_scripts[i].script.name);
		plain_too = read_scripts[i].plain;
		play(&read_scripts[i].script, 100000);
	}
	read_too = plain_too = false;
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

/* ---- TLS and the account ---- */

#define THELLO  "250-mx.example.org\r\n250 STARTTLS\r\n"
#define AHELLO  "250-mx.example.org\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"
#define LHELLO  "250-mx.example.org\r\n250 AUTH LOGIN CRAM-MD5\r\n"
#define GO      "220 2.0.0 go\r\n"
#define SECURED "handshake: done"
#define PIN     "sha256:0900000000000000000000000000000000000000000000000000000000000000"
#define PLAIN   "AUTH PLAIN AGhvdGVsLTQ3MTEAc2VjcmV0\r\n" /* NUL hotel-4711 NUL secret */
#define WELCOME "235 2.7.0 welcome\r\n"
#define BOUND   "taken: 250 2.0.0 Ok: for account hotel-4711"

struct secure_script {
	const char *name;
	enum engine_tls tls;
	bool account, sure, insecure, no_secret;
	uint32_t held_s;
	enum tls_reason reason;
	const char *lines[24]; /* as above; "handshake: WORDS" is not said but done */
	enum trial_verdict verdict;
	const char *text;
};

#define REQUIRE   ENGINE_TLS_REQUIRE
#define IMMEDIATE ENGINE_TLS_IMMEDIATE

static const struct secure_script secure_scripts[] = {
	{.name = "in TLS, and EHLO again",
		.tls = REQUIRE,
		.lines = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", GO, "", SECURED, EHLO, HELLO,
			MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		.verdict = TRIAL_TAKEN_UNNAMED},
	{.name = "in TLS from the first byte",
		.tls = IMMEDIATE,
		.lines = {"", SECURED, "", GREETING, EHLO, HELLO, MAIL, OK, RCPT, OK, RSET, OK,
			QUIT, BYE},
		.verdict = TRIAL_TAKEN_UNNAMED},
	{.name = "does not offer it",
		.tls = REQUIRE,
		.lines = {"", GREETING, EHLO, HELLO},
		.verdict = TRIAL_REFUSED,
		.text = "refused: TLS: does not offer STARTTLS: let the server offer STARTTLS to "
			"203.0.113.1; where TLS begins at once, as at port 465, write `immediate`"},
	{.name = "does not take it",
		.tls = REQUIRE,
		.lines = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", "454 4.7.0 later\r\n"},
		.verdict = TRIAL_REFUSED,
		.text = "refused: TLS: 454 4.7.0 later: the server's log says why it takes no "
			"STARTTLS from 203.0.113.1"},
	{.name = "speaks it in no way that we do",
		.tls = IMMEDIATE,
		.lines = {"", "handshake: wrong version number"},
		.verdict = TRIAL_REFUSED,
		.text = "refused: TLS: wrong version number: is the port right, and `immediate` "
			"where TLS begins at once, as at 465? old TLS alone needs `legacy`; the "
			"server's log says more"},
	{.name = "is somebody else",
		.tls = REQUIRE,
		.reason = TLS_REASON_NAME,
		.lines = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", GO, "",
			"handshake: its certificate is for another name"},
		.verdict = TRIAL_REFUSED,
		.text = "refused: TLS: its certificate is for another name: the server needs a "
			"certificate for the name that is wanted; or want one that it has: tls "
			"verify \"mx.example.org\""},
	{.name = "has another key",
		.tls = REQUIRE,
		.reason = TLS_REASON_PIN,
		.lines = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", GO, "",
			"handshake: another key"},
		.verdict = TRIAL_REFUSED,
		.text = "refused: TLS: another key: if the server was given another key, ask "
			"whoever runs it, and write tls pin \"" PIN
			"\"; else somebody else answers there"},
	{.name = "takes the account",
		.tls = REQUIRE,
		.account = true,
		.sure = true,
		.lines = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", GO, "", SECURED, EHLO, AHELLO,
			PLAIN, WELCOME, MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		.verdict = TRIAL_TAKEN,
		.text = BOUND},
	{.name = "takes it line by line",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, LHELLO, "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n",
			"aG90ZWwtNDcxMQ==\r\n", "334 UGFzc3dvcmQ6\r\n", "c2VjcmV0\r\n", WELCOME,
			MAIL, OK, RCPT, OK, RSET, OK, QUIT, BYE},
		.verdict = TRIAL_TAKEN,
		.text = BOUND},
	{.name = "refuses it",
		.tls = IMMEDIATE,
		.account = true,
		.sure = true,
		.lines = {"", SECURED, "", GREETING, EHLO, AHELLO, PLAIN,
			"535 5.7.8 authentication failed\r\n", QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: 535 5.7.8 authentication failed: is \"hotel-4711\" its user "
			"there, and the secret in its file the right one? no test tries it for 5 "
			"minutes but with another secret; flows are not held up by this test"},
	{.name = "repeats it",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, AHELLO, PLAIN,
			"454 4.7.0 not AGhvdGVsLTQ3MTEAc2VjcmV0\r\n", QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: (it repeats what it was told): the server's log says why it "
			"takes "
			"no login from 203.0.113.1"},
	{.name = "says yes too early",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, LHELLO, "AUTH LOGIN\r\n", WELCOME, QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: 235 2.7.0 welcome: the server's log says why it takes no login "
			"from 203.0.113.1"},
	{.name = "offers no login",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, "250-mx.example.org\r\n250 AUTH CRAM-MD5\r\n", QUIT,
			BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: offers neither AUTH PLAIN nor AUTH LOGIN: is it the port for "
			"submission (587, or 465)? many offer AUTH inside TLS alone, or have to "
			"allow it to 203.0.113.1"},
	{.name = "cannot be known",
		.account = true,
		.sure = true,
		.lines = {"", GREETING, EHLO, AHELLO, QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: a login only goes where the host is known by its certificate: "
			"write `tls verify` or `tls pin` at this host"},
	{.name = "is in TLS with anybody",
		.tls = IMMEDIATE,
		.account = true,
		.lines = {"", SECURED, "", GREETING, EHLO, AHELLO, QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: a login only goes where the host is known by its certificate: "
			"write `tls verify` or `tls pin` at this host"},
	{.name = "refused it before",
		.account = true,
		.insecure = true,
		.held_s = 90,
		.lines = {"", GREETING, EHLO, AHELLO, QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: the login is not tried: this host refused it a short time ago, "
			"and hears it again in 90 s at the earliest: mend the account or its "
			"secret, then: posternctl certificate reload"},
	{.name = "has no secret to hear",
		.account = true,
		.insecure = true,
		.no_secret = true,
		.lines = {"", GREETING, EHLO, AHELLO, QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: the secret of the server's account cannot be read: posternctl "
			"certificate reload says why; flows go on with what was loaded before, if "
			"anything was"},
	{.name = "takes the account and not its sender",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, AHELLO, PLAIN, WELCOME, MAIL,
			"553 5.7.1 sender not owned by user\r\n", QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: 553 5.7.1 sender not owned by user: write a sender that the "
			"account may use: account ... { sender \"ADDRESS\" }"},
	{.name = "gives up in the login",
		.account = true,
		.insecure = true,
		.lines = {"", GREETING, EHLO, AHELLO, PLAIN, "421 4.7.0 later\r\n", QUIT, BYE},
		.verdict = TRIAL_REFUSED,
		.text = "refused: 421 4.7.0 later: the server's log says why it takes no login "
			"from "
			"203.0.113.1"},
};

/* Said: what goes; shown: what may be shown of it. */
static void expect_said(const char *line)
{
	char said[sizeof(trial.out) + 1];

	memcpy(said, trial.out, trial.out_len);
	said[trial.out_len] = '\0';
	assert_string_equal(said, line);
	const char *shown = trial.out_len && trial.shown ? trial.shown : said;
	assert_null(strstr(shown, "c2VjcmV0"));
	assert_null(strstr(shown, "aG90ZWwtNDcxMQ"));
}

static void shake_hands(const struct secure_script *script, const char *words)
{
	struct tls_seen seen = {.version = script->reason ? TLS_VERSION_1_3 : TLS_VERSION_NONE,
		.reason = (uint8_t)script->reason,
		.key = {9},
		.names = "mx.example.org"};

	assert_true(trial_wants_tls(&trial));
	if (strcmp(words, "done") == 0) {
		trial_secured(&trial, &seen);
		return;
	}
	snprintf(seen.why, sizeof(seen.why), "%s", words);
	trial_unfit(&trial, &seen);
}

static void play_secure(const struct secure_script *script, size_t step)
{
	static const char by_hand[] = "handshake: ";
	const struct trial_account account = {.login = {.user = "hotel-4711",
						      .user_len = 10,
						      .secret = script->no_secret ? NULL : "secret",
						      .secret_len = 6},
		.sure = script->sure,
		.insecure = script->insecure,
		.held_s = script->held_s};
	struct trial_setup setup = setup_of(&scripts[0]);

	setup.dialogue.tls = script->tls;
	setup.account = script->account ? &account : NULL;
	trial_begin(&trial, &setup);
	for (size_t i = 0; script->lines[i]; i++) {
		const char *line = script->lines[i];
		if (i % 2 == 0) {
			expect_said(line);
		} else if (strncmp(line, by_hand, strlen(by_hand)) == 0) {
			shake_hands(script, line + strlen(by_hand));
		} else {
			size_t len = strlen(line);
			for (size_t at = 0; at < len && trial.step != TRIAL_OVER; at += step)
				trial_feed(&trial, line + at, len - at < step ? len - at : step, 0);
		}
	}
	assert_int_equal(trial.step, TRIAL_OVER);
	assert_int_equal(trial_judge(&trial, verdict), script->verdict);
	if (script->text)
		assert_string_equal(verdict, script->text);
}

static void trials_speak_tls_and_log_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(secure_scripts) / sizeof(secure_scripts[0]); i++) {
		print_message("%s\n", secure_scripts[i].name);
		play_secure(&secure_scripts[i], 100000);
		play_secure(&secure_scripts[i], 1);
	}
}

/* XCLIENT is said inside, and the login comes behind it. */
static void who_the_client_is_is_said_in_tls(void **state)
{
	static const char *const lines[] = {"", GREETING, EHLO, THELLO, "STARTTLS\r\n", GO, "",
		"handshake: done", EHLO, XHELLO, XC_USER, GREETING, EHLO, AHELLO, PLAIN, WELCOME,
		MAIL};
	const struct trial_account account = {.login = {.user = "hotel-4711",
						      .user_len = 10,
						      .secret = "secret",
						      .secret_len = 6},
		.sure = true};
	struct trial_setup setup = setup_of(&scripts[5]);

	(void)state;
	assert_string_equal(scripts[5].name, "for the user");
	setup.dialogue.tls = REQUIRE;
	setup.account = &account;
	trial_begin(&trial, &setup);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (i % 2 == 0)
			expect_said(lines[i]);
		else if (lines[i][0] == 'h')
			shake_hands(&secure_scripts[0], "done");
		else
			trial_feed(&trial, lines[i], strlen(lines[i]), 0);
	}
}

/* Where it is only offered, flows come once more in clear, and so does the test. */
static void tls_that_is_only_offered_is_done_without(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static struct trial_setup setup;
		setup = setup_of(&scripts[0]);
		setup.dialogue.tls = i == 2 ? REQUIRE : ENGINE_TLS_OFFER;
		trial_begin(&trial, &setup);
		trial_feed(&trial, GREETING, strlen(GREETING), 0);
		trial_feed(&trial, THELLO, strlen(THELLO), 0);
		trial_feed(&trial, GO, strlen(GO), 0);
		if (i == 0)
			shake_hands(&secure_scripts[0], "no good");
		else
			trial_late(&trial);
		assert_int_equal(trial.step, TRIAL_OVER);
		assert_int_equal(trial_without(&trial), i < 2);
	}
	const struct trial_setup setup = setup_of(&scripts[0]);
	trial_begin(&trial, &setup);
	trial_feed(&trial, GREETING, strlen(GREETING), 0);
	trial_closed(&trial, "", 0);
	assert_false(trial_without(&trial));
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
		cmocka_unit_test(where_flows_are_read_each_level_has_its_word),
		cmocka_unit_test(from_the_clients_own_address_the_fix_is_about_it),
		cmocka_unit_test(trials_speak_tls_and_log_in),
		cmocka_unit_test(who_the_client_is_is_said_in_tls),
		cmocka_unit_test(tls_that_is_only_offered_is_done_without),
		cmocka_unit_test(silence_and_closing_are_judged_by_where_they_come),
		cmocka_unit_test(what_cannot_be_connected_is_told_apart),
		cmocka_unit_test(a_path_injects_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
