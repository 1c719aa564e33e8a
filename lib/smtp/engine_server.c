#include "lib/smtp/engine_parts.h"

#include <stdio.h>
#include <string.h>

void engine_server_say(
	struct engine *engine, enum engine_state state, const char *text, struct engine_out *out)
{
	size_t len = strlen(text);

	memcpy(out->server + out->server_len, text, len);
	out->server_len += len;
	engine_reply_begin(engine);
	engine_enter(engine, state);
}

void engine_server_open(struct engine *engine, enum engine_open open, struct engine_out *out)
{
	if (engine->connected)
		engine_server_drop(engine, out);
	engine->open = (uint8_t)open;
	engine_enter(engine, ENGINE_OPEN);
}

void engine_server_quit(const struct engine *engine, struct engine_out *out)
{
	if (engine->link == ENGINE_LINK_NONE || engine->hears ||
		(engine->state != ENGINE_COMMAND && engine->state != ENGINE_ASK_MAIL &&
			engine->state != ENGINE_ASK_RCPT && engine->state != ENGINE_ASK_DATA))
		return;
	memcpy(out->server + out->server_len, "QUIT\r\n", 6);
	out->server_len += 6;
}

void engine_server_drop(struct engine *engine, struct engine_out *out)
{
	if (engine->connected)
		out->close_server = true;
	engine->connected = engine->named = engine->hears = engine->blocked = false;
	engine->link = ENGINE_LINK_NONE;
}

/* All were tried, or there is no time for more: all further recipients hear the same. */
static void no_host(struct engine *engine, struct engine_out *out)
{
	engine->answer = engine->failed;
	engine_rcpt_answer(engine, (enum engine_words)engine->failed, out);
}

/* What the host said last is told, if it said something. */
static void tell_host(const struct engine *engine, enum ending why, struct engine_out *out)
{
	out->host_failed = (uint8_t)why;
	if (engine->connected && engine->line_len > 0 &&
		(engine->reply_code == 0 || engine->reply_code >= 300))
		out->host = engine_reply_of_line(engine, engine->reply_code);
}

void engine_host_failed(
	struct engine *engine, enum engine_words words, enum ending why, struct engine_out *out)
{
	bool again = engine->reused;

	out->server_len = 0;
	engine->reused = false;
	tell_host(engine, why, out);
	engine_server_drop(engine, out);
	if (words != ENGINE_WORDS_NO_SERVER || engine->failed != ENGINE_WORDS_KEPT)
		engine->failed = (uint8_t)words;
	if (engine->now_ms < engine->first_ms)
		engine_server_open(engine, again ? ENGINE_OPEN_AGAIN : ENGINE_OPEN_NEXT, out);
	else
		no_host(engine, out);
}

void engine_server_opened(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_OPEN) {
		if (engine->failed == ENGINE_WORDS_KEPT) /* the line is this host's now */
			engine->failed = ENGINE_WORDS_NO_SERVER;
		engine->connected = true;
		engine->helo_said = false;
		memset(&engine->offers, 0, sizeof(engine->offers));
		engine_reply_begin(engine);
		engine_enter(engine, ENGINE_GREETING);
	}
	engine_over(engine, out);
}

void engine_server_failed(
	struct engine *engine, bool another, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_OPEN && another && engine->now_ms < engine->first_ms)
		engine_server_open(engine, ENGINE_OPEN_NEXT, out);
	else if (engine->state == ENGINE_OPEN)
		no_host(engine, out);
	engine_over(engine, out);
}

void engine_server_blocked(struct engine *engine, bool blocked, uint64_t now_ms)
{
	if (now_ms > engine->now_ms)
		engine->now_ms = now_ms;
	if (!engine->connected || engine->blocked == blocked)
		return;
	engine->blocked = blocked;
	if (engine->state != ENGINE_BODY)
		return;
	/* the server's time is not the client's */
	engine->heard_ms = engine->pace_ms = engine->now_ms;
	engine->pace_bytes = 0;
	engine_enter(engine, ENGINE_BODY);
}

/* Who the client is was told: it is by its own name that we speak then. */
static void say_hello(struct engine *engine, const char *verb, struct engine_out *out)
{
	char line[ENGINE_NAME_SIZE + 8];

	snprintf(line, sizeof(line), "%s %.255s\r\n", verb,
		engine->named ? engine->helo_name : out->gateway);
	engine->helo_said = verb[0] == 'H';
	memset(&engine->offers, 0, sizeof(engine->offers));
	engine_server_say(engine, ENGINE_EHLO, line, out);
}

static void fail(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	engine_host_failed(engine, words, ENDING_GREETING_REFUSED, out);
}

/* 5xx to EHLO is a host without any extension. */
static void on_hello(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 5 && !engine->helo_said)
		say_hello(engine, "HELO", out);
	else if (code / 100 != 2)
		fail(engine, ENGINE_WORDS_NO_SERVER, out);
	else if (!engine->xclient || engine->named)
		engine_say_mail(engine, out);
	else if (engine->offers.has_xclient)
		engine_enter(engine, ENGINE_IDENTITY);
	else
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, ENDING_IDENTITY_REFUSED, out);
}

void engine_identity(struct engine *engine, const char *text, size_t len, bool last,
	uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_IDENTITY && (len == 0 || len > ENGINE_SERVER_ROOM)) {
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, ENDING_IDENTITY_REFUSED, out);
	} else if (engine->state == ENGINE_IDENTITY) {
		memcpy(out->server, text, len);
		out->server_len = len;
		engine->identity_last = last;
		engine_reply_begin(engine);
		engine_enter(engine, ENGINE_XCLIENT);
	}
	engine_over(engine, out);
}

static void on_xclient(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code != 220) {
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, ENDING_IDENTITY_REFUSED, out);
	} else if (!engine->identity_last) {
		engine_enter(engine, ENGINE_IDENTITY);
	} else {
		engine->named = true;
		say_hello(engine, "EHLO", out);
	}
}

/* What is wrong with the commands that we made up is no matter of the client. */
static void on_mail(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 2) {
		engine->reused = false;
		engine_say_rcpt(engine, out);
		return;
	}
	if (code / 100 == 5 && !engine_is_about_us(code)) {
		engine->reused = false;
		engine->answer = ENGINE_WORDS_KEPT;
		engine_rcpt_answer(engine, ENGINE_WORDS_KEPT, out);
		return;
	}
	bool stale = code == 421 || code == 503 || code / 100 == 3;
	engine->reused = engine->reused && stale;
	engine_host_failed(engine,
		engine_is_about_us(code) ? ENGINE_WORDS_INTERNAL
		: stale                  ? ENGINE_WORDS_NO_SERVER
					 : ENGINE_WORDS_KEPT,
		ENDING_SENDER_REFUSED, out);
}

void engine_server_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	switch ((enum engine_state)engine->state) {
	case ENGINE_GREETING:
		if (code == 220)
			say_hello(engine, "EHLO", out);
		else
			fail(engine, ENGINE_WORDS_NO_SERVER, out);
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
			fail(engine, ENGINE_WORDS_NO_SERVER, out);
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
