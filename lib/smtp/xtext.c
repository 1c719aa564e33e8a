/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/xtext.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

/* Upper case alone (RFC 3461 4). Returns -1 for no digit. */
static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* printable ASCII but the space, and '+' and '=' */
static bool is_plain(char c)
{
	return c > ' ' && c <= '~' && c != '+' && c != '=';
}

bool smtp_xtext_is_good(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_plain(text[i]))
			continue;
		if (text[i] != '+' || len - i < 3)
			return false;
		int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
		if (high < 2 || low < 0 || (high == 7 && low == 15))
			return false;
		i += 2;
	}
	return len > 0;
}

/* What may stand in "\x{...}": what cannot stand for itself, and is no control. */
static bool is_point(unsigned long point)
{
	return point == ' ' || point == '+' || point == '=' || point == '\\' ||
	       (point >= 0xa0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff));
}

/* "\x{20AC}": its length; 0: it is none. */
static size_t find_embedded(const char *text, size_t len)
{
	unsigned long point = 0;
	size_t i = 3;
	int digit;

	if (len < 6 || memcmp(text, "\\x{", 3) != 0)
		return 0;
	for (; i < len && i < 9 && (digit = hex_digit(text[i])) >= 0; i++)
		point = point * 16 + (unsigned)digit;
	bool whole = i >= 5 && i < len && text[i] == '}' && (text[3] != '0');
	return whole && is_point(point) ? i + 1 : 0;
}

bool smtp_xtext_is_address(const char *text, size_t len, bool raw)
{
	for (size_t i = 0, n; i < len; i += n) {
		if (text[i] == '\\')
			n = find_embedded(text + i, len - i);
		else if ((unsigned char)text[i] >= 0x80)
			n = raw ? text_shown(text + i, len - i) : 0;
		else
			n = is_plain(text[i]);
		if (n == 0)
			return false;
	}
	return len > 0;
}

/* Of a character of n bytes, which is one. */
static unsigned long point_of(const char *character, size_t n)
{
	unsigned long point = (unsigned char)character[0] & (n == 1 ? 0x7f : 0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		point = point << 6 | ((unsigned char)character[i] & 0x3f);
	return point;
}

size_t smtp_xtext_encode_address(const char *text, size_t len, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0, n; i < len; i += n) {
		char embedded[16];
		int bytes = 1;
		n = text_character(text + i, len - i);
		if (n == 0)
			return 0;
		if (n == 1)
			embedded[0] = text[i];
		else
			bytes = snprintf(
				embedded, sizeof(embedded), "\\x{%02lX}", point_of(text + i, n));
		if ((size_t)bytes > room - used)
			return 0;
		memcpy(out + used, embedded, (size_t)bytes);
		used += (size_t)bytes;
	}
	return used;
}
