/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AUTH of the client (RFC 4954): who may say it, and the lines of it, which nothing here keeps. */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <string.h>

bool engine_takes_logins(const struct engine *engine)
{
	unsigned flag =
		engine->client_secured ? ENGINE_LOGINS | ENGINE_LOGINS_CLEAR : ENGINE_LOGINS_CLEAR;

	return engine->flags & flag && !engine->logged_in;
}

bool engine_hears_passwords(const struct engine *engine)
{
	return engine->spoken ||
	       (engine->flags & (ENGINE_LOGINS | ENGINE_LOGINS_CLEAR) && !engine->logged_in);
}

void engine_login_forget(struct engine *engine)
{
	engine->spoken = engine->answered = false;
	smtp_command_wipe(&engine->command);
}

static enum engine_words refusal_of(const struct engine *engine, size_t len)
{
	if (!(engine->flags & (ENGINE_LOGINS | ENGINE_LOGINS_CLEAR)))
		return ENGINE_WORDS_NOT_HERE;
	if (engine->logged_in)
		return ENGINE_WORDS_LOGIN_AGAIN;
	if (!engine_takes_logins(engine))
		return ENGINE_WORDS_TLS_FIRST;
	if (!engine->helo_name[0])
		return ENGINE_WORDS_HELO_FIRST;
	if (engine->mail)
		return ENGINE_WORDS_LOGIN_IN_MAIL;
	return len == 0 ? ENGINE_WORDS_NO_MECHANISM : ENGINE_WORDS_NONE;
}

static void tell(struct engine_out *out, enum engine_said said, const char *text, size_t len)
{
	out->said = (uint8_t)said;
	out->response = text;
	out->response_len = len;
}

/* "PLAIN AGFubmEA...", or as much of it as is there. */
static void tell_auth(const char *args, size_t len, struct engine_out *out)
{
	const char *blank = memchr(args, ' ', len);
	size_t word = blank ? (size_t)(blank - args) : len, at = word;

	while (at < len && args[at] == ' ')
		at++;
	tell(out, ENGINE_SAID_AUTH, args + at, len - at);
	out->mechanism = args;
	out->mechanism_len = word;
	out->given = at < len;
	/* RFC 4954 4: a response of no bytes is said so */
	if (len - at == 1 && args[at] == '=')
		out->response_len = 0;
}

void engine_auth(struct engine *engine, const char *args, size_t len, struct engine_out *out)
{
	enum engine_words words = refusal_of(engine, len);

	if (words != ENGINE_WORDS_NONE) {
		/* what is refused for its place may have a password in it all the same */
		engine->spoken = true;
		engine_error(engine, words, out);
		return;
	}
	tell_auth(args, len, out);
	engine->spoken = engine->tried = true;
	engine_enter(engine, ENGINE_ASK_LOGIN);
}

bool engine_auth_long(struct engine *engine, struct engine_out *out)
{
	struct smtp_command *command = &engine->command;
	size_t at, len;

	if (command->len < sizeof(command->bytes) || command->status != SMTP_COMMAND_MORE ||
		command->skips ||
		smtp_command_verb(command->bytes, command->len, &at, &len) != SMTP_VERB_AUTH ||
		refusal_of(engine, len) != ENGINE_WORDS_NONE)
		return false;
	size_t part = smtp_command_part(command);
	if (part <= at)
		return false;
	tell_auth(command->bytes + at, part - at, out);
	engine->spoken = engine->tried = true;
	engine_enter(engine, ENGINE_RESPONSE);
	return true;
}

static void cancel(struct engine *engine, struct engine_out *out)
{
	engine->spoken = true;
	engine_error(engine, ENGINE_WORDS_LOGIN_CANCELLED, out);
}

void engine_response(struct engine *engine, struct engine_out *out)
{
	struct smtp_command *command = &engine->command;
	size_t part = smtp_command_part(command);

	if (part > 0) {
		tell(out, ENGINE_SAID_MORE, command->bytes, part);
		engine->spoken = true;
		return;
	}
	switch (smtp_command_next(command, engine->flags & ENGINE_REPAIR)) {
	case SMTP_COMMAND_MORE:
		return;
	case SMTP_COMMAND_LINE:
		break;
	case SMTP_COMMAND_CONTROL: /* no base64, which is found out where it is read */
	case SMTP_COMMAND_LONG:
	case SMTP_COMMAND_HELLO:
	case SMTP_COMMAND_BARE:
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_BARE, out);
		return;
	}
	if (engine->rest || smtp_command_has_behind(command)) {
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_PIPELINING, out);
	} else if (command->line == 1 && command->bytes[0] == '*') {
		cancel(engine, out);
	} else {
		tell(out, ENGINE_SAID_MORE, command->bytes, command->line);
		engine->spoken = true;
		engine_enter(engine, ENGINE_ASK_LOGIN);
	}
}

void engine_challenge(struct engine *engine, const char *text, size_t len, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_ASK_LOGIN && engine->client_closed) {
		/* what it has to say does not come */
		engine_finish(engine,
			engine->client_gone ? ENDING_CLIENT_RESET : ENDING_LEFT_AFTER_AUTH,
			ENGINE_WORDS_NONE, out);
	} else if (engine->state == ENGINE_ASK_LOGIN) {
		assert(out->client_room >= len + 6);
		memcpy(out->client, "334 ", 4);
		memcpy(out->client + 4, text, len);
		memcpy(out->client + 4 + len, "\r\n", 2);
		out->client_len = engine->client_gone ? 0 : len + 6;
		engine_enter(engine, ENGINE_RESPONSE);
	}
	engine_over(engine, out);
}

/* Whatever server was spoken to before was told of nobody. */
static void log_in(struct engine *engine, unsigned flags, struct engine_out *out)
{
	engine_server_quit(engine, out);
	engine_server_drop(engine, out);
	engine->logged_in = true;
	engine->flags = (uint16_t)(engine->flags | flags);
	engine->errors = 0;
	engine_say(engine, ENGINE_WORDS_LOGGED_IN, out);
	engine_enter(engine, ENGINE_COMMAND);
}

static void refuse(struct engine *engine, enum engine_login login, struct engine_out *out)
{
	static const enum engine_words words[] = {
		[ENGINE_LOGIN_REFUSED] = ENGINE_WORDS_LOGIN_REFUSED,
		[ENGINE_LOGIN_LATER] = ENGINE_WORDS_LOGIN_LATER,
		[ENGINE_LOGIN_MALFORMED] = ENGINE_WORDS_LOGIN_MALFORMED,
		[ENGINE_LOGIN_LONG] = ENGINE_WORDS_LOGIN_LONG,
		[ENGINE_LOGIN_NO_MECHANISM] = ENGINE_WORDS_NO_MECHANISM,
	};

	engine_say(engine, words[login], out);
	engine_enter(engine, ENGINE_COMMAND);
	if (login == ENGINE_LOGIN_REFUSED && ++engine->logins >= ENGINE_LOGINS_MAX)
		engine_finish(engine, ENDING_LOGINS_REFUSED, ENGINE_WORDS_MANY_LOGINS, out);
	else if (login != ENGINE_LOGIN_LATER && ++engine->errors >= ENGINE_ERRORS_MAX)
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_MANY_ERRORS, out);
}

void engine_logged_in(struct engine *engine, enum engine_login login, unsigned flags,
	uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	bool rest = engine->state == ENGINE_RESPONSE && login == ENGINE_LOGIN_LONG;
	if (engine->state == ENGINE_ASK_LOGIN && login == ENGINE_LOGIN_OK)
		log_in(engine, flags, out);
	else if (engine->state == ENGINE_ASK_LOGIN)
		refuse(engine, login, out);
	else if (rest) /* what follows of the line would be read as commands */
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_LOGIN_LONG, out);
	engine_over(engine, out);
}
