/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/trouble/trouble.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/scan_states.h"
#include "lib/policy/policy.h"

#include <inttypes.h>
#include <stdio.h>

#define UNSCANNED_SAID_MS 3600000 /* for so long after the last message that was let through */

static const char *what_becomes_of(const struct policy_scan *scan)
{
	switch (scan->on_failure) {
	case POLICY_SCAN_TEMPFAIL:
		return "its messages hear 451";
	case POLICY_SCAN_ACCEPT:
		return "its messages go on unscanned (on-failure accept)";
	case POLICY_SCAN_REJECT:
		return "its messages hear 550";
	}
	return "";
}

/* Also one that is up lets through what is too large for it, or when it had no place free. */
static void look_at_unscanned(const struct control *control, const struct ipc_scan_state *sum,
	const char *next, json_t *troubles)
{
	uint64_t wall_ms = clock_to_wall(control, clock_now_ms(control));

	if (sum->unscanned_ms && wall_ms < sum->unscanned_ms + UNSCANNED_SAID_MS)
		trouble_add(troubles, next,
			"scan %s: %" PRIu64 " message%s went on unscanned (on-failure accept), the "
			"last within the hour",
			sum->scan, sum->unscanned, sum->unscanned == 1 ? "" : "s");
}

void trouble_of_scans(const struct control *control, json_t *troubles)
{
	const struct policy *policy = control->policy;
	const unsigned used = scan_states_used(policy);
	char next[POLICY_NAME_SIZE + 32];
	struct ipc_scan_state sum;

	for (size_t i = 0; i < policy->nscans; i++) {
		const struct policy_scan *scan = &policy->scans[i];
		if (!(used & 1u << i))
			continue;
		scan_states_sum(control->scans, scan, &sum);
		snprintf(next, sizeof(next), "posternctl scan show %s", scan->name.text);
		if (sum.since_ms && !sum.up)
			trouble_add(troubles, "posternctl doctor", "scan %s: %s; %s",
				scan->name.text, sum.text, what_becomes_of(scan));
		look_at_unscanned(control, &sum, next, troubles);
	}
}
