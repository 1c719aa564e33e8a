/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/stuff.h"

#include <string.h>

/* How many of the bytes go as they are: up to behind a line's end, or all. */
static size_t find_line(enum smtp_stuff *at, const char *p, size_t len)
{
	const char *cr = memchr(p, '\r', len);
	size_t n = cr ? (size_t)(cr - p) : len;

	if (memchr(p, '\n', n) || memchr(p, '\0', n)) {
		*at = SMTP_STUFF_BAD;
		return 0;
	}
	*at = cr ? SMTP_STUFF_CR : SMTP_STUFF_MIDDLE;
	return cr ? n + 1 : n;
}

/* Behind a CR there is one byte that may follow. */
static size_t find_lf(enum smtp_stuff *at, const char *p)
{
	*at = *p == '\n' ? SMTP_STUFF_LINE : SMTP_STUFF_BAD;
	return *p == '\n';
}

size_t smtp_stuff(
	enum smtp_stuff *at, const char *bytes, size_t len, char *out, size_t room, size_t *written)
{
	size_t used = 0, n = 0;

	while (used < len && room > n && *at != SMTP_STUFF_BAD) {
		size_t left = len - used < room - n ? len - used : room - n;
		if (*at == SMTP_STUFF_LINE && bytes[used] == '.') {
			if (room - n < 2)
				break;
			out[n++] = '.';
			left = 1;
		}
		size_t fits = *at == SMTP_STUFF_CR ? find_lf(at, bytes + used)
						   : find_line(at, bytes + used, left);
		memcpy(out + n, bytes + used, fits);
		used += fits;
		n += fits;
	}
	*written = n;
	return used;
}
