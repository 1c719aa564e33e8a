/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a text that is put together piece by piece, without a format: of what is said for each
 * message, printf would take the greater part. */
#ifndef POSTERN_LIB_BASE_WORDS_H
#define POSTERN_LIB_BASE_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Begins as {text, size, 0}; what has no room is cut. No NUL stands behind it. */
struct words {
	char *text;
	size_t size, len;
};

static inline void words_put_bytes(struct words *words, const char *bytes, size_t len)
{
	size_t room = words->size - words->len;

	len = len < room ? len : room;
	memcpy(words->text + words->len, bytes, len);
	words->len += len;
}

static inline void words_put(struct words *words, const char *text)
{
	words_put_bytes(words, text, strlen(text));
}

/* In decimal digits, `digits` of them at least. */
static inline void words_put_number(struct words *words, uint64_t number, unsigned digits)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0 || sizeof(text) - at < digits);
	words_put_bytes(words, text + at, sizeof(text) - at);
}

#endif
