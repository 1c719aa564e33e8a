/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns finding a server's queue id in its reply to the end of a message's text. */
#ifndef POSTERN_LIB_RECORD_QUEUE_ID_H
#define POSTERN_LIB_RECORD_QUEUE_ID_H

#include <stddef.h>

#define QUEUE_ID_MAX 64 /* bytes; what is longer is none */

/* The reply is a server's words, with its code or without, of one line or several; anything may
 * stand in it. Where the server passes on what one behind it said, it is the last one's id. Returns
 * its length, and where it begins in the reply; 0: there is none. Known are the words of Postfix,
 * Exim, OpenSMTPD, Sendmail, Exchange, qmail, Dovecot, Haraka, Stalwart, Gmail and, with the code
 * alone, Courier. */
size_t queue_id_find(const char *reply, size_t len, const char **id);

#endif
