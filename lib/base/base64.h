/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns base64 (RFC 4648 4), as SMTP AUTH carries it. */
#ifndef POSTERN_LIB_BASE_BASE64_H
#define POSTERN_LIB_BASE_BASE64_H

#include <stddef.h>

#define BASE64_BYTES(len) (((len) + 2) / 3 * 4)

/* Returns BASE64_BYTES(len); no NUL. */
size_t base64_encode(const void *bytes, size_t len, char *out);
/* Room that len letters take at most when they are decoded. */
#define BASE64_DECODED(len) ((len) / 4 * 3)
/* Returns how many bytes, or -EBADMSG: not whole groups of four letters, padded at their end alone,
 * with no bit set that says nothing. */
long base64_decode(const char *text, size_t len, void *out);

#endif
