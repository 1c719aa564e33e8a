/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateway's own dialogue with a host, as scripts: what the host says, what we say, how it ends.
 */
#include "lib/smtp/probe/dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GREETING "220 mx.example.org ESMTP\r\n"
#define EHLO     "EHLO gw.example.net\r\n"
#define HELLO    "250-mx.example.org\r\n250-SIZE\r\n250 HELP\r\n"
#define XHELLO   "250-mx.example.org\r\n250-XCLIENT NAME ADDR PORT LOGIN\r\n250 HELP\r\n"
#define PROXY4   "PROXY TCP4 192.0.2.1 192.0.2.3 40025 25\r\n"
#define XCLIENT                                                                    \
	"XCLIENT NAME=[UNAVAILABLE] PORT=40025 LOGIN=postern-probe ADDR=192.0.2.1" \
	"\r\n"

struct script {
	const char *name;
	enum policy_announce announce;
	const char *login;
	const char *lines[12]; /* what the host says and what we say to it, in turn */
	enum target_outcome outcome;
	bool about_client;
	const char *text;
	uint64_t since_ms;
};

#define NONE POLICY_ANNOUNCE_NONE
#define V1   POLICY_ANNOUNCE_PROXY_V1
#define XC   POLICY_ANNOUNCE_XCLIENT

static const struct script scripts[] = {
	{"good", NONE, NULL, {"", GREETING, EHLO, HELLO, "QUIT\r\n", "221 bye\r\n"}, TARGET_WORKED,
		false, "", 0},
	{"without extensions", NONE, NULL,
		{"", GREETING, EHLO, "502 what\r\n", "QUIT\r\n", "221 bye\r\n"}, TARGET_WORKED,
		false, "", 0},
	{"greets in lines", NONE, NULL,
		{"", "220-a\r\n220-b\r\n", "", "220 c\r\n", EHLO, HELLO, "QUIT\r\n", "221 bye\r\n"},
		TARGET_WORKED, false, "", 0},
	{"refuses", NONE, NULL, {"", "554 5.7.1 go away\r\n"}, TARGET_MISSED, false,
		"554 5.7.1 go away", 0},
	{"busy", NONE, NULL, {"", "421 busy\r\n"}, TARGET_MISSED, false, "421 busy", 10},
	{"waited for a header", NONE, NULL, {"", "421 4.3.2 timeout\r\n"}, TARGET_MISSED, false,
		"421 4.3.2 timeout (after 5 s of silence: does this port expect PROXY?)", 5100},
	{"not SMTP", NONE, NULL, {"", "SSH-2.0-OpenSSH\r\n"}, TARGET_MISSED, false,
		"not SMTP: SSH-2.0-OpenSSH", 0},
	{"offers XCLIENT", NONE, NULL, {"", GREETING, EHLO, XHELLO}, TARGET_REFUSED, false,
		"offers XCLIENT to the gateway", 0},
	{"offers XFORWARD", V1, NULL, {PROXY4, GREETING, EHLO, "250-a\r\n250 xforward NAME\r\n"},
		TARGET_REFUSED, false, "offers XFORWARD to the gateway", 0},
	{"says too much", NONE, NULL, {"", GREETING "250 hello\r\n"}, TARGET_MISSED, false,
		"says more than it was asked, after 220 mx.example.org ESMTP", 0},
	{"takes the header", V1, NULL, {PROXY4, GREETING, EHLO, HELLO, "QUIT\r\n", "221 bye\r\n"},
		TARGET_WORKED, false, "", 0},
	/* without knowing PROXY it answers the header, and every reply is one command late */
	{"expects no header", V1, NULL, {PROXY4, GREETING, EHLO, "502 5.5.2 not recognized\r\n"},
		TARGET_REFUSED, false, "does not take the PROXY header: 502 5.5.2 not recognized",
		0},
	{"says 250 to everything", V1, NULL,
		{PROXY4, GREETING, EHLO, "250 ok\r\n", "QUIT\r\n", "250 ok\r\n"}, TARGET_REFUSED,
		false, "answers QUIT behind a PROXY header with 250 ok", 0},
	{"says 250 twice", V1, NULL, {PROXY4, GREETING, EHLO, "250 ok\r\n" HELLO}, TARGET_REFUSED,
		false, "does not take the PROXY header: more than one reply after 250 ok", 0},
	{"refuses this client", V1, NULL, {PROXY4, "550 not this family\r\n"}, TARGET_REFUSED, true,
		"550 not this family", 0},
	{"takes our word", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, GREETING, EHLO, HELLO, "QUIT\r\n",
			"221 bye\r\n"},
		TARGET_WORKED, false, "", 0},
	{"does not take our word", XC, NULL, {"", GREETING, EHLO, HELLO}, TARGET_REFUSED, false,
		"does not offer XCLIENT to the gateway", 0},
	{"knows no users", XC, "postern-probe",
		{"", GREETING, EHLO, "250-a\r\n250-XCLIENT NAME ADDR PORT\r\n250 HELP\r\n"},
		TARGET_REFUSED, false, "does not offer XCLIENT LOGIN to the gateway", 0},
	{"does not take the address", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, "501 5.5.4 Bad ADDR syntax\r\n"},
		TARGET_REFUSED, true, "501 5.5.4 Bad ADDR syntax", 0},
	{"takes XCLIENT for a command of no meaning", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, "250 2.0.0 Ok\r\n"}, TARGET_REFUSED, false,
		"answers XCLIENT with 250 2.0.0 Ok", 0},
	{"believes everybody", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, GREETING, EHLO, XHELLO}, TARGET_REFUSED,
		false, "offers XCLIENT to the client that was named", 0},
};

/* As flows find it that are read: what it offers is noted, and all goes on to the end. */
static const struct script read_scripts[] = {
	{"offers XCLIENT", NONE, NULL, {"", GREETING, EHLO, XHELLO, "QUIT\r\n", "221 bye\r\n"},
		TARGET_WORKED, false, "offers XCLIENT to the gateway", 0},
	{"offers both behind a header", V1, NULL,
		{PROXY4, GREETING, EHLO, "250-a\r\n250-xclient ADDR\r\n250 xforward NAME\r\n",
			"QUIT\r\n", "221 bye\r\n"},
		TARGET_WORKED, false, "offers XCLIENT and XFORWARD to the gateway", 0},
	{"believes everybody", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, GREETING, EHLO, XHELLO, "QUIT\r\n",
			"221 bye\r\n"},
		TARGET_WORKED, false, "offers XCLIENT to the client that was named", 0},
	{"offers XFORWARD, and takes no header", V1, NULL,
		{PROXY4, GREETING, EHLO, "250-a\r\n250 xforward NAME\r\n", "QUIT\r\n",
			"250 ok\r\n"},
		TARGET_REFUSED, false, "offers XFORWARD to the gateway", 0},
	{"offers XCLIENT, and is more than was asked", NONE, NULL,
		{"", GREETING, EHLO, XHELLO "250 x\r\n"}, TARGET_MISSED, false,
		"offers XCLIENT to the gateway", 0},
	{"does not offer what is to be said", XC, NULL, {"", GREETING, EHLO, HELLO}, TARGET_REFUSED,
		false, "", 0},
	{"takes our word", XC, "postern-probe",
		{"", GREETING, EHLO, XHELLO, XCLIENT, GREETING, EHLO, HELLO, "QUIT\r\n",
			"221 bye\r\n"},
		TARGET_WORKED, false, "", 0},
	{"good", NONE, NULL, {"", GREETING, EHLO, HELLO, "QUIT\r\n", "221 bye\r\n"}, TARGET_WORKED,
		false, "", 0},
};

static struct dialogue dialogue;

static struct dialogue_setup setup_of(const struct script *script)
{
	return (struct dialogue_setup){.hostname = "gw.example.net",
		.announce = script->announce,
		.client = {{{192, 0, 2, 1}, ADDR_IP4}, 40025},
		.original = {{{192, 0, 2, 3}, ADDR_IP4}, 25},
		.login = script->login};
}

/* step: how many bytes the host says at a time. */
static void talk(const struct dialogue_setup *setup, const struct script *script, size_t step)
{
	char said[PROXY_V2_SIZE + 1];

	dialogue_begin(&dialogue, setup);
	for (size_t i = 0; script->lines[i]; i++) {
		const char *line = script->lines[i];
		if (i % 2 == 0) {
			memcpy(said, dialogue.out, dialogue.out_len);
			said[dialogue.out_len] = '\0';
			assert_string_equal(said, line);
			continue;
		}
		size_t len = strlen(line);
		for (size_t at = 0; at < len && dialogue.step != DIALOGUE_OVER; at += step)
			dialogue_feed(&dialogue, line + at, len - at < step ? len - at : step,
				script->since_ms);
	}
	assert_int_equal(dialogue.step, DIALOGUE_OVER);
	assert_int_equal(dialogue.outcome, script->outcome);
	assert_int_equal(dialogue.about_client, script->about_client);
}

static void play(const struct script *script, size_t step)
{
	const struct dialogue_setup setup = setup_of(script);

	talk(&setup, script, step);
	assert_string_equal(dialogue.text, script->text);
	assert_int_equal(dialogue.forges != 0, strncmp(script->text, "offers ", 7) == 0);
}

static void dialogues_end_as_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		print_message("%s\n", scripts[i].name);
		play(&scripts[i], 100000);
		/* byte by byte there is no "more than was asked": it is the next reply */
		if (!strstr(scripts[i].text, "more than") && !strstr(scripts[i].text, "not SMTP"))
			play(&scripts[i], 1);
	}
}

static void for_flows_that_are_read_all_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(read_scripts) / sizeof(read_scripts[0]); i++) {
		const struct script *script = &read_scripts[i];
		struct dialogue_setup setup = setup_of(script);
		char text[TARGET_TEXT_SIZE];

		setup.read = true;
		print_message("%s\n", script->name);
		for (unsigned bytewise = 0; bytewise < 2; bytewise++) {
			if (bytewise && strstr(script->name, "more than"))
				continue;
			talk(&setup, script, bytewise ? 1 : 100000);
			assert_int_equal(dialogue.forges != 0, *script->text != '\0');
			if (dialogue.forges)
				assert_string_equal(
					dialogue_forgery(script->announce, dialogue.forges, text),
					script->text);
		}
	}
}

static void a_header_of_version_2_comes_first(void **state)
{
	const struct script script = {.announce = POLICY_ANNOUNCE_PROXY_V2, .login = "anna"};
	const struct dialogue_setup setup = setup_of(&script);
	(void)state;
	dialogue_begin(&dialogue, &setup);
	assert_true(dialogue.out_len > 28);
	assert_memory_equal(dialogue.out, "\r\n\r\n\0\r\nQUIT\n", 12);
}

static void silence_and_closing_are_told_apart(void **state)
{
	const struct dialogue_setup setup = setup_of(&scripts[0]);
	(void)state;
	dialogue_begin(&dialogue, &setup);
	dialogue_late(&dialogue);
	assert_int_equal(dialogue.outcome, TARGET_MISSED);
	assert_string_equal(dialogue.text, "too late: the greeting");

	dialogue_begin(&dialogue, &setup);
	dialogue_closed(&dialogue, "", 6000);
	assert_string_equal(
		dialogue.text, "closed before the greeting (does this port expect PROXY?)");

	dialogue_begin(&dialogue, &setup);
	dialogue_feed(&dialogue, GREETING, strlen(GREETING), 0);
	assert_true(dialogue.greeted);
	dialogue_closed(&dialogue, "Connection reset by peer", 1);
	assert_string_equal(
		dialogue.text, "closed before the reply to EHLO: Connection reset by peer");

	/* all was said but 221 */
	for (unsigned late = 0; late < 2; late++) {
		dialogue_begin(&dialogue, &setup);
		dialogue_feed(&dialogue, GREETING, strlen(GREETING), 0);
		dialogue_feed(&dialogue, HELLO, strlen(HELLO), 0);
		if (late)
			dialogue_late(&dialogue);
		else
			dialogue_closed(&dialogue, "", 1);
		assert_int_equal(dialogue.outcome, TARGET_WORKED);
	}
}

#define THELLO "250-mx.example.org\r\n250-STARTTLS\r\n250-XFORWARD NAME\r\n250 HELP\r\n"

static void feed(const char *text)
{
	dialogue_feed(&dialogue, text, strlen(text), 0);
}

static void expect_said(const char *text)
{
	assert_int_equal(dialogue.out_len, strlen(text));
	assert_memory_equal(dialogue.out, text, strlen(text));
}

static struct dialogue_setup begin_tls(enum engine_tls tls)
{
	static struct dialogue_setup setup;

	setup = setup_of(&scripts[0]);
	setup.tls = tls;
	dialogue_begin(&dialogue, &setup);
	return setup;
}

static void what_is_said_in_clear_counts_for_nothing(void **state)
{
	(void)state;
	begin_tls(ENGINE_TLS_REQUIRE);
	feed(GREETING);
	feed(THELLO);
	expect_said("STARTTLS\r\n");
	feed("220 go\r\n");
	assert_int_equal(dialogue.step, DIALOGUE_TLS);
	expect_said("");
	dialogue_secured(&dialogue);
	expect_said(EHLO);
	feed(HELLO);
	expect_said("QUIT\r\n");
	feed("221 bye\r\n");
	assert_int_equal(dialogue.outcome, TARGET_WORKED);
	/* TLS comes first where it is immediate */
	begin_tls(ENGINE_TLS_IMMEDIATE);
	assert_int_equal(dialogue.step, DIALOGUE_TLS);
	dialogue_secured(&dialogue);
	assert_int_equal(dialogue.step, DIALOGUE_GREETING);
	expect_said("");
	feed(GREETING);
	expect_said(EHLO);
	feed(HELLO);
	expect_said("QUIT\r\n");
}

static void a_host_without_its_tls_is_missed(void **state)
{
	static const struct {
		const char *hello, *starttls, *text;
	} cases[] = {
		{HELLO, NULL, "TLS: does not offer STARTTLS"},
		{"500 what\r\n", NULL, "TLS: does not offer STARTTLS"},
		{THELLO, "454 4.7.0 later\r\n", "TLS: 454 4.7.0 later"},
		{THELLO, "220 go\r\n250 x\r\n", "says more than it was asked, after 220 go"},
		{THELLO, "220 go\r\n", "TLS: no good"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (unsigned offer = 0; offer < 2; offer++) {
			begin_tls(offer ? ENGINE_TLS_OFFER : ENGINE_TLS_REQUIRE);
			feed(GREETING);
			feed(cases[i].hello);
			if (cases[i].starttls)
				feed(cases[i].starttls);
			if (dialogue.step == DIALOGUE_TLS)
				dialogue_unfit(&dialogue, "no good");
			if (offer && !cases[i].starttls) {
				expect_said("QUIT\r\n");
				continue;
			}
			assert_int_equal(dialogue.step, DIALOGUE_OVER);
			assert_int_equal(dialogue.outcome, TARGET_MISSED);
			assert_string_equal(dialogue.text, cases[i].text);
			assert_true(dialogue.about_tls);
			assert_int_equal(dialogue.without, offer);
		}
}

static void a_handshake_may_take_too_long(void **state)
{
	(void)state;
	begin_tls(ENGINE_TLS_OFFER);
	feed(GREETING);
	feed(THELLO);
	feed("220 go\r\n");
	dialogue_late(&dialogue);
	assert_string_equal(dialogue.text, "TLS: no handshake in time");
	assert_true(dialogue.without);
	begin_tls(ENGINE_TLS_IMMEDIATE);
	dialogue_closed(&dialogue, "", 0);
	assert_string_equal(dialogue.text, "closed before the end of the handshake");
	assert_true(dialogue.about_tls);
	assert_false(dialogue.without);
	begin_tls(ENGINE_TLS_IMMEDIATE);
	feed(GREETING);
	assert_string_equal(dialogue.text, "TLS: it says more than it was asked");
}

static void an_endless_greeting_ends(void **state)
{
	const struct dialogue_setup setup = setup_of(&scripts[0]);
	(void)state;
	dialogue_begin(&dialogue, &setup);
	for (unsigned i = 0; i < 2000 && dialogue.step != DIALOGUE_OVER; i++)
		dialogue_feed(&dialogue, "220-again\r\n", 11, 0);
	assert_int_equal(dialogue.step, DIALOGUE_OVER);
	assert_string_equal(dialogue.text, "a reply without an end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues_end_as_they_should),
		cmocka_unit_test(for_flows_that_are_read_all_goes_on),
		cmocka_unit_test(a_header_of_version_2_comes_first),
		cmocka_unit_test(silence_and_closing_are_told_apart),
		cmocka_unit_test(what_is_said_in_clear_counts_for_nothing),
		cmocka_unit_test(a_host_without_its_tls_is_missed),
		cmocka_unit_test(a_handshake_may_take_too_long),
		cmocka_unit_test(an_endless_greeting_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
