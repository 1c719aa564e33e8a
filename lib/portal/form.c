/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/form.h"

#include "lib/base/text.h"
#include "lib/portal/files.h"

#include <errno.h>
#include <string.h>

/* Takes %XX and '+' apart, where they stand: what comes out is never longer. -1: a bad %XX. */
static long decode(char *text, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < len ? text_hex_digit(text[i + 1]) : -1;
			int low = i + 2 < len ? text_hex_digit(text[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		text[out++] = c;
	}
	return (long)out;
}

static bool is_text(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = text_character(text, len);
		if (n == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static const char *trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text + strspn(text, " ");
}

static bool is_version(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");

	return digits == PORTAL_VERSION_SIZE - 1 && !text[digits];
}

static bool is_word(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

/* One "NAME=VALUE" of len bytes; its end may be written. */
static int take(char *pair, size_t len, struct portal_form *form)
{
	char *equals = memchr(pair, '=', len);
	char *value = equals ? equals + 1 : pair + len;
	long name_len = decode(pair, equals ? (size_t)(equals - pair) : len);
	long value_len = decode(value, len - (size_t)(value - pair));

	if (name_len < 0 || value_len < 0)
		return -EINVAL;
	const char **field = is_word(pair, (size_t)name_len, "user")       ? &form->user
			     : is_word(pair, (size_t)name_len, "password") ? &form->password
			     : is_word(pair, (size_t)name_len, "token")    ? &form->token
			     : is_word(pair, (size_t)name_len, "terms")    ? &form->terms
									   : NULL;
	if (is_word(pair, (size_t)name_len, "accept")) {
		if (form->accept)
			return -EINVAL;
		form->accept = true;
	}
	if (!field)
		return 0;
	if (*field || value_len > PORTAL_FIELD_MAX || !is_text(value, (size_t)value_len))
		return -EINVAL;
	value[value_len] = '\0';
	*field = value;
	return 0;
}

int portal_form_parse(char *body, size_t len, struct portal_form *form)
{
	*form = (struct portal_form){0};
	if (len > PORTAL_BODY_MAX)
		return -EINVAL;
	body[len] = '\0';
	for (size_t at = 0; at < len;) {
		const char *end = memchr(body + at, '&', len - at);
		size_t n = end ? (size_t)(end - body) - at : len - at;
		if (take(body + at, n, form) < 0)
			return -EINVAL;
		at += n + 1;
	}
	/* without a length of its own, it is trimmed through the body that it stands in */
	form->user = form->user ? trim(body + (form->user - body)) : "";
	form->password = form->password ? form->password : "";
	form->token = form->token ? form->token : "";
	form->terms = form->terms ? form->terms : "";
	return !*form->terms || is_version(form->terms) ? 0 : -EINVAL;
}
