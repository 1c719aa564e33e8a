/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/probe/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool trial_is_path(const char *path)
{
	size_t len = strlen(path);
	if (len >= TRIAL_PATH_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[i] <= ' ' || path[i] >= 0x7f || path[i] == '<' || path[i] == '>')
			return false;
	const char *at = strrchr(path, '@');
	return len == 0 || (at && at != path && at[1]);
}

static void end(struct trial *trial)
{
	trial->step = TRIAL_OVER;
	trial->out_len = 0;
}

static void say(struct trial *trial, enum trial_step step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The one writer of the step: what is said, and for which reply one then waits. */
static void say(struct trial *trial, enum trial_step step, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf((char *)trial->out, sizeof(trial->out), format, args);
	va_end(args);
	trial->step = (uint8_t)step;
	trial->out_len = (size_t)n;
	trial->shown = NULL;
	smtp_reply_init(&trial->reply);
}

static void fail(struct trial *trial, uint16_t code, const char *words)
{
	trial->failed = trial->step;
	trial->code = code;
	snprintf(trial->words, sizeof(trial->words), "%s", words);
}

static void say_mail(struct trial *trial)
{
	say(trial, TRIAL_MAIL, "MAIL FROM:<%s>\r\n", trial->setup->from);
}

/* ---- the login ---- */

/* NULL: it may be said to this host now. */
static const char *why_no_login(const struct trial *trial, char text[static TARGET_TEXT_SIZE])
{
	const struct trial_account *account = trial->setup->account;

	if (!account->login.secret)
		return "the secret of the server's account cannot be read";
	if (!account->insecure && !(account->sure && trial->dialogue.secured))
		return "a login only goes where the host is known by its certificate";
	if (!trial->dialogue.logins)
		return "offers neither AUTH PLAIN nor AUTH LOGIN";
	if (!account->held_s)
		return NULL;
	snprintf(text, TARGET_TEXT_SIZE,
		"the login is not tried: this host refused it a short time ago, and hears it again "
		"in %u s at the earliest",
		account->held_s);
	return text;
}

static const char *shown_login(const struct trial *trial)
{
	static const char *const lines[] = {NULL, "(the user)", "(the secret)"};

	if (trial->dialogue.logins & SMTP_LOGIN_PLAIN)
		return "AUTH PLAIN (user and secret)";
	return lines[trial->login_lines];
}

/* The next line of the login. */
static void say_login(struct trial *trial)
{
	const struct smtp_login *login = &trial->setup->account->login;
	const char *shown = shown_login(trial);
	size_t len = smtp_login_line(login, trial->dialogue.logins, trial->login_lines++,
		(char *)trial->out, &trial->login_last);

	trial->step = TRIAL_LOGIN;
	trial->out_len = len;
	trial->shown = shown;
	smtp_reply_init(&trial->reply);
	if (len > 0)
		return;
	fail(trial, 0, "user and secret of the account cannot be said in AUTH");
	say(trial, TRIAL_QUIT, "QUIT\r\n");
}

static void begin_login(struct trial *trial)
{
	char text[TARGET_TEXT_SIZE];
	const char *why = why_no_login(trial, text);

	if (!why) {
		say_login(trial);
		return;
	}
	trial->step = TRIAL_LOGIN;
	fail(trial, 0, why);
	say(trial, TRIAL_QUIT, "QUIT\r\n");
}

bool trial_may_show(const struct trial *trial, const char *line)
{
	const struct trial_account *account = trial->setup->account;

	return trial->login_lines == 0 || !account->login.secret ||
	       !smtp_login_tells(&account->login, line);
}

/* RFC 4954 4: 334 asks for more, 235 is the one yes. */
static void on_login(struct trial *trial, uint16_t code, const char *words)
{
	if (code == 334 && !trial->login_last) {
		say_login(trial);
	} else if (code == 235 && trial->login_last) {
		say_mail(trial);
	} else {
		fail(trial, code, words);
		trial->login_refused = code / 100 == 5;
		say(trial, TRIAL_QUIT, "QUIT\r\n");
	}
}

/* ---- the dialogue ---- */

bool trial_wants_tls(const struct trial *trial)
{
	return trial->step == TRIAL_DIALOGUE && trial->dialogue.step == DIALOGUE_TLS;
}

bool trial_without(const struct trial *trial)
{
	return trial->step == TRIAL_OVER && trial->failed == TRIAL_DIALOGUE &&
	       trial->dialogue.without;
}

/* What the dialogue wants to say is said, but for QUIT: then all is as a flow needs it, and the
 * login and the envelope come. */
static void follow(struct trial *trial, enum dialogue_step before)
{
	struct dialogue *dialogue = &trial->dialogue;

	if (dialogue->step == DIALOGUE_QUIT) {
		if (trial->setup->account)
			begin_login(trial);
		else
			say_mail(trial);
		return;
	}
	trial->out_len = dialogue->out_len;
	memcpy(trial->out, dialogue->out, dialogue->out_len);
	dialogue->out_len = 0;
	if (dialogue->step != DIALOGUE_OVER)
		return;
	trial->met = (uint8_t)before;
	bool is_whole = dialogue->reply.status == SMTP_REPLY_DONE;
	fail(trial, is_whole ? dialogue->reply.code : 0, dialogue->text);
	end(trial);
}

void trial_begin(struct trial *trial, const struct trial_setup *setup)
{
	memset(trial, 0, sizeof(*trial));
	trial->setup = setup;
	trial->failed = TRIAL_OVER;
	dialogue_begin(&trial->dialogue, &setup->dialogue);
	follow(trial, DIALOGUE_GREETING);
}

void trial_secured(struct trial *trial, const struct tls_seen *seen)
{
	if (!trial_wants_tls(trial))
		return;
	trial->tls = *seen;
	dialogue_secured(&trial->dialogue);
	follow(trial, DIALOGUE_TLS);
}

void trial_unfit(struct trial *trial, const struct tls_seen *seen)
{
	if (!trial_wants_tls(trial))
		return;
	trial->tls = *seen;
	dialogue_unfit(&trial->dialogue, seen->why);
	follow(trial, DIALOGUE_TLS);
}

static bool has_proxy(const struct trial *trial)
{
	enum policy_announce announce = trial->setup->dialogue.announce;
	return announce == POLICY_ANNOUNCE_PROXY_V1 || announce == POLICY_ANNOUNCE_PROXY_V2;
}

/* At a port that expects no header, each reply answers the command before, whatever it says. */
static void refuse_header(struct trial *trial, const char *words)
{
	fail(trial, trial->reply.code, words);
	trial->failed = TRIAL_DIALOGUE;
	trial->met = DIALOGUE_QUIT;
}

static void on_quit(struct trial *trial, const char *words)
{
	char text[TARGET_TEXT_SIZE];
	if (has_proxy(trial) && trial->reply.code != 221) {
		snprintf(text, sizeof(text), "answers QUIT behind a PROXY header with %.100s",
			words);
		refuse_header(trial, text);
	}
	end(trial);
}

/* More than was asked for: no reply would belong to its command any more. */
static void on_surplus(struct trial *trial)
{
	if (has_proxy(trial))
		refuse_header(trial, "does not take the PROXY header: more than one reply");
	else
		fail(trial, 0, "says more than it was asked");
	end(trial);
}

static void on_reply(struct trial *trial)
{
	char words[SMTP_REPLY_WORDS_SIZE];
	uint16_t code = trial->reply.code;
	bool good = code / 100 == 2;

	smtp_reply_words(&trial->reply, words);
	if (!trial_may_show(trial, words))
		snprintf(words, sizeof(words), "(it repeats what it was told)");
	switch ((enum trial_step)trial->step) {
	case TRIAL_LOGIN:
		on_login(trial, code, words);
		return;
	case TRIAL_MAIL:
		if (good) {
			say(trial, TRIAL_RCPT, "RCPT TO:<%s>\r\n", trial->setup->to);
			return;
		}
		fail(trial, code, words);
		say(trial, TRIAL_QUIT, "QUIT\r\n");
		return;
	case TRIAL_RCPT:
		if (!good)
			fail(trial, code, words);
		trial->code = code;
		snprintf(trial->words, sizeof(trial->words), "%s", words);
		say(trial, TRIAL_RSET, "RSET\r\n");
		return;
	case TRIAL_RSET:
		say(trial, TRIAL_QUIT, "QUIT\r\n");
		return;
	case TRIAL_QUIT:
		on_quit(trial, words);
		return;
	case TRIAL_DIALOGUE:
	case TRIAL_OVER:
		end(trial);
		return;
	}
}

static void feed_envelope(struct trial *trial, const uint8_t *bytes, size_t len)
{
	size_t used;
	switch (smtp_reply_feed(&trial->reply, bytes, len, &used)) {
	case SMTP_REPLY_MORE:
		return;
	case SMTP_REPLY_DONE:
		on_reply(trial);
		if (used < len && trial->step != TRIAL_OVER)
			on_surplus(trial);
		return;
	case SMTP_REPLY_MALFORMED:
	case SMTP_REPLY_TOO_LONG:
		fail(trial, 0, "answers what is not SMTP");
		end(trial);
		return;
	}
}

void trial_feed(struct trial *trial, const void *bytes, size_t len, uint64_t since_connect_ms)
{
	trial->out_len = 0;
	trial->shown = NULL;
	if (trial->step == TRIAL_OVER || len == 0)
		return;
	if (trial->step != TRIAL_DIALOGUE) {
		feed_envelope(trial, bytes, len);
		return;
	}
	enum dialogue_step before = (enum dialogue_step)trial->dialogue.step;
	dialogue_feed(&trial->dialogue, bytes, len, since_connect_ms);
	follow(trial, before);
}

static const char *const waited_for[] = {
	[TRIAL_DIALOGUE] = "the greeting",
	[TRIAL_LOGIN] = "the reply to the login",
	[TRIAL_MAIL] = "the reply to MAIL",
	[TRIAL_RCPT] = "the reply to RCPT",
	[TRIAL_RSET] = "the reply to RSET",
	[TRIAL_QUIT] = "the reply to QUIT",
	[TRIAL_OVER] = "the end",
};

/* The end came on the way: behind RCPT all is known. */
static void break_off(struct trial *trial, const char *how, const char *words)
{
	char text[TARGET_TEXT_SIZE];
	if (trial->step == TRIAL_LOGIN || trial->step == TRIAL_MAIL || trial->step == TRIAL_RCPT) {
		snprintf(text, sizeof(text), "%s %s%s%.100s", how, waited_for[trial->step],
			*words ? ": " : "", words);
		fail(trial, 0, text);
	}
	end(trial);
}

void trial_closed(struct trial *trial, const char *words, uint64_t since_connect_ms)
{
	enum dialogue_step before = (enum dialogue_step)trial->dialogue.step;
	if (trial->step != TRIAL_DIALOGUE) {
		break_off(trial, "closed before", words);
		return;
	}
	dialogue_closed(&trial->dialogue, words, since_connect_ms);
	follow(trial, before);
}

void trial_late(struct trial *trial)
{
	enum dialogue_step before = (enum dialogue_step)trial->dialogue.step;
	if (trial->step != TRIAL_DIALOGUE) {
		break_off(trial, "too late:", "");
		return;
	}
	dialogue_late(&trial->dialogue);
	follow(trial, before);
}
