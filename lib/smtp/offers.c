/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/offers.h"

#include "lib/base/words.h"
#include "lib/smtp/login.h"
#include "lib/smtp/xclient.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum smtp_parameter_of of;
} words[] = {
	{"SIZE", SMTP_PARAMETER_SIZE},
	{"8BITMIME", SMTP_PARAMETER_8BITMIME},
	{"SMTPUTF8", SMTP_PARAMETER_SMTPUTF8},
	{"DSN", SMTP_PARAMETER_DSN},
};

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* RFC 1870 4: decimal digits, or nothing. What does not fit is as good as no limit. */
static uint64_t read_size(const char *text, size_t len)
{
	uint64_t size = 0;

	for (size_t i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		if (size > UINT64_MAX / 10 - 1)
			return 0;
		size = size * 10 + (unsigned)(text[i] - '0');
	}
	return size;
}

void smtp_offers_read(struct smtp_offers *offers, const char *text, size_t len)
{
	size_t word = 0, args;

	while (word < len && text[word] != ' ' && text[word] != '=')
		word++;
	args = word < len ? word + 1 : len;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(text, word, words[i].word))
			offers->words |= (uint8_t)words[i].of;
	if (is_word(text, word, "SIZE"))
		offers->size = read_size(text + args, len - args);
	if (is_word(text, word, "STARTTLS"))
		offers->starttls = true;
	if (is_word(text, word, "AUTH")) /* "AUTH=" is how it was before RFC 2554 */
		offers->login |= (uint8_t)smtp_login_offered(text + args, len - args);
	if (is_word(text, word, "XCLIENT")) {
		offers->has_xclient = true;
		offers->xclient = (uint8_t)xclient_offered(text + args, len - args);
	}
}

size_t smtp_offers_format(char out[static SMTP_OFFERS_REPLY_MAX], const char *gateway,
	uint64_t size, unsigned shown, bool starttls, const char *logins)
{
	struct words reply = {out, SMTP_OFFERS_REPLY_MAX, 0};

	words_put(&reply, "250-");
	words_put_bytes(&reply, gateway, strnlen(gateway, 255));
	words_put(&reply, "\r\n250-PIPELINING\r\n250-SIZE ");
	words_put_number(&reply, size, 1);
	words_put(&reply, "\r\n");
	if (shown & SMTP_PARAMETER_SMTPUTF8)
		words_put(&reply, "250-SMTPUTF8\r\n");
	if (shown & SMTP_PARAMETER_DSN)
		words_put(&reply, "250-DSN\r\n");
	if (starttls)
		words_put(&reply, "250-STARTTLS\r\n");
	/* with =, as it was before RFC 2554: some programs know it only so */
	for (const char *sign = " ="; logins && *sign; sign++) {
		words_put(&reply, "250-AUTH");
		words_put_bytes(&reply, sign, 1);
		words_put_bytes(&reply, logins, strnlen(logins, 256));
		words_put(&reply, "\r\n");
	}
	words_put(&reply, "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
	return reply.len;
}
