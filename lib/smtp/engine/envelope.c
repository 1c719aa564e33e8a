/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/engine/parts.h"

#include <assert.h>
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

/* What stands behind "MAIL FROM:". NULL: it is good, and kept. */
static const struct smtp_refusal *read_mail(struct engine *engine, const char *bytes, size_t len)
{
	unsigned way = way_of(engine);
	struct smtp_mail_parameters parameters;
	struct smtp_path path;
	size_t used;
	enum smtp_path_status status = smtp_path_parse(&path, way, bytes, len, &used);

	if (status != SMTP_PATH_GOOD)
		return smtp_path_refusal(status, way);
	const struct smtp_refusal *refusal = smtp_parameter_parse_mail(
		&parameters, engine_shown(engine), bytes + used, len - used);
	if (refusal)
		return refusal;
	if (path.flags & SMTP_PATH_UTF8 && !parameters.utf8)
		return smtp_path_refusal(SMTP_PATH_UNASKED, way);
	if (parameters.size > engine->size_max)
		return engine_refusal_of(ENGINE_WORDS_TOO_BIG);
	engine->sender = path;
	engine->parameters = parameters;
	engine->text_max = engine->size_max;
	return NULL;
}

void engine_mail(struct engine *engine, const char *args, size_t len, struct engine_out *out)
{
	size_t word = read_word(args, len, "FROM:");

	if (!engine->helo_name[0] || engine->mail || word == 0) {
		engine_error(engine,
			!engine->helo_name[0] ? ENGINE_WORDS_HELO_FIRST
			: engine->mail        ? ENGINE_WORDS_MAIL_AGAIN
					      : ENGINE_WORDS_NO_FROM,
			out);
		return;
	}
	const struct smtp_refusal *refusal = read_mail(engine, args + word, len - word);
	if (refusal)
		engine_error_refusal(engine, refusal, out);
	else
		engine_enter(engine, ENGINE_ASK_MAIL);
}

void engine_mail_verdict(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out)
{
	if (refusal) {
		engine_say_refusal(engine, refusal, out);
		engine_answered(engine);
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

/* What stands behind "RCPT TO:". NULL: it is good. */
static const struct smtp_refusal *read_rcpt(const struct engine *engine, const char *bytes,
	size_t len, struct smtp_path *path, struct smtp_rcpt_parameters *parameters)
{
	unsigned way = way_of(engine) | SMTP_PATH_RECIPIENT;
	size_t used;
	enum smtp_path_status status = smtp_path_parse(path, way, bytes, len, &used);

	if (status != SMTP_PATH_GOOD)
		return smtp_path_refusal(status, way);
	if (path->flags & SMTP_PATH_UTF8 && !engine->parameters.utf8)
		return smtp_path_refusal(SMTP_PATH_UNASKED, way);
	return smtp_parameter_parse_rcpt(parameters, engine_shown(engine), engine->parameters.utf8,
		bytes + used, len - used);
}

/* The RCPT in hand, once more. */
static bool read_line(const struct engine *engine, struct smtp_path *path,
	struct smtp_rcpt_parameters *parameters)
{
	const char *line = engine->command.bytes;
	size_t at, len, word;

	if (engine->state == ENGINE_BODY || engine->state == ENGINE_DRAIN ||
		smtp_command_verb(line, engine->command.line, &at, &len) != SMTP_VERB_RCPT)
		return false;
	word = read_word(line + at, len, "TO:");
	return word > 0 && !read_rcpt(engine, line + at + word, len - word, path, parameters);
}

bool engine_recipient(const struct engine *engine, struct smtp_path *path)
{
	struct smtp_rcpt_parameters parameters;

	return read_line(engine, path, &parameters);
}

bool engine_recipient_said(const struct engine *engine, const char **text, size_t *len)
{
	const char *line = engine->command.bytes;
	size_t at, args, word;

	if (engine->state == ENGINE_BODY || engine->state == ENGINE_DRAIN ||
		smtp_command_verb(line, engine->command.line, &at, &args) != SMTP_VERB_RCPT)
		return false;
	word = read_word(line + at, args, "TO:");
	if (word == 0)
		return false;
	const char *said = line + at + word, *end = line + at + args;
	while (said < end && *said == ' ')
		said++;
	const char *over = memchr(said, ' ', (size_t)(end - said));
	if (over)
		end = over;
	if (said < end && *said == '<')
		said++;
	if (said < end && end[-1] == '>')
		end--;
	*text = said;
	*len = (size_t)(end - said);
	return true;
}

/* A recipient that was refused for good: who tries so many, and has none that is taken, has no mail
 * but a list of guesses. */
static void count_refused(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code / 100 == 5 && engine->accepted == 0 && ++engine->refused >= ENGINE_REFUSED_MAX)
		engine_finish(engine, ENDING_PROTOCOL, ENGINE_WORDS_MANY_REFUSED, out);
}

static void refuse(
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
		refuse(engine, engine_refusal_of(words), out);
		return;
	}
	unsigned code = engine_code_for_client(engine->reply_code);
	engine_pass(engine, code, true, out);
	out->recipient_done = true;
	out->recipient = engine_reply_of_line(engine, code);
	engine_answered(engine);
	count_refused(engine, code, out);
}

/* Every further recipient of this transaction would hear the same. */
static void answer_all(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	engine->answer = (uint8_t)words;
	engine_rcpt_answer(engine, words, out);
}

void engine_rcpt(struct engine *engine, const char *args, size_t len, struct engine_out *out)
{
	struct smtp_rcpt_parameters parameters;
	struct smtp_path path;
	size_t word = read_word(args, len, "TO:");

	if (!engine->mail || word == 0) {
		engine_error(
			engine, !engine->mail ? ENGINE_WORDS_MAIL_FIRST : ENGINE_WORDS_NO_TO, out);
		return;
	}
	const struct smtp_refusal *refusal =
		read_rcpt(engine, args + word, len - word, &path, &parameters);
	/* of nobody there is nothing to record */
	const struct smtp_refusal *unnamed =
		smtp_path_refusal(SMTP_PATH_NO_PATH, SMTP_PATH_RECIPIENT);
	if (refusal == unnamed) {
		engine_say_refusal(engine, refusal, out);
		engine_answered(engine);
		count_refused(engine, refusal->code, out);
		return;
	}
	engine->recipients += engine->recipients < UINT16_MAX;
	if (refusal) {
		refuse(engine, refusal, out);
		return;
	}
	if (engine->answer != ENGINE_WORDS_NONE)
		engine_rcpt_answer(engine, (enum engine_words)engine->answer, out);
	else if (engine->accepted >= engine->recipients_max)
		engine_rcpt_answer(engine, ENGINE_WORDS_MANY_RECIPIENTS, out);
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
		engine_server_ready(engine, out);
		break;
	case ENGINE_LINK_BOUND:
		engine_say_rcpt(engine, out);
		break;
	}
}

void engine_rcpt_verdict(
	struct engine *engine, const struct engine_verdict *verdict, struct engine_out *out)
{
	bool other = engine->connected && verdict->server != engine->server;

	if (verdict->refusal) {
		refuse(engine, verdict->refusal, out);
		return;
	}
	if (engine->answer != ENGINE_WORDS_NONE) { /* the server was lost meanwhile */
		engine_rcpt_answer(engine, (enum engine_words)engine->answer, out);
		return;
	}
	if (other && engine->accepted > 0) {
		engine_rcpt_answer(engine, ENGINE_WORDS_OTHER_SERVER, out);
		return;
	}
	engine->recipient_max = verdict->size_max ? verdict->size_max : engine->size_max;
	if (engine->parameters.size > engine->recipient_max) {
		engine_rcpt_answer(engine, ENGINE_WORDS_TOO_BIG, out);
		return;
	}
	if (other) {
		engine_server_quit(engine, out);
		engine_server_drop(engine, out);
	}
	engine->server = verdict->server;
	engine->failed = ENGINE_WORDS_NO_SERVER;
	engine->first_ms = engine->now_ms + verdict->first_ms;
	/* of a connection that was kept: stale, there is time to make it anew */
	engine->host_ms = engine->first_ms - verdict->first_ms / 3;
	engine->greeting_ms = verdict->greeting_ms;
	engine->command_ms = verdict->command_ms;
	engine->xclient = verdict->xclient;
	engine->login = verdict->login;
	engine->other_sender = verdict->other_sender;
	go(engine, out);
}

void engine_say_mail(struct engine *engine, const struct smtp_path *sender, struct engine_out *out)
{
	char line[SMTP_PATH_TEXT_MAX + SMTP_PARAMETER_MAIL_MAX + 16];
	char path[SMTP_PATH_TEXT_MAX], words[SMTP_PARAMETER_MAIL_MAX];
	const struct smtp_offers *offers = &engine->offers;

	engine->link = ENGINE_LINK_KEPT;
	if (offers->size > 0 && engine->parameters.size > offers->size) {
		answer_all(engine, ENGINE_WORDS_TOO_BIG_THERE, out);
		return;
	}
	if (smtp_path_needs_utf8(sender) && !(offers->words & SMTP_PARAMETER_SMTPUTF8)) {
		answer_all(engine, ENGINE_WORDS_UTF8_ENVELOPE, out);
		return;
	}
	int path_len = (int)smtp_path_format(sender, path);
	int len = (int)smtp_parameter_format_mail(&engine->parameters, offers->words, words);
	snprintf(line, sizeof(line), "MAIL FROM:%.*s%.*s\r\n", path_len, path, len, words);
	engine_server_say(engine, ENGINE_MAIL, line, out);
}

void engine_say_rcpt(struct engine *engine, struct engine_out *out)
{
	char line[SMTP_PATH_TEXT_MAX + SMTP_PARAMETER_RCPT_MAX + 16];
	char text[SMTP_PATH_TEXT_MAX], words[SMTP_PARAMETER_RCPT_MAX];
	struct smtp_rcpt_parameters parameters;
	struct smtp_path path;

	engine->link = ENGINE_LINK_BOUND;
	bool read = read_line(engine, &path, &parameters);
	assert(read);
	if (smtp_path_needs_utf8(&path) && !(engine->offers.words & SMTP_PARAMETER_SMTPUTF8)) {
		engine_rcpt_answer(engine, ENGINE_WORDS_UTF8_ENVELOPE, out);
		return;
	}
	int text_len = (int)smtp_path_format(&path, text);
	int len = (int)smtp_parameter_format_rcpt(&parameters, engine->offers.words, words);
	snprintf(line, sizeof(line), "RCPT TO:%.*s%.*s\r\n", text_len, text, len, words);
	engine_server_say(engine, ENGINE_RCPT, line, out);
}

void engine_rcpt_lost(struct engine *engine, enum engine_words words, struct engine_out *out)
{
	const struct smtp_refusal refusal = engine_refusal_ending(engine, words);

	engine_server_drop(engine, out);
	if (engine->accepted > 0)
		engine->answer = (uint8_t)words;
	refuse(engine, &refusal, out);
}

/* Any reply but 421 is final: greylisting and full mailboxes are the same on every host. */
void engine_rcpt_replied(struct engine *engine, unsigned code, struct engine_out *out)
{
	if (code == 421 && engine->accepted == 0) {
		engine_host_failed(engine, ENGINE_WORDS_SERVER_LOST, ENDING_GREETING_REFUSED, out);
	} else if (code == 421) {
		engine_rcpt_lost(engine, ENGINE_WORDS_SERVER_LOST, out);
	} else if (code / 100 == 3) {
		engine_rcpt_lost(engine, ENGINE_WORDS_SERVER_WRONG, out);
	} else if (engine_is_about_us(code)) {
		out->host = engine_reply_of_line(engine, code);
		engine_rcpt_answer(engine, ENGINE_WORDS_INTERNAL, out);
	} else {
		engine->heard_ms = engine->now_ms;
		if (code / 100 == 2) {
			engine->accepted++;
			if (engine->recipient_max < engine->text_max)
				engine->text_max = engine->recipient_max;
			engine->refused = 0;
		}
		engine->reply_code = (uint16_t)code;
		engine_rcpt_answer(engine, ENGINE_WORDS_KEPT, out);
	}
}

static enum engine_outcome outcome_of(const struct engine *engine)
{
	if (engine->state == ENGINE_BODY || engine->state == ENGINE_ASK_DOT ||
		engine_is_behind(engine))
		return ENGINE_OUTCOME_LEFT;
	if (engine->state == ENGINE_DRAIN || engine->state == ENGINE_LAST)
		return (enum engine_outcome)engine->outcome;
	if (engine->state == ENGINE_DOT)
		return ENGINE_OUTCOME_UNKNOWN;
	if (engine->recipients == 0)
		return ENGINE_OUTCOME_NONE;
	return engine->accepted > 0 ? ENGINE_OUTCOME_ABANDONED : ENGINE_OUTCOME_NO_RECIPIENT;
}

void engine_transaction_end(
	struct engine *engine, enum engine_outcome outcome, struct engine_out *out)
{
	if (!engine->mail)
		return;
	engine->mail = false;
	if (engine->link == ENGINE_LINK_BOUND)
		engine->link = ENGINE_LINK_DIRTY;
	out->message_done =
		(uint8_t)(outcome == ENGINE_OUTCOME_NONE ? outcome_of(engine) : outcome);
}
