/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_client.h"

#include "test/lib/smtp_server.h"
#include "test/lib/smtp_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void wrong(struct smtp_client *client, const char *rule)
{
	if (!client->wrong)
		client->wrong = rule;
}

bool smtp_client_say(struct smtp_client *client, const char *bytes, size_t len)
{
	if (len > sizeof(client->sent) - client->sent_len)
		return false;
	memcpy(client->sent + client->sent_len, bytes, len);
	client->sent_len = (uint16_t)(client->sent_len + len);
	return true;
}

static const struct {
	const char *word;
	enum smtp_client_verb verb;
	bool bare; /* nothing may stand behind it */
} verbs[] = {
	{"EHLO", SMTP_CLIENT_HELLO, false},
	{"HELO", SMTP_CLIENT_HELLO, false},
	{"MAIL", SMTP_CLIENT_MAIL, false},
	{"RCPT", SMTP_CLIENT_RCPT, false},
	{"DATA", SMTP_CLIENT_DATA, true},
	{"RSET", SMTP_CLIENT_DONE, true},
	{"NOOP", SMTP_CLIENT_DONE, false},
	{"VRFY", SMTP_CLIENT_HELP, false},
	{"HELP", SMTP_CLIENT_HELP, false},
	{"QUIT", SMTP_CLIENT_QUIT, true},
	{"STARTTLS", SMTP_CLIENT_STARTTLS, true},
	{"AUTH", SMTP_CLIENT_AUTH, false},
};

static enum smtp_client_verb verb_of(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return SMTP_CLIENT_OTHER;
	while (len > 0 && line[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t n = strlen(verbs[i].word);
		if (len >= n && strncasecmp(line, verbs[i].word, n) == 0 &&
			(len == n || (line[n] == ' ' && !verbs[i].bare)))
			return verbs[i].verb;
	}
	return SMTP_CLIENT_OTHER;
}

enum smtp_client_verb smtp_client_head(const struct smtp_client *client, size_t *len)
{
	const char *line = client->sent;

	*len = 0;
	if (!client->greeted)
		return SMTP_CLIENT_GREETING;
	if (client->text) {
		*len = smtp_text_end(client->sent, client->sent_len);
		return *len > 0 ? SMTP_CLIENT_DOT : SMTP_CLIENT_NONE;
	}
	const char *lf = memchr(line, '\n', client->sent_len);
	if (!lf)
		return SMTP_CLIENT_NONE;
	size_t n = (size_t)(lf - line);
	*len = n + 1;
	if (client->asked)
		return SMTP_CLIENT_RESPONSE;
	bool cr = n > 0 && line[n - 1] == '\r';
	if ((!cr && !client->repair) || n + 1 > SMTP_CLIENT_LINE_MAX)
		return SMTP_CLIENT_OTHER;
	return verb_of(line, n - cr);
}

bool smtp_client_text(const struct smtp_client *client, char *text, size_t *text_len)
{
	size_t end = smtp_text_end(client->sent, client->sent_len);

	return client->text && end > 0 &&
	       smtp_text_of(client->sent, end - 3, client->repair, text, text_len);
}

/* What a line of a reply has to be: RFC 5321 4.2, and RFC 2034 where there is an enhanced code. */
static void check_line(struct smtp_client *client)
{
	const char *line = client->line;
	size_t len = client->line_len - 2u;
	unsigned code = 0;

	if (client->line_len > 512)
		wrong(client, "a reply line over 512 bytes");
	if (len < 4 || line[0] < '2' || line[0] > '5' || !isdigit((unsigned char)line[1]) ||
		!isdigit((unsigned char)line[2]) || (line[3] != ' ' && line[3] != '-')) {
		wrong(client, "a line that is no reply");
		return;
	}
	for (size_t i = 0; i < 3; i++)
		code = code * 10 + (unsigned)(line[i] - '0');
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			wrong(client, "a control character in a reply");
	if (client->reply_code && client->reply_code != code)
		wrong(client, "a reply of two codes");
	if (len > 8 && isdigit((unsigned char)line[4]) && line[5] == '.' && line[7] == '.' &&
		line[4] != line[0])
		wrong(client, "an enhanced code of another class");
	client->reply_code = (uint16_t)code;
}

/* RFC 3207 4.2: whatever was said before, by whomever, was never said. */
static void begin_handshake(struct smtp_client *client, size_t command)
{
	if (client->sent_len > command)
		wrong(client, "TLS over bytes that were said in clear");
	if (client->secured)
		wrong(client, "TLS inside of TLS");
	client->handshake = true;
	client->mail = client->hello = false;
}

void smtp_client_secure(struct smtp_client *client)
{
	client->handshake = false;
	client->secured = true;
}

static void on_reply(struct smtp_client *client, struct smtp_client_heard *heard)
{
	size_t len;

	heard->verb = smtp_client_head(client, &len);
	heard->code = client->reply_code;
	if (client->over)
		wrong(client, "a reply behind the last one");
	if (client->handshake)
		wrong(client, "words inside of a handshake");
	if (heard->verb == SMTP_CLIENT_STARTTLS && heard->code == 220)
		begin_handshake(client, len);
	if (heard->verb == SMTP_CLIENT_RCPT)
		smtp_server_address(client->sent, len, heard->recipient);
	if (heard->verb == SMTP_CLIENT_HELLO && heard->code == 250) {
		client->mail = false;
		client->hello = true;
	}
	if (heard->verb == SMTP_CLIENT_MAIL && heard->code == 250) {
		if (!client->hello)
			wrong(client, "a sender from who said no name");
		if (client->secret && !client->secured)
			wrong(client, "mail in clear");
		smtp_server_address(client->sent, len, client->sender);
		client->mail = true;
		client->yes = 0;
	}
	if (heard->verb == SMTP_CLIENT_RCPT)
		client->yes = (uint16_t)(client->yes + (heard->code / 100 == 2));
	if (heard->verb == SMTP_CLIENT_DONE && toupper((unsigned char)client->sent[0]) == 'R')
		client->mail = false;
	client->asked = heard->code == 334;
	bool login = heard->verb == SMTP_CLIENT_AUTH || heard->verb == SMTP_CLIENT_RESPONSE;
	if (heard->code == 235 && login) { /* of a server's, to a recipient, it is any yes */
		if (client->logged_in || !client->hello)
			wrong(client, "a login out of its place");
		client->logged_in = true;
	}
	client->text = heard->verb == SMTP_CLIENT_DATA && heard->code == 354;
	if (heard->verb == SMTP_CLIENT_DOT)
		client->mail = false;
	if (heard->verb == SMTP_CLIENT_GREETING)
		client->greeted = true;
	client->over = heard->verb == SMTP_CLIENT_NONE || heard->verb == SMTP_CLIENT_QUIT ||
		       heard->code == 421 || heard->code == 521 ||
		       (heard->verb == SMTP_CLIENT_GREETING && heard->code != 220);
	if (!client->mail)
		client->yes = 0;
	client->sent_len = (uint16_t)(client->sent_len - len);
	memmove(client->sent, client->sent + len, client->sent_len);
}

size_t smtp_client_hear(
	struct smtp_client *client, const char *bytes, size_t len, struct smtp_client_heard *heard)
{
	memset(heard, 0, sizeof(*heard));
	for (size_t i = 0; i < len; i++) {
		if (client->line_len == sizeof(client->line) - 1) {
			wrong(client, "a reply line without an end");
			client->line_len = 0;
		}
		client->line[client->line_len++] = bytes[i];
		if (bytes[i] != '\n')
			continue;
		if (client->line_len < 2 || client->line[client->line_len - 2] != '\r')
			wrong(client, "a bare LF in a reply");
		else
			check_line(client);
		bool last = client->line_len < 6 || client->line[3] == ' ';
		size_t words = client->line_len > 5 ? client->line_len - 5u : 0;
		memcpy(heard->words, client->line + 3, words);
		heard->words[words] = '\0';
		client->line_len = 0;
		if (!last)
			continue;
		on_reply(client, heard);
		client->reply_code = 0;
		return i + 1;
	}
	return len;
}
