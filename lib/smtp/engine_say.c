#include "lib/smtp/engine_parts.h"

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

struct smtp_refusal engine_refusal_ending(struct engine *engine, enum engine_words words)
{
	struct smtp_refusal refusal = table[words];

	if (engine->pass_code) {
		refusal.code = engine->pass_code;
		refusal.enhanced = engine->pass_code / 100 == 5 ? "5.4.2" : "4.4.2";
		engine->pass_code = 0;
	}
	return refusal;
}

static bool has_room(const struct engine_out *out, size_t len)
{
	return out->client_room - out->client_len >= len;
}

void engine_say_refusal(
	const struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	char line[SMTP_LINE_SIZE];

	if (engine->client_gone)
		return;
	size_t len = smtp_reply_format(
		line, refusal->code, refusal->enhanced, out->gateway, refusal->text, engine->flow);
	assert(has_room(out, len));
	memcpy(out->client + out->client_len, line, len);
	out->client_len += len;
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
		engine->size_max, engine_shown(engine), starttls);
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
	struct smtp_reply reply;
	size_t used;

	if (code == 0) { /* no reply, but what stands there instead */
		enhanced[0] = '\0';
		return engine->line;
	}

	smtp_reply_init(&reply);
	smtp_reply_feed(&reply, engine->line, engine->line_len, &used);
	smtp_reply_feed(&reply, "\n", 1, &used);
	memcpy(enhanced, reply.enhanced, SMTP_ENHANCED_SIZE);
	if (enhanced[0] != (char)('0' + code / 100)) {
		enhanced[0] = '\0';
		return text;
	}
	text += strlen(enhanced);
	return text + (*text == ' ');
}

/* Who shows ENHANCEDSTATUSCODES gives each reply one (RFC 2034 3), but for 3xx. */
void engine_pass(const struct engine *engine, unsigned code, bool last, struct engine_out *out)
{
	char enhanced[SMTP_ENHANCED_SIZE], head[32];
	const char *text = read_line(engine, code, enhanced);
	size_t text_len = strlen(text);
	int n;

	if (engine->client_gone)
		return;
	if (code / 100 == 3)
		n = snprintf(head, sizeof(head), "%03u%c", code % 1000, last ? ' ' : '-');
	else if (enhanced[0])
		n = snprintf(
			head, sizeof(head), "%03u%c%s ", code % 1000, last ? ' ' : '-', enhanced);
	else
		n = snprintf(head, sizeof(head), "%03u%c%u.0.0 ", code % 1000, last ? ' ' : '-',
			code / 100 % 10);
	size_t head_len = (size_t)n;
	if (text_len > SMTP_LINE_SIZE - 1 - 2 - head_len)
		text_len = SMTP_LINE_SIZE - 1 - 2 - head_len;
	assert(has_room(out, head_len + text_len + 2));
	char *at = out->client + out->client_len;
	memcpy(at, head, head_len);
	memcpy(at + head_len, text, text_len);
	memcpy(at + head_len + text_len, "\r\n", 2);
	out->client_len += head_len + text_len + 2;
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
