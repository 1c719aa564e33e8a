/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the name that a client gives itself behind HELO or EHLO (RFC 5321 4.1.1.1). */
#ifndef POSTERN_LIB_SMTP_NAME_H
#define POSTERN_LIB_SMTP_NAME_H

#include <stddef.h>

#define SMTP_NAME_SIZE 256 /* with NUL */

/* Takes what real clients say, host name or not ("DESKTOP_1", "[10.0.0.5]", "pc."), and so that it
 * may be said again: a dot at the end goes, a byte over 127 becomes '?'. Returns its length; 0 for
 * what no line may be made of (nothing, over 255 bytes, a space, a control), name is then empty. */
size_t smtp_name_parse(const char *bytes, size_t len, char name[static SMTP_NAME_SIZE]);

#endif
