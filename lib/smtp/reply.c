/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include "lib/base/words.h"
#include "lib/record/flowid.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	AT_SEPARATOR = 3, /* behind the three digits */
	AT_TEXT = 4,
};

#define KEY_ENDED UINT8_MAX /* key_len: the keyword was looked at */

static const struct {
	const char *word;
	enum smtp_offer offer;
} offers[] = {
	{"XCLIENT", SMTP_OFFER_XCLIENT},
	{"XFORWARD", SMTP_OFFER_XFORWARD},
	{"STARTTLS", SMTP_OFFER_STARTTLS},
	{"AUTH", SMTP_OFFER_AUTH},
	{"SMTPUTF8", SMTP_OFFER_SMTPUTF8},
	{"DSN", SMTP_OFFER_DSN},
};

void smtp_reply_init(struct smtp_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static void put_text(struct smtp_reply *reply, unsigned char c)
{
	if (c == '\r' || reply->text_len >= sizeof(reply->text) - 1)
		return;
	if (c == '\t')
		c = ' ';
	reply->text[reply->text_len++] = c < ' ' || c > '~' ? '?' : (char)c;
}

/* The keyword of an EHLO line, up to its parameters; "AUTH=" is an old way to write "AUTH ". */
static void put_key(struct smtp_reply *reply, unsigned char c)
{
	if (reply->key_len == KEY_ENDED)
		return;
	if (c == ' ' || c == '=' || c == '\t' || c == '\r' || c == '\n') {
		if (reply->key_len == 0 && c != '\n')
			return;
		reply->key[reply->key_len] = '\0';
		for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
			if (strcasecmp(reply->key, offers[i].word) == 0)
				reply->offers |= offers[i].offer;
		reply->key_len = KEY_ENDED;
		return;
	}
	if (reply->key_len == sizeof(reply->key) - 1)
		reply->key_len = KEY_ENDED; /* longer than any of ours */
	else
		reply->key[reply->key_len++] = (char)c;
}

size_t smtp_reply_enhanced(const char *text, unsigned code)
{
	unsigned dots = 0, digits = 0, len;

	if (text[0] != (char)('0' + code / 100) || text[0] == '3' || text[1] != '.')
		return 0;
	for (len = 1; text[len] && text[len] != ' '; len++) {
		if (text[len] == '.') {
			if (++dots > 2 || (dots == 2 && digits == 0))
				return 0;
			digits = 0;
		} else if (!is_digit((unsigned char)text[len]) || ++digits > 3) {
			return 0;
		}
	}
	return dots == 2 && digits > 0 ? len : 0;
}

static void end_line(struct smtp_reply *reply)
{
	if (reply->code < reply->digits)
		reply->code = reply->digits;
	if (reply->line == 0)
		memcpy(reply->enhanced, reply->text, smtp_reply_enhanced(reply->text, reply->code));
	else
		put_key(reply, '\n');
	if (reply->last)
		reply->status = SMTP_REPLY_DONE;
	if (reply->line < UINT8_MAX)
		reply->line++;
	reply->at = 0;
	reply->digits = 0;
	reply->key_len = 0;
}

/* False: no reply has this byte here. */
static bool take_byte(struct smtp_reply *reply, unsigned char c)
{
	if (reply->at < AT_SEPARATOR) {
		if (!is_digit(c) || (reply->at == 0 && (c < '2' || c > '5')))
			return false;
		reply->digits = (uint16_t)(reply->digits * 10 + (c - '0'));
		reply->at++;
		return true;
	}
	if (reply->at == AT_SEPARATOR) {
		if (c != '-' && c != ' ' && c != '\r' && c != '\n')
			return false;
		reply->last = c != '-';
		reply->at = AT_TEXT;
		if (c != '\n')
			return true;
	}
	if (c == '\n')
		end_line(reply);
	else if (reply->line == 0)
		put_text(reply, c);
	else
		put_key(reply, c);
	return true;
}

/* Keeps what stands there instead of a reply: "SSH-2.0-..." tells the operator all. */
static void keep_wrong(struct smtp_reply *reply, const unsigned char *bytes, size_t len)
{
	if (reply->line > 0)
		return;
	for (size_t i = 0; i < len && bytes[i] != '\n'; i++)
		put_text(reply, bytes[i]);
}

enum smtp_reply_status smtp_reply_line(const char *line, size_t len, unsigned *code)
{
	*code = 0;
	if (len < AT_SEPARATOR || line[0] < '2' || line[0] > '5' ||
		!is_digit((unsigned char)line[1]) || !is_digit((unsigned char)line[2]))
		return SMTP_REPLY_MALFORMED;
	*code = 100u * (unsigned)(line[0] - '0') + 10u * (unsigned)(line[1] - '0') +
		(unsigned)(line[2] - '0');
	if (len == AT_SEPARATOR || line[AT_SEPARATOR] == ' ')
		return SMTP_REPLY_DONE;
	return line[AT_SEPARATOR] == '-' ? SMTP_REPLY_MORE : SMTP_REPLY_MALFORMED;
}

enum smtp_reply_status smtp_reply_feed(
	struct smtp_reply *reply, const void *bytes, size_t len, size_t *used)
{
	const unsigned char *p = bytes;
	size_t i = 0;

	while (reply->status == SMTP_REPLY_MORE && i < len) {
		if (reply->bytes == SMTP_REPLY_BYTES_MAX) {
			reply->status = SMTP_REPLY_TOO_LONG;
		} else if (!take_byte(reply, p[i])) {
			reply->status = SMTP_REPLY_MALFORMED;
			keep_wrong(reply, p + i, len - i);
		} else {
			reply->bytes++;
			i++;
		}
	}
	*used = i;
	return reply->status;
}

const char *smtp_reply_words(const struct smtp_reply *reply, char buf[static SMTP_REPLY_WORDS_SIZE])
{
	if (reply->code == 0)
		snprintf(buf, SMTP_REPLY_WORDS_SIZE, "%s", reply->text);
	else
		snprintf(buf, SMTP_REPLY_WORDS_SIZE, "%u%s%s", reply->code % 1000u,
			reply->text_len ? " " : "", reply->text);
	return buf;
}

/* The bytes of the character at p, 0 if it is no UTF-8 (RFC 3629). p ends with a NUL. */
static unsigned character_bytes(const unsigned char *p)
{
	unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] > 0xf4)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(const unsigned char *p)
{
	return p[0] < ' ' || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

/* Copies whole characters of text into room bytes. Returns how many bytes. */
static size_t put_characters(char *out, size_t room, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = 0;

	while (*p) {
		unsigned n = character_bytes(p);
		if (n > 0 && is_control(p)) {
			p += n;
			continue;
		}
		if (len + (n ? n : 1) > room)
			break;
		if (n == 0)
			out[len++] = '?';
		for (unsigned i = 0; i < n; i++)
			out[len++] = (char)p[i];
		p += n ? n : 1;
	}
	return len;
}

size_t smtp_reply_format(char buf[static SMTP_LINE_SIZE], unsigned code, const char *enhanced,
	const char *gateway, const char *text, uint64_t flow)
{
	char id[FLOWID_TEXT_SIZE];
	struct words line = {buf, SMTP_LINE_SIZE - 1, 0};
	size_t id_len = strlen(flowid_format(flow, id)), tail_len = id_len + sizeof(" []\r\n") - 1;

	words_put_number(&line, code % 1000, 3);
	words_put(&line, " ");
	if (enhanced && *enhanced) {
		words_put_bytes(&line, enhanced, strnlen(enhanced, SMTP_ENHANCED_SIZE - 1));
		words_put(&line, " ");
	}
	line.len += put_characters(buf + line.len, 255, gateway);
	if (*text)
		words_put(&line, " ");
	line.len += put_characters(buf + line.len, line.size - tail_len - line.len, text);
	words_put(&line, " [");
	words_put_bytes(&line, id, id_len);
	words_put(&line, "]\r\n");
	buf[line.len] = '\0';
	return line.len;
}
