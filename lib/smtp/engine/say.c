/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/words.h"
#include "lib/smtp/engine/parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct smtp_refusal table[] = {
#define ENGINE_WORDS_ROW(id, code, enhanced, text) {code, enhanced, text},
	ENGINE_WORDS_TABLE(ENGINE_WORDS_ROW)
#undef ENGINE_WORDS_ROW
};

const struct smtp_refusal *engine_refusal_of(enum engine_words words)
{
	return &table[words];
}

const struct smtp_refusal *engine_no_server(void)
{
	return &table[ENGINE_WORDS_NO_SERVER];
}

struct smtp_refusal engine_ending_with(struct engine *engine, const struct smtp_refusal *refusal)
{
	struct smtp_refusal ending = *refusal;

	if (engine->pass_code) {
		ending.code = engine->pass_code;
		ending.enhanced = engine->pass_code / 100 == 5 ? "5.4.2" : "4.4.2";
		engine->pass_code = 0;
	}
	return ending;
}

struct smtp_refusal engine_refusal_ending(struct engine *engine, enum engine_words words)
{
	return engine_ending_with(engine, &table[words]);
}

static bool has_room(const struct engine_out *out, size_t len)
{
	return out->client_room - out->client_len >= len;
}

static void put_line(struct engine_out *out, const struct words *line)
{
	assert(has_room(out, line->len));
	memcpy(out->client + out->client_len, line->text, line->len);
	out->client_len += line->len;
}

void engine_say_refusal(
	const struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	char bytes[SMTP_LINE_SIZE];
	struct words line = {bytes, sizeof(bytes), 0};

	if (engine->client_gone)
		return;
	line.len = smtp_reply_format(
		bytes, refusal->code, refusal->enhanced, out->gateway, refusal->text, engine->flow);
	put_line(out, &line);
}

void engine_say(const struct engine *engine, enum engine_words words, struct engine_out *out)
{
	if (words == ENGINE_WORDS_KEPT)
		engine_pass(engine, engine_code_for_client(engine->reply_code), true, out);
	else if (words != ENGINE_WORDS_NONE)
		engine_say_refusal(engine, &table[words], out);
}

unsigned engine_shown(const struct engine *engine)
{
	if (engine->helo)
		return 0;
	return SMTP_PARAMETER_SIZE | SMTP_PARAMETER_8BITMIME |
	       (engine->flags & ENGINE_SMTPUTF8 ? SMTP_PARAMETER_SMTPUTF8 : 0u) |
	       (engine->flags & ENGINE_DSN ? SMTP_PARAMETER_DSN : 0u);
}

void engine_say_offers(const struct engine *engine, struct engine_out *out)
{
	assert(has_room(out, SMTP_OFFERS_REPLY_MAX));
	bool starttls = engine->flags & ENGINE_CLIENT_STARTTLS && !engine->client_secured;
	out->client_len += smtp_offers_format(out->client + out->client_len, out->gateway,
		engine->size_max, engine_shown(engine), starttls,
		engine_takes_logins(engine) ? out->logins : NULL);
}

unsigned engine_code_for_client(unsigned code)
{
	return code == 421 ? 451 : code;
}

bool engine_is_about_us(unsigned code)
{
	return code == 503 || code == 530 || code == 555;
}

/* The enhanced code that the line has and that fits the code, and where its text begins. */
static const char *read_line(
	const struct engine *engine, unsigned code, char enhanced[static SMTP_ENHANCED_SIZE])
{
	const char *text = engine->line_len > 4 ? engine->line + 4 : "";
	size_t len =
		engine->line[0] == (char)('0' + code / 100) ? smtp_reply_enhanced(text, code) : 0;

	enhanced[len] = '\0';
	if (code == 0) /* no reply, but what stands there instead */
		return engine->line;
	memcpy(enhanced, text, len);
	text += len;
	return text + (len > 0 && *text == ' ');
}

/* Who shows ENHANCEDSTATUSCODES gives each reply one (RFC 2034 3), but for 3xx. */
void engine_pass(const struct engine *engine, unsigned code, bool last, struct engine_out *out)
{
	char enhanced[SMTP_ENHANCED_SIZE], bytes[SMTP_LINE_SIZE];
	const char *text = read_line(engine, code, enhanced);
	struct words line = {bytes, SMTP_LINE_SIZE - 1 - 2, 0};

	if (engine->client_gone)
		return;
	words_put_number(&line, code % 1000, 3);
	words_put(&line, last ? " " : "-");
	if (code / 100 != 3) {
		if (enhanced[0])
			words_put(&line, enhanced);
		else
			words_put_number(&line, code / 100 % 10, 1);
		words_put(&line, enhanced[0] ? " " : ".0.0 ");
	}
	words_put(&line, text);
	line.size += 2;
	words_put(&line, "\r\n");
	put_line(out, &line);
}

struct engine_reply engine_reply_of_line(const struct engine *engine, unsigned code)
{
	struct engine_reply reply = {.code = (uint16_t)code, .server = true};

	reply.text = read_line(engine, code, reply.enhanced);
	return reply;
}

struct engine_reply engine_reply_of(const struct smtp_refusal *refusal)
{
	struct engine_reply reply = {.code = refusal->code, .text = refusal->text};

	snprintf(reply.enhanced, sizeof(reply.enhanced), "%s", refusal->enhanced);
	return reply;
}
