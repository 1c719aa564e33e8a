/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/parameter.h"

#include "lib/smtp/xtext.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct smtp_refusal wrong = {501, "5.5.4", "a parameter's value is wrong"};
static const struct smtp_refusal twice = {501, "5.5.4", "a parameter was said twice"};
static const struct smtp_refusal unknown = {555, "5.5.4", "a parameter that was not offered"};

/* KEYWORD or KEYWORD=value, RFC 5321 4.1.2. */
struct parameter {
	const char *keyword, *value;
	size_t keyword_len, value_len;
	bool has_value;
};

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool is_keyword(const struct parameter *parameter, const char *word)
{
	return is_word(parameter->keyword, parameter->keyword_len, word);
}

static bool is_value(const struct parameter *parameter, const char *word)
{
	return is_word(parameter->value, parameter->value_len, word);
}

/* The next one at *at. 1; 0: there is none; -1: it is not one. */
static int next_parameter(const char *bytes, size_t len, size_t *at, struct parameter *parameter)
{
	size_t from = *at, end;

	while (from < len && bytes[from] == ' ')
		from++;
	if (from == len) {
		*at = len;
		return 0;
	}
	if (from == *at)
		return -1; /* nothing between it and what stands before */
	for (end = from; end < len && bytes[end] != ' '; end++)
		if ((unsigned char)bytes[end] < ' ' || bytes[end] == 0x7f)
			return -1;
	const char *equals = memchr(bytes + from, '=', end - from);
	size_t keyword_len = equals ? (size_t)(equals - (bytes + from)) : end - from;
	*parameter = (struct parameter){
		.keyword = bytes + from,
		.keyword_len = keyword_len,
		.has_value = equals != NULL,
		.value = equals ? equals + 1 : bytes + end,
		.value_len = equals ? end - from - keyword_len - 1 : 0,
	};
	*at = end;
	return keyword_len > 0 && (!equals || parameter->value_len > 0) ? 1 : -1;
}

/* RFC 1870 4: up to 20 digits. More than 64 bits hold is as much as they do. */
static bool read_size(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	if (parameter->value_len == 0 || parameter->value_len > 20)
		return false;
	for (size_t i = 0; i < parameter->value_len; i++) {
		char c = parameter->value[i];
		uint64_t digit = (uint64_t)(c - '0'), size = mail->size;
		if (c < '0' || c > '9')
			return false;
		mail->size = size > (UINT64_MAX - digit) / 10 ? UINT64_MAX : size * 10 + digit;
	}
	return true;
}

static bool read_body(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	if (is_value(parameter, "7BIT"))
		mail->body = SMTP_PARAMETER_BODY_7BIT;
	else if (is_value(parameter, "8BITMIME"))
		mail->body = SMTP_PARAMETER_BODY_8BITMIME;
	return mail->body != SMTP_PARAMETER_BODY_NONE;
}

static bool read_utf8(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	mail->utf8 = !parameter->has_value;
	return mail->utf8;
}

static bool read_ret(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	if (is_value(parameter, "FULL"))
		mail->ret = SMTP_PARAMETER_RET_FULL;
	else if (is_value(parameter, "HDRS"))
		mail->ret = SMTP_PARAMETER_RET_HDRS;
	return mail->ret != SMTP_PARAMETER_RET_NONE;
}

static bool read_envid(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	if (parameter->value_len > SMTP_PARAMETER_ENVID_MAX ||
		!smtp_xtext_is_good(parameter->value, parameter->value_len))
		return false;
	memcpy(mail->envid, parameter->value, parameter->value_len);
	mail->envid_bytes = (uint8_t)parameter->value_len;
	return true;
}

static bool read_auth(const struct parameter *parameter, struct smtp_mail_parameters *mail)
{
	(void)mail;
	return is_value(parameter, "<>") ||
	       smtp_xtext_is_good(parameter->value, parameter->value_len);
}

static const struct {
	const char *keyword;
	unsigned shown; /* one of these must be; AUTH= is known behind every EHLO */
	bool (*read)(const struct parameter *parameter, struct smtp_mail_parameters *mail);
} mail_table[] = {
	{"SIZE", SMTP_PARAMETER_SIZE, read_size},
	{"BODY", SMTP_PARAMETER_8BITMIME, read_body},
	{"SMTPUTF8", SMTP_PARAMETER_SMTPUTF8, read_utf8},
	{"RET", SMTP_PARAMETER_DSN, read_ret},
	{"ENVID", SMTP_PARAMETER_DSN, read_envid},
	{"AUTH", ~0u, read_auth},
};
#define MAIL_PARAMETERS (sizeof(mail_table) / sizeof(mail_table[0]))

static const struct smtp_refusal *read_mail(const struct parameter *parameter, unsigned shown,
	struct smtp_mail_parameters *mail, unsigned *seen)
{
	for (unsigned i = 0; i < MAIL_PARAMETERS; i++) {
		if (!is_keyword(parameter, mail_table[i].keyword))
			continue;
		/* BINARYMIME belongs to CHUNKING, which is never shown */
		if (!(shown & mail_table[i].shown) ||
			(mail_table[i].read == read_body && is_value(parameter, "BINARYMIME")))
			return &unknown;
		if (*seen & 1u << i)
			return &twice;
		*seen |= 1u << i;
		return mail_table[i].read(parameter, mail) ? NULL : &wrong;
	}
	return &unknown;
}

const struct smtp_refusal *smtp_parameter_parse_mail(
	struct smtp_mail_parameters *mail, unsigned shown, const char *bytes, size_t len)
{
	const struct smtp_refusal *refusal = NULL;
	struct parameter parameter;
	unsigned seen = 0;
	size_t at = 0;
	int more = 0;

	memset(mail, 0, sizeof(*mail));
	while (!refusal && (more = next_parameter(bytes, len, &at, &parameter)) > 0)
		refusal = read_mail(&parameter, shown, mail, &seen);
	if (more < 0)
		refusal = &wrong;
	if (refusal)
		memset(mail, 0, sizeof(*mail));
	return refusal;
}

static const struct {
	const char *word;
	enum smtp_parameter_notify notify;
} notify_words[] = {
	{"NEVER", SMTP_PARAMETER_NEVER},
	{"SUCCESS", SMTP_PARAMETER_SUCCESS},
	{"FAILURE", SMTP_PARAMETER_FAILURE},
	{"DELAY", SMTP_PARAMETER_DELAY},
};
#define NOTIFY_WORDS (sizeof(notify_words) / sizeof(notify_words[0]))

static unsigned find_notify(const char *text, size_t len)
{
	for (unsigned i = 0; i < NOTIFY_WORDS; i++)
		if (is_word(text, len, notify_words[i].word))
			return notify_words[i].notify;
	return 0;
}

static bool read_notify(const struct parameter *parameter, struct smtp_rcpt_parameters *rcpt)
{
	const char *at = parameter->value, *end = at + parameter->value_len;
	unsigned notify = 0;

	if (at == end)
		return false;
	for (const char *comma; at <= end; at = comma + 1) {
		comma = memchr(at, ',', (size_t)(end - at));
		comma = comma ? comma : end;
		unsigned one = find_notify(at, (size_t)(comma - at));
		if (one == 0)
			return false;
		notify |= one;
	}
	rcpt->notify = (uint8_t)notify;
	return notify == SMTP_PARAMETER_NEVER || !(notify & SMTP_PARAMETER_NEVER);
}

static bool is_type_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-';
}

/* RFC 3461 4.2: an address type, which is an atom, and the address. */
static bool read_orcpt(
	const struct parameter *parameter, bool utf8, struct smtp_rcpt_parameters *rcpt)
{
	const char *value = parameter->value, *semicolon = memchr(value, ';', parameter->value_len);

	if (!semicolon || semicolon == value || parameter->value_len > SMTP_PARAMETER_ORCPT_MAX)
		return false;
	size_t type_len = (size_t)(semicolon - value);
	for (size_t i = 0; i < type_len; i++)
		if (!is_type_byte(value[i]))
			return false;
	const char *address = semicolon + 1;
	size_t len = parameter->value_len - type_len - 1;
	if (is_word(value, type_len, "utf-8") ? !smtp_xtext_is_address(address, len, utf8)
					      : !smtp_xtext_is_good(address, len))
		return false;
	memcpy(rcpt->orcpt, value, parameter->value_len);
	rcpt->orcpt_bytes = (uint16_t)parameter->value_len;
	return true;
}

static const struct smtp_refusal *read_rcpt(const struct parameter *parameter, unsigned shown,
	bool utf8, struct smtp_rcpt_parameters *rcpt)
{
	bool notify = is_keyword(parameter, "NOTIFY");

	if (!(shown & SMTP_PARAMETER_DSN) || (!notify && !is_keyword(parameter, "ORCPT")))
		return &unknown;
	if (notify ? rcpt->notify != 0 : rcpt->orcpt_bytes != 0)
		return &twice;
	bool good = notify ? read_notify(parameter, rcpt) : read_orcpt(parameter, utf8, rcpt);
	return good ? NULL : &wrong;
}

const struct smtp_refusal *smtp_parameter_parse_rcpt(
	struct smtp_rcpt_parameters *rcpt, unsigned shown, bool utf8, const char *bytes, size_t len)
{
	const struct smtp_refusal *refusal = NULL;
	struct parameter parameter;
	size_t at = 0;
	int more = 0;

	memset(rcpt, 0, sizeof(*rcpt));
	while (!refusal && (more = next_parameter(bytes, len, &at, &parameter)) > 0)
		refusal = read_rcpt(&parameter, shown, utf8, rcpt);
	if (more < 0)
		refusal = &wrong;
	if (refusal)
		memset(rcpt, 0, sizeof(*rcpt));
	return refusal;
}

static size_t put(char *out, size_t n, const char *text, size_t len)
{
	memcpy(out + n, text, len);
	return n + len;
}

static size_t put_word(char *out, size_t n, const char *word)
{
	return put(out, n, word, strlen(word));
}

size_t smtp_parameter_format_mail(const struct smtp_mail_parameters *mail, unsigned shown,
	char out[static SMTP_PARAMETER_MAIL_MAX])
{
	static const char *const body[] = {"", " BODY=7BIT", " BODY=8BITMIME"};
	static const char *const ret[] = {"", " RET=FULL", " RET=HDRS"};
	size_t n = 0;

	if (shown & SMTP_PARAMETER_SIZE && mail->size > 0)
		n = (size_t)snprintf(
			out, SMTP_PARAMETER_MAIL_MAX, " SIZE=%llu", (unsigned long long)mail->size);
	if (shown & SMTP_PARAMETER_8BITMIME)
		n = put_word(out, n, body[mail->body]);
	if (shown & SMTP_PARAMETER_SMTPUTF8 && mail->utf8)
		n = put_word(out, n, " SMTPUTF8");
	if (!(shown & SMTP_PARAMETER_DSN))
		return n;
	n = put_word(out, n, ret[mail->ret]);
	if (mail->envid_bytes > 0) {
		n = put_word(out, n, " ENVID=");
		n = put(out, n, mail->envid, mail->envid_bytes);
	}
	return n;
}

size_t smtp_parameter_format_rcpt(const struct smtp_rcpt_parameters *rcpt, unsigned shown,
	char out[static SMTP_PARAMETER_RCPT_MAX])
{
	char encoded[SMTP_PARAMETER_ORCPT_MAX];
	const char *orcpt = rcpt->orcpt;
	size_t orcpt_len = rcpt->orcpt_bytes, n = 0;

	if (!(shown & SMTP_PARAMETER_DSN))
		return 0;
	for (unsigned i = 0; i < NOTIFY_WORDS; i++)
		if (rcpt->notify & notify_words[i].notify) {
			n = put_word(out, n, n == 0 ? " NOTIFY=" : ",");
			n = put_word(out, n, notify_words[i].word);
		}
	if (!(shown & SMTP_PARAMETER_SMTPUTF8)) {
		orcpt_len = smtp_xtext_encode_address(orcpt, orcpt_len, encoded, sizeof(encoded));
		orcpt = encoded;
	}
	if (orcpt_len > 0) {
		n = put_word(out, n, " ORCPT=");
		n = put(out, n, orcpt, orcpt_len);
	}
	return n;
}
