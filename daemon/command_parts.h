/* Owns what one command shows of another's: zones and counters stand in `status` too. */
#ifndef POSTERN_COMMAND_PARTS_H
#define POSTERN_COMMAND_PARTS_H

#include "daemon/facts.h"
#include "lib/counter.h"
#include "lib/policy.h"

#include <jansson.h>

struct control;

/* Interfaces that a zone has now, and patterns that none meets. */
json_t *command_zone_present(const struct control *control, const struct policy_zone *zone);
json_t *command_zone_missing(const struct control *control, const struct policy_zone *zone);
/* All counters, of all processes and the kernel. */
void command_counters_sum(
	struct control *control, const struct facts *facts, uint64_t sum[static COUNTERS]);

#endif
