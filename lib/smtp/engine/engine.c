/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const engine_state_names[] = {
	[ENGINE_CLIENT_TLS] = "client-tls",
	[ENGINE_GREET] = "greet",
	[ENGINE_COMMAND] = "command",
	[ENGINE_ASK_LOGIN] = "ask-login",
	[ENGINE_RESPONSE] = "response",
	[ENGINE_ASK_MAIL] = "ask-mail",
	[ENGINE_ASK_RCPT] = "ask-rcpt",
	[ENGINE_ASK_DATA] = "ask-data",
	[ENGINE_OPEN] = "open",
	[ENGINE_GREETING] = "greeting",
	[ENGINE_EHLO] = "ehlo",
	[ENGINE_STARTTLS] = "starttls",
	[ENGINE_SERVER_TLS] = "server-tls",
	[ENGINE_IDENTITY] = "identity",
	[ENGINE_XCLIENT] = "xclient",
	[ENGINE_LOGIN] = "login",
	[ENGINE_AUTH] = "auth",
	[ENGINE_RSET] = "rset",
	[ENGINE_SENDER] = "sender",
	[ENGINE_MAIL] = "mail",
	[ENGINE_RCPT] = "rcpt",
	[ENGINE_DATA] = "data",
	[ENGINE_TRACE] = "trace",
	[ENGINE_BODY] = "body",
	[ENGINE_ASK_DOT] = "ask-dot",
	[ENGINE_NOOP] = "noop",
	[ENGINE_GIVE] = "give",
	[ENGINE_DOT] = "dot",
	[ENGINE_DRAIN] = "drain",
	[ENGINE_LAST] = "last",
	[ENGINE_END] = "end",
};
static_assert(sizeof(engine_state_names) / sizeof(engine_state_names[0]) == ENGINE_STATES,
	"a name for each");

const char *const engine_outcome_names[] = {
	[ENGINE_OUTCOME_NONE] = "none",
	[ENGINE_OUTCOME_DELIVERED] = "delivered",
	[ENGINE_OUTCOME_REFUSED] = "refused",
	[ENGINE_OUTCOME_REJECTED] = "rejected",
	[ENGINE_OUTCOME_LEFT] = "left",
	[ENGINE_OUTCOME_SERVER_LOST] = "server-lost",
	[ENGINE_OUTCOME_UNKNOWN] = "unknown",
	[ENGINE_OUTCOME_ENDED] = "ended",
	[ENGINE_OUTCOME_NO_RECIPIENT] = "no-recipient",
	[ENGINE_OUTCOME_ABANDONED] = "abandoned",
};
static_assert(sizeof(engine_outcome_names) / sizeof(engine_outcome_names[0]) == ENGINE_OUTCOMES,
	"a name for each");

enum engine_waits engine_waits_of(enum engine_state state)
{
	switch (state) {
	case ENGINE_COMMAND:
	case ENGINE_RESPONSE:
	case ENGINE_BODY:
	case ENGINE_DRAIN:
		return ENGINE_WAITS_CLIENT;
	case ENGINE_GREETING:
	case ENGINE_EHLO:
	case ENGINE_STARTTLS:
	case ENGINE_XCLIENT:
	case ENGINE_AUTH:
	case ENGINE_RSET:
	case ENGINE_MAIL:
	case ENGINE_RCPT:
	case ENGINE_DATA:
	case ENGINE_NOOP:
	case ENGINE_DOT:
	case ENGINE_LAST:
		return ENGINE_WAITS_SERVER;
	case ENGINE_CLIENT_TLS:
	case ENGINE_GREET:
	case ENGINE_ASK_LOGIN:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_OPEN:
	case ENGINE_SERVER_TLS:
	case ENGINE_IDENTITY:
	case ENGINE_LOGIN:
	case ENGINE_SENDER:
	case ENGINE_TRACE:
	case ENGINE_ASK_DOT:
	case ENGINE_GIVE:
		return ENGINE_WAITS_OWNER;
	case ENGINE_END:
		break;
	}
	return ENGINE_WAITS_NOTHING;
}

/* What is bounded by the reply to MAIL, too, of this host and over all hosts. */
static uint64_t within_first(const struct engine *engine, uint32_t ms)
{
	uint64_t at = engine->now_ms + ms;

	if (at > engine->host_ms)
		at = engine->host_ms;
	return at < engine->first_ms ? at : engine->first_ms;
}

static uint64_t deadline_of(const struct engine *engine, enum engine_state state)
{
	switch (state) {
	case ENGINE_COMMAND:
		return engine->now_ms +
		       (engine->begun ? ENGINE_COMMAND_MS : ENGINE_FIRST_COMMAND_MS);
	case ENGINE_RESPONSE:
		return engine->now_ms + ENGINE_COMMAND_MS;
	case ENGINE_ASK_LOGIN:
		return engine->now_ms + ENGINE_LOGIN_MS;
	case ENGINE_CLIENT_TLS:
		return engine->now_ms + ENGINE_TLS_MS;
	case ENGINE_GREET:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
		return engine->now_ms + ENGINE_OWNER_MS;
	case ENGINE_TRACE:
		return engine_whole_deadline(engine, engine->now_ms + ENGINE_OWNER_MS);
	case ENGINE_ASK_DOT:
		return engine_whole_deadline(engine, engine->heard_ms + engine->scan_ms);
	case ENGINE_NOOP:
		return engine_whole_deadline(engine, engine->noop_ms);
	case ENGINE_GIVE:
		return engine_whole_deadline(engine,
			engine->now_ms + (engine->blocked ? ENGINE_STALL_MS : ENGINE_OWNER_MS));
	case ENGINE_OPEN:
		return engine->first_ms;
	case ENGINE_GREETING:
		return within_first(engine, engine->greeting_ms);
	case ENGINE_EHLO:
	case ENGINE_STARTTLS:
	case ENGINE_SERVER_TLS:
	case ENGINE_IDENTITY:
	case ENGINE_XCLIENT:
	case ENGINE_LOGIN:
	case ENGINE_AUTH:
	case ENGINE_RSET:
	case ENGINE_SENDER:
	case ENGINE_MAIL:
		return within_first(engine, engine->command_ms);
	case ENGINE_RCPT:
		return engine->now_ms + ENGINE_REPLY_MS;
	case ENGINE_DATA:
		return engine_whole_deadline(engine, engine->now_ms + ENGINE_DATA_MS);
	case ENGINE_BODY:
	case ENGINE_DRAIN:
		return engine_text_deadline(engine);
	case ENGINE_DOT:
		return engine->now_ms + ENGINE_DOT_MS;
	case ENGINE_LAST:
		return engine->now_ms + ENGINE_LAST_MS;
	case ENGINE_END:
		break;
	}
	return UINT64_MAX;
}

void engine_enter(struct engine *engine, enum engine_state state)
{
	engine->state = (uint8_t)state;
	engine->ask += state == ENGINE_ASK_MAIL || state == ENGINE_ASK_RCPT ||
		       state == ENGINE_ASK_DATA || state == ENGINE_ASK_DOT;
	engine->deadline_ms = deadline_of(engine, state);
}

void engine_wait(struct engine *engine)
{
	engine->deadline_ms = deadline_of(engine, (enum engine_state)engine->state);
}

void engine_answered(struct engine *engine)
{
	engine->answered = true;
	engine_enter(engine, ENGINE_COMMAND);
}

void engine_finish(
	struct engine *engine, enum ending ending, enum engine_words words, struct engine_out *out)
{
	engine_server_quit(engine, out);
	engine_text_end(engine, out);
	if (words != ENGINE_WORDS_NONE) {
		const struct smtp_refusal refusal = engine_refusal_ending(engine, words);
		engine_say_refusal(engine, &refusal, out);
	}
	engine_transaction_end(engine, ENGINE_OUTCOME_NONE, out);
	engine_server_drop(engine, out);
	engine->ending = (uint8_t)ending;
	/* what the client pipelined behind may be a login */
	smtp_command_cut(&engine->command);
	engine_enter(engine, ENGINE_END);
}

void engine_init(struct engine *engine, const struct engine_setup *setup, uint64_t now_ms)
{
	memset(engine, 0, sizeof(*engine));
	engine->flow = setup->flow;
	engine->size_max = setup->size_max < UINT32_MAX ? (uint32_t)setup->size_max : UINT32_MAX;
	engine->recipients_max = setup->recipients_max;
	engine->flags = setup->flags;
	engine->now_ms = now_ms;
	engine_enter(
		engine, setup->flags & ENGINE_CLIENT_AT_ONCE ? ENGINE_CLIENT_TLS : ENGINE_GREET);
}
