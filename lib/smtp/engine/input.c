/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <string.h>

/* Begins an input. */
void engine_begin(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	assert(out->client_room >= ENGINE_CLIENT_ROOM && out->server_room >= ENGINE_SERVER_ROOM);
	out->client_len = out->server_len = out->text_len = 0;
	out->more = out->close_server = out->server_broken = out->recipient_done = out->text_done =
		false;
	out->message_done = ENGINE_OUTCOME_NONE;
	out->host_failed = ENDING_NONE;
	out->said = ENGINE_SAID_NOTHING;
	out->recipient = out->message = out->host = (struct engine_reply){.text = ""};
	if (now_ms > engine->now_ms)
		engine->now_ms = now_ms;
	if (engine->spoken)
		engine_login_forget(engine);
	if (engine->answered)
		smtp_command_drop(&engine->command);
	engine->answered = false;
}

/* Ends it. A line that was answered stays in front until the next input: its recipient may be asked
 * for. */
void engine_over(struct engine *engine, struct engine_out *out)
{
	if (engine->state != ENGINE_COMMAND)
		return;
	if (engine->spoken) { /* it stands in front, and goes first */
		out->more = engine->client_closed || engine->client_gone ||
			    engine->wanted != ENDING_NONE;
		return;
	}
	bool due = engine->client_closed || engine->client_gone ||
		   (engine->wanted != ENDING_NONE &&
			   (engine->wanted != ENDING_DRAINING || !engine->mail));
	bool line = engine->answered ? smtp_command_has_behind(&engine->command)
				     : smtp_command_next(&engine->command,
					       engine->flags & ENGINE_REPAIR) != SMTP_COMMAND_MORE;
	out->more = due || line;
}

void engine_greet(struct engine *engine, const struct smtp_refusal *refusal, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_GREET && refusal) {
		engine_say_refusal(engine, refusal, out);
		engine_finish(engine, ENDING_ANSWERED, ENGINE_WORDS_NONE, out);
	} else if (engine->state == ENGINE_GREET) {
		engine_say(engine, ENGINE_WORDS_GREETING, out);
		engine_enter(engine, ENGINE_COMMAND);
	}
	engine_over(engine, out);
}

void engine_client_secured(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_CLIENT_TLS) {
		engine->client_secured = true;
		engine_enter(engine, engine->begun ? ENGINE_COMMAND : ENGINE_GREET);
		if (engine->state == ENGINE_GREET && engine->wanted == ENDING_DRAINING)
			engine_finish(engine, ENDING_DRAINING, ENGINE_WORDS_DRAINING, out);
	}
	engine_over(engine, out);
}

void engine_client_unfit(
	struct engine *engine, enum ending why, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_CLIENT_TLS)
		engine_finish(engine, why, ENGINE_WORDS_NONE, out);
	engine_over(engine, out);
}

size_t engine_client_room(const struct engine *engine)
{
	if (engine->state == ENGINE_END || engine->state == ENGINE_CLIENT_TLS ||
		engine->client_closed)
		return 0;
	if (engine->state == ENGINE_BODY || engine->state == ENGINE_DRAIN)
		return engine_text_waits(engine) ? 0 : SIZE_MAX;
	return smtp_command_room(&engine->command) +
	       (engine->answered || engine->spoken ? engine->command.taken : 0u);
}

/* GET, POST, CONNECT or a TLS hello: no mail client, which no reply would help. */
static bool is_foreign(const char *bytes, size_t len)
{
	size_t at, args;
	const char *end = memchr(bytes, '\r', len);

	return bytes[0] == 0x16 || smtp_command_verb(bytes, end ? (size_t)(end - bytes) : len, &at,
					   &args) == SMTP_VERB_FOREIGN;
}

static void on_early(struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	enum engine_words words = is_foreign(bytes, len)           ? ENGINE_WORDS_NONE
				  : engine->flags & ENGINE_SESSION ? ENGINE_WORDS_EARLY_SESSION
								   : ENGINE_WORDS_EARLY_TALK;

	engine_finish(engine, ENDING_PROTOCOL, words, out);
}

/* Bytes of the client while no text is read. */
static size_t take_commands(
	struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	switch ((enum engine_state)engine->state) {
	case ENGINE_CLIENT_TLS: /* in clear: nobody may hear them */
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_NONE, out);
		return len;
	case ENGINE_GREET:
		on_early(engine, bytes, len, out);
		return len;
	case ENGINE_ASK_DATA:
	case ENGINE_DATA:
	case ENGINE_TRACE:
		if (engine_is_behind(engine))
			break;
		/* a text before its 354 */
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_PIPELINING, out);
		return len;
	case ENGINE_END:
		return len;
	case ENGINE_COMMAND:
		len = smtp_command_add(&engine->command, bytes, len);
		engine_command(engine, out);
		return len;
	case ENGINE_RESPONSE:
		len = smtp_command_add(&engine->command, bytes, len);
		engine_response(engine, out);
		return len;
	case ENGINE_ASK_LOGIN: /* it did not wait */
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_PIPELINING, out);
		return len;
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_OPEN:
	case ENGINE_GREETING:
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
	case ENGINE_RCPT:
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
	case ENGINE_NOOP:
	case ENGINE_GIVE:
	case ENGINE_DOT:
	case ENGINE_DRAIN:
	case ENGINE_LAST:
		break;
	}
	return smtp_command_add(&engine->command, bytes, len);
}

size_t engine_client(struct engine *engine, const void *bytes, size_t len, uint64_t now_ms,
	struct engine_out *out)
{
	size_t used = 0;

	engine_begin(engine, now_ms, out);
	if (engine->state != ENGINE_BODY && engine->state != ENGINE_DRAIN) {
		if (len > 0)
			used = take_commands(engine, bytes, len, out);
	} else {
		used = engine_text(engine, bytes, len, out);
		if (engine->state != ENGINE_BODY && engine->state != ENGINE_DRAIN)
			used += smtp_command_add(
				&engine->command, (const char *)bytes + used, len - used);
	}
	engine->rest = used < len;
	engine_over(engine, out);
	return used;
}

void engine_client_closed(struct engine *engine, bool gone, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	engine->client_closed = true;
	engine->client_gone = engine->client_gone || gone;
	switch ((enum engine_state)engine->state) {
	case ENGINE_BODY:
	case ENGINE_DRAIN:
		engine_finish(engine, ENDING_LEFT_IN_DATA, ENGINE_WORDS_NONE, out);
		break;
	case ENGINE_DOT:
		engine->client_lost = engine->client_gone;
		break;
	case ENGINE_CLIENT_TLS:
		engine_finish(engine,
			engine->client_gone ? ENDING_CLIENT_RESET
			: engine->begun     ? ENDING_LEFT_AFTER_STARTTLS
					    : ENDING_LEFT_BEFORE_GREETING,
			ENGINE_WORDS_NONE, out);
		break;
	case ENGINE_RESPONSE: /* what it has to say does not come */
		engine_finish(engine,
			engine->client_gone ? ENDING_CLIENT_RESET : ENDING_LEFT_AFTER_AUTH,
			ENGINE_WORDS_NONE, out);
		break;
	case ENGINE_COMMAND:
	case ENGINE_END:
		break;
	case ENGINE_GREET:
	case ENGINE_ASK_LOGIN:
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_OPEN:
	case ENGINE_GREETING:
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
	case ENGINE_RCPT:
	case ENGINE_DATA:
	case ENGINE_TRACE:
	case ENGINE_ASK_DOT:
	case ENGINE_NOOP:
	case ENGINE_GIVE:
	case ENGINE_LAST:
		if (engine->client_gone)
			engine_finish(engine, ENDING_CLIENT_RESET, ENGINE_WORDS_NONE, out);
		break;
	}
	engine_over(engine, out);
}

void engine_go(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_COMMAND)
		engine_command(engine, out);
	engine_over(engine, out);
}

void engine_verdict(struct engine *engine, const struct engine_verdict *verdict, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	bool meant = verdict->ask == engine->ask;
	if (meant && engine->state == ENGINE_ASK_MAIL)
		engine_mail_verdict(engine, verdict->refusal, out);
	else if (meant && engine->state == ENGINE_ASK_RCPT)
		engine_rcpt_verdict(engine, verdict, out);
	else if (meant && engine->state == ENGINE_ASK_DATA)
		engine_data_verdict(engine, verdict, out);
	else if (meant && engine->state == ENGINE_ASK_DOT)
		engine_dot_verdict(engine, verdict->refusal, out);
	engine_over(engine, out);
}

void engine_end(struct engine *engine, enum ending why, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->wanted == ENDING_NONE || engine->wanted == ENDING_DRAINING)
		engine->wanted = (uint8_t)why;
	if (engine->state == ENGINE_COMMAND) {
		if (why != ENDING_DRAINING || !engine->mail)
			engine_command(engine, out);
	} else if (engine->state == ENGINE_GREET && why == ENDING_DRAINING) {
		engine_finish(engine, why, ENGINE_WORDS_DRAINING, out);
	} else if (engine->state != ENGINE_DOT && engine->state != ENGINE_END &&
		   why != ENDING_DRAINING) {
		bool text = engine->state == ENGINE_BODY || engine->state == ENGINE_ASK_DOT ||
			    engine_is_behind(engine);
		bool deaf = engine->state == ENGINE_CLIENT_TLS;
		engine_transaction_end(
			engine, text ? ENGINE_OUTCOME_ENDED : ENGINE_OUTCOME_NONE, out);
		engine_finish(engine, why, deaf ? ENGINE_WORDS_NONE : ENGINE_WORDS_ENDED, out);
	}
	engine_over(engine, out);
}

void engine_time(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	const struct smtp_refusal *late = engine_refusal_of(ENGINE_WORDS_OWNER_LATE);
	const struct engine_verdict refused = {.refusal = late};

	engine_begin(engine, now_ms, out);
	if (engine->now_ms < engine->deadline_ms) {
		engine_over(engine, out);
		return;
	}
	switch ((enum engine_state)engine->state) {
	case ENGINE_CLIENT_TLS:
		engine_finish(engine, ENDING_HANDSHAKE_FAILED, ENGINE_WORDS_NONE, out);
		break;
	case ENGINE_GREET:
	case ENGINE_COMMAND:
	case ENGINE_RESPONSE:
		engine_finish(engine, ENDING_IDLE, ENGINE_WORDS_IDLE, out);
		break;
	case ENGINE_ASK_LOGIN:
		engine_say(engine, ENGINE_WORDS_LOGIN_LATER, out);
		engine_enter(engine, ENGINE_COMMAND);
		break;
	case ENGINE_ASK_MAIL:
		engine_mail_verdict(engine, late, out);
		break;
	case ENGINE_ASK_RCPT:
		engine_rcpt_verdict(engine, &refused, out);
		break;
	case ENGINE_ASK_DATA:
		engine_data_verdict(engine, &refused, out);
		break;
	case ENGINE_ASK_DOT:
		if (engine->now_ms >= engine->heard_ms + engine->scan_ms)
			engine_dot_verdict(engine, engine_refusal_of(ENGINE_WORDS_SCAN_LATE), out);
		else
			engine_noop(engine, out);
		break;
	case ENGINE_NOOP:
	case ENGINE_GIVE:
		engine_whole_late(engine, out);
		break;
	case ENGINE_OPEN:
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, ENDING_CONNECT_TIMEOUT, out);
		break;
	case ENGINE_STARTTLS:
	case ENGINE_SERVER_TLS:
		engine_tls_failed(engine, "no handshake in time", out);
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
		engine_host_failed(engine, ENGINE_WORDS_NO_SERVER, ENDING_GREETING_TIMEOUT, out);
		break;
	case ENGINE_RCPT:
		engine_rcpt_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
		break;
	case ENGINE_DATA:
		if (engine_is_behind(engine))
			engine_whole_late(engine, out);
		else
			engine_data_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
		break;
	case ENGINE_TRACE:
		engine_text_spoil(engine, ENGINE_WORDS_OWNER_LATE, false, out);
		break;
	case ENGINE_BODY:
		if (engine_noop_is_due(engine))
			engine_noop(engine, out);
		else
			engine_text_late(engine, out);
		break;
	case ENGINE_DRAIN:
	case ENGINE_LAST:
		engine_text_late(engine, out);
		break;
	case ENGINE_DOT:
		engine_dot_unknown(engine, out);
		break;
	case ENGINE_END:
		break;
	}
	engine_over(engine, out);
}
