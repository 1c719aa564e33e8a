/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/texts.h"

#include "lib/base/text.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PLACE "{}"

static const char *const keys[PORTAL_TEXTS] = {
#define PORTAL_TEXT_KEY(id, key, text) key,
	PORTAL_TEXT_TABLE(PORTAL_TEXT_KEY)
#undef PORTAL_TEXT_KEY
};

static const struct portal_piece english[PORTAL_TEXTS] = {
#define PORTAL_TEXT_PIECE(id, key, text) {text, sizeof(text) - 1},
	PORTAL_TEXT_TABLE(PORTAL_TEXT_PIECE)
#undef PORTAL_TEXT_PIECE
};

void portal_texts_init(struct portal_texts *texts)
{
	memcpy(texts->v, english, sizeof(english));
}

/* The places for a value in a text. */
static unsigned places(const char *text, size_t len)
{
	const char *end = text + len;
	unsigned n = 0;

	while ((text = memmem(text, (size_t)(end - text), PLACE, 2))) {
		text += 2;
		n++;
	}
	return n;
}

static int say(char error[static PORTAL_ERROR_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int say(char error[static PORTAL_ERROR_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, PORTAL_ERROR_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

static int say_unknown(char error[static PORTAL_ERROR_SIZE], const char *key, size_t len)
{
	char whole[TEXT_CUT_SIZE], cut[TEXT_CUT_SIZE];
	size_t n = len < sizeof(whole) - 1 ? len : sizeof(whole) - 1;

	memcpy(whole, key, n);
	whole[n] = '\0';
	text_blank(whole);
	const char *near = language_near(whole, keys, PORTAL_TEXTS);
	snprintf(error, PORTAL_ERROR_SIZE, "no such key \"%s\"%s%s%s", text_cut(whole, cut),
		near ? ", perhaps \"" : ", expected one of those in postern-portal(7)",
		near ? near : "", near ? "\"" : "");
	return -EINVAL;
}

/* As RFC 5646 has its tags, without looking whether there is such a language. */
static bool is_language(const char *text, size_t len)
{
	if (len == 0 || len > 35 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char lower = (char)(text[i] | 0x20);
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (!(lower >= 'a' && lower <= 'z') && !digit && text[i] != '-')
			return false;
	}
	return true;
}

static int judge(size_t i, const char *text, size_t len, char error[static PORTAL_ERROR_SIZE])
{
	unsigned expected = places(english[i].text, english[i].len);

	if (len == 0)
		return say(error, "key \"%s\" without a text, expected its text behind a blank",
			keys[i]);
	if (len > PORTAL_TEXT_MAX)
		return say(error, "the text of \"%s\" is too long, expected at most 1000 bytes",
			keys[i]);
	for (size_t at = 0, n; at < len; at += n)
		if ((n = text_shown(text + at, len - at)) == 0)
			return say(error,
				"the text of \"%s\" has bytes that are not UTF-8 or control "
				"characters",
				keys[i]);
	if (i == PORTAL_TEXT_LANGUAGE && !is_language(text, len))
		return say(error, "\"%s\" is a tag such as de, en-GB or zh-Hant", keys[i]);
	if (places(text, len) != expected)
		return say(error,
			expected ? "in the text of \"%s\" {} has to stand once: for the number or "
				   "time"
				 : "in the text of \"%s\" nothing is put in: {} has no meaning "
				   "there",
			keys[i]);
	return 0;
}

/* len > 0. seen: which keys there were before. */
static int take(const char *text, size_t len, struct portal_texts *texts, bool *seen,
	char error[static PORTAL_ERROR_SIZE])
{
	size_t key_len = 0, i = 0;

	while (key_len < len && text[key_len] != ' ' && text[key_len] != '\t')
		key_len++;
	while (i < PORTAL_TEXTS &&
		!(strlen(keys[i]) == key_len && memcmp(keys[i], text, key_len) == 0))
		i++;
	if (i == PORTAL_TEXTS)
		return say_unknown(error, text, key_len);
	if (seen[i])
		return say(error, "key \"%s\" twice", keys[i]);
	text += key_len;
	len -= key_len;
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	if (judge(i, text, len, error) < 0)
		return -EINVAL;
	seen[i] = true;
	texts->v[i] = (struct portal_piece){text, (uint32_t)len};
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int portal_texts_parse(const char *bytes, size_t len, struct portal_texts *texts,
	char error[static PORTAL_ERROR_SIZE], size_t *line)
{
	bool seen[PORTAL_TEXTS] = {false};
	const char *end = bytes + len;

	*line = 0;
	portal_texts_init(texts);
	if (len > PORTAL_TEXTS_FILE_MAX)
		return say(error, "the file is too long, expected at most 64 KiB");
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3; /* as some editors begin UTF-8 */
	while (bytes < end) {
		const char *next = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *behind = next ? next : end;
		const char *from = bytes;
		++*line;
		bytes = next ? next + 1 : end;
		while (from < behind && is_blank(*from))
			from++;
		while (behind > from && is_blank(behind[-1]))
			behind--;
		if (from < behind && *from != '#' &&
			take(from, (size_t)(behind - from), texts, seen, error) < 0)
			return -EINVAL;
	}
	*line = 0;
	return 0;
}

bool portal_texts_turned(const struct portal_texts *texts)
{
	static const char *const turned[] = {"ar", "he", "fa", "ur", "ps", "yi", "ckb", "dv", "sd"};
	const struct portal_piece *tag = &texts->v[PORTAL_TEXT_LANGUAGE];
	size_t len = 0;

	while (len < tag->len && tag->text[len] != '-')
		len++;
	for (size_t i = 0; i < sizeof(turned) / sizeof(*turned); i++)
		if (strlen(turned[i]) == len && strncasecmp(turned[i], tag->text, len) == 0)
			return true;
	return false;
}
