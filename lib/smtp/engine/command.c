/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"
#include "lib/smtp/name.h"

#include <string.h>

/* A command that is wrong: so many of them are no mail client. */
void engine_error_refusal(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	engine_say_refusal(engine, refusal, out);
	engine_answered(engine);
	if (++engine->errors >= ENGINE_ERRORS_MAX)
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_MANY_ERRORS, out);
}

void engine_error(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	engine_error_refusal(engine, engine_refusal_of(words), out);
}

static void say_done(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	engine_say(engine, words, out);
	engine_answered(engine);
}

/* RFC 5321 4.1.4: as if RSET were said. */
static void on_hello(
	struct engine *engine, bool helo, const char *name, size_t len, struct engine_out *out)
{
	char taken[SMTP_NAME_SIZE];
	size_t taken_len = smtp_name_parse(name, len, taken);

	if (taken_len == 0 || taken_len >= sizeof(engine->helo_name)) {
		engine_error(engine, ENGINE_WORDS_NO_NAME, out);
		return;
	}
	engine_transaction_end(engine, ENGINE_OUTCOME_NONE, out);
	memcpy(engine->helo_name, taken, taken_len + 1);
	engine->helo = helo;
	if (helo)
		engine_say(engine, ENGINE_WORDS_HELO, out);
	else
		engine_say_offers(engine, out);
	engine_answered(engine);
}

/* RFC 3207 4.2: what was said in clear anybody may have said. The server was told of it, too. */
static void forget(struct engine *engine, struct engine_out *out)
{
	engine_transaction_end(engine, ENGINE_OUTCOME_NONE, out);
	engine_server_quit(engine, out);
	engine_server_drop(engine, out);
	engine->helo_name[0] = '\0';
	engine->helo = engine->logged_in = false;
}

static void on_starttls(struct engine *engine, size_t arguments, struct engine_out *out)
{
	enum engine_words words = engine->client_secured ? ENGINE_WORDS_TLS_AGAIN
				  : !(engine->flags & ENGINE_CLIENT_STARTTLS)
					  ? ENGINE_WORDS_NOT_HERE
				  : arguments > 0                       ? ENGINE_WORDS_ARGUMENTS
				  : !engine->helo_name[0]               ? ENGINE_WORDS_HELO_FIRST
				  : engine->flags & ENGINE_CLIENT_LACKS ? ENGINE_WORDS_TLS_LACKS
									: ENGINE_WORDS_NONE;

	if (words != ENGINE_WORDS_NONE) {
		engine_error(engine, words, out);
		return;
	}
	forget(engine, out);
	engine_say(engine, ENGINE_WORDS_STARTTLS, out);
	engine_answered(engine);
	engine_enter(engine, ENGINE_CLIENT_TLS);
}

static void on_quit(struct engine *engine, struct engine_out *out)
{
	engine_finish(engine, ENDING_QUIT, ENGINE_WORDS_BYE, out);
}

/* What must be the last of a pipeline (RFC 2920 3.1, RFC 3207 4.2), and has bytes behind it: here,
 * or where there was no room for them. */
static bool is_overtaken(const struct engine *engine, enum smtp_verb verb)
{
	switch (verb) {
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
	case SMTP_VERB_DATA:
	case SMTP_VERB_QUIT:
	case SMTP_VERB_STARTTLS:
	case SMTP_VERB_AUTH:
		return engine->rest || smtp_command_has_behind(&engine->command);
	case SMTP_VERB_NONE:
	case SMTP_VERB_MAIL:
	case SMTP_VERB_RCPT:
	case SMTP_VERB_RSET:
	case SMTP_VERB_NOOP:
	case SMTP_VERB_VRFY:
	case SMTP_VERB_HELP:
	case SMTP_VERB_BDAT:
	case SMTP_VERB_NEVER:
	case SMTP_VERB_FOREIGN:
		break;
	}
	return false;
}

/* What is of mail: where that has to be said in TLS, it is not said in clear. */
static bool is_secret(const struct engine *engine, enum smtp_verb verb)
{
	if (engine->client_secured || !(engine->flags & ENGINE_CLIENT_SECURE))
		return false;
	return verb == SMTP_VERB_MAIL || verb == SMTP_VERB_RCPT || verb == SMTP_VERB_DATA ||
	       verb == SMTP_VERB_VRFY || verb == SMTP_VERB_HELP;
}

static bool takes_no_arguments(enum smtp_verb verb)
{
	return verb == SMTP_VERB_DATA || verb == SMTP_VERB_RSET || verb == SMTP_VERB_QUIT;
}

static void on_line(struct engine *engine, struct engine_out *out)
{
	const char *line = engine->command.bytes;
	size_t at, len;
	enum smtp_verb verb = smtp_command_verb(line, engine->command.line, &at, &len);

	if (is_overtaken(engine, verb)) {
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_PIPELINING, out);
		return;
	}
	if (takes_no_arguments(verb) && len > 0) {
		engine_error(engine, ENGINE_WORDS_ARGUMENTS, out);
		return;
	}
	engine->asked = engine->asked || verb == SMTP_VERB_MAIL;
	if (is_secret(engine, verb)) {
		engine_error(engine, ENGINE_WORDS_TLS_FIRST, out);
		return;
	}
	switch (verb) {
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
		on_hello(engine, verb == SMTP_VERB_HELO, line + at, len, out);
		break;
	case SMTP_VERB_MAIL:
		engine_mail(engine, line + at, len, out);
		break;
	case SMTP_VERB_RCPT:
		engine_rcpt(engine, line + at, len, out);
		break;
	case SMTP_VERB_DATA:
		engine_data(engine, out);
		break;
	case SMTP_VERB_RSET:
		engine_transaction_end(engine, ENGINE_OUTCOME_NONE, out);
		say_done(engine, ENGINE_WORDS_OK, out);
		break;
	case SMTP_VERB_NOOP:
		say_done(engine, ENGINE_WORDS_OK, out);
		break;
	case SMTP_VERB_QUIT:
		on_quit(engine, out);
		break;
	case SMTP_VERB_VRFY:
		say_done(engine, ENGINE_WORDS_VRFY, out);
		break;
	case SMTP_VERB_HELP:
		say_done(engine, ENGINE_WORDS_HELP, out);
		break;
	case SMTP_VERB_BDAT: /* what follows would be raw text */
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_BDAT, out);
		break;
	case SMTP_VERB_STARTTLS:
		on_starttls(engine, len, out);
		break;
	case SMTP_VERB_AUTH:
		engine_auth(engine, line + at, len, out);
		break;
	case SMTP_VERB_NEVER:
		engine_error(engine, ENGINE_WORDS_NOT_HERE, out);
		break;
	case SMTP_VERB_FOREIGN:
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_NONE, out);
		break;
	case SMTP_VERB_NONE:
		engine_error(engine, ENGINE_WORDS_UNKNOWN, out);
		break;
	}
}

static void on_control(struct engine *engine, struct engine_out *out)
{
	if (++engine->controls == ENGINE_CONTROLS_MAX)
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_CONTROL, out);
	else
		engine_error(engine, ENGINE_WORDS_CONTROL, out);
}

/* How a client that closed is told of. */
static enum ending ending_of_left(const struct engine *engine)
{
	if (engine->client_gone)
		return ENDING_CLIENT_RESET;
	if (engine->delivered > 0)
		return ENDING_CLIENT_CLOSED;
	if (engine->client_secured && engine->begun && !engine->helo_name[0])
		return ENDING_LEFT_AFTER_STARTTLS;
	if (engine->asked)
		return ENDING_LEFT_AFTER_MAIL;
	if (engine->logged_in)
		return ENDING_CLIENT_CLOSED;
	if (engine->tried)
		return ENDING_LEFT_AFTER_AUTH;
	return engine->helo_name[0] ? ENDING_LEFT_AFTER_EHLO : ENDING_LEFT_AFTER_GREETING;
}

void engine_command(struct engine *engine, struct engine_out *out)
{
	enum ending wanted = (enum ending)engine->wanted;

	if (engine->client_gone) {
		engine_finish(engine, ending_of_left(engine), ENGINE_WORDS_NONE, out);
		return;
	}
	if (wanted != ENDING_NONE && (wanted != ENDING_DRAINING || !engine->mail)) {
		engine_finish(engine, wanted,
			wanted == ENDING_DRAINING ? ENGINE_WORDS_DRAINING : ENGINE_WORDS_ENDED,
			out);
		return;
	}
	if (engine_auth_long(engine, out))
		return;
	enum smtp_command_status status =
		smtp_command_next(&engine->command, engine->flags & ENGINE_REPAIR);
	engine->begun = engine->begun || status != SMTP_COMMAND_MORE;
	switch (status) {
	case SMTP_COMMAND_MORE:
		if (engine->client_closed)
			engine_finish(engine, ending_of_left(engine), ENGINE_WORDS_NONE, out);
		break;
	case SMTP_COMMAND_LINE:
		on_line(engine, out);
		break;
	case SMTP_COMMAND_LONG:
		engine_error(engine, ENGINE_WORDS_LONG, out);
		break;
	case SMTP_COMMAND_CONTROL:
		on_control(engine, out);
		break;
	case SMTP_COMMAND_BARE:
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_BARE, out);
		break;
	case SMTP_COMMAND_HELLO:
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_NONE, out);
		break;
	}
}
