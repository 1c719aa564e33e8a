/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a filter says: its wishes, its faults, and what is no filter at all. */
#include "test/lib/milter_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL_UNANSWERED 0xff080u
#define ASKED          "c\nh me\nm a@b\nr c@d\nd\nt A: b\\r\\n\\r\\nx\ne\n"

static void run(const char *answers)
{
	char script[4096];
	snprintf(script, sizeof(script), ASKED "%s", answers);
	milter_talk_each(ALL_UNANSWERED, script);
}

static struct milter_talk *asked(uint32_t protocol)
{
	struct milter_talk *talk = milter_talk_new(ALL_UNANSWERED | protocol);
	milter_talk_run(talk, ASKED);
	return talk;
}

static void changes_are_kept_in_order(void **state)
{
	static const struct {
		unsigned kind, index;
		const char *name, *value;
	} expected[] = {
		{MILTER_CHANGE_ADD, 0, "X-Virus-Status", "Clean"},
		{MILTER_CHANGE_INSERT, 0, "DKIM-Signature", "v=1;\n\ta=b"},
		{MILTER_CHANGE_INSERT, 7, "X-I", ""},
		{MILTER_CHANGE_SET, 1, "X-Spam", "Yes"},
		{MILTER_CHANGE_SET, 2, "Received", ""},
		{MILTER_CHANGE_SET, 0, "A", "c"},
	};
	(void)state;
	for (unsigned leadspc = 0; leadspc < 2; leadspc++) {
		struct milter_talk *talk = asked(leadspc ? MILTER_PROTOCOL_LEADSPC : 0);
		struct milter_change change;
		size_t at = 0;
		milter_talk_run(talk, "FhX-Virus-Status\\0Clean\\0\nnone\n"
				      "Fi\\0\\0\\0\\0DKIM-Signature\\0v=1;\\n\\ta=b\\0\nFp\n"
				      "Fi\\0\\0\\0\\x07X-I\\0\\0\n"
				      "Fm\\0\\0\\0\\x01X-Spam\\0Yes\\0\n"
				      "Fm\\0\\0\\0\\x02Received\\0\\0\n"
				      "Fm\\0\\0\\0\\0A\\0c\\0\nnone\nFa\ngo\n");
		assert_int_equal(talk->milter.changed, 6);
		for (size_t i = 0; i < 6; i++) {
			assert_true(milter_change(&talk->milter, &at, &change));
			assert_int_equal(change.kind, expected[i].kind);
			assert_int_equal(change.index, expected[i].index);
			assert_int_equal(change.leadspc, leadspc);
			assert_string_equal(change.name, expected[i].name);
			assert_string_equal(change.value, expected[i].value);
		}
		assert_false(milter_change(&talk->milter, &at, &change));
		at = 0;
		milter_talk_run(talk, "a\n");
		assert_false(milter_change(&talk->milter, &at, &change));
		milter_talk_free(talk);
	}
}

/* clamav-milter adds its headers and refuses then. */
static void changes_before_a_refusal_are_none(void **state)
{
	struct milter_talk *talk = asked(0);
	struct milter_change change;
	size_t at = 0;
	(void)state;
	milter_talk_run(talk, "FhX-Virus-Scanned\\0x\\0\nFhX-Virus-Status\\0Infected\\0\n"
			      "Fy550 5.7.1 virus Eicar detected\\0\n"
			      "refused 550 5.7.1 virus Eicar detected\n");
	assert_int_equal(talk->milter.changed, 0);
	assert_false(milter_change(&talk->milter, &at, &change));
	milter_talk_free(talk);
}

static void changes_that_are_not_wanted_are_counted(void **state)
{
	struct milter_talk *talk = milter_talk_new(ALL_UNANSWERED);
	struct milter_change change;
	size_t at = 0;
	(void)state;
	talk->milter.setup.changes = false;
	milter_talk_run(talk, ASKED "FhX-A\\0b\\0\nFm\\0\\0\\0\\x01X-B\\0c\\0\nFa\ngo\n");
	assert_int_equal(talk->milter.dropped, 2);
	assert_int_equal(talk->milter.changed, 0);
	assert_false(milter_change(&talk->milter, &at, &change));
	milter_talk_free(talk);
}

static void changes_are_bounded(void **state)
{
	char data[60000];
	(void)state;
	struct milter_talk *talk = asked(0);
	for (unsigned i = 0; i < MILTER_CHANGES_MAX; i++)
		milter_talk_say(talk, 'h', "X\0y", 4);
	assert_int_equal(talk->milter.changed, MILTER_CHANGES_MAX);
	milter_talk_run(talk, "none\nFhX\\0y\\0\nfailed too-much\ns end\nf more than 500\n");
	milter_talk_free(talk);

	memset(data, 'v', sizeof(data));
	data[1] = data[sizeof(data) - 1] = '\0';
	talk = asked(0);
	milter_talk_say(talk, 'h', data, sizeof(data));
	assert_int_equal(talk->milter.changed, 1);
	milter_talk_say(talk, 'h', data + sizeof(data) - 2000, 2000);
	milter_talk_run(talk, "failed protocol\n"); /* a name without its end */
	milter_talk_free(talk);
	talk = asked(0);
	milter_talk_say(talk, 'h', data, sizeof(data));
	milter_talk_say(talk, 'h', data, sizeof(data));
	milter_talk_run(talk, "failed too-much\ns end\nf 65536 bytes\n");
	milter_talk_free(talk);
	/* there is room for the verdict behind as many as fit */
	talk = asked(0);
	milter_talk_say(talk, 'h', data, sizeof(data));
	data[65536 - 60000 - 11] = '\0';
	milter_talk_say(talk, 'h', data, 65536 - 60000 - 10);
	assert_int_equal(talk->milter.changed, 2);
	milter_talk_run(talk, "Fy550 5.7.1 no\\0\nrefused 550 5.7.1 no\n");
	milter_talk_free(talk);
}

static void what_cannot_be_done_is_refused(void **state)
{
	static const char *const wishes[] = {"F+<x@y>\\0\n", "F-<c@d>\\0\n",
		"F2<x@y>\\0NOTIFY\\0\n", "Fe<z@z>\\0\n", "Fbanother body\n", "Fb\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		char script[200];
		for (unsigned yes = 0; yes < 2; yes++) {
			snprintf(script, sizeof(script),
				"%snone\n%sF%c\n"
				"refused 451 4.3.5 a filter wants changed what is not changed "
				"here\n"
				"f the filter wants its\ns ready\n",
				wishes[i], wishes[i], yes ? 'a' : 'c');
			run(script);
		}
		/* its own no counts */
		snprintf(script, sizeof(script), "%sFy550 5.7.1 no\\0\nrefused 550 5.7.1 no\n",
			wishes[i]);
		run(script);
	}
}

static void a_body_is_not_kept(void **state)
{
	struct milter_talk *talk = asked(0);
	char *body = calloc(1, 65535);
	(void)state;
	for (unsigned i = 0; i < 40; i++)
		milter_talk_say(talk, 'b', body, 65535);
	milter_talk_run(talk,
		"none\nFa\nrefused 451 4.3.5 a filter wants changed what is not changed here\n");
	free(body);
	milter_talk_free(talk);
}

static void quarantine_is_no_yes(void **state)
{
	struct milter_talk *talk;
	(void)state;
	run("Fqlooks odd\\0\nnone\nFa\nrefused 451 4.7.1 refused by a filter for now\n"
	    "f quarantine: looks odd\n");
	run("Fq\\0\nFr\nrefused 550 5.7.1 refused by a filter\n");
	run("Fqno end\nfailed protocol\n");
	talk = milter_talk_new(ALL_UNANSWERED);
	talk->milter.setup.quarantine_reject = true;
	milter_talk_run(talk, ASKED "Fqodd\\0\nFc\nrefused 550 5.7.1 refused by a filter\n");
	assert_int_equal(talk->why, MILTER_WHY_QUARANTINE);
	milter_talk_free(talk);
}

static void discard_is_a_refusal(void **state)
{
	struct milter_talk *talk = asked(0);
	(void)state;
	milter_talk_run(talk, "Fd\nrefused 550 5.7.1 refused by a filter\ns ready\n");
	assert_int_equal(talk->why, MILTER_WHY_DISCARD);
	milter_talk_free(talk);
}

static void a_reply_that_is_none_is_no_yes(void **state)
{
	static const char *const replies[] = {
		"250 2.0.0 ok", "550 4.7.1 mismatch", "55", "", "550", "550 5.7.1 a\\x1b"};
	char long_one[MILTER_REPLY_MAX + 100];
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		char script[300];
		bool good = strcmp(replies[i], "550") == 0;
		snprintf(script, sizeof(script), "Fy%s\\0\n%s\ns ready\n", replies[i],
			good ? "refused 550 5.7.1 refused by a filter"
			     : "refused 451 4.3.5 a filter refused this in words that cannot be "
			       "told");
		run(script);
	}
	/* of a recipient alone, too */
	milter_talk_each(0x7 | 0x200,
		"c\nh x\nm a@b\nr c@d\nFy250 ok\\0\n"
		"refused 451 4.3.5 a filter refused this in words that cannot be told\n"
		"f 250 ok\nr e@f\nFc\ngo\n");
	memset(long_one, 'x', sizeof(long_one));
	memcpy(long_one, "550 5.7.1 ", 10);
	long_one[sizeof(long_one) - 1] = '\0';
	struct milter_talk *talk = asked(0);
	milter_talk_say(talk, 'y', long_one, sizeof(long_one));
	assert_int_equal(talk->answer, MILTER_ANSWER_REFUSED);
	assert_int_equal(talk->why, MILTER_WHY_BAD_REPLY);
	milter_talk_free(talk);
	talk = asked(0); /* as much as is read */
	long_one[MILTER_REPLY_MAX - 1] = '\0';
	milter_talk_say(talk, 'y', long_one, MILTER_REPLY_MAX);
	assert_int_equal(talk->why, MILTER_WHY_FILTER);
	milter_talk_free(talk);
}

static void what_breaks_the_protocol_fails(void **state)
{
	static const char *const faults[] = {
		"Fz\n",
		"F\\xff\n",
		"FO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0\n",
		"B \\0\\0\\0\\0c\n",     /* no letter */
		"B \\x01\\0\\0\\0c\n",   /* 16 MiB */
		"B \\0\\x01\\0\\x02b\n", /* one byte more than is read */
		"B \\xff\\xff\\xff\\xffc\n",
		"Fc\\0\n",
		"Fax\n",
		"Frx\n",
		"Fpx\n",
		"Fy550 5.7.1 no\n",
		"Fy550 5.7.1 no\\0more\n",
		"Fy550 5.7.1 no\\0more\\0\n",
		"Fy\n",
		"F550 5.7.1 the y was forgotten\\0\n", /* rspamd 1764 */
		"Fh\n",
		"FhX\n",
		"FhX\\0\n",
		"FhX\\0y\n",
		"FhX\\0y\\0z\n",
		"FhX\\0y\\0\\0\n",
		"Fh\\0y\\0\n",
		"FhX Y\\0y\\0\n",
		"FhX:\\0y\\0\n",
		"FhX\\r\\nY\\0y\\0\n",
		"FhX\\xc3\\xbc\\0y\\0\n",
		"Fi\\0\\0\\0X\\0y\\0\n",
		"Fi\\xff\\xff\\xff\\xffX\\0y\\0\n",
		"Fi\\x80\\0\\0\\0X\\0y\\0\n",
		"Fm\\xff\\xff\\xff\\xffX\\0y\\0\n",
		"Fm\\0\\0\\0\\x01\\0y\\0\n",
		"Fm\\0\\0\\0\\x01X\\0y\n",
		"Fm\\0\\0\n",
		"Fq\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		char script[200];
		snprintf(script, sizeof(script),
			"%sfailed protocol\ns end\na\nm next@b\nfailed protocol\n", faults[i]);
		run(script);
	}
}

static void a_wish_before_the_end_fails(void **state)
{
	static const char *const wishes[] = {"FhX\\0y\\0\n", "Fi\\0\\0\\0\\0X\\0y\\0\n",
		"Fm\\0\\0\\0\\x01X\\0y\\0\n", "Fqodd\\0\n", "F+<x@y>\\0\n", "Fbbody\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		char script[300];
		snprintf(script, sizeof(script),
			"c\nh x\nm a@b\n%sfailed protocol\nf before its end\ns end\n", wishes[i]);
		milter_talk_each(0x3 | 0x200, script);
		snprintf(script, sizeof(script), "c\n%sfailed protocol\ns end\n", wishes[i]);
		milter_talk_each(0, script);
		snprintf(script, sizeof(script),
			"c\nh x\nm a\nr b\nd\nt \\r\\nx\n%sfailed protocol\ns end\n", wishes[i]);
		milter_talk_each(0x26f, script);
	}
}

/* A second answer could be anything's: what it would be taken for is not known. */
static void who_speaks_unasked_fails(void **state)
{
	(void)state;
	milter_talk_each(
		0, "Fc\nfailed protocol\nf without being asked\ns end\nc\nfailed protocol\n");
	milter_talk_each(0, "B \\0\nfailed protocol\ns end\n");
	milter_talk_each(ALL_UNANSWERED, "c\ngo\nFc\nfailed protocol\n");
	run("Fa\ngo\nFr\nfailed protocol\n");
	/* in one read with the answer before it */
	struct milter_talk *talk = asked(0);
	milter_talk_run(talk, "B \\0\\0\\0\\x01a\\0\\0\\0\\x01r\nfailed protocol\ns end\n");
	milter_talk_free(talk);
	talk = asked(0);
	milter_talk_run(talk, "B \\0\\0\\0\\x01a\\0\nfailed protocol\ns end\n");
	milter_talk_free(talk);
	/* progress and the answer may well be */
	talk = asked(0);
	milter_talk_run(talk, "B \\0\\0\\0\\x01p\\0\\0\\0\\x01p\\0\\0\\0\\x01a\ngo\n");
	milter_talk_free(talk);
}

static void begun(struct milter_talk *talk)
{
	talk->told_len = talk->told_seen = 0;
	milter_begin(&talk->milter, &talk->setup, talk->now_ms, &talk->out);
	talk->answer = MILTER_ANSWER_NONE;
}

static void what_is_no_filter_is_said(void **state)
{
	static const struct {
		const char *bytes, *why, *words;
	} cases[] = {
		{"UNKNOWN COMMAND\\n", "no-milter", "it says \"UNKNOWN COMMAND\""}, /* clamd */
		{"220 mx.example ESMTP\\r\\n", "no-milter", "it says \"220 mx.example ESMTP\""},
		{"HTTP/1.1 400 Bad Request\\r\\nServer: x", "no-milter",
			"\"HTTP/1.1 400 Bad Request\""},
		{"-ERR unknown command\\r\\n", "no-milter", "\"-ERR unknown command\""},
		{"\\x16\\x03\\x01\\0\\x05", "protocol", "a packet of"}, /* TLS */
		{"\\0\\0\\0\\x01c", "protocol", "instead of its options"},
		{"\\0\\0\\0\\x0dO\\0\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\0\\0", "protocol", "version 1"},
		{"\\0\\0\\0\\x0cO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0", "protocol", "malformed"},
		{"\\0\\0\\0\\x01O", "protocol", "malformed"},
		{"\\0\\0\\0\\x0eO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0x", "protocol", "malformed"},
		{"\\0\\0\\0\\x12O\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0i", "protocol",
			"malformed"}, /* a list without its end */
		{"\\0\\0\\xff\\xffO", "protocol", "malformed"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct milter_talk *talk = milter_talk_new(0);
		char script[300];
		begun(talk);
		snprintf(script, sizeof(script), "B %s\nfailed %s\ns end\nf %s\n", cases[i].bytes,
			cases[i].why, cases[i].words);
		milter_talk_run(talk, script);
		milter_talk_free(talk);
		/* and in any pieces, if only its first words are there to be said */
		talk = milter_talk_new(0);
		begun(talk);
		talk->filter_cut = 1;
		snprintf(script, sizeof(script), "B %s\nfailed %s\ns end\n", cases[i].bytes,
			cases[i].why);
		milter_talk_run(talk, script);
		milter_talk_free(talk);
	}
}

static void more_than_was_offered_is_taken(void **state)
{
	struct milter_talk *talk = milter_talk_new(0);
	static const uint8_t options[] = {0, 0, 0, 99, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 0x08, 0};
	(void)state;
	begun(talk);
	milter_talk_say(talk, 'O', options, sizeof(options));
	assert_int_equal(talk->answer, MILTER_ANSWER_GO);
	assert_int_equal(talk->milter.version, MILTER_VERSION);
	assert_int_equal(talk->milter.actions, 0xffffffff);
	assert_int_equal(talk->milter.protocol, 0x100000);
	milter_talk_free(talk);
}

static void old_versions_are_spoken(void **state)
{
	static const uint8_t options[] = {0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0};
	struct milter_talk *talk = milter_talk_new(0);
	(void)state;
	begun(talk);
	milter_talk_say(talk, 'O', options, sizeof(options));
	talk->told_seen = talk->told_len;
	milter_talk_run(talk, "c\nFc\nh me\nFc\nm a@b\nFc\nr c@d\nFc\nd\ngo\n"
			      "> Cclient.example|4AB192.0.2.1| Hme| M<a@b>| R<c@d>|\n");
	milter_talk_free(talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_kept_in_order),
		cmocka_unit_test(changes_before_a_refusal_are_none),
		cmocka_unit_test(changes_that_are_not_wanted_are_counted),
		cmocka_unit_test(changes_are_bounded),
		cmocka_unit_test(what_cannot_be_done_is_refused),
		cmocka_unit_test(a_body_is_not_kept),
		cmocka_unit_test(quarantine_is_no_yes),
		cmocka_unit_test(discard_is_a_refusal),
		cmocka_unit_test(a_reply_that_is_none_is_no_yes),
		cmocka_unit_test(what_breaks_the_protocol_fails),
		cmocka_unit_test(a_wish_before_the_end_fails),
		cmocka_unit_test(who_speaks_unasked_fails),
		cmocka_unit_test(what_is_no_filter_is_said),
		cmocka_unit_test(more_than_was_offered_is_taken),
		cmocka_unit_test(old_versions_are_spoken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
