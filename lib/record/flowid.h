/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the text of a flow's id: short enough to be read out over the telephone. */
#ifndef POSTERN_LIB_RECORD_FLOWID_H
#define POSTERN_LIB_RECORD_FLOWID_H

#include <stddef.h>
#include <stdint.h>

#define FLOWID_TEXT_SIZE 16 /* "f-", 13 digits, NUL */

/* "f-7k3q9": base 32 in lower case without i, l, o and u, no needless zeros. Returns buf. */
const char *flowid_format(uint64_t id, char buf[static FLOWID_TEXT_SIZE]);
/* Forgiving: any case, i and l for 1, o for 0, "f-" may be absent. 0, or -EINVAL. */
int flowid_parse(const char *text, size_t len, uint64_t *id);

#endif
