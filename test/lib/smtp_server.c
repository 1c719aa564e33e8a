/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_server.h"

#include "test/lib/smtp_text.h"

#include <ctype.h>
#include <string.h>

const char *const smtp_server_verb_names[] = {"nothing", "GREETING", "HELLO", "STARTTLS", "XCLIENT",
	"AUTH", "ANSWER", "RSET", "MAIL", "RCPT", "DATA", "DOT", "NOOP", "QUIT"};

static void wrong(struct smtp_server *server, const char *rule)
{
	if (!server->wrong)
		server->wrong = rule;
}

void smtp_server_begin(struct smtp_server *server, bool immediate)
{
	if (server->open)
		wrong(server, "a second connection beside the first");
	server->open = true;
	server->broken = server->text = server->hello = server->mail = false;
	server->secured = server->starttls = server->tried = server->asks = server->logged_in =
		false;
	server->handshake = immediate;
	server->due = immediate ? SMTP_SERVER_NONE : SMTP_SERVER_GREETING;
	server->done = SMTP_SERVER_NONE;
	server->code = server->rcpts = 0;
	server->said_at = server->said_code = server->line_len = 0;
	server->said_more = false;
}

void smtp_server_secure(struct smtp_server *server)
{
	if (!server->handshake)
		wrong(server, "a handshake that nobody began");
	server->handshake = server->hello = server->starttls = false;
	server->secured = true;
	server->due = server->tried ? SMTP_SERVER_NONE : SMTP_SERVER_GREETING;
}

void smtp_server_close(struct smtp_server *server)
{
	server->open = server->text = server->mail = server->handshake = server->asks = false;
	server->due = SMTP_SERVER_NONE;
	server->rcpts = server->line_len = 0;
}

void smtp_server_address(const char *line, size_t len, char address[static 256])
{
	const char *begin = memchr(line, '<', len);
	const char *end = begin ? memchr(begin, '>', len - (size_t)(begin - line)) : NULL;
	unsigned ats = 0;

	address[0] = '\0';
	if (!end || end - begin > 250)
		return;
	for (const char *at = begin + 1; at < end; at++) {
		ats += *at == '@';
		if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) &&
			!strchr(".@", *at))
			return;
	}
	if (ats != 1)
		return;
	memcpy(address, begin + 1, (size_t)(end - begin - 1));
	address[end - begin - 1] = '\0';
}

static const struct {
	const char *word;
	enum smtp_server_verb verb;
	bool bare; /* nothing stands behind it */
} verbs[] = {
	{"EHLO ", SMTP_SERVER_HELLO, false},
	{"HELO ", SMTP_SERVER_HELLO, false},
	{"STARTTLS", SMTP_SERVER_STARTTLS, true},
	{"XCLIENT ", SMTP_SERVER_XCLIENT, false},
	{"AUTH ", SMTP_SERVER_AUTH, false},
	{"RSET", SMTP_SERVER_RSET, true},
	{"MAIL FROM:<", SMTP_SERVER_MAIL, false},
	{"RCPT TO:<", SMTP_SERVER_RCPT, false},
	{"DATA", SMTP_SERVER_DATA, true},
	{"NOOP", SMTP_SERVER_NOOP, true},
	{"QUIT", SMTP_SERVER_QUIT, true},
};

static enum smtp_server_verb verb_of(const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t n = strlen(verbs[i].word);
		if (len >= n && memcmp(line, verbs[i].word, n) == 0 && (!verbs[i].bare || len == n))
			return verbs[i].verb;
	}
	return SMTP_SERVER_NONE;
}

/* A command where it has no place. */
static bool is_misplaced(const struct smtp_server *server, enum smtp_server_verb verb)
{
	switch (verb) {
	case SMTP_SERVER_HELLO:
	case SMTP_SERVER_XCLIENT:
		return server->mail;
	case SMTP_SERVER_STARTTLS:
		return !server->hello || server->mail || server->secured || !server->starttls;
	case SMTP_SERVER_AUTH:
		return !server->hello || server->mail || server->logged_in;
	case SMTP_SERVER_ANSWER:
		return !server->asks;
	case SMTP_SERVER_RSET:
	case SMTP_SERVER_NOOP:
		return !server->hello;
	case SMTP_SERVER_MAIL:
		return !server->hello || server->mail;
	case SMTP_SERVER_RCPT:
		return !server->mail;
	case SMTP_SERVER_DATA:
		return server->rcpts == 0;
	case SMTP_SERVER_QUIT:
		return false;
	case SMTP_SERVER_NONE:
	case SMTP_SERVER_GREETING:
	case SMTP_SERVER_DOT:
		break;
	}
	return true;
}

static void on_line(struct smtp_server *server)
{
	const char *line = server->line;
	size_t len = server->line_len - 2u;
	enum smtp_server_verb verb = server->asks ? SMTP_SERVER_ANSWER : verb_of(line, len);

	if (is_misplaced(server, verb))
		wrong(server, "a command that has no place here");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			wrong(server, "a control character in a command");
	if (verb == SMTP_SERVER_MAIL)
		smtp_server_address(line, len, server->sender);
	if (verb == SMTP_SERVER_RCPT)
		smtp_server_address(line, len, server->recipient);
	if (verb == SMTP_SERVER_HELLO)
		server->hello = server->starttls = false;
	server->tried = server->tried || verb == SMTP_SERVER_STARTTLS;
	server->asks = false;
	server->heard = server->due = (uint8_t)verb;
	server->line_len = 0;
}

static void hear_text(struct smtp_server *server, const char *bytes, size_t len)
{
	static char stored[SMTP_SERVER_TEXT_MAX];
	size_t stored_len;

	if (len > sizeof(server->bytes) - server->text_len) {
		wrong(server, "a text too long for this test");
		return;
	}
	memcpy(server->bytes + server->text_len, bytes, len);
	server->text_len = (uint16_t)(server->text_len + len);
	size_t end = smtp_text_end(server->bytes, server->text_len);
	if (end == 0)
		return;
	if (end < server->text_len)
		wrong(server, "bytes behind the dot, before its reply");
	if (!smtp_text_stored(server->bytes, end - 3, stored, &stored_len))
		wrong(server, "a text with what another server takes for its end");
	server->text = false;
	server->dotted = true;
	server->heard = server->due = SMTP_SERVER_DOT;
}

void smtp_server_hear(struct smtp_server *server, const char *bytes, size_t len)
{
	if (len > 0 && !server->open)
		wrong(server, "bytes to a server that is not connected");
	if (len > 0 && server->broken)
		wrong(server, "bytes to a server that spoke out of turn");
	if (len > 0 && server->handshake)
		wrong(server, "SMTP in the place of a handshake");
	if (server->text) {
		hear_text(server, bytes, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (server->due != SMTP_SERVER_NONE)
			wrong(server, "a byte while a reply is due");
		if (server->line_len == sizeof(server->line)) {
			wrong(server, "a command line too long");
			server->line_len = 0;
		}
		server->line[server->line_len++] = bytes[i];
		bool cr = server->line_len > 1 && server->line[server->line_len - 2] == '\r';
		if (cr != (bytes[i] == '\n'))
			wrong(server, "a line without CR LF");
		if (cr)
			on_line(server);
	}
	if (server->line_len > 0)
		wrong(server, "a part of a command");
}

/* It said a whole reply. */
static void on_said(struct smtp_server *server)
{
	bool yes = server->said_code / 100 == 2;

	switch ((enum smtp_server_verb)server->due) {
	case SMTP_SERVER_HELLO:
		server->hello = yes;
		break;
	case SMTP_SERVER_STARTTLS:
		server->handshake = server->said_code == 220;
		break;
	case SMTP_SERVER_AUTH:
	case SMTP_SERVER_ANSWER:
		server->asks = server->said_code == 334;
		server->logged_in = server->said_code == 235;
		break;
	case SMTP_SERVER_XCLIENT:
	case SMTP_SERVER_GREETING:
		server->hello = server->starttls = false;
		break;
	case SMTP_SERVER_MAIL:
		server->mail = yes;
		server->rcpts = 0;
		break;
	case SMTP_SERVER_RCPT:
		server->rcpts = (uint16_t)(server->rcpts + yes);
		break;
	case SMTP_SERVER_DATA:
		server->text = server->said_code == 354;
		server->text_len = 0;
		server->dotted = false;
		break;
	case SMTP_SERVER_RSET:
	case SMTP_SERVER_DOT:
		server->mail = server->due == SMTP_SERVER_RSET && !yes && server->mail;
		server->rcpts = 0;
		break;
	case SMTP_SERVER_NONE:
		server->broken = true;
		return;
	case SMTP_SERVER_NOOP:
	case SMTP_SERVER_QUIT:
		break;
	}
	server->done = server->due;
	server->code = server->said_code;
	server->mixed = server->said_mixed;
	server->due = SMTP_SERVER_NONE;
	server->claimed = false;
}

void smtp_server_say(struct smtp_server *server, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && !server->broken; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (server->due == SMTP_SERVER_NONE) { /* nobody asked */
			server->broken = true;
		} else if (server->said_at < 3) {
			server->broken =
				!isdigit(c) || (server->said_at == 0 && (c < '2' || c > '5'));
			server->line_code =
				(uint16_t)(server->line_code * (server->said_at > 0) * 10 +
					   (unsigned)(c - '0'));
			server->said_more = false;
			server->said_at++;
			server->word_len = 0;
		} else if (c == '\n') {
			server->said_mixed =
				server->said_code &&
				(server->said_mixed || server->said_code != server->line_code);
			if (server->line_code > server->said_code)
				server->said_code = server->line_code;
			server->said_at = 0;
			if (server->due == SMTP_SERVER_HELLO && server->word_len == 9 &&
				memcmp(server->word, "STARTTLS\r", 9) == 0)
				server->starttls = true;
			if (server->said_more)
				continue;
			on_said(server);
			server->said_code = 0;
		} else if (server->said_at == 3) {
			server->broken = c != ' ' && c != '-' && c != '\r';
			server->said_more = c == '-';
			server->said_at++;
		} else if (server->word_len < sizeof(server->word)) {
			server->word[server->word_len++] = (char)c;
		}
	}
}
