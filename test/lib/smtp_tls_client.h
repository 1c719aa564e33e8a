/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a client of the smtp process that speaks TLS, one line at a time. */
#ifndef POSTERN_TEST_SMTP_TLS_CLIENT_H
#define POSTERN_TEST_SMTP_TLS_CLIENT_H

#include "test/lib/tls_authority.h"

#include <openssl/ssl.h>

/* Over a connected socket, which stays the caller's: its handshake. shown: its certificate, or
 * NULL. NULL: the handshake failed. */
SSL *smtp_tls_begin(int fd, const struct tls_issued *shown);
/* The same in two parts: its first words, and the rest. False: the handshake failed. */
SSL *smtp_tls_open(int fd, const struct tls_issued *shown);
bool smtp_tls_finish(SSL *ssl);
void smtp_tls_say(SSL *ssl, const char *text);
/* Says the line, if it is not empty; the reply's last line begins so. */
void smtp_tls_ask(SSL *ssl, const char *line, const char *reply);
/* The gateway closed, and said so. */
void smtp_tls_hear_end(SSL *ssl);

#endif
