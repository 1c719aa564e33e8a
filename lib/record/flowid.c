/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/flowid.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

const char *flowid_format(uint64_t id, char buf[static FLOWID_TEXT_SIZE])
{
	char *p = buf;
	int shift = 60;

	*p++ = 'f';
	*p++ = '-';
	while (shift > 0 && id >> shift == 0)
		shift -= 5;
	for (; shift >= 0; shift -= 5)
		*p++ = digits[id >> shift & 31];
	*p = '\0';
	return buf;
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (c == 'i' || c == 'l')
		c = '1';
	if (c == 'o')
		c = '0';
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

int flowid_parse(const char *text, size_t len, uint64_t *id)
{
	uint64_t value = 0;

	if (len >= 2 && (text[0] == 'f' || text[0] == 'F') && text[1] == '-') {
		text += 2;
		len -= 2;
	}
	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_value(text[i]);
		if (digit < 0 || value >> 59)
			return -EINVAL;
		value = value << 5 | (unsigned)digit;
	}
	*id = value;
	return 0;
}
