/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what stands behind the @ of an address (RFC 5321 4.1.2): a domain, or an address literal. */
#ifndef POSTERN_LIB_SMTP_DOMAIN_H
#define POSTERN_LIB_SMTP_DOMAIN_H

#include <stddef.h>

#define SMTP_DOMAIN_MAX 255

/* Writes the domain as everything else compares and forwards it: lower case, labels with letters
 * beyond ASCII as A-labels (RFC 5891), without the one dot that may end it. A label has 1 to 63
 * letters, digits, hyphens (not at its ends) and underscores; the last is not of digits alone.
 * Returns its length, no NUL; or -EINVAL. */
int smtp_domain_parse(const char *text, size_t len, char out[static SMTP_DOMAIN_MAX]);
/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" with its brackets, the address spelled anew (RFC 5321
 * 4.1.3). Returns its length, no NUL; or -EINVAL. */
int smtp_domain_parse_literal(const char *text, size_t len, char out[static SMTP_DOMAIN_MAX]);

#endif
