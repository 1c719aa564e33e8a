/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GONE "C DATA\ns DATA\nS 354 go\nc 354 go\nE open; rcpt b 250\n"
#define OPEN TALK_HELLO TALK_TAKEN GONE
/* The connection is good for another message, to a server that was left or kept. */
#define GOES_ON                                                                      \
	"C RSET\nc 250\nc\n" TALK_MAIL "C RCPT TO:<b@y.example>\n" TALK_SERVER_HELLO \
	"s MAIL FROM:<a@x.example>\n"

static struct talk talk;

static void run(unsigned flags, const char *script)
{
	talk_whole(&talk, flags, script);
}

static void test_the_text_goes_as_it_comes_and_the_dot_waits(void **state)
{
	(void)state;
	run(0, OPEN "R a\ns\nw body\nR b\\r\\n.\ns ab\ns\nR .c\\r\\n\ns ..c\nR .\ns\nR \\r\ns\n");
	talk.holds = true;
	talk_try(&talk, "R \\n\ns\nw ask-dot\n");
	talk.holds = false;
	talk_try(&talk, "T 0\ns .\nw dot\nS 250 ok\nc 250 2.0.0 ok\n"
			"E text 8; delivered 1/1 250\n");
	run(0, OPEN "R .\\r\\n\ns .\nS 250 ok\nc 250\nE text 0; delivered 1/1 250\n");
}

static void test_our_header_comes_first(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN);
	talk.trace = "Received: by gw\r\n\tfor nobody\r\n";
	talk_try(&talk, "C DATA\ns DATA\nS 354 go\ns Received: by gw\ns \tfor nobody\nc 354\n"
			"C x\ns x\nC .\ns .\nS 250 ok\nc 250\n");
}

static void test_the_servers_word_on_the_dot_is_passed_on(void **state)
{
	static const struct {
		const char *server, *client, *event;
	} cases[] = {
		{"S 250 2.0.0 ok\n", "c 250 2.0.0 ok\nc\nw command\n", "delivered 1/1 250"},
		{"S 250-one\nS 250 2.6.0 two\n", "c 250 2.6.0 two\nc\n", "delivered 1/1 250"},
		{"S 251 ok\n", "c 251 2.0.0 ok\nc\n", "delivered 1/1 251"},
		{"S 550 5.7.1 spam\n", "c 550 5.7.1 spam\nc\nw command\n", "refused 1/1 550"},
		{"S 550-5.7.1 a\nS 550 5.7.1 b\n", "c 550-5.7.1 a\nc 550 5.7.1 b\nc\n",
			"refused 1/1 550"},
		{"S 250-a\nS 452 4.2.2 b\n", "c 452 4.2.2 b\nc\n", "refused 1/1 452"},
		{"S 451 4.7.1 later\n", "c 451 4.7.1 later\nc\n", "refused 1/1 451"},
		{"S 421 4.3.2 down\n", "c 451 4.3.2 down\nc\nw command\n", "refused 1/1 421"},
		{"S 554 5.6.0 no\n", "c 554 5.6.0 no\nc\n", "refused 1/1 554"},
		{"S 503 no\n", "c 503 5.0.0 no\nc\n", "refused 1/1 503"},
		/* none that could be believed: none is said */
		{"S 354 go\n", "c\nw end\n", "unknown 1/1 0"},
		{"S hello\n", "c\nw end\n", "unknown 1/1 0"},
		{"X\n", "c\nw end\n", "unknown 1/1 0"},
		{"Q 250 o\nX\n", "c\nw end\n", "unknown 1/1 0"},
		{"T 599999\nw dot\nT 1\n", "c\nw end\n", "unknown 1/1 0"},
		{"S 250-ok\nX\n", "c\nw end\n", "unknown 1/1 0"},
		/* a client that goes changes nothing */
		{"G\nw dot\nS 250 ok\n", "c\nw end\n", "delivered 1/1 250"},
		{"F\nw dot\nS 250 ok\n", "c 250 2.0.0 ok\nw end\n", "delivered 1/1 250"},
		{"C QUIT\nw dot\nF\nS 250 ok\n", "c 250 2.0.0 ok\nc 221\nw end\n",
			"delivered 1/1 250"},
		/* nor does the owner */
		{"K\nw dot\nS 250 ok\n", "c 250 2.0.0 ok\nc 421 4.7.0\nw end\n",
			"delivered 1/1 250"},
		{"D\nw dot\nS 250 ok\n", "c 250 2.0.0 ok\nc 421 4.3.2\nw end\n",
			"delivered 1/1 250"},
		{"K\nT 600000\n", "c\nw end\n", "unknown 1/1 0"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		run(0, OPEN "C x\nC .\ns x\ns .\nE text 3\n");
		talk_try(&talk, cases[i].server);
		talk_try(&talk, cases[i].client);
		snprintf(script, sizeof(script), "E %s\n", cases[i].event);
		talk_try(&talk, script);
		bool taken = strncmp(cases[i].event, "delivered", strlen("delivered")) == 0;
		assert_int_equal(talk.engine.delivered, taken);
	}
	/* who says that he goes is not spoken to again */
	run(0, OPEN "C x\nC .\nS 550 5.7.1 spam\n");
	assert_int_equal(talk.closed, 0);
	run(0, OPEN "C x\nC .\nS 421 4.3.2 down\n");
	assert_int_equal(talk.closed, 1);
	run(0, OPEN "C x\nC .\nG\nS 250 ok\n");
	assert_true(talk.engine.client_lost);
	assert_int_equal(talk.engine.delivered, 1);
}

/* Given up by the gateway: the server's connection is closed before the dot, and the client hears
 * why after its own. */
static void test_a_text_that_may_not_be_is_read_to_its_dot(void **state)
{
	static const struct {
		const char *text, *reply, *event;
		unsigned flags;
	} cases[] = {
		{"R a\\nb\\r\\n\n", "550 5.6.11", "rejected 1/1 550", 0},
		{"R a\\rb\\r\\n\n", "550 5.6.11", "rejected 1/1 550", 0},
		{"R a\\rb\\r\\n\n", "550 5.6.11", "rejected 1/1 550", ENGINE_REPAIR},
		{"R \\n.\\n\n", "550 5.6.11", "rejected 1/1 550", 0},
		{"R \\n.\\r\\n\n", "550 5.6.11", "rejected 1/1 550", 0},
		{"R \\r.\\r\\n\n", "550 5.6.11", "rejected 1/1 550", 0},
		{"R a\\0\\r\\n\n", "554 5.6.0", "rejected 1/1 554", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		run(cases[i].flags, OPEN);
		talk_try(&talk, cases[i].text);
		assert_int_equal(talk.closed, 1);
		talk_try(&talk, "w drain\nc\ns\nC Subject: more\nc\ns\n");
		snprintf(script, sizeof(script), "C .\nc %s\nc\ns\nw command\n", cases[i].reply);
		talk_try(&talk, script);
		assert_non_null(strstr(talk.events, cases[i].event));
		talk_try(&talk, GOES_ON);
	}
	run(ENGINE_REPAIR, OPEN "R a\\nb\\r\\n\ns a\ns b\nw body\nR .\\n\ns ..\nw body\n");
}

static void test_a_text_too_big_is_read_to_its_dot(void **state)
{
	static char text[200000];
	(void)state;
	memset(text, 'x', sizeof(text));
	run(0, OPEN);
	for (int i = 0; i < 5; i++)
		talk_client(&talk, text, sizeof(text));
	assert_int_equal(talk.engine.state, ENGINE_BODY);
	assert_int_equal(talk.closed, 0);
	talk_client(&talk, text, 1);
	assert_int_equal(talk.engine.state, ENGINE_DRAIN);
	assert_int_equal(talk.closed, 1);
	for (int i = 0; i < 20; i++)
		talk_client(&talk, text, sizeof(text));
	talk.server_seen = talk.server_len;
	talk_try(&talk, "c\nR \\r\\n.\\r\\n\nc 552 5.3.4\nw command\n"
			"E text 5000003; rejected 1/1 552\n" GOES_ON);
}

static void test_of_two_faults_it_is_not_the_first_that_is_told(void **state)
{
	char line[4000], script[8192];
	(void)state;
	memset(line, 'y', sizeof(line));
	snprintf(script, sizeof(script), "R %.*s\\r\\n\n", 3990, line);
	run(0, OPEN);
	talk.engine.text_max = 1000;
	talk_try(&talk, script);
	talk_try(&talk, "w drain\nR a\\nb\\r\\n.\\r\\n\nc 550 5.6.11\nc\n");
	run(0, OPEN);
	talk.engine.text_max = 1000;
	talk_try(&talk, "R a\\nb\n");
	talk_try(&talk, script);
	talk_try(&talk, "w drain\nR .\\r\\n\nc 550 5.6.11\nc\n");
}

/* Those of recipients whom the server took, the smallest of them, and not beyond the message. */
static void test_a_recipient_may_have_a_smaller_size(void **state)
{
	static const char next[] = "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n";
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		run(0, TALK_HELLO TALK_TAKEN);
		talk.size_max = i == 0 ? 0 : 5;
		talk_try(&talk, next);
		talk_try(&talk, i == 1 ? "S 550 no\nc 550\n" : "S 250 ok\nc 250\n");
		talk.size_max = 0;
		talk_try(&talk, "C DATA\ns DATA\nS 354 go\nc 354\nC 12345678\n");
		if (i == 2) {
			talk_try(&talk, "w drain\nC .\nc 552 5.3.4\n");
			talk_try(&talk, "C MAIL FROM:<a@x.example>\nc 250\n"
					"C RCPT TO:<b@y.example>\n");
			assert_true(talk.engine.text_max > 5);
		} else {
			talk_try(&talk, "s 12345678\nC .\ns .\nS 250 ok\nc 250\n");
		}
	}
}

static void test_a_declared_size_is_held_against_the_recipients(void **state)
{
	(void)state;
	run(0, TALK_GREETED "C EHLO pc\n");
	talk.client_seen = talk.client_len;
	talk.size_max = 99;
	talk_try(&talk, "C MAIL FROM:<a@x.example> SIZE=100\nc 250\n"
			"C RCPT TO:<b@y.example>\nc 552 5.3.4\n");
	talk.size_max = 0;
}

static void test_a_message_that_goes_in_circles_is_refused(void **state)
{
	(void)state;
	run(0, OPEN);
	for (int i = 0; i < 49; i++)
		talk_try(&talk, "C Received: by x\n");
	talk_try(&talk, "w body\nC Received: by y\nw drain\nC .\nc 554 5.4.6\n");
	run(0, OPEN);
	for (int i = 0; i < 49; i++)
		talk_try(&talk, "C Received: by x\n");
	talk_try(&talk, "C \nC Received: in the text\nC .\nS 250 ok\nc 250\n");
}

static void test_a_header_that_needs_smtputf8_is_refused(void **state)
{
	static const char mail[] = "C MAIL FROM:<a@x.example> SMTPUTF8\nc 250\n"
				   "C RCPT TO:<b@y.example>\n" TALK_SERVER_HELLO
				   "s MAIL FROM:<a@x.example>\nS 250 ok\n"
				   "s RCPT TO:<b@y.example>\nS 250 ok\nc 250\n" GONE;
	(void)state;
	talk_whole(&talk, ENGINE_SMTPUTF8, TALK_GREETED "C EHLO pc\n");
	talk.client_seen = talk.client_len;
	talk_try(&talk, mail);
	talk_try(&talk, "C Subject: \xc3\xa4\nw drain\nC .\nc 550 5.6.9\n");
	/* in the text, or without the word, 8-bit bytes go as ever */
	talk_whole(&talk, ENGINE_SMTPUTF8, TALK_GREETED "C EHLO pc\n");
	talk.client_seen = talk.client_len;
	talk_try(&talk, mail);
	talk_try(&talk, "C Subject: a\nC \nC \xc3\xa4\nC .\nS 250 ok\nc 250\n");
	run(0, OPEN "C Subject: \xc3\xa4\nC .\nS 250 ok\nc 250\n");
}

static void test_what_the_server_says_inside_a_text_is_no_yes(void **state)
{
	static const struct {
		const char *server, *reply, *event;
		unsigned broken;
	} cases[] = {
		{"S 250 ok\n", "451 4.3.0", "server-lost 1/1 451", 1},
		{"S 354 go\n", "451 4.3.0", "server-lost 1/1 451", 1},
		{"S 552 5.3.4 too big\n", "552 5.3.4 too big", "refused 1/1 552", 0},
		{"S 552-5.3.4 too\nS 552 5.3.4 big\n", "552 5.3.4 big", "refused 1/1 552", 0},
		{"S 552 too big\nS 250 ok\n", "552 5.0.0 too big", "refused 1/1 552", 0},
		{"S 452 4.3.1 disk\n", "452 4.3.1 disk", "refused 1/1 452", 0},
		{"S 421 4.4.2 timeout\n", "451 4.4.2 gw.example", "server-lost 1/1 451", 0},
		{"X\n", "451 4.4.2 gw.example", "server-lost 1/1 451", 0},
		{"S what\n", "451 4.4.2", "server-lost 1/1 451", 0},
		{"Q 55\nX\n", "451 4.4.2", "server-lost 1/1 451", 0},
		{"Q 55\nw drain\nQ 4 no\\r\\n\n", "554 5.0.0 no", "refused 1/1 554", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[300];
		run(0, OPEN "C x\ns x\n");
		talk_try(&talk, cases[i].server);
		talk_try(&talk, "w drain\nc\ns\nC more\nc\ns\n");
		snprintf(script, sizeof(script), "C .\nc %s\nc\ns\nE text 9; %s\n" GOES_ON,
			cases[i].reply, cases[i].event);
		talk_try(&talk, script);
		assert_int_equal(talk.broken, cases[i].broken);
		assert_int_equal(talk.closed, 1);
	}
}

static void test_nor_while_the_verdict_is_waited_for(void **state)
{
	static const struct {
		const char *server, *reply, *event;
	} cases[] = {
		{"S 250 ok\n", "451 4.3.0", "server-lost 1/1 451"},
		{"S 552 5.3.4 too big\n", "552 5.3.4 too big", "refused 1/1 552"},
		{"S 421 4.4.2 timeout\n", "451 4.4.2 gw.example", "server-lost 1/1 451"},
		{"X\n", "451 4.4.2 gw.example", "server-lost 1/1 451"},
		{"Q 55\nw last\nX\n", "451 4.4.2", "server-lost 1/1 451"},
		{"Q 55\nw last\nQ 4 no\\r\\n\n", "554 5.0.0 no", "refused 1/1 554"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		run(0, OPEN);
		talk.holds = true;
		talk_try(&talk, "C x\nC .\nw ask-dot\ns x\nE text 3\n");
		talk_try(&talk, cases[i].server);
		snprintf(script, sizeof(script), "c %s\nc\ns\nw command\nE %s\n", cases[i].reply,
			cases[i].event);
		talk_try(&talk, script);
		assert_int_equal(talk.closed, 1);
	}
}

static void test_a_reply_that_was_begun_is_heard_to_its_end(void **state)
{
	(void)state;
	run(0, OPEN "C x\nQ 552 5.3.4 to\nw drain\nC .\nw last\nc\nQ o big\\r\\n\nc 552 5.3.4 too "
		    "big\nw command\n"
		    "E text 3; refused 1/1 552\n");
	run(0, OPEN "C x\nQ 552 5.3.4 to\nC .\nw last\nX\nc 451 4.4.2\nw command\n");
	run(0, OPEN "C x\nQ 552 5.3.4 to\nC .\nw last\nT 15000\nc 451 4.4.2\nw command\n");
	assert_int_equal(talk.closed, 1);
}

static void test_two_354_are_one_too_many(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN
		"C DATA\ns DATA\nQ 354 go\\r\\n354 go\\r\\n\nc 354 go\nw drain\n"
		"C x\nC .\nc 451 4.3.0\ns\n");
	assert_int_equal(talk.broken, 1);
}

static void test_a_client_that_leaves_takes_its_text_along(void **state)
{
	static const char *const ways[] = {"F\n", "G\n", "K\n"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		run(0, OPEN "C x\ns x\n");
		talk_try(&talk, ways[i]);
		talk_try(&talk, i == 2 ? "c 421 4.7.0\ns\nw end\nE text 3; ended 1/1 0\n"
				       : "c\ns\nw end\nE text 3; left 1/1 0\n");
		assert_int_equal(talk.closed, 1);
		/* while the verdict is waited for, its half is not it */
		run(0, OPEN);
		talk.holds = true;
		talk_try(&talk, "C x\nC .\nw ask-dot\ns x\n");
		talk_try(&talk, ways[i]);
		talk_try(&talk, i == 0 ? "s\nw ask-dot\n" : "s\nw end\n");
		assert_int_equal(talk.closed, i != 0);
	}
	run(0, OPEN "R a\\nb\\r\\n\nw drain\nF\nw end\nE text 6; rejected 1/1 0\n");
	run(0, OPEN "R a\\nb\\r\\n\nw drain\nK\nc 421\nw end\nE text 6; rejected 1/1 0\n");
}

static void test_what_the_server_said_is_recorded_though_nobody_hears_it(void **state)
{
	(void)state;
	run(0, OPEN "C x\nS 552 5.2.2 full\nw drain\nG\nw end\nE text 3; refused 1/1 552\n");
	run(0, OPEN "C x\nS 552 5.2.2 full\nT 180000\nc 421 4.4.2\nE text 3; refused 1/1 552\n");
}

static void test_who_closed_its_half_sends_no_text(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN "C DATA\ns DATA\nF\nw data\nS 354 go\nc\ns\nw end\n"
				     "E open; rcpt b 250; abandoned 1/1 0\n");
}

static void test_a_text_has_to_come_on(void **state)
{
	(void)state;
	run(0, OPEN "C x\nT 179999\nw body\nT 1\nc 421 4.4.2\nw end\nE text 3; left 1/1 0\n");
	/* each byte in time, but too few of them */
	run(0, OPEN "C x\nT 170000\nC y\nT 129999\nw body\nT 1\nc 421 4.4.2\nw end\n"
		    "E text 6; left 1/1 0\n");
	static char text[150000];
	memset(text, 'x', sizeof(text));
	run(0, OPEN);
	for (int i = 0; i < 5; i++) {
		talk_client(&talk, text, sizeof(text));
		talk_try(&talk, "T 170000\nC x\nT 130000\nw body\n");
	}
	talk_try(&talk, "T 50000\nw end\n");
}

static void test_a_server_that_takes_no_byte_is_lost(void **state)
{
	(void)state;
	run(0, OPEN "C x\n");
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	assert_int_equal(engine_client_room(&talk.engine), 0);
	talk_try(&talk, "T 179999\nw body\n");
	engine_server_blocked(&talk.engine, false, talk.now_ms);
	talk_try(&talk, "T 170000\nw body\n");
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	talk_try(&talk, "T 180000\nw drain\nc\nC .\nc 451 4.4.2\nw command\n"
			"E text 3; server-lost 1/1 451\n");
	assert_int_equal(talk.closed, 1);
	/* nor is it behind it: who could not say the rest has as long for it as anybody */
	run(0, OPEN "C x\n");
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	talk_try(&talk, "T 180000\nw drain\nT 150000\nC y\nT 149999\nw drain\nC .\nc 451 4.4.2\n"
			"w command\n");
}

static void test_draining_has_an_end(void **state)
{
	static char text[100000];
	(void)state;
	memset(text, 'x', sizeof(text));
	run(0, OPEN "R a\nT 100000\nR \\nb\n");
	for (int i = 0; i < 59; i++) {
		talk_client(&talk, text, sizeof(text));
		talk_try(&talk, "T 10000\nw drain\n");
	}
	talk_client(&talk, text, sizeof(text));
	talk_try(&talk, "T 10000\nc 550 5.6.11\nc 421 4.4.2\nw end\n"
			"E text 6000004; rejected 1/1 550\n");
	run(0, OPEN "R a\\nb\nT 180000\nc 421 4.4.2\nw end\n");
}

static void test_a_verdict_that_does_not_come_is_no_yes(void **state)
{
	(void)state;
	run(0, OPEN);
	talk.holds = true;
	talk_try(&talk, "C x\nC .\ns x\nT 295000\nc 451 4.7.1\ns\nw command\n"
			"E text 3; rejected 1/1 451\n");
	assert_int_equal(talk.closed, 1);
	run(0, TALK_HELLO TALK_TAKEN);
	talk.holds = true;
	talk_try(&talk, "C DATA\nT 30000\nc 451 4.3.0\ns\nw command\n");
}

static void test_idle_clients_are_sent_away(void **state)
{
	(void)state;
	run(0, TALK_GREETED "T 29999\nw command\nT 1\nc 421 4.4.2\nw end\n");
	run(0, TALK_GREETED "R EHL\nT 30000\nc 421 4.4.2\nw end\n");
	run(0, TALK_HELLO "T 299999\nw command\nT 1\nc 421 4.4.2\nw end\n");
	run(0, TALK_HELLO TALK_TAKEN "T 299999\nR NO\nT 1\nc 421\ns QUIT\nw end\n"
				     "E open; rcpt b 250; abandoned 1/1 0\n");
	assert_int_equal(talk.engine.ending, ENDING_IDLE);
}

static void test_drain_ends_a_flow_between_transactions(void **state)
{
	(void)state;
	run(0, TALK_HELLO "D\nc 421 4.3.2\nw end\n");
	run(0, TALK_HELLO TALK_TAKEN
		"D\nc\nw command\nC DATA\ns DATA\nS 354 go\nc 354\nC .\ns .\nS 250 ok\n"
		"c 250\nc 421 4.3.2\ns QUIT\nw end\n");
	run(0, TALK_HELLO TALK_TAKEN "D\nC RSET\nc 250\nc 421 4.3.2\nw end\n");
	run(0, TALK_HELLO TALK_TAKEN "K\nc 421 4.7.0\ns QUIT\nw end\n"
				     "E open; rcpt b 250; abandoned 1/1 0\n");
	assert_int_equal(talk.engine.ending, ENDING_KILLED_OPERATOR);
}

static void test_commands_behind_the_dot_are_kept(void **state)
{
	(void)state;
	run(0, OPEN "R x\\r\\n.\\r\\nMAIL FROM:<c@x.example>\\r\\nNOOP\\r\\n\nw dot\nc\n"
		    "S 250 ok\nc 250 2.0.0 ok\nc 250 2.1.0\nc 250 2.0.0\nc\n");
	run(0, OPEN "R a\\nb\\r\\n.\\r\\nQUIT\\r\\n\nc 550 5.6.11\nc 221\nw end\n");
}

static void test_a_reply_that_was_begun_keeps_its_code(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n"
				     "S 550-one\nc 550-5.0.0 one\nK\nc 550 5.4.2\nc\nw end\n");
	run(0, TALK_HELLO TALK_TAKEN "C DATA\ns DATA\nS 450-one\nc 450-4.0.0 one\nC x\n"
				     "c 450 4.4.2\nc\nw end\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_text_goes_as_it_comes_and_the_dot_waits),
		cmocka_unit_test(test_our_header_comes_first),
		cmocka_unit_test(test_the_servers_word_on_the_dot_is_passed_on),
		cmocka_unit_test(test_a_text_that_may_not_be_is_read_to_its_dot),
		cmocka_unit_test(test_a_text_too_big_is_read_to_its_dot),
		cmocka_unit_test(test_of_two_faults_it_is_not_the_first_that_is_told),
		cmocka_unit_test(test_a_recipient_may_have_a_smaller_size),
		cmocka_unit_test(test_a_declared_size_is_held_against_the_recipients),
		cmocka_unit_test(test_a_message_that_goes_in_circles_is_refused),
		cmocka_unit_test(test_a_header_that_needs_smtputf8_is_refused),
		cmocka_unit_test(test_what_the_server_says_inside_a_text_is_no_yes),
		cmocka_unit_test(test_nor_while_the_verdict_is_waited_for),
		cmocka_unit_test(test_a_reply_that_was_begun_is_heard_to_its_end),
		cmocka_unit_test(test_two_354_are_one_too_many),
		cmocka_unit_test(test_a_client_that_leaves_takes_its_text_along),
		cmocka_unit_test(test_what_the_server_said_is_recorded_though_nobody_hears_it),
		cmocka_unit_test(test_who_closed_its_half_sends_no_text),
		cmocka_unit_test(test_a_text_has_to_come_on),
		cmocka_unit_test(test_a_server_that_takes_no_byte_is_lost),
		cmocka_unit_test(test_draining_has_an_end),
		cmocka_unit_test(test_a_verdict_that_does_not_come_is_no_yes),
		cmocka_unit_test(test_idle_clients_are_sent_away),
		cmocka_unit_test(test_drain_ends_a_flow_between_transactions),
		cmocka_unit_test(test_commands_behind_the_dot_are_kept),
		cmocka_unit_test(test_a_reply_that_was_begun_keeps_its_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
