/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A dialogue in turns, "C..." of the client and "S..." of the server, ended by NULL. A turn "K" is
 * client bytes that went by unseen. Every turn is fed in pieces of `step`. */
static struct smtp_watch watch_into(const char *const *turns, size_t step, struct smtp_said *said)
{
	struct smtp_watch watch = {0};

	for (; *turns; turns++) {
		const char *bytes = *turns + 1;
		size_t len = strlen(bytes);
		for (size_t i = 0; i < len; i += step) {
			size_t n = len - i < step ? len - i : step;
			if (**turns == 'C')
				smtp_watch_client(&watch, bytes + i, n);
			else if (**turns == 'S')
				smtp_watch_server(&watch, bytes + i, n, said);
			else
				smtp_watch_skip(&watch, n);
		}
	}
	return watch;
}

static struct smtp_watch watch_turns(const char *const *turns, size_t step)
{
	return watch_into(turns, step, NULL);
}

#define TURNS 20
#define EHLO  "CEHLO x\r\n", "S250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
#define ENV   "CMAIL FROM:<a>\r\n", "S250 ok\r\n", "CRCPT TO:<b>\r\n", "S250 ok\r\n"

static const struct {
	const char *name;
	const char *turns[TURNS];
	unsigned messages, rcpts, code, seen;
	enum ending client, server; /* the word, by who ends it */
} dialogues[] = {
	{"nothing", {NULL}, 0, 0, 0, 0, ENDING_LEFT_AFTER_GREETING, ENDING_SERVER_CLOSED},
	{"only quit", {"CQUIT\r\n", "S221 bye\r\n"}, 0, 0, 221, SMTP_SEEN_QUIT, ENDING_QUIT,
		ENDING_QUIT},
	{"after ehlo", {EHLO}, 0, 0, 250, SMTP_SEEN_EHLO, ENDING_LEFT_AFTER_EHLO,
		ENDING_SERVER_CLOSED},
	{"ehlo and quit", {EHLO, "CQUIT\r\n", "S221 bye\r\n"}, 0, 0, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_QUIT, ENDING_LEFT_AFTER_EHLO, ENDING_LEFT_AFTER_EHLO},
	{"one message",
		{"Chelo x\n", "S250 mx\n", ENV, "CDATA\r\n", "S354 go\r\n",
			"CSubject: x\r\n\r\nQUIT\r\n..\r\n.x\r\n\r\n.\r\n", "S250 queued\r\n",
			"CQUIT\r\n", "S221 bye\r\n"},
		1, 1, 221,
		SMTP_SEEN_HELO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"text that looks like commands",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "CQUIT\r\nAUTH x\r\nSTARTTLS\r\n"}, 0, 1,
		354, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_LEFT_IN_DATA, ENDING_SERVER_LEFT_IN_DATA},
	{"message without its answer", {EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Cx\r\n.\r\n"}, 0, 1,
		354, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_LEFT_IN_DATA, ENDING_SERVER_LEFT_IN_DATA},
	{"message refused after its text",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Cx\r\n.\r\n", "S550 spam\r\n"}, 0, 1, 550,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_LEFT_AFTER_MAIL, ENDING_SERVER_CLOSED},
	{"pipelined, two messages",
		{EHLO, "CMAIL FROM:<a>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\n",
			"S250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n",
			"Cone\r\n.\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
			"S250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n", "Ctwo\r\n.\r\nQUIT\r\n",
			"S250 queued\r\n221 bye\r\n"},
		2, 3, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"data refused, then commands again",
		{EHLO, "CMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
			"S250 ok\r\n550 no\r\n554 none\r\n", "CRSET\r\n", "S250 ok\r\n",
			"CQUIT\r\n"},
		0, 1, 250,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_LEFT_AFTER_MAIL, ENDING_LEFT_AFTER_MAIL},
	{"all in one go",
		{"CEHLO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nAUTH\r\n.\r\nQUIT\r\n",
			"S250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n221 bye\r\n"},
		1, 1, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"a server that does not answer empty lines",
		{EHLO, "C\r\n\r\n", ENV, "CDATA\r\n", "S354 go\r\n", "Cx\r\n.\r\n", "S250 ok\r\n"},
		1, 1, 250, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_CLIENT_CLOSED, ENDING_SERVER_CLOSED},
	{"a text that was spliced",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Cx\r\n", "Kxxxxxx", "S250 queued\r\n",
			"CQUIT\r\n", "S221 bye\r\n"},
		1, 1, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"a text that was spliced but for its end",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Kxxxxxx", "Cend\r\n.\r\n",
			"S250 queued\r\n"},
		1, 1, 250, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_CLIENT_CLOSED, ENDING_SERVER_CLOSED},
	{"commands that were spliced",
		{EHLO, "KMAIL FROM", "C:<a> AUTH\r\n", "S250 ok\r\n", "CRCPT TO:<b>\r\n",
			"S250 ok\r\n"},
		0, 1, 250, SMTP_SEEN_EHLO | SMTP_SEEN_RCPT, ENDING_LEFT_AFTER_EHLO,
		ENDING_SERVER_CLOSED},
	{"chunks",
		{EHLO, ENV, "CBDAT 6\r\nQUIT\r\nBDAT 5 LAST\r\nAUTHx", "S250 ok\r\n250 queued\r\n",
			"CQUIT\r\n", "S221 bye\r\n"},
		1, 1, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"a second message of chunks before the first one's answer",
		{EHLO,
			"CMAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 3 LAST\r\noneMAIL FROM:<a>\r\n"
			"RCPT TO:<b>\r\nBDAT 3 LAST\r\ntwo",
			"S250 ok\r\n250 ok\r\n250 queued\r\n250 ok\r\n250 ok\r\n",
			"S250 queued\r\n", "CQUIT\r\n", "S221 bye\r\n"},
		2, 2, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"of two messages of chunks the first one refused",
		{EHLO, ENV, "CBDAT 3 LAST\r\noneMAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 0 LAST\r\n",
			"S550 spam\r\n250 ok\r\n250 ok\r\n250-queued\r\n250 as x\r\n"},
		1, 2, 250, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_CLIENT_CLOSED, ENDING_SERVER_CLOSED},
	{"a second text before the first one's answer",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n",
			"Cone\r\n.\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\ntwo\r\n.\r\n",
			"S250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n", "CQUIT\r\n",
			"S221 bye\r\n"},
		2, 2, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"three texts in one go",
		{"CEHLO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n1\r\n.\r\nMAIL FROM:<a>\r\n"
		 "RCPT TO:<b>\r\nDATA\r\n2\r\n.\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"
		 "3\r\n.\r\nQUIT\r\n",
			"S250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n250 ok\r\n250 "
			"ok\r\n"
			"354 go\r\n552 full\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n"
			"221 bye\r\n"},
		2, 3, 221,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_QUIT, ENDING_QUIT},
	{"within a second text, the first one not answered",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n",
			"Cone\r\n.\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\ntwo\r\n"},
		0, 2, 354, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_LEFT_IN_DATA, ENDING_SERVER_LEFT_IN_DATA},
	{"an empty last chunk",
		{EHLO, ENV, "CBDAT 3\r\nabcbdat 0 last\r\n", "S250 ok\r\n250 queued\r\n"}, 1, 1,
		250, SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_CLIENT_CLOSED, ENDING_SERVER_CLOSED},
	{"inside a chunk", {EHLO, ENV, "CBDAT 99999999999999 LAST\r\nQUIT\r\n", "Kxxxx"}, 0, 1, 250,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA,
		ENDING_LEFT_IN_DATA, ENDING_SERVER_LEFT_IN_DATA},
	{"a chunk without a number", {EHLO, ENV, "CBDAT x LAST\r\nQUIT\r\n"}, 0, 1, 250,
		SMTP_SEEN_EHLO | SMTP_SEEN_MAIL | SMTP_SEEN_RCPT | SMTP_SEEN_DATA | SMTP_SEEN_QUIT,
		ENDING_LEFT_AFTER_MAIL, ENDING_LEFT_AFTER_MAIL},
	{"login granted", {EHLO, "CAUTH PLAIN\r\n", "S334 \r\n", "CQUIT\r\n", "S235 2.7.0 ok\r\n"},
		0, 0, 235, SMTP_SEEN_EHLO | SMTP_SEEN_AUTH | SMTP_SEEN_LOGIN, ENDING_CLIENT_CLOSED,
		ENDING_SERVER_CLOSED},
	{"login refused",
		{EHLO, "CAUTH LOGIN\r\n", "S334 VXNlcm5hbWU6\r\n", "CMAIL\r\n", "S334 UGE=\r\n",
			"CDATA\r\n", "S535 no\r\n", "CQUIT\r\n", "S221 bye\r\n"},
		0, 0, 221, SMTP_SEEN_EHLO | SMTP_SEEN_AUTH | SMTP_SEEN_QUIT, ENDING_LEFT_AFTER_AUTH,
		ENDING_LEFT_AFTER_AUTH},
	{"tls granted, client leaves with an alert",
		{EHLO, "CSTARTTLS\r\n", "S220 go\r\n", "C\x16\x03\x01\x01\x04hello\x15"}, 0, 0, 220,
		SMTP_SEEN_EHLO | SMTP_SEEN_STARTTLS | SMTP_SEEN_TLS, ENDING_LEFT_AFTER_STARTTLS,
		ENDING_LEFT_AFTER_STARTTLS},
	{"tls refused", {EHLO, "CSTARTTLS\r\n", "S454 not now\r\n", "CQUIT\r\n", "S221 bye\r\n"}, 0,
		0, 221, SMTP_SEEN_EHLO | SMTP_SEEN_STARTTLS | SMTP_SEEN_QUIT,
		ENDING_LEFT_AFTER_STARTTLS, ENDING_LEFT_AFTER_STARTTLS},
	{"no words of ours",
		{"CEHLOX\r\nSTARTTLSX\r\nXMAIL\r\nMAI\r\nMA IL\r\n\xff\xfe\r\n 354\r\nQUI"}, 0, 0,
		0, 0, ENDING_LEFT_AFTER_GREETING, ENDING_SERVER_CLOSED},
	{"a server that speaks unasked", {"S421 shutting down\r\n"}, 0, 0, 421, 0,
		ENDING_LEFT_AFTER_GREETING, ENDING_SERVER_CLOSED},
	{"a server that speaks no SMTP", {EHLO, "Sx\r\n22\r\n\r\nabcdefgh\r\n2x0 \r\n"}, 0, 0, 250,
		SMTP_SEEN_EHLO, ENDING_LEFT_AFTER_EHLO, ENDING_SERVER_CLOSED},
};

static void test_dialogues_are_noted(void **state)
{
	static const size_t steps[] = {1, 2, 3, 5, 7, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			struct smtp_watch watch = watch_turns(dialogues[i].turns, steps[s]);
			enum ending client = smtp_watch_ending(&watch, true, false);
			enum ending server = smtp_watch_ending(&watch, false, false);
			if (watch.messages != dialogues[i].messages ||
				watch.rcpts != dialogues[i].rcpts ||
				watch.code != dialogues[i].code ||
				watch.seen != dialogues[i].seen || client != dialogues[i].client ||
				server != dialogues[i].server)
				fail_msg("%s, step %zu: messages %u rcpts %u code %u seen %#x "
					 "client %s server %s",
					dialogues[i].name, steps[s], watch.messages, watch.rcpts,
					watch.code, watch.seen, ending_name(client),
					ending_name(server));
		}
	}
}

/* A TLS record of the client: type, length, and so many bytes. */
static void record(struct smtp_watch *watch, unsigned char type, unsigned len)
{
	unsigned char bytes[5 + 600] = {type, 3, 3, (unsigned char)(len >> 8), (unsigned char)len};

	for (unsigned i = 0; i < 5 + len; i += 100)
		smtp_watch_client(watch, bytes + i, 5 + len - i < 100 ? 5 + len - i : 100);
}

static void test_tls_that_works_is_no_early_leaving(void **state)
{
	static const char *const turns[] = {EHLO, "CSTARTTLS\r\n", "S220 go\r\n", NULL};
	struct smtp_watch watch = watch_turns(turns, 1000);

	(void)state;
	/* TLS 1.3: hello, change cipher, finished, then an alert or EHLO */
	record(&watch, 22, 512);
	record(&watch, 20, 1);
	record(&watch, 23, 53);
	assert_int_equal(smtp_watch_ending(&watch, true, false), ENDING_LEFT_AFTER_STARTTLS);
	record(&watch, 23, 19);
	assert_int_equal(smtp_watch_ending(&watch, true, true), ENDING_LEFT_AFTER_STARTTLS);
	assert_false(smtp_watch_blind(&watch));
	record(&watch, 23, 40);
	assert_true(smtp_watch_blind(&watch));
	assert_int_equal(smtp_watch_ending(&watch, true, false), ENDING_CLIENT_CLOSED);
	assert_int_equal(smtp_watch_ending(&watch, true, true), ENDING_CLIENT_RESET);
	assert_int_equal(smtp_watch_ending(&watch, false, true), ENDING_SERVER_RESET);
	smtp_watch_server(&watch, "250 x\r\n", 7, NULL);
	smtp_watch_client(&watch, "MAIL FROM:<x>\r\n", 15);
	assert_int_equal(watch.seen, SMTP_SEEN_EHLO | SMTP_SEEN_STARTTLS | SMTP_SEEN_TLS);
	assert_int_equal(watch.code, 220);
}

static void test_bulk_is_announced(void **state)
{
	static const char *const before[] = {EHLO, ENV, "CDATA\r\n", NULL};
	struct smtp_watch watch = watch_turns(before, 1000);

	(void)state;
	assert_false(smtp_watch_in_text(&watch));
	smtp_watch_server(&watch, "354 go\r\n", 8, NULL);
	assert_true(smtp_watch_in_text(&watch));
	smtp_watch_skip(&watch, UINT64_C(1) << 40);
	assert_true(smtp_watch_in_text(&watch));
	smtp_watch_server(&watch, "250 ok\r\n", 8, NULL);
	assert_false(smtp_watch_in_text(&watch));
	smtp_watch_client(&watch, "BDAT 100 LAST\r\nxx", 17);
	assert_true(smtp_watch_in_text(&watch));
	smtp_watch_skip(&watch, 98);
	assert_false(smtp_watch_in_text(&watch));
	smtp_watch_server(&watch, "250 ok\r\n", 8, NULL);
	assert_int_equal(watch.messages, 2);
}

static void test_a_reset_is_told_from_a_close(void **state)
{
	static const char *const sent[] = {
		EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "C.\r\n", "S250 ok\r\n", NULL};
	static const char *const early[] = {EHLO, NULL};
	struct smtp_watch watch = watch_turns(sent, 1000);

	(void)state;
	assert_int_equal(smtp_watch_ending(&watch, true, true), ENDING_CLIENT_RESET);
	assert_int_equal(smtp_watch_ending(&watch, false, true), ENDING_SERVER_RESET);
	watch = watch_turns(early, 1000);
	assert_int_equal(smtp_watch_ending(&watch, true, true), ENDING_LEFT_AFTER_EHLO);
	assert_int_equal(smtp_watch_ending(&watch, false, true), ENDING_SERVER_RESET);
}

static const struct {
	const char *name;
	const char *turns[TURNS];
	const char *said;
} replies[] = {
	{"none without a text", {EHLO, ENV, "CRSET\r\n", "S250 ok\r\n"}, ""},
	{"of the text, not of what follows",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Cx\r\n.\r\nQUIT\r\n",
			"S250 2.0.0 Ok: queued as 4XyZ\r\n221 bye\r\n"},
		"250 2.0.0 Ok: queued as 4XyZ"},
	{"the last line of several",
		{EHLO, ENV, "CBDAT 1 LAST\r\nx", "S250-accepted\r\n250 id=1abc\r\n"},
		"250 id=1abc"},
	{"the last one of two",
		{EHLO, ENV, "CBDAT 1 LAST\r\nxBDAT 1 LAST\r\nx", "S250 one\r\n", "S554 two\r\n"},
		"554 two"},
	{"of a text that was spliced",
		{EHLO, ENV, "CDATA\r\n", "S354 go\r\n", "Kxxxxxxx", "S250 queued as Q\r\n",
			"CQUIT\r\n", "S221 bye\r\n"},
		"250 queued as Q"},
	{"what must not be shown", {EHLO, ENV, "CBDAT 0 LAST\r\n", "S250 \x1b[2J\xc3\xa4\r\n"},
		"250 ?[2J??"},
};

static void test_the_reply_to_a_text_is_kept(void **state)
{
	static const size_t steps[] = {1, 3, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
			struct smtp_said said = {0};
			watch_into(replies[i].turns, steps[s], &said);
			if (strcmp(said.text, replies[i].said) != 0)
				fail_msg("%s, step %zu: %s", replies[i].name, steps[s], said.text);
		}
}

static void test_numbers_go_round(void **state)
{
	struct smtp_watch watch = {0};

	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		smtp_watch_client(&watch, "RCPT TO:<x>\r\n", 13);
		smtp_watch_server(&watch, "250 ok\r\n", 8, NULL);
	}
	assert_int_equal(watch.rcpts, UINT16_MAX);
	smtp_watch_client(&watch, "DATA\r\n", 6);
	smtp_watch_server(&watch, "354 ok\r\n", 8, NULL);
	smtp_watch_client(&watch, ".\r\n", 3);
	smtp_watch_server(&watch, "250 ok\r\n", 8, NULL);
	assert_int_equal(watch.messages, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogues_are_noted),
		cmocka_unit_test(test_tls_that_works_is_no_early_leaving),
		cmocka_unit_test(test_bulk_is_announced),
		cmocka_unit_test(test_a_reset_is_told_from_a_close),
		cmocka_unit_test(test_the_reply_to_a_text_is_kept),
		cmocka_unit_test(test_numbers_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
