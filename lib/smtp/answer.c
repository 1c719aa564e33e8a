/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <string.h>

#define NO_QUIT UINT8_MAX

/* Follows the line to see whether it is QUIT and nothing more. */
static void match_quit(struct smtp_answer *answer, unsigned char c)
{
	static const char quit[] = "QUIT";

	if (answer->quit_at == NO_QUIT)
		return;
	if (answer->quit_at == sizeof(quit) - 1) {
		if (c != ' ' && c != '\t' && c != '\r')
			answer->quit_at = NO_QUIT;
	} else if ((c & ~0x20) == quit[answer->quit_at]) {
		answer->quit_at++;
	} else {
		answer->quit_at = NO_QUIT;
	}
}

/* Says what is due at the end of a line. True: the dialogue is over. */
static bool end_line(
	struct smtp_answer *answer, const char *gateway, uint64_t flow, char *out, size_t *out_len)
{
	bool quit = answer->quit_at == 4;

	answer->line_len = 0;
	answer->quit_at = 0;
	if (quit) {
		*out_len += smtp_reply_format(out, 221, "2.0.0", gateway, "closing", flow);
		return true;
	}
	if (++answer->lines >= SMTP_ANSWER_LINES_MAX) {
		*out_len +=
			smtp_reply_format(out, 421, "4.7.0", gateway, "too many commands", flow);
		return true;
	}
	*out_len += smtp_reply_format(out, 503, "5.5.1", gateway, "no mail service for you", flow);
	return false;
}

bool smtp_answer_feed(struct smtp_answer *answer, const void *bytes, size_t len, size_t *used,
	const char *gateway, uint64_t flow, char *out, size_t room, size_t *out_len)
{
	const unsigned char *p = bytes;
	bool over = false;
	size_t i = 0;

	*out_len = 0;
	while (!over && i < len && room - *out_len >= SMTP_ANSWER_ROOM) {
		unsigned char c = p[i++];
		if (c == '\n') {
			over = end_line(answer, gateway, flow, out + *out_len, out_len);
		} else if (answer->line_len == SMTP_ANSWER_LINE_MAX) {
			*out_len += smtp_reply_format(
				out + *out_len, 500, "5.5.2", gateway, "line too long", flow);
			over = true;
		} else {
			answer->line_len++;
			match_quit(answer, c);
		}
	}
	*used = i;
	return over;
}
