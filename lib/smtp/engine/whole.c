/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text that is kept whole: the client says all of it while the server idles, and the server hears
 * of it behind the verdict. */
#include "lib/smtp/engine/parts.h"

bool engine_is_whole(const struct engine *engine)
{
	return engine->mode == ENGINE_MODE_WHOLE;
}

bool engine_is_behind(const struct engine *engine)
{
	bool data = engine->state == ENGINE_DATA || engine->state == ENGINE_TRACE;

	return engine->state == ENGINE_NOOP || engine->state == ENGINE_GIVE ||
	       (data && engine_is_whole(engine));
}

/* A client that waited for so long behind its dot has given up (RFC 5321 4.5.3.2.6): what the
 * server took then would come twice. */
static uint64_t before_client_leaves(const struct engine *engine, uint64_t at_ms)
{
	uint64_t end_ms = engine->heard_ms + ENGINE_DOT_MS;

	return at_ms < end_ms ? at_ms : end_ms;
}

uint64_t engine_whole_deadline(const struct engine *engine, uint64_t at_ms)
{
	if (engine_is_behind(engine))
		at_ms = before_client_leaves(engine, at_ms);
	else if (engine_is_whole(engine) && engine->noop_ms < at_ms)
		at_ms = engine->noop_ms;
	return at_ms > engine->now_ms ? at_ms : engine->now_ms;
}

void engine_whole_begin(struct engine *engine, struct engine_out *out)
{
	if (engine->client_closed) {
		engine_finish(engine, ENDING_LEFT_IN_DATA, ENGINE_WORDS_NONE, out);
		return;
	}
	uint64_t due_ms = engine->heard_ms + ENGINE_NOOP_MS;
	engine->noop_ms = due_ms > engine->now_ms ? due_ms : engine->now_ms;
	engine_say(engine, ENGINE_WORDS_SAY_TEXT, out);
	engine_text_begin(engine);
}

bool engine_noop_is_due(const struct engine *engine)
{
	return engine_is_whole(engine) && engine->now_ms >= engine->noop_ms;
}

void engine_noop(struct engine *engine, struct engine_out *out)
{
	if (engine->noop) {
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_LOST, false, out);
		return;
	}
	engine_server_put(engine, "NOOP\r\n", out);
	engine->noop = true;
	engine->noop_ms = engine->now_ms + ENGINE_NOOP_MS;
	engine_wait(engine);
}

/* That it has no NOOP is as good a sign of life. */
void engine_noop_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 421 || code / 100 == 3) {
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_LOST, false, out);
		return;
	}
	engine->noop = false;
	engine->noop_ms = engine->now_ms + ENGINE_NOOP_MS;
	if (engine->state == ENGINE_NOOP)
		engine_whole_say(engine, out);
	else
		engine_wait(engine);
}

void engine_whole_say(struct engine *engine, struct engine_out *out)
{
	if (engine->noop)
		engine_enter(engine, ENGINE_NOOP);
	else
		engine_server_say(engine, ENGINE_DATA, "DATA\r\n", out);
}

/* No 354: this is the reply to the client's dot, as nothing was stored. */
void engine_whole_data_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 421) {
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_LOST, false, out);
	} else if (engine_is_about_us(code)) {
		out->host = engine_reply_of_line(engine, code);
		engine_text_spoil(engine, ENGINE_WORDS_INTERNAL, false, out);
	} else if (code / 100 < 4) {
		engine_text_spoil(engine, ENGINE_WORDS_SERVER_WRONG, false, out);
	} else {
		engine_pass(engine, code, true, out);
		out->message = engine_reply_of_line(engine, code);
		engine_transaction_end(engine, ENGINE_OUTCOME_REFUSED, out);
		engine_enter(engine, ENGINE_COMMAND);
	}
}

size_t engine_give(struct engine *engine, const void *bytes, size_t len, bool last, uint64_t now_ms,
	struct engine_out *out)
{
	size_t used = 0;

	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_GIVE) {
		enum smtp_stuff at = (enum smtp_stuff)engine->given;
		used = smtp_stuff(&at, bytes, len, out->server,
			out->server_room - sizeof(SMTP_BODY_DOT), &out->server_len);
		engine->given = (uint8_t)at & 3;
		bool over = last && used == len;
		bool unfit = at == SMTP_STUFF_BAD || (over && at != SMTP_STUFF_LINE);
		if (unfit) {
			engine_text_spoil(engine, ENGINE_WORDS_UNFIT_TEXT, false, out);
			used = len;
		} else if (over) {
			engine_server_say(engine, ENGINE_DOT, SMTP_BODY_DOT, out);
		} else {
			engine_wait(engine);
		}
	}
	engine_over(engine, out);
	return used;
}

void engine_give_up(struct engine *engine, uint64_t now_ms, struct engine_out *out)
{
	engine_begin(engine, now_ms, out);
	if (engine->state == ENGINE_GIVE)
		engine_text_spoil(engine, ENGINE_WORDS_UNFIT_TEXT, false, out);
	engine_over(engine, out);
}

void engine_whole_late(struct engine *engine, struct engine_out *out)
{
	bool ours = engine->state == ENGINE_GIVE && !engine->blocked &&
		    engine->now_ms < engine->heard_ms + ENGINE_DOT_MS;

	engine_text_spoil(
		engine, ours ? ENGINE_WORDS_OWNER_LATE : ENGINE_WORDS_SERVER_LOST, false, out);
}
