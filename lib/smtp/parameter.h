/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET,
 * ENVID, NOTIFY, ORCPT (RFC 3461, RFC 6533). AUTH= of MAIL (RFC 4954) is read and forgotten: who
 * sends is known by other means. */
#ifndef POSTERN_LIB_SMTP_PARAMETER_H
#define POSTERN_LIB_SMTP_PARAMETER_H

#include "lib/smtp/refusal.h"

#include <stdbool.h>
#include <stddef.h>

/* The extensions that parameters belong to: what a client was shown, what a server shows. */
enum smtp_parameter_of {
	SMTP_PARAMETER_SIZE = 1 << 0,
	SMTP_PARAMETER_8BITMIME = 1 << 1,
	SMTP_PARAMETER_SMTPUTF8 = 1 << 2,
	SMTP_PARAMETER_DSN = 1 << 3,
};

enum smtp_parameter_body {
	SMTP_PARAMETER_BODY_NONE, /* not said */
	SMTP_PARAMETER_BODY_7BIT,
	SMTP_PARAMETER_BODY_8BITMIME,
};

enum smtp_parameter_ret {
	SMTP_PARAMETER_RET_NONE, /* not said */
	SMTP_PARAMETER_RET_FULL,
	SMTP_PARAMETER_RET_HDRS,
};

enum smtp_parameter_notify {
	SMTP_PARAMETER_NEVER = 1 << 0, /* alone */
	SMTP_PARAMETER_SUCCESS = 1 << 1,
	SMTP_PARAMETER_FAILURE = 1 << 2,
	SMTP_PARAMETER_DELAY = 1 << 3,
};

#define SMTP_PARAMETER_ENVID_MAX 100 /* RFC 3461 4.4 */
#define SMTP_PARAMETER_ORCPT_MAX 500 /* RFC 3461 4.2 */

/* Both without a pointer; all zero: no parameters. Bytes behind the lengths are zero. */
struct smtp_mail_parameters {
	uint64_t size; /* bytes that the client means to send; 0: not said */
	uint8_t body;  /* enum smtp_parameter_body */
	uint8_t ret;   /* enum smtp_parameter_ret */
	bool utf8;     /* SMTPUTF8 */
	uint8_t envid_bytes;
	char envid[SMTP_PARAMETER_ENVID_MAX]; /* xtext, as it is written */
};

struct smtp_rcpt_parameters {
	uint8_t notify; /* enum smtp_parameter_notify; 0: not said */
	uint16_t orcpt_bytes;
	char orcpt[SMTP_PARAMETER_ORCPT_MAX]; /* "rfc822;" and xtext, as it is written */
};

/* What stands behind the path, each with a space before it. shown (enum smtp_parameter_of): what
 * the client was shown; 0 behind HELO: then no parameter is good, nor is AUTH=. NULL; or why not,
 * and the parameters are zeroed: 501 for what is wrong or said twice, 555 for what was not
 * shown. Whether a path needs SMTPUTF8 is the caller's to see. */
const struct smtp_refusal *smtp_parameter_parse_mail(
	struct smtp_mail_parameters *mail, unsigned shown, const char *bytes, size_t len);
/* utf8: MAIL said SMTPUTF8, so ORCPT may hold UTF-8. */
const struct smtp_refusal *smtp_parameter_parse_rcpt(struct smtp_rcpt_parameters *rcpt,
	unsigned shown, bool utf8, const char *bytes, size_t len);

#define SMTP_PARAMETER_MAIL_MAX 176
#define SMTP_PARAMETER_RCPT_MAX 544

/* As they go to a server that shows these: what it lacks is left out, and UTF-8 in ORCPT is encoded
 * where SMTPUTF8 is not shown. Each with a space before it; no NUL. Returns the length. */
size_t smtp_parameter_format_mail(const struct smtp_mail_parameters *mail, unsigned shown,
	char out[static SMTP_PARAMETER_MAIL_MAX]);
size_t smtp_parameter_format_rcpt(const struct smtp_rcpt_parameters *rcpt, unsigned shown,
	char out[static SMTP_PARAMETER_RCPT_MAX]);

#endif
