/* A server's bytes in `server test`: whatever they are, it ends with a verdict that fits, nothing
 * but the envelope is ever said, and never DATA. */
#include "lib/trial.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_said(const struct trial *trial)
{
	static const char *const verbs[] = {"PROXY ", "\r\n\r\n", "EHLO ", "XCLIENT ",
		"MAIL FROM:<", "RCPT TO:<", "RSET", "QUIT"};
	bool known = trial->out_len == 0;
	assert(trial->out_len <= sizeof(trial->out));
	for (size_t i = 0; !known && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known = trial->out_len >= strlen(verbs[i]) &&
			memcmp(trial->out, verbs[i], strlen(verbs[i])) == 0;
	assert(known);
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

	if (size < 2)
		return 0;
	setup.dialogue.announce = (enum policy_announce)(data[0] % 4);
	setup.dialogue.login = data[0] & 4 ? "anna" : NULL;
	setup.bind = data[0] & 16 ? POLICY_BIND_CLIENT : POLICY_BIND_GATEWAY;
	setup.login = data[0] & 32;
	size_t step = data[1] % 61 + 1;
	trial_begin(&trial, &setup);
	check_said(&trial);
	for (size_t at = 2; at < size && trial.step != TRIAL_OVER; at += step) {
		trial_feed(&trial, data + at, size - at < step ? size - at : step, at);
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
