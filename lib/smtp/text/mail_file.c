/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/mail_file.h"

#include "lib/base/text.h"
#include "lib/smtp/text/body.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 40 /* bytes of a line that is shown */

/* "NAME:", perhaps with blanks before the colon (RFC 5322 2.2, 4.5). */
static bool begins_with_field(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] > ' ' && bytes[n] <= '~' && bytes[n] != ':')
		n++;
	const size_t name = n;
	while (n < len && (bytes[n] == ' ' || bytes[n] == '\t'))
		n++;
	return name > 0 && n < len && bytes[n] == ':';
}

static void say_no_field(const char *bytes, size_t len, char wrong[static MAIL_FILE_WRONG_SIZE])
{
	char shown[SHOWN_MAX + 1];
	size_t n = 0;

	for (; n < SHOWN_MAX && n < len && bytes[n] != '\n' && bytes[n] != '\r'; n++)
		shown[n] = bytes[n] ? bytes[n] : '?';
	shown[n] = '\0';
	text_blank(shown);
	snprintf(wrong, MAIL_FILE_WRONG_SIZE,
		"line 1, \"%s\", is no header field; expected NAME: VALUE%s", shown,
		strncmp(shown, "From ", 5) == 0 ? ", without the line that a mailbox has before"
						: ", as a mail begins");
}

static void say_bad(const struct smtp_body *body, char wrong[static MAIL_FILE_WRONG_SIZE])
{
	snprintf(wrong, MAIL_FILE_WRONG_SIZE,
		"line %llu has a %s, which no mail has; expected text whose lines end with LF or "
		"CR LF",
		(unsigned long long)body->lines + 1,
		body->bad & SMTP_BODY_NUL ? "NUL" : "CR without its LF");
}

/* Wants all of the bytes read, which are at most one line. */
static bool feed(struct smtp_body *body, const char *bytes, size_t len, struct smtp_body_out *out,
	char wrong[static MAIL_FILE_WRONG_SIZE])
{
	size_t used;

	smtp_body_feed(body, bytes, len, &used, NULL, out);
	if (body->bad) {
		say_bad(body, wrong);
		return false;
	}
	if (used < len)
		snprintf(wrong, MAIL_FILE_WRONG_SIZE, "it is larger than %zu bytes", out->room);
	return used == len;
}

static bool feed_line(struct smtp_body *body, const char *bytes, size_t len,
	struct smtp_body_out *out, char wrong[static MAIL_FILE_WRONG_SIZE])
{
	return (*bytes != '.' || feed(body, ".", 1, out, wrong)) &&
	       feed(body, bytes, len, out, wrong);
}

bool mail_file_read(const char *bytes, size_t len, char *out, size_t room, size_t *out_len,
	char wrong[static MAIL_FILE_WRONG_SIZE])
{
	static const char last[] = "\n.\r\n";
	struct smtp_body_out stored = {out, room, 0};
	struct smtp_body body;

	if (!begins_with_field(bytes, len)) {
		say_no_field(bytes, len, wrong);
		return false;
	}
	if (bytes[len - 1] == '\n') /* the end brings it */
		len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
	smtp_body_init(&body, true);
	for (size_t at = 0, n; at < len; at += n) {
		const char *lf = memchr(bytes + at, '\n', len - at);
		n = lf ? (size_t)(lf - bytes) + 1 - at : len - at;
		if (!feed_line(&body, bytes + at, n, &stored, wrong))
			return false;
	}
	/* the CR by itself: one before it is bad in its own line */
	if (!feed(&body, "\r", 1, &stored, wrong) ||
		!feed(&body, last, sizeof(last) - 1, &stored, wrong))
		return false;
	*out_len = stored.len;
	return true;
}
