/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a password is typed: at a terminal without echo, else as a line of standard input. */
#ifndef POSTERN_TOOLS_POSTERNCTL_PASSWORD_H
#define POSTERN_TOOLS_POSTERNCTL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_SIZE 513 /* 512 bytes, as the gateway takes them, and NUL */

/* Into the caller's storage, who wipes it; twice: typed again at a terminal. NULL, or what is
 * wrong. */
const char *password_read(char password[static PASSWORD_SIZE], const char *user, bool twice);

#endif
