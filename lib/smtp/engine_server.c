#include "lib/smtp/engine_parts.h"

#include <stdio.h>
#include <string.h>

#define REPLY_LINES_MAX 50                   /* that are passed on */
#define REPLY_BYTES_MAX 65536                /* that are read */
#define LINE_ROOM       (2 * SMTP_LINE_SIZE) /* one line passed on, and one of ours behind it */

static void begin_reply(struct engine *engine)
{
	engine->reply_bytes = 0;
	engine->reply_lines = engine->reply_code = engine->pass_code = 0;
	engine->line_len = 0;
}

void engine_server_say(
	struct engine *engine, enum engine_state state, const char *text, struct engine_out *out)
{
	size_t len = strlen(text);

	memcpy(out->server + out->server_len, text, len);
	out->server_len += len;
	begin_reply(engine);
	engine_enter(engine, state);
}

void engine_server_open(struct engine *engine, enum engine_open open, struct engine_out *out)
{
	if (engine->connected)
		engine_server_drop(engine, out);
	engine->open = (uint8_t)open;
	engine_enter(engine, ENGINE_OPEN);
}

void engine_server_drop(struct engine *engine, struct engine_out *out)
{
	if (engine->connected)
		out->close_server = true;
	engine->connected = engine->named = engine->hears = engine->blocked = false;
	engine->link = ENGINE_LINK_NONE;
}

void engine_host_failed(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	bool again = engine->reused;

	out->server_len = 0;
	engine->reused = false;
	engine_server_drop(engine, out);
	if (engine->now_ms < engine->first_ms && words != ENGINE_WORDS_NONE) {
		engine->failed = (uint8_t)words;
		engine_server_open(engine, again ? ENGINE_OPEN_AGAIN : ENGINE_OPEN_NEXT, out);
		return;
	}
	if (words != ENGINE_WORDS_NONE)
		engine->failed = (uint8_t)words;
	engine->answer = engine->failed;
	engine_rcpt_answer(engine, (enum engine_words)engine->failed, out);
}

void engine_server_opened(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_OPEN) {
		engine->connected = true;
		engine->helo_said = false;
		memset(&engine->offers, 0, sizeof(engine->offers));
		begin_reply(engine);
		engine_enter(engine, ENGINE_GREETING);
	}
	engine_over(engine, out);
}

void engine_server_failed(
	struct engine *engine, bool another, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_OPEN) {
		if (engine->open == ENGINE_OPEN_FIRST)
			engine->failed = ENGINE_WORDS_NO_SERVER;
		engine_host_failed(
			engine, another ? ENGINE_WORDS_NO_SERVER : ENGINE_WORDS_NONE, out);
	}
	engine_over(engine, out);
}

/* Who the client is was told: it is by its own name that we speak then. */
static void say_hello(struct engine *engine, const char *verb, struct engine_out *out)
{
	char line[ENGINE_NAME_SIZE + 8];

	snprintf(line, sizeof(line), "%s %s\r\n", verb,
		engine->named ? engine->helo_name : engine->gateway);
	engine->helo_said = verb[0] == 'H';
	memset(&engine->offers, 0, sizeof(engine->offers));
	engine_server_say(engine, ENGINE_EHLO, line, out);
}

static void on_hello(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 5 && !engine->helo_said)
		say_hello(engine, "HELO", out);
	else if (code / 100 != 2)
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, out);
	else if (!engine->xclient || engine->named)
		engine_say_mail(engine, out);
	else if (engine->offers.words & SMTP_OFFERS_XCLIENT)
		engine_enter(engine, ENGINE_IDENTITY);
	else
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, out);
}

void engine_identity(struct engine *engine, const char *text, size_t len, bool last,
	uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_IDENTITY && (len == 0 || len > ENGINE_SERVER_ROOM)) {
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, out);
	} else if (engine->state == ENGINE_IDENTITY) {
		memcpy(out->server, text, len);
		out->server_len = len;
		engine->identity_last = last;
		begin_reply(engine);
		engine_enter(engine, ENGINE_XCLIENT);
	}
	engine_over(engine, out);
}

static void on_xclient(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code != 220) {
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, out);
	} else if (!engine->identity_last) {
		engine_enter(engine, ENGINE_IDENTITY);
	} else {
		engine->named = true;
		say_hello(engine, "EHLO", out);
	}
}

static void on_mail(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 2) {
		engine->reused = false;
		engine_say_rcpt(engine, out);
	} else if (code == 503 || code == 530 || code == 555) {
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, out);
	} else if (code == 421 || code / 100 == 3) {
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, out);
	} else if (code / 100 == 4) {
		engine->reused = false;
		engine_host_failed(engine, ENGINE_WORDS_KEPT, out);
	} else {
		engine->answer = ENGINE_WORDS_KEPT;
		engine_rcpt_answer(engine, ENGINE_WORDS_KEPT, out);
	}
}

/* The reply to what was said, or the end of one that came unasked. */
static void on_reply(struct engine *engine, unsigned code, struct engine_out *out)
{
	switch ((enum engine_state)engine->state) {
	case ENGINE_GREETING:
		if (code == 220)
			say_hello(engine, "EHLO", out);
		else
			engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, out);
		break;
	case ENGINE_EHLO:
		on_hello(engine, code, out);
		break;
	case ENGINE_XCLIENT:
		on_xclient(engine, code, out);
		break;
	case ENGINE_RSET:
		if (code / 100 == 2)
			engine_say_mail(engine, out);
		else
			engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, out);
		break;
	case ENGINE_MAIL:
		on_mail(engine, code, out);
		break;
	case ENGINE_RCPT:
		engine_rcpt_replied(engine, code, out);
		break;
	case ENGINE_DATA:
		engine_data_replied(engine, code, out);
		break;
	case ENGINE_DOT:
		engine_dot_replied(engine, code, out);
		break;
	case ENGINE_DRAIN:
	case ENGINE_LAST:
		engine_text_heard(engine, code, out);
		break;
	case ENGINE_GREET:
	case ENGINE_COMMAND:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_OPEN:
	case ENGINE_IDENTITY:
	case ENGINE_TRACE:
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
	case ENGINE_END:
		break;
	}
}

/* No reply will come, or nothing that could be one. */
static void on_lost(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	switch ((enum engine_state)engine->state) {
	case ENGINE_GREETING:
	case ENGINE_EHLO:
	case ENGINE_IDENTITY:
	case ENGINE_XCLIENT:
	case ENGINE_RSET:
	case ENGINE_MAIL:
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, out);
		break;
	case ENGINE_RCPT:
		if (engine->accepted == 0 && !engine->pass_code)
			engine_host_failed(engine, words, out);
		else
			engine_rcpt_lost(engine, words, out);
		break;
	case ENGINE_DATA:
		engine_data_lost(engine, words, out);
		break;
	case ENGINE_TRACE:
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
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
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
		engine_server_drop(engine, out);
		if (engine->mail && engine->accepted > 0)
			engine->answer = ENGINE_WORDS_SERVER_LOST;
		break;
	case ENGINE_GREET:
	case ENGINE_OPEN:
	case ENGINE_END:
		break;
	}
}

/* A whole line of a reply stands in the buffer. Returns the reply's code when it was the last. */
static enum smtp_reply_status take_line(struct engine *engine, struct engine_out *out)
{
	struct smtp_reply reply;
	size_t used;
	bool passes = engine->state == ENGINE_RCPT || engine->state == ENGINE_DATA ||
		      engine->state == ENGINE_DOT;

	smtp_reply_init(&reply);
	smtp_reply_feed(&reply, engine->line, engine->line_len, &used);
	enum smtp_reply_status status = smtp_reply_feed(&reply, "\n", 1, &used);
	if (reply.code == 0 || status == SMTP_REPLY_MALFORMED)
		return SMTP_REPLY_MALFORMED;
	if (engine->state == ENGINE_EHLO && engine->reply_lines > 0 && engine->line_len > 4)
		smtp_offers_read(&engine->offers, engine->line + 4, engine->line_len - 4u);
	engine->reply_lines += engine->reply_lines < UINT16_MAX;
	if (engine->reply_code < reply.code)
		engine->reply_code = reply.code;
	if (status == SMTP_REPLY_DONE || !passes)
		return status;
	/* A refusal of many lines goes on line by line, with the code that it began with. */
	unsigned code = engine->reply_code;
	if (!engine->pass_code && code / 100 >= 4 && code != 421 && code != 503 && code != 530 &&
		code != 555)
		engine->pass_code = (uint16_t)code;
	if (engine->pass_code && engine->reply_lines < REPLY_LINES_MAX)
		engine_pass(engine, engine->pass_code, false, out);
	return status;
}

/* Bytes up to the end of a line; what has no room in it is cut off. */
static bool keep_line(struct engine *engine, const char *bytes, size_t len, size_t *used)
{
	const char *end = memchr(bytes, '\n', len);
	size_t n = end ? (size_t)(end - bytes) : len;

	*used = end ? n + 1 : len;
	engine->reply_bytes += (uint32_t)(*used < REPLY_BYTES_MAX ? *used : REPLY_BYTES_MAX);
	for (size_t i = 0; i < n && engine->line_len < sizeof(engine->line) - 1; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c != '\r')
			engine->line[engine->line_len++] = c < ' ' || c > '~' ? '?' : (char)c;
	}
	engine->line[engine->line_len] = '\0';
	return end;
}

/* Reads up to the end of a reply. */
static size_t hear(struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	size_t at = 0, used;

	while (at < len && out->client_room - out->client_len >= LINE_ROOM) {
		bool whole = keep_line(engine, bytes + at, len - at, &used);
		at += used;
		enum smtp_reply_status status = whole ? take_line(engine, out) : SMTP_REPLY_MORE;
		if (engine->reply_bytes >= REPLY_BYTES_MAX)
			status = SMTP_REPLY_TOO_LONG;
		if (whole && status == SMTP_REPLY_MORE)
			engine->line_len = 0;
		if (status == SMTP_REPLY_MORE)
			continue;
		if (status == SMTP_REPLY_DONE)
			on_reply(engine, engine->pass_code ? engine->pass_code : engine->reply_code,
				out);
		else
			on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		/* What was said before it was asked for is not the reply to what we say next. */
		if (at < len && out->server_len > 0)
			on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		break;
	}
	return at;
}

/* The server speaks and was not asked. */
static size_t on_unasked(
	struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	switch ((enum engine_state)engine->state) {
	case ENGINE_TRACE:
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_WRONG, false, out);
		return len;
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
		begin_reply(engine);
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_WRONG, true, out);
		return hear(engine, bytes, len, out);
	case ENGINE_DRAIN:
	case ENGINE_LAST:
		break;
	case ENGINE_GREET:
	case ENGINE_COMMAND:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_OPEN:
	case ENGINE_GREETING:
	case ENGINE_EHLO:
	case ENGINE_IDENTITY:
	case ENGINE_XCLIENT:
	case ENGINE_RSET:
	case ENGINE_MAIL:
	case ENGINE_RCPT:
	case ENGINE_DATA:
	case ENGINE_DOT:
	case ENGINE_END:
		on_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
		break;
	}
	return len;
}

size_t engine_server(struct engine *engine, const void *bytes, size_t len, uint64_t now_ms,
	struct engine_out *out)
{
	const char *p = bytes;
	size_t used = len;

	engine_begin(engine, now_ms, out);
	if (engine->connected && len > 0) {
		if (engine->hears || engine_waits_of(engine->state) == ENGINE_WAITS_SERVER)
			used = hear(engine, p, len, out);
		else
			used = on_unasked(engine, p, len, out);
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
