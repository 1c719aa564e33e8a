/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_text.h"

#include <string.h>

size_t smtp_text_end(const char *bytes, size_t len)
{
	if (len >= 3 && memcmp(bytes, ".\r\n", 3) == 0)
		return 3;
	const char *end = memmem(bytes, len, "\r\n.\r\n", 5);
	return end ? (size_t)(end - bytes) + 5 : 0;
}

bool smtp_text_of(const char *bytes, size_t len, bool repair, char *text, size_t *text_len)
{
	const char *end = bytes + len;

	*text_len = 0;
	if (memchr(bytes, '\0', len))
		return false;
	for (const char *line = bytes, *lf; line < end; line = lf + 1) {
		lf = memchr(line, '\n', (size_t)(end - line));
		if (!lf)
			return false;
		size_t n = (size_t)(lf - line);
		bool cr = n > 0 && line[n - 1] == '\r';
		n -= cr;
		if ((!cr && !repair) || memchr(line, '\r', n))
			return false;
		bool stuffed = n > 1 && line[0] == '.';
		memcpy(text + *text_len, line + stuffed, n - stuffed);
		*text_len += n - stuffed;
		memcpy(text + *text_len, "\r\n", 2);
		*text_len += 2;
	}
	return true;
}

bool smtp_text_stored(const char *bytes, size_t len, char *text, size_t *text_len)
{
	bool begins = true;

	*text_len = 0;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\0' || bytes[i] == '\n')
			return false;
		if (begins && bytes[i] == '.' && (++i == len || bytes[i] != '.'))
			return false;
		begins = false;
		text[(*text_len)++] = bytes[i];
		if (bytes[i] != '\r')
			continue;
		if (++i == len || bytes[i] != '\n')
			return false;
		text[(*text_len)++] = '\n';
		begins = true;
	}
	return begins;
}
