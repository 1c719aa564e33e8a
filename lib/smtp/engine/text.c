/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <string.h>

void engine_data(struct engine *engine, struct engine_out *out)
{
	if (!engine->mail) {
		engine_error(engine, ENGINE_WORDS_MAIL_FIRST, out);
	} else if (engine->recipients == 0) {
		engine_error(engine, ENGINE_WORDS_RCPT_FIRST, out);
	} else if (engine->accepted == 0) {
		engine_say(engine, ENGINE_WORDS_NO_RECIPIENT, out);
		engine_answered(engine);
	} else if (engine->link != ENGINE_LINK_BOUND) {
		engine_data_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
	} else {
		engine_enter(engine, ENGINE_ASK_DATA);
	}
}

void engine_data_verdict(
	struct engine *engine, const struct engine_verdict *verdict, struct engine_out *out)
{
	if (verdict->refusal) {
		engine_say_refusal(engine, verdict->refusal, out);
		engine_answered(engine);
		return;
	}
	if (engine->link != ENGINE_LINK_BOUND) {
		engine_data_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
		return;
	}
	bool bounded = verdict->scan_ms > 0 && verdict->scan_ms < ENGINE_SCAN_MS;
	engine->scan_ms = bounded ? verdict->scan_ms : ENGINE_SCAN_MS;
	engine->mode = (uint8_t)verdict->mode & 3;
	if (engine_is_whole(engine)) {
		engine_whole_begin(engine, out);
	} else {
		engine_server_say(engine, ENGINE_DATA, "DATA\r\n", out);
	}
}

/* The recipients that were told yes cannot be had any more: the client comes again. */
void engine_data_lost(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	const struct smtp_refusal refusal = engine_refusal_ending(engine, words);

	engine_server_drop(engine, out);
	engine_say_refusal(engine, &refusal, out);
	out->message = engine_reply_of(&refusal);
	engine_transaction_end(engine, ENGINE_OUTCOME_NONE, out);
	engine_answered(engine);
}

void engine_data_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 354) {
		engine_enter(engine, ENGINE_TRACE);
	} else if (engine_is_behind(engine)) {
		engine_whole_data_replied(engine, code, out);
	} else if (code == 421) {
		engine_data_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
	} else if (engine_is_about_us(code)) {
		out->host = engine_reply_of_line(engine, code);
		engine_data_lost(engine, ENGINE_WORDS_INTERNAL, out);
	} else if (code / 100 < 4) {
		engine_data_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
	} else {
		engine_pass(engine, code, true, out);
		out->message = engine_reply_of_line(engine, code);
		engine_answered(engine);
	}
}

void engine_text_begin(struct engine *engine)
{
	smtp_command_drop(&engine->command);
	assert(engine->command.len == 0);
	smtp_body_init(&engine->body, engine->flags & ENGINE_REPAIR);
	engine->size = 0;
	engine->pace_bytes = 0;
	engine->why = ENGINE_WORDS_NONE;
	engine->outcome = ENGINE_OUTCOME_NONE;
	engine->client_lost = engine->held = false;
	engine->heard_ms = engine->pace_ms = engine->now_ms;
	engine_enter(engine, ENGINE_BODY);
}

void engine_trace(struct engine *engine, const char *text, size_t len, uint64_t now_ms,
	struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	bool due = engine->state == ENGINE_TRACE && len <= ENGINE_TRACE_MAX;
	if (due && engine->client_closed && !engine_is_behind(engine)) {
		engine_finish(engine, ENDING_LEFT_IN_DATA, ENGINE_WORDS_NONE, out);
	} else if (due) {
		memcpy(out->server, text, len);
		out->server_len = len;
		if (engine_is_behind(engine)) {
			engine->given = SMTP_STUFF_LINE;
			engine_enter(engine, ENGINE_GIVE);
		} else {
			engine_pass(engine, 354, true, out);
			engine_text_begin(engine);
		}
	}
	engine_over(engine, out);
}

/* No command was kept beside the text; what comes now is one. */
void engine_text_end(struct engine *engine, struct engine_out *out)
{
	if (engine->state != ENGINE_BODY && engine->state != ENGINE_DRAIN)
		return;
	const struct smtp_header *header = &engine->body.header;
	if (engine->state == ENGINE_DRAIN && engine->why == ENGINE_WORDS_KEPT)
		out->message = engine_reply_of_line(engine, engine->reply_code);
	out->text_done = true;
	memcpy(out->message_id, header->message_id, header->message_id_bytes);
	out->message_id[header->message_id_bytes] = '\0';
	engine->size = engine->body.bytes;
	memset(&engine->command, 0, offsetof(struct smtp_command, bytes));
}

uint64_t engine_text_deadline(const struct engine *engine)
{
	uint64_t stall = engine->heard_ms + ENGINE_STALL_MS;
	uint64_t pace = engine->pace_ms + ENGINE_PACE_MS;
	uint64_t drain = engine->drain_ms + ENGINE_DRAIN_MS;
	uint64_t at = stall < pace || engine_text_waits(engine) ? stall : pace;

	if (engine->state == ENGINE_DRAIN)
		return drain < at ? drain : at;
	return engine_is_whole(engine) && engine->noop_ms < at ? engine->noop_ms : at;
}

bool engine_text_waits(const struct engine *engine)
{
	return engine->state == ENGINE_BODY &&
	       (engine->held || (engine->blocked && !engine_is_whole(engine)));
}

void engine_text_resume(struct engine *engine)
{
	engine->heard_ms = engine->pace_ms = engine->now_ms;
	engine->pace_bytes = 0;
	engine_wait(engine);
}

void engine_text_held(struct engine *engine, bool held, uint64_t now_ms)
{
	if (now_ms > engine->now_ms)
		engine->now_ms = now_ms;
	if (engine->state != ENGINE_BODY || engine->mode == ENGINE_MODE_STREAM ||
		engine->held == held)
		return;
	engine->held = held;
	engine_text_resume(engine);
}

/* The reply to the dot of a text that was given up. */
static void answer(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	if (refusal) {
		const struct smtp_refusal said = engine_ending_with(engine, refusal);
		engine_say_refusal(engine, &said, out);
		out->message = engine_reply_of(&said);
	} else {
		engine_say(engine, ENGINE_WORDS_KEPT, out);
		out->message = engine_reply_of_line(engine, engine->reply_code);
	}
	engine_transaction_end(engine, (enum engine_outcome)engine->outcome, out);
	engine_enter(engine, ENGINE_COMMAND);
}

/* What a text must not be, known while it comes. */
static enum engine_words spoiled_by(const struct engine *engine)
{
	const struct smtp_body *body = &engine->body;

	if (body->bad)
		return ENGINE_WORDS_BAD_TEXT;
	if (body->bytes > engine->text_max)
		return ENGINE_WORDS_TOO_BIG;
	if (body->header.received >= ENGINE_RECEIVED_MAX)
		return ENGINE_WORDS_LOOP;
	if (body->header.eight_bit && engine->parameters.utf8 &&
		!(engine->offers.words & SMTP_PARAMETER_SMTPUTF8))
		return ENGINE_WORDS_UTF8_HEADER;
	return ENGINE_WORDS_NONE;
}

/* Of two faults of a text it is not what was seen first, which would be a matter of segments. */
static const struct smtp_refusal *refusal_of(const struct engine *engine)
{
	bool ours = engine->state == ENGINE_DRAIN && engine->outcome == ENGINE_OUTCOME_REJECTED;
	enum engine_words words = ours ? spoiled_by(engine) : ENGINE_WORDS_NONE;

	if (words == ENGINE_WORDS_NONE)
		words = (enum engine_words)engine->why;

	if (words == ENGINE_WORDS_KEPT)
		return NULL;
	return words == ENGINE_WORDS_BAD_TEXT ? smtp_body_refusal(&engine->body)
					      : engine_refusal_of(words);
}

static enum engine_outcome outcome_of(enum engine_words words)
{
	if (words == ENGINE_WORDS_KEPT)
		return ENGINE_OUTCOME_REFUSED;
	if (words == ENGINE_WORDS_SERVER_LOST || words == ENGINE_WORDS_SERVER_WRONG)
		return ENGINE_OUTCOME_SERVER_LOST;
	return ENGINE_OUTCOME_REJECTED;
}

static void set_why(struct engine *engine, enum engine_words words)
{
	engine->why = (uint8_t)words;
	engine->outcome = (uint8_t)outcome_of(words);
}

void engine_text_spoil(
	struct engine *engine, enum engine_words words, bool hears, struct engine_out *out)
{
	enum engine_state state = (enum engine_state)engine->state;

	out->server_len = out->text_len = 0;
	if (state == ENGINE_TRACE && !engine_is_behind(engine)) { /* no 354 went to the client */
		engine_data_lost(engine, words, out);
		return;
	}
	set_why(engine, words);
	engine->hears = hears;
	if (!hears) {
		if (engine->outcome == ENGINE_OUTCOME_REJECTED) /* the server did nothing wrong */
			engine_server_quit(engine, out);
		engine_server_drop(engine, out);
	}
	if (state == ENGINE_BODY) {
		smtp_body_discard(&engine->body);
		/* what the server took of the time is none of the client's */
		engine->drain_ms = engine->heard_ms = engine->pace_ms = engine->now_ms;
		engine->pace_bytes = 0;
		engine_enter(engine, ENGINE_DRAIN);
	} else if (hears) {
		engine_enter(engine, ENGINE_LAST);
	} else {
		answer(engine, refusal_of(engine), out);
	}
}

void engine_text_heard(struct engine *engine, unsigned code, struct engine_out *out)
{
	engine->hears = false;
	if (code == 421 || code == 0) {
		set_why(engine, ENGINE_WORDS_SERVER_LOST);
	} else if (code / 100 < 4) {
		set_why(engine, ENGINE_WORDS_SERVER_WRONG);
		out->server_broken = true;
	} else {
		set_why(engine, ENGINE_WORDS_KEPT);
	}
	engine_server_drop(engine, out);
	if (engine->state == ENGINE_LAST)
		answer(engine, refusal_of(engine), out);
}

static void on_end(struct engine *engine, struct engine_out *out)
{
	const struct smtp_refusal *refusal = refusal_of(engine);

	engine_text_end(engine, out);
	if (engine->state == ENGINE_BODY)
		engine_enter(engine, ENGINE_ASK_DOT);
	else if (engine->hears)
		engine_enter(engine, ENGINE_LAST);
	else
		answer(engine, refusal, out);
}

size_t engine_text(struct engine *engine, const char *bytes, size_t len, struct engine_out *out)
{
	struct smtp_body_out sent = {out->server, out->server_room, 0};
	struct smtp_body_out stored = {out->text, out->text_room, 0};
	bool seen = engine->mode != ENGINE_MODE_STREAM;
	size_t used;

	assert(!seen || engine->state == ENGINE_DRAIN || out->text_room >= ENGINE_TEXT_ROOM);
	enum smtp_body_status status = smtp_body_feed(&engine->body, bytes, len, &used,
		engine_is_whole(engine) ? NULL : &sent, seen ? &stored : NULL);
	out->server_len = sent.len;
	out->text_len = stored.len;
	if (engine->state == ENGINE_BODY) {
		enum engine_words words = spoiled_by(engine);
		if (words != ENGINE_WORDS_NONE)
			engine_text_spoil(engine, words, false, out);
	}
	if (used > 0) {
		engine->heard_ms = engine->now_ms;
		engine->pace_bytes +=
			(uint32_t)(used < ENGINE_PACE_BYTES ? used : ENGINE_PACE_BYTES);
		if (engine->pace_bytes > ENGINE_PACE_BYTES)
			engine->pace_bytes = ENGINE_PACE_BYTES;
		engine->deadline_ms = engine_text_deadline(engine);
	}
	if (status == SMTP_BODY_END)
		on_end(engine, out);
	return used;
}

void engine_text_late(struct engine *engine, struct engine_out *out)
{
	bool stalled = engine->now_ms >= engine->heard_ms + ENGINE_STALL_MS;

	if (engine->state == ENGINE_LAST) {
		engine_text_heard(engine, 0, out);
		return;
	}
	if (engine_text_waits(engine)) {
		engine_text_spoil(engine,
			engine->held ? ENGINE_WORDS_OWNER_LATE : ENGINE_WORDS_SERVER_LOST, false,
			out);
		return;
	}
	if (engine->state == ENGINE_DRAIN && engine->now_ms >= engine->drain_ms + ENGINE_DRAIN_MS) {
		const struct smtp_refusal *refusal = refusal_of(engine);
		engine_text_end(engine, out);
		engine_server_drop(engine, out);
		answer(engine, refusal, out);
		engine_finish(engine, ENDING_IDLE, ENGINE_WORDS_SLOW, out);
		return;
	}
	if (!stalled && engine->pace_bytes >= ENGINE_PACE_BYTES) {
		engine->pace_ms = engine->now_ms;
		engine->pace_bytes = 0;
		engine_enter(engine, (enum engine_state)engine->state);
		return;
	}
	engine_finish(engine, ENDING_IDLE, ENGINE_WORDS_SLOW, out);
}

void engine_dot_verdict(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	if (!refusal && engine_is_whole(engine)) {
		engine_whole_say(engine, out);
		return;
	}
	if (!refusal) {
		engine_server_say(engine, ENGINE_DOT, SMTP_BODY_DOT, out);
		return;
	}
	/* what has nothing of the text is good for another */
	if (!engine_is_whole(engine) || engine->noop)
		engine_server_drop(engine, out);
	engine->outcome = ENGINE_OUTCOME_REJECTED;
	answer(engine, refusal, out);
}

void engine_dot_unknown(struct engine *engine, struct engine_out *out)
{
	engine_server_drop(engine, out);
	engine_transaction_end(engine, ENGINE_OUTCOME_UNKNOWN, out);
	engine_finish(engine, ENDING_SERVER_LEFT_IN_DATA, ENGINE_WORDS_NONE, out);
}

void engine_dot_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 3) {
		engine_dot_unknown(engine, out);
		return;
	}
	engine_pass(engine, engine_code_for_client(code), true, out);
	out->message = engine_reply_of_line(engine, code);
	engine->delivered += code / 100 == 2;
	if (code == 421)
		engine_server_drop(engine, out);
	else
		engine->link = ENGINE_LINK_KEPT;
	engine_transaction_end(
		engine, code / 100 == 2 ? ENGINE_OUTCOME_DELIVERED : ENGINE_OUTCOME_REFUSED, out);
	engine_enter(engine, ENGINE_COMMAND);
}
