/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void engine_server_put(struct engine *engine, const char *text, struct engine_out *out)
{
	size_t len = strlen(text);

	memcpy(out->server + out->server_len, text, len);
	out->server_len += len;
	engine_reply_begin(engine);
}

void engine_server_say(
	struct engine *engine, enum engine_state state, const char *text, struct engine_out *out)
{
	engine_server_put(engine, text, out);
	engine_enter(engine, state);
}

void engine_server_open(struct engine *engine, enum engine_open open, struct engine_out *out)
{
	if (engine->connected)
		engine_server_drop(engine, out);
	engine->open = (uint8_t)open;
	engine_enter(engine, ENGINE_OPEN);
}

/* It hears a command now. */
static bool is_idle(const struct engine *engine)
{
	switch ((int)engine->state) {
	case ENGINE_COMMAND:
	case ENGINE_ASK_LOGIN:
	case ENGINE_RESPONSE:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
		return true;
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
		return engine_is_whole(engine) && !engine->noop;
	default:
		return false;
	}
}

void engine_server_quit(const struct engine *engine, struct engine_out *out)
{
	if (engine->link == ENGINE_LINK_NONE || engine->hears || !is_idle(engine))
		return;
	memcpy(out->server + out->server_len, "QUIT\r\n", 6);
	out->server_len += 6;
}

void engine_server_drop(struct engine *engine, struct engine_out *out)
{
	if (engine->connected)
		out->close_server = true;
	engine->connected = engine->named = engine->hears = engine->blocked = false;
	engine->secured = engine->noop = false;
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

/* The host is given up, but maybe for another try of it. */
static void give_up(struct engine *engine, enum engine_words words, enum ending why,
	enum engine_open open, struct engine_out *out)
{
	out->server_len = 0;
	engine->reused = false;
	tell_host(engine, why, out);
	engine_server_drop(engine, out);
	if (words != ENGINE_WORDS_NO_SERVER || engine->failed != ENGINE_WORDS_KEPT)
		engine->failed = (uint8_t)words;
	if (engine->now_ms < engine->first_ms)
		engine_server_open(engine, open, out);
	else
		no_host(engine, out);
}

void engine_host_failed(
	struct engine *engine, enum engine_words words, enum ending why, struct engine_out *out)
{
	give_up(engine, words, why, engine->reused ? ENGINE_OPEN_AGAIN : ENGINE_OPEN_NEXT, out);
}

void engine_tls_failed(struct engine *engine, const char *words, struct engine_out *out)
{
	enum engine_open open =
		engine->tls == ENGINE_TLS_OFFER ? ENGINE_OPEN_CLEAR : ENGINE_OPEN_NEXT;

	give_up(engine, ENGINE_WORDS_NO_TLS, ENDING_TLS_FAILED, open, out);
	if (words)
		out->host = (struct engine_reply){.text = words};
}

void engine_server_opened(struct engine *engine, enum engine_tls tls, uint32_t may_ms,
	uint64_t now_ms, struct engine_out *out)
{
	bool clear = engine->open == ENGINE_OPEN_CLEAR && tls == ENGINE_TLS_OFFER;

	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_OPEN) {
		if (engine->failed == ENGINE_WORDS_KEPT) /* the line is this host's now */
			engine->failed = ENGINE_WORDS_NO_SERVER;
		engine->connected = true;
		engine->host_ms = engine->now_ms + may_ms;
		engine->helo_said = false;
		memset(&engine->offers, 0, sizeof(engine->offers));
		engine->tls = (uint8_t)(clear ? ENGINE_TLS_NONE : tls);
		engine_reply_begin(engine);
		engine_enter(
			engine, tls == ENGINE_TLS_IMMEDIATE ? ENGINE_SERVER_TLS : ENGINE_GREETING);
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
	if (engine->state == ENGINE_GIVE)
		engine_wait(engine);
	else if (engine->state == ENGINE_BODY && !engine_is_whole(engine))
		engine_text_resume(engine);
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

/* What a host has to be before it is told anything: in TLS, told of the client, and told who we
 * are. Each of these makes it say anew what it offers, but the last. */
static void go_on(struct engine *engine, struct engine_out *out)
{
	bool clear = !engine->secured && !engine->named && engine->tls != ENGINE_TLS_NONE;

	if (clear && engine->offers.starttls)
		engine_server_say(engine, ENGINE_STARTTLS, "STARTTLS\r\n", out);
	else if (clear && engine->tls != ENGINE_TLS_OFFER)
		engine_tls_failed(engine, "does not offer STARTTLS", out);
	else if (engine->xclient && !engine->named && !engine->offers.has_xclient)
		engine_host_failed(engine, ENGINE_WORDS_INTERNAL, ENDING_IDENTITY_REFUSED, out);
	else if (engine->xclient && !engine->named)
		engine_enter(engine, ENGINE_IDENTITY);
	else if (engine->login)
		engine_enter(engine, ENGINE_LOGIN);
	else
		engine_server_ready(engine, out);
}

/* 5xx to EHLO is a host without any extension. */
static void on_hello(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 5 && !engine->helo_said)
		say_hello(engine, "HELO", out);
	else if (code / 100 != 2)
		fail(engine, ENGINE_WORDS_NO_SERVER, out);
	else
		go_on(engine, out);
}

/* RFC 3207: nothing is known any more of what was said in clear. */
static void on_starttls(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 220)
		engine_enter(engine, ENGINE_SERVER_TLS);
	else
		engine_tls_failed(engine, NULL, out);
}

void engine_server_secured(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_SERVER_TLS) {
		engine->secured = true;
		engine_reply_begin(engine);
		if (engine->tls == ENGINE_TLS_IMMEDIATE)
			engine_enter(engine, ENGINE_GREETING);
		else
			say_hello(engine, "EHLO", out);
	}
	engine_over(engine, out);
}

void engine_server_unfit(
	struct engine *engine, const char *words, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_SERVER_TLS) {
		engine_tls_failed(engine, words, out);
	} else if (engine->state == ENGINE_LOGIN) {
		engine_host_failed(engine, ENGINE_WORDS_NO_LOGIN, ENDING_LOGIN_REFUSED, out);
		out->host = (struct engine_reply){.text = words};
	}
	engine_over(engine, out);
}

void engine_login(struct engine *engine, const char *text, size_t len, bool last, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_LOGIN) {
		assert(len <= ENGINE_SERVER_ROOM);
		memcpy(out->server, text, len);
		out->server_len = len;
		engine->login_last = last;
		engine_reply_begin(engine);
		engine_enter(engine, ENGINE_AUTH);
	}
	engine_over(engine, out);
}

/* RFC 4954 4: 334 asks for more, 235 is the one yes. */
static void on_login(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 334 && !engine->login_last)
		engine_enter(engine, ENGINE_LOGIN);
	else if (code == 235 && engine->login_last)
		engine_server_ready(engine, out);
	else if (code == 421)
		fail(engine, ENGINE_WORDS_NO_SERVER, out);
	else
		engine_host_failed(engine, ENGINE_WORDS_NO_LOGIN, ENDING_LOGIN_REFUSED, out);
}

void engine_server_ready(struct engine *engine, struct engine_out *out)
{
	if (engine->other_sender && !(engine->sender.flags & SMTP_PATH_NULL))
		engine_enter(engine, ENGINE_SENDER);
	else
		engine_say_mail(engine, &engine->sender, out);
}

void engine_sender(struct engine *engine, const struct smtp_path *sender, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_SENDER)
		engine_say_mail(engine, sender, out);
	engine_over(engine, out);
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
	case ENGINE_STARTTLS:
		on_starttls(engine, code, out);
		break;
	case ENGINE_XCLIENT:
		on_xclient(engine, code, out);
		break;
	case ENGINE_AUTH:
		on_login(engine, code, out);
		break;
	case ENGINE_RSET:
		if (code / 100 == 2)
			engine_server_ready(engine, out);
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
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
	case ENGINE_NOOP:
		engine_noop_replied(engine, code, out);
		break;
	case ENGINE_CLIENT_TLS:
	case ENGINE_GREET:
	case ENGINE_COMMAND:
	case ENGINE_ASK_LOGIN:
	case ENGINE_RESPONSE:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_OPEN:
	case ENGINE_SERVER_TLS:
	case ENGINE_IDENTITY:
	case ENGINE_LOGIN:
	case ENGINE_SENDER:
	case ENGINE_TRACE:
	case ENGINE_GIVE:
	case ENGINE_END:
		break;
	}
}
