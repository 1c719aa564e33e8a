/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t len, char *out)
{
	const unsigned char *p = bytes;
	char *at = out;

	for (size_t i = 0; i < len; i += 3) {
		unsigned b = i + 1 < len ? p[i + 1] : 0, c = i + 2 < len ? p[i + 2] : 0;
		unsigned group = (unsigned)p[i] << 16 | b << 8 | c;
		*at++ = letters[group >> 18];
		*at++ = letters[group >> 12 & 63];
		*at++ = i + 1 < len ? letters[group >> 6 & 63] : '=';
		*at++ = i + 2 < len ? letters[group & 63] : '=';
	}
	return (size_t)(at - out);
}

static int value_of(char c)
{
	const char *at = c ? strchr(letters, c) : NULL;
	return at ? (int)(at - letters) : -1;
}

/* How many bytes the four letters say, or -EBADMSG. */
static int decode_group(const char *text, uint8_t out[static 3])
{
	int n = text[3] != '=' ? 3 : text[2] != '=' ? 2 : 1;
	uint32_t group = 0;

	for (int i = 0; i < 4; i++) {
		int value = i > n ? 0 : value_of(text[i]);
		if (value < 0)
			return -EBADMSG;
		group = group << 6 | (uint32_t)value;
	}
	for (int i = 0; i < 3; i++)
		out[i] = (uint8_t)(group >> (16 - 8 * i));
	return (n < 3 && out[n] != 0) ? -EBADMSG : n;
}

long base64_decode(const char *text, size_t len, void *out)
{
	uint8_t *at = out;

	if (len % 4 != 0)
		return -EBADMSG;
	for (size_t i = 0; i < len; i += 4) {
		uint8_t group[3];
		int n = decode_group(text + i, group);
		if (n < 0 || (n < 3 && i + 4 < len))
			return -EBADMSG;
		memcpy(at, group, (size_t)n);
		at += n;
		explicit_bzero(group, sizeof(group));
	}
	return at - (uint8_t *)out;
}
