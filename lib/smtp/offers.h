/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the extensions of SMTP: what a server's EHLO reply offers, and what ours shows to a client
 * (RFC 5321 4.1.1.1). */
#ifndef POSTERN_LIB_SMTP_OFFERS_H
#define POSTERN_LIB_SMTP_OFFERS_H

#include "lib/smtp/parameter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: none, as a server has them that knows HELO alone. */
struct smtp_offers {
	uint64_t size;   /* the largest message, bytes; 0: the server says no limit */
	uint8_t words;   /* enum smtp_parameter_of */
	uint8_t xclient; /* enum xclient_attribute */
	bool has_xclient;
	bool starttls;
	uint8_t login; /* enum smtp_login_mechanism: those of its AUTH that we speak */
};

/* Notes one line of an EHLO reply behind the first: what stands behind "250-" or "250 ". What we do
 * not know is nothing. */
void smtp_offers_read(struct smtp_offers *offers, const char *text, size_t len);

#define SMTP_OFFERS_REPLY_MAX 1100

/* Our reply to EHLO; logins: mechanisms with blanks between, 256 bytes at most, NULL: none:
 * PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES always, SMTPUTF8 and DSN as
 * shown (enum smtp_parameter_of) has them. Returns its length; no NUL. */
size_t smtp_offers_format(char out[static SMTP_OFFERS_REPLY_MAX], const char *gateway,
	uint64_t size, unsigned shown, bool starttls, const char *logins);

#endif
