/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/probe/dialogue.h"

#include "lib/smtp/offers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool has_proxy(const struct dialogue *dialogue)
{
	return dialogue->setup->announce == POLICY_ANNOUNCE_PROXY_V1 ||
	       dialogue->setup->announce == POLICY_ANNOUNCE_PROXY_V2;
}

static void end(struct dialogue *dialogue, enum target_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void end(struct dialogue *dialogue, enum target_outcome outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(dialogue->text, sizeof(dialogue->text), format, args);
	va_end(args);
	dialogue->step = DIALOGUE_OVER;
	dialogue->outcome = (uint8_t)outcome;
	dialogue->out_len = 0;
}

static void refuse_client(struct dialogue *dialogue, const char *what, const char *words)
{
	end(dialogue, TARGET_REFUSED, "%s%s%s", what, *what ? ": " : "", words);
	dialogue->about_client = true;
}

/* The one writer of the step: what is said, and for which reply one then waits. */
static void say(struct dialogue *dialogue, enum dialogue_step step, const void *bytes, size_t len)
{
	dialogue->step = (uint8_t)step;
	dialogue->lines_len = 0;
	smtp_reply_init(&dialogue->reply);
	memcpy(dialogue->out + dialogue->out_len, bytes, len);
	dialogue->out_len += len;
}

static void say_ehlo(struct dialogue *dialogue, enum dialogue_step step)
{
	char line[300];
	int n = snprintf(line, sizeof(line), "EHLO %.255s\r\n", dialogue->setup->hostname);
	say(dialogue, step, line, (size_t)n);
}

static bool tls_failed(struct dialogue *dialogue, const char *words)
{
	bool offered = dialogue->setup->tls == ENGINE_TLS_OFFER;

	end(dialogue, TARGET_MISSED, "TLS: %s", words);
	dialogue->about_tls = true;
	dialogue->without = offered;
	return true;
}

void dialogue_secured(struct dialogue *dialogue)
{
	if (dialogue->step != DIALOGUE_TLS)
		return;
	dialogue->secured = true;
	dialogue->out_len = 0;
	if (dialogue->setup->tls == ENGINE_TLS_IMMEDIATE)
		say(dialogue, DIALOGUE_GREETING, "", 0);
	else
		say_ehlo(dialogue, DIALOGUE_EHLO);
}

void dialogue_unfit(struct dialogue *dialogue, const char *words)
{
	if (dialogue->step == DIALOGUE_TLS)
		tls_failed(dialogue, words);
}

/* Behind an EHLO in clear: true if TLS comes first, or cannot. */
static bool begins_tls(struct dialogue *dialogue)
{
	enum engine_tls tls = dialogue->setup->tls;

	if (dialogue->secured || tls == ENGINE_TLS_NONE)
		return false;
	if (dialogue->reply.offers & SMTP_OFFER_STARTTLS) {
		say(dialogue, DIALOGUE_STARTTLS, "STARTTLS\r\n", 10);
		return true;
	}
	return tls != ENGINE_TLS_OFFER && tls_failed(dialogue, "does not offer STARTTLS");
}

/* The ways to log in on the lines behind the first of an EHLO reply. */
static unsigned logins_offered(const char *lines, size_t len)
{
	const size_t code = 4;
	struct smtp_offers offers = {0};
	const char *line = memchr(lines, '\n', len), *stop = lines + len;

	for (; line && ++line < stop; line = memchr(line, '\n', (size_t)(stop - line))) {
		const char *line_end = memchr(line, '\n', (size_t)(stop - line));
		size_t n = (size_t)((line_end ? line_end : stop) - line);
		while (n > code && (line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
		if (n > code)
			smtp_offers_read(&offers, line + code, n - code);
	}
	return offers.login;
}

/* Behind an EHLO whose reply is good. */
static void say_quit(struct dialogue *dialogue)
{
	dialogue->offers = dialogue->reply.offers;
	dialogue->logins = (uint8_t)logins_offered(dialogue->lines, dialogue->lines_len);
	if (dialogue->setup->goes_on)
		dialogue->step = DIALOGUE_HANDED;
	else
		say(dialogue, DIALOGUE_QUIT, "QUIT\r\n", 6);
}

void dialogue_begin(struct dialogue *dialogue, const struct dialogue_setup *setup)
{
	memset(dialogue, 0, sizeof(*dialogue));
	dialogue->setup = setup;
	smtp_reply_init(&dialogue->reply);
	if (setup->tls == ENGINE_TLS_IMMEDIATE)
		dialogue->step = DIALOGUE_TLS;
	switch (setup->announce) {
	case POLICY_ANNOUNCE_NONE:
	case POLICY_ANNOUNCE_XCLIENT:
		return;
	case POLICY_ANNOUNCE_PROXY_V1:
		dialogue->out_len =
			proxy_encode_v1(&setup->client, &setup->original, (char *)dialogue->out);
		break;
	case POLICY_ANNOUNCE_PROXY_V2:
		dialogue->out_len = proxy_encode_v2(
			&setup->client, &setup->original, "probe", setup->login, dialogue->out);
		break;
	}
	if (dialogue->out_len == 0)
		end(dialogue, TARGET_REFUSED, "the client cannot be said in a PROXY header");
}

static void on_greeting(struct dialogue *dialogue, const char *words, uint64_t since_connect_ms)
{
	unsigned code = dialogue->reply.code;

	if (code == 220) {
		dialogue->greeted = true;
		say_ehlo(dialogue, DIALOGUE_EHLO);
	} else if (code == 421 && since_connect_ms >= DIALOGUE_SILENCE_MS) {
		end(dialogue, TARGET_MISSED,
			"%s (after %u s of silence: does this port expect "
			"PROXY?)",
			words, (unsigned)(since_connect_ms / 1000));
	} else if (code / 100 == 5 && has_proxy(dialogue)) {
		refuse_client(dialogue, "", words);
	} else {
		end(dialogue, TARGET_MISSED, "%s", words);
	}
}

const char *dialogue_forgery(
	enum policy_announce announce, uint8_t forges, char text[static TARGET_TEXT_SIZE])
{
	snprintf(text, TARGET_TEXT_SIZE, "offers %s%s%s to the %s",
		forges & SMTP_OFFER_XCLIENT ? "XCLIENT" : "",
		forges == (SMTP_OFFER_XCLIENT | SMTP_OFFER_XFORWARD) ? " and " : "",
		forges & SMTP_OFFER_XFORWARD ? "XFORWARD" : "",
		announce == POLICY_ANNOUNCE_XCLIENT ? "client that was named" : "gateway");
	return text;
}

/* What lets any client be anyone, if it is passed on. False: nothing of it, or nobody's words are.
 */
static bool offers_too_much(struct dialogue *dialogue)
{
	char text[TARGET_TEXT_SIZE];

	dialogue->forges = dialogue->reply.offers & (SMTP_OFFER_XCLIENT | SMTP_OFFER_XFORWARD);
	if (!dialogue->forges || dialogue->setup->read)
		return false;
	end(dialogue, TARGET_REFUSED, "%s",
		dialogue_forgery(dialogue->setup->announce, dialogue->forges, text));
	return true;
}

/* The attributes on the XCLIENT lines of an EHLO reply. */
static unsigned attributes_offered(const char *lines, size_t len)
{
	static const char word[] = "XCLIENT";
	const size_t code = 4, word_len = sizeof(word) - 1;
	unsigned offered = 0;

	for (const char *line = lines, *stop = lines + len; line < stop;) {
		const char *line_end = memchr(line, '\n', (size_t)(stop - line));
		size_t n = (size_t)((line_end ? line_end : stop) - line);
		if (n > code + word_len && strncasecmp(line + code, word, word_len) == 0 &&
			memchr(" \t", line[code + word_len], 2))
			offered |= xclient_offered(line + code + word_len, n - code - word_len);
		line += n + 1;
	}
	return offered;
}

static void say_next_command(struct dialogue *dialogue)
{
	const struct xclient_commands *commands = &dialogue->commands;
	size_t len = commands->len[dialogue->said++];
	const char *text = commands->text + dialogue->said_bytes;
	dialogue->said_bytes += len;
	bool is_last = dialogue->said == commands->n;
	say(dialogue, is_last && dialogue->setup->hand_over ? DIALOGUE_HANDED : DIALOGUE_XCLIENT,
		text, len);
}

static void name_client(struct dialogue *dialogue)
{
	const struct dialogue_setup *setup = dialogue->setup;
	const struct xclient_identity identity = {
		.client = setup->client, .original = setup->original, .login = setup->login};

	if (!(dialogue->reply.offers & SMTP_OFFER_XCLIENT)) {
		end(dialogue, TARGET_REFUSED, "does not offer XCLIENT to the gateway");
		return;
	}
	unsigned offered = attributes_offered(dialogue->lines, dialogue->lines_len);
	int missing = xclient_encode(&identity, offered, &dialogue->commands);
	if (missing < 0)
		end(dialogue, TARGET_REFUSED, "does not offer XCLIENT %s to the gateway",
			xclient_attribute_name((enum xclient_attribute) - missing));
	else
		say_next_command(dialogue);
}

/* 5xx to EHLO is a host without any extension. Behind a PROXY header exactly one 250 must come: at
 * a port that expects none, each reply answers the command before. */
static void on_ehlo(struct dialogue *dialogue, const char *words)
{
	unsigned code = dialogue->reply.code;

	if (has_proxy(dialogue) && code != 250)
		end(dialogue, TARGET_REFUSED, "does not take the PROXY header: %s", words);
	else if (code / 100 != 2 && code / 100 != 5)
		end(dialogue, TARGET_MISSED, "%s", words);
	else if (begins_tls(dialogue))
		return;
	else if (dialogue->setup->announce == POLICY_ANNOUNCE_XCLIENT)
		name_client(dialogue);
	else if (!offers_too_much(dialogue))
		say_quit(dialogue);
}

static void on_xclient(struct dialogue *dialogue, const char *words)
{
	if (dialogue->reply.code == 421)
		end(dialogue, TARGET_MISSED, "%s", words);
	else if (dialogue->reply.code / 100 >= 4)
		refuse_client(dialogue, "", words);
	else if (dialogue->reply.code != 220) /* who goes on as before believed nothing */
		end(dialogue, TARGET_REFUSED, "answers XCLIENT with %s", words);
	else if (dialogue->said < dialogue->commands.n)
		say_next_command(dialogue);
	else
		say_ehlo(dialogue, DIALOGUE_EHLO_AGAIN);
}

/* Whoever is named must not be believed in his turn. */
static void on_ehlo_again(struct dialogue *dialogue, const char *words)
{
	if (dialogue->reply.code / 100 != 2)
		end(dialogue, TARGET_MISSED, "%s", words);
	else if (!offers_too_much(dialogue))
		say_quit(dialogue);
}

static void on_quit(struct dialogue *dialogue, const char *words)
{
	if (has_proxy(dialogue) && dialogue->reply.code != 221)
		end(dialogue, TARGET_REFUSED, "answers QUIT behind a PROXY header with %s", words);
	else
		end(dialogue, TARGET_WORKED, "%s", "");
}

static void on_reply(struct dialogue *dialogue, const char *words, uint64_t since_connect_ms)
{
	switch ((enum dialogue_step)dialogue->step) {
	case DIALOGUE_GREETING:
		on_greeting(dialogue, words, since_connect_ms);
		break;
	case DIALOGUE_EHLO:
		on_ehlo(dialogue, words);
		break;
	case DIALOGUE_STARTTLS:
		if (dialogue->reply.code == 220)
			dialogue->step = DIALOGUE_TLS;
		else
			tls_failed(dialogue, words);
		break;
	case DIALOGUE_XCLIENT:
		on_xclient(dialogue, words);
		break;
	case DIALOGUE_EHLO_AGAIN:
		on_ehlo_again(dialogue, words);
		break;
	case DIALOGUE_QUIT:
		on_quit(dialogue, words);
		break;
	case DIALOGUE_TLS:
	case DIALOGUE_HANDED:
	case DIALOGUE_OVER:
		break;
	}
}

static void keep_lines(struct dialogue *dialogue, const void *bytes, size_t len)
{
	size_t room = sizeof(dialogue->lines) - dialogue->lines_len;
	if (len > room)
		len = room;
	memcpy(dialogue->lines + dialogue->lines_len, bytes, len);
	dialogue->lines_len += len;
}

void dialogue_feed(
	struct dialogue *dialogue, const void *bytes, size_t len, uint64_t since_connect_ms)
{
	char words[SMTP_REPLY_WORDS_SIZE];
	size_t used;

	dialogue->out_len = 0;
	if (dialogue->step == DIALOGUE_OVER || len == 0)
		return;
	if (dialogue->step == DIALOGUE_TLS) { /* in clear, where TLS should be */
		tls_failed(dialogue, "it says more than it was asked");
		return;
	}
	enum smtp_reply_status status = smtp_reply_feed(&dialogue->reply, bytes, len, &used);
	keep_lines(dialogue, bytes, used);
	smtp_reply_words(&dialogue->reply, words);
	switch (status) {
	case SMTP_REPLY_MORE:
		return;
	case SMTP_REPLY_MALFORMED:
		end(dialogue, TARGET_MISSED, "not SMTP: %s", words);
		return;
	case SMTP_REPLY_TOO_LONG:
		end(dialogue, TARGET_MISSED, "a reply without an end");
		return;
	case SMTP_REPLY_DONE:
		break;
	}
	enum dialogue_step step = (enum dialogue_step)dialogue->step;
	on_reply(dialogue, words, since_connect_ms);
	/* more than was asked for: no reply would belong to its command any more */
	if (used == len || step == DIALOGUE_QUIT || dialogue->step == DIALOGUE_OVER)
		return;
	if (has_proxy(dialogue))
		end(dialogue, TARGET_REFUSED,
			"does not take the PROXY header: more than one reply after %s", words);
	else
		end(dialogue, TARGET_MISSED, "says more than it was asked, after %s", words);
	dialogue->about_tls = step == DIALOGUE_STARTTLS;
	dialogue->without = step == DIALOGUE_STARTTLS && dialogue->setup->tls == ENGINE_TLS_OFFER;
}

static const char *const waited_for[] = {
	[DIALOGUE_GREETING] = "the greeting",
	[DIALOGUE_EHLO] = "the reply to EHLO",
	[DIALOGUE_STARTTLS] = "the reply to STARTTLS",
	[DIALOGUE_TLS] = "the end of the handshake",
	[DIALOGUE_XCLIENT] = "the reply to XCLIENT",
	[DIALOGUE_EHLO_AGAIN] = "the reply to the second EHLO",
	[DIALOGUE_QUIT] = "the reply to QUIT",
	[DIALOGUE_HANDED] = "the greeting for the client",
	[DIALOGUE_OVER] = "the end",
};

void dialogue_closed(struct dialogue *dialogue, const char *words, uint64_t since_connect_ms)
{
	bool silence = dialogue->step == DIALOGUE_GREETING && dialogue->lines_len == 0 &&
		       since_connect_ms >= DIALOGUE_SILENCE_MS;
	if (dialogue->step == DIALOGUE_OVER)
		return;
	/* all that was to be learned is known */
	if (dialogue->step == DIALOGUE_QUIT && !has_proxy(dialogue)) {
		end(dialogue, TARGET_WORKED, "%s", "");
		return;
	}
	bool tls = dialogue->step == DIALOGUE_STARTTLS || dialogue->step == DIALOGUE_TLS;
	end(dialogue, TARGET_MISSED, "closed before %s%s%s%s", waited_for[dialogue->step],
		*words ? ": " : "", words, silence ? " (does this port expect PROXY?)" : "");
	dialogue->about_tls = tls;
	dialogue->without = tls && dialogue->setup->tls == ENGINE_TLS_OFFER;
}

void dialogue_late(struct dialogue *dialogue)
{
	if (dialogue->step == DIALOGUE_QUIT && !has_proxy(dialogue))
		end(dialogue, TARGET_WORKED, "%s", "");
	else if (dialogue->step == DIALOGUE_STARTTLS || dialogue->step == DIALOGUE_TLS)
		tls_failed(dialogue, "no handshake in time");
	else if (dialogue->step != DIALOGUE_OVER)
		end(dialogue, TARGET_MISSED, "too late: %s", waited_for[dialogue->step]);
}
