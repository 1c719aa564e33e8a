/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the path of MAIL and RCPT (RFC 5321 4.1.2): who sent a message, who is to have it. */
#ifndef POSTERN_LIB_SMTP_PATH_H
#define POSTERN_LIB_SMTP_PATH_H

#include "lib/smtp/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTP_PATH_LOCAL_MAX  64  /* RFC 5321 4.5.3.1.1 */
#define SMTP_PATH_DOMAIN_MAX 255 /* RFC 5321 4.5.3.1.2 */
#define SMTP_PATH_TEXT_MAX   (SMTP_PATH_LOCAL_MAX + SMTP_PATH_DOMAIN_MAX + 3) /* "<", "@", ">" */

enum smtp_path_flag {
	SMTP_PATH_NULL = 1 << 0,    /* "<>": neither local part nor domain */
	SMTP_PATH_LITERAL = 1 << 1, /* the domain is an address in brackets; of senders alone */
	SMTP_PATH_UTF8 = 1 << 2,    /* came with bytes over 127: MAIL must say SMTPUTF8 */
};

/* Has no pointer, and all bytes behind the lengths are zero: two are the same when memcmp says so.
 */
struct smtp_path {
	uint8_t local_bytes;  /* 0 with "<>" alone */
	uint8_t domain_bytes; /* 0 with "<>" and "<postmaster>" alone */
	uint8_t flags;        /* enum smtp_path_flag */
	/* What the local part says: without the quotes and backslashes that it came with. */
	char local[SMTP_PATH_LOCAL_MAX];
	/* Lower case, A-labels (RFC 5890), no dot at the end. */
	char domain[SMTP_PATH_DOMAIN_MAX];
};

/* How a path is read. Without flags: the sender of a transfer. */
enum smtp_path_way {
	SMTP_PATH_RECIPIENT = 1 << 0, /* of RCPT: what relays by somebody's reading is refused */
	SMTP_PATH_BARE = 1 << 1,      /* "a@b" without its brackets is taken, as submission does */
};

enum smtp_path_status {
	SMTP_PATH_GOOD,
	SMTP_PATH_NO_PATH,   /* nothing in brackets, or brackets or quotes that do not close */
	SMTP_PATH_BAD_BYTE,  /* control, no UTF-8, or what no address has */
	SMTP_PATH_NO_DOMAIN, /* or no local part */
	SMTP_PATH_TOO_LONG,
	SMTP_PATH_BAD_DOMAIN, /* empty label, hyphen at an end, digits alone, no IDNA */
	SMTP_PATH_ROUTE,      /* @ % ! or a source route, quoted or not */
	SMTP_PATH_ADDRESS,    /* an address literal as recipient */
	SMTP_PATH_UNASKED,    /* never of smtp_path_parse(): UTF-8 without SMTPUTF8, RFC 6531 3.5 */
	SMTP_PATH_STATUSES,
};

/* Reads what stands behind "FROM:" or "TO:", with one space before it or none. *used is where the
 * path ends: at the end of the bytes, or at the space before the parameters. A source route of a
 * sender is dropped (RFC 5321 appendix C). Unless GOOD, path is zeroed and *used 0. */
enum smtp_path_status smtp_path_parse(
	struct smtp_path *path, unsigned way, const char *bytes, size_t len, size_t *used);
/* The reply to a status other than GOOD. */
const struct smtp_refusal *smtp_path_refusal(enum smtp_path_status status, unsigned way);
/* In brackets, the local part in quotes if it needs them; no NUL. Returns the length. */
size_t smtp_path_format(const struct smtp_path *path, char out[static SMTP_PATH_TEXT_MAX]);
/* It can only go to a server that offers SMTPUTF8: an A-label is no reason. */
bool smtp_path_needs_utf8(const struct smtp_path *path);

/* The same path as lists and limits know it: local part in lower case (ASCII), without "+extension"
 * and BATV's "prvs=TAG=". What begins with SRS0= or SRS1= only becomes lower case. */
void smtp_path_key(const struct smtp_path *path, struct smtp_path *key);
/* SRS0= or SRS1=, in any case: a bounce on its way back, of no list. */
bool smtp_path_is_srs(const struct smtp_path *path);
/* "postmaster" of any domain or of none, in any case. */
bool smtp_path_is_postmaster(const struct smtp_path *path);

#endif
