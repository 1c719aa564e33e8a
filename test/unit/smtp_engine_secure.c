/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RCPT  "C RCPT TO:<b@y.example>\n"
#define ASKED TALK_HELLO TALK_MAIL RCPT
#define SAID  "S 220 mx\ns EHLO gw.example\n"
#define TLS   SAID "S 250-mx\nS 250-AUTH LOGIN\nS 250 STARTTLS\ns STARTTLS\n"
#define TAKEN                                                            \
	"s MAIL FROM:<a@x.example>\nS 250 ok\ns RCPT TO:<b@y.example>\n" \
	"S 250 yes\nc 250 2.0.0 yes\n"
/* base64 of NUL user NUL secret, of user, of secret */
#define PLAIN "AHVzZXIAc2VjcmV0"
#define USER  "dXNlcg=="
#define PASS  "c2VjcmV0"

static struct talk talk;

static void begin(enum engine_tls tls, bool login)
{
	talk_init(&talk, 0);
	talk.tls = tls;
	talk.login = login;
	talk_greet(&talk);
	talk_try(&talk, ASKED "E open\n");
}

static void test_all_that_was_said_in_clear_is_forgotten(void **state)
{
	(void)state;
	begin(ENGINE_TLS_REQUIRE, false);
	talk_try(&talk, SAID "S 250-mx\nS 250-SIZE 5000\nS 250-SMTPUTF8\nS 250 STARTTLS\n"
			     "s STARTTLS\nw starttls\nS 220 go\ns EHLO gw.example\nw ehlo\n");
	assert_int_equal(talk.engine.offers.size, 0);
	assert_int_equal(talk.engine.offers.words, 0);
	assert_true(talk.engine.secured);
	talk_try(&talk, "S 250-mx\nS 250-DSN\nS 250 STARTTLS\n" TAKEN "s\nE rcpt b 250\n");
	assert_int_equal(talk.engine.offers.words, SMTP_PARAMETER_DSN);
	assert_int_equal(talk.secured, 1);
	assert_int_equal(talk.opened, 1);
	/* the next message goes by the same connection */
	talk_try(&talk, "C RSET\nc 250\n" TALK_MAIL RCPT "s RSET\nS 250 ok\n" TAKEN);
	assert_int_equal(talk.secured, 1);
	/* of one host nothing is known of the next */
	begin(ENGINE_TLS_REQUIRE, true);
	talk_try(&talk, TLS "S 220 go\ns EHLO gw.example\nX\n" TLS "S 220 go\ns EHLO gw.example\n");
	assert_int_equal(talk.secured, 2);
}

/* Where TLS is wanted, and cannot be had: each of these, and what is told of it. */
static const struct {
	const char *said, *told;
} failures[] = {
	{TLS "S 454 4.7.0 not now\n", "tls-failed not now"},
	{TLS "S 250 ok\n", "tls-failed"},
	{TLS "S 500 what\n", "tls-failed what"},
	{TLS "X\n", "tls-failed closed before the handshake"},
	{TLS "S x\n", "tls-failed says more than it was asked"},
	{TLS "T 15000\n", "tls-failed no handshake in time"},
	{TLS "Q 220 go\\r\\n250 injected\\r\\n\n", "tls-failed says more than it was asked"},
	{TLS "Q 220 go\\r\\n\\r\\n\n", "tls-failed says more than it was asked"},
	{TLS "u certificate expired\nS 220 go\n", "tls-failed certificate expired"},
};
#define FAILURES (sizeof(failures) / sizeof(failures[0]))

static void test_a_host_without_the_tls_that_is_required_is_not_spoken_to(void **state)
{
	char script[200];
	(void)state;
	for (size_t i = 0; i < FAILURES; i++) {
		begin(ENGINE_TLS_REQUIRE, false);
		talk_try(&talk, failures[i].said);
		snprintf(script, sizeof(script), "c\ns\nE %s; next\nw greeting\no 0\n",
			failures[i].told);
		talk_try(&talk, script);
		talk.unfit = NULL;
		talk_try(&talk, TLS "S 220 go\ns EHLO gw.example\nS 250 mx\n" TAKEN);
		assert_int_equal(talk.opened, 2);
		assert_int_equal(talk.closed, 1);
	}
	static const char *const without[] = {
		SAID "S 250-mx\nS 250 SIZE\n",
		SAID "S 250 mx STARTTLS\n",
		SAID "S 500 what\ns HELO gw.example\nS 250 mx\n",
	};
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
		begin(ENGINE_TLS_REQUIRE, false);
		talk_try(&talk, without[i]);
		talk_try(&talk, "c\ns\nE tls-failed does not offer STARTTLS; next\n");
	}
}

static void test_when_no_host_has_the_tls_the_recipient_hears_it(void **state)
{
	char script[200];
	(void)state;
	for (size_t i = 0; i < FAILURES; i++) {
		begin(ENGINE_TLS_REQUIRE, false);
		talk_try(&talk, "o 0\n");
		talk_try(&talk, failures[i].said);
		snprintf(script, sizeof(script),
			"c 451 4.7.5 gw.example\nC RCPT TO:<c@y.example>\nc 451 4.7.5\ns\n"
			"C DATA\nc 554 5.5.1\nE %s; next; rcpt b own 451; rcpt c own 451\n",
			failures[i].told);
		talk_try(&talk, script);
	}
}

static void test_tls_that_is_only_offered_is_tried_once(void **state)
{
	char script[200];
	(void)state;
	for (size_t i = 0; i < FAILURES; i++) {
		begin(ENGINE_TLS_OFFER, false);
		talk_try(&talk, failures[i].said);
		snprintf(script, sizeof(script), "c\ns\nE %s; clear\n", failures[i].told);
		talk_try(&talk, script);
		talk_try(&talk, SAID "S 250-mx\nS 250 STARTTLS\n" TAKEN);
		assert_false(talk.engine.secured);
		/* where that fails, too, the next host is tried, and in TLS again */
		begin(ENGINE_TLS_OFFER, false);
		talk_try(&talk, failures[i].said);
		talk.unfit = NULL;
		talk_try(&talk, SAID "X\n");
		snprintf(script, sizeof(script),
			"E %s; clear; greeting-closed closed before the reply to "
			"EHLO; next\n",
			failures[i].told);
		talk_try(&talk, script);
		talk_try(&talk, TLS "S 220 go\ns EHLO gw.example\nS 250 mx\n" TAKEN);
		assert_true(talk.engine.secured);
	}
	begin(ENGINE_TLS_OFFER, false);
	talk_try(&talk, TLS "S 220 go\ns EHLO gw.example\nS 250 mx\n" TAKEN);
	assert_true(talk.engine.secured);
	begin(ENGINE_TLS_OFFER, false);
	talk_try(&talk, SAID "S 250 mx\n" TAKEN);
	assert_false(talk.engine.secured);
}

/* A host of its own, in the place of the one that was to be had without. */
static void test_only_what_is_offered_is_done_without(void **state)
{
	(void)state;
	begin(ENGINE_TLS_OFFER, false);
	talk.tls = ENGINE_TLS_REQUIRE;
	talk_try(&talk, TLS "S 454 no\nE tls-failed no; clear\n" TLS);
	talk_try(&talk, "S 454 no\nE tls-failed no; next\n");
}

static void test_tls_before_the_greeting(void **state)
{
	(void)state;
	begin(ENGINE_TLS_IMMEDIATE, false);
	assert_int_equal(talk.secured, 1);
	talk_try(&talk, SAID "S 250-mx\nS 250 STARTTLS\n" TAKEN "s\n");
	talk_init(&talk, 0);
	talk.tls = ENGINE_TLS_IMMEDIATE;
	talk_greet(&talk);
	talk_try(&talk, "u no\no 2\n" ASKED "s\nE open; tls-failed no; next; tls-failed no; next; "
			"rcpt b own 451\nc 451 4.7.5\n");
}

static void test_a_client_is_named_in_tls_alone(void **state)
{
	(void)state;
	talk_init(&talk, 0);
	talk.tls = ENGINE_TLS_REQUIRE;
	talk.xclient = true;
	talk_greet(&talk);
	talk_try(&talk,
		ASKED SAID "S 250-mx\nS 250-XCLIENT ADDR NAME\nS 250 STARTTLS\ns STARTTLS\n"
			   "S 220 go\ns EHLO gw.example\nS 250-mx\nS 250 XCLIENT ADDR NAME\n"
			   "s XCLIENT ADDR=192.0.2.9\nS 220 mx\ns EHLO pc\nS 250-mx\n"
			   "S 250 STARTTLS\n" TAKEN);
	/* one that forgets it with TLS is not used */
	talk_init(&talk, 0);
	talk.tls = ENGINE_TLS_OFFER;
	talk.xclient = true;
	talk_greet(&talk);
	talk_try(&talk, ASKED "E open\n" SAID "S 250-mx\nS 250-XCLIENT ADDR NAME\nS 250 STARTTLS\n"
			      "s STARTTLS\nS 220 go\ns EHLO gw.example\nS 250 mx\n"
			      "E identity-refused; next\n");
	/* and one that shows STARTTLS to the client alone is spoken to as it is */
	talk_init(&talk, 0);
	talk.tls = ENGINE_TLS_OFFER;
	talk.xclient = true;
	talk_greet(&talk);
	talk_try(&talk, ASKED SAID "S 250-mx\nS 250 XCLIENT ADDR NAME\n"
				   "s XCLIENT ADDR=192.0.2.9\nS 220 mx\ns EHLO pc\nS 250-mx\n"
				   "S 250 STARTTLS\n" TAKEN);
}

static void test_the_gateway_logs_in(void **state)
{
	(void)state;
	begin(ENGINE_TLS_REQUIRE, true);
	talk_try(&talk, TLS "S 220 go\ns EHLO gw.example\nS 250-mx\nS 250 AUTH LOGIN PLAIN\n"
			    "s AUTH PLAIN " PLAIN "\nw auth\nS 235 2.7.0 ok\n" TAKEN);
	assert_null(memmem(&talk.engine, sizeof(talk.engine), PLAIN, 8));
	/* once a connection */
	talk_try(&talk, "C RSET\nc 250\n" TALK_MAIL RCPT "s RSET\nS 250 ok\n" TAKEN);
	begin(ENGINE_TLS_IMMEDIATE, true);
	talk_try(&talk, SAID "S 250-mx\nS 250 AUTH=LOGIN\ns AUTH LOGIN\nS 334 VXNlcm5hbWU6\n"
			     "s " USER "\nS 334 UGFzc3dvcmQ6\ns " PASS "\nS 235 ok\n" TAKEN);
	assert_null(memmem(&talk.engine, sizeof(talk.engine), PASS, 8));
}

static void test_a_login_that_is_refused_is_no_reply_to_the_client(void **state)
{
#define LOGIN SAID "S 250-mx\nS 250 AUTH PLAIN\ns AUTH PLAIN " PLAIN "\n"
	static const struct {
		const char *said, *told, *reply;
	} cases[] = {
		{LOGIN "S 535 5.7.8 wrong\n", "login-refused wrong", "451 4.7.0"},
		{LOGIN "S 534 5.7.9 weak\n", "login-refused weak", "451 4.7.0"},
		{LOGIN "S 530 5.7.0 first\n", "login-refused first", "451 4.7.0"},
		{LOGIN "S 454 4.7.0 later\n", "login-refused later", "451 4.7.0"},
		{LOGIN "S 250 ok\n", "login-refused", "451 4.7.0"},
		{LOGIN "S 334 more\n", "login-refused more", "451 4.7.0"},
		{LOGIN "S 421 bye\n", "greeting-refused bye", "451 4.4.1"},
		{LOGIN "X\n", "greeting-closed closed before the reply to the login", "451 4.4.1"},
		{LOGIN "T 15000\n", "greeting-timeout", "451 4.4.1"},
		{SAID "S 250-mx\nS 250 AUTH GSSAPI\n", "login-refused no AUTH", "451 4.7.0"},
		{SAID "S 250-mx\nS 250 AUTH LOGIN\ns AUTH LOGIN\nS 235 ok\n", "login-refused",
			"451 4.7.0"},
		{SAID "S 250-mx\nS 250 AUTH LOGIN\ns AUTH LOGIN\nS 334 u\ns " USER "\nS 535 no\n",
			"login-refused no", "451 4.7.0"},
	};
	char script[200];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(ENGINE_TLS_IMMEDIATE, true);
		talk_try(&talk, cases[i].said);
		snprintf(script, sizeof(script), "c\ns\nE %s; next\nw greeting\n", cases[i].told);
		talk_try(&talk, script);
		talk_try(&talk, "o 0\n");
		talk_try(&talk, cases[i].said);
		snprintf(script, sizeof(script), "c %s gw.example\nC RCPT TO:<c@y.example>\nc %s\n",
			cases[i].reply, cases[i].reply);
		talk_try(&talk, script);
	}
}

static void test_servers_hear_another_sender(void **state)
{
	(void)state;
	talk_init(&talk, ENGINE_DSN);
	talk.sender = "<guests@hotel.example>";
	talk_greet(&talk);
	talk_try(&talk, "C EHLO pc\n");
	talk.client_seen = talk.client_len;
	talk_try(&talk, "C MAIL FROM:<a@x.example> SIZE=9 RET=HDRS ENVID=1\nc 250 2.1.0\n" RCPT SAID
			"S 250-mx\nS 250-SIZE\nS 250 DSN\n"
			"s MAIL FROM:<guests@hotel.example> SIZE=9 RET=HDRS ENVID=1\nS 250 ok\n"
			"s RCPT TO:<b@y.example>\nS 250 yes\nc 250\n");
	/* the client's own is what it said, and a bounce stays one */
	assert_memory_equal(talk.engine.sender.local, "a", 2);
	talk_try(&talk, "C RSET\nc 250\nC MAIL FROM:<>\nc 250\n" RCPT
			"s RSET\nS 250 ok\ns MAIL FROM:<>\nS 250 ok\n");
}

/* What a sender of the client's own needs of a server is nothing to the other one. */
static void test_another_sender_needs_no_smtputf8(void **state)
{
	(void)state;
	talk_init(&talk, ENGINE_SMTPUTF8);
	talk.sender = "<guests@hotel.example>";
	talk_greet(&talk);
	talk_try(&talk, "C EHLO pc\n");
	talk.client_seen = talk.client_len;
	talk_try(&talk, "C MAIL FROM:<\xc3\xa4@x.example> SMTPUTF8\nc 250\n" RCPT SAID
			"S 250 mx\ns MAIL FROM:<guests@hotel.example>\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_was_said_in_clear_is_forgotten),
		cmocka_unit_test(test_a_host_without_the_tls_that_is_required_is_not_spoken_to),
		cmocka_unit_test(test_when_no_host_has_the_tls_the_recipient_hears_it),
		cmocka_unit_test(test_tls_that_is_only_offered_is_tried_once),
		cmocka_unit_test(test_only_what_is_offered_is_done_without),
		cmocka_unit_test(test_tls_before_the_greeting),
		cmocka_unit_test(test_a_client_is_named_in_tls_alone),
		cmocka_unit_test(test_the_gateway_logs_in),
		cmocka_unit_test(test_a_login_that_is_refused_is_no_reply_to_the_client),
		cmocka_unit_test(test_servers_hear_another_sender),
		cmocka_unit_test(test_another_sender_needs_no_smtputf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
