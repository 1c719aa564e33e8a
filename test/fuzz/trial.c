/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server's bytes in `server test`: whatever they are, and whatever becomes of TLS, it ends with a
 * verdict that fits, nothing but login and envelope is ever said, never DATA, and what may be shown
 * has nothing of the secret. */
#include "lib/smtp/probe/trial.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "battery horse"
/* In base64, behind the user, and alone. */
static const char *const forms[] = {SECRET, "YmF0dGVyeSBob3JzZQ", "AGJhdHRlcnkgaG9yc2U"};

static void check_said(const struct trial *trial)
{
	static const char *const verbs[] = {"PROXY ", "\r\n\r\n", "EHLO ", "STARTTLS", "XCLIENT ",
		"AUTH PLAIN ", "AUTH LOGIN", "aG90ZWw=", "YmF0dGVyeSBob3JzZQ==", "MAIL FROM:<",
		"RCPT TO:<", "RSET", "QUIT"};
	bool known = trial->out_len == 0;
	char said[sizeof(trial->out) + 1];

	assert(trial->out_len <= sizeof(trial->out));
	memcpy(said, trial->out, trial->out_len);
	said[trial->out_len] = '\0';
	for (size_t i = 0; !known && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known = strncmp(said, verbs[i], strlen(verbs[i])) == 0;
	assert(known);
	const char *shown = trial->shown ? trial->shown : said;
	for (size_t i = 0; trial->out_len && i < sizeof(forms) / sizeof(forms[0]); i++)
		assert(!strstr(shown, forms[i]));
}

/* What a handshake came to is in the input, too. */
static void shake_hands(struct trial *trial, uint8_t byte)
{
	struct tls_seen seen = {.version = byte & 1 ? TLS_VERSION_1_3 : TLS_VERSION_NONE,
		.reason = byte >> 1 & 7,
		.names = "mx.example.org"};

	assert(!trial->out_len);
	if (byte & 16) {
		trial_secured(trial, &seen);
		return;
	}
	snprintf(seen.why, sizeof(seen.why), "no good");
	trial_unfit(trial, &seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trial trial;
	char text[TRIAL_VERDICT_SIZE];
	struct trial_setup setup = {.dialogue = {.hostname = "gw.example.net",
					    .client = {{{192, 0, 2, 1}, ADDR_IP4}, 40025},
					    .original = {{{192, 0, 2, 3}, ADDR_IP4}, 25}},
		.from = "postmaster@gw.example.net",
		.to = "test@example.org",
		.host = {{{203, 0, 113, 10}, ADDR_IP4}, 25}};

	const struct trial_account account = {
		.login = {.user = "hotel", .user_len = 5, .secret = SECRET, .secret_len = 13},
		.sure = true};

	if (size < 3)
		return 0;
	setup.dialogue.announce = (enum policy_announce)(data[0] % 4);
	setup.dialogue.login = data[0] & 4 ? "anna" : NULL;
	setup.bind = data[0] & 16 ? POLICY_BIND_CLIENT : POLICY_BIND_GATEWAY;
	setup.login = data[0] & 32;
	setup.dialogue.tls = (enum engine_tls)(data[2] % (ENGINE_TLS_IMMEDIATE + 1));
	setup.account = data[2] & 64 ? &account : NULL;
	size_t step = data[1] % 61 + 1;
	trial_begin(&trial, &setup);
	check_said(&trial);
	for (size_t at = 3; at < size && trial.step != TRIAL_OVER;) {
		if (trial_wants_tls(&trial) && !(data[at] & 128)) {
			trial.out_len = 0; /* it is sent */
			shake_hands(&trial, data[at++]);
		} else {
			trial_feed(&trial, data + at, size - at < step ? size - at : step, at);
			at += step;
		}
		check_said(&trial);
	}
	if (data[0] & 8)
		trial_closed(&trial, "", size);
	else
		trial_late(&trial);
	assert(trial.step == TRIAL_OVER);
	enum trial_verdict verdict = trial_judge(&trial, text);
	assert(verdict < TRIAL_VERDICTS);
	assert((verdict == TRIAL_REFUSED) == (trial.failed != TRIAL_OVER));
	for (const char *p = text; *p; p++)
		assert(*p >= ' ' && *p <= '~');
	return 0;
}
