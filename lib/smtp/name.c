/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/name.h"

size_t smtp_name_parse(const char *bytes, size_t len, char name[static SMTP_NAME_SIZE])
{
	name[0] = '\0';
	if (len > 1 && bytes[len - 1] == '.')
		len--;
	if (len >= SMTP_NAME_SIZE)
		return 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c <= ' ' || c == 0x7f) {
			name[0] = '\0';
			return 0;
		}
		name[i] = c > 0x7f ? '?' : (char)c;
	}
	name[len] = '\0';
	return len;
}
