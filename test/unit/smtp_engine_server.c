/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RCPT  "C RCPT TO:<b@y.example>\n"
#define ASKED TALK_HELLO TALK_MAIL RCPT
#define AGAIN                                                                              \
	TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT TO:<b@y.example>\n" \
			  "S 250 yes\nc 250 2.0.0 yes\nw command\n"

static struct talk talk;

static void run(unsigned flags, const char *script)
{
	talk_whole(&talk, flags, script);
}

/* Each of these from the first host, and the client hears nothing of it. */
static void test_until_the_reply_to_mail_another_host_is_tried(void **state)
{
#define SAID_MAIL TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\n"
#define SAID_EHLO "S 220 mx\ns EHLO gw.example\n"
	static const struct {
		const char *failure, *told;
	} cases[] = {
		{"X\n", "greeting-closed"},
		{"S 421 full\n", "greeting-refused full"},
		{"S 554 5.7.1 go away\n", "greeting-refused go away"},
		{"S 554-go\nS 220 away\n", "greeting-refused away"},
		{"S 450 later\n", "greeting-refused later"},
		{"S SSH-2.0-x\n", "greeting-malformed SSH-2.0-x"},
		{"Q 220 mx\\r\\n250\nw greeting\n",
			"greeting-malformed says more than it was asked"},
		{"T 15000\n", "greeting-timeout"},
		{SAID_EHLO "X\n", "greeting-closed closed before the reply to EHLO"},
		{SAID_EHLO "S 421 x\n", "greeting-refused x"},
		{SAID_EHLO "S 450 x\n", "greeting-refused x"},
		{SAID_EHLO "S 500 x\ns HELO gw.example\nS 500 y\n", "greeting-refused y"},
		{SAID_EHLO "T 15000\n", "greeting-timeout"},
		{SAID_EHLO "Q 250-mx\\r\\n250 SIZE\\r\\n250 ok\\r\\n\n",
			"greeting-malformed says more than it was asked"},
		{SAID_MAIL "X\n", "greeting-closed closed before the reply to MAIL"},
		{SAID_MAIL "S 421 x\n", "sender-refused x"},
		{SAID_MAIL "S 451 4.7.1 not now\n", "sender-refused not now"},
		{SAID_MAIL "S 451-not\nS 250 now\n", "sender-refused now"},
		{SAID_MAIL "S 530 auth\n", "sender-refused auth"},
		{SAID_MAIL "S 354 what\n", "sender-refused what"},
		{SAID_MAIL "T 15000\n", "greeting-timeout"},
		{SAID_MAIL "Q 250 ok\\r\\n250 yes\\r\\n\n",
			"greeting-malformed says more than it was asked"},
		{SAID_MAIL "S 250 ok\ns RCPT TO:<b@y.example>\nX\n",
			"greeting-closed closed before the reply to RCPT"},
		{SAID_MAIL "S 250 ok\ns RCPT TO:<b@y.example>\nS 421 x\n", "greeting-refused x"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		run(0, ASKED "E open\n");
		talk_try(&talk, cases[i].failure);
		snprintf(script, sizeof(script), "c\ns\nE %s; next\nw greeting\n", cases[i].told);
		talk_try(&talk, script);
		talk_try(&talk, AGAIN);
		assert_int_equal(talk.opened, 2);
		assert_int_equal(talk.closed, 1);
	}
}

static void test_when_no_host_is_left_the_recipient_hears_it(void **state)
{
	static const struct {
		const char *failure, *reply;
	} cases[] = {
		{"X\n", "451 4.4.1 gw.example no mail server reachable [f-1]"},
		{"S 554 go away\n", "451 4.4.1"},
		{TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 451 4.7.1 not now\n",
			"451 4.7.1 not now"},
		{TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 530 auth\n", "451 4.3.5"},
		{TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 503 order\n", "451 4.3.5"},
		{TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 555 what\n", "451 4.3.5"},
		{TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 421 bye\n", "451 4.4.1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		snprintf(script, sizeof(script),
			"c %s\nc\nC RCPT TO:<c@y.example>\nc %s\ns\nC DATA\nc 554 5.5.1\n",
			cases[i].reply, cases[i].reply);
		run(0, ASKED "o 0\n");
		talk_try(&talk, cases[i].failure);
		talk_try(&talk, script);
		/* the next message finds out anew */
		talk_try(&talk, "C RSET\nc 250\no 1\n" TALK_MAIL RCPT AGAIN);
	}
}

static void test_a_host_that_hangs_leaves_the_words_of_the_one_before(void **state)
{
	(void)state;
	run(0, ASKED TALK_SERVER_HELLO "o 0\ns MAIL FROM:<a@x.example>\n"
				       "S 451-4.7.1 not\nS 451 4.7.1 now\nc 451 4.7.1 now\n");
	run(0, ASKED TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 451 4.7.1 not now\no 0\n"
				       "X\nc 451 4.4.1\n");
}

static void test_all_hosts_have_one_deadline(void **state)
{
	(void)state;
	run(0, ASKED "T 15000\nc\nw greeting\nE open; greeting-timeout; next\nT 10000\nc 451 "
		     "4.4.1\nw command\nE "
		     "rcpt b own 451; greeting-timeout\n");
	run(0, ASKED "T 15000\n" TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nT 9999\nc\nw mail\n"
		     "T 1\nc 451 4.4.1\n");
	assert_int_equal(talk.closed, 2);
}

static void test_a_host_that_hangs_leaves_time_for_the_next(void **state)
{
	static const char *const said[] = {
		"",
		"S 220 h\n",
		TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		run(0, TALK_HELLO TALK_MAIL "m 4000\nC RCPT TO:<b@y.example>\nT 1000\n");
		talk_try(&talk, said[i]);
		talk_try(&talk, "T 2999\nE open\nm 9000\nT 1\n"
				"E greeting-timeout; next\nT 8999\nw greeting\nT 1\n"
				"E greeting-timeout; next\n");
	}
	/* one that was kept is tried again in what is left of the time */
	run(0, TALK_HELLO TALK_TAKEN "C RSET\nC MAIL FROM:<a@x.example>\nc 250\nc 250\n"
				     "E open; rcpt b 250; abandoned 1/1 0\nT 1000\n"
				     "C RCPT TO:<b@y.example>\ns RSET\nT 10000\nS 250 ok\n"
				     "s MAIL FROM:<a@x.example>\nT 6666\nw mail\nT 1\n"
				     "E greeting-timeout; again\n");
}

static void test_a_reply_to_rcpt_is_final(void **state)
{
	static const char *const replies[] = {
		"450 4.2.0 greylisted", "452 4.2.2 full", "550 5.1.1 nobody", "554 5.7.1 no"};
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		char script[600];
		snprintf(script, sizeof(script),
			ASKED TALK_SERVER_HELLO
			"s MAIL FROM:<a@x.example>\nS 250 ok\n"
			"s RCPT TO:<b@y.example>\nS %s\nc %s\nc\n"
			"C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n",
			replies[i], replies[i]);
		run(0, script);
		assert_int_equal(talk.opened, 1);
	}
}

static void test_a_refused_sender_answers_all_recipients(void **state)
{
	(void)state;
	run(0, ASKED TALK_SERVER_HELLO
		"s MAIL FROM:<a@x.example>\nS 550 5.7.1 bad sender\n"
		"c 550 5.7.1 bad sender\nC RCPT TO:<c@y.example>\nc 550 5.7.1 bad sender\ns\n"
		"X\nC RCPT TO:<d@y.example>\nc 550 5.7.1 bad sender\n"
		"C DATA\nc 554 5.5.1\nC RSET\nc 250\n"
		"E open; rcpt b 550; rcpt c 550; rcpt d 550; no-recipient 0/3 0\n");
	run(0, ASKED TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 550 no\nc 550 5.0.0 no\n"
				       "C RSET\nc 250\nC MAIL FROM:<c@x.example>\nc 250\n" RCPT
				       "s MAIL FROM:<c@x.example>\n");
	assert_int_equal(talk.opened, 1);
}

static void test_a_kept_connection_found_stale_is_redone(void **state)
{
	static const char *const ways[] = {
		"s MAIL FROM:<a@x.example>\nX\n",
		"s MAIL FROM:<a@x.example>\nS 421 timeout\n",
		"s MAIL FROM:<a@x.example>\nS 503 nested\n",
		"s MAIL FROM:<a@x.example>\nT 15000\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		run(0, TALK_HELLO TALK_TAKEN
			"C DATA\ns DATA\nS 354 go\nc 354\nC .\ns .\nS 250 ok\nc 250\n"
			"E open; rcpt b 250; text 0; delivered 1/1 250\n" TALK_MAIL RCPT);
		talk_try(&talk, ways[i]);
		talk_try(&talk, "c\n");
		assert_non_null(strstr(talk.events, "; again"));
		talk_try(&talk, AGAIN);
	}
	/* one that is seen to end is opened as if it had never been */
	run(0, TALK_HELLO TALK_TAKEN "C RSET\nc 250\nE open; rcpt b 250; abandoned 1/1 0\n"
				     "S 421 timeout\nc\n" TALK_MAIL RCPT "E open\n" AGAIN);
	assert_int_equal(talk.closed, 1);
	run(0, TALK_HELLO TALK_TAKEN "C RSET\nc 250\nE open; rcpt b 250; abandoned 1/1 0\n"
				     "X\nc\n" TALK_MAIL RCPT "E open\n" AGAIN);
	run(0, TALK_HELLO TALK_TAKEN
		"C RSET\nc 250\nE open; rcpt b 250; abandoned 1/1 0\n" TALK_MAIL RCPT
		"s RSET\nS 500 what\nE greeting-refused what; again\n" AGAIN);
}

static void test_a_server_lost_behind_a_yes_ends_the_transaction(void **state)
{
	static const char *const ways[] = {"X\n", "S 421 bye\n", "S 250 what\n", "Q 2\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		run(0, TALK_HELLO TALK_TAKEN);
		talk_try(&talk, ways[i]);
		talk_try(&talk, "c\nC RCPT TO:<c@y.example>\nc 451 4.4.2\nC DATA\nc 451 4.4.2\ns\n"
				"C DATA\nc 503\nE open; rcpt b 250; rcpt c own 451; "
				"abandoned 1/2 451\n" TALK_MAIL RCPT "E open\n" AGAIN);
	}
	/* whatever it said of the one before */
	run(0, TALK_HELLO TALK_TAKEN
		"C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nS 550-5.1.1 a\nS 550 5.1.1 b\nc "
		"550-5.1.1 a\nc 550 5.1.1 b\nX\nC DATA\nc 451 4.4.2\n");
	/* while a recipient is asked for, and while its owner decides */
	run(0, TALK_HELLO TALK_TAKEN
		"C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nX\nc 451 4.4.2\n"
		"C RCPT TO:<d@y.example>\nc 451 4.4.2\nC DATA\nc 451 4.4.2\n");
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nT 300000\n"
				     "c 451 4.4.2\nC DATA\nc 451 4.4.2\n");
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nS 421 bye\n"
				     "c 451 4.4.2\nC DATA\nc 451 4.4.2\n");
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\nS 354 x\n"
				     "c 451 4.3.0\nC DATA\nc 451\n");
}

static void test_data_is_refused_as_the_server_does(void **state)
{
	static const struct {
		const char *server, *reply;
		bool ends;
	} cases[] = {
		{"S 451 4.3.0 disk\n", "451 4.3.0 disk", false},
		{"S 554-5.5.1 no\nS 554 5.5.1 really\n", "554-5.5.1 no", false},
		{"S 421 bye\n", "451 4.4.2", true},
		{"S 503 order\n", "451 4.3.5", true},
		{"S 250 ok\n", "451 4.3.0", true},
		{"S 1x\n", "451 4.3.0", true},
		{"X\n", "451 4.4.2", true},
		{"T 120000\n", "451 4.4.2", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		run(0, TALK_HELLO TALK_TAKEN "C DATA\ns DATA\n");
		talk_try(&talk, cases[i].server);
		snprintf(script, sizeof(script), "c %s\nw command\n", cases[i].reply);
		talk_try(&talk, script);
		assert_int_equal(talk.engine.mail, !cases[i].ends);
	}
}

static void test_one_transaction_has_one_server(void **state)
{
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN
		"C RCPT TO:<other@z.example>\nc 452 4.5.3\ns\nC RCPT TO:<c@y.example>\n"
		"s RCPT TO:<c@y.example>\nS 250 ok\nc 250\n"
		"E open; rcpt b 250; rcpt other own 452; rcpt c 250\n");
	/* nobody was told yes: another server may be had */
	run(0, ASKED TALK_SERVER_HELLO
		"s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT TO:<b@y.example>\n"
		"S 550 5.1.1 no\nc 550 5.1.1 no\nC RCPT TO:<other@z.example>\ns "
		"QUIT\n" TALK_SERVER_HELLO "s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT "
		"TO:<other@z.example>\nS 250 ok\nc 250\n");
	assert_int_equal(talk.engine.server, 8);
	assert_int_equal(talk.closed, 1);
	/* the next message goes where it should */
	run(0, TALK_HELLO TALK_TAKEN "C RSET\nc 250\n" TALK_MAIL
				     "C RCPT TO:<other@z.example>\ns QUIT\n" TALK_SERVER_HELLO
				     "s MAIL FROM:<a@x.example>\n");
}

static void test_xclient_names_the_client(void **state)
{
	(void)state;
	talk_init(&talk, 0);
	talk.xclient = true;
	talk_greet(&talk);
	talk_try(&talk, ASKED "S 220 mx\ns EHLO gw.example\nS 250-mx\nS 250-SMTPUTF8\n"
			      "S 250 XCLIENT NAME ADDR PORT\n"
			      "s XCLIENT ADDR=192.0.2.9\nS 220 mx\ns EHLO pc\nS 250-mx\nS 250 DSN\n"
			      "s MAIL FROM:<a@x.example>\n");
	assert_int_equal(talk.engine.offers.words, SMTP_PARAMETER_DSN);
	assert_true(talk.engine.named);
	static const char *const failures[] = {
		"S 220 mx\ns EHLO gw.example\nS 250 mx\n",
		"S 220 mx\ns EHLO gw.example\nS 250-mx\nS 250 XCLIENT NAME ADDR\n"
		"s XCLIENT ADDR=192.0.2.9\nS 550 5.7.0 no\n",
		"S 220 mx\ns EHLO gw.example\nS 250-mx\nS 250 XCLIENT NAME ADDR\n"
		"s XCLIENT ADDR=192.0.2.9\nT 15000\n",
	};
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		talk_init(&talk, 0);
		talk.xclient = true;
		talk_greet(&talk);
		talk_try(&talk, ASKED "E open\n");
		talk_try(&talk, failures[i]);
		talk_try(&talk, "c\ns\nw greeting\n");
		assert_non_null(strstr(talk.events, "; next"));
	}
}

/* What the client asked for and the server lacks. */
static void test_parameters_go_where_they_are_known(void **state)
{
	static const struct {
		const char *mail, *rcpt, *offers, *to_mail, *to_rcpt, *reply;
	} cases[] = {
		{"<a@x.example> BODY=8BITMIME SIZE=10", "<b@y.example>", "S 250 mx\n",
			"<a@x.example>", "<b@y.example>", NULL},
		{"<a@x.example> BODY=8BITMIME SIZE=10", "<b@y.example>",
			"S 250-mx\nS 250-SIZE 10\nS 250 8BITMIME\n",
			"<a@x.example> SIZE=10 BODY=8BITMIME", "<b@y.example>", NULL},
		{"<a@x.example> SIZE=11", "<b@y.example>", "S 250-mx\nS 250 SIZE 10\n", NULL, NULL,
			"554 5.3.4"},
		{"<a@x.example> RET=HDRS ENVID=1", "<b@y.example> NOTIFY=NEVER", "S 250 mx\n",
			"<a@x.example>", "<b@y.example>", NULL},
		{"<a@x.example> RET=HDRS ENVID=1", "<b@y.example> NOTIFY=NEVER",
			"S 250-mx\nS 250 DSN\n", "<a@x.example> RET=HDRS ENVID=1",
			"<b@y.example> NOTIFY=NEVER", NULL},
		{"<a@x.example> AUTH=<>", "<b@y.example>", "S 250-mx\nS 250 AUTH PLAIN\n",
			"<a@x.example>", "<b@y.example>", NULL},
		{"<a@x.example> SMTPUTF8", "<b@y.example>", "S 250 mx\n", "<a@x.example>",
			"<b@y.example>", NULL},
		{"<\xc3\xa4@x.example> SMTPUTF8", "<b@y.example>", "S 250 mx\n", NULL, NULL,
			"550 5.6.7"},
		{"<\xc3\xa4@x.example> SMTPUTF8", "<b@y.example>", "S 250-mx\nS 250 SMTPUTF8\n",
			"<\xc3\xa4@x.example> SMTPUTF8", "<b@y.example>", NULL},
		{"<a@x.example> SMTPUTF8", "<\xc3\xa4@y.example>", "S 250 mx\n", "<a@x.example>",
			NULL, "550 5.6.7"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[400];
		talk_whole(&talk, ENGINE_SMTPUTF8 | ENGINE_DSN, TALK_GREETED "C EHLO pc\n");
		talk.client_seen = talk.client_len;
		snprintf(script, sizeof(script),
			"C MAIL FROM:%s\nc 250\nC RCPT TO:%s\nS 220 mx\ns EHLO gw.example\n%s",
			cases[i].mail, cases[i].rcpt, cases[i].offers);
		talk_try(&talk, script);
		if (cases[i].to_mail) {
			snprintf(script, sizeof(script), "s MAIL FROM:%s\nS 250 ok\n",
				cases[i].to_mail);
			talk_try(&talk, script);
		}
		if (cases[i].to_rcpt)
			snprintf(script, sizeof(script), "s RCPT TO:%s\nc\n", cases[i].to_rcpt);
		else
			snprintf(script, sizeof(script), "c %s\ns\n", cases[i].reply);
		talk_try(&talk, script);
	}
}

/* What a server says at length or badly. */
static void test_replies_are_passed_on_within_bounds(void **state)
{
	static const struct {
		const char *server, *client;
	} cases[] = {
		{"S 250-2.1.5 a\nS 250 2.1.5 b\n", "c 250 2.1.5 b\nc\n"},
		{"S 250-a\nS 550 5.1.1 b\n", "c 550 5.1.1 b\nc\n"},
		{"S 550-5.1.1 a\nS 550-b\nS 550 5.1.1 c\n",
			"c 550-5.1.1 a\nc 550-5.0.0 b\nc 550 5.1.1 c\nc\n"},
		{"S 550-5.1.1 a\nS 250 b\n", "c 550-5.1.1 a\nc 550 5.0.0 b\nc\n"},
		{"S 450-a\nS 550 5.1.1 b\n", "c 450-4.0.0 a\nc 450 4.0.0 5.1.1 b\nc\n"},
		{"S 550 4.7.1 mixed\n", "c 550 5.0.0 4.7.1 mixed\nc\n"},
		{"S 550\n", "c 550 5.0.0 \nc\n"},
		{"Q 550 a\\0b\x1b\xc3\xa4\\rc\\r\\n\n", "c 550 5.0.0 a?b????c\nc\n"},
		{"Q \\r250 yes\\r\\n\n", "c 451 4.3.0\nc\n"},
		{"Q 2\\r50 yes\\r\\n\n", "c 451 4.3.0\nc\n"},
		{"Q 550 lf\\n\n", "c 550 5.0.0 lf\nc\n"},
		{"S 530 a\n", "c 451 4.3.5\nc\n"},
		{"S 503-a\nS 503 b\n", "c 451 4.3.5\nc\n"},
		{"S 555 a\n", "c 451 4.3.5\nc\n"},
		{"S 550-a\nX\n", "c 550-5.0.0 a\nc 550 5.4.2 gw.example\nc\n"},
		{"S 450-a\nT 300000\n", "c 450-4.0.0 a\nc 450 4.4.2 gw.example\nc\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n");
		talk_try(&talk, cases[i].server);
		talk_try(&talk, cases[i].client);
		talk_try(&talk, "w command\n");
	}
}

static void test_a_long_reply_is_cut(void **state)
{
	static char line[2000];
	(void)state;
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n");
	for (int i = 0; i < 99; i++)
		talk_try(&talk, "S 550-5.1.1 a line of many\n");
	talk_try(&talk, "S 550 5.1.1 the last\n");
	for (int i = 0; i < 49; i++)
		talk_try(&talk, "c 550-5.1.1 a line of many\n");
	talk_try(&talk, "c 550 5.1.1 the last\nc\n");

	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n");
	memset(line, 'x', sizeof(line));
	memcpy(line, "550 ", 4);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	talk_server(&talk, line, sizeof(line));
	assert_true(talk.client_len - talk.client_seen <= 512);
	talk_try(&talk, "c 550 5.0.0 xxxx\nc\nw command\n");

	/* one that never ends is given up */
	run(0, TALK_HELLO TALK_TAKEN "C RCPT TO:<c@y.example>\ns RCPT TO:<c@y.example>\n");
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 40; i++)
		talk_server(&talk, line, sizeof(line));
	talk_try(&talk, "c 451 4.3.0\nc\nw command\n");
	assert_int_equal(talk.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_the_reply_to_mail_another_host_is_tried),
		cmocka_unit_test(test_when_no_host_is_left_the_recipient_hears_it),
		cmocka_unit_test(test_a_host_that_hangs_leaves_the_words_of_the_one_before),
		cmocka_unit_test(test_all_hosts_have_one_deadline),
		cmocka_unit_test(test_a_host_that_hangs_leaves_time_for_the_next),
		cmocka_unit_test(test_a_reply_to_rcpt_is_final),
		cmocka_unit_test(test_a_refused_sender_answers_all_recipients),
		cmocka_unit_test(test_a_kept_connection_found_stale_is_redone),
		cmocka_unit_test(test_a_server_lost_behind_a_yes_ends_the_transaction),
		cmocka_unit_test(test_data_is_refused_as_the_server_does),
		cmocka_unit_test(test_one_transaction_has_one_server),
		cmocka_unit_test(test_xclient_names_the_client),
		cmocka_unit_test(test_parameters_go_where_they_are_known),
		cmocka_unit_test(test_replies_are_passed_on_within_bounds),
		cmocka_unit_test(test_a_long_reply_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
