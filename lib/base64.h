/* Owns base64 (RFC 4648 4), as SMTP AUTH carries it. */
#ifndef POSTERN_BASE64_H
#define POSTERN_BASE64_H

#include <stddef.h>

#define BASE64_BYTES(len) (((len) + 2) / 3 * 4)

/* Returns BASE64_BYTES(len); no NUL. */
size_t base64_encode(const void *bytes, size_t len, char *out);

#endif
