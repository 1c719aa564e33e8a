/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <string.h>

#define REPLY_LINES_MAX 50                   /* that are passed on */
#define REPLY_BYTES_MAX 65536                /* that are read */
#define PASS_ROOM       (2 * SMTP_LINE_SIZE) /* one line passed on, and one of ours behind it */

void engine_reply_begin(struct engine *engine)
{
	engine->reply_bytes = 0;
	engine->reply_lines = engine->reply_code = engine->pass_code = 0;
	engine->line_len = 0;
}

/* What the host did instead of a reply: it closed, or said something else. Of its greeting the
 * ending says it. */
#define LOSS(what)                                                                      \
	{                                                                               \
		"the reply to " what " is not SMTP", "closed before the reply to " what \
	}

static const char *words_of_loss(const struct engine *engine, bool closed)
{
	static const char *const words[ENGINE_STATES][2] = {
		[ENGINE_EHLO] = LOSS("EHLO"),
		[ENGINE_XCLIENT] = LOSS("XCLIENT"),
		[ENGINE_AUTH] = LOSS("the login"),
		[ENGINE_RSET] = LOSS("RSET"),
		[ENGINE_MAIL] = LOSS("MAIL"),
		[ENGINE_RCPT] = LOSS("RCPT"),
	};
	const char *loss = words[engine->state][closed];

	if (!closed && engine->reply_bytes == 0)
		return "says more than it was asked";
	return loss ? loss : "";
}

/* No reply will come, or nothing that could be one. */
static void on_lost(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	enum ending why = words == ENGINE_WORDS_SERVER_LOST ? ENDING_GREETING_CLOSED
							    : ENDING_GREETING_MALFORMED;
	const char *loss = words_of_loss(engine, words == ENGINE_WORDS_SERVER_LOST);

	switch ((enum engine_state)engine->state) {
	case ENGINE_STARTTLS:
	case ENGINE_SERVER_TLS:
		engine_tls_failed(engine,
			words == ENGINE_WORDS_SERVER_LOST ? "closed before the handshake"
							  : "says more than it was asked",
			out);
		break;
	case ENGINE_GREETING:
	case ENGINE_EHLO:
	case ENGINE_IDENTITY:
	case ENGINE_XCLIENT:
	case ENGINE_LOGIN:
	case ENGINE_AUTH:
	case ENGINE_RSET:
	case ENGINE_SENDER:
	case ENGINE_MAIL:
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, why, out);
		if (*loss)
			out->host = (struct engine_reply){.text = loss};
		break;
	case ENGINE_RCPT:
		if (engine->accepted == 0 && !engine->pass_code) {
			engine_host_failed(engine, words, why, out);
			out->host = (struct engine_reply){.text = loss};
		} else {
			engine_rcpt_lost(engine, words, out);
		}
		break;
	case ENGINE_DATA:
		if (engine_is_behind(engine))
			engine_text_spoil(engine, words, false, out);
		else
			engine_data_lost(engine, words, out);
		break;
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
	case ENGINE_NOOP:
		/* idle, it may leave as it likes */
		if (engine_is_whole(engine))
			words = ENGINE_WORDS_SERVER_LOST;
		engine_text_spoil(engine, words, false, out);
		break;
	case ENGINE_TRACE:
	case ENGINE_GIVE:
		engine_text_spoil(engine, words, false, out);
		break;
	case ENGINE_DOT:
		engine_dot_unknown(engine, out);
		break;
	case ENGINE_DRAIN:
	case ENGINE_LAST:
		if (engine->hears)
			engine_text_heard(engine, 0, out);
		break;
	case ENGINE_COMMAND: /* silent between two commands */
	case ENGINE_ASK_LOGIN:
	case ENGINE_RESPONSE:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
		engine_server_drop(engine, out);
		if (engine->mail && engine->accepted > 0)
			engine->answer = ENGINE_WORDS_SERVER_LOST;
		break;
	case ENGINE_CLIENT_TLS:
	case ENGINE_GREET:
	case ENGINE_OPEN:
	case ENGINE_END:
		break;
	}
}

/* CR LF ends a line; any other CR is no part of a reply: "2<CR>50" is none. */
static void end_line(struct engine *engine)
{
	if (engine->line_len > 0 && engine->line[engine->line_len - 1] == '\r')
		engine->line_len--;
	for (size_t i = 0; i < engine->line_len; i++)
		if (engine->line[i] == '\r')
			engine->line[i] = '?';
}

/* Bytes up to the end of a line, without what nobody should be shown; what has no room is cut off.
 * True: the line is whole. */
static bool keep_line(struct engine *engine, const char *bytes, size_t len, size_t *used)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len;

	*used = end ? n + 1 : len;
	engine->reply_bytes += (uint32_t)(*used < REPLY_BYTES_MAX ? *used : REPLY_BYTES_MAX);
	for (size_t i = 0; i < n && engine->line_len < sizeof(engine->line) - 1; i++) {
		unsigned char c = (unsigned char)bytes[i];
		bool shown = (c >= ' ' && c <= '~') || c == '\r';
		engine->line[engine->line_len++] = shown ? (char)c : '?';
	}
	if (end)
		end_line(engine);
	engine->line[engine->line_len] = '\0';
	return end;
}

/* A refusal of many lines goes on line by line, with the code that it began with: there is no room
 * to keep it. What may still turn out to be a yes, or becomes another reply, does not. */
static void pass_line(struct engine *engine, struct engine_out *out)
{
	unsigned code = engine->reply_code;

	if (engine->state != ENGINE_RCPT && engine->state != ENGINE_DATA &&
		engine->state != ENGINE_DOT)
		return;
	if (!engine->pass_code && code >= 400 && code != 421 && !engine_is_about_us(code))
		engine->pass_code = (uint16_t)code;
	if (engine->pass_code && engine->reply_lines < REPLY_LINES_MAX)
		engine_pass(engine, engine->pass_code, false, out);
}

static void hold_back_words(struct engine *engine, unsigned code)
{
	char *words = engine->line + 4;
	size_t kept = 4 + smtp_reply_enhanced(words, code);

	explicit_bzero(engine->line + kept, engine->line_len - kept);
	engine->line_len = (uint16_t)kept;
}

/* A whole line of a reply stands in the buffer. MORE: it is not the last. */
static enum smtp_reply_status take_line(struct engine *engine, struct engine_out *out)
{
	unsigned code;
	enum smtp_reply_status status = smtp_reply_line(engine->line, engine->line_len, &code);

	if (status == SMTP_REPLY_MALFORMED)
		return status;
	if (out->holds_back && engine->line_len > 4 && out->holds_back(out->owner, engine->line))
		hold_back_words(engine, code);
	if (engine->state == ENGINE_EHLO && engine->reply_lines > 0 && engine->line_len > 4)
		smtp_offers_read(&engine->offers, engine->line + 4, engine->line_len - 4u);
	engine->reply_lines += engine->reply_lines < UINT16_MAX;
	if (engine->reply_code < code)
		engine->reply_code = (uint16_t)code;
	if (engine->reply_bytes >= REPLY_BYTES_MAX)
		return SMTP_REPLY_TOO_LONG;
	if (status == SMTP_REPLY_MORE)
		pass_line(engine, out);
	return status;
}

static void on_whole(struct engine *engine, struct engine_out *out)
{
	unsigned code = engine->pass_code ? engine->pass_code : engine->reply_code;

	engine->pass_code = 0;
	engine_server_replied(engine, code, out);
}

/* Reads up to the end of one reply. */
static size_t hear(struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	size_t at = 0, used;

	while (at < len && out->client_room - out->client_len >= PASS_ROOM) {
		bool whole = keep_line(engine, bytes + at, len - at, &used);
		at += used;
		enum smtp_reply_status status = SMTP_REPLY_MORE;
		if (whole)
			status = take_line(engine, out);
		else if (engine->reply_bytes >= REPLY_BYTES_MAX)
			status = SMTP_REPLY_TOO_LONG;
		if (status == SMTP_REPLY_MORE) {
			engine->line_len = whole ? 0 : engine->line_len;
			continue;
		}
		if (status == SMTP_REPLY_DONE)
			on_whole(engine, out);
		else
			on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		/* What was said before it was asked for is not the reply to what we say next, and
		 * never what TLS says. */
		if (at < len && (out->server_len > 0 || engine->state == ENGINE_SERVER_TLS))
			on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		break;
	}
	return at;
}

/* It has a part of the text, and may have something to say of it. */
static bool is_in_text(const struct engine *engine)
{
	bool text = engine->state == ENGINE_BODY || engine->state == ENGINE_ASK_DOT;

	return engine->state == ENGINE_GIVE || (text && !engine_is_whole(engine));
}

/* The server speaks and was not asked. */
static size_t on_unasked(
	struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	if (!is_in_text(engine)) {
		on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		return len;
	}
	engine_reply_begin(engine);
	engine_text_spoil(engine, ENGINE_WORDS_SERVER_WRONG, true, out);
	return hear(engine, bytes, len, out);
}

size_t engine_server(struct engine *engine, const void *bytes, size_t len, uint64_t now_ms,
	struct engine_out *out)
{
	size_t used = len;

	engine_begin(engine, now_ms, out);
	if (engine->connected && len > 0) {
		if (engine->hears || engine->noop ||
			engine_waits_of((enum engine_state)engine->state) == ENGINE_WAITS_SERVER)
			used = hear(engine, bytes, len, out);
		else
			used = on_unasked(engine, bytes, len, out);
		if (out->close_server)
			used = len;
	}
	engine_over(engine, out);
	return used;
}

void engine_server_closed(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->connected)
		on_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
	engine_over(engine, out);
}
