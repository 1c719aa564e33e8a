/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns copying a text into a member that has a fixed size. */
#ifndef POSTERN_LIB_BASE_COPY_H
#define POSTERN_LIB_BASE_COPY_H

#include <stddef.h>

/* As much of the text as has room, which is not nothing, and NUL to the end: what is then compared,
 * hashed or sent as a whole has no bytes of before in it. */
void copy_text(char *to, size_t room, const char *text);

#endif
