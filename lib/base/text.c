/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/text.h"

#include <stdint.h>
#include <string.h>

/* How long a character is that begins so; 0: none does. */
static size_t expected(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/* 0: there is no whole character. */
static size_t decode(const unsigned char *p, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = len ? expected(p[0]) : 0;

	if (n == 0 || n > len)
		return 0;
	*code = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	bool surrogate = *code >= 0xd800 && *code < 0xe000;
	return *code < least[n] || *code > 0x10ffff || surrogate ? 0 : n;
}

static size_t no_control(const char *text, size_t len, uint32_t *code)
{
	size_t n = decode((const unsigned char *)text, len, code);
	return n == 0 || *code < 0x20 || (*code >= 0x7f && *code < 0xa0) ? 0 : n;
}

size_t text_character(const char *text, size_t len)
{
	uint32_t code;
	return no_control(text, len, &code);
}

size_t text_shown(const char *text, size_t len)
{
	uint32_t code;
	size_t n = no_control(text, len, &code);

	if (n < 2)
		return n;
	bool line_end = code == 0x2028 || code == 0x2029;
	bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
		     code == 0x200e || code == 0x200f || code == 0x61c;
	return line_end || turns ? 0 : n;
}

void text_blank(char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		size_t n = text_shown(text, left);
		if (n == 0) {
			*text = '?';
			n = 1;
		}
		text += n;
		left -= n;
	}
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

const char *text_cut(const char *text, char buf[static TEXT_CUT_SIZE])
{
	size_t len = strnlen(text, TEXT_CUT_SIZE), n = len;

	if (len == TEXT_CUT_SIZE) {
		n = TEXT_CUT_SIZE - sizeof("...");
		/* half a character is none */
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(buf, text, n);
	strcpy(buf + n, len == TEXT_CUT_SIZE ? "..." : "");
	return buf;
}

/* May more bytes make a character of these? */
static bool is_begun(const char *text, size_t len)
{
	if (expected((unsigned char)text[0]) <= len)
		return false;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return false;
	return true;
}

static size_t put_byte(unsigned char byte, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const char escaped[] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};

	if (byte == '\n' || byte == '\t') {
		*out = (char)byte;
		return 1;
	}
	memcpy(out, escaped, sizeof(escaped));
	return sizeof(escaped);
}

/* One character or byte; *used: how many bytes of text it was. */
static size_t put(const char *text, size_t len, char *out, size_t *used)
{
	*used = text_shown(text, len);
	if (*used == 0) {
		*used = 1;
		return put_byte((unsigned char)*text, out);
	}
	memcpy(out, text, *used);
	return *used;
}

/* The held bytes, with those that follow as far as they belong to them. */
static size_t put_held(struct text_pieces *pieces, char *out)
{
	size_t used, written = put(pieces->held, pieces->n, out, &used);

	pieces->n -= used;
	memmove(pieces->held, pieces->held + used, pieces->n);
	return written;
}

size_t text_escape(struct text_pieces *pieces, const char *text, size_t len, char *out)
{
	size_t written = 0, at = 0;

	if (len == 0)
		while (pieces->n > 0)
			written += put_held(pieces, out + written);
	while (pieces->n > 0 && at < len) {
		if (is_begun(pieces->held, pieces->n))
			pieces->held[pieces->n++] = text[at++];
		while (pieces->n > 0 && !is_begun(pieces->held, pieces->n))
			written += put_held(pieces, out + written);
	}
	while (at < len) {
		if (is_begun(text + at, len - at)) {
			pieces->n = len - at;
			memcpy(pieces->held, text + at, pieces->n);
			break;
		}
		size_t used;
		written += put(text + at, len - at, out + written, &used);
		at += used;
	}
	return written;
}
