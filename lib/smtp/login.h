/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how the gateway logs in at a server: AUTH PLAIN (RFC 4616) with its answer in the command,
 * else LOGIN, line by line. */
#ifndef POSTERN_LIB_SMTP_LOGIN_H
#define POSTERN_LIB_SMTP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

enum smtp_login_mechanism {
	SMTP_LOGIN_PLAIN = 1 << 0,
	SMTP_LOGIN_LOGIN = 1 << 1,
};

#define SMTP_LOGIN_USER_MAX   255
#define SMTP_LOGIN_SECRET_MAX 1024
/* "AUTH PLAIN ", base64 of both with a NUL before each, CR LF */
#define SMTP_LOGIN_LINE_MAX (13 + (SMTP_LOGIN_USER_MAX + SMTP_LOGIN_SECRET_MAX + 4) / 3 * 4)

/* Borrowed. */
struct smtp_login {
	const char *user;
	const char *secret;
	size_t user_len, secret_len;
};

/* Of what stands behind AUTH in an EHLO reply: those that are spoken here, as bits. */
unsigned smtp_login_offered(const char *words, size_t len);
/* The step-th line, from 0, with CR LF and no NUL. last: no other follows. Returns its length; 0:
 * none of these mechanisms is spoken, or user or secret is empty, too long, or has a NUL. Out is
 * to be wiped by who sent it. */
size_t smtp_login_line(const struct smtp_login *login, unsigned mechanisms, unsigned step,
	char out[static SMTP_LOGIN_LINE_MAX], bool *last);
/* May the text, of a server, have a part of the secret, as it is or as it was said? Some repeat
 * what they do not take. */
bool smtp_login_tells(const struct smtp_login *login, const char *text);

#endif
