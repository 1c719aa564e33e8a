/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that begins TLS: what it may say before, what is left of it behind. */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct talk talk;

#define OFFERED_TLS                                                                \
	"c 250-gw.example\nc 250-PIPELINING\nc 250-SIZE 1000000\nc 250-STARTTLS\n" \
	"c 250-8BITMIME\nc 250 ENHANCEDSTATUSCODES\n"
#define HELLO_TLS TALK_GREETED "C EHLO pc\n" OFFERED_TLS
#define SECURED   HELLO_TLS "C STARTTLS\nc 220 2.0.0 gw.example begin TLS now [f-1]\n"

static void run(unsigned flags, const char *script)
{
	talk_whole(&talk, flags, script);
}

static void test_everything_begins_anew_in_tls(void **state)
{
	(void)state;
	run(ENGINE_CLIENT_STARTTLS,
		SECURED "c\nw command\nC MAIL FROM:<a@x.example>\nc 503 5.5.1 gw.example say EHLO "
			"first\nC EHLO pc\n" TALK_OFFERED TALK_TAKEN);
	assert_int_equal(talk.handshakes, 1);
	assert_true(talk.engine.client_secured);
}

static void test_a_handshake_hears_and_says_nothing(void **state)
{
	static const char *const ends[] = {"G", "F", "K", "T 30000"};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char script[16];
		talk_init(&talk, ENGINE_CLIENT_STARTTLS);
		talk_greet(&talk);
		talk_try(&talk, HELLO_TLS);
		talk.holds = true;
		talk_try(&talk, "C STARTTLS\nc 220\nw client-tls\nT 29999\nw client-tls\n");
		assert_int_equal(engine_client_room(&talk.engine), 0);
		snprintf(script, sizeof(script), "%s\nw end\nc\n", i == 3 ? "T 1" : ends[i]);
		talk_try(&talk, script);
	}
	assert_int_equal(talk.engine.ending, ENDING_HANDSHAKE_FAILED);
}

/* Whoever put them there is not who began TLS. */
static void test_what_stands_behind_starttls_ends_the_flow(void **state)
{
	(void)state;
	run(ENGINE_CLIENT_STARTTLS, HELLO_TLS "R STARTTLS\\r\\nMAIL FROM:<evil@x.example>\\r\\n\n"
					      "c 554 5.5.0\nw end\n");
	assert_int_equal(talk.handshakes, 0);
	run(ENGINE_CLIENT_STARTTLS,
		HELLO_TLS "R NOOP\\r\\nSTARTTLS\\r\\nx\nc 250\nc 554 5.5.0\nw end\n");
	assert_int_equal(talk.handshakes, 0);
}

/* Likewise what had no room behind it, and waits at the owner. */
static void test_what_the_buffer_has_no_room_for_stands_behind(void **state)
{
	static char text[SMTP_COMMAND_MAX + 64];
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client = text,
		.client_room = ENGINE_CLIENT_ROOM,
		.server_room = ENGINE_SERVER_ROOM};
	static char client[ENGINE_CLIENT_ROOM], server[ENGINE_SERVER_ROOM];
	size_t len = 0, used;

	(void)state;
	run(ENGINE_CLIENT_STARTTLS, HELLO_TLS);
	memcpy(text, "NOOP ", 5);
	memset(text + 5, 'x', SMTP_COMMAND_MAX - 5 - 12);
	memcpy(text + SMTP_COMMAND_MAX - 12, "\r\nSTARTTLS\r\n", 12);
	len = SMTP_COMMAND_MAX;
	memcpy(text + len, "MAIL FROM:<evil@x.example>\r\n", 28);
	out.client = client;
	out.server = server;
	used = engine_client(&talk.engine, text, len + 28, talk.now_ms, &out);
	assert_int_equal(used, len);
	assert_true(out.more);
	engine_go(&talk.engine, talk.now_ms, &out);
	assert_int_equal(talk.engine.state, ENGINE_END);
	assert_memory_equal(client, "554 5.5.0", 9);
	/* and without it, it is a command like any other */
	run(ENGINE_CLIENT_STARTTLS, HELLO_TLS);
	used = engine_client(&talk.engine, text, len, talk.now_ms, &out);
	assert_int_equal(used, len);
	engine_go(&talk.engine, talk.now_ms, &out);
	assert_int_equal(talk.engine.state, ENGINE_CLIENT_TLS);
}

static void test_starttls_where_it_has_no_place(void **state)
{
	static const struct {
		unsigned flags;
		const char *script;
	} cases[] = {
		{0, TALK_HELLO "C STARTTLS\nc 502 5.5.1\n"},
		{ENGINE_CLIENT_STARTTLS, TALK_GREETED "C STARTTLS\nc 503 5.5.1\n"},
		{ENGINE_CLIENT_STARTTLS, HELLO_TLS "C STARTTLS now\nc 501 5.5.4\n"},
		{ENGINE_CLIENT_STARTTLS,
			SECURED "C EHLO pc\n" TALK_OFFERED "C STARTTLS\nc 503 5.5.1\n"},
		{ENGINE_CLIENT_STARTTLS, SECURED "C STARTTLS\nc 503 5.5.1\n"},
		{ENGINE_CLIENT_STARTTLS | ENGINE_CLIENT_LACKS,
			HELLO_TLS "C STARTTLS\nc 454 4.7.0\nC NOOP\nc 250\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(cases[i].flags, cases[i].script);
		talk_try(&talk, "w command\n");
	}
}

static void test_a_transaction_ends_where_tls_begins(void **state)
{
	(void)state;
	run(ENGINE_CLIENT_STARTTLS,
		HELLO_TLS TALK_TAKEN "C STARTTLS\nc 220\ns QUIT\n"
				     "E open; rcpt b 250; abandoned 1/1 0\n"
				     "C DATA\nc 503 5.5.1\nC RCPT TO:<b@y.example>\nc 503 5.5.1\n");
	assert_int_equal(talk.closed, 1);
	assert_false(talk.engine.mail);
}

static void test_mail_is_not_said_in_clear_where_tls_is_required(void **state)
{
	static const char *const refused[] = {"MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>",
		"DATA", "VRFY a", "HELP"},
				 *const taken[] = {"NOOP", "RSET", "EHLO pc", "HELO pc"};
	const unsigned flags = ENGINE_CLIENT_STARTTLS | ENGINE_CLIENT_SECURE;
	char script[128];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		run(flags, HELLO_TLS);
		snprintf(script, sizeof(script), "C %s\nc 530 5.7.0\nc\nw command\n", refused[i]);
		talk_try(&talk, script);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		run(flags, HELLO_TLS);
		snprintf(script, sizeof(script), "C %s\nc 250\n", taken[i]);
		talk_try(&talk, script);
	}
	run(flags, HELLO_TLS "C QUIT\nc 221\nw end\n");
	run(flags, SECURED "C EHLO pc\n" TALK_OFFERED TALK_TAKEN);
}

static void test_tls_before_the_greeting(void **state)
{
	(void)state;
	talk_init(&talk, ENGINE_CLIENT_AT_ONCE | ENGINE_CLIENT_SECURE);
	talk.holds = true;
	talk_try(&talk, "w client-tls\nc\n");
	talk_greet(&talk);
	talk_try(&talk, "w client-tls\nc\n");
	talk.holds = false;
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client_room = ENGINE_CLIENT_ROOM,
		.server_room = ENGINE_SERVER_ROOM};
	engine_client_secured(&talk.engine, talk.now_ms, &out);
	talk_try(&talk, "w greet\nc\n");
	talk_greet(&talk);
	talk_try(&talk, TALK_HELLO "C STARTTLS\nc 503 5.5.1\n" TALK_TAKEN);
}

/* 421 is said where it can be heard. */
static void test_a_drain_waits_for_the_handshake(void **state)
{
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client_room = ENGINE_CLIENT_ROOM,
		.server_room = ENGINE_SERVER_ROOM};
	static char client[ENGINE_CLIENT_ROOM];

	(void)state;
	out.client = client;
	talk_init(&talk, ENGINE_CLIENT_AT_ONCE);
	talk.holds = true;
	talk_try(&talk, "D\nw client-tls\nc\n");
	engine_client_secured(&talk.engine, talk.now_ms, &out);
	assert_int_equal(talk.engine.state, ENGINE_END);
	assert_memory_equal(client, "421 4.3.2", 9);
	talk_init(&talk, ENGINE_CLIENT_STARTTLS);
	talk_greet(&talk);
	talk_try(&talk, HELLO_TLS);
	talk.holds = true;
	talk_try(&talk, "C STARTTLS\nc 220\nD\nw client-tls\nc\n");
	engine_client_secured(&talk.engine, talk.now_ms, &out);
	assert_true(out.more);
	engine_go(&talk.engine, talk.now_ms, &out);
	assert_int_equal(talk.engine.state, ENGINE_END);
	assert_memory_equal(client, "421 4.3.2", 9);
}

static void test_who_leaves_behind_its_handshake_is_told_apart(void **state)
{
	(void)state;
	run(ENGINE_CLIENT_STARTTLS, SECURED "F\nw end\n");
	assert_int_equal(talk.engine.ending, ENDING_LEFT_AFTER_STARTTLS);
	run(ENGINE_CLIENT_STARTTLS, SECURED "C EHLO pc\n" TALK_OFFERED "F\nw end\n");
	assert_int_equal(talk.engine.ending, ENDING_LEFT_AFTER_EHLO);
	/* who was refused at MAIL, here for want of TLS, did not miss a word of EHLO */
	const unsigned flags = ENGINE_CLIENT_STARTTLS | ENGINE_CLIENT_SECURE;
	run(flags, HELLO_TLS "C MAIL FROM:<a@x.example>\nc 530 5.7.0\nc\nF\nw end\n");
	assert_int_equal(talk.engine.ending, ENDING_LEFT_AFTER_MAIL);
	run(flags, HELLO_TLS "C MAIL FROM:<a@x.example>\nc 530 5.7.0\nc\nC STARTTLS\n"
			     "c 220 2.0.0 gw.example begin TLS now [f-1]\nF\nw end\n");
	assert_int_equal(talk.engine.ending, ENDING_LEFT_AFTER_STARTTLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_begins_anew_in_tls),
		cmocka_unit_test(test_a_handshake_hears_and_says_nothing),
		cmocka_unit_test(test_what_stands_behind_starttls_ends_the_flow),
		cmocka_unit_test(test_what_the_buffer_has_no_room_for_stands_behind),
		cmocka_unit_test(test_starttls_where_it_has_no_place),
		cmocka_unit_test(test_a_transaction_ends_where_tls_begins),
		cmocka_unit_test(test_mail_is_not_said_in_clear_where_tls_is_required),
		cmocka_unit_test(test_tls_before_the_greeting),
		cmocka_unit_test(test_a_drain_waits_for_the_handshake),
		cmocka_unit_test(test_who_leaves_behind_its_handshake_is_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
