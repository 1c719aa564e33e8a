#include "lib/smtp/engine_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "FROM:" or "TO:" in any case. Returns how many bytes it is; 0: it is not there. */
static size_t read_word(const char *args, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len > n && strncasecmp(args, word, n) == 0 ? n : 0;
}

static unsigned way_of(const struct engine *engine)
{
	return engine->flags & ENGINE_SUBMISSION ? SMTP_PATH_BARE : 0;
}

static void say_refused(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	engine_say_refusal(engine, refusal, out);
	engine_answered(engine);
}

void engine_mail(struct engine *engine, const char *args, size_t len, struct engine_out *out)
{
	struct smtp_path path;
	size_t word = read_word(args, len, "FROM:"), used;

	if (!engine->helo_name[0] || engine->mail || word == 0) {
		engine_error(engine,
			!engine->helo_name[0] ? ENGINE_WORDS_HELO_FIRST
			: engine->mail        ? ENGINE_WORDS_MAIL_AGAIN
					      : ENGINE_WORDS_NO_FROM,
			out);
		return;
	}
	enum smtp_path_status status =
		smtp_path_parse(&path, way_of(engine), args + word, len - word, &used);
	if (status != SMTP_PATH_GOOD) {
		say_refused(engine, smtp_path_refusal(status, way_of(engine)), out);
		return;
	}
	engine->sender = path;
	engine_enter(engine, ENGINE_ASK_MAIL);
}

void engine_mail_verdict(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	if (refusal) {
		say_refused(engine, refusal, out);
		return;
	}
	engine->mail = true;
	engine->message++;
	engine->recipients = engine->accepted = 0;
	engine->size = 0;
	engine->answer = ENGINE_WORDS_NONE;
	engine->client_lost = false;
	engine_say(engine, ENGINE_WORDS_SENDER_OK, out);
	engine_answered(engine);
}

bool engine_recipient(const struct engine *engine, struct smtp_path *path)
{
	const char *line = engine->command.bytes;
	size_t at, len, word, used;
	unsigned way = way_of(engine) | SMTP_PATH_RECIPIENT;

	if (engine->state == ENGINE_BODY || engine->state == ENGINE_DRAIN ||
		smtp_command_verb(line, engine->command.line, &at, &len) != SMTP_VERB_RCPT)
		return false;
	word = read_word(line + at, len, "TO:");
	return word > 0 &&
	       smtp_path_parse(path, way, line + at + word, len - word, &used) == SMTP_PATH_GOOD;
}

/* A recipient that was refused for good: who tries so many has no mail, but a list of guesses. */
static void count_refused(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 != 5)
		return;
	if (++engine->refused >= ENGINE_REFUSED_MAX)
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_MANY_REFUSED, out);
}

void engine_rcpt_refuse(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	engine_say_refusal(engine, refusal, out);
	out->recipient_done = true;
	out->recipient = engine_reply_of(refusal);
	engine_answered(engine);
	count_refused(engine, refusal->code, out);
}

void engine_rcpt_answer(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	if (words != ENGINE_WORDS_KEPT) {
		engine_rcpt_refuse(engine, engine_refusal_of(words), out);
		return;
	}
	unsigned code = engine_code_for_client(engine->reply_code);
	engine_pass(engine, code, true, out);
	out->recipient_done = true;
	out->recipient = engine_reply_of_line(engine, code);
	engine_answered(engine);
	count_refused(engine, code, out);
}

void engine_rcpt(struct engine *engine, const char *args, size_t len, struct engine_out *out)
{
	unsigned way = way_of(engine) | SMTP_PATH_RECIPIENT;
	struct smtp_path path;
	size_t word = read_word(args, len, "TO:"), used;

	if (!engine->mail || word == 0) {
		engine_error(
			engine, !engine->mail ? ENGINE_WORDS_MAIL_FIRST : ENGINE_WORDS_NO_TO, out);
		return;
	}
	enum smtp_path_status status = smtp_path_parse(&path, way, args + word, len - word, &used);
	if (status != SMTP_PATH_GOOD) {
		const struct smtp_refusal *refusal = smtp_path_refusal(status, way);
		say_refused(engine, refusal, out);
		count_refused(engine, refusal->code, out);
		return;
	}
	if (engine->accepted >= engine->recipients_max) {
		say_refused(engine, engine_refusal_of(ENGINE_WORDS_MANY_RECIPIENTS), out);
		return;
	}
	engine->recipients += engine->recipients < UINT16_MAX;
	if (engine->answer != ENGINE_WORDS_NONE)
		engine_rcpt_answer(engine, (enum engine_words)engine->answer, out);
	else
		engine_enter(engine, ENGINE_ASK_RCPT);
}

/* The recipient may go to this server: by the connection that there is, or by a new one. */
static void go(struct engine *engine, struct engine_out *out)
{
	switch ((enum engine_link)engine->link) {
	case ENGINE_LINK_NONE:
		engine_server_open(engine, ENGINE_OPEN_FIRST, out);
		break;
	case ENGINE_LINK_DIRTY:
		engine->reused = true;
		engine_server_say(engine, ENGINE_RSET, "RSET\r\n", out);
		break;
	case ENGINE_LINK_KEPT:
		engine->reused = true;
		engine_say_mail(engine, out);
		break;
	case ENGINE_LINK_BOUND:
		engine_say_rcpt(engine, out);
		break;
	}
}

void engine_rcpt_verdict(
	struct engine *engine, const struct engine_verdict *verdict, struct engine_out *out)
{
	if (verdict->refusal) {
		engine_rcpt_refuse(engine, verdict->refusal, out);
		return;
	}
	if (engine->answer != ENGINE_WORDS_NONE) { /* the server was lost meanwhile */
		engine_rcpt_answer(engine, (enum engine_words)engine->answer, out);
		return;
	}
	if (engine->connected && verdict->server != engine->server) {
		if (engine->accepted > 0) {
			engine_rcpt_refuse(
				engine, engine_refusal_of(ENGINE_WORDS_OTHER_SERVER), out);
			return;
		}
		if (engine->link != ENGINE_LINK_NONE) {
			memcpy(out->server, "QUIT\r\n", 6);
			out->server_len = 6;
		}
		engine_server_drop(engine, out);
	}
	engine->server = verdict->server;
	engine->first_ms = engine->now_ms + verdict->first_ms;
	engine->greeting_ms = verdict->greeting_ms;
	engine->command_ms = verdict->command_ms;
	engine->xclient = verdict->xclient;
	go(engine, out);
}

/* Every further recipient of this transaction would hear the same. */
static void refuse_all(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	engine->answer = (uint8_t)words;
	engine_rcpt_answer(engine, words, out);
}

void engine_say_mail(struct engine *engine, struct engine_out *out)
{
	char line[SMTP_PATH_TEXT_MAX + 256], path[SMTP_PATH_TEXT_MAX];

	engine->link = ENGINE_LINK_KEPT;
	if (engine->declared > 0 && engine->offers.size > 0 &&
		engine->declared > engine->offers.size) {
		refuse_all(engine, ENGINE_WORDS_TOO_BIG_THERE, out);
		return;
	}
	if (smtp_path_needs_utf8(&engine->sender) &&
		!(engine->offers.words & SMTP_OFFERS_SMTPUTF8)) {
		refuse_all(engine, ENGINE_WORDS_UTF8_ENVELOPE, out);
		return;
	}
	size_t len = smtp_path_format(&engine->sender, path);
	snprintf(line, sizeof(line), "MAIL FROM:%.*s\r\n", (int)len, path);
	engine_server_say(engine, ENGINE_MAIL, line, out);
}

void engine_say_rcpt(struct engine *engine, struct engine_out *out)
{
	char line[SMTP_PATH_TEXT_MAX + 1024], text[SMTP_PATH_TEXT_MAX];
	struct smtp_path path;

	engine->link = ENGINE_LINK_BOUND;
	engine_recipient(engine, &path);
	if (smtp_path_needs_utf8(&path) && !(engine->offers.words & SMTP_OFFERS_SMTPUTF8)) {
		engine_rcpt_answer(engine, ENGINE_WORDS_UTF8_ENVELOPE, out);
		return;
	}
	size_t len = smtp_path_format(&path, text);
	snprintf(line, sizeof(line), "RCPT TO:%.*s\r\n", (int)len, text);
	engine_server_say(engine, ENGINE_RCPT, line, out);
}

void engine_rcpt_lost(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	const struct smtp_refusal refusal = engine_refusal_ending(engine, words);

	engine_server_drop(engine, out);
	if (engine->accepted > 0)
		engine->answer = (uint8_t)words;
	engine_rcpt_refuse(engine, &refusal, out);
}

void engine_rcpt_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 421 && engine->accepted == 0) {
		engine_host_failed(engine, ENGINE_WORDS_SERVER_LOST, out);
	} else if (code == 421) {
		engine_rcpt_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
	} else if (code == 503 || code == 530 || code == 555) {
		engine_rcpt_answer(engine, ENGINE_WORDS_INTERNAL, out);
	} else if (code / 100 == 3) {
		engine_rcpt_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
	} else {
		engine->accepted += code / 100 == 2;
		engine->refused = code / 100 == 2 ? 0 : engine->refused;
		engine->reply_code = (uint16_t)code;
		engine_rcpt_answer(engine, ENGINE_WORDS_KEPT, out);
	}
}

void engine_transaction_end(
	struct engine *engine, enum engine_outcome outcome, struct engine_out *out)
{
	if (!engine->mail)
		return;
	engine->mail = false;
	if (engine->link == ENGINE_LINK_BOUND)
		engine->link = ENGINE_LINK_DIRTY;
	if (outcome == ENGINE_OUTCOME_NONE && engine->recipients > 0)
		outcome = engine->accepted > 0 ? ENGINE_OUTCOME_ABANDONED
					       : ENGINE_OUTCOME_NO_RECIPIENT;
	out->message_done = (uint8_t)outcome;
}
