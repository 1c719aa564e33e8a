/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/body.h"

#include <string.h>

/*
 * One automaton finds the end whatever else is wrong: CR LF . CR LF, byte by byte. The bytes of
 * smuggling (LF . LF, CR LF . LF, LF . CR LF, CR . CR and their kin) never lead to it, since a
 * line that a bare LF ended is marked: a dot behind it is text.
 *
 *          .        CR       LF                     NUL      other
 * LINE     DOT      CR       LINE, bare             bad      MIDDLE
 * DOT      MIDDLE   DOT_CR   LINE, bare             bad      MIDDLE, the dot was stuffing
 * DOT_CR   bad      bad, CR  end; text if bare      bad      bad
 * MIDDLE   MIDDLE   CR       LINE, bare             bad      MIDDLE
 * CR       bad      bad, CR  LINE                   bad      bad
 *
 * "LINE, bare" is bad unless lines are repaired; "bad" leads to MIDDLE where nothing else is said.
 */
enum at {
	AT_LINE,
	AT_DOT,
	AT_DOT_CR,
	AT_MIDDLE,
	AT_CR,
};

/* Either may be NULL. */
struct output {
	struct smtp_body_out *sent, *stored;
};

void smtp_body_init(struct smtp_body *body, bool repair)
{
	memset(body, 0, sizeof(*body));
	body->repair = repair;
}

static bool is_silent(const struct smtp_body *body)
{
	return body->bad != 0 || body->discarded;
}

static void write_to(struct smtp_body_out *out, const char *bytes, size_t len)
{
	if (!out)
		return;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put(
	const struct smtp_body *body, const struct output *output, const char *bytes, size_t len)
{
	if (is_silent(body))
		return;
	write_to(output->sent, bytes, len);
	write_to(output->stored, bytes, len);
}

/* A byte of text, written as it is: stuffing is the caller's. */
static void take_text(struct smtp_body *body, const struct output *output, unsigned char c)
{
	char byte = (char)c;

	put(body, output, &byte, 1);
	body->bytes++;
	smtp_header_byte(&body->header, c);
	body->at = AT_MIDDLE;
}

static void take_line_end(struct smtp_body *body, const struct output *output, bool bare)
{
	if (bare && !body->repair)
		body->bad |= SMTP_BODY_BARE_LF;
	put(body, output, "\r\n", 2);
	body->bytes += 2;
	body->lines++;
	smtp_header_line(&body->header);
	body->at = AT_LINE;
	body->bare = bare;
}

/* A dot at the begin of a line that turned out to be text. */
static void take_dot(struct smtp_body *body, const struct output *output)
{
	if (!is_silent(body))
		write_to(output->sent, ".", 1);
	take_text(body, output, '.');
}

static void take_lf(struct smtp_body *body, const struct output *output)
{
	bool cr = body->at == AT_CR || body->at == AT_DOT_CR;

	if (body->at == AT_DOT_CR && !body->bare) {
		body->ended = true;
		return;
	}
	if (body->at == AT_DOT || body->at == AT_DOT_CR) {
		if (!cr && !body->repair)
			body->bad |= SMTP_BODY_BARE_LF;
		take_dot(body, output);
	}
	take_line_end(body, output, !cr);
}

static void take_byte(struct smtp_body *body, const struct output *output, unsigned char c)
{
	bool cr = body->at == AT_CR || body->at == AT_DOT_CR;

	if (c == '\n') {
		take_lf(body, output);
		return;
	}
	if (cr)
		body->bad |= SMTP_BODY_BARE_CR;
	if (c == '\r') {
		body->at = body->at == AT_DOT ? AT_DOT_CR : AT_CR;
		return;
	}
	if (c == '\0')
		body->bad |= SMTP_BODY_NUL;
	if (c == '.' && body->at == AT_LINE)
		body->at = AT_DOT;
	else if (c == '.' && body->at == AT_DOT)
		take_dot(body, output);
	else
		take_text(body, output, c);
}

#define WINDOW 256 /* bounds what is looked at twice when CR and LF come oddly */

/* How many of these bytes are whole lines and parts of one, fit to go as they are. */
static size_t find_plain(struct smtp_body *body, const char *p, size_t len)
{
	const char *at = p, *end = p + len;
	bool line = body->at == AT_LINE;
	uint64_t lines = 0;

	while (at < end && !(line && *at == '.')) {
		size_t window = (size_t)(end - at) < WINDOW ? (size_t)(end - at) : WINDOW;
		const char *cr = memchr(at, '\r', window);
		const char *stop = cr ? cr : at + window;
		const char *lf = memchr(at, '\n', (size_t)(stop - at));
		if (lf)
			stop = lf;
		if (stop > at)
			line = false;
		at = stop;
		if (lf || (cr && (cr + 1 == end || cr[1] != '\n')))
			break;
		if (cr) {
			at = cr + 2;
			line = true;
			lines++;
		}
	}
	const char *nul = body->bad & SMTP_BODY_NUL ? NULL : memchr(p, '\0', (size_t)(at - p));
	if (nul)
		return find_plain(body, p, (size_t)(nul - p));
	if (at > p) {
		body->at = line ? AT_LINE : AT_MIDDLE;
		body->bare = body->bare && lines == 0;
		body->lines += lines;
		body->bytes += (uint64_t)(at - p);
	}
	return (size_t)(at - p);
}

/* Most of a header: the rest of a line of which nothing is noted. */
static size_t find_value(struct smtp_body *body, const char *p, size_t len)
{
	size_t n = body->at == AT_MIDDLE ? smtp_header_value(&body->header, p, len) : 0;

	body->bytes += n;
	return n;
}

/* The common case: behind the header, in or at the begin of a line. */
static size_t take_plain(
	struct smtp_body *body, const struct output *output, const char *p, size_t len)
{
	if ((body->at != AT_LINE && body->at != AT_MIDDLE) || *p == '\n')
		return 0;
	size_t n = body->header.over ? find_plain(body, p, len) : find_value(body, p, len);
	put(body, output, p, n);
	return n;
}

static size_t room_of(const struct smtp_body_out *out)
{
	return out ? out->room - out->len : SIZE_MAX;
}

static size_t least_room(const struct smtp_body *body, const struct output *output)
{
	size_t sent = room_of(output->sent), stored = room_of(output->stored);

	if (is_silent(body))
		return SIZE_MAX;
	return sent < stored ? sent : stored;
}

enum smtp_body_status smtp_body_feed(struct smtp_body *body, const void *bytes, size_t len,
	size_t *used, struct smtp_body_out *sent, struct smtp_body_out *stored)
{
	const struct output output = {sent, stored};
	const char *p = bytes;
	size_t i = 0;

	while (i < len && !body->ended) {
		size_t left = len - i, room = least_room(body, &output);
		if (room < SMTP_BODY_ROOM)
			break;
		if (left > room)
			left = room;
		size_t n = take_plain(body, &output, p + i, left);
		i += n;
		if (n == 0)
			take_byte(body, &output, (unsigned char)p[i++]);
	}
	*used = i;
	return body->ended ? SMTP_BODY_END : body->bad ? SMTP_BODY_BAD : SMTP_BODY_MORE;
}

void smtp_body_discard(struct smtp_body *body)
{
	body->discarded = true;
}

const struct smtp_refusal *smtp_body_refusal(const struct smtp_body *body)
{
	static const struct smtp_refusal bare = {
		550, "5.6.11", "a bare CR or LF in the text: lines end with CR LF"};
	static const struct smtp_refusal nul = {554, "5.6.0", "a NUL in the text"};

	if (body->bad & (SMTP_BODY_BARE_CR | SMTP_BODY_BARE_LF))
		return &bare;
	return body->bad & SMTP_BODY_NUL ? &nul : NULL;
}
