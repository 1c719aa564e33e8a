/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/login.h"

#include "lib/base/base64.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum smtp_login_mechanism mechanism;
} words[] = {
	{"PLAIN", SMTP_LOGIN_PLAIN},
	{"LOGIN", SMTP_LOGIN_LOGIN},
};

unsigned smtp_login_offered(const char *text, size_t len)
{
	unsigned offered = 0;

	for (size_t at = 0, end; at < len; at = end + 1) {
		for (end = at; end < len && text[end] != ' ';)
			end++;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i].word) == end - at &&
				strncasecmp(text + at, words[i].word, end - at) == 0)
				offered |= words[i].mechanism;
	}
	return offered;
}

static bool is_sayable(const char *text, size_t len, size_t max)
{
	return len > 0 && len <= max && !memchr(text, '\0', len);
}

static size_t put(char *out, const char *before, const void *bytes, size_t len)
{
	size_t at = strlen(before);

	memcpy(out, before, at);
	at += base64_encode(bytes, len, out + at);
	memcpy(out + at, "\r\n", 2);
	return at + 2;
}

/* Nobody else is asked for: the first of its three parts is empty. */
static size_t answer_of(
	const struct smtp_login *login, char out[SMTP_LOGIN_USER_MAX + SMTP_LOGIN_SECRET_MAX + 2])
{
	out[0] = out[1 + login->user_len] = '\0';
	memcpy(out + 1, login->user, login->user_len);
	memcpy(out + 2 + login->user_len, login->secret, login->secret_len);
	return 2 + login->user_len + login->secret_len;
}

static size_t say_plain(const struct smtp_login *login, char out[static SMTP_LOGIN_LINE_MAX])
{
	char answer[SMTP_LOGIN_USER_MAX + SMTP_LOGIN_SECRET_MAX + 2];
	size_t len = put(out, "AUTH PLAIN ", answer, answer_of(login, answer));

	explicit_bzero(answer, sizeof(answer));
	return len;
}

size_t smtp_login_line(const struct smtp_login *login, unsigned mechanisms, unsigned step,
	char out[static SMTP_LOGIN_LINE_MAX], bool *last)
{
	bool plain = mechanisms & SMTP_LOGIN_PLAIN;

	*last = plain || step >= 2;
	if (!mechanisms || step > (plain ? 0 : 2) ||
		!is_sayable(login->user, login->user_len, SMTP_LOGIN_USER_MAX) ||
		!is_sayable(login->secret, login->secret_len, SMTP_LOGIN_SECRET_MAX))
		return 0;
	if (plain)
		return say_plain(login, out);
	if (step == 0)
		return (size_t)snprintf(out, SMTP_LOGIN_LINE_MAX, "AUTH LOGIN\r\n");
	return step == 1 ? put(out, "", login->user, login->user_len)
			 : put(out, "", login->secret, login->secret_len);
}

/* Shorter parts of it are found in any words. */
#define TELLS_BYTES 8

static bool has_part(const char *text, const char *whole, size_t len)
{
	size_t part = len < TELLS_BYTES ? len : TELLS_BYTES;

	for (size_t i = 0; part > 0 && i + part <= len; i++)
		if (memmem(text, strlen(text), whole + i, part))
			return true;
	return false;
}

bool smtp_login_tells(const struct smtp_login *login, const char *text)
{
	char line[SMTP_LOGIN_LINE_MAX];
	bool last, tells = has_part(text, login->secret, login->secret_len);
	size_t plain = smtp_login_line(login, SMTP_LOGIN_PLAIN, 0, line, &last);

	/* behind the verb, and without CR LF, which the text has not */
	if (plain > 13)
		tells = tells || has_part(text, line + 11, plain - 13);
	size_t third = smtp_login_line(login, SMTP_LOGIN_LOGIN, 2, line, &last);
	if (third > 2)
		tells = tells || has_part(text, line, third - 2);
	explicit_bzero(line, sizeof(line));
	return tells;
}
