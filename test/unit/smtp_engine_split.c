/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same bytes, cut anywhere on both sides, are the same session. */
#include "test/lib/engine_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a client says before it has to wait for replies (RFC 2920 3.1): 20 commands in all. */
static const char *const groups[] = {
	"EHLO pc\r\n",
	"MAIL FROM:<a@x.example> BODY=8BITMIME\r\nRCPT TO:<b@y.example>\r\nRCPT "
	"TO:<no@y.example>\r\n"
	"NOOP\r\nVRFY b\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example> NOTIFY=NEVER\r\nDATA\r\n",
	"Received: from there\r\nMessage-ID: <1@x>\r\n\r\n..dot\r\n.\r\n"
	"MAIL FROM:<d@x.example>\r\nRCPT TO:<no@y.example>\r\nFOO\r\nRSET\r\n"
	"MAIL FROM:<e@x.example>\r\nRCPT TO:<f@y.example>\r\nRCPT TO:<g@y.example>\r\nDATA\r\n",
	"\r\n.x\r\n\r\nend\r\n.\r\n",
	"EHLO pc\r\n",
	"QUIT\r\n",
};
#define GROUPS (sizeof(groups) / sizeof(*groups))

/* n-th to n-th. */
static const char *const replies[] = {"220 ", "250 ENH", "250 2.1.0", "250 2.1.5 b", "550 5.1.1 no",
	"250 2.0.0", "252", "250 2.0.0", "250 2.1.0", "250 2.1.5 b", "354 ", "250 2.0.0 one",
	"250 2.1.0", "550 5.1.1 no", "500", "250 2.0.0", "250 2.1.0", "250 2.1.5 f", "250 2.1.5 g",
	"354 ", "250 2.0.0 two", "250 ENH", "221 2.0.0"};
#define REPLIES (sizeof(replies) / sizeof(*replies))

/* A server that answers each line it hears, and a text at its dot. */
struct server {
	bool text;
	unsigned messages;
	size_t said; /* bytes of its replies, over the session */
};

static const char *reply_of(struct server *server, const char *line)
{
	if (server->text) {
		if (strcmp(line, ".") != 0)
			return "";
		server->text = false;
		return server->messages++ == 0 ? "250 one\r\n" : "250-2.0.0 x\r\n250 2.0.0 two\r\n";
	}
	server->text = strcmp(line, "DATA") == 0;
	if (server->text)
		return "354 go\r\n";
	if (strncmp(line, "EHLO", 4) == 0)
		return "250-mx\r\n250-8BITMIME\r\n250-SIZE 9999\r\n250 DSN\r\n";
	if (strncmp(line, "RCPT TO:<no", 11) == 0)
		return "550-5.1.1 nobody\r\n550 5.1.1 nobody here\r\n";
	if (strncmp(line, "RCPT TO:<b", 10) == 0)
		return "250 2.1.5 b\r\n";
	if (strncmp(line, "RCPT TO:<f", 10) == 0)
		return "250 2.1.5 f\r\n";
	return strncmp(line, "RCPT", 4) == 0 ? "250 2.1.5 g\r\n" : "250 2.0.0 fine\r\n";
}

struct cuts {
	size_t client, server; /* offsets in all that a side says; 0: none */
};

static void say(struct talk *talk, bool client, const char *bytes, size_t len)
{
	if (client)
		talk_client(talk, bytes, len);
	else
		talk_server(talk, bytes, len);
}

static void answer(struct talk *talk, struct server *server, size_t cut);

/* In two parts where the cut is; between them the other side has its time. */
static void say_cut(struct talk *talk, struct server *server, bool client, const char *bytes,
	size_t said, const struct cuts *cuts)
{
	size_t len = strlen(bytes), cut = client ? cuts->client : cuts->server;

	if (cut > said && cut < said + len) {
		say(talk, client, bytes, cut - said);
		if (client)
			answer(talk, server, cuts->server);
		say(talk, client, bytes + cut - said, said + len - cut);
	} else {
		say(talk, client, bytes, len);
	}
}

/* Answers all that the server heard. */
static void answer(struct talk *talk, struct server *server, size_t cut)
{
	const struct cuts cuts = {.server = cut};
	char line[1100];

	for (;;) {
		const char *at = talk->server + talk->server_seen, *end = strstr(at, "\r\n");
		if (!end)
			return;
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		talk->server_seen += (size_t)(end - at) + 2;
		const char *reply = reply_of(server, line);
		size_t said = server->said;
		server->said += strlen(reply);
		say_cut(talk, server, false, reply, said, &cuts);
	}
}

static const char greeting[] = "220 mx hi\r\n";
static size_t server_bytes; /* that it said in the last play */

static void play(struct talk *talk, size_t piece, const struct cuts *cuts)
{
	struct server server = {0};
	size_t said = 0;
	bool greeted = false;

	talk_init(talk, ENGINE_DSN);
	talk->cut = piece;
	talk_greet(talk);
	for (size_t i = 0; i < GROUPS; i++) {
		say_cut(talk, &server, true, groups[i], said, cuts);
		said += strlen(groups[i]);
		if (!greeted && talk->opened > 0) {
			greeted = true;
			server.said = strlen(greeting);
			say_cut(talk, &server, false, greeting, 0, cuts);
		}
		answer(talk, &server, cuts->server);
	}
	server_bytes = server.said;
}

static struct talk first, other;

static void check_order(const struct talk *talk)
{
	const char *at = talk->client;

	for (size_t i = 0; i < REPLIES; i++) {
		const char *end;
		while (at[3] == '-') { /* the last line of a reply counts */
			end = strstr(at, "\r\n");
			assert_non_null(end);
			at = end + 2;
		}
		if (strncmp(at, replies[i], strlen(replies[i])) != 0)
			fail_msg("reply %zu is \"%.40s\", not \"%s\"", i, at, replies[i]);
		end = strstr(at, "\r\n");
		assert_non_null(end);
		at = end + 2;
	}
	assert_int_equal(*at, '\0');
}

static void compare(size_t piece, const struct cuts *cuts)
{
	play(&other, piece, cuts);
	if (other.client_len != first.client_len || other.server_len != first.server_len ||
		memcmp(other.client, first.client, first.client_len) != 0 ||
		memcmp(other.server, first.server, first.server_len) != 0 ||
		strcmp(other.events, first.events) != 0)
		fail_msg("pieces of %zu, cut at %zu and %zu: another session", piece, cuts->client,
			cuts->server);
}

static size_t client_bytes(void)
{
	size_t n = 0;

	for (size_t i = 0; i < GROUPS; i++)
		n += strlen(groups[i]);
	return n;
}

static void test_the_replies_are_those_of_the_commands(void **state)
{
	const struct cuts none = {0};
	(void)state;
	play(&first, 0, &none);
	check_order(&first);
	assert_int_equal(first.engine.state, ENGINE_END);
	assert_int_equal(first.engine.delivered, 2);
	assert_non_null(strstr(first.server, "\r\n..dot\r\n.\r\n"));
	assert_non_null(strstr(first.server, "DATA\r\n\r\nx\r\n\r\nend\r\n.\r\n"));
}

static void test_pieces_of_every_size_are_the_same(void **state)
{
	const struct cuts none = {0};
	(void)state;
	play(&first, 0, &none);
	for (size_t piece = 1; piece < 200; piece++)
		compare(piece, &none);
}

static void test_every_split_point_is_the_same(void **state)
{
	const struct cuts none = {0};
	size_t bytes = client_bytes();
	(void)state;
	play(&first, 0, &none);
	size_t said = server_bytes;
	for (size_t i = 1; i < bytes; i++)
		compare(0, &(struct cuts){.client = i});
	for (size_t i = 1; i < said; i++)
		compare(0, &(struct cuts){.server = i});
	for (size_t i = 1, j = 1; i < bytes; i++, j = 1 + j * 31 % said)
		for (size_t k = 0; k < 8; k++)
			compare(0, &(struct cuts){.client = i, .server = 1 + (j + k * 97) % said});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_replies_are_those_of_the_commands),
		cmocka_unit_test(test_pieces_of_every_size_are_the_same),
		cmocka_unit_test(test_every_split_point_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
