/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/markup.h"

#include "lib/base/text.h"

#include <string.h>

static void put(struct markup *markup, const char *bytes, size_t len)
{
	size_t room = markup->bytes && markup->len < markup->size ? markup->size - markup->len : 0;

	if (len > 0 && room > 0)
		memcpy(markup->bytes + markup->len, bytes, len < room ? len : room);
	markup->len += len;
}

void markup_put(struct markup *markup, const char *html)
{
	put(markup, html, strlen(html));
}

/* NULL: it stands for itself. */
static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void markup_put_text(struct markup *markup, const char *text, size_t len)
{
	while (len > 0) {
		size_t n = text_shown(text, len);
		const char *instead = n == 0 ? "?" : entity(*text);
		if (instead)
			markup_put(markup, instead);
		else
			put(markup, text, n);
		n = n ? n : 1;
		text += n;
		len -= n;
	}
}

void markup_put_string(struct markup *markup, const char *text)
{
	markup_put_text(markup, text, strlen(text));
}

void markup_put_number(struct markup *markup, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(markup, digits + at, sizeof(digits) - at);
}
