/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a refusal of the gateway's own is made of. */
#ifndef POSTERN_LIB_SMTP_REFUSAL_H
#define POSTERN_LIB_SMTP_REFUSAL_H

#include <stdint.h>

/* What smtp_reply_format() takes. */
struct smtp_refusal {
	uint16_t code;        /* RFC 5321 4.2.1 */
	const char *enhanced; /* RFC 3463 */
	const char *text;
};

#endif
