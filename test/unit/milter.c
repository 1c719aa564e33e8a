/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a filter is told, in which order, and what its answers hold for. */
#include "test/lib/milter_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ALL_UNANSWERED 0xff080u /* as rspamd says it */
#define BEGUN          "c\n> Cclient.example|4AB192.0.2.1|\nFc\ngo\nh me\n> Hme|\nFc\ngo\n"
#define MAIL           "m a@b\n> M<a@b>|\nFc\ngo\nr c@d\n> R<c@d>|\nFc\ngo\nd\n> T\nFc\ngo\n"

static void run(uint32_t protocol, const char *script)
{
	milter_talk_each(protocol, script);
}

static void options_offer_all_that_can_be_honoured(void **state)
{
	struct milter_talk *talk = milter_talk_new(0);
	static const uint8_t offer[] = {
		0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xf7, 0xff};
	(void)state;
	assert_memory_equal(talk->told, offer, sizeof(offer));
	assert_int_equal(talk->milter.version, 6);
	milter_talk_free(talk);
}

static void each_event_waits_for_its_answer(void **state)
{
	(void)state;
	run(0, BEGUN MAIL "t A: b\\r\\nC:d\\r\\n\\r\\nbody\\r\\n\n> LA|b|\nnone\n"
			  "Fc\nnone\n> LC|d|\nFc\nnone\n> N\nFc\n> Bbody\\r\\n\nnone\n"
			  "Fc\ngo\ne\n> E\nnone\ns asked\nFc\ngo\ns ready\n");
}

static void what_is_not_answered_is_pipelined(void **state)
{
	(void)state;
	run(ALL_UNANSWERED,
		"c\ngo\nh me\ngo\nm a@b\ngo\nr c@d\ngo\nd\ngo\n"
		"> Cclient.example|4AB192.0.2.1| Hme| M<a@b>| R<c@d>| T\n"
		"t A: b\\r\\nC: d\\r\\n\\r\\nbody\\r\\n\ngo\n> LA|b| LC|d| N Bbody\\r\\n\n"
		"e\nnone\n> E\nFp\nnone\nFa\ngo\ns ready\n");
}

static void what_is_not_wanted_is_not_told(void **state)
{
	(void)state;
	run(0x3ff, "c\ngo\nh me\ngo\nm a@b\ngo\nr c@d\ngo\nd\ngo\n"
		   "t A: b\\r\\n\\r\\nbody\\r\\n\ngo\n> \ne\n> E\nFc\ngo\n");
	/* clamav-milter: no HELO, EOH, DATA */
	run(0x342, "c\nFc\nh me\ngo\nm a@b\nFc\nr c@d\nFc\nd\ngo\n> Cclient.example|4AB192.0.2.1| "
		   "M<a@b>| R<c@d>|\nt A: b\\r\\n\\r\\nbody\\r\\n\n> LA|b|\nFc\n> Bbody\\r\\n\n"
		   "Fc\ngo\ne\n> E\nFc\ngo\n");
}

static void macros_stand_before_their_event(void **state)
{
	struct milter_talk *talk = milter_talk_new(1u << 1); /* no HELO: its macros all the same */
	(void)state;
	talk->macros.values[MILTER_MACRO_GATEWAY] = "gw.example";
	talk->macros.values[MILTER_MACRO_CLIENT_NAME] = "";
	talk->macros.values[MILTER_MACRO_CLIENT_ADDR] = "192.0.2.1";
	talk->macros.values[MILTER_MACRO_ID] = "f-7k3q9.1";
	talk->macros.values[MILTER_MACRO_TLS_VERSION] = "TLSv1.3";
	talk->macros.values[MILTER_MACRO_AUTH_AUTHEN] = "al\rice\n\x01";
	talk->macros.values[MILTER_MACRO_RCPT_ADDR] = "c@d";
	milter_talk_run(talk,
		"c\n> DCj|gw.example|{client_addr}|192.0.2.1| Cclient.example|4AB192.0.2.1|\n"
		"Fc\ngo\nh me\ngo\n> DH{tls_version}|TLSv1.3|\n"
		"m a@b\n> DM{tls_version}|TLSv1.3|i|f-7k3q9.1|{auth_authen}|al?ice??| M<a@b>|\n"
		"Fc\nr c@d\n> DRi|f-7k3q9.1|{rcpt_addr}|c@d| R<c@d>|\nFc\nd\n> DTi|f-7k3q9.1| "
		"T\nFc\n"
		"t A: b\\r\\n\\r\\nx\\r\\n\n> LA|b|\nFc\n> DNi|f-7k3q9.1| N\nFc\n> Bx\\r\\n\nFc\n"
		"e\n> DEi|f-7k3q9.1| E\nFc\ngo\n");
	/* one write an event, each with its macros; the options and HELO's macros are two more */
	assert_int_equal(talk->writes, 10);
	milter_talk_free(talk);
}

static void a_list_of_the_filter_s_own_takes_the_place(void **state)
{
	struct milter_talk *talk = milter_talk_new(0);
	static const uint8_t options[] = "\0\0\0\6\0\0\1\0\0\0\0\0"
					 "\0\0\0\0i, {auth_type} client_addr,{no_such}\0"
					 "\0\0\0\2\0"
					 "\0\0\0\5i j\0"
					 "\0\0\0\6\0"
					 "\0\0\0\x63nowhere";
	(void)state;
	milter_begin(&talk->milter, &talk->setup, talk->now_ms, &talk->out);
	milter_talk_say(talk, 'O', options, sizeof(options));
	assert_int_equal(talk->answer, MILTER_ANSWER_GO);
	talk->macros.values[MILTER_MACRO_GATEWAY] = "gw";
	talk->macros.values[MILTER_MACRO_ID] = "id";
	talk->macros.values[MILTER_MACRO_AUTH_TYPE] = "PLAIN";
	talk->macros.values[MILTER_MACRO_CLIENT_ADDR] = "192.0.2.1";
	milter_talk_run(talk,
		"c\n> DC{client_addr}|192.0.2.1|i|id|{auth_type}|PLAIN| "
		"Cclient.example|4AB192.0.2.1|\n"
		"Fc\nm a@b\n> M<a@b>|\nFc\nd\n> DTi|id| T\nFc\ne\n> N\nFc\n> DEj|gw|i|id| E\n");
	milter_talk_free(talk);
}

static void clients_are_of_every_family(void **state)
{
	static const struct endpoint six = {
		.addr = {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 5}, .family = ADDR_IP6}, .port = 25};
	static const struct endpoint none = {.port = 9};
	struct milter_talk *talk = milter_talk_new(1u << 12);
	(void)state;
	milter_connect(&talk->milter, "[IPv6:2001:db8::5]", &six, 0, &talk->out);
	assert_memory_equal(talk->bytes,
		"\0\0\0\x23"
		"C[IPv6:2001:db8::5]\0"
		"6\0\x19"
		"2001:db8::5\0",
		39);
	assert_int_equal(talk->out.len, 39);
	milter_connect(&talk->milter, "localhost", &none, 0, &talk->out);
	assert_int_equal(talk->out.len, 16);
	assert_memory_equal(talk->bytes,
		"\0\0\0\x0c"
		"Clocalhost\0U",
		16);
	milter_talk_free(talk);
}

static void paths_have_their_parameters(void **state)
{
	static const char *const parameters[] = {"SIZE=100", "BODY=8BITMIME", NULL};
	struct milter_talk *talk = milter_talk_new(1u << 14);
	(void)state;
	milter_mail(&talk->milter, "", parameters, 0, &talk->out);
	assert_int_equal(talk->out.len, 31);
	assert_memory_equal(talk->bytes, "\0\0\0\x1bM<>\0SIZE=100\0BODY=8BITMIME\0", 31);
	milter_talk_free(talk);
}

static void a_recipient_is_refused_alone(void **state)
{
	(void)state;
	run(0, BEGUN "m a@b\nFc\nr x@y\nFr\nrefused 550 5.7.1 refused by a filter\ns ready\n"
		     "r x@z\nFt\nrefused 451 4.7.1 refused by a filter for now\n"
		     "r c@d\nFy550 5.1.1 no such user\\0\nrefused 550 5.1.1 no such user\n"
		     "r e@f\nFc\ngo\nd\nFc\ngo\n> M<a@b>| R<x@y>| R<x@z>| R<c@d>| R<e@f>| T\n");
}

/* Of every event, what each answer holds for. */
static void answers_hold_for_what_they_say(void **state)
{
	static const struct {
		const char *to, *packet, *answer, *state, *recipient, *message;
	} cases[] = {
		/* to connect and HELO: the connection */
		{"c\n", "Fa", "go", "end", "go", "go"},
		{"c\n", "Fr", "refused 550 5.7.1 refused by a filter", "end", "=", "="},
		{"c\n", "Ft", "refused 451 4.7.1 refused by a filter for now", "end", "=", "="},
		{"c\n", "Fy554 5.7.1 no\\0", "refused 554 5.7.1 no", "end", "=", "="},
		{"c\n", "F4", "refused 421 4.7.1 a filter ends this connection", "end", "=", "="},
		{"c\n", "Ff", "refused 421 4.7.1 a filter ends this connection", "end", "=", "="},
		{"c\n", "Fd", "failed protocol", "end", "=", "="},
		{"c\nFc\nh me\n", "Fa", "go", "end", "go", "go"},
		{"c\nFc\nh me\n", "Fr", "refused 550 5.7.1 refused by a filter", "end", "=", "="},
		/* to MAIL: the message */
		{BEGUN "m a@b\n", "Fa", "go", "ready", "go", NULL},
		{BEGUN "m a@b\n", "Fr", "refused 550 5.7.1 refused by a filter", "ready", "=",
			NULL},
		{BEGUN "m a@b\n", "Ft", "refused 451 4.7.1 refused by a filter for now", "ready",
			"=", NULL},
		{BEGUN "m a@b\n", "Fd", "refused 550 5.7.1 refused by a filter", "ready", "=",
			NULL},
		{BEGUN "m a@b\n", "Fy450 4.1.8 no\\0", "refused 450 4.1.8 no", "ready", "=", NULL},
		{BEGUN "m a@b\n", "Fy421 4.1.8 no\\0", "refused 421 4.1.8 no", "end", "=", "="},
		{BEGUN "m a@b\n", "Ff", "refused 421 4.7.1 a filter ends this connection", "end",
			"=", "="},
		{BEGUN "m a@b\n", "F4", "refused 421 4.7.1 a filter ends this connection", "end",
			"=", "="},
		/* to RCPT: a yes to all of the message, a no to this recipient */
		{BEGUN "m a@b\nFc\nr c@d\n", "Fa", "go", "ready", "go", NULL},
		{BEGUN "m a@b\nFc\nr c@d\n", "Fd", "refused 550 5.7.1 refused by a filter", "ready",
			"=", NULL},
		{BEGUN "m a@b\nFc\nr c@d\n", "F4",
			"refused 421 4.7.1 a filter ends this connection", "end", "=", "="},
		{BEGUN "m a@b\nFc\nr c@d\n", "Fy421 4.3.2 off\\0", "refused 421 4.3.2 off", "end",
			"=", "="},
		{BEGUN "m a@b\nFc\nr c@d\nFc\nd\n", "Fr", "refused 550 5.7.1 refused by a filter",
			"ready", "=", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[2048];
		const char *answer = cases[i].answer;
		snprintf(script, sizeof(script), "%s%s\n%s\ns %s\n", cases[i].to, cases[i].packet,
			answer, cases[i].state);
		if (cases[i].recipient)
			sprintf(script + strlen(script),
				"r more@d\n%s\nt A: b\\r\\n\\r\\nx\n%s\ne\n%s\n",
				cases[i].recipient[0] == '=' ? answer : cases[i].recipient,
				cases[i].recipient[0] == '=' ? answer : cases[i].recipient,
				cases[i].recipient[0] == '=' ? answer : cases[i].recipient);
		/* the next message: told anew, or the same again */
		if (cases[i].message)
			sprintf(script + strlen(script), "a\nm next@b\n%s\n",
				cases[i].message[0] == '=' ? answer : cases[i].message);
		else
			strcat(script, "a\nm next@b\nnone\nFc\ngo\nr c@d\nFc\ngo\n");
		run(0, script);
	}
}

static void what_is_given_up_is_aborted(void **state)
{
	(void)state;
	/* nothing to abort */
	run(0, BEGUN "a\n> \nnone\n");
	/* RSET, and once only */
	run(0, BEGUN "m a@b\nFc\n> M<a@b>|\na\n> A\na\n> \nm c@d\n> M<c@d>|\nFc\ngo\n");
	/* without an abort, before the next MAIL, in one write */
	run(0, BEGUN "m a@b\nFc\n> M<a@b>|\nm c@d\n> A M<c@d>|\nFc\ngo\n");
	/* accepted or refused half-way: the filter waits for no more of it */
	run(0, BEGUN "m a@b\nFa\n> M<a@b>|\nt x\\r\\n\\r\\n\ne\ngo\na\n> A\n");
	run(0, BEGUN "m a@b\nFr\n> M<a@b>|\na\n> A\nm c@d\n> M<c@d>|\n");
	/* behind the verdict there is nothing to give up */
	run(0, BEGUN MAIL "e\nFc\nFc\ngo\n> N E\na\n> \nm c@d\n> M<c@d>|\n");
	run(0, BEGUN MAIL "e\nFc\nFr\nrefused 550 5.7.1 refused by a filter\n> N E\na\n> \n"
			  "m c@d\n> M<c@d>|\nFc\ngo\n");
	/* while it owes an answer it would be out of step */
	run(0, BEGUN "m a@b\n> M<a@b>|\na\nnone\ns end\n> \nf given up\nm c@d\nfailed closed\n");
}

static void goodbye_is_said(void **state)
{
	(void)state;
	run(0, BEGUN "q\n> Q\ns end\nnone\n");
	run(0, BEGUN "m a@b\nFc\n> M<a@b>|\nq\n> Q\n");
	/* also to one that let the connection through */
	run(0, "c\nFa\n> Cclient.example|4AB192.0.2.1| Q\ns end\nq\n> \n");
}

static void messages_follow_each_other(void **state)
{
	(void)state;
	run(0, BEGUN MAIL
		"t A: b\\r\\n\\r\\nx\nFc\nFc\nFs\ngo\n> LA|b| N Bx\nt more\ngo\n> \n"
		"e\n> E\nFhX\\0y\\0\nFa\ngo\n"
		"m e@f\n> M<e@f>|\nFc\nr g@h\nFc\nd\nFc\n> R<g@h>| T\n"
		"t C: d\\r\\n\\r\\nz\n> LC|d|\nFc\n> N\nFc\n> Bz\nFc\ngo\ne\n> E\nFc\ngo\n");
}

static void time_is_bounded(void **state)
{
	(void)state;
	run(0, "c\nT 29999\nnone\nFc\ngo\nT 1000000\nh me\nT 30000\nfailed late\ns end\n"
	       "f no answer to helo within 30000 ms\n");
	/* progress gives more, but not for ever */
	run(0, BEGUN "m a@b\nT 29999\nFp\nT 15000\nnone\nT 1\nfailed late\n");
	run(0, BEGUN MAIL "e\nFc\nT 44999\nFp\nnone\nT 1\nfailed late\n");
	run(0, BEGUN MAIL "e\nFc\nT 30000\nnone\nT 14999\nFc\ngo\n");
	/* bytes that are no whole packet give none */
	run(0, BEGUN "m a@b\nT 29999\nB \\0\\0\\0\nT 1\nfailed late\n");
}

static void a_filter_that_closes_has_failed(void **state)
{
	(void)state;
	run(0, "c\nX Connection reset\nfailed closed\ns end\nf instead of an answer to connect: "
	       "Conn\n"
	       "m a@b\nfailed closed\nr c@d\nfailed closed\n");
	/* between messages nobody is answered, the next message is */
	run(0, BEGUN "X\nnone\ns end\nm a@b\nfailed closed\n");
	run(0, BEGUN MAIL "e\nFc\nX\nfailed closed\n");
	/* behind its verdict it may go */
	run(0, BEGUN MAIL "e\nFc\nFc\ngo\nX\nnone\n");
}

static void changes_outlive_the_connection(void **state)
{
	struct milter_talk *talk = milter_talk_new(0);
	struct milter_change change;
	size_t at = 0;
	(void)state;
	milter_talk_run(talk, BEGUN MAIL "e\nFc\nFhX-A\\0b\\0\nFc\ngo\nX\n");
	assert_true(milter_change(&talk->milter, &at, &change));
	assert_string_equal(change.name, "X-A");
	assert_false(milter_change(&talk->milter, &at, &change));
	milter_talk_free(talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_offer_all_that_can_be_honoured),
		cmocka_unit_test(each_event_waits_for_its_answer),
		cmocka_unit_test(what_is_not_answered_is_pipelined),
		cmocka_unit_test(what_is_not_wanted_is_not_told),
		cmocka_unit_test(macros_stand_before_their_event),
		cmocka_unit_test(a_list_of_the_filter_s_own_takes_the_place),
		cmocka_unit_test(clients_are_of_every_family),
		cmocka_unit_test(paths_have_their_parameters),
		cmocka_unit_test(a_recipient_is_refused_alone),
		cmocka_unit_test(answers_hold_for_what_they_say),
		cmocka_unit_test(what_is_given_up_is_aborted),
		cmocka_unit_test(goodbye_is_said),
		cmocka_unit_test(messages_follow_each_other),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(a_filter_that_closes_has_failed),
		cmocka_unit_test(changes_outlive_the_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
