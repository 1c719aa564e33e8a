/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the ruleset: which chains there are and which rules stand in them (postern.nft). */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_RULESET_H
#define POSTERN_KERNEL_RULES_NFTABLES_RULESET_H

#include "kernel-rules/nftables/batch.h"
#include "kernel-rules/nftables/ruleset_zone.h"
#include "kernel-rules/nftables/table_name.h"
#include "kernel-rules/plan.h"

/* The chain whose rule asks the queue: what fails there fails for want of `queue`. */
#define RULESET_ASK "ask"

/* How many connections are steered to the relays at most: all unknown clients' a second, and one
 * known client's. */
#define RULESET_STEERED_RATE  13000
#define RULESET_STEERED_BURST 3000

/* One known client's, to the relays and by paths. More than any server takes from one client; with
 * half-open connections alone, no more than the relays' backlogs hold (RULESET_HALF_OPEN). */
#define RULESET_BUSY_RATE  8000
#define RULESET_BUSY_BURST 2000

/* The base chain that keeps local users off servers which take a login at our word. */
#define RULESET_LOGIN "login"

struct ruleset_base {
	const char *name;
	uint32_t hook;
	int32_t priority;
	bool bare;                               /* also in a bare table */
	bool (*wanted)(const struct plan *plan); /* NULL: always */
	bool is_nat;
};
#define RULESET_BASES 9
extern const struct ruleset_base ruleset_bases[RULESET_BASES];

#define RULESET_COUNTERS 17
extern const char *const ruleset_counters[RULESET_COUNTERS]; /* as in struct table_counters */

/* Does the plan want this base chain? */
bool ruleset_has_base(const struct plan *plan, const struct ruleset_base *base);
/* Has the plan anything to say in its mode? A bare one without a closed zone has only the guard of
 * servers that take a login at our word: while nobody runs they would take one at anybody's; and
 * the chains of paths, or their flows would be sent on without their nat. */
bool ruleset_is_wanted(const struct plan *plan);
/* All chains that are not base chains, then all rules of all chains. Base chains, sets and
 * counters must be there. *queue_seq: sequence number of the rule with the queue. */
void ruleset_put(
	struct batch *batch, const struct plan *plan, enum table_queue queue, uint32_t *queue_seq);

#endif
