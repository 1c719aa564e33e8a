/* Owns moments as people write them. */
#ifndef POSTERN_WHEN_H
#define POSTERN_WHEN_H

#include <stdint.h>

/* "1h" (ago), "08:00" (the last one), "2030-01-31", "2030-01-31 08:00[:30]", local time; or
 * "@SECONDS" since 1970. 0 or -EINVAL. */
int when_parse_past(const char *text, uint64_t now_ms, uint64_t *at_ms);
/* "08:00" (the next one), "mon 08:00" (the next one), a date as above, "@SECONDS". */
int when_parse_next(const char *text, uint64_t now_ms, uint64_t *at_ms);

#endif
