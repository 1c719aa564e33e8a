/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct talk talk;

static void run(unsigned flags, const char *script)
{
	talk_whole(&talk, flags, script);
}

static void test_a_message_goes_through_in_lock_step(void **state)
{
	(void)state;
	run(0, TALK_HELLO "C MAIL FROM:<a@x.example>\nc 250 2.1.0\ns\n"
			  "C RCPT TO:<b@y.example>\nw greeting\nc\n" TALK_SERVER_HELLO
			  "s MAIL FROM:<a@x.example>\ns\n"
			  "S 250 ok\ns RCPT TO:<b@y.example>\nc\n"
			  "S 250 2.1.5 yes\nc 250 2.1.5 yes\n"
			  "C DATA\ns DATA\nc\nS 354 go\nc 354 go\nw body\n"
			  "C Subject: x\nC Message-ID: <1@x>\nC \nC ..dot\nC .\n"
			  "s Subject: x\ns Message-ID: <1@x>\ns \ns ..dot\ns .\nw dot\nc\n"
			  "S 250 2.0.0 queued as 4711\nc 250 2.0.0 queued as 4711\n"
			  "E open; rcpt b 250; text 39 <1@x>; delivered 1/1 250\n"
			  "C QUIT\nc 221\ns QUIT\nw end\n");
	assert_int_equal(talk.closed, 1);
	assert_int_equal(talk.engine.ending, ENDING_QUIT);
}

static void test_two_messages_share_a_connection(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN
		"C DATA\ns DATA\nS 354 go\nc 354\nC .\ns .\nS 250 ok\nc 250 2.0.0 ok\n" TALK_MAIL
		"C RCPT TO:<c@y.example>\ns MAIL FROM:<a@x.example>\nS 250 ok\n"
		"s RCPT TO:<c@y.example>\nS 550 5.1.1 nobody\nc 550 5.1.1 nobody\n"
		"C RSET\nc 250 2.0.0\ns\n"
		"C MAIL FROM:<>\nc 250\nC RCPT TO:<c@y.example>\ns RSET\nc\nS 250 ok\n"
		"s MAIL FROM:<>\nS 250 ok\ns RCPT TO:<c@y.example>\n"
		"S 250 ok\nc 250 2.0.0 ok\nC QUIT\nc 221\ns QUIT\n"
		"E open; rcpt b 250; text 0; delivered 1/1 250; rcpt c 550; no-recipient 0/1 0; "
		"rcpt c 250; abandoned 1/1 0\n");
	assert_int_equal(talk.opened, 1);
	assert_int_equal(talk.engine.message, 3);
}

/* Commands that have nothing to do with a server. */
static void test_commands_are_answered(void **state)
{
	static const struct {
		const char *command, *reply;
	} cases[] = {
		{"NOOP", "250 2.0.0"},
		{"noop x y", "250 2.0.0"},
		{"RSET", "250 2.0.0"},
		{"RSET x", "501 5.5.4"},
		{"VRFY <root>", "252 2.5.2"},
		{"HELP", "214"},
		{"EXPN all", "502 5.5.1"},
		{"ETRN x", "502 5.5.1"},
		{"XCLIENT ADDR=192.0.2.1", "502 5.5.1"},
		{"XFORWARD ADDR=192.0.2.1", "502 5.5.1"},
		{"BURL imap://x LAST", "502 5.5.1"},
		{"XEXCH50 1 2", "502 5.5.1"},
		{"TURN", "502 5.5.1"},
		{"ATRN", "502 5.5.1"},
		{"STARTTLS", "502 5.5.1"},
		{"AUTH PLAIN AGEAYg==", "502 5.5.1"},
		{"FOO", "500 5.5.2"},
		{"", "500 5.5.2"},
		{"DATA", "503 5.5.1"},
		{"DATA x", "501 5.5.4"},
		{"RCPT TO:<b@y.example>", "503 5.5.1"},
		{"MAIL", "501 5.5.4"},
		{"MAIL TO:<a@x.example>", "501 5.5.4"},
		{"MAIL FROM:", "501"},
		{"MAIL FROM:<a@x.example", "501"},
		{"MAIL FROM:a@x.example", "501"},
		{"MAIL FROM:<a@x.example> FOO=1", "555"},
		{"MAIL FROM:<a@x.example> SMTPUTF8", "555"},
		{"MAIL FROM:<a@x.example> SIZE=1000001", "552 5.3.4"},
		{"MAIL FROM:<\xc3\xa4@x.example>", "553 5.6.7"},
		{"EHLO", "501 5.5.4"},
		{"EHLO a b", "501 5.5.4"},
		{"HELO ", "501 5.5.4"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[600];
		snprintf(script, sizeof(script), "C %s\nc %s\nc\nw command\n", cases[i].command,
			cases[i].reply);
		run(0, TALK_HELLO);
		talk_try(&talk, script);
		talk_try(&talk, TALK_MAIL);
	}
}

static void test_names_of_real_clients_are_taken(void **state)
{
	static const char *const names[] = {
		"DESKTOP_1", "[10.0.0.5]", "[IPv6:2001:db8::1]", "pc.", "localhost", "a-b.example"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char script[600];
		snprintf(script, sizeof(script), TALK_GREETED "C EHLO %s\n" TALK_OFFERED, names[i]);
		run(0, script);
		talk_try(&talk, TALK_MAIL);
	}
}

static void test_mail_as_clients_write_it(void **state)
{
	(void)state;
	run(0, TALK_HELLO "C MAIL FROM: <a@x.example>\nc 250 2.1.0\nC RCPT TO: "
			  "<b@y.example>\n" TALK_SERVER_HELLO
			  "s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT TO:<b@y.example>\n");
	run(ENGINE_SUBMISSION,
		TALK_HELLO "C MAIL FROM:a@x.example SIZE=100 BODY=8BITMIME\nc 250 2.1.0\n"
			   "C RCPT TO:b@y.example\n" TALK_SERVER_HELLO
			   "s MAIL FROM:<a@x.example> SIZE=100 BODY=8BITMIME\nS 250 ok\n"
			   "s RCPT TO:<b@y.example>\n");
	run(0, TALK_HELLO "C RCPT TO:b@y.example\nc 503\n" TALK_MAIL
			  "C RCPT TO:b@y.example\nc 501\n"
			  "C MAIL FROM:<c@x.example>\nc 503 5.5.1\n");
}

static void test_helo_has_no_parameters(void **state)
{
	(void)state;
	run(0, TALK_GREETED
		"C MAIL FROM:<a@x.example>\nc 503 5.5.1\nC HELO pc\nc 250 gw.example\nc\n"
		"C MAIL FROM:<a@x.example> SIZE=10\nc 555\n" TALK_MAIL
		"C RCPT TO:<b@y.example>\n" TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\n");
}

/* RFC 5321 4.1.4. */
static void test_a_second_ehlo_ends_the_transaction(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN
		"C EHLO pc\n" TALK_OFFERED "E open; rcpt b 250; abandoned 1/1 0\n"
		"C DATA\nc 503\n" TALK_MAIL "C RCPT TO:<c@y.example>\ns RSET\n");
}

static void test_who_does_not_wait_is_sent_away(void **state)
{
	static const char *const bytes[] = {
		"EHLO pc\\r\\nMAIL FROM:<a@x.example>\\r\\n",
		"HELO pc\\r\\nN",
		"QUIT\\r\\nx",
		"STARTTLS\\r\\n\\0",
		"AUTH PLAIN\\r\\nx",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
		char script[600];
		snprintf(script, sizeof(script), TALK_HELLO "R %s\nc 554 5.5.0\nc\nw end\n",
			bytes[i]);
		run(0, script);
		assert_int_equal(talk.engine.ending, ENDING_PROTOCOL);
	}
	run(0, TALK_HELLO TALK_TAKEN
		"R DATA\\r\\nSubject: x\\r\\n\\r\\n.\\r\\n\nc 554 5.5.0\nw end\ns QUIT\ns\n");
	run(0, TALK_HELLO TALK_TAKEN "C DATA\ns DATA\nC Subject: x\nc 554 5.5.0\nw end\ns\n"
				     "E open; rcpt b 250; abandoned 1/1 0\n");
	assert_int_equal(talk.closed, 1);
}

static void test_lines_that_are_none_are_refused(void **state)
{
	(void)state;
	run(0, TALK_HELLO "R NO\\0OP\\r\\n\nc 500 5.5.2\nR NOOP\\r\\n\nc 250\n"
			  "R A\\0\\r\\n\nc 500\nw command\nR B\\0\\r\\n\nc 500 5.5.2\nc\nw end\n");
	run(0, TALK_HELLO "R NOOP\\n\nc 554 5.5.0\nw end\n");
	run(ENGINE_REPAIR, TALK_HELLO "R NOOP\\n\nc 250\nw command\n");
	run(ENGINE_REPAIR, TALK_HELLO "R NO\\rOP\\r\\n\nc 554 5.5.0\nw end\n");
	run(0, TALK_HELLO "R GET / HTTP/1.1\\r\\n\nc\nw end\n");
	run(0, TALK_HELLO "R \x16\x03\x01\nc\nw end\n");
	run(0, TALK_HELLO "C BDAT 5 LAST\nc 521 5.5.1\nw end\n");
}

static void test_a_line_too_long_is_one_error(void **state)
{
	static char line[6000];
	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 8, "\r\nNOOP\r\n", 8);
	run(0, TALK_HELLO);
	talk_client(&talk, line, sizeof(line));
	talk_try(&talk, "c 500 5.5.2\nc 250 2.0.0\nc\nw command\n");
}

static void test_who_speaks_first_is_no_mail_client(void **state)
{
	static const struct {
		const char *bytes, *reply;
		unsigned flags;
	} cases[] = {
		{"EHLO pc\r\n", "554 5.5.0 gw.example", 0},
		{"E", "554 5.5.0", 0},
		{"EHLO pc\r\n", "421 4.5.0", ENGINE_SESSION},
		{"\x16\x03\x01", NULL, ENGINE_SESSION},
		{"GET / HTTP/1.1\r\nHost: x\r\n", NULL, 0},
		{"POST / HTTP/1.1\r\n", NULL, 0},
		{"CONNECT x:25 HTTP/1.1\r\n", NULL, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[600];
		snprintf(script, sizeof(script), "c%s%s\nw end\n", cases[i].reply ? " " : "",
			cases[i].reply ? cases[i].reply : "");
		talk_init(&talk, cases[i].flags);
		talk_client(&talk, cases[i].bytes, strlen(cases[i].bytes));
		talk_try(&talk, script);
	}
}

static void test_the_owner_may_greet_with_a_refusal(void **state)
{
	static const struct smtp_refusal down = {421, "4.4.1", "no mail server reachable"};
	char client[ENGINE_CLIENT_ROOM], server[ENGINE_SERVER_ROOM];
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client = client,
		.server = server,
		.client_room = sizeof(client),
		.server_room = sizeof(server)};
	(void)state;
	talk_init(&talk, 0);
	engine_greet(&talk.engine, &down, 1000, &out);
	assert_int_equal(talk.engine.state, ENGINE_END);
	assert_memory_equal(
		client, "421 4.4.1 gw.example no mail server reachable [f-1]\r\n", out.client_len);
}

static size_t put_path(char *line)
{
	char part[256];
	size_t at = 0;

	memset(part, 'p', sizeof(part));
	at += (size_t)sprintf(line + at, "<%.64s@", part);
	for (unsigned label = 0; label < 3; label++)
		at += (size_t)sprintf(line + at, "%.63s.", part);
	return at + (size_t)sprintf(line + at, "%.61s>", part);
}

/* As long as RFC 5321 (with a path as long as path.h takes it), 1870, 6152, 6531, 3461 and 4954 let
 * them be, all at once. Clients put blanks at the end. */
#define MAIL_LONGEST (512 - 256 + 320 + 26 + 17 + 10 + 124 + 505)
#define RCPT_LONGEST (512 - 256 + 320 + 536)

static void fill_up(char *line, size_t len, size_t longest)
{
	assert_true(len + 2 <= longest);
	memset(line + len, ' ', longest - 2 - len);
	memcpy(line + longest - 2, "\r\n", 2);
}

static void test_the_longest_commands_have_room(void **state)
{
	char line[4096], xtext[501];
	size_t n;
	(void)state;
	memset(xtext, 'x', sizeof(xtext));
	talk_whole(&talk, ENGINE_SMTPUTF8 | ENGINE_DSN,
		TALK_GREETED "C EHLO pc\nc 250-gw.example\nc 250-PIPELINING\nc 250-SIZE 1000000\n"
			     "c 250-SMTPUTF8\nc 250-DSN\nc 250-8BITMIME\nc 250 ENHANCED\n");
	n = (size_t)sprintf(line, "MAIL FROM:");
	n += put_path(line + n);
	n += (size_t)sprintf(line + n,
		" SIZE=00000000000000000001 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=%.100s "
		"AUTH=%.500s",
		xtext, xtext);
	fill_up(line, n, MAIL_LONGEST);
	talk_client(&talk, line, MAIL_LONGEST);
	talk_try(&talk, "c 250 2.1.0\nw command\n");
	n = (size_t)sprintf(line, "RCPT TO:");
	n += put_path(line + n);
	n += (size_t)sprintf(line + n, " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;%.493s", xtext);
	fill_up(line, n, RCPT_LONGEST);
	talk.holds = true;
	talk_client(&talk, line, RCPT_LONGEST);
	talk_try(&talk, "w ask-rcpt\n");
	/* no room is kept that no command needs */
	assert_in_range(SMTP_COMMAND_MAX, MAIL_LONGEST, MAIL_LONGEST + MAIL_LONGEST / 4);
}

static void test_ten_errors_are_enough(void **state)
{
	(void)state;
	run(0, TALK_HELLO);
	for (int i = 0; i < 9; i++)
		talk_try(&talk, "C FOO\nc 500\nw command\n");
	talk_try(&talk, "C FOO\nc 500\nc 421 4.7.0\nw end\n");
}

static void test_twenty_refused_recipients_are_enough(void **state)
{
	static const struct smtp_refusal denied = {550, "5.7.1", "relaying denied"};
	static const struct smtp_refusal later = {450, "4.7.1", "later"};
	(void)state;
	run(0, TALK_HELLO TALK_MAIL);
	talk.rcpt = &later;
	for (int i = 0; i < 30; i++)
		talk_try(&talk, "C RCPT TO:<b@y.example>\nc 450 4.7.1 gw.example later [f-1]\n");
	talk.rcpt = &denied;
	for (int i = 0; i < 10; i++)
		talk_try(&talk, "C RCPT TO:<b@y.example>\nc 550 5.7.1\nC RCPT TO:<a%b@y.example>\n"
				"c 550\n");
	talk_try(&talk, "c 421 4.7.1\nw end\ns\n");

	run(0, TALK_HELLO TALK_TAKEN);
	talk.rcpt = &denied;
	for (int i = 0; i < 19; i++)
		talk_try(&talk, "C RCPT TO:<c@y.example>\nc 550 5.7.1\n");
	talk.rcpt = NULL;
	talk_try(&talk, "C RCPT TO:<d@y.example>\ns RCPT TO:<d@y.example>\nS 250 ok\nc 250\n");
	talk.rcpt = &denied;
	talk_try(&talk, "C RCPT TO:<c@y.example>\nc 550 5.7.1\nw command\n");
}

/* A mailing to many, of whom some are gone, is delivered to the others. */
static void test_refused_recipients_beside_one_that_is_taken_are_none(void **state)
{
	(void)state;
	talk_whole(&talk, 0, TALK_HELLO TALK_TAKEN);
	for (int i = 0; i < 2 * ENGINE_REFUSED_MAX; i++)
		talk_try(&talk, "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nS 550 no\n"
				"c 550 5.0.0 no\n");
	talk_try(&talk, "c\nC DATA\ns DATA\nS 354 go\nc 354 go\nw body\n");
}

/* Who is refused for his form is one of the message's recipients, as he was written. */
static void test_recipients_refused_for_their_form_are_told(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_MAIL
		"C RCPT TO:<a@b@c>\nc 550 5.7.1\nE form a@b@c 550\n"
		"C RCPT TO: <x@[192.0.2.1]> NOTIFY=NEVER\nc 550 5.1.3\nE form x@[192.0.2.1] 550\n"
		"C RCPT TO:<b@y.example> WHAT=1\nc 555\nE form b@y.example 555\n"
		"C RCPT TO:<\xc3\xa4@y.example>\nc 553 5.6.7\nE form \xc3\xa4@y.example 553\n"
		"C RCPT TO:<b@y.example\nc 501\nC RCPT TO:\nc 501\nE \n"
		"C RSET\nc 250\nE no-recipient 0/4 0\n");
	run(0, TALK_HELLO TALK_MAIL "C RCPT TO:b\nc 501\nC RSET\nc 250\nE \n");
}

static void test_refusals_of_the_owner_are_said(void **state)
{
	static const struct smtp_refusal no = {550, "5.7.1", "not you"};
	(void)state;
	run(0, TALK_HELLO);
	talk.mail = &no;
	talk_try(&talk, "C MAIL FROM:<a@x.example>\nc 550 5.7.1 gw.example not you [f-1]\n"
			"C RCPT TO:<b@y.example>\nc 503\n");
	talk.mail = NULL;
	talk.rcpt = &no;
	talk_try(&talk, TALK_MAIL
		"C RCPT TO:<b@y.example>\nc 550 5.7.1\ns\nC DATA\nc 554 5.5.1\nw command\n"
		"C RSET\nc 250\nE rcpt b own 550; no-recipient 0/1 0\n");
	talk.rcpt = NULL;
	talk.data = &no;
	talk_try(&talk, TALK_TAKEN "C DATA\nc 550 5.7.1\ns\nw command\n");
	talk.data = NULL;
	talk.dot = &no;
	talk_try(&talk,
		"C DATA\ns DATA\nS 354 go\nc 354\nC x\ns x\nC .\nc 550 5.7.1\ns\nw command\n"
		"E open; rcpt b 250; text 3; rejected 1/1 550\n");
	assert_int_equal(talk.closed, 1);
}

static void test_a_message_has_so_many_recipients(void **state)
{
	(void)state;
	run(0, TALK_HELLO);
	talk.engine.recipients_max = 2;
	talk_try(&talk, TALK_TAKEN
		"C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nS 250 ok\nc 250\n"
		"C RCPT TO:<d@y.example>\nc 452 4.5.3\ns\nE open; rcpt b 250; rcpt c 250; "
		"rcpt d own 452\n");
}

/* A verdict that its time-out overtook is not the next recipient's. */
static void test_a_late_verdict_is_to_nothing(void **state)
{
	char client[ENGINE_CLIENT_ROOM], server[ENGINE_SERVER_ROOM];
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client = client,
		.server = server,
		.client_room = sizeof(client),
		.server_room = sizeof(server)};
	struct engine_verdict verdict = {.server = 7, .first_ms = 1000};
	(void)state;
	run(0, TALK_HELLO TALK_MAIL);
	talk.holds = true;
	talk_try(&talk, "C RCPT TO:<b@y.example>\nw ask-rcpt\n");
	verdict.ask = talk.engine.ask;
	talk_try(&talk, "T 30000\nc 451 4.3.0\nC RCPT TO:<c@y.example>\nw ask-rcpt\n");
	engine_verdict(&talk.engine, &verdict, talk.now_ms, &out);
	talk_try(&talk, "w ask-rcpt\n");
	verdict.ask = talk.engine.ask;
	engine_verdict(&talk.engine, &verdict, talk.now_ms, &out);
	talk_try(&talk, "w open\n");
}

static void test_commands_wait_in_the_buffer(void **state)
{
	(void)state;
	run(0, TALK_HELLO "R MAIL FROM:<a@x.example>\\r\\nRCPT TO:<b@y.example>\\r\\nRCPT "
			  "TO:<c@y.example>\\r\\nDATA\\r\\n\n"
			  "c 250 2.1.0\nc\n" TALK_SERVER_HELLO
			  "s MAIL FROM:<a@x.example>\nS 250 ok\n"
			  "s RCPT TO:<b@y.example>\ns\nS 250 one\nc 250 2.0.0 one\nc\ns RCPT "
			  "TO:<c@y.example>\ns\n"
			  "S 250 two\nc 250 2.0.0 two\ns DATA\nS 354 go\nc 354 go\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_goes_through_in_lock_step),
		cmocka_unit_test(test_two_messages_share_a_connection),
		cmocka_unit_test(test_commands_are_answered),
		cmocka_unit_test(test_names_of_real_clients_are_taken),
		cmocka_unit_test(test_mail_as_clients_write_it),
		cmocka_unit_test(test_helo_has_no_parameters),
		cmocka_unit_test(test_a_second_ehlo_ends_the_transaction),
		cmocka_unit_test(test_who_does_not_wait_is_sent_away),
		cmocka_unit_test(test_lines_that_are_none_are_refused),
		cmocka_unit_test(test_a_line_too_long_is_one_error),
		cmocka_unit_test(test_who_speaks_first_is_no_mail_client),
		cmocka_unit_test(test_the_owner_may_greet_with_a_refusal),
		cmocka_unit_test(test_the_longest_commands_have_room),
		cmocka_unit_test(test_ten_errors_are_enough),
		cmocka_unit_test(test_twenty_refused_recipients_are_enough),
		cmocka_unit_test(test_refused_recipients_beside_one_that_is_taken_are_none),
		cmocka_unit_test(test_recipients_refused_for_their_form_are_told),
		cmocka_unit_test(test_refusals_of_the_owner_are_said),
		cmocka_unit_test(test_a_message_has_so_many_recipients),
		cmocka_unit_test(test_a_late_verdict_is_to_nothing),
		cmocka_unit_test(test_commands_wait_in_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
