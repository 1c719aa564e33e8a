/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of MAIL and RCPT: what is taken is written and read as the same, and holds no byte
 * that begins another parameter or line, as it is or decoded. */
#include "lib/smtp/parameter.h"

#include "lib/smtp/xtext.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL 0xf

/* An exact copy, so that a read behind the end is seen. */
static char *copy_of(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	memcpy(copy, text, len);
	return copy;
}

static void check_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)text[i] > ' ' && text[i] != 0x7f && text[i] != '=');
}

static void read_mail(unsigned shown, const char *bytes, size_t size)
{
	struct smtp_mail_parameters mail, again;
	char out[SMTP_PARAMETER_MAIL_MAX];

	if (smtp_parameter_parse_mail(&mail, shown, bytes, size))
		return;
	assert(shown & SMTP_PARAMETER_DSN || (mail.envid_bytes == 0 && mail.ret == 0));
	check_value(mail.envid, mail.envid_bytes);
	size_t n = smtp_parameter_format_mail(&mail, ALL, out);
	assert(n <= sizeof(out));
	char *copy = copy_of(out, n);
	assert(!smtp_parameter_parse_mail(&again, shown | SMTP_PARAMETER_SIZE, copy, n));
	assert(memcmp(&mail, &again, sizeof(mail)) == 0);
	free(copy);
}

static void read_rcpt(unsigned shown, bool utf8, const char *bytes, size_t size)
{
	struct smtp_rcpt_parameters rcpt, again;
	char out[SMTP_PARAMETER_RCPT_MAX];

	if (smtp_parameter_parse_rcpt(&rcpt, shown, utf8, bytes, size))
		return;
	check_value(rcpt.orcpt, rcpt.orcpt_bytes);
	size_t n = smtp_parameter_format_rcpt(&rcpt, ALL, out);
	char *copy = copy_of(out, n);
	assert(!smtp_parameter_parse_rcpt(&again, shown | SMTP_PARAMETER_DSN, utf8, copy, n));
	assert(memcmp(&rcpt, &again, sizeof(rcpt)) == 0);
	free(copy);
	/* a server without SMTPUTF8 gets none of it */
	n = smtp_parameter_format_rcpt(&rcpt, SMTP_PARAMETER_DSN, out);
	for (size_t i = 0; i < n; i++)
		assert((unsigned char)out[i] < 0x80);
	assert(!smtp_parameter_parse_rcpt(&again, SMTP_PARAMETER_DSN, false, out, n));
	assert(again.notify == rcpt.notify);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *bytes = (const char *)data + 1;
	read_mail(data[0] & ALL, bytes, size - 1);
	read_rcpt(data[0] & ALL, data[0] & 0x10, bytes, size - 1);
	return 0;
}
