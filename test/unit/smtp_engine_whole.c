/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text that is kept whole until its verdict is there, and one that is only seen. */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEPT "C DATA\ns\nc 354 " TALK_GATEWAY " end the text with a dot on a line [f-1]\nw body\n"
/* The connection is good for another message, to a server that was left. */
#define GOES_ON                                                                      \
	"C RSET\nc 250\nc\n" TALK_MAIL "C RCPT TO:<b@y.example>\n" TALK_SERVER_HELLO \
	"s MAIL FROM:<a@x.example>\n"
/* And to one that was kept, and had a part of this one. */
#define GOES_ON_THERE                                                             \
	"C RSET\nc 250\nc\n" TALK_MAIL "C RCPT TO:<b@y.example>\ns RSET\nS 250\n" \
	"s MAIL FROM:<a@x.example>\nS 250\ns RCPT TO:<b@y.example>\nS 250\nc 250\n"

static struct talk talk;

static void begin(enum engine_mode mode)
{
	talk_whole(&talk, 0, TALK_HELLO TALK_TAKEN "E open; rcpt b 250\n");
	talk.mode = mode;
}

/* Up to the verdict on the text "x", which is not given. */
static void keep(void)
{
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, KEPT);
	talk.holds = true;
	talk_try(&talk, "C x\nC .\nE text 3\nw ask-dot\n");
}

/* The owner does what is due. */
static void go(void)
{
	talk.holds = false;
	talk_try(&talk, "T 0\n");
}

static void test_a_text_that_is_seen_goes_as_ever(void **state)
{
	(void)state;
	begin(ENGINE_MODE_SEEN);
	talk_try(&talk, "C DATA\ns DATA\nS 354 go\nc 354 go\nR a\\r\\n..b\\r\nt a\\r\\n.b\n"
			"s a\nR \\n.\\r\\n\ns ..b\ns .\nw dot\nt a\\r\\n.b\\r\\n\n"
			"S 250 ok\nc 250\nE text 7; delivered 1/1 250\n");
	begin(ENGINE_MODE_STREAM);
	talk_try(&talk, "C DATA\ns DATA\nS 354 go\nc 354 go\nC a\ns a\nt\n");
}

static void test_the_server_hears_of_a_whole_text_behind_the_verdict(void **state)
{
	(void)state;
	begin(ENGINE_MODE_WHOLE);
	talk.trace = "Received: by gw\r\n";
	talk.front = "X-Scan: ok\r\n";
	talk_try(&talk, KEPT "R a\\r\\n..b\\r\\n..\\r\\n\ns\nt a\\r\\n.b\\r\\n.\\r\\n\n");
	talk.holds = true;
	talk_try(&talk, "R .\\r\\n\nw ask-dot\ns\nc\n");
	go();
	talk_try(&talk, "s DATA\nw data\nc\nS 354 go\ns Received: by gw\ns X-Scan: ok\ns a\n"
			"s ..b\ns ..\ns .\nw dot\nc\nS 250 2.0.0 queued\n"
			"c 250 2.0.0 queued\nw command\nE text 10; delivered 1/1 250\n");
	/* and of the next on the same connection */
	talk_try(&talk, TALK_MAIL "C RCPT TO:<b@y.example>\ns MAIL FROM:<a@x.example>\nS 250\n"
				  "s RCPT TO:<b@y.example>\nS 250\nc 250\n" KEPT
				  "R .\\r\\n\ns DATA\nS 354\ns Received: by gw\ns X-Scan: ok\n"
				  "s .\nS 250\nc 250\nE rcpt b 250; text 0; delivered 1/1 250\n");
}

static void test_its_reply_is_the_servers(void **state)
{
	static const struct {
		const char *server, *client, *event;
	} cases[] = {
		/* to DATA */
		{"S 452 4.3.1 full\n", "c 452 4.3.1 full\nc\nw command\n", "refused 1/1 452"},
		{"S 554-a\nS 554 5.7.1 b\n", "c 554-5.0.0 a\nc 554 5.7.1 b\nc\n",
			"refused 1/1 554"},
		{"S 421 4.3.2 down\n", "c 451 4.4.2\nc\nw command\n", "server-lost 1/1 451"},
		{"S 250 ok\n", "c 451 4.3.0\nc\nw command\n", "server-lost 1/1 451"},
		{"S 503 what\n", "c 451 4.3.5\nc\nw command\n", "rejected 1/1 451"},
		{"S what\n", "c 451 4.3.0\nc\n", "server-lost 1/1 451"},
		{"X\n", "c 451 4.4.2\nc\n", "server-lost 1/1 451"},
		{"S 554-a\nX\n", "c 554-5.0.0 a\nc 554 5.4.2\nc\n", "server-lost 1/1 554"},
		{"T 119999\nw data\nT 1\n", "c 451 4.4.2\nc\n", "server-lost 1/1 451"},
		/* to the dot */
		{"S 354\ns x\ns .\nS 550 5.7.1 no\n", "c 550 5.7.1 no\nc\n", "refused 1/1 550"},
		{"S 354\ns x\ns .\nX\n", "c\nw end\n", "unknown 1/1 0"},
		{"S 354\ns x\ns .\nT 600000\n", "c\nw end\n", "unknown 1/1 0"},
		{"S 354\ns x\ns .\nK\nw dot\nS 250\n", "c 250\nc 421 4.7.0\nw end\n",
			"delivered 1/1 250"},
		{"S 354\ns x\ns .\nG\nw dot\nS 250\n", "c\nw end\n", "delivered 1/1 250"},
		/* and commands behind it wait */
		{"R NOOP\\r\\n\nS 354\ns x\ns .\nS 250\n", "c 250 2.0.0\nc 250 2.0.0\nc\n",
			"delivered 1/1 250"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		keep();
		go();
		talk_try(&talk, "s DATA\nc\n");
		talk_try(&talk, cases[i].server);
		talk_try(&talk, cases[i].client);
		if (!strstr(talk.events, cases[i].event))
			fail_msg("%zu: \"%s\", not \"%s\"", i, talk.events, cases[i].event);
	}
	keep();
	go();
	talk_try(&talk, "s DATA\nS 452 full\nc 452\n" GOES_ON_THERE);
	keep();
	go();
	talk_try(&talk, "s DATA\nX\nc 451 4.4.2\n" GOES_ON);
}

/* Between 354 and dot the server has something of the text: what it says is of that. */
static void test_what_the_server_says_before_its_dot_is_no_yes(void **state)
{
	static const struct {
		const char *server, *client, *event;
		unsigned broken;
	} cases[] = {
		{"S 250 ok\n", "c 451 4.3.0\nc\n", "server-lost 1/1 451", 1},
		{"S 552 5.3.4 big\n", "c 552 5.3.4 big\nc\n", "refused 1/1 552", 0},
		{"Q 55\nw last\nQ 4 no\\r\\n\n", "c 554 5.0.0 no\nc\n", "refused 1/1 554", 0},
		{"X\n", "c 451 4.4.2\nc\n", "server-lost 1/1 451", 0},
		{"K\n", "c 421\nw end\n", "ended 1/1 0", 0},
		{"G\n", "c\nw end\n", "left 1/1 0", 0},
		/* the owner does not go on */
		{"T 30000\n", "c 451 4.3.0\nc\n", "rejected 1/1 451", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[200];
		keep();
		go();
		talk_try(&talk, "s DATA\n");
		talk.trace = "A: b\r\n";
		talk.holds = true;
		talk_try(&talk, "S 354 go\nw trace\n");
		struct engine_out out = {.gateway = TALK_GATEWAY,
			.client = script,
			.client_room = ENGINE_CLIENT_ROOM,
			.server_room = ENGINE_SERVER_ROOM};
		static char room[ENGINE_CLIENT_ROOM + ENGINE_SERVER_ROOM];
		out.client = room;
		out.server = room + ENGINE_CLIENT_ROOM;
		engine_trace(&talk.engine, "A: b\r\n", 6, talk.now_ms, &out);
		assert_int_equal(out.client_len, 0);
		assert_int_equal(talk.engine.state, ENGINE_GIVE);
		talk_try(&talk, cases[i].server);
		talk_try(&talk, cases[i].client);
		snprintf(script, sizeof(script), "s\nE %s\n", cases[i].event);
		talk_try(&talk, script);
		assert_int_equal(talk.broken, cases[i].broken);
		assert_int_equal(talk.closed, 1);
	}
}

static void test_what_is_no_text_is_not_sent_to_its_end(void **state)
{
	static const char *const fronts[] = {
		"A: b\n", "A: b\r", "A\r: b\r\n", "\r\n.\n", "A: \r\n.\r", "\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(fronts) / sizeof(*fronts); i++) {
		keep();
		talk.front = fronts[i];
		talk.front_given = false;
		go();
		talk_try(&talk, "s DATA\nS 354 go\n");
		talk.server_seen = talk.server_len;
		talk_try(&talk, "c 451 4.3.0\nw command\nE rejected 1/1 451\n");
		assert_int_equal(talk.closed, 1);
	}
	/* a part of a line is no text either */
	keep();
	talk.text_len = 1;
	go();
	talk_try(&talk, "s DATA\nS 354 go\nc 451 4.3.0\ns\nE rejected 1/1 451\n");
}

static void test_a_verdict_may_be_no(void **state)
{
	static const struct smtp_refusal no = {550, "5.7.1", "spam"};

	(void)state;
	keep();
	talk.dot = &no;
	go();
	talk_try(&talk, "c 550 5.7.1\nc\ns\nw command\nE rejected 1/1 550\n");
	assert_int_equal(talk.closed, 0);
	talk.dot = NULL;
	talk_try(&talk, GOES_ON_THERE);
	/* NOOP is not answered: it is not waited for */
	keep();
	talk.dot = &no;
	talk_try(&talk, "T 60000\ns NOOP\n");
	go();
	talk_try(&talk, "c 550 5.7.1\nc\ns\n");
	assert_int_equal(talk.closed, 1);
	talk.dot = NULL;
	talk_try(&talk, GOES_ON);
	/* none in time */
	begin(ENGINE_MODE_WHOLE);
	talk.scan_ms = 45000;
	talk_try(&talk, KEPT);
	talk.holds = true;
	talk_try(&talk, "T 10000\nC .\nT 44999\nw ask-dot\nT 1\nc 451 4.7.1\ns\n"
			"E text 0; rejected 1/1 451\n");
	go();
	talk_try(&talk, GOES_ON_THERE);
}

static void test_noop_keeps_the_server(void **state)
{
	(void)state;
	keep();
	talk_try(&talk, "T 59999\ns\nT 1\ns NOOP\nw ask-dot\nc\nS 250 ok\nc\nT 59999\ns\nT 1\n"
			"s NOOP\nS 502-what\nS 502 no\nT 60000\ns NOOP\n");
	/* the verdict comes before its reply */
	go();
	talk_try(&talk, "w noop\ns\nc\nS 250 ok\ns DATA\nS 354\ns x\ns .\nS 250 ok\nc 250\n"
			"E delivered 1/1 250\n");
	/* while the text comes */
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, KEPT "T 50000\nC x\nT 9999\ns\nT 1\ns NOOP\nC y\ns\nS 250\nC .\n"
			     "s DATA\nS 354\ns x\ns y\ns .\nS 250\nc 250\n");
	/* from the server's last word on, which may be long ago */
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, "T 59999\n" KEPT "s\nT 1\ns NOOP\nS 250\n");
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, "T 250000\n" KEPT "s\nT 0\ns NOOP\nS 250\nT 59999\ns\nT 1\ns NOOP\n");
}

static void test_a_server_that_leaves_is_told_behind_the_dot(void **state)
{
	static const char *const ways[] = {"X\n", "S 421 4.4.2 timeout\n", "S 250 what\n",
		"S 354 go\n", "Q 55\n", "T 60000\ns NOOP\nX\n", "T 60000\ns NOOP\nS 421 bye\n",
		"T 60000\ns NOOP\nS 354 go\n", "T 60000\ns NOOP\nS what\n",
		"T 60000\ns NOOP\nT 60000\n", "T 60000\ns NOOP\nS 250 ok\nS 250 ok\n",
		"T 60000\ns NOOP\nQ 250 ok\\r\\n250 ok\\r\\n\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		begin(ENGINE_MODE_WHOLE);
		talk_try(&talk, KEPT "C x\n");
		talk_try(&talk, ways[i]);
		talk_try(&talk, "w drain\nc\ns\nC y\nc\ns\nC .\nc 451 4.4.2\nc\ns\nw command\n"
				"E text 6; server-lost 1/1 451\n" GOES_ON);
		assert_int_equal(talk.broken, 0);
		assert_int_equal(talk.closed, 1);
		keep();
		talk_try(&talk, ways[i]);
		talk_try(&talk, "c 451 4.4.2\nc\ns\nw command\nE server-lost 1/1 451\n");
		talk.holds = false;
		talk_try(&talk, GOES_ON);
		assert_int_equal(talk.closed, 1);
		if (!strstr(ways[i], "NOOP"))
			continue;
		/* the verdict was yes already */
		keep();
		talk_try(&talk, "T 60000\ns NOOP\n");
		go();
		talk_try(&talk, "w noop\n");
		talk_try(&talk, strchr(ways[i], 'P') + 2);
		talk_try(&talk, strncmp(strchr(ways[i], 'P') + 2, "S 250", 5) == 0
					? "s DATA\nc 451 4.3.0\nc\n"
					: "c 451 4\nc\ns\n");
		assert_int_equal(talk.closed, 1);
	}
}

static void test_a_text_that_may_not_be_leaves_the_server(void **state)
{
	(void)state;
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, KEPT "R a\\nb\nw drain\ns QUIT\ns\nR \\r\\n.\\r\\n\nc 550 5.6.11\nc\n"
			     "w command\n" GOES_ON);
	assert_int_equal(talk.closed, 1);
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, KEPT "T 60000\ns NOOP\nR a\\nb\nw drain\ns\n");
	assert_int_equal(talk.closed, 1);
	/* as the client does, and who ends the flow */
	static const char *const ways[] = {"F\nc\n", "G\nc\n", "K\nc 421 4.7.0\n"};
	for (size_t i = 0; i < 3; i++) {
		begin(ENGINE_MODE_WHOLE);
		talk_try(&talk, KEPT "C x\n");
		talk_try(&talk, ways[i]);
		talk_try(&talk, "s QUIT\ns\nw end\n");
		talk_try(&talk, i == 2 ? "E text 3; ended 1/1 0\n" : "E text 3; left 1/1 0\n");
		assert_int_equal(talk.closed, 1);
		keep();
		talk_try(&talk, ways[i]);
		talk_try(&talk, i == 0 ? "s\nw ask-dot\n" : "s QUIT\ns\nw end\n");
	}
	/* who closed its half says no text */
	begin(ENGINE_MODE_WHOLE);
	talk.holds = true;
	talk_try(&talk, "C DATA\nF\nw ask-data\n");
	go();
	talk_try(&talk, "c\ns QUIT\nw end\nE abandoned 1/1 0\n");
}

static void test_a_server_lost_before_the_text_is_told_at_data(void **state)
{
	(void)state;
	begin(ENGINE_MODE_WHOLE);
	talk.holds = true;
	talk_try(&talk, "C DATA\nw ask-data\nX\nc\n");
	go();
	talk_try(&talk, "c 451 4.4.2\nw command\nE abandoned 1/1 451\n");
	begin(ENGINE_MODE_WHOLE);
	talk.holds = true;
	talk_try(&talk, "C DATA\nT 29999\nw ask-data\nT 1\nc 451 4.3.0\ns\nw command\n");
	/* and no byte comes before 354 */
	begin(ENGINE_MODE_WHOLE);
	talk.holds = true;
	talk_try(&talk, "C DATA\nC x\nc 554 5.5.0\nw end\n");
}

/* What the owner, or a server that reads slowly, takes of the time. */
static void test_the_time_of_others_is_not_the_clients(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(i ? ENGINE_MODE_WHOLE : ENGINE_MODE_SEEN);
		talk_try(&talk, i ? KEPT : "C DATA\ns DATA\nS 354\nc 354\n");
		talk_try(&talk, "C x\nT 59000\n");
		engine_text_held(&talk.engine, true, talk.now_ms);
		assert_int_equal(engine_client_room(&talk.engine), 0);
		for (unsigned ms = 0; ms < 170000; ms += 10000)
			talk_try(&talk, i && ms % 60000 == 0 ? "T 10000\nS 250\n" : "T 10000\n");
		engine_text_held(&talk.engine, false, talk.now_ms);
		assert_int_not_equal(engine_client_room(&talk.engine), 0);
		talk_try(&talk, "w body\n");
		engine_text_held(&talk.engine, true, talk.now_ms);
		for (unsigned ms = 10000; ms < 180000; ms += 10000)
			talk_try(&talk, i && ms % 60000 == 0 ? "T 10000\nS 250\n" : "T 10000\n");
		talk_try(&talk, "w body\nT 10000\nT 0\nw drain\nC .\nc 451 4.3.0\n");
	}
	/* a server that does not take NOOP holds up nobody, and is lost */
	begin(ENGINE_MODE_WHOLE);
	talk_try(&talk, KEPT "T 60000\ns NOOP\n");
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	talk_try(&talk, "C x\nT 59999\nw body\nT 1\nw drain\nC .\nc 451 4.4.2\n");
	/* nor does one that takes no text, but for long enough */
	keep();
	go();
	talk.text_len = 0;
	talk_try(&talk, "s DATA\n");
	talk.holds = true;
	talk_try(&talk, "S 354\nw trace\n");
	talk.engine.state = ENGINE_GIVE;
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	talk_try(&talk, "T 179999\nw give\nT 1\nc 451 4.4.2\nE server-lost 1/1 451\n");
	/* a client waits ten minutes behind its dot, and not more */
	keep();
	talk_try(&talk, "T 60000\nS 250\nT 60000\nS 250\nT 60000\nS 250\nT 60000\nS 250\n");
	go();
	talk_try(&talk, "T 119000\n");
	talk.holds = true;
	talk_try(&talk, "S 354\nw trace\n");
	talk.engine.state = ENGINE_GIVE;
	for (unsigned i = 0; i < 2; i++) {
		engine_server_blocked(&talk.engine, true, talk.now_ms);
		talk_try(&talk, "T 100000\nw give\n");
		engine_server_blocked(&talk.engine, false, talk.now_ms);
	}
	engine_server_blocked(&talk.engine, true, talk.now_ms);
	talk_try(&talk, "T 40999\nw give\nT 1\nc 451 4.4.2\n");
}

/* Wherever it is cut, what the server stores is the same. */
static void test_a_whole_text_is_the_same_in_pieces(void **state)
{
	static const char text[] = "A: b\r\n\r\n..\r\n\r\n...x\r\ny\r\n.\r\n";
	static const char sent[] = "DATA\r\nX: y\r\nA: b\r\n\r\n..\r\n\r\n...x\r\ny\r\n.\r\n";

	(void)state;
	for (size_t cut = 1; cut < sizeof(text); cut++) {
		begin(ENGINE_MODE_WHOLE);
		talk.front = "X: y\r\n";
		talk_try(&talk, KEPT);
		talk.cut = cut;
		talk_client(&talk, text, sizeof(text) - 1);
		talk_try(&talk, "S 354 go\nS 250 ok\nc 250\n");
		assert_string_equal(talk.server + talk.server_seen, sent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_text_that_is_seen_goes_as_ever),
		cmocka_unit_test(test_the_server_hears_of_a_whole_text_behind_the_verdict),
		cmocka_unit_test(test_its_reply_is_the_servers),
		cmocka_unit_test(test_what_the_server_says_before_its_dot_is_no_yes),
		cmocka_unit_test(test_what_is_no_text_is_not_sent_to_its_end),
		cmocka_unit_test(test_a_verdict_may_be_no),
		cmocka_unit_test(test_noop_keeps_the_server),
		cmocka_unit_test(test_a_server_that_leaves_is_told_behind_the_dot),
		cmocka_unit_test(test_a_text_that_may_not_be_leaves_the_server),
		cmocka_unit_test(test_a_server_lost_before_the_text_is_told_at_data),
		cmocka_unit_test(test_the_time_of_others_is_not_the_clients),
		cmocka_unit_test(test_a_whole_text_is_the_same_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
