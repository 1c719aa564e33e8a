/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is counted of the accounting that each radius of the policy takes. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_COUNTERS_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_COUNTERS_H

#include "lib/policy/policy.h"
#include "lib/radius/ledger.h"
#include "lib/radius/who.h"

/* Since control began, of one radius by its name. */
struct account_counts {
	uint64_t acts[RADIUS_ACTS];
	uint64_t unused[RADIUS_UNUSEDS]; /* as far as it is seen here */
	uint64_t starts_missed;          /* an Interim or a Stop was the first that was heard */
	uint64_t stops_missed;           /* it ran out, or another came with its MAC or address */
	uint64_t restarts;               /* NASes that began anew */
	uint64_t restarted;              /* sessions that ended by it */
	uint64_t failed;                 /* could not be stored: it was not answered */
};

struct account_counters {
	struct account_counters_of *v; /* of the policy's radiuses */
	size_t n;
};

void account_counters_fini(struct account_counters *counters);
/* Those of this policy: what was counted of one that stays is kept. */
void account_counters_follow(struct account_counters *counters, const struct policy *policy);
/* NULL: the policy has no such radius. */
const struct account_counts *account_counters_find(
	const struct account_counters *counters, const char *radius);
/* Never NULL: of one that is gone it is counted nowhere. */
struct account_counts *account_counters_at(
	const struct account_counters *counters, const char *radius);

#endif
