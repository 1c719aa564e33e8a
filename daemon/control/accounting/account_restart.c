/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/account_restart.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/session/sources.h"

#include <stdlib.h>

struct restart {
	struct accounts *accounts;
	struct gather *gather;
	struct account_counts *counts;
	uint64_t *sessions;
	size_t n, room;
};

static void on_restarted(
	void *context, const struct radius_entry *before, const struct radius_entry *now)
{
	struct restart *restart = context;

	account_state_store(restart->accounts, now, &before->key, restart->gather);
	if (before->state != RADIUS_LIVE)
		return;
	if (restart->n == restart->room) {
		size_t room = restart->room ? restart->room * 2 : 64;
		uint64_t *sessions = realloc(restart->sessions, room * sizeof(*sessions));
		if (!sessions)
			return; /* its lease ends it */
		restart->sessions = sessions;
		restart->room = room;
	}
	restart->sessions[restart->n++] = before->session;
}

void account_restart_take(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source)
{
	struct accounts *accounts = taking->accounts;
	struct restart restart = {.accounts = accounts,
		.gather = &taking->gather,
		.counts = account_counters_at(&accounts->counters, event->radius)};

	if (radius->restart_keeps ||
		!radius_ledger_nas_over(accounts->ledger,
			account_keys_nas(&accounts->keys, event, source), event->event_ms,
			radius->skew_s, clock_now_ms(accounts->control), on_restarted, &restart))
		return;
	restart.counts->restarts++;
	for (size_t i = 0; i < restart.n; i++) {
		if (radius_ledger_count_session(accounts->ledger, restart.sessions[i]) > 0)
			continue;
		source_end(accounts->control, restart.sessions[i], &taking->gather);
		restart.counts->restarted++;
	}
	free(restart.sessions);
	log_event(POLICY_LOG_INFO, LOG_ID_NONE, NULL, 0,
		"radius %s: NAS %s began anew, %zu sessions that it had are over", event->radius,
		event->nas, restart.n);
}
