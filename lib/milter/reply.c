/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/reply.h"

#include <stdio.h>
#include <string.h>

struct words {
	char *out;
	size_t len;
};

/* What does not fit is cut. */
static void put(struct words *words, char c)
{
	if (words->len < MILTER_WORDS_SIZE - 1)
		words->out[words->len++] = c;
}

/* False: a control byte. */
static bool put_text(struct words *words, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '%') {
			if (++i == len)
				break;
			c = (unsigned char)text[i];
		}
		if (c == '\t')
			c = ' ';
		if (c < ' ' || c == 0x7f)
			return false;
		put(words, (char)c);
	}
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Looks like an enhanced code of whatever class. */
static bool seems_enhanced(const char *text, size_t len)
{
	return len >= 5 && is_digit(text[0]) && text[1] == '.' && is_digit(text[2]) &&
	       (text[3] == '.' || is_digit(text[3]));
}

/* The enhanced code at the begin of a line, and the blank behind it. *used: both. */
static const char *take_enhanced(
	struct milter_reply *reply, const char *text, size_t len, size_t *used)
{
	char start[SMTP_ENHANCED_SIZE];
	size_t n = len < sizeof(start) - 1 ? len : sizeof(start) - 1;

	*used = 0;
	memcpy(start, text, n);
	start[n] = '\0';
	size_t enhanced = smtp_reply_enhanced(start, reply->code);
	if (enhanced == 0)
		return seems_enhanced(text, len) ? "an enhanced code of the reply's class" : NULL;
	if (!reply->enhanced[0]) {
		memcpy(reply->enhanced, start, enhanced);
		reply->enhanced[enhanced] = '\0';
	}
	*used = enhanced + (enhanced < len && text[enhanced] == ' ');
	return NULL;
}

static const char *take_line(
	struct milter_reply *reply, struct words *words, const char *line, size_t len, bool last)
{
	size_t used;

	if (len < 3 || (line[0] != '4' && line[0] != '5') || !is_digit(line[1]) ||
		!is_digit(line[2]))
		return "a code of 4 or 5 and two digits";
	uint16_t code = (uint16_t)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
	if (reply->code && code != reply->code)
		return "one code in all lines";
	reply->code = code;
	if (len > 3 ? line[3] != (last ? ' ' : '-') : !last)
		return last ? "a blank behind the last line's code" : "'-' behind a line's code";
	if (len <= 4)
		return NULL;
	line += 4;
	len -= 4;
	const char *wrong = take_enhanced(reply, line, len, &used);
	if (wrong)
		return wrong;
	if (words->len > 0 && len > used) {
		put(words, ' ');
		put(words, '/');
		put(words, ' ');
	}
	return put_text(words, line + used, len - used) ? NULL : "no control bytes";
}

const char *milter_reply_parse(const char *text, struct milter_reply *reply)
{
	struct words words = {.out = reply->words};
	const char *wrong = NULL;

	reply->code = 0;
	reply->enhanced[0] = '\0';
	for (bool last = false; !last && !wrong; text += strcspn(text, "\n") + 1) {
		size_t len = strcspn(text, "\n");
		const char *next = text + len;
		/* a line end behind the last line is none */
		last = !*next || !next[1];
		if (*next && len > 0 && text[len - 1] == '\r')
			len--;
		wrong = take_line(reply, &words, text, len, last);
		if (last)
			break;
	}
	reply->words[words.len] = '\0';
	if (!wrong && !reply->enhanced[0])
		snprintf(reply->enhanced, sizeof(reply->enhanced), "%u.7.1", reply->code / 100u);
	if (!wrong && !reply->words[0])
		snprintf(reply->words, sizeof(reply->words), "refused by a filter");
	return wrong;
}
