/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that logs in: where it may, what of it is kept, and what it is afterwards. */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct talk talk;

#define CLEAR  ENGINE_LOGINS_CLEAR
#define SECRET ENGINE_LOGINS | ENGINE_CLIENT_STARTTLS
#define OFFERED_LOGINS                                                                     \
	"c 250-gw.example\nc 250-PIPELINING\nc 250-SIZE 1000000\nc 250-AUTH PLAIN LOGIN\n" \
	"c 250-AUTH=PLAIN LOGIN\nc 250-8BITMIME\nc 250 ENHANCEDSTATUSCODES\n"
#define HELLO TALK_GREETED "C EHLO pc\n" OFFERED_LOGINS
#define OK    "L ok\nc 235 2.7.0 gw.example logged in [f-1]\nw command\n"

static void run(unsigned flags, const char *script)
{
	talk_whole(&talk, flags, script);
}

/* Nothing of what was said is in the engine any more. */
static void expect_nowhere(const char *said)
{
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client_room = ENGINE_CLIENT_ROOM,
		.server_room = ENGINE_SERVER_ROOM};

	engine_time(&talk.engine, talk.now_ms, &out); /* an input that does nothing */
	if (memmem(&talk.engine, sizeof(talk.engine), said, strlen(said)))
		fail_msg("%s is still there", said);
}

static void a_response_beside_the_command(void **state)
{
	(void)state;
	run(CLEAR,
		HELLO "C AUTH PLAIN AGFubmEAc2VjcmV0\nw ask-login\nl PLAIN=AGFubmEAc2VjcmV0\nc\n");
	talk_try(&talk, OK);
	assert_true(talk.engine.logged_in);
	expect_nowhere("AGFubmEAc2VjcmV0");
	/* what submission takes beside transfer is for who is known */
	talk_try(&talk, "C MAIL FROM:a@x.example\nc 250 2.1.0\nC RSET\nc 250\n");
	/* who is known is not asked again, nor shown that he could */
	talk_try(&talk,
		"C AUTH PLAIN AGFubmEAc2VjcmV0\nc 503 5.5.1\nC EHLO pc\n" TALK_OFFERED TALK_TAKEN);
	expect_nowhere("AGFubmEAc2VjcmV0");
	run(CLEAR, HELLO "C auth plain =\nl plain=\nL malformed\nc 501 5.5.2\n"
			 "C MAIL FROM:a@x.example\nc 501 5.1.7\n");
}

static void a_dialogue(void **state)
{
	(void)state;
	run(CLEAR, HELLO "C AUTH LOGIN\nl LOGIN\nL + VXNlcm5hbWU6\nc 334 VXNlcm5hbWU6\nw response\n"
			 "C YW5uYQ==\nl YW5uYQ==\nw ask-login\nL + UGFzc3dvcmQ6\n"
			 "c 334 UGFzc3dvcmQ6\nC c2VjcmV0\nl c2VjcmV0\n" OK);
	expect_nowhere("c2VjcmV0");
	expect_nowhere("YW5uYQ==");
	/* an empty challenge and an empty response */
	run(CLEAR, HELLO "C AUTH PLAIN\nl PLAIN\nL + \nc 334 \nC \nl \nw ask-login\nL refused\n"
			 "c 535 5.7.8 gw.example user or password is wrong [f-1]\nw command\n");
}

static void a_dialogue_that_is_given_up(void **state)
{
	(void)state;
	run(CLEAR, HELLO
		"C AUTH LOGIN\nL + VXNlcm5hbWU6\nc 334\nC *\nc 501 5.7.0\nw command\n" TALK_TAKEN);
	run(CLEAR, HELLO
		"C AUTH LOGIN\nL + VXNlcm5hbWU6\nc 334\nT 299999\nw response\nT 1\nc 421 4.4.2\n"
		"w end\n");
	run(CLEAR, HELLO
		"C AUTH LOGIN\nT 39999\nw ask-login\nT 1\nc 454 4.7.0\nw command\n" TALK_TAKEN);
	/* an answer that comes too late is to nothing */
	run(CLEAR, HELLO "C AUTH LOGIN\nT 40000\nc 454\nL ok\nc\nw command\n");
	assert_false(talk.engine.logged_in);
}

static void it_has_its_place(void **state)
{
	static const struct {
		unsigned flags;
		const char *script;
	} cases[] = {
		{0, TALK_HELLO "C AUTH PLAIN AAAA\nc 502 5.5.1\n"},
		{CLEAR, TALK_GREETED "C AUTH PLAIN AAAA\nc 503 5.5.1 gw.example say EHLO first\n"},
		{CLEAR, HELLO "C AUTH\nc 504 5.5.4\n"},
		{CLEAR, HELLO "C AUTH X-NONE\nL mechanism\nc 504 5.5.4\n"},
		{CLEAR, HELLO TALK_TAKEN "C AUTH PLAIN AAAA\nc 503 5.5.1\nC DATA\ns DATA\n"
					 "S 354 go\nc 354\nw body\nC .\ns .\nS 250 ok\nc 250\n"},
		{CLEAR, HELLO "C AUTH PLAIN AAAA\nL later\nc 454 4.7.0\nC NOOP\nc 250\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(cases[i].flags, cases[i].script);
		talk_try(&talk, "w command\n");
		expect_nowhere("AAAA");
	}
}

static void in_clear_there_is_none(void **state)
{
	(void)state;
	run(SECRET, TALK_GREETED "C EHLO pc\nc 250-gw.example\nc 250-PIPELINING\nc 250-SIZE\n"
				 "c 250-STARTTLS\nc 250-8BITMIME\nc 250 ENH\n"
				 "C AUTH PLAIN AGFubmEAc2VjcmV0\nc 530 5.7.0\n"
				 "C STARTTLS\nc 220\nC AUTH PLAIN AAAA\nc 503 5.5.1 gw.example say "
				 "EHLO first\nC EHLO pc\n" OFFERED_LOGINS "C AUTH PLAIN AAAA\n" OK);
	expect_nowhere("AGFubmEAc2VjcmV0");
	/* and what was said in clear is no login in TLS */
	run(CLEAR | ENGINE_CLIENT_STARTTLS, TALK_GREETED
		"C EHLO pc\nc 250-\nc 250-\nc 250-\nc 250-STARTTLS\nc 250-AUTH\nc 250-AUTH\n"
		"c 250-\nc 250 \nC AUTH PLAIN AAAA\n" OK "C STARTTLS\nc 220\n");
	assert_false(talk.engine.logged_in);
}

static void what_stands_behind_ends_the_flow(void **state)
{
	static const char *const scripts[] = {
		HELLO "R AUTH PLAIN AAAA\\r\\nNOOP\\r\\n\nc 554 5.5.0\nw end\n",
		HELLO "C AUTH PLAIN AAAA\nw ask-login\nC NOOP\nc 554 5.5.0\nw end\n",
		HELLO "C AUTH LOGIN\nL + VXNl\nc 334\nR AAAA\\r\\nBBBB\\r\\n\nc 554 5.5.0\nw end\n",
		HELLO "C AUTH LOGIN\nL + VXNl\nc 334\nR AA\\0A\\r\\n\nc 554 5.5.0\nw end\n",
		HELLO "C AUTH LOGIN\nL + VXNl\nc 334\nR AAAA\\n\nc 554 5.5.0\nw end\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		run(CLEAR, scripts[i]);
}

static void what_was_pipelined_is_nowhere_behind_the_end(void **state)
{
	static const char *const scripts[] = {
		HELLO "R AUTH PLAIN AAAA\\r\\nAUTH PLAIN c2VjcmV0\\r\\n\nc 554 5.5.0\nw end\n",
		HELLO "R QUIT\\r\\nAUTH PLAIN c2VjcmV0\\r\\n\nc 554\nw end\n",
		HELLO "R AUTH LOGIN c2VjcmV0\nT 300000\nc 421\nw end\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		run(CLEAR, scripts[i]);
		expect_nowhere("c2VjcmV0");
	}
}

static void refused_three_times_it_ends(void **state)
{
	(void)state;
	run(CLEAR,
		HELLO "C AUTH PLAIN AAAA\nL refused\nc 535\nC AUTH PLAIN AAAA\nL refused\nc 535\n"
		      "C AUTH PLAIN AAAA\nL refused\nc 535\nc 421 4.7.0\nw end\n");
	/* what is put off does not count */
	run(CLEAR, HELLO);
	for (unsigned i = 0; i < 20; i++)
		talk_try(&talk, "C AUTH PLAIN AAAA\nL later\nc 454\nw command\n");
}

/* The server that mail went to before was told of nobody. */
static void a_kept_server_is_left(void **state)
{
	(void)state;
	run(CLEAR, HELLO TALK_TAKEN "C DATA\ns DATA\nS 354 go\nc 354\nC .\ns .\nS 250 ok\nc 250\n"
				    "C AUTH PLAIN AAAA\nL ok\nc 235\ns QUIT\nw command\n");
	assert_int_equal(talk.closed, 1);
	talk_try(&talk, TALK_TAKEN);
	assert_int_equal(talk.opened, 2);
	/* one that is refused changes nothing */
	run(CLEAR, HELLO TALK_TAKEN "C DATA\ns DATA\nS 354 go\nc 354\nC .\ns .\nS 250 ok\nc 250\n"
				    "C AUTH PLAIN AAAA\nL refused\nc 535\ns\n");
	assert_int_equal(talk.closed, 0);
	/* and a server that speaks meanwhile is left, as between two commands */
	talk_try(&talk, "C AUTH LOGIN\nS 421 bye\nw ask-login\nL + AAAA\nc 334\nw response\n");
	assert_int_equal(talk.closed, 1);
}

static void who_leaves_behind_auth_did_not_miss_it(void **state)
{
	static const struct {
		const char *script;
		enum ending ending;
	} cases[] = {
		{HELLO "F\nw end\n", ENDING_LEFT_AFTER_EHLO},
		{HELLO "C AUTH PLAIN AAAA\nL refused\nc 535\nF\nw end\n", ENDING_LEFT_AFTER_AUTH},
		{HELLO "C AUTH PLAIN AAAA\nL later\nc 454\nF\nw end\n", ENDING_LEFT_AFTER_AUTH},
		{HELLO "C AUTH LOGIN\nL + AAAA\nc 334\nF\nw end\n", ENDING_LEFT_AFTER_AUTH},
		{HELLO "C AUTH LOGIN\nF\nw ask-login\nL + AAAA\nw end\n", ENDING_LEFT_AFTER_AUTH},
		{HELLO "C AUTH PLAIN AAAA\nL ok\nc 235\nF\nw end\n", ENDING_CLIENT_CLOSED},
		{HELLO "C AUTH FOO\nL mechanism\nc 504\nF\nw end\n", ENDING_LEFT_AFTER_AUTH},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		run(CLEAR, cases[i].script);
		assert_int_equal(talk.engine.ending, cases[i].ending);
	}
}

static void leaving_ends_it(void **state)
{
	static const char *const scripts[] = {
		HELLO "C AUTH LOGIN\nG\nw end\n",
		HELLO "C AUTH LOGIN\nL + AAAA\nc 334\nF\nw end\n",
		HELLO "C AUTH LOGIN\nL + AAAA\nc 334\nG\nw end\n",
		HELLO "C AUTH LOGIN\nK\nc 421 4.7.0\nw end\n",
		HELLO "C AUTH LOGIN\nL + AAAA\nc 334\nK\nc 421 4.7.0\nw end\n",
		/* whoever closed his half may still hear what came of it */
		HELLO "C AUTH PLAIN AAAA\nF\nw ask-login\nL ok\nc 235\nw end\n",
		HELLO
		"C AUTH LOGIN\nD\nw ask-login\nL + AAAA\nc 334\nC AAAA\nL refused\nc 535\nc 421\n"
		"w end\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		run(CLEAR, scripts[i]);
}

static void fill(char *line, const char *head, size_t letters)
{
	size_t at = strlen(head);

	memcpy(line, head, at);
	for (size_t i = 0; i < letters; i++)
		line[at + i] = (char)('A' + i % 26);
	line[at + letters] = '\0';
}

/* As GSSAPI says them: longer than any command. */
static void a_long_response_comes_in_parts(void **state)
{
	static char line[20000], expected[20000];
	static const size_t cuts[] = {0, 1, 7, 1000};
	(void)state;
	for (size_t c = 0; c < sizeof(cuts) / sizeof(cuts[0]); c++)
		for (size_t len = SMTP_COMMAND_MAX - 24; len < SMTP_COMMAND_MAX + 8; len++) {
			run(CLEAR, HELLO "C AUTH GSSAPI\nl GSSAPI\nL + AAAA\nc 334 AAAA\n");
			talk.cut = cuts[c];
			fill(line, "", len);
			talk_client(&talk, line, len);
			talk_client(&talk, "\r\n", 2);
			assert_string_equal(talk.said, line);
			talk_try(&talk, "w ask-login\n");
			talk_try(&talk, OK);
			expect_nowhere("ABCDEFGH");
			/* and beside the command */
			run(CLEAR, HELLO);
			talk.cut = cuts[c];
			fill(line, "AUTH GSSAPI ", len);
			talk_client(&talk, line, strlen(line));
			talk_client(&talk, "\r\n", 2);
			fill(expected, "GSSAPI=", len);
			assert_string_equal(talk.said, expected);
			talk_try(&talk, "w ask-login\n");
			talk_try(&talk, OK);
			expect_nowhere("ABCDEFGH");
		}
	run(CLEAR, HELLO "C AUTH GSSAPI\nL + AAAA\nc 334 AAAA\n");
	fill(line, "", 12288);
	talk.said[0] = '\0';
	talk_client(&talk, line, 12288);
	talk_client(&talk, "\r\n", 2);
	assert_string_equal(talk.said, line);
	/* the owner has enough of it */
	run(CLEAR, HELLO "C AUTH GSSAPI\nL + AAAA\nc 334 AAAA\n");
	talk_client(&talk, line, 5000);
	talk_try(&talk, "w response\nL long\nc 500 5.5.6\nw end\n");
	/* where no login is taken, a long one is a long line */
	run(0, TALK_HELLO);
	fill(line, "AUTH GSSAPI ", 5000);
	talk_client(&talk, line, strlen(line));
	talk_client(&talk, "\r\n", 2);
	talk_try(&talk, "c 500 5.5.2\nw command\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_beside_the_command),
		cmocka_unit_test(a_dialogue),
		cmocka_unit_test(a_dialogue_that_is_given_up),
		cmocka_unit_test(it_has_its_place),
		cmocka_unit_test(in_clear_there_is_none),
		cmocka_unit_test(what_stands_behind_ends_the_flow),
		cmocka_unit_test(what_was_pipelined_is_nowhere_behind_the_end),
		cmocka_unit_test(refused_three_times_it_ends),
		cmocka_unit_test(a_kept_server_is_left),
		cmocka_unit_test(who_leaves_behind_auth_did_not_miss_it),
		cmocka_unit_test(leaving_ends_it),
		cmocka_unit_test(a_long_response_comes_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
