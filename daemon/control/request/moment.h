/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns moments as people write them. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_MOMENT_H
#define POSTERN_DAEMON_CONTROL_REQUEST_MOMENT_H

#include <stdint.h>

/* Local time: "1h" (ago), "08:00[:30]" and "mon 08:00" (the last one), "now", "today", "yesterday"
 * and "tomorrow" (their midnight) or "yesterday 08:00", "2030-01-31", "2030-01-31 08:00[:30]", also
 * with 'T' for the blank and then with a zone ("Z", "+01:00"); or "@SECONDS" since 1970. 0 or
 * -EINVAL. */
#define MOMENT_PAST "1h (ago), 14:03, yesterday, \"today 08:00\", 2030-01-31 or 2030-01-31T08:00"
int moment_parse_past(const char *text, uint64_t now_ms, uint64_t *at_ms);
/* The same, but no durations; "08:00" and "mon 08:00" are the next ones. */
#define MOMENT_NEXT "08:00, \"mon 08:00\", \"tomorrow 08:00\", 2030-01-31 or 2030-01-31T08:00"
int moment_parse_next(const char *text, uint64_t now_ms, uint64_t *at_ms);

#endif
