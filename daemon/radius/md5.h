/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns MD5 as OpenSSL has it, for the code of packets. */
#ifndef POSTERN_DAEMON_RADIUS_MD5_H
#define POSTERN_DAEMON_RADIUS_MD5_H

#include "lib/radius/digest.h"

struct md5;

/* NULL: out of memory, or OpenSSL refuses MD5 here, as a FIPS provider does. */
struct md5 *md5_new(void);
void md5_free(struct md5 *md5); /* NULL is allowed */
/* Lives as long as md5. */
struct radius_digest md5_digest(struct md5 *md5);

#endif
