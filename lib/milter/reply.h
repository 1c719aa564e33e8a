/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns an SMTP reply in a filter's own words ('y'), as far as it may be said to a client. */
#ifndef POSTERN_LIB_MILTER_REPLY_H
#define POSTERN_LIB_MILTER_REPLY_H

#include "lib/smtp/smtp.h"

#define MILTER_WORDS_SIZE 512 /* a reply in one line, with NUL */

struct milter_reply {
	uint16_t code;                     /* 4xx or 5xx */
	char enhanced[SMTP_ENHANCED_SIZE]; /* of its class */
	char words[MILTER_WORDS_SIZE];     /* of all its lines, " / " between; no control byte */
};

/* NULL, or what was expected instead. Lines end with CRLF or LF, and all have one code, with one
 * enhanced code of its class, or none: then it is class.7.1. '%' as in sendmail's format strings:
 * twice it is one, once it is none. */
const char *milter_reply_parse(const char *text, struct milter_reply *reply);

#endif
