/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the difference of two texts, line by line. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_DIFF_H
#define POSTERN_DAEMON_CONTROL_POLICY_DIFF_H

#include <stddef.h>

/* Lines only in a begin with '-', only in b with '+', three lines around each with ' ', gaps with
 * "@". Empty: no difference. malloc'ed; NULL: out of memory. */
char *diff_lines(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
